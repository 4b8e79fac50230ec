"""What a journal's entries come to: replies by prompt and step, dollars, and calls that never ended."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from classifier import Tier

__all__ = ["Record", "Reply", "Sent", "answer_step", "judge_step"]


def answer_step(tier: Tier) -> str:
    """Return the name of the step in which a tier answers."""
    return f"answer:{tier}"


def judge_step(judging: int) -> str:
    """Return the name of the step in which the judge scores, 0 for the first time, 1 for the second."""
    return f"judge:{judging}"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model sent.

    Attributes:
        text: of the answer.
        finish: why it ended: `stop`, `length`, `content_filter`, ...
        refusal: the upstream's own field for refusals; empty when there is none.
        usd: what the call cost, in US dollars, as the router reckons it.
        charged_usd: what the budget was charged: the same, or the upper bound where nobody can say.
        input_tokens: of the request.
        output_tokens: of the answer.
        estimated: whether the tokens were counted from the text.
    """

    text: str
    finish: str
    refusal: str = ""
    usd: float = 0.0
    charged_usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        return self.input_tokens + self.output_tokens

    def as_dict(self) -> dict[str, object]:
        """Return the reply as JSON-able values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Sent:
    """A call that went out.

    Attributes:
        prompt: the digest of the prompt.
        step: what was asked.
        model: who was asked.
        bound_usd: what the call can cost at most.
    """

    prompt: str
    step: str
    model: str
    bound_usd: float


@dataclass(slots=True)
class Record:
    """The sum of a journal.

    Attributes:
        replies: by prompt digest and step, in the order of asking.
        under_way: calls that were sent and have not ended; in a journal that is read anew, those that a
            crash left without an end.
        calls: how many were sent.
        closed_usd: what the ended calls were charged.
        lost_usd: the part of it that was charged at the upper bound for calls that failed with no answer.
        lost: how many those were.
    """

    replies: dict[str, dict[str, list[Reply]]] = field(default_factory=dict)
    under_way: dict[int, Sent] = field(default_factory=dict)
    calls: int = 0
    closed_usd: float = 0.0
    lost_usd: float = 0.0
    lost: int = 0

    @property
    def under_way_usd(self) -> float:
        """What the calls that have not ended can have cost at most."""
        return sum(sent.bound_usd for sent in self.under_way.values())

    @property
    def charged_usd(self) -> float:
        """What counts against the budget."""
        return self.closed_usd + self.under_way_usd

    def of(self, digest: str) -> Mapping[str, list[Reply]]:
        """Return a prompt's replies by step."""
        return self.replies.get(digest, {})

    def take(self, entry: Mapping[str, Any]) -> None:
        """Take in an entry.

        Raises:
            KeyError: the entry is incomplete, or ends a call that was never sent.
            TypeError: it holds what no entry has.
        """
        call = entry["call"]
        match entry["entry"]:
            case "sent":
                sent = Sent(entry["prompt"], entry["step"], entry["model"], entry["bound_usd"])
                self.under_way[call] = sent
                self.calls = call
            case "answered":
                sent, reply = self.under_way.pop(call), Reply(**entry["reply"])
                self.replies.setdefault(sent.prompt, {}).setdefault(sent.step, []).append(reply)
                self.closed_usd += reply.charged_usd
            case "failed":
                self.under_way.pop(call)
                self.closed_usd += entry["charged_usd"]
                self.lost_usd += entry["charged_usd"]
                self.lost += entry["charged_usd"] > 0
            case kind:
                raise KeyError(kind)

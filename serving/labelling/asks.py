"""The requests that a prompt leads to, and how many tokens each can have at most."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from classifier import Tier
from serving.cost import Price, Tokens, estimate_prompt
from serving.labelling.draws import fence_of, order_of
from serving.labelling.record import Reply, answer_step, judge_step
from serving.labelling.rubric import Form, judging_messages, response_format
from serving.labelling.settings import LabelSettings

__all__ = ["BYTES_PER_TOKEN", "Ask", "answer_ask", "judge_ask", "shown_to_judge"]

BYTES_PER_TOKEN = 8
"""How much of an answer the judge reads at most, in UTF-8 bytes for each token that the answer may have.

Texts have three to six bytes to a token, so that hardly any answer is cut, and the judge's input is bounded
before the answers are there.
"""

_PER_MESSAGE = 16  # tokens that chat formats spend on a role and the marks around a message
_PER_CALL = 128  # on what providers put before the first one, and on the punctuation of a schema


@dataclass(frozen=True, slots=True)
class Ask:
    """One request.

    Attributes:
        prompt: the digest of the prompt that it serves.
        step: what is asked.
        model: who is asked.
        messages: what is sent, redacted.
        max_tokens: the longest answer.
        extra: further parameters of the request.
    """

    prompt: str
    step: str
    model: str
    messages: Sequence[Mapping[str, Any]]
    max_tokens: int
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def most(self) -> Tokens:
        """What the request can come to at most.

        The tokenisers of language models work on bytes and merge them, so that a text never has more tokens
        than UTF-8 bytes. The schema that binds the answer is counted with them.
        """
        sent = _size([*self.messages]) + _size(self.extra)
        return Tokens(sent + _PER_MESSAGE * len(self.messages) + _PER_CALL, self.max_tokens)

    def expected(self, output: int) -> Tokens:
        """Return about how many tokens the request has, with an answer of so many tokens."""
        return Tokens(estimate_prompt({"messages": self.messages}), min(output, self.max_tokens))

    def bound_usd(self, price: Price) -> float:
        """Return what the call can cost at most, in US dollars."""
        return price.of(self.most)


def answer_ask(digest: str, messages: Sequence[Any], tier: Tier, settings: LabelSettings) -> Ask:
    """Return the request for a tier's answer."""
    return Ask(digest, answer_step(tier), settings.models[tier], messages, settings.max_tokens)


def judge_ask(
    digest: str,
    messages: Sequence[Any],
    answers: Mapping[Tier, str],
    judging: int,
    settings: LabelSettings,
    *,
    stricter: bool = False,
    form: Form = Form.SCHEMA,
) -> Ask:
    """Return the request for a judgement.

    Args:
        digest: of the prompt.
        messages: the prompt, redacted.
        answers: what the judge is to see of each tier's answer, redacted.
        judging: 0 for the first, 1 for the second, in reversed order.
        settings: of the run.
        stricter: whether the judge's last reply could not be read.
        form: what binds the reply; with a weaker one the request is no longer.
    """
    order = order_of(digest, settings.seed, judging)
    shown = [_cut(answers[tier], settings) for tier in order]
    asked = judging_messages(messages, shown, fence_of(digest, settings.seed), stricter=stricter)
    bound = response_format(len(shown), form)
    extra = {"temperature": 0, **({"response_format": bound} if bound else {})}
    return Ask(digest, judge_step(judging), settings.judge, asked, settings.judge_max_tokens, extra)


def shown_to_judge(reply: Reply) -> str:
    """Return an answer as the judge is to see it: what it says, and that it was cut off or is empty."""
    text = reply.text or reply.refusal
    if reply.finish == "length":
        return f"{text}\n(cut off at the length limit)"
    return text if text.strip() else "(an empty answer)"


def _size(value: object) -> int:
    """Return how many UTF-8 bytes the texts in a JSON-able value have."""
    match value:
        case str():
            return len(value.encode())
        case Mapping():
            return sum(_size(name) + _size(each) for name, each in value.items())
        case list():
            return sum(map(_size, value))
    return len(json.dumps(value))


def _cut(text: str, settings: LabelSettings) -> str:
    encoded, most = text.encode(), settings.max_tokens * BYTES_PER_TOKEN
    if len(encoded) <= most:
        return text
    return f"{encoded[:most].decode('utf-8', 'ignore')}\n(cut off here)"

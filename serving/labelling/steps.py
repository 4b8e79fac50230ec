"""What is still to be done for a prompt, worked out from the replies that the journal holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from classifier import TIERS, Tier
from serving.labelling.draws import is_judged_twice, order_of
from serving.labelling.judge import Unreadable, Verdict, verdict_among
from serving.labelling.record import Reply, answer_step, judge_step
from serving.labelling.settings import LabelSettings

__all__ = ["Replies", "Standing", "answers_of", "standing_of"]

Replies = Mapping[str, Sequence[Reply]]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a prompt has come.

    Attributes:
        answers: of the tiers that have answered.
        verdicts: of the judge, at most two; the second has the order of the first reversed.
        unjudged: why there is no verdict though the judge was asked as often as it may be; else empty.
        judgings: the judgements that are still to be made: 0 the first, 1 the second.
    """

    answers: Mapping[Tier, Reply]
    verdicts: tuple[Verdict, ...]
    unjudged: str
    judgings: tuple[int, ...]

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers that have not answered."""
        return tuple(tier for tier in TIERS if tier not in self.answers)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to ask."""
        return not self.tiers and not self.judgings

    @property
    def labelled(self) -> bool:
        """Whether the prompt is finished and has scores."""
        return self.finished and bool(self.verdicts)


def standing_of(digest: str, replies: Replies, settings: LabelSettings) -> Standing:
    """Return how far a prompt has come.

    Args:
        digest: of the prompt.
        replies: by step.
        settings: of the run.
    """
    first = _judged(digest, replies, settings, 0)
    twice = is_judged_twice(digest, settings.seed, settings.judge_twice)
    second = _judged(digest, replies, settings, 1)
    wanted = [0] if first is None else []
    if twice and second is None and not isinstance(first, Unreadable):
        wanted.append(1)
    return Standing(
        answers=answers_of(replies),
        verdicts=tuple(each for each in (first, second) if isinstance(each, Verdict)),
        unjudged=first.reason if isinstance(first, Unreadable) else "",
        judgings=tuple(wanted),
    )


def answers_of(replies: Replies) -> dict[Tier, Reply]:
    """Return the answers of the tiers that have answered."""
    found = {tier: replies.get(answer_step(tier)) for tier in TIERS}
    return {tier: given[0] for tier, given in found.items() if given}


def _judged(
    digest: str, replies: Replies, settings: LabelSettings, judging: int
) -> Verdict | Unreadable | None:
    return verdict_among(replies.get(judge_step(judging), ()), order_of(digest, settings.seed, judging))

"""How far the judge agrees with itself when the order of the answers is swapped, and what the place does."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from classifier import TIERS
from serving.labelling.judge import Verdict

__all__ = ["Agreement", "agreement_of", "mean_step_by_place", "weighted_kappa"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """What came of judging prompts twice, the second time in reversed order.

    Attributes:
        prompts: how many were.
        grades: how many pairs of grades that gives: one for each answer.
        exact: the share of pairs with the same grade, fraction in [0, 1].
        within_one: the share with grades at most one step apart, fraction in [0, 1].
        kappa: quadratically weighted kappa, at most 1; None when the grades do not vary.
        same_label: the share of prompts whose cheapest best tier is the same both times, fraction in [0, 1].
        first_over_last: how many steps more an answer gets in the first place than in the last, on average;
            0 without position bias.
    """

    prompts: int
    grades: int
    exact: float
    within_one: float
    kappa: float | None
    same_label: float
    first_over_last: float

    def as_dict(self) -> dict[str, object]:
        """Return the figures as JSON-able values."""
        return asdict(self)


def agreement_of(twice: Sequence[tuple[Verdict, Verdict]]) -> Agreement | None:
    """Return how the second verdicts agree with the first; None without any."""
    if not twice:
        return None
    pairs = [(one.steps[tier], two.steps[tier]) for one, two in twice for tier in TIERS]
    apart = [abs(a - b) for a, b in pairs]
    same = [one.cheapest_best == two.cheapest_best for one, two in twice]
    return Agreement(
        prompts=len(twice),
        grades=len(pairs),
        exact=_mean(gap == 0 for gap in apart),
        within_one=_mean(gap <= 1 for gap in apart),
        kappa=weighted_kappa(pairs),
        same_label=_mean(same),
        first_over_last=_mean(gain for one, two in twice for gain in _gains(one, two)),
    )


def weighted_kappa(pairs: Sequence[tuple[int, int]]) -> float | None:
    """Return Cohen's kappa with quadratic weights (Cohen 1968, Psychological Bulletin 70, 213-220).

    It is 1 - (mean squared difference of the pairs) / (the same for grades paired at random): 1 for equal
    grades, 0 for agreement by chance; None when all grades are one, so that chance alone agrees.

    >>> weighted_kappa([(1, 1), (5, 5)])
    1.0
    >>> weighted_kappa([(1, 5), (5, 1)])
    -1.0
    """
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    observed = _mean((a - b) ** 2 for a, b in pairs)
    by_chance = _mean(a * a for a in first) + _mean(b * b for b in second) - 2 * _mean(first) * _mean(second)
    return None if by_chance <= 0 else 1 - observed / by_chance


def mean_step_by_place(verdicts: Iterable[Verdict]) -> tuple[float, ...]:
    """Return the mean grade of the answers shown first, second and third; empty without verdicts.

    The order is drawn for each prompt, so that these differ by chance alone where the place does not matter.
    """
    rows = [[verdict.steps[tier] for tier in verdict.order] for verdict in verdicts]
    return tuple(_mean(row[place] for row in rows) for place in range(len(TIERS))) if rows else ()


def _gains(one: Verdict, two: Verdict) -> list[int]:
    first, last = one.order[0], one.order[-1]
    return [one.steps[first] - two.steps[first], two.steps[last] - one.steps[last]]


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)

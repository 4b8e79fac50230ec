"""May this candidate become champion? Decided on labelled rows that neither model was fitted on.

Three conditions, all stated before the figures are seen:

1. By the **criterion** the candidate is better: the 95 % interval of the paired bootstrap leaves 0 out. The
   criterion is the accuracy of the most probable tier, which needs no price and does not move with the knob
   of the policy. Told what a poor answer costs, it is the expected cost of the policy's choice instead: the
   dollars of the calls and of the under-routed answers. It tells two policies over the same model apart too.
2. The **policy** has not gone astray: a better model behind a knob turned too far would serve worse. Under
   the first criterion the choice may not under-route more or be right less often; the second prices this.
3. No **slice** of language or domain has fallen.

*Fallen* is: worse by more than the margin, and by more than chance explains (the 95 % interval leaves 0 out).
The first half alone would refuse nearly everybody: for two models of like accuracy, fitted on different
thirds of `data/` and judged on 1,977 rows of the last third in 20 slices, with the signs of their differences
drawn anew 2,000 times, some slice was 5 points worse in 94 % of the draws (in 67 % where the candidate was
made 3 points better). With the second half it was 41 % (13 %).

Slices of fewer effective rows than `Terms.least_slice_rows` say nothing: they are listed as not judged, and
judged together, as one slice of what is rare. A slice that is everything is no slice.

The first champion has nobody to be better than. It is held against the best of always-cheap, always-balanced
and always-premium by the criterion, and a warning says so where it is not better than that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from training.costs import PROMPTS_PER_FIGURE, CostModel
from training.errors import EvaluationError
from training.measures import MEASURES, Measure, measure_of, summed_columns
from training.resampling import Estimate, effective_rows, json_number, percentile_interval, resampled_sums
from training.routed_rows import TIER_NAMES, TIERS, BoolArray, RoutedRows

__all__ = ["JUDGED_BY", "Compared", "Judgement", "Standing", "Terms", "judge"]

JUDGED_BY = ("language", "domain")
Standing = Literal["held", "fell", "within chance", "not judged"]

ACCURACY = measure_of("most_probable", "accuracy")
RIGHT_TIER = measure_of("choice", "right_tier")
UNDER_ROUTING = measure_of("choice", "under_routing")
DOLLARS = measure_of("choice", "usd_per_1000_prompts")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a promotion is decided by.

    Attributes:
        margin: The fall of a slice, or of the policy, that is still borne, as a fraction in [0, 1].
        poor_answer_usd: What an under-routed answer costs, in US dollars; None judges by accuracy.
        least_rows: Effective rows that the evaluation set needs.
        least_slice_rows: Effective rows that a slice needs to be judged.
        cost_model: Prices and assumed answer lengths.
        resamples: Paired bootstrap draws.
        seed: Of the draws.
    """

    margin: float = 0.05
    poor_answer_usd: float | None = None
    least_rows: int = 50
    least_slice_rows: int = 30
    cost_model: CostModel = field(default_factory=CostModel)
    resamples: int = 10_000
    seed: int = 0

    @property
    def criterion(self) -> Measure:
        """The one measure that the candidate has to be better by."""
        return ACCURACY if self.poor_answer_usd is None else _expected_cost(self.poor_answer_usd)

    @property
    def criterion_in_words(self) -> str:
        """What the criterion measures."""
        if self.poor_answer_usd is None:
            return "accuracy of the most probable tier"
        return (
            "expected cost of the choice: USD per 1,000 prompts,"
            f" {self.poor_answer_usd:g} per under-routed answer"
        )

    @property
    def guards(self) -> tuple[Measure, ...]:
        """Measures of the policy's choice that may not fall."""
        return (RIGHT_TIER, UNDER_ROUTING) if self.poor_answer_usd is None else ()

    @property
    def slice_measure(self) -> Measure:
        """What no slice may get worse in. Under expected cost: whoever saves does so at nobody's expense."""
        return ACCURACY if self.poor_answer_usd is None else UNDER_ROUTING


@dataclass(frozen=True, slots=True)
class Compared:
    """One measure of the candidate on some rows, beside the champion's.

    Attributes:
        of: The rows: "all", or a slice such as "language fr".
        measure: What is measured.
        rows: How many.
        effective_rows: How many equally weighted rows say as much.
        candidate: Its figure.
        champion: The champion's; None where there is no champion.
        difference: Candidate minus champion with its 95 % interval; None where there is no champion.
    """

    of: str
    measure: Measure
    rows: int
    effective_rows: float
    candidate: float
    champion: float | None
    difference: Estimate | None

    @property
    def gain(self) -> Estimate:
        """The difference turned so that more is better; NaN where there is no champion."""
        if self.difference is None:
            return Estimate(float("nan"), float("nan"), float("nan"))
        found = self.difference
        if self.measure.higher_is_better:
            return found
        return Estimate(-found.value, -found.high, -found.low)

    def standing(self, margin: float, least_rows: int) -> Standing:
        """Return whether the candidate fell here, as the head of this module says it."""
        if self.effective_rows < least_rows:
            return "not judged"
        if not self.gain.value < -margin:
            return "held"
        return "fell" if self.gain.high < 0 else "within chance"

    def as_dict(self) -> dict[str, object]:
        """Return the figures under stable keys, ready for JSON."""
        return {
            "rows": self.rows,
            "effective_rows": self.effective_rows,
            "candidate": json_number(self.candidate),
            "champion": None if self.champion is None else json_number(self.champion),
            "difference": None if self.difference is None else self.difference.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a candidate may become champion, and why.

    Attributes:
        candidate: The candidate's model version.
        champion: The champion's; None where there is none.
        terms: What was decided by.
        criterion: The measure that the candidate has to be better by, on all rows.
        guards: Measures of the policy's choice, on all rows.
        slices: The slices of language and domain, by falling weight; none where there is no champion.
        figures: Every headline measure of the candidate by "view.key".
        constant: The criterion against the best constant tier, named in `of`; None where there is a champion.
    """

    candidate: str
    champion: str | None
    terms: Terms
    criterion: Compared
    guards: tuple[Compared, ...]
    slices: tuple[Compared, ...]
    figures: Mapping[str, float]
    constant: Compared | None

    @property
    def better(self) -> bool:
        """Whether the criterion alone is met; a first champion has nobody to be better than."""
        return self.champion is None or self.criterion.gain.low > 0

    @property
    def promoted(self) -> bool:
        """Whether all conditions are met."""
        return self.better and not self.fallen

    @property
    def fallen(self) -> tuple[Compared, ...]:
        """The guards and slices that fell."""
        return tuple(found for found in (*self.guards, *self.slices) if self.standing(found) == "fell")

    @property
    def not_judged(self) -> tuple[Compared, ...]:
        """The slices of too few rows."""
        return tuple(found for found in self.slices if self.standing(found) == "not judged")

    def standing(self, found: Compared) -> Standing:
        """Return how one of the guards or slices stands under these terms."""
        return found.standing(self.terms.margin, self.terms.least_slice_rows)


def judge(
    candidate: RoutedRows,
    champion: RoutedRows | None,
    labels: Mapping[str, Sequence[str]],
    terms: Terms,
    *,
    names: tuple[str, str | None],
) -> Judgement:
    """Judge a candidate against the champion on the same rows, which neither was fitted on.

    Args:
        candidate: What the candidate made of the rows.
        champion: What the champion made of them, in the same order; None for the first champion.
        labels: For "language" and "domain" the slice that every row belongs to, shape (n,).
        terms: What to decide by.
        names: Model versions of candidate and champion.

    Raises:
        EvaluationError: The rows are too few to decide by, or not the same.
    """
    effective = effective_rows(candidate.weights)
    if effective < terms.least_rows:
        raise EvaluationError(
            f"too few rows to decide by: {len(candidate):,}, which say as much as {effective:.0f} of equal"
            f" weight; give at least {terms.least_rows}"
        )
    criterion, *guards = _compared("all", candidate, champion, (terms.criterion, *terms.guards), terms)
    return Judgement(
        candidate=names[0],
        champion=names[1],
        terms=terms,
        criterion=criterion,
        guards=tuple(guards) if champion is not None else (),
        slices=_slices(candidate, champion, labels, terms) if champion is not None else (),
        figures=_figures(candidate, terms.cost_model),
        constant=_against_best_constant(candidate, terms) if champion is None else None,
    )


def _against_best_constant(candidate: RoutedRows, terms: Terms) -> Compared:
    """Compare with the tier that every prompt might go to instead; of the three the best by the criterion."""
    found = {}
    for tier, name in enumerate(TIER_NAMES):
        always = np.full(len(candidate), tier, dtype=np.int64)
        found[name] = replace(candidate, probabilities=np.eye(TIERS)[always], chosen=always)
    sign = 1 if terms.criterion.higher_is_better else -1
    best = max(found, key=lambda name: sign * terms.criterion.of_rows(found[name], terms.cost_model))
    return _compared(f"always {best}", candidate, found[best], (terms.criterion,), terms)[0]


def _figures(rows: RoutedRows, cost_model: CostModel) -> dict[str, float]:
    found = {f"{each.view}.{each.key}": each.of_rows(rows, cost_model) for each in MEASURES}
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _slices(
    candidate: RoutedRows, champion: RoutedRows, labels: Mapping[str, Sequence[str]], terms: Terms
) -> tuple[Compared, ...]:
    parts = []
    for by in JUDGED_BY:
        for name, mask in _masks(by, labels[by], candidate, terms.least_slice_rows):
            pair = (candidate.where(mask), champion.where(mask))
            parts += _compared(name, *pair, (terms.slice_measure,), terms)
    return tuple(sorted(parts, key=lambda part: -part.effective_rows))


def _masks(
    by: str, labels: Sequence[str], rows: RoutedRows, least_rows: int
) -> Iterator[tuple[str, BoolArray]]:
    """Yield each slice along one property, and in the end those too small to be judged, together."""
    names = np.asarray(labels, dtype=object)
    small = []
    for name in dict.fromkeys(labels):
        mask: BoolArray = names == name
        if mask.all():
            return
        if effective_rows(rows.weights[mask]) < least_rows:
            small.append(name)
        yield f"{by} {name}", mask
    if len(small) > 1:
        yield f"{by}: {len(small)} rare ones", np.isin(names, small)


def _compared(
    of: str,
    candidate: RoutedRows,
    champion: RoutedRows | None,
    measures: Sequence[Measure],
    terms: Terms,
) -> list[Compared]:
    costs = terms.cost_model
    differences = _differences(candidate, champion, measures, terms)
    return [
        Compared(
            of=of,
            measure=measure,
            rows=len(candidate),
            effective_rows=effective_rows(candidate.weights),
            candidate=measure.of_rows(candidate, costs),
            champion=None if champion is None else measure.of_rows(champion, costs),
            difference=difference,
        )
        for measure, difference in zip(measures, differences, strict=True)
    ]


def _differences(
    candidate: RoutedRows, champion: RoutedRows | None, measures: Sequence[Measure], terms: Terms
) -> list[Estimate | None]:
    """Resample both with the same draws, so that what makes a draw hard cancels out."""
    if champion is None:
        return [None for _ in measures]
    if not np.array_equal(candidate.needed, champion.needed):
        raise EvaluationError("candidate and champion did not judge the same rows in the same order")
    costs = terms.cost_model
    ours, theirs = summed_columns(candidate, costs), summed_columns(champion, costs)
    sums = resampled_sums(np.hstack([ours, theirs]), resamples=terms.resamples, seed=terms.seed)
    mine, other = np.hsplit(sums, 2)
    return [
        Estimate(
            measure.of_rows(candidate, costs) - measure.of_rows(champion, costs),
            *percentile_interval(measure.of_totals(mine) - measure.of_totals(other)),
        )
        for measure in measures
    ]


def _expected_cost(poor_answer_usd: float) -> Measure:
    """Return the dollars of calls and of under-routed answers together, per 1,000 prompts."""
    charged = PROMPTS_PER_FIGURE * poor_answer_usd
    return Measure(
        key="expected_usd_per_1000_prompts",
        title="expected USD per 1,000",
        view="choice",
        higher_is_better=False,
        of_rows=lambda rows, costs: (
            DOLLARS.of_rows(rows, costs) + charged * UNDER_ROUTING.of_rows(rows, costs)
        ),
        of_totals=lambda totals: DOLLARS.of_totals(totals) + charged * UNDER_ROUTING.of_totals(totals),
    )

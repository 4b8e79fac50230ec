"""Cost against quality: what a model's routing is worth on a table of outcomes, in dollars and in scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from classifier import Tier
from training.baselines import KeywordRule, LengthRule
from training.cost_quality_areas import Area, FixedTiers, area_of, area_of_mix
from training.cost_quality_result import CostQuality, Curve, Mark, Seen
from training.cost_quality_routes import OutcomeRoutes, route_outcomes
from training.cost_quality_targets import targets
from training.costs import CostModel
from training.curve_families import (
    Family,
    decile_family,
    expected_cost_family,
    fixed_family,
    length_family,
    marked_family,
    oracle_family,
    risk_family,
)
from training.curve_resampling import Progress, Sums, estimate_of, sum_families
from training.curve_shapes import ROUNDING
from training.outcome_costs import basis_words, usd_of
from training.outcome_table import OutcomeTable
from training.policy_choice import tier_risks
from training.predictors import Predictor

__all__ = ["RESAMPLES", "TITLES", "cost_quality"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Points = Mapping[str, tuple[FloatArray, FloatArray]]

RESAMPLES = 1000
TITLES = {
    "risk": "model, any max_risk",
    "expected_cost": "model, expected cost",
    "keyword": "keyword rule",
    "length": "length rule, scaled",
    "random_mix": "random mix",
    "oracle": "oracle",
}
_KNOBS = {
    "risk": "max_risk",
    "expected_cost": "poor_answer_usd",
    "length": "factor",
    "oracle": "quality_per_usd",
}


def cost_quality(
    predictor: Predictor,
    table: OutcomeTable,
    *,
    cost_model: CostModel | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    seen: Seen = "unknown",
    progress: Progress | None = None,
) -> CostQuality:
    """Let a model route the prompts of an outcome table, and judge it by the outcomes.

    Args:
        predictor: the model with its policy.
        table: the outcomes.
        cost_model: prices, and assumed answer lengths where the table knows no tokens; the mission's without.
        resamples: bootstrap draws behind the intervals, at least 1.
        seed: of the draws.
        seen: whether the model was fitted on some of these prompts.
        progress: called with the number of prompts judged or summed since its last call, each twice in all.

    Raises:
        EvaluationError: when there is not even one draw, or the prompts are not as many as the scores.
        PromptError: when a prompt is neither text nor messages.
    """
    routes, prices = route_outcomes(predictor, table, progress=progress), cost_model or CostModel()
    usd, basis = usd_of(table, prices)
    keys, families = list(_marked(routes)), list(_families(routes, table, usd))
    sums = sum_families(families, table.scores, usd, resamples=resamples, seed=seed, progress=progress)
    fixed = FixedTiers.of(sums["fixed"])
    return CostQuality(
        model=predictor.version,
        policy=predictor.policy.describe(),
        seen=seen,
        table_digest=table.digest,
        tiers=table.tiers,
        names=table.names,
        prompts=len(table),
        basis=basis,
        basis_words=basis_words(basis, prices),
        curves=(*_curves(sums), _mix_curve(sums["fixed"], fixed)),
        marks=tuple(_marks(sums, fixed, table, predictor, keys)),
        areas=tuple(_areas(sums, fixed, keys)),
        targets=targets(_priced(sums, fixed, keys, table.tiers), fixed),
        gap=estimate_of(fixed.gap),
        differ=float((np.ptp(table.scores, axis=1) > 0).mean()),
        resamples=resamples,
        seed=seed,
    )


def _families(routes: OutcomeRoutes, table: OutcomeTable, usd: FloatArray) -> Iterator[Family]:
    yield from _curve_families(routes, table, usd)
    yield from _decile_families(routes, table)
    yield fixed_family(table)
    yield marked_family(table, tuple(_marked(routes).values()))


def _curve_families(routes: OutcomeRoutes, table: OutcomeTable, usd: FloatArray) -> Iterator[Family]:
    yield risk_family(table, routes.probabilities)
    if not table.is_two_tier:  # with two tiers both policies are one threshold on one risk
        yield expected_cost_family(table, routes.probabilities, usd.mean(axis=0))
    yield length_family(table, routes.characters, LengthRule())
    yield oracle_family(table, usd)


def _decile_families(routes: OutcomeRoutes, table: OutcomeTable) -> Iterator[Family]:
    if table.is_two_tier:
        yield decile_family("risk_deciles", tier_risks(routes.probabilities)[:, table.tiers[0]])
        yield decile_family("length_deciles", routes.characters.astype(np.float64))
        by_keyword = table.columns_of(routes.by_keyword)
        yield decile_family("keyword_deciles", by_keyword.astype(np.float64))
        yield decile_family("oracle_deciles", table.scores[:, 1] - table.scores[:, 0])


def _marked(routes: OutcomeRoutes) -> Mapping[str, IntArray]:
    """The tiers that everything without a knob chooses, by key."""
    rule = LengthRule()
    by_length = np.searchsorted([rule.balanced_from, rule.premium_from], routes.characters, side="right")
    inner = {} if routes.unabstained is None else {"policy_without_abstention": routes.unabstained}
    rules = {"keyword": routes.by_keyword, "length": np.asarray(by_length, dtype=np.int64)}
    return {"policy": routes.chosen, **inner, **rules}


def _curves(sums: Mapping[str, Sums]) -> Iterator[Curve]:
    for key, knob in _KNOBS.items():
        if key in sums:
            found = sums[key]
            yield Curve(key, TITLES[key], knob, found.settings, found.usd[0], found.quality[0], found.shares)


def _mix_curve(sums: Sums, fixed: FixedTiers) -> Curve:
    """The hull of the tiers; its settings number the corners.

    Where a dearer tier is no better, the hull goes on to its dollars at the quality of a cheaper one: nobody
    routes so, and that corner is left out.
    """
    usd, quality = (corners[0] for corners in fixed.mix())
    apart = np.abs(sums.usd[0] - usd[:, None]) + np.abs(sums.quality[0] - quality[:, None])
    is_tier = apart.min(axis=1) <= ROUNDING
    usd, quality, nearest = usd[is_tier], quality[is_tier], apart.argmin(axis=1)[is_tier]
    return Curve(
        "random_mix",
        TITLES["random_mix"],
        "corner",
        np.arange(len(usd), dtype=np.float64),
        usd,
        quality,
        sums.shares[nearest],
    )


def _marks(
    sums: Mapping[str, Sums],
    fixed: FixedTiers,
    table: OutcomeTable,
    predictor: Predictor,
    keys: Sequence[str],
) -> Iterator[Mark]:
    described = _descriptions(predictor)
    for place, key in enumerate([*keys, "oracle"]):
        yield _mark(key, *described[key], sums["marked"], place, fixed)
    for place, (tier, name) in enumerate(zip(table.tiers, table.names, strict=True)):
        words = f"every prompt to {name}"
        yield _mark(f"always_{tier}", f"always {tier}", "fixed", words, sums["fixed"], place, fixed)


def _mark(
    key: str, title: str, kind: str, description: str, sums: Sums, place: int, fixed: FixedTiers
) -> Mark:
    usd, quality = sums.usd[:, place], sums.quality[:, place]
    return Mark(
        key=key,
        title=title,
        kind=kind,
        description=description,
        shares=tuple(sums.shares[place].tolist()),
        usd_per_1000=estimate_of(usd),
        quality=estimate_of(quality),
        over_mix=estimate_of(quality - fixed.mix_quality(usd)),
    )


def _descriptions(predictor: Predictor) -> Mapping[str, tuple[str, str, str]]:
    """Title, kind and words of each point that is no fixed tier."""
    return {
        "policy": ("model, its policy", "model", predictor.policy.describe()),
        "policy_without_abstention": ("  without abstention", "model", "the same, never abstaining"),
        "keyword": ("keyword rule", "rule", KeywordRule().description),
        "length": ("length rule", "rule", LengthRule().description),
        "oracle": ("oracle", "bound", "the cheapest of the tiers with the best score, known afterwards"),
    }


def _areas(sums: Mapping[str, Sums], fixed: FixedTiers, keys: Sequence[str]) -> Iterator[Area]:
    for key, title in TITLES.items():
        if key == "random_mix":
            yield area_of_mix(fixed)
        elif key == "keyword" or key in sums:
            points = _alone(sums["marked"], keys.index(key)) if key == "keyword" else sums[key]
            yield area_of(key, title, points, fixed, sums.get(f"{key}_deciles"))


def _alone(sums: Sums, place: int) -> Sums:
    """One point out of several."""
    only = slice(place, place + 1)
    return Sums(
        sums.settings[only],
        sums.quality[:, only],
        sums.usd[:, only],
        sums.dearest[:, only],
        sums.shares[only],
    )


def _priced(
    sums: Mapping[str, Sums], fixed: FixedTiers, keys: Sequence[str], tiers: Sequence[Tier]
) -> Points:
    """Dollars and quality of what could be asked for a share of premium's quality."""
    keyword = _alone(sums["marked"], keys.index("keyword"))
    found = {key: keyword if key == "keyword" else sums.get(key) for key in TITLES}
    curves = {key: (curve.usd, curve.quality) for key, curve in found.items() if curve is not None}
    curves["random_mix"] = fixed.mix()
    below = {f"always_{tier}": place for place, tier in enumerate(tiers[:-1])}
    alone = {key: (fixed.usd[:, [place]], fixed.quality[:, [place]]) for key, place in below.items()}
    return alone | {key: curves[key] for key in TITLES if key in curves}

"""What was found of cost and quality: curves, points, areas, and dollars at targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from classifier import Tier
from training.cost_quality_areas import Area
from training.cost_quality_targets import Target
from training.outcome_costs import DollarBasis
from training.resampling import Estimate

__all__ = ["CostQuality", "Curve", "Mark", "Seen"]

FloatArray = npt.NDArray[np.float64]

Seen: TypeAlias = Literal["yes", "no", "unknown"]
FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Quality against dollars over the settings of a knob, straight between them.

    Attributes:
        key: stable name.
        title: name for people.
        knob: what is set.
        settings: of the knob, shape (n_settings,).
        usd_per_1000: US dollars per 1,000 prompts, likewise.
        quality: mean score, likewise, in [0, 1].
        shares: share of prompts that go to each of the table's tiers, shape (n_settings, n_tiers).
    """

    key: str
    title: str
    knob: str
    settings: FloatArray
    usd_per_1000: FloatArray
    quality: FloatArray
    shares: FloatArray

    def as_dict(self) -> dict[str, object]:
        """Return the curve under stable keys, ready for JSON."""
        columns = (self.settings, self.usd_per_1000, self.quality, self.shares)
        names = (self.knob, "usd_per_1000_prompts", "quality", "shares")
        points = [
            dict(zip(names, point, strict=True))
            for point in zip(*(column.tolist() for column in columns), strict=True)
        ]
        return {"key": self.key, "title": self.title, "knob": self.knob, "points": points}


@dataclass(frozen=True, slots=True)
class Mark:
    """One way to route without a knob: a point.

    Attributes:
        key: stable name.
        title: name for people.
        kind: "model", "fixed" (one tier), "rule" or "bound" (what nobody can beat).
        description: what it does, in words.
        shares: share of prompts that go to each of the table's tiers, summing to 1.
        usd_per_1000: US dollars per 1,000 prompts.
        quality: mean score, in [0, 1].
        over_mix: its quality less that of the best random mix of the tiers for the same dollars.
    """

    key: str
    title: str
    kind: str
    description: str
    shares: tuple[float, ...]
    usd_per_1000: Estimate
    quality: Estimate
    over_mix: Estimate

    def as_dict(self) -> dict[str, object]:
        """Return the point under stable keys, ready for JSON."""
        return {
            "key": self.key,
            "title": self.title,
            "kind": self.kind,
            "description": self.description,
            "shares": list(self.shares),
            "usd_per_1000_prompts": self.usd_per_1000.as_dict(),
            "quality": self.quality.as_dict(),
            "quality_over_random_mix": self.over_mix.as_dict(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class CostQuality:
    """Everything that was found. Quality is a mean score over distinct prompts, each counted once.

    Attributes:
        model: the model's version.
        policy: its own policy in words.
        seen: whether the model was fitted on some of these prompts, as far as that can be known.
        table_digest: digest of the outcomes.
        tiers: the tiers that were scored.
        names: the model behind each.
        prompts: how many.
        basis: what the dollars rest on.
        basis_words: the same as a sentence.
        curves: the model's and its rivals', by key.
        marks: the points, the model's own policy first.
        areas: APGR and its kin, the model's first.
        targets: dollars for 90, 95 and 99 % of the dearest tier's quality.
        gap: quality of the dearest tier less that of the cheapest.
        differ: share of prompts on which the tiers' scores differ at all, in [0, 1].
        resamples: bootstrap draws of the prompts behind every interval.
        seed: of the draws.
    """

    model: str
    policy: str
    seen: Seen
    table_digest: str
    tiers: tuple[Tier, ...]
    names: tuple[str, ...]
    prompts: int
    basis: DollarBasis
    basis_words: str
    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...]
    areas: tuple[Area, ...]
    targets: tuple[Target, ...]
    gap: Estimate
    differ: float
    resamples: int
    seed: int

    def curve(self, key: str) -> Curve:
        """Return the curve of that key, such as "risk"."""
        return next(curve for curve in self.curves if curve.key == key)

    def mark(self, key: str) -> Mark:
        """Return the point of that key, such as "always_premium"."""
        return next(mark for mark in self.marks if mark.key == key)

    def area(self, key: str) -> Area:
        """Return the measures of the curve of that key."""
        return next(area for area in self.areas if area.key == key)

    @property
    def named_tiers(self) -> tuple[str, ...]:
        """Each tier with the model behind it, or alone where the table calls the model by its tier."""
        named = zip((tier.label for tier in self.tiers), self.names, strict=True)
        return tuple(label if name == label else f"{label} {name}" for label, name in named)

    @property
    def ends(self) -> tuple[Mark, Mark]:
        """Always the cheapest and always the dearest of the tiers that were scored."""
        return self.mark(f"always_{self.tiers[0]}"), self.mark(f"always_{self.tiers[-1]}")

    @property
    def best_knob(self) -> str:
        """The key of the model's curve that lies the highest over the dollars: "risk" or "expected_cost"."""
        found = [area for area in self.areas if area.key in ("risk", "expected_cost")]
        return max(found, key=lambda area: -np.inf if area.over_mix is None else area.over_mix.value).key

    def as_dict(self) -> dict[str, object]:
        """Return everything under stable keys, ready for JSON; None stands for what is not defined."""
        return {
            "format": FORMAT,
            "model": self.model,
            "policy": self.policy,
            "fitted_on_these_prompts": self.seen,
            "outcomes_digest": self.table_digest,
            "prompts": self.prompts,
            "tiers": [tier.label for tier in self.tiers],
            "models": list(self.names),
            "dollars": {"basis": self.basis, "description": self.basis_words},
            "quality_gap": self.gap.as_dict(),
            "share_of_prompts_where_tiers_differ": self.differ,
            "points": [mark.as_dict() for mark in self.marks],
            "areas": [area.as_dict() for area in self.areas],
            "targets": [target.as_dict() for target in self.targets],
            "curves": [curve.as_dict() for curve in self.curves],
            "intervals": {
                "level": 0.95,
                "method": "percentile bootstrap over prompts, paired",
                "resamples": self.resamples,
                "seed": self.seed,
            },
        }

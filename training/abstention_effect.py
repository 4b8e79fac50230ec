"""Whether abstaining pays: the same target with and without it, and how the abstaining prompts fare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.abstention import AbstentionRule
from training.errors import TargetNotMet
from training.policy_families import PolicyFamily
from training.routing_figures import RoutingFigures, routing_figures
from training.tuning import Candidate, TunedPolicy, tune
from training.tuning_rows import TuningRows

__all__ = ["AbstentionEffect", "abstention_effect"]


@dataclass(frozen=True, slots=True, eq=False)
class AbstentionEffect:
    """What abstaining does, on held-out prompts.

    Attributes:
        rule: When the policy abstains.
        prompts: How many held-out prompts there are.
        abstaining: Figures of those on which it abstains, sent to the safe tier; None where there are none.
        otherwise: Figures of the same prompts, sent where the policy's own setting would send them.
        without: The policy tuned to the same target without abstaining; None where that misses it.
        without_fails: Why it does.
    """

    rule: AbstentionRule
    prompts: int
    abstaining: RoutingFigures | None
    otherwise: RoutingFigures | None
    without: Candidate | None
    without_fails: str

    @property
    def share(self) -> float:
        """The share of held-out prompts on which the policy abstains, in [0, 1]."""
        return 0.0 if self.abstaining is None else float(self.abstaining.prompts) / self.prompts

    def as_dict(self) -> dict[str, object]:
        """Return the effect under stable keys, ready for JSON."""
        return {
            "safe_tier": self.rule.safe_tier.label,
            "least_known": self.rule.least_known,
            "least_top": self.rule.least_top,
            "held_out": {
                "share": self.share,
                "abstaining": self.abstaining and self.abstaining.as_dict(),
                "same_prompts_otherwise": self.otherwise and self.otherwise.as_dict(),
                "tuned_without": self.without and self.without.held_out.as_dict(),
            },
        }


def abstention_effect(
    rows: TuningRows, tuned: TunedPolicy, families: Sequence[PolicyFamily], rule: AbstentionRule
) -> AbstentionEffect:
    """Compare a tuned policy with the same one without abstention, and with one tuned without it.

    Args:
        rows: All prompts, as they were before any abstention.
        tuned: The policy, tuned with the rule.
        families: What it was chosen from.
        rule: When it abstains.
    """
    _, held_out = rows.halves()
    mask = rule.abstains(held_out.probabilities, held_out.known_vocabulary)
    abstaining = otherwise = None
    if mask.any():
        part = held_out.where(mask)
        chosen = tuned.best.family.chosen(part.probabilities, tuned.best.knob)
        otherwise = routing_figures(part, chosen)
        abstaining = routing_figures(part.answered_by_one(mask[mask], int(rule.safe_tier)), chosen)
    without, why = _without(rows, tuned, families)
    return AbstentionEffect(rule, len(held_out), abstaining, otherwise, without, why)


def _without(
    rows: TuningRows, tuned: TunedPolicy, families: Sequence[PolicyFamily]
) -> tuple[Candidate | None, str]:
    try:
        return tune(rows, tuned.target, families, resamples=1).best, ""
    except TargetNotMet as error:
        return None, str(error)

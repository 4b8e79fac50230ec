"""What a model file keeps of the target that its policy was chosen for."""

from __future__ import annotations

from typing import Any

from training.abstention_effect import AbstentionEffect
from training.tuning import Candidate, TunedPolicy

__all__ = ["policy_record"]


def policy_record(
    tuned: TunedPolicy, effect: AbstentionEffect | None, *, digest: str, part: str
) -> dict[str, Any]:
    """Return the provenance entry "policy_chosen_for": target, data, and the figures that were achieved.

    It shares the keys `target`, `is_met`, `rows` and `achieved` with what `train` writes there.

    Args:
        tuned: The policy.
        effect: What its abstaining does; None where it never abstains.
        digest: SHA-256 of the data, in hexadecimal.
        part: The part of the data that was used, or "all".
    """
    best = tuned.best
    return {
        "target": tuned.target.as_dict(),
        "guarantee": tuned.target.guarantee(),
        "is_met": True,
        "rows": int(best.calibration.prompts),
        "data": {"digest": digest, "part": part},
        "family": best.family.key,
        "knob": best.knob,
        "bound": tuned.bound,
        "achieved": best.calibration.as_dict(),
        "held_out": {
            **best.held_out.as_dict(),
            "intervals": {name: found.as_dict() for name, found in tuned.intervals.items()},
        },
        "candidates": [_candidate(candidate) for candidate in tuned.candidates],
        "failures": dict(tuned.failures),
        "abstention": effect and effect.as_dict(),
        "dollars": tuned.dollars,
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "family": candidate.family.key,
        "knob": candidate.knob,
        "achieved": candidate.calibration.as_dict(),
        "held_out": candidate.held_out.as_dict(),
    }

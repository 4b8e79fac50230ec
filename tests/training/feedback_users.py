"""Users whose needed tiers are known, and the feedback log that they leave behind."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from classifier import TIERS, Policy, Tier
from training.labelled import LabelledData
from training.routed_rows import FloatArray

__all__ = ["Users", "feedback_log"]


@dataclass(frozen=True, slots=True)
class Users:
    """How they behave; all are probabilities.

    Attributes:
        up: A pleased user gives a thumb up.
        down: A displeased one gives a thumb down.
        wrong: A user feels the opposite of what the tier deserved.
        escalates: A displeased user asks a higher tier.
        retries: A displeased user regenerates.
        idly: Any user regenerates for no reason.
        explored: The router tries a tier drawn at random.
    """

    up: float = 0.15
    down: float = 0.30
    wrong: float = 0.10
    escalates: float = 0.25
    retries: float = 0.15
    idly: float = 0.02
    explored: float = 0.05


def feedback_log(
    data: LabelledData, probabilities: FloatArray, policy: Policy, users: Users, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield one decision for each row, and what its user made of it, in the format of a feedback log.

    Args:
        data: The prompts, with the tier that each needs.
        probabilities: What the router believes, shape (n_rows, 3), columns in Tier order.
        policy: What it decides by.
        users: How they behave.
        seed: Of chance.
    """
    random = np.random.default_rng(seed)
    rows = zip(data.frame["prompt"], data.frame["tier"], probabilities, strict=True)
    for number, (prompt, needed, believed) in enumerate(rows):
        explored = random.random() < users.explored
        tier = Tier(int(random.integers(3))) if explored else policy.choose(believed)
        yield {
            "request_id": f"r{number}",
            "prompt" if isinstance(prompt, str) else "messages": prompt,
            "tier": tier.label,
            "probabilities": {each.label: float(believed[each]) for each in TIERS},
            "chosen_by": "exploration" if explored else "policy",
            "propensity": users.explored / 3 if explored else 1 - users.explored,
            **_signs(tier, Tier(needed), users, random),
        }


def _signs(tier: Tier, needed: Tier, users: Users, random: np.random.Generator) -> dict[str, Any]:
    pleased = (needed <= tier) != (random.random() < users.wrong)
    signs: dict[str, Any] = {"thumb": _thumb(pleased, users, random)}
    if not pleased and tier < Tier.PREMIUM and random.random() < users.escalates:
        above = Tier(int(random.integers(tier + 1, 3)))
        pleased_there = (needed <= above) != (random.random() < users.wrong)
        return {
            **signs,
            "escalated_to": above.label,
            "escalated_thumb": _thumb(pleased_there, users, random),
        }
    likely = users.idly if pleased else users.retries
    return {**signs, "retried": bool(random.random() < likely)}


def _thumb(pleased: bool, users: Users, random: np.random.Generator) -> str | None:
    said = random.random() < (users.up if pleased else users.down)
    return ("up" if pleased else "down") if said else None

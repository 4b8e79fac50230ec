"""What is configured of sessions."""

import enum
from typing import Annotated

from pydantic import Field

from serving.settings_file import Section

__all__ = ["SessionSettings", "ToolTurns"]

_A_DAY = 86_400.0


class ToolTurns(enum.StrEnum):
    """Where the turns of an agent go that only carry a tool's result."""

    KEEP = "keep"
    CHEAP = "cheap"


class SessionSettings(Section):
    """How conversations keep their tier.

    `keep_above` was chosen on the training and validation conversations of `data/` (`python -m
    tests.benchmarks sessions`). The classifier reads the whole conversation and is more often right than not
    when it calls a short follow-up easier than what came before, so that to keep every one is dear; at 0.1
    fewer conversations are under-routed, for less money than the same would cost by a lower `max_risk`.

    Attributes:
        enabled: whether a conversation's tier depends on its earlier turns.
        pause_seconds: after which the providers' prompt caches are taken to be gone, and nothing is kept.
        turns_ahead: how many further turns like the present one the cost model reckons with. With none it
            is blind to a cache that the other model soon has too; with many it counts on savings of turns
            that may never come. On `data/` the dollars hardly differ.
        keep_above: the least P(the kept tier or a higher one is needed), fraction in [0, 1], at which a short
            follow-up keeps it; 0 to keep it always.
        tool_turns: whether turns that only carry a tool's result keep the tier, or go to the cheap one where
            the cost model agrees.
        most_remembered: conversations in memory, the latest.
        lookup_seconds: how long the proxy waits for the ledger to tell what another replica, or the process
            before a restart, answered; 0 to ask it never.
    """

    enabled: bool = True
    pause_seconds: Annotated[float, Field(ge=0, le=_A_DAY, allow_inf_nan=False)] = 300.0
    turns_ahead: Annotated[int, Field(ge=0, le=1000, strict=True)] = 1
    keep_above: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.1
    tool_turns: ToolTurns = ToolTurns.KEEP
    most_remembered: Annotated[int, Field(ge=1, le=10**7, strict=True)] = 10_000
    lookup_seconds: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.05

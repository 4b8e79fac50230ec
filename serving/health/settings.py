"""The tables [breaker] and [limits]: when a model is left alone, and how many requests a channel takes."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from serving.settings_file import Section

__all__ = ["BreakerSettings", "LimitSettings"]

_A_DAY = 86_400

Seconds = Annotated[float, Field(gt=0, le=_A_DAY, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
PerMinute = Annotated[int, Field(ge=1, le=10**6, strict=True)]


class BreakerSettings(Section):
    """When the circuit of a model opens, and how it closes again.

    Attributes:
        enabled: False to ask every model always.
        window_seconds: the rolling time over which calls count.
        minimum_calls: fewer calls than this in the window open nothing.
        error_rate: the share of calls that fail from which a circuit opens.
        slow_seconds: a call whose first token, or first byte, takes longer is slow, for models whose tier has
            no objective; None to mind only objectives.
        slow_rate: the share of such calls above which a circuit opens.
        minimum_slow: fewer slow calls than this open nothing.
        cooldown_seconds: how long a circuit that opens stays open; doubled each time that it opens again.
        longest_cooldown_seconds: the most that it is doubled to.
        probes: how many calls a circuit that is half-open lets through; it closes when all of them are well.
    """

    enabled: bool = True
    window_seconds: Seconds = 120.0
    minimum_calls: Annotated[int, Field(ge=1, le=10**6, strict=True)] = 10
    error_rate: Share = 0.5
    slow_seconds: Seconds | None = None
    slow_rate: Share = 0.5
    minimum_slow: Annotated[int, Field(ge=1, le=10**6, strict=True)] = 5
    cooldown_seconds: Seconds = 10.0
    longest_cooldown_seconds: Seconds = 60.0
    probes: Annotated[int, Field(ge=1, le=1000, strict=True)] = 3


class PerChannel(Section):
    """A number for each channel; None for no limit."""

    standard: PerMinute | None = None
    pro: PerMinute | None = None


def _by_channel(value: object) -> object:
    if isinstance(value, int | float):
        raise ValueError(
            f"limits.requests_per_minute: {value} for which channel? Write it like {{ standard = {value} }}"
        )
    return value


class LimitSettings(Section):
    """What is asked of the upstream at most, and how its own limits are honoured.

    Attributes:
        requests_per_minute: that this process sends on each channel; the free tier allows 50. With several
            processes on one key, each takes its share.
        longest_wait_seconds: how long a request waits for room on its model's channel before the next model
            is asked.
        longest_retry_after_seconds: the most that a `Retry-After` keeps a model from being asked; 0 to ignore
            it.
    """

    requests_per_minute: Annotated[PerChannel, BeforeValidator(_by_channel)] = PerChannel()
    longest_wait_seconds: Annotated[float, Field(ge=0, le=_A_DAY, allow_inf_nan=False)] = 1.0
    longest_retry_after_seconds: Annotated[float, Field(ge=0, le=_A_DAY, allow_inf_nan=False)] = 600.0

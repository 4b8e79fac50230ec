"""Who may be asked: circuit breakers, `Retry-After`, the channels' limits and the tiers' objectives.

Pure: no I/O, no waiting; clocks come from outside. The routers ask `Health` before each attempt and tell it
what came of it.
"""

from serving.health.admission import Barred, Bars, HealthTerms, Permit
from serving.health.health import Health
from serving.health.retry_after import retry_after
from serving.health.settings import BreakerSettings, LimitSettings
from serving.health.snapshot import TargetHealth, TierHealth
from serving.health.terms import Cause, State

__all__ = [
    "Barred",
    "Bars",
    "BreakerSettings",
    "Cause",
    "Health",
    "HealthTerms",
    "LimitSettings",
    "Permit",
    "State",
    "TargetHealth",
    "TierHealth",
    "retry_after",
]

"""What the OpenAPI document says of `/v1/overview`."""

from typing import Any

__all__ = ["overview_schema"]

_SHARE = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
_SECONDS = {"type": ["number", "null"], "minimum": 0}
_USD = {"type": ["number", "null"], "description": "US dollars"}
_SPREAD = {
    "type": ["object", "null"],
    "description": "seconds, over the latest answers of models",
    "properties": {
        "count": {"type": "integer", "minimum": 1},
        **{name: {"type": "number", "minimum": 0} for name in ("p50", "p95", "p99")},
    },
}
_COUNTED = {"type": "integer", "minimum": 0}
_DAY_TIER = {
    "type": "object",
    "required": ["tier", "requests", "usd"],
    "properties": {
        "tier": {"enum": ["cheap", "balanced", "premium", "named"]},
        "model": {"type": ["string", "null"]},
        "requests": _COUNTED,
        "share": _SHARE,
        **dict.fromkeys(("usd", "known_usd", "balanced_usd", "saved_over_balanced_usd"), _USD),
        "latency_seconds": {
            "type": ["object", "null"],
            "properties": dict.fromkeys(("routing", "first_token", "total"), _SPREAD),
        },
        "objective_seconds": _SECONDS,
    },
}
_HOUR = {
    "type": "object",
    "required": ["start", "label", "requests", "usd"],
    "properties": {
        "start": {"type": "number", "description": "seconds since the epoch"},
        "label": {"type": "string", "description": "when it begins, by the clocks of the time zone"},
        "requests": {"type": "object", "additionalProperties": _COUNTED, "description": "by tier"},
        "usd": _USD,
    },
}
_TODAY = {
    "type": ["object", "null"],
    "description": "null before the ledger was read first",
    "required": ["requests", "usd", "routed_usd", "always_usd", "tiers", "hours", "cache"],
    "properties": {
        **dict.fromkeys(("requests", "attempts", "answered", "unknown_cost_attempts"), _COUNTED),
        "usd": _USD,
        "routed_usd": {**_USD, "description": "US dollars of what was routed by tier, tokens known"},
        "always_usd": {"type": "object", "description": "what each tier's model costs at the same tokens"},
        "saved_usd": {"type": "object", "description": "over always asking that tier's model"},
        "tiers": {"type": "array", "items": _DAY_TIER},
        "hours": {"type": "array", "items": _HOUR},
        "cache": {
            "type": "object",
            "properties": {
                "hits": _COUNTED,
                "semantic_hits": _COUNTED,
                "hit_rate": _SHARE,
                "saved_usd": _USD,
            },
        },
    },
}
_DECIDED = {
    "type": "object",
    "required": ["at", "tier", "chosen_by", "model", "reasons", "outcome"],
    "properties": {
        "at": {"type": "number", "description": "seconds since the epoch"},
        "tier": {"enum": ["cheap", "balanced", "premium", None]},
        "chosen_by": {"type": "string"},
        "model": {"type": "string"},
        "risk": _SHARE,
        "reasons": {
            "type": ["array", "null"],
            "items": {"type": "string"},
            "description": "words of the prompt stand in them; null where another key asked",
        },
        "outcome": {"enum": ["answered", "refused", "failed", "cancelled"]},
        "cache": {"enum": ["exact", "semantic", None]},
        "seconds": _SECONDS,
        "first_token_seconds": _SECONDS,
        "usd": _USD,
    },
}


def overview_schema(status: dict[str, Any]) -> dict[str, Any]:
    """Return the schema.

    Args:
        status: the schema of what `/v1/status` tells, which stands in it.
    """
    return {
        "type": "object",
        "required": ["at", "time_zone", "ledger", "day", "read_at", "today", "decisions", "status"],
        "properties": {
            "at": {"type": "number", "description": "seconds since the epoch"},
            "time_zone": {"type": "string"},
            "ledger": {"enum": ["current", "pending", "unavailable"]},
            "day": {"type": ["string", "null"], "format": "date"},
            "read_at": {"type": ["number", "null"], "description": "when the ledger was read"},
            "today": _TODAY,
            "decisions": {"type": "array", "items": _DECIDED, "description": "of this process, newest first"},
            "status": status,
        },
    }

"""The OpenAPI document: bodies told loosely, because the upstream's say the rest, but truthfully."""

from typing import Any

from serving.proxy.overview_schema import overview_schema

__all__ = ["document"]

_MODEL = {
    "type": "string",
    "minLength": 1,
    "default": "auto",
    "description": "auto, a tier (cheap, balanced, premium), or any model's name",
}
_MESSAGES = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "object", "required": ["role"], "properties": {"role": {"type": "string"}}},
}
_COUNT = {"type": ["integer", "null"], "minimum": 1}
_STREAM = {"type": ["boolean", "null"]}
_INPUT = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}, {"type": "null"}]}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "code": {"type": ["string", "null"]},
                "param": {"type": ["string", "null"]},
            },
        }
    },
}
_CHAT = {
    "type": "object",
    "required": ["messages"],
    "properties": {
        "model": _MODEL,
        "messages": _MESSAGES,
        "stream": _STREAM,
        "stream_options": {"type": ["object", "null"]},
        "n": _COUNT,
        "max_tokens": _COUNT,
        "max_completion_tokens": _COUNT,
    },
}
_RESPONSES = {
    "type": "object",
    "properties": {
        "model": _MODEL,
        "input": _INPUT,
        "instructions": {"type": ["string", "null"]},
        "stream": _STREAM,
        "max_output_tokens": _COUNT,
    },
}
_EMBEDDINGS = {
    "type": "object",
    "required": ["model", "input"],
    "properties": {"model": {"type": "string", "minLength": 1}, "input": {}},
}
_ROUTE = {
    "type": "object",
    "properties": {"model": _MODEL, "messages": _MESSAGES, "input": _INPUT},
    "anyOf": [{"required": ["messages"]}, {"required": ["input"]}],
}
_FEEDBACK = {
    "type": "object",
    "required": ["request_id"],
    "properties": {
        "request_id": {"type": "string", "pattern": "^[0-9A-Za-z]{1,100}$"},
        "thumb": {"enum": ["up", "down", None]},
        "retried": {"type": ["boolean", "null"]},
        "escalated_to": {"enum": ["balanced", "premium", None]},
        "comment": {"type": ["string", "null"]},
    },
    "anyOf": [
        {"required": ["thumb"], "properties": {"thumb": {"enum": ["up", "down"]}}},
        {
            "required": ["retried"],
            "properties": {"thumb": {"type": "null"}, "retried": {"const": True}},
        },
        {
            "required": ["escalated_to"],
            "properties": {
                "thumb": {"type": "null"},
                "escalated_to": {"enum": ["balanced", "premium"]},
            },
        },
    ],
}
_HEALTH = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"enum": ["ok", "degraded", "stopping"]}},
}
_ALARM = {
    "type": "object",
    "required": ["name", "words", "since", "last", "count"],
    "properties": {
        "name": {"type": "string"},
        "words": {"type": "string"},
        "since": {"type": "number", "description": "seconds since the epoch"},
        "last": {"type": "number", "description": "when it was seen last, seconds since the epoch"},
        "count": {"type": "integer", "minimum": 1},
    },
}
_BUDGET = {
    "type": "object",
    "required": ["scope", "unit", "day", "cap", "spent", "reserved", "left"],
    "properties": {
        "scope": {"type": "string"},
        "unit": {"enum": ["usd", "tokens"], "description": "of the amounts: US dollars, or tokens"},
        "day": {"type": "string", "format": "date"},
        **{name: {"type": "number", "minimum": 0} for name in ("cap", "spent", "reserved", "left")},
    },
}
_SHARE = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
_SECONDS = {"type": ["number", "null"], "minimum": 0}
_CIRCUIT = {
    "type": "object",
    "required": ["model", "channel", "state", "why"],
    "properties": {
        "model": {"type": "string"},
        "channel": {"enum": ["standard", "pro", "break-glass"]},
        "tiers": {"type": "array", "items": {"enum": ["cheap", "balanced", "premium"]}},
        "state": {"enum": ["closed", "open", "half_open"]},
        "cause": {"enum": ["failing", "slow", None]},
        "why": {"type": "string", "description": "why the model is not asked now; empty when it is"},
        "calls": {"type": "integer", "minimum": 0},
        "error_rate": _SHARE,
        "slow_rate": _SHARE,
        "opened_at": {"type": ["number", "null"], "description": "seconds since the epoch"},
        "retry_in_seconds": _SECONDS,
        "p95_seconds": _SECONDS,
        "objective_seconds": _SECONDS,
    },
}
_TIER = {
    "type": "object",
    "required": ["tier"],
    "properties": {
        "tier": {"enum": ["cheap", "balanced", "premium"]},
        "p95_seconds": _SECONDS,
        "objective_seconds": _SECONDS,
    },
}
_DIRECT = {
    "type": "object",
    "required": ["tier", "host", "model"],
    "properties": {
        "tier": {"enum": ["cheap", "balanced", "premium"]},
        "host": {"type": "string"},
        "model": {"type": "string"},
    },
}
_STATUS = {
    "type": "object",
    "required": ["status", "version", "model_version", "uptime_seconds", "alarms", "budgets", "reload"],
    "properties": {
        "status": {"enum": ["ok", "degraded", "stopping"]},
        "version": {"type": "string"},
        "model_version": {"type": ["string", "null"], "description": "null while no model file is good"},
        "started_at": {"type": "number", "description": "seconds since the epoch"},
        "uptime_seconds": {"type": "number", "minimum": 0},
        "requests_at_work": {"type": "integer", "minimum": 0},
        "alarms": {"type": "array", "items": _ALARM},
        "circuits": {"type": "array", "items": _CIRCUIT},
        "tiers": {"type": "array", "items": _TIER},
        "break_glass": {"type": "array", "items": _DIRECT},
        "budgets": {"type": ["array", "null"], "items": _BUDGET, "description": "null while nobody can say"},
        "reload": {
            "type": ["object", "null"],
            "properties": {
                "at": {"type": "number", "description": "seconds since the epoch"},
                "used": {"type": "boolean"},
                "words": {"type": "string"},
            },
        },
    },
}
_OURS = {
    "400": "The body is not JSON, or a value has the wrong type; or the upstream's own refusal",
    "401": "There is no good API key",
    "403": "This API key may not do that",
    "404": "The model, or the request, is not known",
    "408": "The body did not arrive in time",
    "413": "The body is too large",
    "415": "The body is not sent as JSON",
    "429": "Too many requests, here or upstream, or a budget is used up; Retry-After says for how long",
    "500": "The proxy failed",
    "502": "No model answered; the message tells each attempt",
    "503": "No model may be asked now, or the proxy is overloaded, being stopped, or without its database",
    "504": "No model answered in time; or the request says only-if-cached, and nothing is stored",
}
_ROUTED = {
    "x-tierwise-request-id": "names the request, for the ledger and for feedback",
    "x-tierwise-tier": "the tier that was settled on",
    "x-tierwise-model": "the model that answers",
    "x-tierwise-risk": "the probability that a higher tier is needed, in [0, 1]",
    "x-tierwise-reasons": "why, percent-encoded where it is not plain ASCII",
    "x-tierwise-chosen-by": "policy, caller, floor, session, budget or classifier failed",
    "x-tierwise-session": "the conversation that the request was taken for",
    "x-tierwise-break-glass": "1 where a direct provider answers, because the aggregator cannot be reached",
    "x-tierwise-attempts": "how many models were asked",
    "x-tierwise-cost-usd": "US dollars; not on streams",
    "x-tierwise-max-tokens": "the limit that was put into the request, where a budget governs it",
    "cache-status": "whether a cache answered, or why not (RFC 9211); of requests that take part in it",
    "age": "seconds since a stored answer was given (RFC 9111)",
    "cache-control": "for how many seconds a stored answer is fresh",
}
_CACHE_CONTROL = {
    "name": "cache-control",
    "in": "header",
    "required": False,
    "description": "what is asked of the cache (RFC 9111): max-age=60 takes an answer of the last minute and"
    " lets this one be stored; no-store, no-cache, min-fresh, max-stale and only-if-cached hold too",
    "schema": {"type": "string"},
}


def document() -> dict[str, Any]:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tierwise",
            "version": "1",
            "description": "OpenAI-compatible: each prompt is answered by the cheapest tier that will do.",
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": _ERROR},
        },
        "security": [{"key": []}, {}],
        "paths": {
            "/v1/chat/completions": {
                "post": _asks("A chat completion, whole or streamed", _CHAT, routed=True)
            },
            "/v1/responses": {"post": _asks("A response, whole or streamed", _RESPONSES, routed=True)},
            "/v1/embeddings": {"post": _asks("Embeddings, of a model by name", _EMBEDDINGS, routed=True)},
            "/v1/route": {"post": _asks("What would be decided, and why", _ROUTE)},
            "/v1/feedback": {"post": _asks("What a user thought of an answer", _FEEDBACK)},
            "/v1/models": {"get": _gets("auto, the tiers, and the upstream's models")},
            "/v1/status": {
                "get": _gets("How the proxy fares: alarms, circuits, budgets, the last reload", _STATUS)
            },
            "/v1/overview": {
                "get": _gets(
                    "The day at a glance, the last decisions, and how the proxy fares",
                    overview_schema(_STATUS),
                )
            },
            "/v1/model": {"get": _model()},
            "/metrics": {"get": _metrics()},
            "/healthz": {"get": _gets("Whether the proxy takes requests", _HEALTH)},
        },
    }


def _asks(summary: str, schema: dict[str, Any], *, routed: bool = False) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    if routed:
        content["text/event-stream"] = {}
    headers = {name: {"description": told, "schema": {"type": "string"}} for name, told in _ROUTED.items()}
    answer = {"description": "The answer, as the upstream sent it" if routed else "The answer"}
    return {
        "summary": summary,
        **({"parameters": [_CACHE_CONTROL]} if routed else {}),
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {
            "200": {**answer, "content": content, **({"headers": headers} if routed else {})},
            **{status: _refusal(told) for status, told in _OURS.items()},
        },
    }


def _gets(summary: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    content = {"application/json": {"schema": schema or {"type": "object"}}}
    refusals = {status: _refusal(_OURS[status]) for status in ("401", "403", "429", "503")}
    return {
        "summary": summary,
        "responses": {"200": {"description": "The answer", "content": content}, **refusals},
    }


def _refusal(told: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": told, "content": {"application/json": {"schema": schema}}}


def _model() -> dict[str, Any]:
    refusals = {status: _refusal(_OURS[status]) for status in ("401", "403", "429", "503")}
    return {
        "summary": "The bytes of the model file that decides",
        "responses": {
            "200": {"description": "The file", "content": {"application/octet-stream": {"schema": {}}}},
            "304": {"description": "It is the one that If-None-Match names"},
            "404": _refusal("No model file decides now"),
            **refusals,
        },
    }


def _metrics() -> dict[str, Any]:
    content = {
        name: {"schema": {"type": "string"}} for name in ("text/plain", "application/openmetrics-text")
    }
    refusals = {status: _refusal(_OURS[status]) for status in ("401", "403", "429", "503")}
    off = {"404": _refusal("Metrics are switched off")}
    return {
        "summary": "Counts, distributions and states, for Prometheus",
        "responses": {"200": {"description": "The metrics", "content": content}, **off, **refusals},
    }

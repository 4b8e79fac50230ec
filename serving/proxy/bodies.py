"""Bodies of requests: read strictly enough that what is forwarded is what was meant."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from serving.proxy.errors import ProxyError, bad_request
from serving.selection import AUTO
from serving.spending.bounds import LIMITS

__all__ = ["check_counts", "messages_in", "model_in", "read_object", "streams"]

_LONGEST_NAME = 300


def read_object(data: bytes) -> dict[str, Any]:
    """Return a body as a JSON object.

    Raises:
        ProxyError: it is none, is not JSON, or holds a number that JSON cannot hold.
    """
    try:
        body = json.loads(data, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError as error:
        raise bad_request("the body is nested too deeply", code="invalid_json") from error
    except ValueError as error:  # UnicodeDecodeError is one
        raise bad_request(f"the body is not JSON: {error}", code="invalid_json") from error
    if not isinstance(body, dict):
        raise bad_request(f"the body must be a JSON object, not {_kind(body)}", code="invalid_json")
    return body


def model_in(body: Mapping[str, Any]) -> str:
    """Return the model that a body names, "auto" where it names none.

    Raises:
        ProxyError: it is no name.
    """
    model = body.get("model", AUTO)
    if not isinstance(model, str):
        raise _wrong("model", "a text", model)
    if not model or len(model) > _LONGEST_NAME or not model.isprintable() or " " in model:
        raise bad_request(
            f"'model' is no name: give auto, a tier or a model's name, not {model[:80]!r}", "model"
        )
    return model


def messages_in(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the messages of a chat.

    Raises:
        ProxyError: there are none, or one is no object with a role.
    """
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise _wrong("messages", "a list", messages)
    if not messages:
        raise bad_request("'messages' must hold at least one message", "messages")
    for number, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise bad_request(f"messages[{number}] must be an object with a 'role'", "messages")
    return messages


def streams(body: Mapping[str, Any]) -> bool:
    """Return whether a stream is asked for.

    Raises:
        ProxyError: `stream`, or `stream_options`, has a wrong type.
    """
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise _wrong("stream", "true or false", stream)
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise _wrong("stream_options", "an object", options)
    return bool(stream)


def check_counts(body: Mapping[str, Any]) -> None:
    """Check the counts that bound what a call can cost.

    Raises:
        ProxyError: one of them is no whole number above 0.
    """
    for name in ("n", *LIMITS):
        count = body.get(name)
        if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
            raise _wrong(name, "a whole number above 0", count)


def _wrong(name: str, wanted: str, given: Any) -> ProxyError:
    return bad_request(f"'{name}' must be {wanted}, not {_kind(given)}", name, "invalid_type")


def _kind(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool() | int() | float():
            return f"{json.dumps(value)}"[:40]
        case str():
            return "a text"
        case list():
            return "a list"
    return "an object"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large")
    return number

"""The prompt of a request of the responses API, as the messages that a chat would hold."""

from collections.abc import Mapping, Sequence
from typing import Any

from serving.proxy.errors import bad_request

__all__ = ["as_messages"]

_TEXTS = ("input_text", "output_text", "text")


def as_messages(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return `instructions` and `input` as chat messages; what is neither text nor picture is left out.

    Raises:
        ProxyError: `input` is neither a text nor a list of objects.

    >>> as_messages({"instructions": "Be brief.", "input": "Hello"})
    [{'role': 'system', 'content': 'Be brief.'}, {'role': 'user', 'content': 'Hello'}]
    """
    given = body.get("input")
    instructions = body.get("instructions")
    system = [{"role": "system", "content": instructions}] if isinstance(instructions, str) else []
    if isinstance(given, str):
        return [*system, {"role": "user", "content": given}]
    if given is None:
        return system
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise bad_request("'input' must be a text, or a list of objects", "input", "invalid_type")
    return [*system, *(message for item in given if (message := _message(item)) is not None)]


def _message(item: Mapping[str, Any]) -> dict[str, Any] | None:
    match item:
        case {"role": str() as role, "content": str() as text}:
            return {"role": role, "content": text}
        case {"role": str() as role, "content": list() as parts}:
            return {"role": role, "content": [_part(each) for each in parts if isinstance(each, dict)]}
        case {"type": "function_call_output", "output": str() as output}:
            return {"role": "tool", "content": output}
        case {"type": "function_call", "name": str() as name, "arguments": str() as arguments}:
            call = {"type": "function", "function": {"name": name, "arguments": arguments}}
            return {"role": "assistant", "content": None, "tool_calls": [call]}
    return None


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    if part.get("type") in _TEXTS:
        return {"type": "text", "text": part.get("text")}
    return {"type": "image_url"}

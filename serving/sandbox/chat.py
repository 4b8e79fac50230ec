"""From the body of a chat request to the simulated reply."""

import json
from collections.abc import Iterable, Mapping

from serving.sandbox.answers import count_tokens, fingerprint, pieces, simulated_answer
from serving.sandbox.grades import simulated_grades
from serving.sandbox.instances import minimal_json
from serving.sandbox.refusals import bad_request
from serving.sandbox.replies import Choice, Reply

Body = Mapping[str, object]

_MOST_CHOICES = 16
_TOKENS_PER_MESSAGE = 4
_TOKENS_PER_PART = 85  # an image or a sound; its bytes are never read


def chat_reply(body: Body, now: float) -> Reply:
    """Return the reply to a chat request.

    Args:
        body: the request's JSON object.
        now: seconds since the epoch.

    Raises:
        RefusedError: the request has no model or no messages, or a value of the wrong type (400).
    """
    model = model_of(body)
    messages = _messages(body)
    prompt = _last_ask(messages)
    choices = tuple(_choice(body, model, prompt, variant) for variant in range(_count(body)))
    return Reply(
        id=f"chatcmpl-{fingerprint(model + prompt)[:12].hex()}",
        created=int(now),
        model=model,
        choices=choices,
        prompt_tokens=sum(_TOKENS_PER_MESSAGE + _tokens(message.get("content")) for message in messages),
    )


def model_of(body: Body) -> str:
    """Return the model that a request names, or refuse the request."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise bad_request("you must provide a model parameter")
    return model


def wants_stream(body: Body) -> bool:
    """Tell whether the request asks for a stream."""
    return body.get("stream") is True


def wants_usage(body: Body) -> bool:
    """Tell whether the stream is to end with its usage."""
    options = body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _messages(body: Body) -> list[Mapping[str, object]]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise bad_request("'messages' must be a list with at least one message")
    if not all(isinstance(message, dict) and isinstance(message.get("role"), str) for message in messages):
        raise bad_request("every message must be an object with a 'role'")
    return messages


def _last_ask(messages: Iterable[Mapping[str, object]]) -> str:
    asks = [_text(message.get("content")) for message in messages if message["role"] == "user"]
    return asks[-1] if asks else ""


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    return " ".join(part["text"] for part in parts if _is_text(part))


def _is_text(part: object) -> bool:
    return isinstance(part, dict) and isinstance(part.get("text"), str)


def _tokens(content: object) -> int:
    others = sum(1 for part in content if not _is_text(part)) if isinstance(content, list) else 0
    return count_tokens(_text(content)) + others * _TOKENS_PER_PART


def _count(body: Body) -> int:
    count = body.get("n")
    if count is None:
        return 1
    if not isinstance(count, int) or not 1 <= count <= _MOST_CHOICES:
        raise bad_request(f"'n' must be a whole number from 1 to {_MOST_CHOICES}")
    return count


def _choice(body: Body, model: str, prompt: str, variant: int) -> Choice:
    called = _forced_function(body)
    if called is not None:
        arguments = minimal_json(called.get("parameters"))
        return Choice(pieces(arguments), tool=str(called.get("name")), finish="tool_calls")
    tokens = pieces(_structured(body, prompt) or simulated_answer(model, prompt, variant))
    most = _limit(body)
    if most is None or len(tokens) <= most:
        return Choice(tokens)
    return Choice(tokens[:most], finish="length")


def _limit(body: Body) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        value = body.get(name)
        if value is None:
            continue
        if not isinstance(value, int) or value < 1:
            raise bad_request(f"'{name}' must be a whole number above 0")
        return value
    return None


def _forced_function(body: Body) -> Mapping[str, object] | None:
    """Return the function that `tool_choice` forces: the named one, or the first if any will do."""
    choice = body.get("tool_choice")
    functions = _functions(body.get("tools"))
    if choice == "required" and functions:
        return functions[0]
    if not isinstance(choice, dict):
        return None
    wanted = choice.get("function")
    name = wanted.get("name") if isinstance(wanted, dict) else None
    for function in functions:
        if function.get("name") == name:
            return function
    raise bad_request(f"'tool_choice' names the function {name!r}, which is not among the tools")


def _functions(tools: object) -> list[Mapping[str, object]]:
    given = (
        [tool.get("function") for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    )
    return [function for function in given if isinstance(function, dict)]


def _structured(body: Body, prompt: str) -> str | None:
    wanted = body.get("response_format")
    if not isinstance(wanted, dict):
        return None
    if wanted.get("type") == "json_object":
        return json.dumps({"simulated": True})
    if wanted.get("type") != "json_schema":
        return None
    described = wanted.get("json_schema")
    if not isinstance(described, dict) or not isinstance(described.get("schema"), dict):
        raise bad_request("'response_format' of type json_schema needs json_schema.schema, an object")
    return minimal_json(described["schema"], simulated_grades(prompt))

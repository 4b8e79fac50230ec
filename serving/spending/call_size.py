"""How dear a call is likely to be against a usual one, told from its prompt alone."""

from collections.abc import Mapping, Sequence

__all__ = ["call_size", "prompt_characters", "size_of"]

_USUAL_PROMPT = 600.0  # tokens
_USUAL_ANSWER = 600.0  # tokens
_CHARACTERS = 4.0  # to a token


def call_size(prompt_tokens: float) -> float:
    """Return how many times as dear as a usual call one is likely to be; one price for all tokens.

    The answer is not known beforehand and taken as a usual one, so that even an empty prompt has a size.

    >>> call_size(600), call_size(0), call_size(5400)
    (1.0, 0.5, 5.0)
    """
    return (prompt_tokens + _USUAL_ANSWER) / (_USUAL_PROMPT + _USUAL_ANSWER)


def size_of(prompt: str | Sequence[object]) -> float:
    """Return the size of a call with a prompt, or with OpenAI messages; pictures and tools do not count.

    >>> size_of("Why?" * 600), size_of([{"role": "user", "content": "Why?" * 600}])
    (1.0, 1.0)
    """
    return call_size(prompt_characters(prompt) / _CHARACTERS)


def prompt_characters(prompt: str | Sequence[object]) -> int:
    """Return how many characters the texts of a prompt have."""
    if isinstance(prompt, str):
        return len(prompt)
    return sum(map(_content_characters, prompt))


def _content_characters(message: object) -> int:
    content = message.get("content") if isinstance(message, Mapping) else None
    if isinstance(content, str):
        return len(content)
    parts = content if isinstance(content, list) else ()
    texts = (part.get("text") for part in parts if isinstance(part, Mapping))
    return sum(len(text) for text in texts if isinstance(text, str))

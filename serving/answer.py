"""The short way to ask: a prompt in, a text out, with everything else still at hand."""

from dataclasses import dataclass, field
from typing import Any

from serving.routing import Routing, routing_of
from serving.upstream import ChatCompletion

__all__ = ["Answer", "answer_of", "as_messages"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question; `str(answer)` is its text.

    Attributes:
        text: what the model said; empty if it said nothing, as when it called a tool.
        routing: the record of the call.
        completion: the SDK's own object.
    """

    text: str
    routing: Routing
    completion: ChatCompletion = field(repr=False)

    def __str__(self) -> str:
        return self.text


def as_messages(prompt: str, system: str | None) -> list[Any]:
    """Return a prompt, and a system prompt where there is one, as OpenAI messages."""
    asked = {"role": "user", "content": prompt}
    return [asked] if system is None else [{"role": "system", "content": system}, asked]


def answer_of(completion: ChatCompletion) -> Answer:
    """Return a completion as an answer."""
    message = completion.choices[0].message
    return Answer(message.content or message.refusal or "", routing_of(completion), completion)

"""Read a prompt: a string, or a conversation as OpenAI messages.

What is judged are the human's own turns. Everything else in a conversation (system prompts, injected blocks,
the assistant's turns, tool results, pictures, sound) enters only as a count; its content is never looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from classifier.errors import PromptError
from classifier.injected import strip_injected

__all__ = ["Prompt", "Reading", "read"]

Prompt = str | Sequence[object]
"""A string, or a sequence of OpenAI messages (mappings, or objects with `role` and `content`)."""

_TEXT_PARTS = frozenset({"text", "input_text", "output_text"})
_IMAGE_PARTS = frozenset({"image_url", "input_image", "image"})
_AUDIO_PARTS = frozenset({"input_audio", "audio"})
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What a prompt holds, as far as routing cares.

    Attributes:
        turns: the human's turns without injected blocks, oldest first; at least one, possibly empty text.
        system_characters: characters of system and developer messages.
        assistant_characters: characters of the assistant's last message.
        assistant_turns: how many messages the assistant sent.
        tool_results: how many tool results came back.
        ends_with_tool: whether a tool result is the last message, so that no human is waiting for a reply.
        injected_blocks: how many injected blocks were cut out of the human's turns.
        images: how many pictures the human attached; their bytes are not read.
        audios: how many sound clips; likewise.
        files: how many other attachments; likewise.
    """

    turns: tuple[str, ...]
    system_characters: int = 0
    assistant_characters: int = 0
    assistant_turns: int = 0
    tool_results: int = 0
    ends_with_tool: bool = False
    injected_blocks: int = 0
    images: int = 0
    audios: int = 0
    files: int = 0

    @property
    def is_conversation(self) -> bool:
        """Whether more than one human turn, or a tool result, has to be weighed."""
        return len(self.turns) > 1 or self.tool_results > 0


@dataclass(frozen=True, slots=True)
class _Content:
    """The content of one message: its text, and how many parts of other kinds stand beside it."""

    text: str
    images: int = 0
    audios: int = 0
    files: int = 0

    @property
    def has_attachment(self) -> bool:
        """Whether anything but text is there."""
        return self.images + self.audios + self.files > 0


def read(prompt: Prompt) -> Reading:
    """Read a string or OpenAI messages.

    Where no message comes from a human, the last one with text that is not a tool's stands for the ask: some
    callers put everything into the system message.

    Raises:
        PromptError: if `prompt` is neither a string nor a non-empty sequence of messages, naming the message.

    >>> read([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 2?"}]).turns
    ('2 + 2?',)
    """
    if isinstance(prompt, str):
        text, blocks = strip_injected(prompt)
        return Reading((text,), injected_blocks=blocks)
    if isinstance(prompt, bytes | bytearray | Mapping) or not isinstance(prompt, Sequence):
        raise PromptError(f"a prompt is a string or a list of messages, not {type(prompt).__name__}")
    if not prompt:
        raise PromptError("messages is empty: give at least one message, such as {'role': 'user', ...}")
    return _reading([_message(message, number) for number, message in enumerate(prompt, start=1)])


def _reading(messages: list[tuple[str, _Content]]) -> Reading:
    stripped = [(strip_injected(content.text), content) for role, content in messages if role == "user"]
    turns = tuple(text for (text, _), content in stripped if text.strip() or content.has_attachment)
    assistant = [content.text for role, content in messages if role == "assistant"]
    roles = [role for role, _ in messages]
    return Reading(
        turns=turns or (stripped[-1][0][0] if stripped else _ask_without_a_human(messages),),
        system_characters=sum(len(c.text) for role, c in messages if role in ("system", "developer")),
        assistant_characters=len(assistant[-1]) if assistant else 0,
        assistant_turns=len(assistant),
        tool_results=sum(role in ("tool", "function") for role in roles),
        ends_with_tool=roles[-1] in ("tool", "function"),
        injected_blocks=sum(blocks for (_, blocks), _ in stripped),
        images=sum(content.images for _, content in stripped),
        audios=sum(content.audios for _, content in stripped),
        files=sum(content.files for _, content in stripped),
    )


def _ask_without_a_human(messages: list[tuple[str, _Content]]) -> str:
    texts = [content.text for role, content in messages if role in ("system", "developer", "assistant")]
    return next((text for text in reversed(texts) if text.strip()), "")


def _message(message: object, number: int) -> tuple[str, _Content]:
    role, content = _field(message, "role"), _field(message, "content")
    if not isinstance(role, str) or role not in _ROLES:
        known = ", ".join(sorted(_ROLES))
        raise PromptError(f"message {number}: role is {_shown(role)}, but must be one of {known}")
    return role, _content(content, number)


def _field(message: object, name: str) -> object:
    """A message's field; answers of the OpenAI client are appended to histories as objects, not mappings."""
    return message.get(name) if isinstance(message, Mapping) else getattr(message, name, None)


def _content(content: object, number: int) -> _Content:
    if content is None:  # an assistant turn that only calls tools
        return _Content("")
    if isinstance(content, str):
        return _Content(content)
    if not isinstance(content, Sequence) or isinstance(content, bytes | bytearray):
        raise PromptError(
            f"message {number}: content is {_shown(content)}, but must be text or a list of parts"
        )
    kinds = [_kind(part, number, place) for place, part in enumerate(content, start=1)]
    return _Content(
        "\n".join(
            _text(part, number) for part, kind in zip(content, kinds, strict=True) if kind in _TEXT_PARTS
        ),
        images=sum(kind in _IMAGE_PARTS for kind in kinds),
        audios=sum(kind in _AUDIO_PARTS for kind in kinds),
        files=sum(kind not in _TEXT_PARTS | _IMAGE_PARTS | _AUDIO_PARTS | {"refusal"} for kind in kinds),
    )


def _kind(part: object, number: int, place: int) -> str:
    kind = _field(part, "type")
    if not isinstance(kind, str):
        raise PromptError(f"message {number}, part {place}: no type; write {{'type': 'text', 'text': ...}}")
    return kind


def _text(part: object, number: int) -> str:
    text = _field(part, "text")
    if not isinstance(text, str):
        raise PromptError(f"message {number}: the text of a part is {_shown(text)}, but must be a string")
    return text


def _shown(value: object) -> str:
    """A value for an error message: short, and its type where the value itself could be large."""
    return (
        repr(value) if value is None or (isinstance(value, str) and len(value) < 40) else type(value).__name__
    )

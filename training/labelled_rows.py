"""What the cells of one labelled row mean, and what is wrong with them when they mean nothing."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from classifier import TIERS, PromptError, Reading, read
from training.errors import Place, RowError
from training.normal_text import normal_text
from training.table_files import RawRow, Schema

__all__ = [
    "LABELLED_COLUMNS",
    "TIER_NAMES",
    "LabelledRow",
    "Messages",
    "labelled_row",
    "prompt_of",
    "reading_of",
    "shown",
    "word_of",
]

TIER_NAMES: Final = tuple(tier.label for tier in TIERS)
LABELLED_COLUMNS: Final = Schema(
    required=(("tier",), ("prompt", "messages")), optional=("weight", "source", "language", "domain", "id")
)
_MESSAGES_REMEDY: Final = "give a list of OpenAI messages, each with a role and content"

Messages = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """One prompt or conversation with its label.

    Attributes:
        place: Where it was read.
        id: Its name: its own, or `file name:row`.
        prompt: The prompt, or the messages of a conversation.
        text: The normalised text (`normal_text`).
        tier: 0, 1 or 2 in tier order.
        weight: How much it counts, above 0.
        source: The group that cross-validation holds out together; empty when not given.
        language: As given, trimmed; empty when not given.
        domain: As given, trimmed; empty when not given.
        characters: Length of the human's turns.
    """

    place: Place
    id: str
    prompt: str | Messages
    text: str
    tier: int
    weight: float
    source: str
    language: str
    domain: str
    characters: int


def labelled_row(raw: RawRow) -> LabelledRow:
    """Read the cells of one row.

    Raises:
        RowError: A cell is not what it has to be; the first such cell is named.
    """
    prompt = prompt_of(raw)
    reading = reading_of(raw, prompt)
    place = raw.place
    return LabelledRow(
        place=place,
        id=word_of(raw, "id") or f"{place.file.name}:{place.row}",
        prompt=prompt,
        text=normal_text(prompt),
        tier=_tier(raw),
        weight=_weight(raw),
        source=word_of(raw, "source"),
        language=word_of(raw, "language"),
        domain=word_of(raw, "domain"),
        characters=sum(len(turn) for turn in reading.turns),
    )


def _tier(raw: RawRow) -> int:
    value = raw.cells.get("tier")
    name = value.strip() if isinstance(value, str) else value
    if name not in TIER_NAMES:
        given = "no tier" if value is None or value == "" else f"unknown tier {shown(value)}"
        raise RowError(raw.place, "tier", f"{given}; write cheap, balanced or premium in small letters")
    return TIER_NAMES.index(str(name))


def prompt_of(raw: RawRow) -> str | Messages:
    """Return the text of `prompt`, or the list in `messages`, whichever is filled.

    Raises:
        RowError: Neither or both are, or it is no prompt.
    """
    filled = [name for name in ("prompt", "messages") if raw.cells.get(name) not in (None, "")]
    if len(filled) == 2:
        raise RowError(raw.place, "messages", "both 'prompt' and 'messages' are filled; keep one of them")
    if not filled:
        raise RowError(raw.place, _first_of(raw, "prompt", "messages"), "empty; give the prompt's text")
    return _text(raw) if filled == ["prompt"] else _messages(raw)


def _first_of(raw: RawRow, *names: str) -> str:
    return next((name for name in names if name in raw.cells), names[0])


def _text(raw: RawRow) -> str:
    value = raw.cells["prompt"]
    if not isinstance(value, str):
        problem = f"{shown(value)} is {_kind(value)}; a prompt is text (in JSON: in quotation marks)"
        raise RowError(raw.place, "prompt", problem)
    if not value.strip():
        raise RowError(raw.place, "prompt", "only white space; give the prompt's text")
    _refuse_surrogates(raw.place, "prompt", value)
    return value


def _messages(raw: RawRow) -> Messages:
    value = raw.cells["messages"]
    given = _parsed(raw.place, value) if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(message, Mapping) for message in given):
        raise RowError(raw.place, "messages", f"{shown(given)} is no list of messages; {_MESSAGES_REMEDY}")
    messages: Messages = _without_nulls(given)
    _refuse_surrogates(raw.place, "messages", json.dumps(messages, ensure_ascii=False, default=str))
    return messages


def _parsed(place: Place, text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RowError(place, "messages", f"broken JSON: {error}; {_MESSAGES_REMEDY}") from error


def _without_nulls(value: Any) -> Any:
    """Drop what a Parquet struct fills in for the fields that only other messages have."""
    if isinstance(value, Mapping):
        return {name: _without_nulls(field) for name, field in value.items() if field is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _refuse_surrogates(place: Place, column: str, text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        found = f"a lone surrogate (U+{ord(text[error.start]):04X}) near character {error.start + 1}"
        problem = f"{found} is half of a character; remove it or write both halves"
        raise RowError(place, column, problem) from error


def _weight(raw: RawRow) -> float:
    value = raw.cells.get("weight")
    if value is None or value == "":
        return 1.0
    try:
        weight = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        weight = math.nan
    if not (math.isfinite(weight) and weight > 0):
        problem = f"{shown(value)} is no weight; give a number above 0, such as 1 or 0.2"
        raise RowError(raw.place, "weight", problem)
    return weight


def word_of(raw: RawRow, column: str) -> str:
    """Return a cell's text, trimmed; empty when there is none.

    Raises:
        RowError: It is neither text nor a whole number.
    """
    value = raw.cells.get(column)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RowError(raw.place, column, f"{shown(value)} is {_kind(value)}; give text, or leave it out")
    word = str(value).strip()
    _refuse_surrogates(raw.place, column, word)
    return word


def reading_of(raw: RawRow, prompt: str | Messages) -> Reading:
    """Read the prompt of a row as the classifier will.

    Raises:
        RowError: It is no conversation, or nobody asks anything in it.
    """
    try:
        reading = read(prompt)
    except PromptError as error:
        raise RowError(raw.place, "messages", str(error)) from error
    said = any(turn.strip() for turn in reading.turns)
    if not (said or reading.images or reading.audios or reading.files):
        column = "prompt" if isinstance(prompt, str) else "messages"
        raise RowError(raw.place, column, "nobody asks anything in it; give a prompt with text of its own")
    return reading


def shown(value: object) -> str:
    """Return `value` short enough for a message, and safe to print."""
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= 60 else f"{text[:56]} ..."


def _kind(value: object) -> str:
    kinds: dict[type, str] = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "an object",
    }
    return kinds.get(type(value), "nothing" if value is None else f"a {type(value).__name__}")

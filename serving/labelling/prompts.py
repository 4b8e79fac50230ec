"""The prompts to label: JSON Lines, CSV or text, each prompt once, known by the digest of its content."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from classifier import Prompt
from serving.demo_prompts import PromptsFileError, prompt_of, prompts_text, row_of

__all__ = ["PromptToLabel", "read_prompts_to_label", "sound"]

_LARGEST_FILE = 256 * 2**20
_LONGEST_PROMPT = 200_000
_PASSED_THROUGH = ("source", "language", "domain")


@dataclass(frozen=True, slots=True)
class PromptToLabel:
    """A prompt to label.

    Attributes:
        prompt: a string, or OpenAI messages whose contents are text.
        digest: SHA-256 of the prompt, by which the journal knows it.
        id: from the file, or the beginning of the digest.
        about: what the file says of its `source`, `language` and `domain`.
    """

    prompt: Prompt
    digest: str
    id: str
    about: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, prompt: Prompt, row: Mapping[str, object] | None = None) -> "PromptToLabel":
        """Return a prompt with what its row of the file says about it."""
        clean = _sound_all(prompt)
        canonical = json.dumps(clean, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(canonical.encode("ascii")).hexdigest()
        given = row or {}
        name = next((given[key] for key in ("id", "prompt_id") if given.get(key) not in (None, "")), None)
        about = {key: given[key] for key in _PASSED_THROUGH if given.get(key) not in (None, "")}
        return cls(clean, digest, digest[:16] if name is None else str(name), about)

    @property
    def messages(self) -> list[Any]:
        """The prompt as OpenAI messages."""
        if isinstance(self.prompt, str):
            return [{"role": "user", "content": self.prompt}]
        return list(self.prompt)


def read_prompts_to_label(path: Path, limit: int | None = None) -> tuple[tuple[PromptToLabel, ...], int]:
    """Read the prompts of a file.

    Args:
        path: `.jsonl` or `.ndjson` with `prompt` or `messages` in each object; `.csv` with a `prompt` column;
            any other file is text with one prompt a line. `id`, `source`, `language` and `domain` are kept.
        limit: take the first so many different prompts.

    Returns:
        The prompts, each once, in the order of the file; and how many repetitions were left out.

    Raises:
        PromptsFileError: the file cannot be read or is too large, holds no prompt, or a row is not what it
            should be; the message names the line.
    """
    _check_size(path)
    found: dict[str, PromptToLabel] = {}
    repeated = 0
    for where, prompt, row in _rows(path):
        _check(prompt, where)
        one = PromptToLabel.of(prompt, row)
        repeated += one.digest in found
        if one.digest not in found and (limit is None or len(found) < limit):
            found[one.digest] = one
    if not found:
        raise PromptsFileError(f"{path}: holds no prompt: write one a line")
    return tuple(found.values()), repeated


def sound(text: str) -> str:
    r"""Return a text that can be sent and written: lone surrogates become question marks.

    >>> sound("a\ud800")
    'a?'
    """
    return text.encode("utf-8", "replace").decode("utf-8")


def _sound_all(value: Any) -> Any:
    match value:
        case str():
            return sound(value)
        case Mapping():
            return {sound(str(name)): _sound_all(each) for name, each in value.items()}
        case Sequence():
            return [_sound_all(each) for each in value]
    return value


def _check_size(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError:
        return  # reading it tells what is the matter
    if size > _LARGEST_FILE:
        raise PromptsFileError(
            f"{path}: {size / 2**20:,.0f} MB is more than the {_LARGEST_FILE // 2**20} MB that are read: "
            "label a sample of it"
        )


_Row = tuple[str, Prompt, Mapping[str, object] | None]


def _rows(path: Path) -> Iterator[_Row]:
    text, kind = prompts_text(path), path.suffix.lower()
    if kind == ".csv":
        yield from _csv_rows(text, path)
        return
    for number, line in enumerate(text.split("\n"), start=1):
        where = f"{path}, line {number}"
        if not line.strip():
            continue
        if kind in (".jsonl", ".ndjson"):
            row = row_of(line, where)
            yield where, prompt_of(row, where), row
        else:
            yield where, line.strip(), None


def _csv_rows(text: str, path: Path) -> Iterator[_Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if "prompt" not in (reader.fieldnames or ()):
            raise PromptsFileError(f"{path}, line 1: no column 'prompt' among {reader.fieldnames or []}")
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if None in row or None in row.values():
                raise PromptsFileError(f"{where}: has not as many fields as the header: is a quote missing?")
            yield where, row["prompt"], row
    except csv.Error as error:
        raise PromptsFileError(f"{path}, line {reader.line_num}: not CSV: {error}") from error


def _check(prompt: Prompt, where: str) -> None:
    texts = list(_texts(prompt, where))
    length = sum(map(len, texts))
    if not any(text.strip() for text in texts):
        raise PromptsFileError(f"{where}: the prompt is empty: remove the row")
    if length > _LONGEST_PROMPT:
        raise PromptsFileError(
            f"{where}: a prompt of {length:,} characters: at most {_LONGEST_PROMPT:,} are sent; "
            "remove the row"
        )


def _texts(prompt: Prompt, where: str) -> Iterator[str]:
    if isinstance(prompt, str):
        yield prompt
        return
    messages: Sequence[Any] = prompt
    for message in messages:
        content = message.get("content")
        parts = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
        for part in parts:
            if not (isinstance(part, Mapping) and isinstance(part.get("text"), str)):
                kind = part.get("type") if isinstance(part, Mapping) else type(part).__name__
                raise PromptsFileError(
                    f"{where}: a part of type {kind!r}: only text can be priced and redacted"
                )
            yield part["text"]
        yield json.dumps(message.get("tool_calls") or "")

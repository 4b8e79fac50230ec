"""The prompts that `python -m serving demo` routes: the packaged ones, or a file of the user's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from classifier import ClassifierError, Prompt, read
from serving.errors import ServingError

__all__ = [
    "DemoPrompt",
    "PromptsFileError",
    "packaged_prompts",
    "prompt_of",
    "prompts_text",
    "read_prompts",
    "row_of",
]

_PACKAGED = "demo_prompts.jsonl"


class PromptsFileError(ServingError, ValueError):
    """A file of prompts cannot be read; the message names the file, the line and what would be right."""


@dataclass(frozen=True, slots=True)
class DemoPrompt:
    """A prompt and why it is there.

    Attributes:
        kind: in a few words; empty when the file does not say.
        prompt: a string, or OpenAI messages.
    """

    kind: str
    prompt: Prompt

    @property
    def messages(self) -> list[object]:
        """The prompt as OpenAI messages."""
        if isinstance(self.prompt, str):
            return [{"role": "user", "content": self.prompt}]
        return list(self.prompt)

    @property
    def ask(self) -> str:
        """What the human asked last."""
        return read(self.prompt).turns[-1]


def packaged_prompts() -> tuple[DemoPrompt, ...]:
    """Return a dozen prompts written for the demo, one for each kind that routers tend to get wrong."""
    text = files("serving").joinpath(_PACKAGED).read_text(encoding="utf-8")
    return tuple(_from_json(line, _PACKAGED) for line in text.splitlines())


def read_prompts(path: Path) -> tuple[DemoPrompt, ...]:
    """Read prompts from a file.

    Args:
        path: `.jsonl` or `.ndjson` with an object a line, which holds `prompt` or `messages` (and
            perhaps `kind`); any other file is taken as text with one prompt a line. Empty lines are skipped.

    Raises:
        PromptsFileError: the file cannot be read, a line is not what it should be, or there is no prompt.
    """
    as_json = path.suffix in (".jsonl", ".ndjson")
    lines = enumerate(prompts_text(path).split("\n"), start=1)
    found = [
        _from_json(line, f"{path}, line {number}") if as_json else DemoPrompt("", line.strip())
        for number, line in lines
        if line.strip()
    ]
    if not found:
        raise PromptsFileError(f"{path}: holds no prompt: write one a line")
    return tuple(found)


def prompts_text(path: Path) -> str:
    """Return the text of a file of prompts.

    Raises:
        PromptsFileError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PromptsFileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PromptsFileError(f"{path}: not UTF-8 at byte {error.start}: save the file as UTF-8") from error


def row_of(line: str, where: str) -> Mapping[str, object]:
    """Return a line of JSON as an object.

    Raises:
        PromptsFileError: it is none; the message begins with `where`.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise PromptsFileError(f"{where}: not JSON: {error}") from error
    if not isinstance(row, Mapping):
        raise PromptsFileError(f"{where}: must be an object with either 'prompt' or 'messages'")
    return row


def prompt_of(row: Mapping[str, object], where: str) -> Prompt:
    """Return the prompt that a row holds as `prompt` or as `messages`.

    Raises:
        PromptsFileError: it holds none, both, or something else; the message begins with `where`.
    """
    given = [name for name in ("prompt", "messages") if name in row]
    if len(given) != 1:
        raise PromptsFileError(f"{where}: must be an object with either 'prompt' or 'messages'")
    prompt: Any = row[given[0]]
    if isinstance(prompt, str) != (given[0] == "prompt"):
        raise PromptsFileError(f"{where}: 'prompt' must be a string, 'messages' a list of messages")
    try:
        read(prompt)
    except ClassifierError as error:
        raise PromptsFileError(f"{where}: {error}") from error
    checked: Prompt = prompt
    return checked


def _from_json(line: str, where: str) -> DemoPrompt:
    row = row_of(line, where)
    return DemoPrompt(str(row.get("kind", "")), prompt_of(row, where))

"""Redaction: every text that is to leave the machine goes through one function first, or is not sent."""

import asyncio
import importlib
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from serving.labelling.errors import RedactionError
from serving.labelling.prompts import sound
from serving.wording import fit, one_line

__all__ = ["BUILT_IN", "Redact", "Redactor", "command_redactor", "mask_emails_and_numbers", "named_redactor"]

Redact = Callable[[str], str]

BUILT_IN = "emails-and-numbers"

_EMAIL = re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[\w-]{2,63}")
_NUMBER = re.compile(r"\d(?:[ ().\-/]{0,2}\d){6,}")
_STRUCTURE = frozenset({"role", "type", "id", "tool_call_id"})  # names by which the messages hang together
_COMMAND_SECONDS = 30.0


class Redactor:
    """Reads every text before it is sent; one at a time, in a thread, so that calls under way go on.

    Attributes:
        name: how it was named on the command line; empty when there is none and texts go as they are.
    """

    def __init__(self, name: str = "", redact: Redact | None = None) -> None:
        """Take the function; None lets every text through."""
        self.name = name
        self._redact = redact
        self._turn = asyncio.Lock()

    async def texts(self, texts: Sequence[str]) -> list[str]:
        """Return the texts as they may be sent.

        Raises:
            RedactionError: the function failed, or did not return a text.
        """
        return list(await self._done([*texts]))

    async def messages(self, messages: Sequence[Any]) -> list[Any]:
        """Return OpenAI messages as they may be sent: every text in them redacted, at any depth.

        Raises:
            RedactionError: the function failed, or did not return a text.
        """
        return list(await self._done([*messages]))

    async def _done(self, value: list[Any]) -> Any:
        redact = self._redact
        if redact is None:
            return value
        async with self._turn:
            thread = asyncio.get_running_loop().run_in_executor(None, _redacted, value, redact)
            await asyncio.wait({thread})
        error = thread.exception()  # a hook may raise anything at all
        if error is not None:
            raise RedactionError(
                f"the redactor failed: {fit(one_line(f'{type(error).__name__}: {error}'), 200)}"
            ) from error
        return thread.result()


def named_redactor(name: str) -> Redact:
    """Return the redactor of a name.

    Args:
        name: `emails-and-numbers`, or `module:function` for a function of yours from text to text, which
            is imported from the working directory or the environment.

    Raises:
        RedactionError: there is no such function.
    """
    if name == BUILT_IN:
        return mask_emails_and_numbers
    module, _, attribute = name.partition(":")
    if not (module and attribute):
        raise RedactionError(f"--redact {name!r}: must be {BUILT_IN}, or module:function")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError, SyntaxError) as error:
        raise RedactionError(f"--redact {name!r}: cannot be imported: {error}") from error
    if not callable(found):
        raise RedactionError(f"--redact {name!r}: is no function")
    redact: Redact = found
    return redact


def command_redactor(command: str) -> Redact:
    """Return a redactor that runs a command for each text: text on its standard input, result on its output.

    It fails when the command ends with another code than 0, writes no UTF-8, or takes more than 30 seconds.

    Raises:
        RedactionError: there is no such program.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise RedactionError(f"--redact-command {command!r}: {error}") from error
    if not words or shutil.which(words[0]) is None:
        raise RedactionError(f"--redact-command {command!r}: there is no such program")

    def redact(text: str) -> str:
        done = subprocess.run(  # noqa: S603 - the program is the one that the user named
            words, input=text.encode(), capture_output=True, check=False, timeout=_COMMAND_SECONDS
        )
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace")
            raise RedactionError(f"exit code {done.returncode}: {said}")
        return done.stdout.decode("utf-8")

    return redact


def mask_emails_and_numbers(text: str) -> str:
    """Replace e-mail addresses, and runs of seven or more digits (separators between them), by a word.

    Phone, card and account numbers are such runs; so are dates written in digits, and long numbers that a
    task needs. Names, street addresses, keys and everything else stay: this is no anonymisation.

    >>> mask_emails_and_numbers("Write to ann@example.org or call +44 20 7946 0958 by 9 May.")
    'Write to [email] or call +[number] by 9 May.'
    """
    return _NUMBER.sub("[number]", _EMAIL.sub("[email]", text))


def _redacted(value: Any, redact: Redact) -> Any:
    match value:
        case str():
            return _one(value, redact)
        case Mapping():
            return {
                name: each if name in _STRUCTURE else _redacted(each, redact) for name, each in value.items()
            }
        case list():
            return [_redacted(each, redact) for each in value]
    return value


def _one(text: str, redact: Redact) -> str:
    try:
        redacted: object = redact(text)
    except StopIteration as error:  # which no future can carry
        raise RedactionError("StopIteration") from error
    if not isinstance(redacted, str):
        raise RedactionError(f"returned {type(redacted).__name__} instead of a text")
    return sound(redacted)

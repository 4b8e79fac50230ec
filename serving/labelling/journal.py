"""The journal: every call on disk before it is sent and after it ended, so that nothing is paid for twice.

JSON Lines, append-only, each entry forced to the disk. The first line names the settings; then come `sent`,
`answered` and `failed`. A last line that a crash cut short is dropped: either that call had not gone out yet,
or its `sent` stands above and is charged in full. Answers stand in it in full, prompts by their digest alone.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import filelock

from serving.labelling.errors import JournalError
from serving.labelling.record import Record, Reply, Sent
from serving.labelling.settings import LabelSettings

__all__ = ["Journal", "journal_path"]

_FORMAT = 1
_BEGINNING = b'{"entry":"header"'


def journal_path(out: Path) -> Path:
    """Return where the journal of an output file stands."""
    return out.with_name(f"{out.name}.journal")


class Journal:
    """A journal that this process alone may write; a context manager that lets go of it.

    Attributes:
        path: where it stands.
        record: what its entries come to, always up to date.
    """

    def __init__(self, path: Path, file: BinaryIO, header: Mapping[str, Any], record: Record) -> None:
        """Wrap an open file; use `open`."""
        self.path = path
        self.record = record
        self._file = file
        self._header = header

    @classmethod
    def open(cls, path: Path, settings: LabelSettings) -> Self:
        """Open a journal, or begin one.

        Raises:
            JournalError: it belongs to other settings, is damaged, or another process has it open.
            OSError: it cannot be written.
        """
        header = {"entry": "header", "format": _FORMAT, "settings": settings.identity()}
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        try:
            _lock(path, file)
            return cls(path, file, header, _read(path, file, header))
        except BaseException:
            file.close()
            raise

    def sent(self, sent: Sent) -> int:
        """Note that a call goes out; to be called before it does. Return its number."""
        call = self.record.calls + 1
        self._append({"entry": "sent", "call": call, **_fields(sent)})
        return call

    def answered(self, call: int, reply: Reply) -> None:
        """Note what a call brought."""
        self._append({"entry": "answered", "call": call, "reply": reply.as_dict()})

    def failed(self, call: int, reason: str, charged_usd: float) -> None:
        """Note that a call brought nothing, and what the budget is charged for it."""
        self._append({"entry": "failed", "call": call, "charged_usd": charged_usd, "reason": reason})

    def close(self) -> None:
        """Let go of the file; one that holds no call is removed."""
        if not self.record.calls:
            with suppress(OSError):  # some systems do not remove an open file: an empty one stays
                self.path.unlink()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(self, entry: Mapping[str, Any]) -> None:
        if not self.record.calls:
            _write(self._file, self._header)
        _write(self._file, entry)
        self.record.take(entry)


def _lock(path: Path, file: BinaryIO) -> None:
    """Lock an open file, and see that it still stands at its path: whoever closes an empty one removes it."""
    if not filelock.lock_descriptor(file.fileno(), blocking=False) or not _stands(path, file):
        raise JournalError(
            f"{path}: another process is labelling with this journal: "
            "wait for its end, or choose another --out"
        )


def _stands(path: Path, file: BinaryIO) -> bool:
    return path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))


def _read(path: Path, file: BinaryIO, header: Mapping[str, Any]) -> Record:
    content = file.read()
    first, *rest = content[: content.rfind(b"\n") + 1].splitlines() or [b""]
    if rest:
        _check_settings(path, _settings_in(path, first), header["settings"])
    elif content and not content.startswith(_BEGINNING[: len(content)]):
        raise _foreign(path)
    kept = sum(len(line) + 1 for line in (first, *rest)) if rest else 0  # a header alone binds nobody
    file.truncate(kept)
    file.seek(0, os.SEEK_END)
    record = Record()
    for number, line in enumerate(rest, start=2):
        try:
            record.take(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise JournalError(
                f"{path}, line {number}: damaged: restore the file, or choose another --out to begin anew"
            ) from error
    return record


def _settings_in(path: Path, line: bytes) -> dict[str, Any]:
    try:
        header = json.loads(line)
        if header["entry"] == "header" and header["format"] == _FORMAT:
            return dict(header["settings"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _foreign(path) from error
    raise _foreign(path)


def _foreign(path: Path) -> JournalError:
    return JournalError(f"{path}: not a journal of this version: choose another --out")


def _check_settings(path: Path, found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    wanted = json.loads(json.dumps(expected))
    changed = [
        f"{name} was {found.get(name)!r} and is now {wanted.get(name)!r}"
        for name in {**wanted, **found}
        if found.get(name) != wanted.get(name)
    ]
    if changed:
        raise JournalError(
            f"{path}: was begun with other settings: {'; '.join(changed)}: "
            "keep them to go on, or choose another --out to begin anew"
        )


def _write(file: BinaryIO, entry: Mapping[str, Any]) -> None:
    file.write(json.dumps(entry, separators=(",", ":")).encode("ascii") + b"\n")
    file.flush()
    os.fsync(file.fileno())


def _fields(sent: Sent) -> dict[str, object]:
    return {"prompt": sent.prompt, "step": sent.step, "model": sent.model, "bound_usd": sent.bound_usd}

"""The journal: every call on disk before it is sent and after it ended, so that nothing is paid for twice.

JSON Lines, append-only, each entry forced to the disk. The first line names the settings; then come `sent`,
`answered` and `failed`. A last line that a crash cut short is dropped: either that call had not gone out yet,
or its `sent` stands above and is charged in full. Answers stand in it in full, prompts by their digest alone.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import filelock

from serving.labelling.errors import JournalError
from serving.labelling.record import Record, Reply, Sent
from serving.labelling.settings import LabelSettings

__all__ = ["Journal", "journal_path"]

_FORMAT = 1


def journal_path(out: Path) -> Path:
    """Return where the journal of an output file stands."""
    return out.with_name(f"{out.name}.journal")


class Journal:
    """A journal that this process alone may write; a context manager that lets go of it.

    Attributes:
        path: where it stands.
        record: what its entries come to, always up to date.
    """

    def __init__(self, path: Path, file: BinaryIO, record: Record, lock: filelock.BaseFileLock) -> None:
        """Wrap an open file; use `open`."""
        self.path = path
        self.record = record
        self._file = file
        self._lock = lock

    @classmethod
    def open(cls, path: Path, settings: LabelSettings) -> Self:
        """Open a journal, or begin one.

        Raises:
            JournalError: it belongs to other settings, is damaged, or another process has it open.
            OSError: it cannot be written.
        """
        lock = _locked(path)
        try:
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
            try:
                record = _read(path, file, settings)
            except BaseException:
                file.close()
                raise
        except BaseException:
            lock.release()
            raise
        return cls(path, file, record, lock)

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
        self._file.close()
        if not self.record.calls:
            self.path.unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(self, entry: Mapping[str, Any]) -> None:
        _write(self._file, entry)
        self.record.take(entry)


def _locked(path: Path) -> filelock.BaseFileLock:
    lock = filelock.FileLock(f"{path}.lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise JournalError(
            f"{path}: another process is labelling with this journal: "
            "wait for its end, or choose another --out"
        ) from error
    return lock


def _read(path: Path, file: BinaryIO, settings: LabelSettings) -> Record:
    content = file.read()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        file.truncate(len(whole))
        file.seek(0, os.SEEK_END)
    header = {"entry": "header", "format": _FORMAT, "settings": settings.identity()}
    if not whole:
        _write(file, header)
        return Record()
    first, *rest = whole.splitlines()
    _check_header(path, first, header)
    record = Record()
    for number, line in enumerate(rest, start=2):
        try:
            record.take(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise JournalError(
                f"{path}, line {number}: damaged: restore the file, or choose another --out to begin anew"
            ) from error
    return record


def _check_header(path: Path, line: bytes, expected: Mapping[str, Any]) -> None:
    try:
        found = json.loads(line)
        known = found["entry"] == "header" and found["format"] == _FORMAT
        settings = dict(found["settings"])
    except (ValueError, KeyError, TypeError, RecursionError):
        known = False
    if not known:
        raise JournalError(f"{path}: not a journal of this version: choose another --out")
    wanted = json.loads(json.dumps(expected["settings"]))
    changed = [
        f"{name} was {settings.get(name)!r} and is now {wanted.get(name)!r}"
        for name in wanted | settings
        if settings.get(name) != wanted.get(name)
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

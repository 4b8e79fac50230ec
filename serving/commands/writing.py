"""Files that commands write: refused before the work where they could not be written after it."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from serving.errors import ConfigError

__all__ = ["refuse_unwritable", "streamed"]


def refuse_unwritable(path: Path) -> None:
    """Refuse a file that could not be written.

    Raises:
        ConfigError: saying what is in the way.
    """
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path}: this is no regular file; name one to write")
    if not path.parent.is_dir():
        raise ConfigError(f"{path}: there is no folder {path.parent} to write it in")
    if not os.access(path.parent, os.W_OK):
        raise ConfigError(f"{path}: the folder {path.parent} may not be written to")


@contextmanager
def streamed(path: Path) -> Iterator[IO[str]]:
    """Give a text file to write, whole or not at all, that only its owner may read.

    It is written beside `path` and renamed in the end; where the block raises, the old file stays.

    Raises:
        OSError: the content could not be written; nothing is left behind.
    """
    path = path.resolve()  # a link stays a link
    beside = path.with_name(f".{path.name[:100]}.{os.getpid()}.{threading.get_ident()}")
    try:
        with os.fdopen(
            os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise

"""Write a file whole or not at all."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["whole_file", "write_whole"]


def write_whole(path: Path, content: bytes) -> None:
    """Write a file as `whole_file` does.

    Raises:
        OSError: if the content could not be written; nothing is left behind.
    """
    with whole_file(path) as file:
        file.write(content)


@contextmanager
def whole_file(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Give a file to write beside `path`, renamed in the end: a full disk or a crash leaves the old one.

    Where the block raises, the old file stays too.

    Args:
        path: the file to write.
        mode: who may do what with it, before the process's umask.

    Raises:
        OSError: if the content could not be written; nothing is left behind.
    """
    path = path.resolve()  # a link stays a link
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    beside = path.with_name(f".{path.name[:100]}.{os.getpid()}.{threading.get_ident()}")
    try:
        beside.unlink(missing_ok=True)  # of a process of the same number that was killed
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise

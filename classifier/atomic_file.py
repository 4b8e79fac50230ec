"""Write a file whole or not at all."""

import errno
import os
import threading
from contextlib import suppress
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, content: bytes) -> None:
    """Write beside `path`, then rename, so that a full disk or a crash leaves the old file as it was.

    Raises:
        OSError: if the content could not be written; nothing is left behind.
    """
    path = path.resolve()  # a link stays a link
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    beside = path.with_name(f".{path.name[:100]}.{os.getpid()}.{threading.get_ident()}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise

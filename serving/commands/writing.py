"""Files that commands write: refused before the work where they could not be written after it."""

import os
from pathlib import Path

from serving.errors import ConfigError

__all__ = ["refuse_unwritable"]


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

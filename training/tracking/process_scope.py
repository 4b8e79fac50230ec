"""State that a whole process shares, changed for a while and put back: environment, output, import path.

For libraries that know no other way to be told, or that leave traces. Not for use by several threads at once.
"""

import io
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout

__all__ = ["environment_defaults", "hushed", "import_path_restored"]


@contextmanager
def environment_defaults(
    environ: MutableMapping[str, str], defaults: Mapping[str, str], also_restore: Sequence[str] = ()
) -> Iterator[None]:
    """Set the variables that are not set, and put all of them back as they were.

    Args:
        environ: The environment.
        defaults: Value by name, for names that `environ` lacks.
        also_restore: Further names that the code in between may write to.

    >>> environ = {"RETRIES": "9"}
    >>> with environment_defaults(environ, {"RETRIES": "1", "TIMEOUT": "5"}):
    ...     dict(environ)
    {'RETRIES': '9', 'TIMEOUT': '5'}
    >>> environ
    {'RETRIES': '9'}
    """
    before = {name: environ[name] for name in (*defaults, *also_restore) if name in environ}
    environ.update({**defaults, **before})
    try:
        yield
    finally:
        for name in (*defaults, *also_restore):
            environ.pop(name, None)
        environ.update(before)


@contextmanager
def hushed() -> Iterator[None]:
    """Hold back what is printed or logged to standard output and standard error."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        yield


@contextmanager
def import_path_restored() -> Iterator[None]:
    """Take away again whatever is added to the import path."""
    before = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = before

"""How every command of this project ends: an exit code, and at most one line about what went wrong."""

import os
import sys
from collections.abc import Callable
from io import TextIOWrapper

__all__ = ["EXIT_FAILED", "EXIT_INTERRUPTED", "run_command"]

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130
"""What shells report for a command that Ctrl-C ended."""


def run_command(command: Callable[[], int], expected: tuple[type[Exception], ...]) -> int:
    """Run a command and return its exit code.

    An expected error, or one of the operating system, becomes one line on standard error. A reader that goes
    away (`| head`) ends the command silently. Streams that know few characters replace the others.
    """
    for stream, errors in ((sys.stdin, "surrogateescape"), (sys.stdout, "backslashreplace")):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=errors)
    try:
        code = command()
        sys.stdout.flush()
    except expected as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return EXIT_FAILED
    except OSError as error:
        _drop_output()
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}")
    return code


def _fail(problem: str) -> int:
    print(f"error: {' '.join(problem.split())}", file=sys.stderr)
    return EXIT_FAILED


def _drop_output() -> None:
    """Point standard output at nothing: flushing it again at exit would fail again, loudly."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

"""How every command of this project ends: an exit code, and at most one line about what went wrong."""

import io
import os
import sys
from collections.abc import Callable

__all__ = ["EXIT_FAILED", "EXIT_INTERRUPTED", "complain", "forgive_streams", "run_command"]

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130
"""What shells report for a command that Ctrl-C ended."""


def run_command(command: Callable[[], int], expected: tuple[type[Exception], ...]) -> int:
    """Run a command and return its exit code.

    An expected error, or one of the operating system, becomes one line on standard error. A reader that goes
    away (`| head`) ends the command silently.
    """
    try:
        code = command()
        sys.stdout.flush()
    except expected as error:
        return complain(str(error))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return EXIT_FAILED
    except OSError as error:
        _drop_output()
        where = f"{error.filename}: " if error.filename else ""
        return complain(f"{where}{error.strerror or error}")
    return code


def forgive_streams() -> None:
    """Let no byte that is typed, no character that the terminal lacks, and no closed stream end a command."""
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # the shell closed it: `>&-`
            setattr(sys, name, io.StringIO())
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def complain(problem: str) -> int:
    """Say in one line on standard error what went wrong, and return the exit code for it."""
    print(f"error: {' '.join(problem.split())}", file=sys.stderr)
    return EXIT_FAILED


def _drop_output() -> None:
    """Point standard output at nothing: flushing it again at exit would fail again, loudly."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)

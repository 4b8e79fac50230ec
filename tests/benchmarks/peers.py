"""The peers' own environments under `.bench/`, made on first use, and the timing processes inside them."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from tests.benchmarks.row import Unavailable

__all__ = ["ENVIRONMENTS", "Worker", "environment_python"]

ENVIRONMENTS = Path(".bench")
_REQUIREMENTS = Path(__file__).with_name("requirements")
_INSTALL_SECONDS = 900
_OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}  # keeps litellm's import off the network


def environment_python(name: str, root: Path = ENVIRONMENTS) -> Path:
    """Return the interpreter of a peer's environment, made and filled first where it is not up to date.

    Args:
        name: of a file in `requirements/`, without its ending.
        root: the folder of all environments.

    Raises:
        Unavailable: the packages cannot be had.
    """
    requirements = _REQUIREMENTS / f"{name}.txt"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    folder = (root / name).absolute()
    stamp, python = folder / "installed", folder / "bin" / "python"
    if not stamp.is_file() or stamp.read_text() != wanted:
        _run([sys.executable, "-m", "venv", "--clear", str(folder)], name)
        _run([str(python), "-m", "pip", "install", "--quiet", "--requirement", str(requirements)], name)
        stamp.write_text(wanted)
    return python


def _run(command: Sequence[str], name: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"no environment for {name}: {error}") from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["pip said nothing"]
        lines = [line for line in said if line.startswith("ERROR")] or said
        raise Unavailable(f"{name} could not be installed: {lines[-1]}")


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that answers one JSON line with another; see `tests.benchmarks.workers.protocol`."""

    name: str
    process: subprocess.Popen[str]
    errors: IO[str]

    @classmethod
    def start(cls, name: str, python: Path, module: str, *arguments: str) -> Self:
        """Start `python -m tests.benchmarks.workers.<module>` from the project's root.

        The process reads nothing of ours but that module, so it runs where our packages are not installed.
        """
        return cls.run(name, [str(python), "-m", f"tests.benchmarks.workers.{module}", *arguments])

    @classmethod
    def run(cls, name: str, command: Sequence[str]) -> Self:
        """Start any command that speaks the protocol."""
        errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the worker
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **_OFFLINE},
        )
        return cls(name, process, errors)

    def ask(self, request: Mapping[str, Any]) -> Any:
        """Send a request and return its answer.

        Raises:
            Unavailable: the process ended, or says what it lacks.
        """
        to, back = cast(IO[str], self.process.stdin), cast(IO[str], self.process.stdout)
        with suppress(BrokenPipeError):  # it has ended, and the empty line below tells
            print(json.dumps(request), file=to, flush=True)
        line = back.readline()
        if not line:
            raise Unavailable(f"{self.name} ended: {self._last_words()}")
        return json.loads(line)["answer"]

    def _last_words(self) -> str:
        code = self.process.wait()
        self.errors.seek(0)
        lines = self.errors.read().strip().splitlines()
        return lines[-1] if lines else f"exit code {code}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            with suppress(BrokenPipeError):  # closing flushes what the process never read
                cast(IO[str], stream).close()

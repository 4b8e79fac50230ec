"""Runs to track, and processes of MLflow's own to talk to over HTTP."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path

import pytest

from training.tracking import TrackedRun

START_SECONDS = 90.0
MLFLOW_WARNINGS = [
    # MLflow 3.17 maps its tables with a strategy that SQLAlchemy 2.1 deprecates.
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning"),
    # It compares the columns of an input example with a range, which pandas 3 deprecates.
    pytest.mark.filterwarnings("ignore:Operation with range is deprecated:DeprecationWarning"),
    # It hushes its own remark on its own types in a way that "warnings are errors" goes past.
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]


def a_run(folder: Path, name: str = "first try") -> TrackedRun:
    """Describe a run whose model file and data card stand in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    card = folder / "README.md"
    card.write_text("# Labelled prompts\n", encoding="utf-8")
    model_file = folder / "model.tierwise"
    model_file.write_bytes((resources.files("classifier") / "default.tierwise").read_bytes())
    return TrackedRun(
        name=name,
        parameters={"C": 2.5, "ngrams": "1-2", "minimum_documents": 2},
        metrics={"accuracy": 0.75, "share.cheap↔premium": 0.04},
        data_digest="0123456789abcdef" * 4,
        data_source=folder,
        model_file=model_file,
        data_card=card,
    )


def plain_environment(home: Path) -> dict[str, str]:
    """Return a user's environment: no sign of pytest or CI, which quieten MLflow by themselves."""
    scripts = str(Path(sys.executable).parent)  # `mlflow models serve` looks for uvicorn there
    return {"PATH": os.pathsep.join([scripts, os.environ["PATH"]]), "HOME": str(home)}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def mlflow_process(arguments: Sequence[str], folder: Path, health: str) -> Iterator[Path]:
    """Run `python -m mlflow ...` while the block lasts, which begins once `health` answers.

    Yields the file that its output goes to.
    """
    log = folder / "process.log"
    settings = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  our own interpreter
            [sys.executable, "-m", "mlflow", *arguments],
            cwd=folder,
            env=plain_environment(folder) | settings,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # MLflow starts workers: the group is ours to end
        )
        try:
            _wait(process, health, log)
            yield log
        finally:
            with suppress(ProcessLookupError):  # it may have failed to start
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=20)


def _wait(process: "subprocess.Popen[bytes]", health: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(health, timeout=2):  # noqa: S310  on loopback
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"{health} does not answer: {log.read_text(errors='replace')[-2000:]}")

"""The servers that load is put on, each a process of its own: the upstream, our proxy, LiteLLM's proxy."""

# ruff: noqa: S603 - the only programs started here are our own, and LiteLLM in its environment

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import IO, cast

from serving.state import State
from serving.state.migrate import migrate
from tests.benchmarks.row import Unavailable

__all__ = ["KEYS", "Server", "litellm_proxy", "our_proxy", "straight"]

KEYS = {"GLOBAL_API_KEY": "benchmark", "GLOBAL_API_PRO_KEY": "ga_pro_benchmark"}
_START_SECONDS = 120.0
_QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "LITELLM_LOG": "ERROR",
    "DISABLE_ADMIN_UI": "True",
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",  # as ours on loopback: no key asked for
}
_LITELLM = """\
model_list:
  - model_name: auto
    litellm_params:
      model: openai/canned
      api_base: {upstream}
      api_key: benchmark
litellm_settings:
  telemetry: false
  num_retries: 0
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers.

    Attributes:
        name: for tables.
        url: base URL.
        key: API key; empty for none.
        pid: its id.
    """

    name: str
    url: str
    key: str
    pid: int

    def processor_seconds(self) -> float:
        """Return what it has used so far, in user and system mode; 0 where that cannot be read."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float | None:
        """Return its resident size; None where that cannot be read."""
        try:
            told = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        except OSError:
            return None
        return int(told[1]) / 1e3 if told else None

    def open_files(self) -> int | None:
        """Return how many files and sockets it has open; None where that cannot be read."""
        try:
            return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))
        except OSError:
            return None


@contextmanager
def straight(module: str = "proxy_upstream") -> Iterator[Server]:
    """Start an upstream: a module of `tests.benchmarks` that prints its URL and ends with its input.

    Raises:
        Unavailable: it did not start.
    """
    command = [sys.executable, "-m", f"tests.benchmarks.{module}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = cast(IO[str], process.stdout).readline().strip()
            if not url:
                raise Unavailable("the canned upstream did not start")
            yield Server("straight", url, "", process.pid)
        finally:
            process.kill()


@contextmanager
def our_proxy(
    name: str, folder: Path, upstream: str, *, budget: bool = False, settings: str = ""
) -> Iterator[Server]:
    """Start our proxy on a SQLite file of its own.

    Args:
        name: for tables.
        folder: for its files, made here.
        upstream: base URL.
        budget: whether to give it a key whose dollars govern every call.
        settings: what else stands in its settings file, at the head.

    Raises:
        Unavailable: it did not start.
    """
    folder.mkdir()
    database, config = f"sqlite:///{folder / 'state.db'}", folder / "proxy.toml"
    config.write_text(
        f'base_url = "{upstream}"\n{settings}\n[proxy]\nport = 0\n'
        f'[state]\nurl = "{database}"\njournal = "{folder / "journal"}"\n'
    )
    migrate(database)
    key = ""
    if budget:
        with State.open(database) as state:
            key = state.api_keys.create("benchmark", at=0.0, daily_usd=1e6).secret.reveal()
    command = [sys.executable, "-m", "serving", "serve", "--config", str(config)]
    with _started(command, KEYS, folder / "log") as (process, log):

        def listening() -> str:
            found = re.search(r"listening on (\S+),", log.read_text(errors="replace"))
            return found[1] if found else ""

        yield Server(name, _waited(process, log, listening), key, process.pid)


@contextmanager
def litellm_proxy(python: Path, folder: Path, upstream: str) -> Iterator[Server]:
    """Start LiteLLM's proxy: one worker, no database, no telemetry, one model that is the upstream's.

    Args:
        python: of an environment that has it.
        folder: for its files, made here.
        upstream: base URL.

    Raises:
        Unavailable: it did not start.
    """
    folder.mkdir()
    config, port = folder / "litellm.yaml", _free_port()
    config.write_text(_LITELLM.format(upstream=upstream))
    command = [str(python.with_name("litellm")), "--config", str(config), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--num_workers", "1"]
    with _started(command, _QUIET, folder / "log") as (process, log):

        def answering() -> str:
            with socket.socket() as probe:
                open_there = probe.connect_ex(("127.0.0.1", port)) == 0
            return f"http://127.0.0.1:{port}/v1" if open_there else ""

        yield Server("LiteLLM", _waited(process, log, answering), "", process.pid)


@contextmanager
def _started(
    command: Sequence[str], environ: Mapping[str, str], log: Path
) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, env={**os.environ, **environ}, stdout=output, stderr=output)
    with process:
        try:
            yield process, log
        finally:
            process.kill()


def _waited(process: "subprocess.Popen[bytes]", log: Path, url: Callable[[], str]) -> str:
    for _ in range(round(_START_SECONDS / 0.05)):
        found = url()
        if found:
            return found
        if process.poll() is not None:
            break
        sleep(0.05)
    said = " ".join(log.read_text(errors="replace").split())[-300:]
    raise Unavailable(f"{Path(process.args[0]).name} did not start: {said}")  # type: ignore[index,arg-type]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""`python -m serving serve` as a process: reloads, signals, and what it says at its start."""

# ruff: noqa: S603 - the only programs started here are our own

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import httpx2
import pytest

from serving.sandbox import Delay, Normal, Sandbox
from serving.state import State
from tests.serving.conftest import ASK_CHEAP, ENVIRON
from tests.serving.proxy.conftest import error_of

PATIENCE = 60.0


class Process:
    """A proxy in a process of its own, its output read by a thread."""

    def __init__(self, arguments: list[str], environ: dict[str, str]) -> None:
        command = [sys.executable, "-m", "serving", "serve", *arguments]
        self.popen = subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: Queue[str] = Queue()
        self.said: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self.lines.put(line.rstrip())

    def wait_for(self, pattern: str) -> re.Match[str]:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                self.said.append(self.lines.get(timeout=0.1))
            except Empty:
                assert self.popen.poll() is None, self.said
                continue
            found = re.search(pattern, self.said[-1])
            if found is not None:
                return found
        raise AssertionError(f"{pattern} never came: {self.said}")

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait(PATIENCE)
        self._thread.join(PATIENCE)
        assert self.popen.stdout is not None
        self.popen.stdout.close()

    def end(self) -> int:
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(PATIENCE)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GLOBAL_API_")}
    return {**kept, **ENVIRON, "XDG_DATA_HOME": str(tmp_path / "data")}


@pytest.fixture
def config(upstream: Sandbox, tmp_path: Path) -> Path:
    path = tmp_path / "proxy.toml"
    path.write_text(f'base_url = "{upstream.url}"\n[proxy]\nport = 0\nreload_seconds = 0.2\n')
    return path


@pytest.fixture
def launch(config: Path, model_file: Path, environ: dict[str, str]) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def start(*arguments: str) -> Process:
        usual = ["--config", str(config), "--model-file", str(model_file)]
        started.append(Process([*usual, *arguments], environ))
        return started[-1]

    yield start
    for each in started:
        each.kill()


def url_of(process: Process) -> str:
    return process.wait_for(r"listening on (\S+),")[1]


def ask(url: str, **body: Any) -> httpx2.Response:
    ours = {"model": "auto", "messages": ASK_CHEAP, **body}
    return httpx2.post(f"{url}/chat/completions", json=ours, timeout=PATIENCE, trust_env=False)


def test_a_change_and_a_hangup_reload_all_or_nothing(
    launch: Callable[..., Process], config: Path, upstream: Sandbox
) -> None:
    process = launch()
    url = url_of(process)
    assert any("there are no API keys" in line for line in process.said)
    good = config.read_text()
    upstream.script("*", Delay(1.0, Normal()))
    answers: list[httpx2.Response] = []
    in_flight = threading.Thread(target=lambda: answers.append(ask(url)))
    in_flight.start()
    config.write_text(
        good.replace("[proxy]", '[tiers.cheap]\nmodel = "new/model"\n[prices]\n"new/model" = 0.1\n[proxy]')
    )
    process.wait_for("^reloaded")
    assert ask(url).json()["model"] == "new/model"
    in_flight.join(PATIENCE)
    assert answers[0].status_code == 200
    config.write_text(good + "nonsense = 1\n")
    assert "proxy.nonsense: unknown key" in process.wait_for("^not reloaded.*").string
    assert ask(url).json()["model"] == "new/model"
    config.write_text(good)
    process.wait_for("^reloaded")
    process.popen.send_signal(signal.SIGHUP)
    process.wait_for("^reloaded")
    assert ask(url).json()["model"] == "deepseek-ai/DeepSeek-V4-Flash"
    assert process.end() == 0


def test_the_end_waits_for_requests_in_flight_and_writes_their_rows(
    launch: Callable[..., Process], upstream: Sandbox, environ: dict[str, str]
) -> None:
    process = launch()
    url = url_of(process)
    upstream.script("*", Delay(1.5, Normal()))
    answers: list[httpx2.Response] = []
    in_flight = threading.Thread(target=lambda: answers.append(ask(url)))
    in_flight.start()
    while not upstream.requests:
        time.sleep(0.01)
    process.popen.send_signal(signal.SIGTERM)
    time.sleep(0.4)
    with pytest.raises(httpx2.ConnectError):
        ask(url)
    in_flight.join(PATIENCE)
    assert answers[0].status_code == 200
    assert answers[0].headers["connection"] == "close"
    assert process.popen.wait(PATIENCE) == 0
    with State.open(f"sqlite:///{environ['XDG_DATA_HOME']}/tierwise/state.db") as state:
        assert [row.outcome for row in state.ledger.rows(0, 1e12)] == ["answered"]


def test_keys_of_the_command_are_the_proxy_s(
    launch: Callable[..., Process], environ: dict[str, str], config: Path
) -> None:
    command = [sys.executable, "-m", "serving", "keys", "create", "a team", "--json", "--config", str(config)]
    made = subprocess.run(command, env=environ, capture_output=True, check=True, timeout=PATIENCE)
    secret = json.loads(made.stdout)["secret"]
    url = url_of(launch("--host", "0.0.0.0")).replace("0.0.0.0", "127.0.0.1")  # noqa: S104
    refused = ask(url)
    assert (refused.status_code, error_of(refused)["code"]) == (401, "invalid_api_key")
    headers = {"authorization": f"Bearer {secret}"}
    assert httpx2.get(f"{url}/models", headers=headers, trust_env=False).status_code == 200

"""Lines of the log from real proxies."""

import fcntl
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx2
import pytest

from serving import RouterConfig
from serving.keys import Keys
from serving.observability.lines import LineWriter
from serving.proxy.generation import Generation, Sources
from serving.sandbox import Sandbox
from serving.selection import Predictor
from serving.serve_config import ServeConfig
from tests.serving.conftest import ASK_CHEAP, CHEAP, ENVIRON
from tests.serving.proxy.conftest import PATIENCE, Running, run

Logged = Callable[[LineWriter, str], AbstractContextManager[Running]]
Served = tuple[subprocess.Popen[bytes], str]


@pytest.fixture
def logged(upstream: Sandbox, predictor: Predictor, empty_state: Path, tmp_path: Path) -> Logged:
    """Makes a proxy whose requests leave lines."""

    @contextmanager
    def logged(writer: LineWriter, form: str) -> Iterator[Running]:
        (tmp_path / "state.db").write_bytes(empty_state.read_bytes())
        tables = {
            "proxy": {"port": 0, "log": form, "grace_seconds": 5},
            "state": {"url": f"sqlite:///{tmp_path / 'state.db'}", "journal": str(tmp_path / "journal")},
        }
        router = RouterConfig.from_dict({"base_url": upstream.url})
        keys = Keys.from_environ(ENVIRON)
        generation = Generation.of(ServeConfig.from_dict(tables), router, keys, predictor)
        running = run(Sources(None, None, ENVIRON, {}), generation, ENVIRON, writer)
        try:
            yield running
        finally:
            running.stop()

    return logged


def ask(running: Running) -> httpx2.Response:
    body = {"model": "auto", "messages": ASK_CHEAP}
    headers = {"authorization": "Bearer tw_secret"}
    return httpx2.post(
        f"{running.url}/chat/completions", json=body, headers=headers, timeout=PATIENCE, trust_env=False
    )


def test_each_request_is_a_line_with_its_decision_and_neither_prompt_nor_key(logged: Logged) -> None:
    stream = io.StringIO()
    writer = LineWriter.to(stream, str)
    with logged(writer, "json") as running:
        answered = ask(running)
        httpx2.get(f"{running.url}/status", timeout=PATIENCE, trust_env=False)
    assert writer.close(PATIENCE)
    routed, status = (json.loads(line) for line in stream.getvalue().splitlines())
    assert routed["request_id"] == answered.headers["x-tierwise-request-id"]
    assert (routed["tier"], routed["chosen_by"], routed["model"]) == ("cheap", "policy", CHEAP)
    assert (routed["status"], routed["outcome"], routed["attempts"]) == (200, "answered", 1)
    assert routed["output_tokens"] == answered.json()["usage"]["completion_tokens"]
    assert 0 < routed["routing_seconds"] <= routed["first_token_seconds"] <= routed["seconds"]
    assert status["path"] == "/v1/status"
    assert "France" not in stream.getvalue()
    assert "tw_secret" not in stream.getvalue()


def test_a_stuck_reader_of_the_log_stops_no_traffic(logged: Logged) -> None:
    read, write = os.pipe()
    filler = b"x" * 4096
    os.set_blocking(write, False)
    try:
        while os.write(write, filler):
            pass
    except BlockingIOError:
        os.set_blocking(write, True)
    stream = os.fdopen(write, "w")
    writer = LineWriter.to(stream, str)
    try:
        with logged(writer, "text") as running:
            started = time.monotonic()
            assert [ask(running).status_code for _ in range(5)] == [200] * 5
            assert time.monotonic() - started < PATIENCE
        assert not writer.close(0.1)
    finally:
        os.close(read)
        assert writer.close(PATIENCE)
        stream.close()


@pytest.fixture
def served(
    upstream: Sandbox, model_file: Path, tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The command in a process of its own, whose standard error nobody reads and which holds one page."""
    config = tmp_path / "tierwise.toml"
    config.write_text(f'base_url = "{upstream.url}"\n')
    environ = {**os.environ, **ENVIRON, "XDG_DATA_HOME": str(tmp_path)}
    arguments = [
        "--config",
        str(config),
        "--model-file",
        str(model_file),
        "--port",
        "0",
        "--log-format",
        "json",
    ]
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    popen = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "serving", "serve", *arguments, "--log-format", "json"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=write,
    )
    os.close(write)
    try:
        assert popen.stdout is not None
        said = popen.stdout.readline().decode()
        yield popen, said.split()[2].rstrip(",")
    finally:
        popen.kill()
        popen.wait(PATIENCE)
        if popen.stdout is not None:
            popen.stdout.close()
        os.close(read)


def test_a_command_whose_standard_error_is_stuck_serves_and_ends(served: Served) -> None:
    popen, url = served
    body = {"model": "auto", "messages": ASK_CHEAP}
    with httpx2.Client(timeout=PATIENCE, trust_env=False) as client:  # each leaves some 600 bytes
        answers = [client.post(f"{url}/chat/completions", json=body).status_code for _ in range(30)]
    assert answers == [200] * 30
    popen.terminate()
    assert popen.wait(PATIENCE * 2) == 0

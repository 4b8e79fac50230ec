"""The commands of `python -m serving` as processes: streams, signals, terminals, full disks."""

# ruff: noqa: S603 - the only programs started here are our own

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.sandbox import Sandbox, Silence
from tests.serving.small_model import write_small_model

PATIENCE = 60
PIPE = subprocess.PIPE


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_small_model(tmp_path_factory.mktemp("model") / "small.tierwise"))


@pytest.fixture
def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GLOBAL_API_")}
    return {**kept, "PYTHONIOENCODING": "utf-8"}


@pytest.fixture
def upstream() -> Iterator[Sandbox]:
    with Sandbox.start() as sandbox:
        yield sandbox


def serving(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "serving", *arguments]


def wait_for_a_request(upstream: Sandbox) -> None:
    until = time.monotonic() + PATIENCE
    while not upstream.requests and time.monotonic() < until:
        time.sleep(0.02)
    assert upstream.requests


def test_a_piped_chat_reads_any_bytes(model_file: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        serving("chat", "--sandbox", "--model-file", model_file),
        input=b"caf\xe9 \xff\n",
        env=environment,
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert "caf\ufffd".encode() in done.stdout


def test_ctrl_c_in_an_answer_ends_the_chat_cleanly(
    upstream: Sandbox, model_file: str, environment: dict[str, str], tmp_path: Path
) -> None:
    upstream.script("*", Silence())
    config = tmp_path / "router.toml"
    config.write_text(f'base_url = "{upstream.url}"\n')
    command = serving("chat", "--config", str(config), "--model-file", model_file)
    keys = {"GLOBAL_API_KEY": "ga_1", "GLOBAL_API_PRO_KEY": "ga_pro_1"}
    with subprocess.Popen(command, env=environment | keys, stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b"hello\n")
        process.stdin.flush()
        wait_for_a_request(upstream)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, b"")


def test_ctrl_c_in_the_demo_ends_it_without_a_word(
    upstream: Sandbox, model_file: str, environment: dict[str, str], tmp_path: Path
) -> None:
    upstream.script("*", Silence())
    config = tmp_path / "router.toml"
    config.write_text(f'base_url = "{upstream.url}"\n')
    command = serving("demo", "--config", str(config), "--model-file", model_file)
    keys = {"GLOBAL_API_KEY": "ga_1", "GLOBAL_API_PRO_KEY": "ga_pro_1"}
    with subprocess.Popen(command, env=environment | keys, stdout=PIPE, stderr=PIPE) as process:
        wait_for_a_request(upstream)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (130, b"")


def test_a_chat_at_a_terminal_greets_prompts_and_leaves(model_file: str, environment: dict[str, str]) -> None:
    controller, terminal = pty.openpty()
    command = serving("chat", "--sandbox", "--model-file", model_file)
    with subprocess.Popen(command, env=environment, stdin=terminal, stdout=PIPE, stderr=PIPE) as process:
        os.close(terminal)
        os.write(controller, b"the capital of Peru?\n/quit\n")
        out, err = process.communicate(timeout=PATIENCE)
    os.close(controller)
    assert (process.returncode, err) == (0, b"")
    assert out.startswith(b"Simulated answers: no model is called.\n/new starts a new conversation")
    assert b"> (Simulated answer of" in out


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_the_sandbox_runs_until_it_is_stopped(stop: signal.Signals, environment: dict[str, str]) -> None:
    with subprocess.Popen(serving("sandbox", "--json"), env=environment, stdout=PIPE, stderr=PIPE) as process:
        assert process.stdout is not None
        about = json.loads(process.stdout.readline())
        process.send_signal(stop)
        out, err = process.communicate(timeout=PATIENCE)
    assert about["simulated"] is True
    assert about["url"].startswith("http://127.0.0.1:")
    assert (process.returncode, out, err) == (0, b"", b"")


def test_closed_streams_are_no_error(model_file: str, environment: dict[str, str]) -> None:
    inner = shlex.join(serving("chat", "--sandbox", "--model-file", model_file))
    done = subprocess.run(
        ["/bin/sh", "-c", f"{inner} <&- >&-"],
        env=environment,
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_error(model_file: str, environment: dict[str, str]) -> None:
    command = serving("demo", "--model-file", model_file)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command, env=environment, stdout=full, stderr=PIPE, check=False, timeout=PATIENCE
        )
    assert (done.returncode, done.stderr) == (1, b"error: No space left on device\n")


def test_a_reader_that_leaves_early_is_no_error(model_file: str, environment: dict[str, str]) -> None:
    command = serving("demo", "--model-file", model_file)
    with subprocess.Popen(command, env=environment, stdout=PIPE, stderr=PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
        process.wait(PATIENCE)
    assert (process.returncode, err) == (1, b"")


def test_characters_that_the_terminal_lacks_are_replaced(
    model_file: str, environment: dict[str, str], tmp_path: Path
) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("東京の天気は？\n", encoding="utf-8")
    done = subprocess.run(
        serving("demo", str(prompts), "--model-file", model_file),
        env={**environment, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b" 1 ??????" in done.stdout

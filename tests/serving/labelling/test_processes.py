"""Real processes: killed, interrupted, and two at once; what the next run then asks for and pays."""

# ruff: noqa: S603 - the only programs started here are our own

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from serving import RouterConfig
from serving.labelling.journal import Journal
from serving.labelling.settings import LabelSettings
from serving.sandbox import Latency, Sandbox, Silence
from tests.serving.labelling.conftest import ENVIRON

PATIENCE = 60
PIPE = subprocess.PIPE
PROMPTS = 12


@dataclass
class Desk:
    """A folder with prompts, and a sandbox to send them to."""

    folder: Path
    sandbox: Sandbox

    def command(self, *more: str) -> list[str]:
        usual = ["label", "p.jsonl", "--budget-usd", "5", "--config", "router.toml", "--yes", "--json"]
        return [sys.executable, "-m", "serving", *usual, "--max-tokens", "40", "--judge-twice", "0", *more]

    def start(self, *more: str) -> "subprocess.Popen[bytes]":
        environ = {**os.environ, **ENVIRON}
        return subprocess.Popen(self.command(*more), cwd=self.folder, env=environ, stdout=PIPE, stderr=PIPE)

    def finish(self, *more: str) -> tuple[int, dict[str, Any], str]:
        with self.start(*more) as process:
            out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, json.loads(out), err.decode()

    def wait_for(self, requests: int) -> None:
        until = time.monotonic() + PATIENCE
        while len(self.sandbox.requests) < requests and time.monotonic() < until:
            time.sleep(0.01)
        assert len(self.sandbox.requests) >= requests

    @property
    def entries(self) -> list[dict[str, Any]]:
        content = (self.folder / "p.outcomes.jsonl.journal").read_text(encoding="ascii")
        return [json.loads(line) for line in content.splitlines() if line.endswith("}")]

    def asked(self) -> Counter[str]:
        """How often each question went to each model; the judge's are told apart by what they hold."""
        return Counter(json.dumps(each.body, sort_keys=True) for each in self.sandbox.requests)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    rows = [{"prompt": f"question number {number}?"} for number in range(PROMPTS)]
    (tmp_path / "p.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with Sandbox.start(latency=Latency(first_token=0.03)) as sandbox:
        (tmp_path / "router.toml").write_text(f'base_url = "{sandbox.url}"\n')
        yield Desk(tmp_path, sandbox)


def test_after_kill_9_only_what_was_missing_is_asked_for(desk: Desk) -> None:
    for requests in (9, 24):
        with desk.start() as process:
            desk.wait_for(requests)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=PATIENCE)
        assert process.returncode == -signal.SIGKILL
    kinds = Counter(entry["entry"] for entry in desk.entries)
    orphans = kinds["sent"] - kinds["answered"]
    assert kinds["answered"] >= 16
    asked_before = len(desk.sandbox.requests)

    code, report, _ = desk.finish()
    assert code == 0
    assert report["labelled"] == PROMPTS
    assert len(desk.sandbox.requests) - asked_before == 4 * PROMPTS - kinds["answered"]
    assert sum(count - 1 for count in desk.asked().values()) <= orphans
    rows = (desk.folder / "p.outcomes.jsonl").read_text().splitlines()
    assert len(rows) == len({json.loads(row)["id"] for row in rows}) == PROMPTS

    ended = {entry["call"] for entry in desk.entries if entry["entry"] == "answered"}
    lost = [each for each in desk.entries if each["entry"] == "sent" and each["call"] not in ended]
    lost_usd = sum(each["bound_usd"] for each in lost)
    assert report["charged_at_upper_bound"] == {"calls": orphans, "usd": pytest.approx(lost_usd)}
    settled = sum(each["reply"]["charged_usd"] for each in desk.entries if each["entry"] == "answered")
    assert report["charged_usd"] == pytest.approx(settled + lost_usd)


def test_two_processes_do_not_share_a_journal(desk: Desk) -> None:
    path = desk.folder / "p.outcomes.jsonl.journal"
    settings = LabelSettings.of(RouterConfig(), judge=None, simulated=False)
    with Journal.open(path, settings), desk.start() as second:
        out, err = second.communicate(timeout=PATIENCE)
    assert (second.returncode, out) == (1, b"")
    assert err.decode().count("\n") == 1
    assert "another process is labelling with this journal" in err.decode()
    assert desk.sandbox.requests == ()


def test_ctrl_c_lets_the_calls_under_way_end_and_writes_what_is_done(desk: Desk) -> None:
    with desk.start() as process:
        desk.wait_for(15)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    report = json.loads(out)
    assert process.returncode == 130
    assert "Traceback" not in err.decode()
    assert report["stopped"] == {"why": "interrupted", "reason": "interrupted"}
    assert report["charged_at_upper_bound"]["calls"] == 0
    assert 0 < report["labelled"] < PROMPTS
    assert report["go_on"] == shlex.join(["python", *desk.command()[1:]])
    assert len((desk.folder / "p.outcomes.jsonl").read_text().splitlines()) == report["labelled"]


def test_a_second_ctrl_c_does_not_wait(desk: Desk) -> None:
    desk.sandbox.always("*", Silence())
    with desk.start() as process:
        desk.wait_for(4)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        told = next(line for line in process.stderr if line.startswith(b"stopping"))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert told.startswith(b"stopping: waiting for the calls under way (Ctrl-C again drops them")
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert json.loads(out)["charged_at_upper_bound"]["calls"] == 4

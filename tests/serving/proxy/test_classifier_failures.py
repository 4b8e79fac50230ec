"""A classifier that fails, hangs or has no model: requests are answered, by balanced, and an alarm stands."""

# ruff: noqa: S603 - the only programs started here are our own

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

import classifier
from classifier import Decision, Explanation, Tier, TierPredictor
from serving.errors import ConfigError
from serving.proxy.generation import Sources
from serving.sandbox import Sandbox
from serving.spending.ledger_row import ChosenBy
from tests.serving.conftest import ASK_CHEAP, ASK_PREMIUM, BALANCED, CHEAP, ENVIRON
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running, run
from tests.serving.proxy.test_processes import Process, ask, url_of
from tests.serving.proxy.test_status import ask as ask_of
from tests.serving.proxy.test_status import health_of, status_of

DECISION = Decision(Tier.CHEAP, (0.7, 0.2, 0.1), 0.3, 1.0, "fixed", "0")


class OddError(Exception):
    """Of a kind that nobody has heard of."""


class Custom:
    """A predictor of the caller's, which does as it is told."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def decide(self, _prompt: Sequence[Any], /) -> Decision:
        decision: Decision = self.act()
        return decision

    def explain(self, _prompt: Sequence[Any], /) -> Explanation:
        self.act()
        raise OddError("no words")


def fail(error: BaseException) -> Callable[[], Any]:
    def act() -> Any:
        raise error

    return act


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (fail(ValueError("x")), "ValueError: x"),
        (fail(OddError("x")), "OddError: x"),
        (fail(SystemExit(3)), "SystemExit: 3"),
        (lambda: "cheap", "decide() returned a str and no Decision"),
    ],
    ids=["a known failure", "any other", "an exit", "nonsense"],
)
def test_a_predictor_that_fails_means_balanced_and_an_alarm(
    proxy: MakeProxy, act: Callable[[], Any], words: str
) -> None:
    running = proxy(predictor=Custom(act))
    response = ask_of(running)
    assert response.status_code == 200
    assert response.json()["model"] == BALANCED
    assert words in response.headers["x-tierwise-reasons"]
    assert running.rows()[0].chosen_by is ChosenBy.CLASSIFIER_FAILED
    told = status_of(running)
    assert (told["status"], [each["name"] for each in told["alarms"]]) == ("degraded", ["classifier"])
    assert words in told["alarms"][0]["words"]
    assert health_of(running) == (200, {"status": "degraded"})


def test_an_explanation_that_fails_costs_the_reasons_alone(proxy: MakeProxy) -> None:
    response = ask_of(proxy(predictor=Custom(lambda: DECISION)))
    assert response.json()["model"] == CHEAP
    assert "could not explain itself" in response.headers["x-tierwise-reasons"]


def test_what_would_be_decided_is_told_even_where_nothing_can_be_explained(proxy: MakeProxy) -> None:
    running = proxy(predictor=Custom(lambda: DECISION))
    response = httpx2.post(
        f"{running.url}/route", json={"messages": ASK_CHEAP}, timeout=PATIENCE, trust_env=False
    )
    told = response.json()
    assert (response.status_code, told["tier"], told["explanation"]) == (200, "cheap", None)
    assert "could not explain itself: ClassifierError: OddError: no words" in told["reasons"][0]


class TestAPredictorThatHangs:
    @pytest.fixture
    def gate(self) -> Iterator[threading.Event]:
        gate = threading.Event()
        yield gate
        gate.set()

    @pytest.fixture
    def begun(self) -> list[float]:
        return []

    @pytest.fixture
    def hanging(self, gate: threading.Event, begun: list[float]) -> Custom:
        def act() -> Decision:
            begun.append(time.monotonic())
            gate.wait(PATIENCE)
            return DECISION

        return Custom(act)

    def test_is_waited_for_no_longer_than_configured(self, proxy: MakeProxy, hanging: Custom) -> None:
        running = proxy(predictor=hanging, classifier_seconds=0.2)
        since = time.monotonic()
        response = ask_of(running)
        assert response.json()["model"] == BALANCED
        assert 0.2 <= time.monotonic() - since < PATIENCE / 4
        assert "took more than 0.2 s for 1 messages" in status_of(running)["alarms"][0]["words"]

    def test_holds_neither_the_event_loop_nor_those_who_name_a_tier(
        self, proxy: MakeProxy, hanging: Custom, gate: threading.Event
    ) -> None:
        running = proxy(predictor=hanging, classifier_seconds=PATIENCE)
        waiting = threading.Thread(target=lambda: ask_of(running))
        waiting.start()
        try:
            assert ask_of(running, model="cheap").json()["model"] == CHEAP
            assert waiting.is_alive()
        finally:
            gate.set()
            waiting.join(PATIENCE)

    def test_holds_few_threads_and_then_nobody_waits_for_it(
        self, proxy: MakeProxy, hanging: Custom, gate: threading.Event, begun: list[float]
    ) -> None:
        running = proxy(predictor=hanging, classifier_seconds=0.5)
        for _ in range(4):
            assert ask_of(running).status_code == 200
        time.sleep(0.1)
        since = time.monotonic()
        for _ in range(20):
            assert ask_of(running).json()["model"] == BALANCED
        assert time.monotonic() - since < 20 * 0.5
        assert len(begun) == 4
        assert "all 4 threads hang" in status_of(running)["alarms"][0]["words"]
        gate.set()
        until = time.monotonic() + PATIENCE
        while ask_of(running).json()["model"] != CHEAP:
            assert time.monotonic() < until


def test_a_conversation_of_100_000_turns_is_decided_on_beside_the_event_loop(
    proxy: MakeProxy, upstream: Sandbox
) -> None:
    running = proxy(classifier_seconds=PATIENCE)
    messages = [{"role": "user", "content": f"turn {number}"} for number in range(100_000)] + ASK_PREMIUM
    body = json.dumps({"messages": messages})
    response = httpx2.post(
        f"{running.url}/route",
        content=body,
        headers={"content-type": "application/json"},
        timeout=PATIENCE * 3,
        trust_env=False,
    )
    assert response.json()["tier"] == "premium"
    assert response.json()["reasons"]
    assert not upstream.requests


@pytest.fixture
def config(upstream: Sandbox, empty_state: Path, tmp_path: Path) -> Path:
    path, state = tmp_path / "proxy.toml", tmp_path / "state.db"
    state.write_bytes(empty_state.read_bytes())
    path.write_text(
        f'base_url = "{upstream.url}"\n'
        f'[state]\nurl = "sqlite:///{state}"\njournal = "{tmp_path / "journal"}"\n'
        "[proxy]\nport = 0\nreload_seconds = 0.1\n"
    )
    return path


@pytest.fixture
def from_files(config: Path) -> Iterator[Callable[[Path], Running]]:
    """Starts a proxy of the settings file and a model file, which it watches."""
    with ExitStack() as stack:

        def start(model: Path) -> Running:
            sources = Sources(config, model, ENVIRON, {})
            running = run(sources, sources.load(), ENVIRON)
            stack.callback(running.stop)
            return running

        yield start


def names(running: Running) -> list[str]:
    return [alarm["name"] for alarm in status_of(running)["alarms"]]


def until_said(running: Running, words: str) -> None:
    until = time.monotonic() + PATIENCE
    while not (running.said and words in running.said[-1]):
        assert time.monotonic() < until, running.said
        time.sleep(0.02)


def write(path: Path, *content: bytes) -> None:
    """Replace a file as careful programs do; with no content, leave it as it is."""
    for each in content:
        path.parent.mkdir(exist_ok=True)
        beside = path.with_suffix(".new")
        beside.write_bytes(each)
        beside.replace(path)


@pytest.mark.parametrize(
    "content", [(), (b"",), (b"PK\x03\x04 cut short",)], ids=["missing, with its folder", "empty", "broken"]
)
def test_a_model_file_that_is_no_good_at_the_start_stops_nothing_and_is_taken_up_once_mended(
    from_files: Callable[[Path], Running], model_file: Path, tmp_path: Path, content: tuple[bytes, ...]
) -> None:
    path = tmp_path / "models" / "ours.tierwise"
    write(path, *content)
    running = from_files(path)
    response = ask_of(running)
    assert response.json()["model"] == BALANCED
    assert "ModelFileError: its model file cannot be used" in response.headers["x-tierwise-reasons"]
    told = status_of(running)
    assert (told["model_version"], [each["name"] for each in told["alarms"]]) == (None, ["model file"])
    assert "ours.tierwise" in told["alarms"][0]["words"]
    write(path, model_file.read_bytes())
    until_said(running, "reloaded")
    assert ask_of(running).json()["model"] == CHEAP
    assert names(running) == []


def test_a_model_file_that_breaks_later_leaves_the_old_one_at_work_and_an_alarm_until_mended(
    from_files: Callable[[Path], Running], model_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "ours.tierwise"
    write(path, model_file.read_bytes())
    running = from_files(path)
    write(path, b"broken")
    until_said(running, "not reloaded")
    assert ask_of(running).json()["model"] == CHEAP
    told = status_of(running)
    assert [alarm["name"] for alarm in told["alarms"]] == ["model file"]
    assert told["reload"]["used"] is False
    assert told["model_version"] == TierPredictor.load(model_file).version
    write(path, model_file.read_bytes())
    until_said(running, "reloaded configuration")
    assert names(running) == []


def test_a_configuration_that_is_wrong_later_raises_an_alarm_of_its_own(
    from_files: Callable[[Path], Running], config: Path, model_file: Path
) -> None:
    running = from_files(model_file)
    good = config.read_bytes()
    write(config, good + b"nonsense = 1\n")
    until_said(running, "unknown key")
    assert names(running) == ["configuration"]
    write(config, good)
    until_said(running, "reloaded configuration")
    assert names(running) == []


def test_a_wrong_configuration_refuses_to_start_whatever_the_model_is(config: Path) -> None:
    config.write_text("nonsense = 1\n")
    with pytest.raises(ConfigError, match="nonsense: unknown key"):
        Sources(config, Path("/nowhere"), ENVIRON, {}).load()


def test_a_packaged_model_that_is_missing_is_no_reason_to_stop_either(config: Path, tmp_path: Path) -> None:
    source = Path(classifier.__file__).parent
    copied = tmp_path / "site" / "classifier"
    shutil.copytree(source, copied, ignore=shutil.ignore_patterns("__pycache__"))
    packaged = copied / "default.tierwise"
    packaged.unlink()
    environ = {**os.environ, **ENVIRON, "PYTHONPATH": str(tmp_path / "site"), "PYTHONSAFEPATH": "1"}
    code = (
        "from serving import TierRouter; print(*(each.name for each in TierRouter().core.alarms.standing()))"
    )
    embedded = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=60, check=True
    )
    assert embedded.stdout == "model file\n"
    process = Process(["--config", str(config)], environ)
    try:
        process.wait_for(r"alarm \(model file\): balanced answers until it is mended: .*default\.tierwise")
        url = url_of(process)
        assert ask(url).json()["model"] == BALANCED
        shutil.copyfile(source / "default.tierwise", packaged)
        process.wait_for("^reloaded")
        assert ask(url).json()["model"] == CHEAP
    finally:
        process.kill()

"""`promote`, `rollback` and `fetch` on a real registry: what they do, write, print and refuse."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from classifier import RiskPolicy, TierPredictor
from classifier.model_file import write_model
from tests.training.registries import BAD, GOOD, SEES_ALL, TWIN, UNREGISTERED, Stock, Store, stock
from tests.training.tracked_runs import MLFLOW_WARNINGS, free_port
from training.champions import move_champion, reign_of
from training.cli import main
from training.errors import PromotionError
from training.promotion_history import Change, dump_changes
from training.tracking import open_registry, tracking_uri

pytestmark = MLFLOW_WARNINGS

Printed = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return stock(tmp_path_factory.mktemp("registry"))


@pytest.fixture
def store(stocked: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Stand in a folder with a store where nobody is champion yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return stocked.copied_to(tmp_path)


@pytest.fixture
def promote(stocked: Stock) -> Callable[..., int]:
    def run(name: str, *options: str) -> int:
        return main(["promote", name, "--data", str(stocked.folder / "eval.jsonl"), *options])

    return run


def error_line(printed: Printed) -> str:
    out, err = printed.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    return line


# --- promote


def test_the_first_champion_is_evaluated_and_the_figures_are_stored(
    stocked: Stock, store: Store, promote: Callable[..., int], capsys: Printed
) -> None:
    assert promote(stocked.run(BAD)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("Promoted: tierwise version 1. There is no champion to beat")
    assert "the first promotion that this evaluation set decides" in out
    assert store.champion() == 1
    tags = store.version(1).tags
    assert (tags["decision"], tags["previous_champion"]) == ("promoted", "none")
    assert json.loads(tags["figures"])["most_probable.accuracy"] > 0.2
    assert re.fullmatch("[0-9a-f]{64}", tags["evaluation_digest"])


def test_a_better_model_takes_over_and_a_worse_one_is_refused(
    stocked: Stock, store: Store, promote: Callable[..., int], capsys: Printed
) -> None:
    promote(stocked.run(BAD))
    assert promote(stocked.results[GOOD].model_uri) == 0  # the URI that `train` prints
    assert store.champion() == 2
    assert store.version(2).tags["previous_champion"] == "1"
    capsys.readouterr()
    assert promote(stocked.uri(BAD)) == 1
    out = capsys.readouterr().out
    assert out.startswith("Refused: tierwise version 1. It is worse: accuracy ")
    assert "promotion number 3 that this evaluation set decides" in out
    assert store.champion() == 2
    refused = store.version(1).tags
    assert (refused["decision"], refused["evaluations_on_this_set"]) == ("refused", "3")
    assert "language en" in refused["fallen"]


def test_a_model_that_is_no_better_is_refused_in_json_too(
    stocked: Stock, store: Store, promote: Callable[..., int], capsys: Printed
) -> None:
    store.crown(2)
    assert promote(stocked.uri(TWIN), "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["decision"], told["previous_champion"]) == ("refused", 2)
    assert told["criterion"]["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert told["evaluation"]["part"] == "all"
    assert store.champion() == 2


def test_another_evaluation_set_has_to_be_asked_for_and_is_written_down(
    stocked: Stock, store: Store, promote: Callable[..., int], tmp_path: Path, capsys: Printed
) -> None:
    promote(stocked.uri(BAD))
    lines = (stocked.folder / "eval.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "other.jsonl").write_text("".join(lines[:-20]), encoding="utf-8")
    capsys.readouterr()
    command = ["promote", stocked.uri(GOOD), "--data", "other.jsonl"]
    assert main(command) == 1
    assert "--new-evaluation-set" in error_line(capsys)
    assert "decision" not in store.version(2).tags
    assert main([*command, "--new-evaluation-set"]) == 0
    assert store.version(2).tags["evaluation_set_replaces"] == store.version(1).tags["evaluation_digest"]
    assert "in place of" in capsys.readouterr().out


def test_two_promotions_at_once_leave_one_champion_that_beat_the_other(
    stocked: Stock, store: Store, promote: Callable[..., int]
) -> None:
    store.crown(1)
    data = str(stocked.folder / "eval.jsonl")
    command = [sys.executable, "-m", "training", "promote", stocked.uri(TWIN), "--data", data]
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # noqa: S603
    ours = promote(stocked.uri(GOOD))
    _, errors = process.communicate(timeout=120)
    assert errors == b""
    assert sorted([ours, process.returncode]) == [0, 1]  # they are equal: who comes second is not better
    assert store.champion() == (2 if ours == 0 else 3)
    counted = store.client.get_registered_model("tierwise").tags
    assert [value for key, value in counted.items() if key.startswith("evaluations_on_this_set")] == ["2"]


def test_an_alias_that_somebody_moved_meanwhile_is_left_alone(store: Store, tmp_path: Path) -> None:
    with open_registry(tracking_uri({}, tmp_path), os.environ) as registry:
        reign = reign_of(registry, "tierwise")
        store.client.set_registered_model_alias("tierwise", "champion", "3")
        with pytest.raises(PromotionError, match="moved from no version to version 3: nothing was changed"):
            move_champion(registry, reign, Change("promoted", "", None, 2))
    assert store.champion() == 3


# --- rollback


def test_rollback_goes_back_step_by_step_and_writes_down_why(
    stocked: Stock, store: Store, promote: Callable[..., int], capsys: Printed
) -> None:
    store.crown(1)
    promote(stocked.uri(GOOD))
    store.crown(4)
    capsys.readouterr()
    assert main(["rollback", "--reason", "a  gut\nfeeling"]) == 0
    out = capsys.readouterr().out
    assert "stands on version 2 again, no longer on version 4. Reason: a gut feeling" in " ".join(out.split())
    assert main(["rollback", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["from"], told["to"], told["further_back"]) == (2, 1, [])
    assert store.champion() == 1
    assert main(["rollback"]) == 1
    assert "no champion before version 1 to go back to" in error_line(capsys)
    left = store.version(4).tags
    assert (left["rolled_back_to"], left["rollback_reason"]) == ("2", "a gut feeling")


def test_what_was_rolled_back_is_not_promoted_again_unasked(
    stocked: Stock, store: Store, promote: Callable[..., int], capsys: Printed
) -> None:
    store.crown(1)
    store.client.set_model_version_tag("tierwise", "2", "rolled_back_at", "yesterday")
    store.client.set_model_version_tag("tierwise", "2", "rollback_reason", "too dear")
    assert promote(stocked.uri(GOOD)) == 1
    assert "rolled back at yesterday (too dear): give --despite-rollback" in error_line(capsys)
    assert promote(stocked.uri(GOOD), "--despite-rollback") == 0
    assert main(["rollback"]) == 0
    assert store.champion() == 1


def test_a_rollback_that_is_cut_short_has_marked_what_it_was_to_leave(
    stocked: Stock, store: Store, promote: Callable[..., int], tmp_path: Path, capsys: Printed
) -> None:
    store.crown(1)
    promote(stocked.uri(GOOD))
    capsys.readouterr()
    when = "BEFORE UPDATE ON registered_model_aliases"
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        database.execute(f"CREATE TRIGGER stuck {when} BEGIN SELECT RAISE(ABORT, 'the alias is stuck'); END")
    assert main(["rollback", "--reason", "x" * 9000]) == 1
    assert "the alias is stuck" in error_line(capsys)
    assert store.champion() == 2
    assert store.version(2).tags["rollback_reason"] == "x" * 500
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        database.execute("DROP TRIGGER stuck")
    assert main(["rollback"]) == 0
    assert store.champion() == 1


def test_rollback_passes_over_a_version_that_was_deleted(store: Store) -> None:
    history = [Change("promoted", "", None, 1), Change("promoted", "", 1, 2), Change("promoted", "", 2, 3)]
    store.client.set_registered_model_tag("tierwise", "champion_changes", dump_changes(history))
    store.crown(3)
    store.client.delete_model_version("tierwise", "2")
    assert main(["rollback"]) == 0
    assert store.champion() == 1


def test_a_history_that_somebody_else_wrote_is_named(store: Store, capsys: Printed) -> None:
    store.client.set_registered_model_tag("tierwise", "champion_changes", "yes")
    store.crown(1)
    assert main(["rollback"]) == 1
    assert "delete the tag" in error_line(capsys)


# --- fetch


@pytest.mark.parametrize("form", ["alias", "version", "run", "run and name", "logged model"])
def test_fetch_writes_the_file_that_was_logged(
    form: str, stocked: Stock, store: Store, tmp_path: Path, capsys: Printed
) -> None:
    store.client.set_registered_model_alias("tierwise", "champion", "2")
    uris = {
        "alias": "models:/tierwise@champion",
        "version": stocked.uri(GOOD),
        "run": stocked.run(GOOD),
        "run and name": f"runs:/{stocked.run(GOOD)}/tierwise",
        "logged model": stocked.results[GOOD].model_uri,
    }
    assert main(["fetch", uris[form], "m.tierwise"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("written  m.tierwise: ")
    assert (tmp_path / "m.tierwise").read_bytes() == stocked.files[GOOD]
    assert TierPredictor.load("m.tierwise").version in out


@pytest.mark.usefixtures("store")
def test_fetch_leaves_a_file_alone_that_is_the_same_already(
    stocked: Stock, tmp_path: Path, capsys: Printed
) -> None:
    main(["fetch", stocked.uri(GOOD), "m.tierwise"])
    before = (tmp_path / "m.tierwise").stat()
    capsys.readouterr()
    assert main(["fetch", stocked.uri(GOOD), "m.tierwise", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["changed"], told["version"]) == (False, 2)
    assert (tmp_path / "m.tierwise").stat().st_mtime_ns == before.st_mtime_ns


@pytest.fixture
def damage(stocked: Stock) -> Iterator[None]:
    """Cut one artifact short and take another away, for a while."""
    stocked.artifact(GOOD).write_bytes(stocked.files[GOOD][:-50])
    stocked.artifact(TWIN).unlink()
    yield
    for name in (GOOD, TWIN):
        stocked.artifact(name).write_bytes(stocked.files[name])


@pytest.mark.usefixtures("damage")
def test_a_damaged_artifact_is_neither_fetched_nor_promoted(
    stocked: Stock, store: Store, promote: Callable[..., int], tmp_path: Path, capsys: Printed
) -> None:
    (tmp_path / "m.tierwise").write_bytes(b"old")
    assert main(["fetch", stocked.uri(GOOD), "m.tierwise"]) == 1
    assert "models:/tierwise/2, model.tierwise: not a whole model file" in error_line(capsys)
    assert main(["fetch", stocked.uri(TWIN), "m.tierwise"]) == 1
    assert "models:/tierwise/3" in error_line(capsys)
    assert promote(stocked.uri(GOOD)) == 1
    assert "not a whole model file" in error_line(capsys)
    assert store.champion() is None
    assert (tmp_path / "m.tierwise").read_bytes() == b"old"


# --- mistakes

Arguments = Callable[[Stock], list[str]]
MISTAKES: dict[str, tuple[Arguments, str]] = {
    "a run that is not there": (
        lambda _: ["promote", "0" * 32, "--data", "EVAL"],
        f"there is no run {'0' * 32}",
    ),
    "a run that registered nothing": (
        lambda found: ["promote", found.run(UNREGISTERED), "--data", "EVAL"],
        "registered no model",
    ),
    "a URI of nonsense": (lambda _: ["promote", "models:/", "--data", "EVAL"], "names no model"),
    "a version that is not there": (
        lambda _: ["promote", "models:/tierwise/99", "--data", "EVAL"],
        "has no version 99",
    ),
    "a model that is not there": (
        lambda _: ["promote", "models:/other/1", "--data", "EVAL"],
        "'other' has no version 1",
    ),
    "too small a set": (lambda found: ["promote", found.uri(GOOD), "--data", "small.jsonl"], "at least 50"),
    "a set that the candidate has seen whole": (
        lambda found: ["promote", found.uri(SEES_ALL), "--data", "EVAL"],
        "nothing is left to judge by",
    ),
    "no data": (lambda found: ["promote", found.uri(GOOD), "--data", "none.jsonl"], "none.jsonl"),
    "nothing to roll back": (lambda _: ["rollback"], "has no @champion"),
    "nothing of that name to roll back": (lambda _: ["rollback", "--name", "x"], "no registered model 'x'"),
    "no champion to fetch": (
        lambda _: ["fetch", "models:/tierwise@champion", "m.tierwise"],
        r"no @champion \(aliases: none yet\)",
    ),
    "a fetch of nonsense": (lambda _: ["fetch", "champion", "m.tierwise"], "names no model"),
    "a fetch from a run without such a model": (
        lambda found: ["fetch", f"runs:/{found.run(GOOD)}/other", "m.tierwise"],
        "other",
    ),
    "a folder to write to": (lambda found: ["fetch", found.uri(GOOD), "."], "this is a folder"),
    "a folder that is not there": (lambda found: ["fetch", found.uri(GOOD), "no/m"], "there is no folder no"),
}


@pytest.mark.parametrize(("arguments", "problem"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_line_and_changes_nothing(
    stocked: Stock, store: Store, tmp_path: Path, capsys: Printed, arguments: Arguments, problem: str
) -> None:
    data = stocked.folder / "eval.jsonl"
    few = data.read_text(encoding="utf-8").splitlines(keepends=True)[:40]
    (tmp_path / "small.jsonl").write_text("".join(few), encoding="utf-8")
    assert main([str(data) if word == "EVAL" else word for word in arguments(stocked)]) == 1
    assert re.search(problem, error_line(capsys))
    assert store.champion() is None
    assert {path.name for path in tmp_path.iterdir()} <= {"mlflow.db", "mlruns", "small.jsonl"}


@pytest.mark.parametrize(
    "command",
    [
        ["rollback"],
        ["fetch", "models:/tierwise@champion", "m"],
        ["promote", "models:/tierwise/1", "--data", "EVAL"],
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize(
    ("server", "problem"),
    [("", "there is no MLflow store"), ("http://127.0.0.1:{port}", "Connection refused")],
)
def test_a_store_that_is_not_there_is_named(
    command: list[str],
    server: str,
    problem: str,
    stocked: Stock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Printed,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.format(port=free_port()))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    data = str(stocked.folder / "eval.jsonl")
    assert main([data if word == "EVAL" else word for word in command]) == 1
    assert problem in error_line(capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("usd", ["0", "-1", "nan", "much"])
def test_a_price_that_makes_no_sense_is_refused(usd: str, capsys: Printed) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["promote", "x", "--data", "y", "--poor-answer-usd", usd])
    assert "no price: give US dollars above 0" in capsys.readouterr().err


# --- register


@pytest.mark.usefixtures("store")
def test_a_tuned_file_is_registered_and_fetched_again(tmp_path: Path, capsys: Printed) -> None:
    held_out = {"under_routing": 0.04, "prompts": 500, "intervals": {}}
    facts = {
        "metrics": {"validation": {"most_probable.accuracy": 0.75, "choice.under_routing": 0.1}},
        "policy_chosen_for": {"held_out": held_out},
        "training_data": {"digest": "d" * 64},
    }
    model = replace(TierPredictor.default().model, policy=RiskPolicy(0.123), provenance=facts)
    write_model(model, tmp_path / "tuned.tierwise")
    assert main(["register", "tuned.tierwise", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["policy"] == {"kind": "risk", "max_risk": 0.123}
    assert main(["fetch", f"models:/tierwise/{told['version']}", "again.tierwise"]) == 0
    assert (tmp_path / "again.tierwise").read_bytes() == (tmp_path / "tuned.tierwise").read_bytes()
    run = MlflowClient(tracking_uri(os.environ, tmp_path)).get_run(told["run"])
    assert run.data.metrics == {"validation.most_probable.accuracy": 0.75, "policy.under_routing": 0.04}
    assert run.data.params == {"policy": "risk at most 0.123"}


@pytest.mark.usefixtures("store")
def test_only_a_model_file_can_be_registered(tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "notes.txt").write_text("no model")
    assert main(["register", "notes.txt"]) == 1
    assert "notes.txt: not a whole model file" in error_line(capsys)
    assert main(["register", "nowhere.tierwise"]) == 1
    assert "nowhere.tierwise: cannot read a model file here" in error_line(capsys)

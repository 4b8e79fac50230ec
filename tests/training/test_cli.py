"""`python -m training`: what it prints and writes, how it ends, and what it says about mistakes."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import joblib
import pytest
from mlflow.tracking import MlflowClient

from classifier import TierPredictor
from tests.training.conftest import DATA
from tests.training.fits import some_rows, some_split, write_rows
from tests.training.tracked_runs import MLFLOW_WARNINGS
from training.cli import COMMANDS, main
from training.fitting import FittedModel
from training.settings import FitSettings

pytestmark = MLFLOW_WARNINGS

Printed = pytest.CaptureFixture[str]
QUICK = FitSettings(longest_ngram=1, min_documents=4, inverse_penalty=0.5)


@dataclass(frozen=True, slots=True)
class Run:
    """A training run from the command line, and what it left behind."""

    folder: Path
    out: str
    err: str

    @property
    def data(self) -> str:
        return str(self.folder / "rows.jsonl")

    @property
    def model(self) -> str:
        return str(self.folder / "model.tierwise")

    @property
    def settings(self) -> str:
        return str(self.folder / "settings.json")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Train on some rows without tracking, and tell it in JSON."""
    folder = tmp_path_factory.mktemp("training")
    run = Run(folder, "", "")
    write_rows(some_rows(), folder / "rows.jsonl")
    (folder / "settings.json").write_text(json.dumps(QUICK.as_dict()), encoding="utf-8")
    arguments = ["train", run.data, "--out", run.model, "--settings", run.settings, "--no-tracking", "--json"]
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        assert main(arguments) == 0, err.getvalue()
    return Run(folder, out.getvalue(), err.getvalue())


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in an empty folder: whatever a command leaves here, it should not have."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def error_line(printed: Printed) -> str:
    out, err = printed.readouterr()
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert out == ""
    assert err.splitlines() == lines, err
    assert len(lines) == 1
    return lines[0].removeprefix("error: ")


# --- train


def test_training_writes_the_model_and_the_pipeline_and_nothing_else(run: Run, tmp_path: Path) -> None:
    written = {path.name for path in run.folder.iterdir()}
    assert written == {"rows.jsonl", "settings.json", "model.tierwise", "model.tierwise.joblib"}
    assert list(tmp_path.iterdir()) == []
    assert isinstance(joblib.load(run.folder / "model.tierwise.joblib"), FittedModel)


def test_training_tells_in_json_what_the_model_file_says_of_itself(run: Run) -> None:
    told = json.loads(run.out)
    provenance = TierPredictor.load(run.model).provenance
    assert {name: told[name] for name in provenance} == provenance
    assert told["written"] == [run.model, str(run.folder / "model.tierwise.joblib")]
    assert told["run"] is None
    assert told["settings"] == QUICK.as_dict()


def test_the_progress_bar_keeps_out_of_files(run: Run) -> None:
    assert run.err == ""


def test_the_written_model_decides(run: Run) -> None:
    hard, easy = TierPredictor.load(run.model).predict_proba(["Prove that pi is irrational.", "thanks!"])
    assert hard[2] > easy[2]


def test_a_tracked_run_is_stored_beside_the_caller(run: Run, tmp_path: Path, capsys: Printed) -> None:
    arguments = ["train", run.data, "--out", "m.tierwise", "--settings", run.settings, "--seed", "5"]
    assert main([*arguments, "--experiment", "a test", "--final"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines() if line[0] != " "] == [
        "data",
        "model",
        "policy",
        "validation",
        "test",
        "written",
        "tracked",
    ]
    found = re.search(r"tracked +run (\w+), models:/(\S+), registered as models:/tierwise/1", out)
    assert found is not None
    stored = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}").get_run(found[1])
    assert stored.data.params["seed"] == "5"
    assert {"max_risk", "validation.most_probable.accuracy"} <= set(stored.data.metrics)
    assert stored.data.tags["model_version"] == TierPredictor.load("m.tierwise").version
    left = {path.name for path in tmp_path.iterdir()}
    assert {"m.tierwise", "m.tierwise.joblib", "mlflow.db", "mlruns"} <= left


# --- evaluate, compare and card


def test_an_evaluation_is_a_table(run: Run, capsys: Printed) -> None:
    assert main(["evaluate", run.model, run.data, "--part", "test"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "accuracy" in out
    assert "keyword rule" in out


def test_an_evaluation_is_json(run: Run, capsys: Printed) -> None:
    assert main(["evaluate", "default", run.data, "--part", "test", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] == len(some_split().test)


@pytest.mark.parametrize(
    ("model", "part", "rows", "note"),
    [
        ("trained", "auto", "test", "judged by its test rows"),
        ("trained", "all", "all", "flatter the model"),
        ("trained", "train", "train", "flatter the model"),
        ("trained", "validation", "validation", "flatter the model"),
        ("trained", "test", "test", ""),
        ("default", "auto", "all", ""),
        ("default", "validation", "validation", ""),
    ],
)
def test_a_model_is_not_flattered_by_rows_that_it_was_fitted_on(
    run: Run, capsys: Printed, model: str, part: str, rows: str, note: str
) -> None:
    file = {"trained": run.model, "default": "default"}[model]
    assert main(["evaluate", file, run.data, "--part", part, "--json"]) == 0
    out, err = capsys.readouterr()
    parts = {
        "all": some_rows(),
        **{name: getattr(some_split(), name) for name in ("train", "validation", "test")},
    }
    assert json.loads(out)["rows"] == len(parts[rows])
    assert note in err
    assert len(err.splitlines()) == bool(note)


def test_a_report_is_one_file_of_html(run: Run, tmp_path: Path, capsys: Printed) -> None:
    assert main(["evaluate", run.model, run.data, "--part", "test", "--html", "report.html"]) == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "data:image/" in page
    assert not re.search(r"""(?:src|href)=["']?https?://""", page)
    assert capsys.readouterr().err == ""


def test_two_models_are_compared(run: Run, capsys: Printed) -> None:
    assert main(["compare", run.model, "default", run.data, "--part", "test"]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert main(["compare", run.model, run.model, run.data, "--part", "test", "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)


def test_a_card_tells_what_the_data_holds(run: Run, capsys: Printed) -> None:
    assert main(["card", run.data]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{len(some_rows()):,} rows; digest `")
    assert "### Split" in out


# --- mistakes

Arguments = Callable[[Run], Sequence[str]]
BAD: dict[str, tuple[Arguments, str]] = {
    "no data": (lambda _: ["train", "nowhere"], r"nowhere: "),
    "data that is none": (lambda run: ["train", run.model], r"model\.tierwise: "),
    "an output folder that is not there": (
        lambda run: ["train", run.data, "--out", "no/folder/m.tierwise"],
        r"no/folder/m\.tierwise: there is no folder no/folder to write it in",
    ),
    "an output that is a folder": (lambda run: ["train", run.data, "--out", "."], r"this is a folder"),
    "an output that is no file": (
        lambda run: ["train", run.data, "--out", "pipe", "--settings", run.settings, "--no-tracking"],
        r"pipe: ",
    ),
    "no settings": (
        lambda run: ["train", run.data, "--settings", "none.json"],
        r"none\.json: cannot read .*: No such file or directory$",
    ),
    "settings that are no JSON": (lambda run: ["train", run.data, "--settings", run.model], r"cannot read"),
    "settings that are a list": (
        lambda run: ["train", run.data, "--settings", "list.json"],
        r"list\.json: ",
    ),
    "settings of another kind": (
        lambda run: ["train", run.data, "--settings", "other.json"],
        r"other\.json: unknown settings: epochs",
    ),
    "settings of odd types": (
        lambda run: ["train", run.data, "--settings", "odd.json"],
        r"odd\.json: ",
    ),
    "settings that leave no n-gram": (
        lambda run: ["train", run.data, "--settings", "rare.json", "--no-tracking"],
        r"min_documents|n-gram",
    ),
    "no model": (lambda run: ["evaluate", "none.tierwise", run.data], r"none\.tierwise: cannot read a model"),
    "a model that is none": (
        lambda run: ["evaluate", run.data, run.data],
        r"rows\.jsonl: not a whole",
    ),
    "a report folder that is not there": (
        lambda run: ["evaluate", run.model, run.data, "--html", "no/report.html"],
        r"no/report\.html: there is no folder no",
    ),
    "a report that is no file": (
        lambda run: ["evaluate", run.model, run.data, "--part", "test", "--html", "pipe"],
        r"pipe: ",
    ),
    "a second model that is none": (
        lambda run: ["compare", run.model, "x", run.data],
        r"x: cannot read",
    ),
    "a card of nothing": (lambda _: ["card", "nowhere"], r"nowhere: "),
    "too little data to split": (
        lambda _: ["train", "few.jsonl", "--no-tracking"],
        r"few rows|left to train",
    ),
}


@pytest.mark.parametrize(("arguments", "problem"), BAD.values(), ids=BAD.keys())
def test_a_mistake_is_one_line_and_exit_code_1(
    run: Run, tmp_path: Path, capsys: Printed, arguments: Arguments, problem: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    (tmp_path / "other.json").write_text('{"epochs": 3}', encoding="utf-8")
    (tmp_path / "odd.json").write_text('{"window": "wide"}', encoding="utf-8")
    (tmp_path / "rare.json").write_text('{"min_documents": 1000000}', encoding="utf-8")
    rows = [
        {"prompt": f"{tier} {n}", "tier": tier} for tier in ("cheap", "balanced", "premium") for n in range(5)
    ]
    (tmp_path / "few.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    before = {path.name for path in tmp_path.iterdir()}
    assert main(arguments(run)) == 1
    assert re.search(problem, error_line(capsys))
    assert {path.name for path in tmp_path.iterdir()} == before


def test_outputs_that_cannot_be_written_are_refused_before_any_data_is_read(capsys: Printed) -> None:
    assert main(["train", "there is no such data", "--out", "no/folder/m.tierwise"]) == 1
    assert "there is no folder no/folder" in error_line(capsys)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["learn"],
        ["train"],
        ["train", "x", "--seed", "many"],
        ["evaluate", "x"],
        ["evaluate", "x", "y", "--part", "z"],
    ],
    ids=" ".join,
)
def test_arguments_that_make_no_sense_are_exit_code_2(arguments: list[str], capsys: Printed) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: python -m training" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["train"], ["evaluate"], ["compare"], ["card"]], ids=" ".join)
def test_help_is_there_for_every_command(command: list[str], capsys: Printed) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([*command, "--help"])
    assert "usage: python -m training" in capsys.readouterr().out


@pytest.mark.parametrize("command", [command.NAME for command in COMMANDS])
def test_the_help_of_every_command_gives_examples(command: str, capsys: Printed) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert f"  python -m training {command} " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "examples"),
    [pytest.param(command.NAME, command.EXAMPLES, id=command.NAME) for command in COMMANDS],
)
def test_the_help_fits_a_terminal(
    name: str, examples: str, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 100
    assert examples.strip() in text


def test_the_help_lists_every_command_with_what_it_does(capsys: Printed) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    listed = " ".join(capsys.readouterr().out.split())
    assert [command.NAME for command in COMMANDS if f"{command.NAME} {command.HELP}" not in listed] == []


def test_bad_rows_can_be_skipped_and_are_listed(run: Run, tmp_path: Path, capsys: Printed) -> None:
    rows = Path(run.data).read_text(encoding="utf-8") + '{"prompt": "x", "tier": "gold"}\nnot JSON\n'
    (tmp_path / "rows.jsonl").write_text(rows, encoding="utf-8")
    assert main(["card", "rows.jsonl"]) == 1
    assert "gold" in error_line(capsys)
    assert main(["card", "rows.jsonl", "--skip-bad-rows"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{len(some_rows()):,} rows")
    assert [line.partition(":")[0] for line in err.splitlines()] == ["skipped", "skipped"]


# --- as a process

INTERRUPTED = """
import sys, threading, time, _thread
from training.cli import main
threading.Timer(float(sys.argv[1]), _thread.interrupt_main).start()
sys.exit(main(sys.argv[2:]))
"""


def test_an_interrupted_run_leaves_the_old_model_in_place(tmp_path: Path) -> None:
    (tmp_path / "m.tierwise").write_bytes(b"old")
    arguments = ["train", str(DATA), "--out", "m.tierwise", "--no-tracking"]  # takes many times the wait
    command = [sys.executable, "-c", INTERRUPTED, "1.5", *arguments]
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(command, capture_output=True, text=True, env=environ)  # noqa: S603
    assert (ended.returncode, ended.stdout) == (130, "")
    assert "Traceback" not in ended.stderr
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("m.tierwise", b"old")]


def test_without_what_it_needs_it_says_so_in_one_line() -> None:
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-S", "-m", "training", "card", "data"]  # -S: nothing that is installed
    ended = subprocess.run(command, capture_output=True, text=True, env=environ)  # noqa: S603
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(
        r"error: No module named '\w+': .* needs what tierwise\[training\] installs\n", ended.stderr
    )


def test_it_is_a_command(run: Run) -> None:
    command = [sys.executable, "-m", "training", "card", run.data]
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(command, capture_output=True, text=True, env=environ)  # noqa: S603
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"{len(some_rows()):,} rows")


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        pytest.param(["--under-routing", "7"], "'7' is no share", id="an impossible target"),
        pytest.param(["--seed", "-1"], "'-1': use a whole number from 0 to", id="a negative seed"),
        pytest.param(["--jobs", "0"], "'0': use a whole number from 1 on", id="no processes"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused_before_any_work(
    option: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["train", "nowhere", *option])
    assert problem in capsys.readouterr().err

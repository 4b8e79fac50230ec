"""`python -m training curve`: what it prints and writes, and what it refuses."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from classifier import RiskPolicy, TierPredictor
from classifier.model_file import Model, write_model
from training.cli import main
from training.labelled import read_labelled

Printed = pytest.CaptureFixture[str]
Write = Callable[[Sequence[dict[str, object]]], str]

PROMPTS = [f"question {number} about {'rivers ' * (number % 9)}" for number in range(80)]
ROWS = [
    {
        "prompt": prompt,
        "score:cheap": number % 2,
        "score:premium": 1,
        "tier": ["premium", "cheap"][number % 2],
    }
    for number, prompt in enumerate(PROMPTS)
]
QUICK = ["--resamples", "20"]


@pytest.fixture
def outcomes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """A function that writes rows to a file in an empty folder where one stands, and returns its name."""
    monkeypatch.chdir(tmp_path)

    def write(rows: Sequence[dict[str, object]]) -> str:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        Path("outcomes.jsonl").write_text(text, encoding="utf-8")
        return "outcomes.jsonl"

    return write


def fitted_on(path: str, parts: list[str]) -> str:
    """A model file that says that it was fitted on parts of a labelled file."""
    rows = read_labelled(Path(path), rows_per_tier=0)
    facts = {"training_data": {"digest": rows.digest, "fitted_on": parts, "rows": {"train": len(rows)}}}
    packaged = TierPredictor.default().model
    write_model(Model(packaged.prompts, packaged.head, RiskPolicy(0.3), facts), Path("model.tierwise"))
    return "model.tierwise"


def error_line(printed: Printed) -> str:
    out, err = printed.readouterr()
    assert out == ""
    assert len([line for line in err.splitlines() if line.startswith("error: ")]) == 1
    return err


def test_tables_are_printed(outcomes: Write, capsys: Printed) -> None:
    assert main(["curve", "default", outcomes(ROWS), *QUICK]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "80 prompts, each counted once: cheap, premium" in out
    assert "APGR" in out
    assert "Dollars for a share of the quality of always premium" in out
    assert "Assumed, not billed" in out


def test_columns_can_be_named(outcomes: Write, capsys: Printed) -> None:
    rows = [{"prompt": row["prompt"], "small": row["score:cheap"], "large": 1, "largest": 1} for row in ROWS]
    tiers = ["--cheap", "small", "--balanced", "large", "--premium", "largest"]
    assert main(["curve", "default", outcomes(rows), *tiers, *QUICK]) == 0
    assert "cheap small, balanced large, premium largest" in capsys.readouterr().out


def test_json_tells_everything(outcomes: Write, capsys: Printed) -> None:
    assert main(["curve", "default", outcomes(ROWS), "--json", "--seed", "7", *QUICK]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["intervals"]["seed"] == 7
    assert told["prompts"] == 80
    assert {area["key"] for area in told["areas"]} == {"risk", "keyword", "length", "random_mix", "oracle"}
    assert "Only 80 prompts" in told["remarks"][0]


def test_points_and_pictures_are_written(outcomes: Write, capsys: Printed) -> None:
    files = ["--csv", "points.csv", "--plot", "curve.svg"]
    assert main(["curve", "default", outcomes(ROWS), *files, *QUICK]) == 0
    assert main(["curve", "default", "outcomes.jsonl", "--plot", "curve.PNG", *QUICK]) == 0
    capsys.readouterr()
    with Path("points.csv").open(encoding="utf-8") as file:
        assert {row["curve"] for row in csv.DictReader(file)} >= {"risk", "length", "oracle", "point"}
    assert "<svg" in Path("curve.svg").read_text(encoding="utf-8")
    assert Path("curve.PNG").read_bytes().startswith(b"\x89PNG")
    written = {path.name for path in Path.cwd().iterdir()}
    assert written == {"outcomes.jsonl", "points.csv", "curve.svg", "curve.PNG"}


def test_prices_are_those_that_are_given(outcomes: Write, capsys: Printed) -> None:
    prices = ["--usd-per-million", "1", "2", "30"]
    assert main(["curve", "default", outcomes(ROWS), *prices, *QUICK]) == 0
    assert "USD 1.00, 2.00, 30.00 per million" in capsys.readouterr().out


# --- what the model was fitted on


def test_a_model_is_judged_by_what_it_has_not_seen(outcomes: Write, capsys: Printed) -> None:
    model = fitted_on(outcomes(ROWS), ["train", "validation"])
    assert main(["curve", model, "outcomes.jsonl", "--json", *QUICK]) == 0
    out, err = capsys.readouterr()
    assert err == "note: fitted on parts of this data: judged by its test rows\n"
    told = json.loads(out)
    assert 0 < told["prompts"] < 40
    assert told["fitted_on_these_prompts"] == "no"


def test_it_says_so_when_the_figures_flatter(outcomes: Write, capsys: Printed) -> None:
    model = fitted_on(outcomes(ROWS), ["train"])
    assert main(["curve", model, "outcomes.jsonl", "--part", "all", *QUICK]) == 0
    assert "The model was fitted on some of these very prompts" in capsys.readouterr().out


def test_it_says_so_when_it_cannot_know(outcomes: Write, capsys: Printed) -> None:
    assert main(["curve", "default", outcomes(ROWS), *QUICK]) == 0
    assert "any of these prompts is not known" in " ".join(capsys.readouterr().out.split())


def test_nothing_unseen_is_an_error(outcomes: Write, capsys: Printed) -> None:
    model = fitted_on(outcomes(ROWS), ["train", "validation", "test"])
    assert main(["curve", model, "outcomes.jsonl"]) == 1
    assert "every part of this data was fitted on" in error_line(capsys)


def test_it_says_so_when_the_policy_was_tuned_on_them(outcomes: Write, capsys: Printed) -> None:
    assert main(["tune", "default", outcomes(ROWS), "--premium-share", "1", "--out", "tuned.tierwise"]) == 0
    capsys.readouterr()
    assert main(["curve", "tuned.tierwise", "outcomes.jsonl", *QUICK]) == 0
    assert capsys.readouterr().err == "note: the policy was tuned on half of this data, or of a part of it\n"


# --- mistakes


@pytest.mark.parametrize(
    ("rows", "options", "problem"),
    [
        pytest.param(ROWS[:3], [], "3 prompts with a score of every tier", id="three rows"),
        pytest.param(ROWS, ["--cheap", "nix", "--premium", "score:premium"], "nix", id="no such column"),
        pytest.param([{"prompt": "a", "tier": "cheap"}] * 30, [], "score", id="no scores"),
        pytest.param([*ROWS, {**ROWS[0], "score:cheap": 2}], [], "outside [0, 1]", id="a score of 2"),
        pytest.param(ROWS, ["--usd-per-million", "1", "-2", "3"], "price", id="a negative price"),
        pytest.param(
            ROWS, ["--csv", "nowhere/points.csv"], "there is no folder nowhere", id="no such folder"
        ),
        pytest.param(ROWS, ["--csv", "outcomes.jsonl"], "this is read", id="the outcomes to write over"),
        pytest.param(
            ROWS, ["--csv", "a.svg", "--plot", "./a.svg"], "name this one file", id="one file for both"
        ),
        pytest.param(ROWS, ["--plot", "outcomes.jsonl/a.png"], "no folder", id="a file for a folder"),
    ],
)
def test_a_mistake_is_one_line(
    outcomes: Write, capsys: Printed, rows: list[dict[str, object]], options: list[str], problem: str
) -> None:
    assert main(["curve", "default", outcomes(rows), *options]) == 1
    assert problem in error_line(capsys)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        pytest.param(["--plot", "curve.gif"], "ends in .png or .svg", id="another kind of picture"),
        pytest.param(["--resamples", "0"], "use a whole number from 1 to", id="no resamples"),
        pytest.param(["--usd-per-million", "1", "2"], "expected 3 arguments", id="two prices"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused_before_any_work(
    options: list[str], problem: str, capsys: Printed
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["curve", "default", "nowhere", *options])
    assert problem in capsys.readouterr().err

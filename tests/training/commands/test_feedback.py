"""`python -m training feedback`: what it writes, prints and refuses, and that `train` takes it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.fits import some_rows, write_rows
from training.cli import main
from training.labelled import read_labelled

Printed = pytest.CaptureFixture[str]
ROWS: list[dict[str, Any]] = [
    {"request_id": "r1", "prompt": "What is DNA?", "tier": "cheap", "thumb": "up"},
    {"request_id": "r2", "prompt": "Prove it.", "tier": "balanced", "thumb": "down", "domain": "math"},
    {"request_id": "r3", "prompt": "hello", "tier": "cheap"},
    {
        "request_id": "r4",
        "messages": [{"role": "user", "content": "again"}],
        "tier": "cheap",
        "retried": True,
    },
]


def write(name: str, rows: list[Any]) -> None:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("log.jsonl", ROWS)


def test_labels_are_written_with_weights_and_source(capsys: Printed) -> None:
    assert main(["feedback", "log.jsonl", "--out", "labels.jsonl"]) == 0
    labels = read("labels.jsonl")
    assert [(row["id"], row["tier"]) for row in labels] == [
        ("r1", "cheap"),
        ("r2", "premium"),
        ("r4", "balanced"),
    ]
    assert {row["source"] for row in labels} == {"feedback"}
    assert labels[0]["weight"] == labels[1]["weight"] > labels[2]["weight"] > 0
    assert len(read_labelled(Path("labels.jsonl"), rows_per_tier=0)) == 3
    out, err = capsys.readouterr()
    assert "labelled    3 prompts of 3 with a sign" in out
    assert err == ""


def test_the_report_is_json_too(capsys: Printed) -> None:
    assert main(["feedback", "log.jsonl", "--out", "labels.jsonl", "--weight", "0.9", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["prompts_with_a_sign"], told["rules"]["most"]) == (4, 3, 0.9)


def test_train_takes_feedback_and_labelled_data_together(capsys: Printed) -> None:
    Path("data").mkdir()
    write_rows(some_rows(), Path("data/rows.jsonl"))
    contradicted = next(
        row for row in read("data/rows.jsonl") if row["tier"] == "premium" and "prompt" in row
    )
    write("log.jsonl", [*ROWS, {"prompt": contradicted["prompt"], "tier": "cheap", "thumb": "up"}])
    assert main(["feedback", "log.jsonl", "--with", "data", "--out", "all.jsonl"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert (
        f"{len(some_rows())} rows of the data and 3 of the feedback; of the prompts in both 0 agree, 1 do not"
        in told
    )
    Path("settings.json").write_text('{"longest_ngram": 1, "min_documents": 4}', encoding="utf-8")
    arguments = ["train", "all.jsonl", "--out", "m.tierwise", "--no-tracking", "--settings", "settings.json"]
    assert main(arguments) == 0
    capsys.readouterr()


def test_bad_rows_can_be_skipped_and_are_listed(capsys: Printed) -> None:
    write("log.jsonl", [*ROWS, {"prompt": "x", "tier": "gold"}, 7])
    assert main(["feedback", "log.jsonl", "--out", "labels.jsonl"]) == 1
    assert capsys.readouterr().err.startswith("error: log.jsonl: row 5 (line 5), column 'tier'")
    assert not Path("labels.jsonl").exists()
    assert main(["feedback", "log.jsonl", "--out", "labels.jsonl", "--skip-bad-rows"]) == 0
    out, err = capsys.readouterr()
    assert [line.partition(":")[0] for line in err.splitlines()] == ["skipped", "skipped"]
    assert "2 bad ones skipped" in out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nowhere.jsonl", "--out", "x.jsonl"], "nowhere.jsonl: no such file"),
        (["log.jsonl", "--out", "log.jsonl"], "log.jsonl: this is read, from log.jsonl"),
        (["log.jsonl", "--with", "silent.jsonl", "--out", "silent.jsonl"], "this is read, from silent.jsonl"),
        (["log.jsonl", "--out", "x.csv"], "x.csv: what is written is JSON Lines"),
        (["log.jsonl", "--out", "no/x.jsonl"], "there is no folder no"),
        (["silent.jsonl", "--out", "x.jsonl"], "none of its 1 rows has a thumb"),
        (["empty.jsonl", "--out", "x.jsonl"], "it has no usable row"),
        (["log.jsonl", "--out", "x.jsonl", "--weight", "0"], "the largest weight is 0.0"),
        (["log.jsonl", "--out", "x.jsonl", "--silence", "0.5"], "odds of silence are 0.5"),
        (["log.jsonl", "--out", "x.jsonl", "--with", "none.csv"], "none.csv: no such file"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_one_line(capsys: Printed, arguments: list[str], problem: str) -> None:
    write("silent.jsonl", ROWS[2:3])
    write("empty.jsonl", [])
    assert main(["feedback", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert problem in err
    assert err.count("\n") == 1
    assert not Path("x.jsonl").exists()


def test_the_help_holds_the_format_and_the_rules(capsys: Printed) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["feedback", "--help"])
    told = capsys.readouterr().out
    assert "| `escalated_to` | a tier above `tier`" in told
    assert "thumb up at t: t was enough" in told

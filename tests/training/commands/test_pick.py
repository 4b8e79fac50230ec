"""`python -m training pick`: what it writes, prints and refuses."""

import json
from pathlib import Path

import pytest

from tests.training.fits import some_rows
from training.cli import main

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of a hundred and one rows, one of them twice, in an empty folder where one stands."""
    monkeypatch.chdir(tmp_path)
    prompts = [prompt for prompt in some_rows().frame["prompt"] if isinstance(prompt, str)][:100]
    rows = [{"id": f"r{n}", "prompt": prompt, "team": n % 3} for n, prompt in enumerate(prompts)]
    lines = [json.dumps(row) for row in [*rows, {**rows[0], "id": "again"}]]
    file = tmp_path / "log.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def picked(file: str = "out.jsonl") -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]


def test_rows_are_written_with_their_ids_and_columns(log: Path, capsys: Printed) -> None:
    assert main(["pick", str(log), "-n", "10", "--out", "out.jsonl"]) == 0
    there = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert len(picked()) == 10
    assert all(row in there for row in picked())
    out, err = capsys.readouterr()
    assert err == ""
    assert "picked      10 of 100 distinct prompts: random, seed 0" in out
    assert "101 rows; 1 repeat another word for word" in out


def test_the_order_of_the_log_does_not_matter_but_the_seed_does(log: Path, capsys: Printed) -> None:
    lines = log.read_text(encoding="utf-8").splitlines()[:100]
    Path("turned.jsonl").write_text("\n".join(reversed(lines)), encoding="utf-8")
    Path("straight.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for name in ("turned", "straight"):
        main(["pick", f"{name}.jsonl", "-n", "9", "--strategy", "both", "--out", f"{name}_picked.jsonl"])
    main(
        [
            "pick",
            "straight.jsonl",
            "-n",
            "9",
            "--strategy",
            "both",
            "--seed",
            "1",
            "--out",
            "other_picked.jsonl",
        ]
    )
    ids = {
        name: {row["id"] for row in picked(f"{name}_picked.jsonl")}
        for name in ("turned", "straight", "other")
    }
    assert ids["turned"] == ids["straight"] != ids["other"]
    capsys.readouterr()


def test_prompts_that_have_labels_are_left_out(log: Path, capsys: Printed) -> None:
    assert main(["pick", str(log), "-n", "60", "--out", "first.jsonl"]) == 0
    assert main(["pick", str(log), "-n", "60", "--labelled", "first.jsonl", "--out", "out.jsonl"]) == 0
    first = {row["prompt"] for row in picked("first.jsonl")}
    assert not first & {row["prompt"] for row in picked()}
    assert "rows set aside: labelled already" in capsys.readouterr().out


def test_the_choice_is_told_in_json(log: Path, capsys: Printed) -> None:
    assert main(["pick", str(log), "-n", "5", "--strategy", "diverse", "--out", "out.jsonl", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["picked"], told["rows"], told["repeats"], told["strategy"]) == (5, 101, 1, "diverse")
    assert told["written"] == "out.jsonl"


def test_bad_rows_can_be_skipped_and_are_listed(log: Path, capsys: Printed) -> None:
    with log.open("a", encoding="utf-8") as stream:
        stream.write('{"prompt": ""}\nno JSON\n')
    assert main(["pick", str(log), "-n", "5", "--out", "out.jsonl"]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert not Path("out.jsonl").exists()
    assert main(["pick", str(log), "-n", "5", "--out", "out.jsonl", "--skip-bad-rows"]) == 0
    err = capsys.readouterr().err
    assert [line.partition(":")[0] for line in err.splitlines()] == ["skipped", "skipped"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["log.jsonl", "-n", "3", "--out", "log.jsonl"], "log.jsonl: this is read, from log.jsonl"),
        ([".", "-n", "3", "--out", "log.jsonl"], "log.jsonl: this is read, from ."),
        (["log.jsonl", "-n", "3", "--out", "x.csv"], "x.csv: what is written is JSON Lines"),
        (["log.jsonl", "-n", "3", "--out", "no/x.jsonl"], "there is no folder no"),
        (["nowhere.jsonl", "-n", "3", "--out", "x.jsonl"], "nowhere.jsonl: no such file"),
        (["log.jsonl", "-n", "3", "--out", "x.jsonl", "--model", "no.tierwise"], "no.tierwise: "),
        (["log.jsonl", "-n", "3", "--out", "x.jsonl", "--labelled", "log.jsonl"], "101 labelled already"),
        (["empty.txt", "-n", "3", "--out", "x.jsonl"], "it holds none"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_one_line(log: Path, capsys: Printed, arguments: list[str], problem: str) -> None:
    (log.parent / "empty.txt").write_text("\n", encoding="utf-8")
    assert main(["pick", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert problem in err
    assert err.count("\n") == 1
    assert not Path("x.jsonl").exists()

"""From outcomes to a model on the command line, and what is said about mistakes."""

import json
from pathlib import Path

import pytest

from classifier import TierPredictor
from tests.training.outcome_tables import rows_of, write_csv
from training.cli import main

Printed = pytest.CaptureFixture[str]
NAMES = ["--cheap", "small", "--premium", "large"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Outcomes that can be learned: the small model fails where something is to be proved."""
    kinds = ("prove the lemma about", "say hello to")
    words = [f"{first}{second}" for first in "bcdfgklm" for second in "aeiou"]
    rows = [
        {"prompt": f"{kind} {word} and {word[::-1]}{place}", "small": place, "large": 1}
        for word in words
        for place, kind in enumerate(kinds)
    ]
    return write_csv(tmp_path / "outcomes.csv", rows)


def error_line(printed: Printed) -> str:
    out, err = printed.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err


def test_outcomes_become_labels_become_a_model_that_is_judged_by_outcomes(
    table: Path, tmp_path: Path, capsys: Printed
) -> None:
    labels, model = str(tmp_path / "labels.jsonl"), str(tmp_path / "m.tierwise")
    assert main(["outcomes", str(table), *NAMES, "--out", labels, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["tiers"]["premium"]["labels"] == 40
    assert "--settings outcomes --tiers cheap premium --out model.tierwise" in told["next"][0]
    train = ["train", labels, "--out", model, "--no-tracking", "--settings", "outcomes"]
    assert main([*train, "--tiers", "premium", "cheap"]) == 0
    assert TierPredictor.load(model).provenance["tiers"] == ["cheap", "premium"]
    assert "conversation head none" in capsys.readouterr().out
    assert main(["evaluate", model, str(table), *NAMES, "--part", "all"]) == 0
    text = capsys.readouterr().out
    assert "labels: from outcomes (cheap small, premium large)" in text
    assert "Prompts    80" in text
    assert main(["evaluate", model, labels, "--part", "all", "--json"]) == 0
    assert "labels_from" not in json.loads(capsys.readouterr().out)


def test_a_part_of_many_outcomes_is_drawn(table: Path, capsys: Printed) -> None:
    assert main(["evaluate", "default", str(table), *NAMES, "--limit", "30", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "30 prompts of 80 drawn at random" in json.loads(out)["labels_from"]
    assert "drawn part" in err


def test_figures_on_outcomes_that_the_policy_was_tuned_on_come_with_a_note(
    table: Path, tmp_path: Path, capsys: Printed
) -> None:
    labels, tuned = str(tmp_path / "labels.jsonl"), str(tmp_path / "tuned.tierwise")
    tune = ["--premium-share", "1", "--out", tuned]
    note = "note: the policy was tuned on half of this data, or of a part of it\n"
    main(["outcomes", str(table), *NAMES, "--out", labels])
    main(["tune", "default", str(table), *NAMES, *tune])
    capsys.readouterr()
    assert main(["evaluate", tuned, str(table), *NAMES]) == 0
    assert capsys.readouterr().err == note
    main(["tune", "default", labels, *tune])
    capsys.readouterr()
    assert main(["evaluate", tuned, labels]) == 0
    assert capsys.readouterr().err == note
    assert main(["compare", "default", tuned, labels]) == 0
    assert capsys.readouterr().err == note
    other = write_csv(tmp_path / "other.csv", rows_of())
    assert main(["evaluate", tuned, str(other), *NAMES]) == 0
    assert capsys.readouterr().err == ""


def test_the_report_is_printed_and_bad_rows_are_listed(tmp_path: Path, capsys: Printed) -> None:
    file = write_csv(tmp_path / "t.csv", [*rows_of(), {"prompt": "x", "small": 7, "large": 1}])
    out = str(tmp_path / "labels.jsonl")
    assert main(["outcomes", str(file), *NAMES, "--skip-bad-rows", "--out", out]) == 0
    printed = capsys.readouterr()
    assert "skipped: " in printed.err
    assert "left out  1 bad rows" in printed.out
    assert "written   " in printed.out


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        pytest.param(["--cheap", "smal", "--premium", "large"], "no column 'smal' (--cheap)", id="name"),
        pytest.param([*NAMES, "--scale", "5", "1"], "a scale from 5 to 1 is none", id="scale"),
        pytest.param([*NAMES, "--out", "labels.csv"], "end the name with .jsonl", id="kind of file"),
        pytest.param([*NAMES, "--out", "nowhere/labels.jsonl"], "there is no folder", id="folder"),
    ],
)
def test_a_mistake_is_one_line(
    table: Path, arguments: list[str], wanted: str, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(table.parent)
    assert main(["outcomes", str(table), *arguments]) == 1
    assert wanted in error_line(capsys)
    assert [file.name for file in table.parent.iterdir()] == ["outcomes.csv"]


def test_the_table_that_is_read_is_never_overwritten(tmp_path: Path, capsys: Printed) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text("{}")
    for source in (file, tmp_path):
        assert main(["outcomes", str(source), "--out", str(file)]) == 1
        assert "this is read, from" in error_line(capsys)
    assert file.read_text() == "{}"


def test_labels_of_simulated_outcomes_come_with_a_warning(tmp_path: Path, capsys: Printed) -> None:
    file, out = tmp_path / "t.jsonl", str(tmp_path / "labels.jsonl")
    rows = [
        {"prompt": f"what is {n}?", "score:cheap": n % 2, "score:premium": 1, "simulated": True}
        for n in range(30)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["outcomes", str(file), "--out", out]) == 0
    assert "these outcomes are simulated: no model answered" in " ".join(capsys.readouterr().out.split())
    file.write_text(file.read_text().replace(', "simulated": true', ""))
    assert main(["outcomes", str(file), "--out", out]) == 0
    assert "these outcomes are simulated" not in " ".join(capsys.readouterr().out.split())


def test_one_tier_is_no_choice(table: Path, capsys: Printed) -> None:
    assert main(["train", str(table), "--tiers", "cheap", "--no-tracking"]) == 1
    assert "give at least two of cheap, balanced, premium" in error_line(capsys)
    assert main(["train", str(table), "--settings", "outcome", "--no-tracking"]) == 1
    assert "no preset (default, outcomes)" in error_line(capsys)


def test_a_weight_of_zero_is_refused(table: Path, capsys: Printed) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["outcomes", str(table), *NAMES, "--tie-weight", "0"])
    assert "would drop these prompts" in capsys.readouterr().err

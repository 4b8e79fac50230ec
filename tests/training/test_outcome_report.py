import json
from pathlib import Path

import pytest

from classifier import TIERS
from tests.training.outcome_tables import PAIR, rows_of, write_csv
from training.errors import DataError, OutputError
from training.labelled import read_labelled
from training.outcome_files import OutcomeReading, read_outcome_files, read_outcomes
from training.outcome_labelled import labelled_outcomes, sampled_prompts
from training.outcome_labels import label_outcomes
from training.outcome_report import outcome_report, refuse_one_tier
from training.outcome_report_text import next_commands, outcome_report_text
from training.outcome_writing import write_labelled_outcomes


@pytest.fixture
def reading(tmp_path: Path) -> OutcomeReading:
    rows = [{**row, "source": "quiz", "usd:small": 0.001, "usd:large": 0.01} for row in rows_of()]
    again = [{**rows[0], "small": 1}, {**rows[2], "small": 0}]
    return read_outcome_files(write_csv(tmp_path / "t.csv", [*rows, *again]), PAIR)


def test_the_report_counts_what_the_labels_are_made_of(reading: OutcomeReading) -> None:
    labels = label_outcomes(reading.table.scores, reading.table.tiers, tie_weight=0.2)
    report = outcome_report(reading, labels)
    cheap, premium = report.tiers
    assert (report.rows, report.prompts, report.disagreeing) == (32, 30, 1)
    assert (cheap.labels, premium.labels, cheap.best_alone, premium.best_alone) == (15, 15, 0, 15)
    assert (report.nobody, report.everybody) == (0, 16)
    assert premium.mean_score == 1.0
    assert cheap.mean_usd == pytest.approx(0.001)
    assert report.weight == pytest.approx(15 * 0.2 + 14 + 0.6)  # ties, solved by one, half solved
    assert premium.label_weight == pytest.approx(14.6)
    assert report.noise_prompts == 2


def test_a_label_within_two_standard_errors_is_shaky(reading: OutcomeReading) -> None:
    report = outcome_report(reading, label_outcomes(reading.table.scores, reading.table.tiers))
    # One answer each: the error of a difference of 1 is 0.5; the prompt of two has 0.5 and 0.35.
    assert report.shaky == pytest.approx(1 / 15)


def test_the_text_says_it_all(reading: OutcomeReading) -> None:
    labels = label_outcomes(reading.table.scores, reading.table.tiers)
    commands = next_commands("my labels.jsonl", "m.tierwise", ["cheap", "premium"])
    text = outcome_report_text(outcome_report(reading, labels), "my labels.jsonl", commands)
    assert "32 rows, 30 different prompts; 1 with different scores" in text
    assert "left out  nothing" in text
    assert "by nobody 0 (0.0%), by every tier 16 (53.3%)" in text
    assert "python -m training train 'my labels.jsonl' --settings outcomes --tiers cheap premium" in text
    assert json.loads(json.dumps(outcome_report(reading, labels).as_dict()))["prompts"] == 30


def test_a_tier_that_is_never_the_label_is_told(tmp_path: Path) -> None:
    rows = [{**row, "middle": 0} for row in rows_of()]
    found = read_outcome_files(
        write_csv(tmp_path / "t.csv", rows), type(PAIR)(cheap="small", balanced="middle", premium="large")
    )
    report = outcome_report(found, label_outcomes(found.table.scores, found.table.tiers))
    assert any("'balanced' (middle) never is the label" in warning for warning in report.warnings)
    assert any("scores more on average than 'balanced'" in warning for warning in report.warnings)


def test_labels_of_one_tier_are_refused(tmp_path: Path) -> None:
    rows = [{**row, "small": 1} for row in rows_of()]
    table = read_outcomes(write_csv(tmp_path / "t.csv", rows), PAIR)
    with pytest.raises(DataError, match=r"every label comes out as 'cheap' \('small'\)"):
        refuse_one_tier(table, label_outcomes(table.scores, table.tiers))


def test_the_written_file_is_a_labelled_set_and_the_same_outcomes(
    reading: OutcomeReading, tmp_path: Path
) -> None:
    table, out = reading.table, tmp_path / "labels.jsonl"
    labels = label_outcomes(table.scores, table.tiers)
    write_labelled_outcomes(out, table, reading.source.described(), labels)
    again = read_outcomes(out)
    assert again.scores.tolist() == table.scores.tolist()
    assert list(again.prompts) == list(table.prompts)
    data = read_labelled(out, tiers=[TIERS[0], TIERS[2]])
    assert data.frame["tier"].tolist() == labels.tiers.tolist()
    assert data.frame["weight"].tolist() == pytest.approx(labels.weights.tolist())
    every = labelled_outcomes(reading.source, labels, sampled_prompts(len(table), 100, seed=0))
    assert every.digest == data.digest


def test_some_prompts_can_be_drawn(reading: OutcomeReading) -> None:
    labels = label_outcomes(reading.table.scores, reading.table.tiers)
    kept = sampled_prompts(len(reading.table), 7, seed=3)
    drawn = labelled_outcomes(reading.source, labels, kept)
    assert drawn.frame["prompt"].tolist() == [f"question {place}" for place in kept]
    assert drawn.frame["tier"].tolist() == labels.tiers[kept].tolist()


def test_a_file_that_cannot_be_written_leaves_nothing_behind(reading: OutcomeReading, tmp_path: Path) -> None:
    labels = label_outcomes(reading.table.scores, reading.table.tiers)
    with pytest.raises(OutputError, match="could not be written"):
        write_labelled_outcomes(
            tmp_path / "nowhere" / "l.jsonl", reading.table, reading.source.described(), labels
        )
    (tmp_path / "t.csv").write_text("prompt,small,large\n")
    with pytest.raises(DataError, match="changed"):
        write_labelled_outcomes(tmp_path / "l.jsonl", reading.table, reading.source.described(), labels)
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]

"""Contests between worker processes, and how sections break off."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.cli import main, section_rows
from tests.benchmarks.material import Choices, Material
from tests.benchmarks.outcomes import outcome_rows
from tests.benchmarks.peers import Worker
from tests.benchmarks.quality import held_out_accuracy
from tests.benchmarks.row import Row, Unavailable
from tests.benchmarks.timing import Contender, Result, run_contest
from tests.benchmarks.workers.protocol import fastest


def worker(name: str, module: str) -> Contender:
    return Contender(name, lambda: Worker.start(name, Path(sys.executable), module), repeats=2)


def silent(_: str) -> None:
    """Nobody listens to the progress."""


def test_contenders_take_turns_and_one_that_cannot_start_says_why() -> None:
    contenders = [worker("echo", "echo"), worker("absent", "no_such_module")]
    results = run_contest(contenders, ["a", "bb", "ccc"], [("a", 0)], rounds=2, say=silent)
    assert results["echo"].tiers == [1, 2, 0]
    assert len(results["echo"].nanoseconds) == 3
    assert results["echo"].microseconds > 0
    assert "no_such_module" in results["absent"].problem


def test_each_prompt_keeps_its_fastest_call() -> None:
    result = Result()
    result.improve([5, 7])
    result.improve([6, 3])
    assert result.nanoseconds == [5, 3]


def test_the_fastest_of_several_calls_is_told() -> None:
    calls: list[str] = []
    assert fastest(calls.append, "x", 4) > 0
    assert calls == ["x"] * 4


def test_a_section_that_breaks_off_keeps_its_rows_and_says_why(tmp_path: Path) -> None:
    def section(_: Material) -> Iterator[Row]:
        yield Row("first", 1.0)
        raise Unavailable("no peer here")

    rows = section_rows(section, Material(Choices(tmp_path, tmp_path, tmp_path)))
    assert [row.what for row in rows] == ["first", "the rest of this section"]
    assert "no peer here" in rows[1].note


def test_tables_of_outcomes_that_are_not_there_are_skipped(tmp_path: Path) -> None:
    rows = list(outcome_rows(Material(Choices(tmp_path, tmp_path, tmp_path))))
    assert [row.figure for row in rows] == [None, None]
    assert all("skipped: no " in row.note for row in rows)


def test_accuracy_is_a_mean_over_sources_not_over_rows() -> None:
    mean, note = held_out_accuracy(np.array([0, 0, 2]), np.array([0, 0, 0]), np.array(["a", "a", "b"]))
    assert mean == 0.5
    assert "0.667 of them right, 0.333 off by two tiers" in note


def test_json_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["outcomes", "--outcomes", str(tmp_path), "--json", str(tmp_path / "no" / "file.json")]
    assert main(options) == 1
    assert "cannot be written" in capsys.readouterr().err

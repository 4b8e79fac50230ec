"""The format of a feedback log: what is read, and what is wrong with the rest."""

import json
from pathlib import Path
from typing import Any

import pytest

from classifier import Tier
from training.errors import DataError, RowError
from training.feedback_rows import FeedbackRow, feedback_files, read_feedback

FULL: dict[str, Any] = {
    "request_id": "r1",
    "time": "2026-11-22T19:00:00Z",
    "prompt": "What is DNA?",
    "tier": "cheap",
    "model": "m",
    "model_version": "7857009118ec",
    "policy": "risk at most 0.375",
    "probabilities": {"cheap": 0.7, "balanced": 0.2, "premium": 0.1},
    "thumb": "down",
    "retried": True,
    "escalated_to": "balanced",
    "escalated_thumb": "up",
    "chosen_by": "exploration",
    "propensity": 0.05,
    "language": "en",
    "domain": "science",
    "something_else": [1, 2],
}


def raising(error: RowError) -> None:
    raise error


def read(folder: Path, *rows: dict[str, Any]) -> list[FeedbackRow]:
    file = folder / "log.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return [row for found in feedback_files(file) for row in read_feedback(found, raising)]


def test_a_full_row_is_read(tmp_path: Path) -> None:
    (row,) = read(tmp_path, FULL)
    assert (row.request_id, row.tier, row.thumb, row.retried) == ("r1", Tier.CHEAP, -1, True)
    assert (row.escalated_to, row.escalated_thumb) == (Tier.BALANCED, 1)
    assert row.probabilities == pytest.approx((0.7, 0.2, 0.1))
    assert (row.chosen_by, row.propensity, row.language, row.domain) == ("exploration", 0.05, "en", "science")
    assert not row.is_silent


@pytest.mark.parametrize("absent", [{}, dict.fromkeys([*FULL][6:])], ids=["left out", "null"])
def test_what_is_absent_is_null(tmp_path: Path, absent: dict[str, None]) -> None:
    conversation = [{"role": "user", "content": "hi"}]
    (row,) = read(tmp_path, {"messages": conversation, "tier": "premium", **absent})
    assert row.is_silent
    assert (row.prompt, row.probabilities, row.propensity, row.chosen_by) == (conversation, None, None, "")


def test_probabilities_may_be_a_list_and_rounded(tmp_path: Path) -> None:
    (row,) = read(tmp_path, {**FULL, "probabilities": [0.333, 0.333, 0.333]})
    assert row.probabilities == pytest.approx((1 / 3, 1 / 3, 1 / 3))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"tier": "gold"}, "column 'tier': unknown tier 'gold'; write cheap"),
        ({"tier": None}, "column 'tier': no tier; write the tier that answered"),
        ({"prompt": ""}, "column 'prompt': empty"),
        ({"thumb": 1}, "column 'thumb': 1 is no thumb"),
        ({"thumb": "sideways"}, '\'sideways\' is no thumb; write "up", "down" or null'),
        ({"retried": "yes"}, "column 'retried': 'yes' is neither true nor false"),
        ({"escalated_to": "cheap"}, "'cheap' is not above 'cheap', which answered first"),
        ({"escalated_to": None}, "a thumb for an escalation, but no 'escalated_to'"),
        ({"chosen_by": "fate"}, "column 'chosen_by': 'fate'; write policy, caller, exploration or null"),
        ({"propensity": 0}, "column 'propensity': 0 is no probability"),
        ({"propensity": True}, "column 'propensity': True is no probability"),
        ({"probabilities": [0.5, 0.5]}, "column 'probabilities': .* one number in"),
        ({"probabilities": {"cheap": 1.0}}, "column 'probabilities': .* one number in"),
        ({"probabilities": [0.5, 0.9, 0.1]}, "they sum to 1.5; probabilities sum to 1"),
        ({"probabilities": [float("nan"), 0.5, 0.5]}, "one number in"),
        ({"request_id": 1.5}, "column 'request_id': 1.5 is a number; give text"),
    ],
    ids=str,
)
def test_bad_rows_say_where_and_what(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    with pytest.raises(RowError, match=problem) as caught:
        read(tmp_path, {"prompt": "fine", "tier": "cheap"}, {**FULL, **change})
    assert "log.jsonl: row 2 (line 2)" in str(caught.value)


def test_a_misspelt_signal_is_no_silence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'thumbs' is no signal; did you mean 'thumb'"):
        read(tmp_path, {"prompt": "x", "tier": "cheap", "thumbs": "up"})


def test_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("prompt,tier\nx,cheap\n", encoding="utf-8")
    for path in (tmp_path / "log.csv", tmp_path):
        with pytest.raises(DataError, match="a feedback log is JSON Lines"):
            feedback_files(path)

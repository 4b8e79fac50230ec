"""Logs of every kind, read row by row and once more for the chosen ones."""

import json
from pathlib import Path
from typing import Any

import pandas
import pytest

from training.errors import DataError, RowError
from training.picking_log import LONGEST_PROMPT, LoggedPrompt, full_rows, log_files, read_log

ROWS: list[dict[str, Any]] = [
    {"id": "x1", "prompt": "What is  DNA?", "user": 7, "language": "en"},
    {"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "what is dna?"}]},
    {"prompt": "<system-reminder>tidy up</system-reminder>What is DNA?", "extra": {"a": [1]}},
]


def raising(error: RowError) -> None:
    raise error


def read(path: Path) -> list[LoggedPrompt]:
    return [row for file in log_files(path) for row in read_log(file, raising)]


def write_json(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    return path


def test_what_is_asked_has_neither_injected_blocks_nor_other_peoples_words(tmp_path: Path) -> None:
    rows = read(write_json(tmp_path / "log.jsonl", ROWS))
    assert [row.asked for row in rows] == ["what is dna?"] * 3
    assert [row.language for row in rows] == ["en", "", ""]
    assert [row.problem for row in rows] == ["", "", ""]


def test_chosen_rows_keep_their_columns_and_get_an_id(tmp_path: Path) -> None:
    rows = read(write_json(tmp_path / "log.jsonl", ROWS))
    found = list(full_rows([row.place for row in reversed(rows)]))
    assert found[0] == {**ROWS[2], "id": "log.jsonl:3"}
    assert found[1] == {**ROWS[1], "id": "log.jsonl:2"}
    assert found[2] == ROWS[0]


def test_columns_that_only_late_rows_have_are_kept(tmp_path: Path) -> None:
    rows = [{"prompt": f"question {n}", "id": n} for n in range(200)] + [{"prompt": "last", "late": True}]
    last = read(write_json(tmp_path / "log.jsonl", rows))[-1]
    assert list(full_rows([last.place])) == [{"prompt": "last", "late": True, "id": "log.jsonl:201"}]


def test_text_has_one_prompt_a_line(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_bytes("\ufeffWhat is DNA?\r\n\n  \nÜber uns?\n".encode())
    rows = read(tmp_path / "log.txt")
    assert [(row.prompt, row.place.row, row.place.line) for row in rows] == [
        ("What is DNA?", 1, 1),
        ("Über uns?", 2, 4),
    ]
    assert list(full_rows([rows[1].place])) == [{"prompt": "Über uns?", "id": "log.txt:2"}]


@pytest.mark.parametrize("name", ["log.csv", "log.parquet"])
def test_tables_keep_their_columns(tmp_path: Path, name: str) -> None:
    table = pandas.DataFrame({"prompt_id": ["a", "b"], "prompt": ["one?", "two?"], "day": ["mo", "tu"]})
    table.to_csv(tmp_path / "log.csv", index=False)
    table.to_parquet(tmp_path / "log.parquet", index=False)
    rows = read(tmp_path / name)
    expected = {"prompt_id": "b", "prompt": "two?", "day": "tu", "id": f"{name}:2"}
    assert list(full_rows([rows[1].place])) == [expected]


PICTURE = {"type": "image_url", "image_url": {"url": "data:,"}}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        pytest.param(
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "what?"}, PICTURE]}]},
            "with pictures, sound or files",
            id="a picture",
        ),
        pytest.param(
            {"messages": [{"role": "user", "content": "ls"}, {"role": "tool", "content": "a.txt"}]},
            "that end with a tool's result",
            id="a tool's turn",
        ),
        pytest.param(
            {"prompt": "x" * (LONGEST_PROMPT + 1)}, "longer than 200,000 characters", id="a very long one"
        ),
    ],
)
def test_rows_that_cannot_be_labelled_say_why(tmp_path: Path, row: dict[str, Any], problem: str) -> None:
    assert [found.problem for found in read(write_json(tmp_path / "log.jsonl", [row]))] == [problem]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        pytest.param(
            "log.jsonl", b'{"prompt": 3}\n', r"row 1 \(line 1\), column 'prompt': 3 is a number", id="number"
        ),
        pytest.param("log.jsonl", b'{"text": "hi"}\n', r"column 'prompt': empty", id="another column"),
        pytest.param("log.csv", b"text\nhi\n", r"no column 'prompt' or 'messages'", id="no column"),
        pytest.param(
            "log.txt", b"fine\n\xff\xfe\n", r"row 2 \(line 2\): not UTF-8: byte 0xff", id="no UTF-8"
        ),
        pytest.param("log.pdf", b"x", r"unknown kind of file '\.pdf'; .* or text with one", id="no log"),
    ],
)
def test_bad_logs_say_where_and_what(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=problem):
        read(tmp_path / name)


def test_a_log_that_changed_in_between_is_noticed(tmp_path: Path) -> None:
    rows = read(write_json(tmp_path / "log.jsonl", ROWS))
    write_json(tmp_path / "log.jsonl", ROWS[:1])
    with pytest.raises(DataError, match="the file changed while it was being read"):
        list(full_rows([rows[2].place]))

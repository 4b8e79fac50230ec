import csv
from pathlib import Path

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.errors import DataError, RowError
from training.table_files import RawRow, Schema, column_names, find_files, read_rows

SCHEMA = Schema(required=(("tier",), ("prompt", "messages")), optional=("weight",))
AWKWARD = [
    "NA",
    "null",
    "None",
    "nan",
    "123",
    "001",
    "1e5",
    "True",
    "2024-01-01",
    " padded ",
    "a,b",
    'say "hi"',
    "two\nlines",
    "日本",
    "#x",
]


def fail(error: RowError) -> None:
    raise error


def read(file: Path) -> list[RawRow]:
    return list(read_rows(file, SCHEMA, fail))


def prompts(file: Path) -> list[object]:
    return [row.cells["prompt"] for row in read(file)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.jsonl", "a.csv", "README.md", ".hidden.csv", "LICENSE", "c.PARQUET"):
        (tmp_path / name).touch()
    (tmp_path / "folder.csv").mkdir()
    return tmp_path


def test_a_folder_gives_its_data_files_by_name(folder: Path) -> None:
    assert [file.name for file in find_files(folder)] == ["a.csv", "b.jsonl", "c.PARQUET"]


def test_a_file_gives_itself(folder: Path) -> None:
    assert find_files(folder / "a.csv") == [folder / "a.csv"]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        pytest.param("none.csv", r"none\.csv: no such file or folder$", id="missing"),
        pytest.param(
            "README.md", r"README\.md: unknown kind of file '\.md'; expected CSV", id="another kind"
        ),
        pytest.param("LICENSE", r"unknown kind of file ''; expected CSV \(\.csv\), JSON Lines", id="no kind"),
        pytest.param(
            "folder.csv", r"folder\.csv: no data files in this folder; expected CSV", id="empty folder"
        ),
        pytest.param("x" * 300 + ".csv", r"cannot be read: File name too long$", id="name too long"),
    ],
)
def test_what_is_no_data_is_refused(folder: Path, name: str, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        find_files(folder / name)


def test_a_file_that_cannot_be_opened_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"folder\.csv: cannot be read: Is a directory$"):
        read(folder / "folder.csv")


# --- every format


def csv_of(texts: list[str], file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["prompt", "tier"], *([text, "cheap"] for text in texts)])


def json_of(texts: list[str], file: Path) -> None:
    pandas.DataFrame({"prompt": texts, "tier": "cheap"}).to_json(file, orient="records", lines=True)


def parquet_of(texts: list[str], file: Path) -> None:
    pandas.DataFrame({"prompt": texts, "tier": "cheap"}).to_parquet(file)


FORMATS = pytest.mark.parametrize(
    ("name", "write"),
    [
        pytest.param("a.csv", csv_of, id="csv"),
        pytest.param("a.jsonl", json_of, id="json lines"),
        pytest.param("a.parquet", parquet_of, id="parquet"),
    ],
)


@FORMATS
def test_text_stays_what_it_is(tmp_path: Path, name: str, write: object) -> None:
    assert callable(write)
    write(AWKWARD, tmp_path / name)
    assert prompts(tmp_path / name) == AWKWARD


@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_any_text_survives_csv(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    file = tmp_path_factory.mktemp("any") / "a.csv"
    csv_of(texts, file)
    assert prompts(file) == texts


def test_ndjson_is_json_lines(tmp_path: Path) -> None:
    json_of(["hi"], tmp_path / "a.ndjson")
    assert prompts(tmp_path / "a.ndjson") == ["hi"]


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    return tmp_path / "a.csv"


# --- text files


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_utf_16_is_refused(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"a.{kind}"
    file.write_text("prompt,tier\nhi,cheap\n", encoding="utf-16")
    with pytest.raises(DataError, match=rf"a\.{kind}: the text is in UTF-16; save the file as UTF-8"):
        read(file)


@pytest.mark.parametrize(
    ("kind", "text", "line", "offset"),
    [
        pytest.param("csv", "prompt,tier\nhi,cheap\ncafé?,cheap\n", 3, 24, id="csv"),
        pytest.param("jsonl", '{"prompt": "café", "tier": "cheap"}\n', 1, 15, id="json lines"),
    ],
)
def test_another_encoding_is_refused_with_its_line_and_offset(
    tmp_path: Path, kind: str, text: str, line: int, offset: int
) -> None:
    file = tmp_path / f"a.{kind}"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match=rf"line {line} is not UTF-8: byte 0xe9 at offset {offset};"):
        read(file)


def test_the_offset_counts_a_byte_order_mark(csv_file: Path) -> None:
    csv_file.write_bytes(b"\xef\xbb\xbf\xe9")
    with pytest.raises(DataError, match="byte 0xe9 at offset 3;"):
        read(csv_file)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_windows_line_ends_and_a_byte_order_mark_are_no_part_of_the_text(tmp_path: Path, kind: str) -> None:
    texts = {"csv": "prompt,tier\nhi,cheap\n", "jsonl": '{"prompt": "hi", "tier": "cheap"}\n'}
    file = tmp_path / f"a.{kind}"
    file.write_bytes(b"\xef\xbb\xbf" + texts[kind].replace("\n", "\r\n").encode())
    assert [dict(row.cells) for row in read(file)] == [{"prompt": "hi", "tier": "cheap"}]


# --- CSV


def test_csv_rows_know_the_line_that_they_begin_on(csv_file: Path) -> None:
    csv_file.write_text('prompt,tier\n"two\nlines",cheap\n\none,cheap\n')
    assert [(row.place.row, row.place.line) for row in read(csv_file)] == [(1, 2), (2, 5)]


def test_csv_columns_may_stand_in_any_order_among_others(csv_file: Path) -> None:
    csv_file.write_text("note, tier ,prompt,date\nx,cheap,hi,1\n")
    assert [dict(row.cells) for row in read(csv_file)] == [{"tier": "cheap", "prompt": "hi"}]


def test_a_csv_cell_may_be_a_long_document(csv_file: Path) -> None:
    limit = csv.field_size_limit()
    csv_of(["x" * 200_000], csv_file)
    assert prompts(csv_file) == ["x" * 200_000]
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", r"a\.csv: the file is empty; the first line names the columns", id="empty"),
        pytest.param(
            "text,tier\nhi,cheap\n",
            "no column 'prompt' or 'messages'; the columns are: text, tier",
            id="no prompt",
        ),
        pytest.param(
            "prompt,label\nhi,cheap\n", "no column 'tier'; the columns are: prompt, label", id="no tier"
        ),
        pytest.param(
            "prompt,tier,prompt\n", "column 'prompt' stands there more than once", id="repeated column"
        ),
        pytest.param(
            "prompt;tier\nhi;cheap\n", "not separated by commas; save the file with commas", id="semicolons"
        ),
        pytest.param("prompt\ttier\nhi\tcheap\n", "not separated by commas", id="tabs"),
        pytest.param(
            'prompt,tier\nhi,cheap\n"hi,cheap\n',
            "broken CSV in the record that begins on line 3: unexpected end",
            id="open quote",
        ),
        pytest.param(
            'prompt,tier\n"hi"x,cheap\n', "broken CSV in the record that begins on line 2", id="stray quote"
        ),
        pytest.param(
            "prompt,tier\rhi,cheap\r", "broken CSV in the record that begins on line 1", id="carriage returns"
        ),
        pytest.param(
            "prompt,tier\na,b,cheap\n",
            r"row 1 \(line 2\): 3 cells where the header has 2 columns; quote cells",
            id="row too long",
        ),
        pytest.param(
            "prompt,tier\nhi,cheap\nhi\n",
            r"row 2 \(line 3\): 1 cell where the header has 2 columns",
            id="row too short",
        ),
    ],
)
def test_csv_that_is_wrong_is_refused(csv_file: Path, text: str, complaint: str) -> None:
    csv_file.write_bytes(text.encode())
    with pytest.raises(DataError, match=complaint):
        read(csv_file)


# --- JSON Lines


def test_only_a_line_feed_ends_a_json_line(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"prompt": "a\u2028b\u0085c", "tier": "cheap"}\n', encoding="utf-8")
    assert prompts(file) == ["a\u2028b\u0085c"]


def test_blank_json_lines_are_no_rows_but_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('\n{"prompt": "a", "tier": "cheap"}\n  \n{"prompt": "b", "tier": "cheap"}\n\n')
    assert [(row.place.row, row.place.line) for row in read(file)] == [(1, 2), (2, 4)]


def test_broken_json_on_line_812_is_found_there(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    good = '{"prompt": "hi", "tier": "cheap"}\n'
    file.write_text(good * 811 + '{"prompt": "hi" "tier": "cheap"}\n' + good)
    complaint = r"a\.jsonl: row 812 \(line 812\): broken JSON at character 17: Expecting ',' delimiter"
    with pytest.raises(RowError, match=complaint):
        read(file)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(
            "[\n", r"row 1 \(line 1\): broken JSON .*; expected one JSON object a line", id="array over lines"
        ),
        pytest.param("[{}]\n", "a JSON list where one JSON object a line is expected", id="array"),
        pytest.param("7\n", "a JSON int where one JSON object a line is expected", id="number"),
        pytest.param(
            '{"prompt": "a", "prompt": "b"}\n',
            "'prompt' stands more than once in one object",
            id="repeated name",
        ),
        pytest.param(
            '{"weight": ' + "9" * 5000 + "}\n",
            "JSON that cannot be used: Exceeds the limit",
            id="endless number",
        ),
        pytest.param(
            "[" * 100_000 + "\n", "JSON that cannot be used: maximum recursion depth", id="endless nesting"
        ),
    ],
)
def test_json_that_is_wrong_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(text)
    with pytest.raises(RowError, match=complaint):
        read(file)


def test_after_a_broken_line_reading_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"prompt": "a"}\n{\n{"prompt": "b"}\n')
    bad: list[RowError] = []
    rows = list(read_rows(file, SCHEMA, bad.append))
    assert [row.cells["prompt"] for row in rows] == ["a", "b"]
    assert [error.place.line for error in bad] == [2]


# --- Parquet


def test_parquet_keeps_lists_of_messages(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "hi"}]
    pandas.DataFrame({"messages": [messages], "tier": ["cheap"]}).to_parquet(tmp_path / "a.parquet")
    assert [row.cells["messages"] for row in read(tmp_path / "a.parquet")] == [messages]


def test_parquet_keeps_what_is_missing_missing(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"prompt": ["a", None], "weight": [None, 0.5], "tier": ["cheap", "cheap"]})
    frame.to_parquet(tmp_path / "a.parquet")
    rows = read(tmp_path / "a.parquet")
    assert [(row.cells["prompt"], row.cells["weight"]) for row in rows] == [("a", None), (None, 0.5)]
    assert [(row.place.row, row.place.line) for row in rows] == [(1, None), (2, None)]


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"prompt,tier\nhi,cheap\n", b"PAR1" + b"\x00" * 64 + b"PAR1"]
)
def test_what_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.parquet"
    file.write_bytes(content)
    with pytest.raises(
        DataError, match=r"^[^\n]*a\.parquet: (not a Parquet file that can|cannot) be read: [^\n]+$"
    ):
        read(file)


def test_parquet_without_a_tier_is_refused(tmp_path: Path) -> None:
    pandas.DataFrame({"prompt": ["hi"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="no column 'tier'; the columns are: prompt"):
        read(tmp_path / "a.parquet")


def test_the_names_of_columns_are_told_without_reading_the_rows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("prompt, score \nbroken\n")
    (tmp_path / "t.jsonl").write_text('{"prompt": "a"}\n\nbroken\n{"score": 1}\n')
    pandas.DataFrame({"prompt": ["a"], "score": [1]}).to_parquet(tmp_path / "t.parquet")
    names = [column_names(tmp_path / f"t.{kind}") for kind in ("csv", "jsonl", "parquet")]
    assert names == [["prompt", "score"]] * 3


def test_names_of_a_file_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text("broken\n")
    (tmp_path / "t.parquet").write_text("no")
    with pytest.raises(DataError, match=r"row 1 \(line 1\): broken JSON"):
        column_names(tmp_path / "t.jsonl")
    with pytest.raises(DataError, match="not a Parquet file"):
        column_names(tmp_path / "t.parquet")
    with pytest.raises(DataError, match="cannot be read"):
        column_names(tmp_path / "nowhere.csv")

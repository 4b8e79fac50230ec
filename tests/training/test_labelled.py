import csv
import random
from collections.abc import Callable
from pathlib import Path

import numpy
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import Tier
from tests.training.conftest import DATA, WriteRows
from training.errors import DataError
from training.labelled import LabelledData, SkippedRow, read_labelled

Rows = list[dict[str, object]]


def test_rows_become_a_table(rows: Rows, write_jsonl: WriteRows) -> None:
    frame = read_labelled(write_jsonl(rows)).frame
    columns = "id prompt text tier weight source language domain is_conversation characters"
    assert list(frame.columns) == columns.split()
    assert frame["prompt"].tolist() == [row["prompt"] for row in rows]
    assert frame["tier"].tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert frame["id"].tolist() == [f"prompts.jsonl:{number}" for number in range(1, 16)]
    assert list(frame.index) == list(range(15))


def test_the_project_data_is_whole(labelled: LabelledData) -> None:
    lines = {
        name: len((DATA / name).read_bytes().splitlines())
        for name in ("prompts.jsonl", "conversations.jsonl")
    }
    assert len(labelled) == sum(lines.values())
    assert labelled.skipped == ()
    assert labelled.repeated == 0
    assert labelled.frame["is_conversation"].sum() == lines["conversations.jsonl"]
    assert labelled.frame["id"].is_unique
    assert not (labelled.frame[["source", "language", "domain"]] == "").any(axis=None)


def as_csv(rows: Rows, folder: Path) -> Path:
    with (folder / "a.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["prompt", "tier", "weight"])
        writer.writeheader()
        writer.writerows(rows)
    return folder / "a.csv"


def as_parquet(rows: Rows, folder: Path) -> Path:
    pandas.DataFrame(rows).to_parquet(folder / "a.parquet")
    return folder / "a.parquet"


@pytest.mark.parametrize("write", [as_csv, as_parquet], ids=["csv", "parquet"])
def test_the_format_makes_no_difference(
    rows: Rows, write_jsonl: WriteRows, tmp_path: Path, write: Callable[[Rows, Path], Path]
) -> None:
    weighted = [row | {"weight": 0.5} for row in rows]
    expected, found = read_labelled(write_jsonl(weighted)), read_labelled(write(weighted, tmp_path))
    assert found.digest == expected.digest
    pandas.testing.assert_frame_equal(found.frame.drop(columns="id"), expected.frame.drop(columns="id"))


def test_a_folder_is_read_as_one(rows: Rows, tmp_path: Path) -> None:
    pandas.DataFrame(rows[:7]).to_json(tmp_path / "b.jsonl", orient="records", lines=True)
    pandas.DataFrame(rows[7:]).to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "README.md").write_text("No data here.")
    data = read_labelled(tmp_path)
    assert data.frame["prompt"].tolist() == [row["prompt"] for row in rows[7:] + rows[:7]]


# --- the digest


def test_the_order_of_rows_does_not_change_the_digest(rows: Rows, write_jsonl: WriteRows) -> None:
    digest = read_labelled(write_jsonl(rows)).digest
    shuffled = random.Random(0).sample(rows, len(rows))  # noqa: S311 - no secret
    assert read_labelled(write_jsonl(shuffled)).digest == digest
    assert len(digest) == 64


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"prompt": "capital of peru?"}, id="a letter's case"),
        pytest.param({"tier": "balanced"}, id="tier"),
        pytest.param({"weight": 2}, id="weight"),
        pytest.param({"source": "s"}, id="source"),
        pytest.param({"language": "en"}, id="language"),
        pytest.param({"domain": "daily"}, id="domain"),
    ],
)
def test_any_other_content_changes_the_digest(
    rows: Rows, write_jsonl: WriteRows, change: dict[str, object]
) -> None:
    rows.append({"prompt": "a sixth", "tier": "cheap"})
    digest = read_labelled(write_jsonl(rows)).digest
    assert read_labelled(write_jsonl([rows[0] | change, *rows[1:]])).digest != digest


def test_a_row_that_stands_twice_changes_the_digest(rows: Rows, write_jsonl: WriteRows) -> None:
    digest = read_labelled(write_jsonl(rows)).digest
    assert read_labelled(write_jsonl([*rows, rows[0]])).digest != digest


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_order_changes_the_digest(small_labelled: LabelledData, seed: int) -> None:
    shuffled = small_labelled.frame.sample(frac=1, random_state=seed)
    assert LabelledData(shuffled).digest == small_labelled.digest


def test_choosing_rows_numbers_them_anew(small_labelled: LabelledData) -> None:
    chosen = small_labelled.where(numpy.arange(len(small_labelled)) >= len(small_labelled) - 2)
    assert list(chosen.frame.index) == [0, 1]
    assert chosen.digest != small_labelled.digest


# --- what is wrong with the data as a whole


def test_repeated_rows_are_kept_and_counted(rows: Rows, write_jsonl: WriteRows) -> None:
    data = read_labelled(write_jsonl([*rows, rows[0], rows[0] | {"prompt": "CAPITAL  of Peru?"}]))
    assert (len(data), data.repeated) == (17, 2)


def test_contradicting_labels_are_refused(rows: Rows, write_jsonl: WriteRows) -> None:
    file = write_jsonl([*rows, {"prompt": "Capital of PERU?", "tier": "premium"}])
    complaint = (
        r"prompts\.jsonl: row 1 \(line 1\), column 'tier': 'cheap', but \S+prompts\.jsonl: row 16 \(line 16\)"
        r" has 'premium' for the same prompt; keep one label for it"
    )
    with pytest.raises(DataError, match=complaint):
        read_labelled(file)


def test_two_tiers_will_do_where_they_are_asked_for(rows: Rows, write_jsonl: WriteRows) -> None:
    file = write_jsonl(rows[:10])
    with pytest.raises(DataError, match="say --tiers cheap balanced to choose between two"):
        read_labelled(file)
    assert set(read_labelled(file, tiers=[Tier.CHEAP, Tier.BALANCED]).frame["tier"]) == {0, 1}
    with pytest.raises(DataError, match=r"row 6 .*'balanced', but only cheap and premium were asked for"):
        read_labelled(file, tiers=[Tier.CHEAP, Tier.PREMIUM])


def test_one_tier_only_is_refused(rows: Rows, write_jsonl: WriteRows) -> None:
    with pytest.raises(DataError, match="every row has the tier 'cheap'; give rows of all three tiers"):
        read_labelled(write_jsonl(rows[:5]))


@pytest.mark.parametrize(
    ("count", "complaint"),
    [
        pytest.param(14, r"too few rows of a tier \(4 of 'premium'\); give at least 5 of each", id="4 of 5"),
        pytest.param(10, r"too few rows of a tier \(0 of 'premium'\)", id="none"),
        pytest.param(6, r"\(1 of 'balanced', 0 of 'premium'\)", id="two tiers"),
    ],
)
def test_fewer_than_a_handful_of_a_tier_are_refused(
    rows: Rows, write_jsonl: WriteRows, count: int, complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint):
        read_labelled(write_jsonl(rows[:count]))


def test_data_to_be_judged_on_may_be_small(rows: Rows, write_jsonl: WriteRows) -> None:
    assert len(read_labelled(write_jsonl(rows[:2]), rows_per_tier=0)) == 2


@pytest.mark.parametrize("text", ["", "\n\n"], ids=["no bytes", "blank lines"])
def test_a_file_without_rows_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(
        DataError, match=r"a\.jsonl: the file has no rows; expected one labelled prompt a row"
    ):
        read_labelled(tmp_path)


def test_a_csv_with_a_header_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("prompt,tier\n")
    with pytest.raises(DataError, match=r"a\.csv: the file has no rows"):
        read_labelled(tmp_path / "a.csv")


# --- leaving bad rows out


def test_the_first_bad_row_is_refused(rows: Rows, write_jsonl: WriteRows) -> None:
    file = write_jsonl([*rows, {"prompt": "x", "tier": "cheep"}, {"prompt": "", "tier": "cheap"}])
    with pytest.raises(DataError, match=r"row 16 \(line 16\), column 'tier': unknown tier 'cheep'"):
        read_labelled(file)


def test_on_request_bad_rows_are_left_out_and_listed(rows: Rows, write_jsonl: WriteRows) -> None:
    file = write_jsonl([{"prompt": "x", "tier": "cheep"}, *rows, {"prompt": "", "tier": "cheap"}])
    with file.open("a") as stream:
        stream.write("{\n")
    data = read_labelled(file, skip_bad_rows=True)
    assert len(data) == 15
    assert [(row.row, row.line, row.column) for row in data.skipped] == [
        (1, 1, "tier"),
        (17, 17, "prompt"),
        (18, 18, ""),
    ]
    tier = "unknown tier 'cheep'; write cheap, balanced or premium in small letters"
    assert data.skipped[0] == SkippedRow(file, 1, 1, "tier", tier)


def test_of_contradicting_rows_none_is_kept(rows: Rows, write_jsonl: WriteRows) -> None:
    rows.append({"prompt": "a sixth", "tier": "cheap"})
    rivals: Rows = [{"prompt": "Capital of PERU?", "tier": tier} for tier in ("premium", "cheap", "balanced")]
    data = read_labelled(write_jsonl([*rows, *rivals]), skip_bad_rows=True)
    assert len(data) == 15
    assert "capital of peru?" not in set(data.frame["text"])
    assert [row.row for row in data.skipped] == [1, 17, 18, 19]
    assert all("for the same prompt" in row.problem for row in data.skipped)


def test_ragged_csv_rows_can_be_left_out(rows: Rows, tmp_path: Path) -> None:
    file = as_csv(rows, tmp_path)
    with file.open("a") as stream:
        stream.write("one,two,cheap,1\n")
    assert [row.row for row in read_labelled(file, skip_bad_rows=True).skipped] == [16]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("prompt,label\nhi,cheap\n", "no column 'tier'", id="missing column"),
        pytest.param('prompt,tier\n"hi,cheap\n', "broken CSV", id="broken CSV"),
        pytest.param(
            "prompt,tier\nhi,cheep\n", "no usable row; all 1 were skipped, .* 'cheep'", id="no row left"
        ),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused_all_the_same(
    tmp_path: Path, text: str, complaint: str
) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=complaint):
        read_labelled(tmp_path / "a.csv", skip_bad_rows=True)

from pathlib import Path

import numpy as np
import pytest

from classifier import Tier
from tests.training.outcome_tables import PAIR, Write, rows_of, write_csv, write_jsonl, write_parquet
from training.errors import DataError
from training.outcome_files import OutcomeColumns, Scale, read_outcome_files, read_outcomes


@pytest.mark.parametrize("write", [write_csv, write_jsonl, write_parquet])
def test_every_format_gives_the_same_table(tmp_path: Path, write: Write) -> None:
    table = read_outcomes(write(tmp_path / f"table.{write.__name__.removeprefix('write_')}", rows_of()), PAIR)
    assert table.tiers == (Tier.CHEAP, Tier.PREMIUM)
    assert table.names == ("small", "large")
    assert table.scores.tolist() == [[place % 2, 1.0] for place in range(30)]
    assert list(table.prompts) == [f"question {place}" for place in range(30)]
    assert table.usd is None
    assert table.tokens is None
    assert table.noise is None
    assert table.digest == read_outcomes(write_csv(tmp_path / "again.csv", rows_of()[::-1]), PAIR).digest


def test_no_order_of_rows_changes_the_digest_of_repeated_prompts(tmp_path: Path) -> None:
    scores = (0.1, 0.2, 0.3, 0.7)
    rows = [{"prompt": f"ask {n}", "small": score, "large": 1} for n in range(30) for score in scores]
    digests = {
        read_outcomes(write_csv(tmp_path / "t.csv", rows[turn:] + rows[:turn]), PAIR).digest
        for turn in range(4)
    }
    assert len(digests) == 1


def test_prompts_can_be_read_more_than_once(tmp_path: Path) -> None:
    table = read_outcomes(write_csv(tmp_path / "table.csv", rows_of()), PAIR)
    assert list(table.prompts) == list(table.prompts)


def test_the_columns_of_labelled_outcomes_are_the_defaults(tmp_path: Path) -> None:
    rows = [
        {"prompt": f"ask {n}", "score:cheap": 0.5, "score:balanced": 1, "usd:cheap": 0.1, "usd:balanced": 0.2}
        for n in range(20)
    ]
    table = read_outcomes(write_jsonl(tmp_path / "labels.jsonl", rows))
    assert table.tiers == (Tier.CHEAP, Tier.BALANCED)
    assert table.usd is not None
    assert table.usd[0].tolist() == [0.1, 0.2]


def test_the_layout_of_routerbench_is_read(tmp_path: Path) -> None:
    rows = [
        {
            "prompt": str([f"Solve \\alpha {n}", "And then?"]) if n % 2 else f'["Solve {n}"]',
            "eval_name": "maths",
            "small": 0.25,
            "large": 1.0,
            "small|total_cost": 0.001,
            "large|total_cost": 0.01,
        }
        for n in range(20)
    ]
    reading = read_outcome_files(write_jsonl(tmp_path / "bench.jsonl", rows), PAIR)
    described = list(reading.source.described())
    assert [each.prompt for each in described[:2]] == ["Solve 0", "Solve \\alpha 1\n\nAnd then?"]
    assert {each.source for each in described} == {"maths"}
    assert reading.table.usd is not None
    assert reading.table.usd[0].tolist() == [0.001, 0.01]


def test_a_prompt_that_looks_like_a_list_stays_as_it_is_elsewhere(tmp_path: Path) -> None:
    rows = [{**row, "prompt": f"['sum {place}']"} for place, row in enumerate(rows_of())]
    assert next(iter(read_outcomes(write_csv(tmp_path / "t.csv", rows), PAIR).prompts)) == "['sum 0']"


def test_a_long_table_gives_what_the_wide_one_does(tmp_path: Path) -> None:
    long = [
        {"prompt": row["prompt"], "model": model, "score": row.get(model, 0), "cost": 0.5}
        for row in rows_of()
        for model in ("small", "other", "large")
    ]
    reading = read_outcome_files(write_csv(tmp_path / "long.csv", long), PAIR)
    wide = read_outcomes(write_csv(tmp_path / "wide.csv", rows_of()), PAIR)
    assert reading.table.scores.tolist() == wide.scores.tolist()
    assert list(reading.table.prompts) == list(wide.prompts)
    assert reading.table.usd is not None
    assert (reading.rows, reading.left_out.unnamed, reading.table.repeats.max()) == (60, 30, 1)


def test_repeated_prompts_become_one_with_the_mean_of_their_scores(tmp_path: Path) -> None:
    again = [
        {"prompt": "  QUESTION 0 ", "small": 1, "large": 1},
        {"prompt": "question 1", "small": 1, "large": 1},
    ]
    reading = read_outcome_files(write_csv(tmp_path / "t.csv", [*rows_of(), *again]), PAIR)
    assert len(reading.table) == 30
    assert reading.table.scores[:2].tolist() == [[0.5, 1.0], [1.0, 1.0]]
    assert reading.table.repeats[:3].tolist() == [2, 2, 1]
    assert (reading.rows, reading.disagreeing) == (32, 1)
    assert reading.noise is not None
    assert reading.noise.by_tier.tolist() == [0.5, 0.0]  # squares 0.5 and 0 over two degrees of freedom
    assert reading.table.noise == pytest.approx(np.sqrt(0.5 / 4))


def test_rows_without_a_score_and_contaminated_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [{**row, "contaminated": ""} for row in rows_of(40)]
    rows[0]["small"], rows[1]["large"], rows[2]["contaminated"] = "", "NaN", "true"
    reading = read_outcome_files(write_csv(tmp_path / "t.csv", rows), PAIR)
    assert (len(reading.table), reading.left_out.incomplete, reading.left_out.contaminated) == (37, 2, 1)


def test_bad_rows_are_left_out_on_request(tmp_path: Path) -> None:
    rows = rows_of()
    rows[3]["small"] = 7
    file = write_csv(tmp_path / "t.csv", rows)
    reading = read_outcome_files(file, PAIR, skip_bad_rows=True)
    assert (len(reading.table), reading.left_out.bad) == (29, 1)
    assert "--scale 1 10" in reading.left_out.first_bad[0]
    assert list(reading.table.prompts)[3] == "question 4"


def test_another_scale_is_mapped_onto_the_unit_interval(tmp_path: Path) -> None:
    rows = [{**row, "small": 1, "large": 10} for row in rows_of()]
    table = read_outcomes(write_csv(tmp_path / "t.csv", rows), PAIR, scale=Scale(1, 10))
    assert table.scores[0].tolist() == [0.0, 1.0]


def test_a_missing_cost_takes_the_mean_of_its_tier_and_too_few_are_not_used(tmp_path: Path) -> None:
    rows = [{**row, "usd:small": 0.25, "usd:large": 1} for row in rows_of()]
    rows[0]["usd:small"] = ""
    some = read_outcome_files(write_csv(tmp_path / "some.csv", rows), PAIR)
    assert some.table.usd is not None
    assert some.table.usd[0].tolist() == [0.25, 1.0]
    assert "1 prompts lack a cost" in some.notes[0]
    few = read_outcome_files(
        write_csv(tmp_path / "few.csv", [{**row, "usd:small": ""} for row in rows]), PAIR
    )
    assert few.table.usd is None
    assert "fewer than half" in few.notes[0]


def test_a_folder_is_read_as_one_table(tmp_path: Path) -> None:
    rows = rows_of(40)
    write_csv(tmp_path / "a.csv", rows[:15])
    write_jsonl(tmp_path / "b.jsonl", rows[15:])
    assert list(read_outcomes(tmp_path, PAIR).prompts) == [row["prompt"] for row in rows]


def test_a_file_that_changes_between_two_readings_is_noticed(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "t.csv", rows_of())
    table = read_outcomes(file, PAIR)
    write_csv(file, rows_of(31))
    with pytest.raises(DataError, match="changed while it was being read"):
        list(table.prompts)


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        pytest.param(
            {"small": 7}, r"row 1 \(line 2\), column 'small': '7' is outside \[0, 1\]", id="outside"
        ),
        pytest.param({"small": -1}, "--scale LOW HIGH", id="negative score"),
        pytest.param({"small": "good"}, "'good' is not a score", id="text"),
        pytest.param({"small": "inf"}, "outside", id="infinite"),
        pytest.param({"usd:small": -0.5}, "'-0.5' is negative", id="negative cost"),
        pytest.param({"usd:small": "cheap"}, "is not a number of US dollars", id="cost in words"),
        pytest.param({"prompt": " "}, "only white space", id="blank prompt"),
        pytest.param({"contaminated": "maybe"}, "neither true nor false", id="contaminated"),
    ],
)
def test_a_bad_row_is_named_with_its_remedy(tmp_path: Path, cell: dict[str, object], wanted: str) -> None:
    rows = [{**row, "usd:small": 0.1, "usd:large": 0.2, "contaminated": ""} for row in rows_of()]
    rows[0] |= cell
    with pytest.raises(DataError, match=wanted):
        read_outcomes(write_csv(tmp_path / "t.csv", rows), PAIR)


def test_a_model_without_half_of_its_scores_is_refused(tmp_path: Path) -> None:
    rows = [{**row, "small": row["small"] if place < 25 else ""} for place, row in enumerate(rows_of(60))]
    with pytest.raises(DataError, match=r"only 25 of 60 rows .* \('small' lacks 35\)"):
        read_outcomes(write_csv(tmp_path / "t.csv", rows), PAIR)
    long = [
        {"prompt": row["prompt"], "model": model, "score": row[model]}
        for row in rows
        for model in ("small", "large")
    ]
    with pytest.raises(DataError, match="only 25 of 60 prompts"):
        read_outcomes(write_csv(tmp_path / "long.csv", long), PAIR)


def test_three_prompts_are_too_few(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "t.csv", rows_of(3))
    with pytest.raises(DataError, match="3 prompts with a score of every tier; give at least 20"):
        read_outcomes(file, PAIR)
    assert len(read_outcomes(file, PAIR, at_least=1)) == 3


def test_a_wrong_name_lists_the_nearest_first(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "t.csv", [{**row, "gpt-4o": 1} for row in rows_of()])
    with pytest.raises(DataError, match=r"no column 'gpt4o' \(--premium\).*: 'gpt-4o', "):
        read_outcomes(file, OutcomeColumns(cheap="small", premium="gpt4o"))
    long = [{"prompt": row["prompt"], "model": "small", "score": 1} for row in rows_of()]
    with pytest.raises(
        DataError, match=r"no row of the model 'large' \(--premium\); the models are: 'small'"
    ):
        read_outcomes(write_csv(tmp_path / "long.csv", long), PAIR)


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        pytest.param(OutcomeColumns(), "no tier was named", id="none named"),
        pytest.param(OutcomeColumns(cheap="small"), "name at least two", id="one named"),
        pytest.param(
            OutcomeColumns(cheap="small", premium="small"), "named for two tiers", id="twice the same"
        ),
        pytest.param(
            OutcomeColumns(cheap="small", premium="large", usd=("small",)),
            "1 columns of dollars for 2",
            id="costs",
        ),
    ],
)
def test_names_that_make_no_table_are_refused(tmp_path: Path, columns: OutcomeColumns, wanted: str) -> None:
    with pytest.raises(DataError, match=wanted):
        read_outcomes(write_csv(tmp_path / "t.csv", rows_of()), columns)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no rows"):
        read_outcomes(write_jsonl(tmp_path / "t.jsonl", []), PAIR)
    (tmp_path / "t.csv").write_text("prompt,small,large\n")
    with pytest.raises(DataError, match="the file has no rows"):
        read_outcomes(tmp_path / "t.csv", PAIR)


def test_true_and_false_are_scores(tmp_path: Path) -> None:
    rows = [{**row, "small": False, "large": True} for row in rows_of()]
    for file in (write_csv(tmp_path / "t.csv", rows), write_jsonl(tmp_path / "t.jsonl", rows)):
        assert read_outcomes(file, PAIR).scores[0].tolist() == [0.0, 1.0]


def test_conversations_are_read(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"messages": [{"role": "user", "content": f"hi {n}"}], "small": 0, "large": 1} for n in range(20)
    ]
    table = read_outcomes(write_jsonl(tmp_path / "t.jsonl", rows), PAIR)
    assert next(iter(table.prompts)) == rows[0]["messages"]

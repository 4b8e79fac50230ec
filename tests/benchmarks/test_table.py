"""The table: what it says of each row, and that it stays within its width."""

import pytest

from tests.benchmarks.row import Goal, Of, Peer, Row, Sense
from tests.benchmarks.table import WIDTH, number, table, verdict

FAST = Row("decide()", 10.0, "us", peer=Peer("pipeline", 200.0), goal=Goal(15.0, of=Of.SPEED))
SLOW = Row("decide()", 40.0, "us", peer=Peer("fastText", 8.0), goal=Goal(0.25, of=Of.SPEED))
SHARE = Row("accuracy", 0.78, interval=(0.752, 0.801), peer=Peer("keyword rule", 0.39), goal=Goal(0.75))
TIME = Row("training", 70.0, "s", goal=Goal(60.0, Sense.AT_MOST), note="on a busy machine")
MISSING = Row("APGR", goal=Goal(0.69), note="skipped: no such file")


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        pytest.param(FAST, ["10.0 us", "200 us pipeline", "20x faster", "15x faster", "met"], id="faster"),
        pytest.param(SLOW, ["40.0 us", "5x slower", "<= 4x", "MISS"], id="slower than its goal"),
        pytest.param(SHARE, ["0.780 [0.752, 0.801]", "+0.390", ">= 0.75", "met"], id="share"),
        pytest.param(TIME, ["70.0 s", "<= 60", "MISS", "on a busy machine"], id="time"),
        pytest.param(MISSING, ["not measured", "?", "skipped: no such file"], id="missing"),
    ],
)
def test_a_row_tells_figure_peer_ratio_goal_and_verdict(row: Row, parts: list[str]) -> None:
    text = table("Title", [row])
    assert [part for part in parts if part not in text] == []


def test_no_line_is_wider_than_the_table() -> None:
    wide = Row("a long name " * 9, 1.0, "us", peer=Peer("somebody else " * 3, 2.0), note="and why " * 40)
    lines = table("Title", [FAST, SLOW, SHARE, TIME, MISSING, wide]).splitlines()
    assert max(map(len, lines)) <= WIDTH


def test_the_verdict_counts_and_names() -> None:
    text = verdict([FAST, SLOW, SHARE, TIME, MISSING, Row("no goal", 1.0)])
    assert "2 of 5 numbers reached" in text
    assert "Missed: decide(); training." in text
    assert "Not measured: APGR." in text


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [
        pytest.param(Goal(0.75), 0.75, True, id="at least, on the bound"),
        pytest.param(Goal(0.75), 0.74, False, id="at least, below"),
        pytest.param(Goal(60.0, Sense.AT_MOST), 60.0, True, id="at most, on the bound"),
        pytest.param(Goal(60.0, Sense.AT_MOST), 61.0, False, id="at most, above"),
    ],
)
def test_a_goal_is_met_on_its_good_side(goal: Goal, value: float, met: bool) -> None:
    assert goal.met_by(value) is met


def test_figures_that_are_not_numbers_are_not_judged() -> None:
    assert Row("x", float("nan"), goal=Goal(1.0)).met is None


def test_json_holds_what_the_table_says() -> None:
    told = FAST.as_dict()
    assert told["times_as_fast_as_peer"] == 20.0
    assert told["met"] is True
    assert told["goal"] == {"bound": 15.0, "sense": ">=", "of": "speed"}


@pytest.mark.parametrize(
    ("value", "text"), [(910.0, "910"), (2e-15, "2e-15"), (0.0497, "0.0497"), (7.97, "7.97")]
)
def test_numbers_keep_three_digits(value: float, text: str) -> None:
    assert number(value) == text

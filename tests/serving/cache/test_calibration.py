import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.cache.calibration import MARGIN, Judged, Rate, calibrate, judged, upper_bound
from serving.cache.indexed_ask import Vector
from serving.cache.pairs import Pair, pairs_file, read_pairs
from serving.errors import ConfigError

ROW = {"id": "p1", "a": "one", "b": "two", "same": True, "kind": "paraphrase", "part": "held_out"}


def a_pair(number: int, *, same: bool, held_out: bool, apart: bool = False, words: str = "") -> Pair:
    first = f"ask {number} {words}".strip()
    kind = "paraphrase" if same else "number"
    second = f"Ask {number} {words}".strip() if same or words else f"ask {number + 1000}"
    return Pair(f"p{number}", first, second, same, kind, f"s{number}", held_out, apart)


def towards(degrees: float) -> Vector:
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


def test_the_threshold_lies_a_margin_above_what_passes_the_guard_wrongly() -> None:
    pairs = [a_pair(1, same=True, held_out=False), a_pair(2, same=False, held_out=False, words="x")]
    pairs += [a_pair(3, same=True, held_out=True), a_pair(4, same=False, held_out=True)]
    degrees = {"ask 2 x": 0.0, "Ask 2 x": 60.0, "ask 1": 200.0, "Ask 1": 200.0}
    found = calibrate(judged(pairs, vector := lambda text: towards(degrees.get(text, 90.0))), vector)
    assert found.threshold == pytest.approx(0.5 + MARGIN, abs=0.002)
    assert found.chosen_on == (Rate(1, 1), Rate(0, 1))
    assert (found.hits, found.false_hits) == (Rate(1, 1), Rate(0, 1))
    assert (found.unguarded_hits, found.unguarded_false_hits) == (Rate(1, 1), Rate(1, 1))
    assert found.by_kind == {"number": (Rate(0, 1), Rate(1, 1))}
    assert found.refusals == {"unjudged": 1}


def test_asks_about_other_things_stay_below_the_threshold_too() -> None:
    pairs = [a_pair(1, same=True, held_out=False), a_pair(2, same=False, held_out=False)]
    pairs += [a_pair(3, same=True, held_out=True), a_pair(4, same=False, held_out=True)]
    degrees = {"ask 1": 0.0, "ask 2": 60.0}
    found = calibrate(judged(pairs, vector := lambda text: towards(degrees.get(text, 180.0))), vector)
    assert found.threshold >= 0.5 + MARGIN


def test_pairs_of_different_conversations_are_no_hits() -> None:
    pair = a_pair(1, same=False, held_out=True, apart=True, words="x")
    assert not Judged(pair, 1.0, "").hits(0.5, guarded=False)


@pytest.mark.parametrize(
    ("nearer", "separation", "separates"), [(True, 1.0, True), (False, 0.0, False)], ids=["nearer", "farther"]
)
def test_a_model_that_cannot_tell_the_same_from_look_alikes_is_known(
    nearer: bool, separation: float, separates: bool
) -> None:
    pairs = [a_pair(1, same=True, held_out=False), a_pair(2, same=False, held_out=False)]
    pairs += [a_pair(3, same=True, held_out=True), a_pair(4, same=False, held_out=True)]
    degrees = {"ask 1": 0.0, "Ask 1": 10.0 if nearer else 80.0, "ask 2": 100.0, "ask 1002": 150.0}
    found = calibrate(judged(pairs, vector := lambda text: towards(degrees.get(text, 180.0))), vector)
    assert found.separation == separation
    assert found.separates is separates


@given(st.integers(0, 50), st.integers(1, 400))
def test_the_bound_is_above_the_share_and_falls_with_more_pairs(hits: int, more: int) -> None:
    pairs = hits + more
    assert hits / pairs < upper_bound(hits, pairs) <= 1
    assert upper_bound(hits, pairs + 10) < upper_bound(hits, pairs)


def test_no_hits_are_bounded_by_the_rule_of_three() -> None:
    assert upper_bound(0, 300) == pytest.approx(1 - 0.05 ** (1 / 300))
    assert upper_bound(5, 5) == 1.0


def written(path: Path, *rows: Any) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{", "line 1: not JSON"),
        ([], "line 1: not an object"),
        ({**ROW, "a": " "}, "'a' must be a text"),
        ({**ROW, "b": None}, "'b' must be a text"),
        ({**ROW, "same": "yes"}, "'same' must be true or false"),
        ({**ROW, "part": "test"}, "'part' must be"),
        (ROW, "the part 'calibration' needs pairs that are the same and pairs that are not"),
    ],
    ids=["no JSON", "a list", "empty", "missing", "a word", "another part", "one half"],
)
def test_a_file_that_holds_no_pairs_is_refused_in_one_line(tmp_path: Path, row: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_pairs(written(tmp_path / "pairs.jsonl", row))


def test_a_file_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_pairs(tmp_path / "none.jsonl")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="give --pairs FILE"):
        pairs_file(None)


def test_pairs_are_read_as_they_are_written(tmp_path: Path) -> None:
    halves = [
        {**ROW, "part": part, "same": same} for part in ("calibration", "held_out") for same in (False, True)
    ]
    follow_up = {**ROW, "context_a": [{"role": "user", "content": "x"}], "kind": None, "subject": "s"}
    *_, last = read_pairs(written(tmp_path / "pairs.jsonl", *halves, "", follow_up))
    assert last == Pair("p1", "one", "two", True, "same", "s", True, True)

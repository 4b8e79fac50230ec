import json
from pathlib import Path

import pytest

from training.agreement import agreement_of, read_votes
from training.errors import DataError

CHEAP, BALANCED, PREMIUM = 0, 1, 2


def write(folder: Path, *votes: object) -> Path:
    file = folder / "a.jsonl"
    file.write_text(
        "".join(json.dumps({"prompt": "hi", "tier": "cheap", "votes": vote}) + "\n" for vote in votes)
    )
    return file


def test_agreement_is_counted() -> None:
    votes = [
        (CHEAP, CHEAP),
        (CHEAP, CHEAP, CHEAP),
        (CHEAP, CHEAP, BALANCED),
        (BALANCED, PREMIUM, PREMIUM),
        (BALANCED, CHEAP, PREMIUM),
        (PREMIUM, CHEAP),
        (PREMIUM, PREMIUM),
        (PREMIUM, BALANCED, PREMIUM),
    ]
    found = agreement_of(votes)
    assert (found.rows, found.agreed, found.far) == (8, 4, 1)
    assert (found.third_votes, found.third_votes_on_agreed, found.confirmed) == (5, 2, 1)
    assert found.overruled == 1
    assert found.table == ((3, 0, 0), (1, 0, 1), (1, 1, 1))


def test_full_agreement_is_a_kappa_of_1() -> None:
    found = agreement_of([(CHEAP, CHEAP), (BALANCED, BALANCED), (PREMIUM, PREMIUM)])
    assert (found.kappa, found.quadratic_kappa) == (1, 1)


def test_kappa_is_agreement_beyond_chance() -> None:
    """Observed 3/4; by chance 1/2 * 3/4 + 1/2 * 1/4 = 1/2; so (3/4 - 1/2) / (1 - 1/2) = 1/2."""
    found = agreement_of([(CHEAP, CHEAP), (CHEAP, CHEAP), (BALANCED, CHEAP), (BALANCED, BALANCED)])
    assert found.kappa == pytest.approx(0.5)


def test_an_error_over_two_tiers_weighs_more() -> None:
    common = [(CHEAP, CHEAP), (BALANCED, BALANCED), (PREMIUM, PREMIUM)]
    near, far = (agreement_of([*common, error]) for error in ((CHEAP, BALANCED), (CHEAP, PREMIUM)))
    assert near.quadratic_kappa > far.quadratic_kappa


def test_votes_are_read(tmp_path: Path) -> None:
    file = write(tmp_path, ["cheap", "balanced"], None, ["premium", "premium", "cheap"])
    assert read_votes(file) == [(0, 1), (2, 2, 0)]


def test_data_without_votes_has_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("prompt,tier\nhi,cheap\n")
    assert read_votes(tmp_path) == []


@pytest.mark.parametrize(
    "votes",
    [
        pytest.param(["cheap"], id="one"),
        pytest.param(["cheap", "dear"], id="unknown tier"),
        pytest.param("cheap cheap", id="text"),
        pytest.param([["cheap"], 1], id="other values"),
    ],
)
def test_votes_that_are_none_are_refused(tmp_path: Path, votes: object) -> None:
    file = write(tmp_path, ["cheap", "cheap"], votes)
    with pytest.raises(
        DataError, match=r"row 2 \(line 2\), column 'votes': .* is no list of two tiers or more"
    ):
        read_votes(file)

from collections.abc import Callable

import pytest

from tests.training.routed import evaluation_of, noisy_rows, perfect_rows
from training.comparison import compare
from training.report_text import comparison_text, evaluation_text
from training.text_tables import WIDTH, columns_of

NASTY = ("日本語のとても長いドメイン名がここに入ります、まだ続きます", "x" * 300, "law\x1b[31m\nred", "")


@pytest.mark.parametrize(
    "write",
    [
        lambda: evaluation_text(evaluation_of(noisy_rows(300))),
        lambda: evaluation_text(evaluation_of(noisy_rows(300), domains=NASTY)),
        lambda: evaluation_text(evaluation_of(perfect_rows([1]))),
        lambda: comparison_text(compare(noisy_rows(80), noisy_rows(80, seed=2), resamples=100)),
    ],
    ids=["ordinary", "nasty names", "one row", "comparison"],
)
def test_reports_fit_a_hundred_columns_and_hold_no_control_characters(write: Callable[[], str]) -> None:
    text = write()
    lines = text.splitlines()
    assert max(map(columns_of, lines)) <= WIDTH
    assert all(line.isprintable() for line in lines)
    assert text.endswith("\n")


def test_both_views_are_shown_apart() -> None:
    rows = noisy_rows(300)
    text = evaluation_text(evaluation_of(rows))
    model, policy = text.index("Most probable tier ("), text.index("The policy's choice (")
    assert model < text.index("accuracy") < text.index("predicted cheap") < policy
    assert policy < text.index("under-routing") < text.index("chosen cheap")


def test_every_rival_and_every_assumption_is_on_paper() -> None:
    found = evaluation_of(noisy_rows(300))
    text = evaluation_text(found)
    assert all(rival.title in text for rival in found.rivals)
    assert "Assumed, not billed" in text
    assert "Guo et al. 2017" in text
    assert "saves only 11 % over balanced" in text


def test_what_is_left_out_of_a_long_table_is_counted() -> None:
    domains = [f"domain {number}" for number in range(40)]
    assert "and 25 smaller ones" in evaluation_text(evaluation_of(noisy_rows(400), domains=domains))


def test_an_undefined_figure_is_a_dash() -> None:
    (line,) = [
        line for line in evaluation_text(evaluation_of(perfect_rows([1]))).splitlines() if "kappa" in line
    ]
    assert line.split() == ["quadratic", "kappa", "–", "–", "to", "–"]


def test_a_comparison_opens_with_its_verdict_and_names_both_models() -> None:
    found = compare(noisy_rows(skill=1), noisy_rows(skill=4, seed=1), names=("old", "new"), resamples=300)
    text = comparison_text(found)
    assert text.startswith("B is better than A: accuracy of the most probable tier")
    assert "A  old\nB  new" in text
    assert "300 paired resamples" in text

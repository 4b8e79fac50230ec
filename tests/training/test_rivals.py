import numpy as np
import pytest
from hypothesis import given

from tests.training.routed import laws, noisy_rows, routed_rows
from training.baselines import default_baselines
from training.costs import CostModel
from training.measures import measure_of
from training.metrics import routing_rates
from training.rivals import Rival, rivals
from training.routed_rows import RoutedRows

COSTS = CostModel()


def rivals_of(rows: RoutedRows) -> dict[str, Rival]:
    texts = ["Is it so?", "Compare both.", "Go on."] * len(rows)
    return {rival.key: rival for rival in rivals(rows, texts[: len(rows)], default_baselines(), COSTS)}


def test_every_rival_of_the_mission_is_there() -> None:
    assert list(rivals_of(noisy_rows(50))) == [
        "choice",
        "most_probable",
        "always_cheap",
        "always_balanced",
        "always_premium",
        "random_mix",
        "random_premium",
        "keyword_rule",
        "length_rule",
        "majority",
        "needed_tier",
    ]


@laws
@given(routed_rows())
def test_laws_of_the_rivals(rows: RoutedRows) -> None:
    found = rivals_of(rows)
    for rival in found.values():
        assert sum(rival.shares) == pytest.approx(1)
        assert rival.rates.right + rival.rates.under + rival.rates.over == pytest.approx(1)
        assert found["always_cheap"].usd_per_1000 <= rival.usd_per_1000 + 1e-12
        assert found["always_premium"].usd_per_1000 >= rival.usd_per_1000 - 1e-12
    assert found["always_premium"].rates.under == 0
    assert found["always_cheap"].rates.over == 0
    assert found["needed_tier"].rates.right == pytest.approx(1)
    assert found["random_mix"].shares == pytest.approx(found["choice"].shares)


@laws
@given(routed_rows())
def test_the_model_s_own_rows_are_its_measures(rows: RoutedRows) -> None:
    found = rivals_of(rows)
    for view in ("choice", "most_probable"):
        errors = measure_of(view, "cheap_premium_errors").of_rows(rows, COSTS)
        assert found[view].rates.cheap_premium == pytest.approx(errors)
    dollars = measure_of("choice", "usd_per_1000_prompts").of_rows(rows, COSTS)
    assert found["choice"].usd_per_1000 == pytest.approx(dollars)


def test_the_random_mix_is_what_shuffling_the_choices_gives_on_average() -> None:
    rows = noisy_rows(200)
    plain = RoutedRows.of(rows.probabilities, rows.chosen, rows.needed, None, rows.input_tokens)
    random = np.random.default_rng(0)
    shuffled = [random.permutation(plain.chosen) for _ in range(2000)]
    under = np.mean([routing_rates(chosen, plain.needed, plain.weights).under for chosen in shuffled])
    usd = np.mean([COSTS.usd(chosen, plain.needed, plain.input_tokens).mean() for chosen in shuffled])
    found = rivals_of(plain)["random_mix"]
    assert found.rates.under == pytest.approx(under, abs=0.002)
    assert found.usd_per_1000 == pytest.approx(usd * 1000, rel=0.005)


def test_blind_premium_under_routes_as_little_as_the_policy_and_costs_more() -> None:
    found = rivals_of(noisy_rows(500))
    assert found["random_premium"].rates.under == pytest.approx(found["choice"].rates.under)
    assert found["random_premium"].usd_per_1000 > found["choice"].usd_per_1000


def test_blind_premium_is_left_out_where_always_balanced_does_no_worse() -> None:
    all_cheap = noisy_rows(50).with_choice(np.zeros(50, dtype=np.int64))
    assert "random_premium" not in rivals_of(all_cheap)

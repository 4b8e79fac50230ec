"""The routing benchmark, on small tables made here."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.benchmarks.routing import main
from tests.benchmarks.routing_fits import RoutingFits
from tests.benchmarks.routing_lines import Block, Line, block_text, line_of, verdict_text
from tests.benchmarks.routing_prompts import ROUTELLM, ZEROEVAL, ModelPair, RoutingPrompts, read_pairs
from tests.benchmarks.routing_protocols import (
    Recovered,
    bootstrapped,
    few_labels,
    five_fold,
    recovered,
    rule_win_rate,
)
from tests.benchmarks.routing_published import PUBLISHED
from tests.benchmarks.row import Unavailable
from training.baselines import LengthRule
from training.outcome_labels import label_outcomes
from training.settings import OUTCOME_SETTINGS
from training.tier_classifier import TierClassifier

PAIR = ModelPair("quiz", "small", "large")


def quiz(rows: int, seed: int = 0) -> RoutingPrompts:
    """Return prompts of which the hard ones say "prove", and need the strong model most of the time."""
    random = np.random.default_rng(seed)
    hard = random.random(rows) < 0.5
    asks = np.where(hard, "Prove lemma", "Name item")
    prompts = [f"{ask} {number} of {number % 7}, series {seed}." for number, ask in enumerate(asks)]
    weak = np.where(hard, random.random(rows) < 0.2, random.random(rows) < 0.9)
    strong = random.random(rows) < 0.9
    return RoutingPrompts.of(prompts, np.column_stack([weak, strong]).astype(float))


def write_table(folder: Path, pair: ModelPair, table: RoutingPrompts) -> None:
    columns = {
        "prompt": table.prompts,
        f"score:{pair.weak}": table.scores[:, 0],
        f"score:{pair.strong}": table.scores[:, 1],
        "contaminated": [False] * len(table),
    }
    pd.DataFrame(columns).to_parquet(folder / f"{pair.file}.parquet")


def test_contaminated_rows_and_those_without_both_scores_are_left_out(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "prompt": ["kept", "seen in training", "without a score"],
            "score:small": [0.0, 1.0, np.nan],
            "score:large": [1.0, 1.0, 1.0],
            "contaminated": [False, True, False],
        }
    )
    table.to_parquet(tmp_path / "quiz.parquet")
    found = read_pairs(tmp_path, [PAIR])
    assert (found.prompts, found.scores.tolist()) == (["kept"], [[0.0, 1.0]])


def test_a_missing_table_or_column_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"no .*quiz\.parquet; name its folder with --outcomes"):
        read_pairs(tmp_path, [PAIR])
    pd.DataFrame({"prompt": ["a"], "score:small": [1.0]}).to_parquet(tmp_path / "quiz.parquet")
    with pytest.raises(Unavailable, match="has no column score:large"):
        read_pairs(tmp_path, [PAIR])


def test_no_prompt_is_judged_that_repeats_a_labelled_one() -> None:
    table = RoutingPrompts.of(["One?", " one? ", "Two?"], np.zeros((3, 2)))
    assert table.not_among(np.array([0])).tolist() == [2]


def test_the_quick_fits_are_those_of_the_product() -> None:
    table, rows = quiz(300), np.arange(300)
    labelled, asked = rows[:200], rows[200:]
    labels = label_outcomes(table.scores[labelled], (0, 2))  # type: ignore[arg-type]
    product = TierClassifier.of(OUTCOME_SETTINGS)
    product.fit(table.prompts[:200], labels.tiers, labels.weights)
    expected = product.predict_proba(table.prompts[200:])[:, 2]
    assert RoutingFits(table).win_rate(labelled, asked) == pytest.approx(expected, abs=1e-3)


def test_a_router_that_learns_recovers_more_than_chance() -> None:
    fits = RoutingFits(quiz(400))
    folds = recovered(five_fold(fits), fits.table.scores)
    assert folds.apgr > 0.65
    assert folds.cpt_50 < 0.5
    assert few_labels(fits, 100, seed=0).apgr > 0.6


def test_a_table_with_fewer_prompts_than_labels_is_told() -> None:
    with pytest.raises(Unavailable, match="30 prompts are too few to label 30 and judge by the rest"):
        few_labels(RoutingFits(quiz(30)), 30, seed=0)


def test_another_deal_makes_other_folds_and_the_same_seed_the_same() -> None:
    fits = RoutingFits(quiz(120))
    assert not np.array_equal(five_fold(fits, 0), five_fold(fits, 1))
    assert np.array_equal(five_fold(fits, 1), five_fold(fits, 1))


def test_labels_that_are_all_alike_teach_nothing() -> None:
    table = RoutingPrompts.of(["a b", "b c", "c d"], np.zeros((3, 2)))
    assert RoutingFits(table).win_rate(np.array([0, 1]), np.array([2])).tolist() == [0.0]


def test_a_rule_with_few_values_is_judged_at_both_ends() -> None:
    table = quiz(60)
    rates = rule_win_rate(LengthRule(0, 29), table.prompts)
    assert set(rates) == {1.0, 2.0}
    assert 0.0 < recovered(rates, table.scores).apgr < 1.0


def test_bootstrap_draws_scatter_about_the_figure() -> None:
    table = quiz(300)
    rates = table.scores[:, 1] - table.scores[:, 0]
    draws = [draw.apgr for draw in bootstrapped(rates, table.scores, 40)]
    assert min(draws) < recovered(rates, table.scores).apgr < max(draws)


def test_published_routers_are_all_there_and_random_is_chance() -> None:
    assert {name: len(routers) for name, routers in PUBLISHED.items()} == dict.fromkeys(ROUTELLM, 5)
    assert max(router.apgr for router in PUBLISHED["mmlu"]) == 0.603
    assert [routers[0].apgr for routers in PUBLISHED.values()] == pytest.approx([0.5] * 3, abs=0.01)


def test_a_line_is_the_mean_over_draws_and_floors_are_judged() -> None:
    line = line_of("ours", [Recovered(0.6, 0.4, 0.7), Recovered(0.7, 0.2, 0.5)], floor=0.66)
    assert (line.found.apgr, line.found.cpt_50) == pytest.approx((0.65, 0.3))
    assert line.met is False
    blocks = [Block("Quiz: 9 prompts", (line, Line("chance", Recovered(0.5, 0.5, 0.8), floor=0.5)))]
    assert verdict_text(blocks) == "1 of 2 floors reached. Missed: Quiz, ours."
    assert "30.0 %" in block_text(blocks[0])
    assert "MISSED" in block_text(blocks[0])


def test_the_whole_table_on_small_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place, pair in enumerate([*ROUTELLM.values(), *ZEROEVAL]):
        write_table(tmp_path, pair, quiz(1_600 if pair.file == "routellm_mmlu" else 520, place))
    wanted = ["--outcomes", str(tmp_path), "--draws", "2", "--deals", "1", "--resamples", "5"]
    assert main([*wanted, "--json", str(tmp_path / "f.json")]) == 0
    printed = capsys.readouterr()
    assert "similarity-weighted, +gold (published)" in printed.out
    assert "tierwise, 2,000 labels" in printed.out
    assert max(map(len, printed.out.splitlines())) <= 110
    assert "draw 2 of 2" in printed.err
    figures = json.loads((tmp_path / "f.json").read_text())
    assert len(figures) == 4


def test_without_tables_each_block_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--outcomes", str(tmp_path)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.count("skipped: no ") == 4
    assert "0 of 0 floors reached" in printed


def test_an_unwritable_json_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--outcomes", str(tmp_path), "--json", str(tmp_path / "no" / "f.json")]) == 1
    assert "cannot be written: No such file" in capsys.readouterr().err.splitlines()[-1]

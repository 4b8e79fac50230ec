"""What each strategy chooses, on points that one can see through."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.picking_space import cluster, text_space
from training.picking_strategies import STRATEGIES, choose

CORNERS = np.eye(4, dtype=np.float32)
CROWDED = np.repeat(CORNERS, [97, 1, 1, 1], axis=0)
"""A hundred points, nearly all in one place."""


@given(st.sampled_from(list(STRATEGIES)), st.integers(1, 30), st.integers(1, 30), st.integers(0, 3))
def test_rows_are_distinct_and_ascending_and_as_many_as_there_can_be(
    strategy: str, rows: int, n: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    points = np.round(random.random((rows, 2))).astype(np.float32)
    chosen = choose(strategy, points, random.random(rows), n, seed=seed)
    assert len(chosen) == min(n, rows)
    assert np.all(np.diff(chosen) > 0)
    assert set(chosen) <= set(range(rows))


@pytest.mark.parametrize("strategy", ["diverse", "both"])
def test_far_points_are_found_in_a_crowd(strategy: str) -> None:
    chosen = choose(strategy, CROWDED, np.ones(100), 4, seed=1)
    assert {97, 98, 99} <= set(chosen.tolist())


def test_uncertain_takes_the_most_uncertain_and_both_leans_towards_them() -> None:
    random = np.random.default_rng(0)
    points, uncertainty = random.normal(size=(300, 8)).astype(np.float32), random.random(300)
    means = {name: uncertainty[choose(name, points, uncertainty, 60)].mean() for name in STRATEGIES}
    assert means["uncertain"] == pytest.approx(np.sort(uncertainty)[-60:].mean())
    assert means["both"] > means["diverse"] + 0.05


def test_a_model_that_is_sure_of_everything_hinders_nobody() -> None:
    assert len(choose("both", CROWDED, np.zeros(100), 50)) == 50


# --- the space


def test_prompts_about_the_same_lie_closer() -> None:
    texts = [f"boil {n % 3} eggs in salted water" for n in range(30)]
    texts += [f"sue the landlord over {n % 3} broken windows" for n in range(30)]
    points = text_space(texts)
    assert points.shape[0] == 60
    assert np.allclose(np.linalg.norm(points, axis=1), 1.0, atol=1e-5)
    assert (points[:30] @ points[:30].T).mean() > (points[:30] @ points[30:].T).mean() + 0.3
    labels, distances = cluster(points, 2)
    assert len(set(labels[:30])) == len(set(labels[30:])) == 1
    assert labels[0] != labels[30]
    assert np.all(distances >= 0)


@pytest.mark.parametrize("texts", [["a"], ["", ""], [" ", "b"]], ids=str)
def test_there_is_a_point_for_texts_that_say_nothing(texts: list[str]) -> None:
    assert len(text_space(texts)) == len(texts)
    assert np.isfinite(text_space(texts)).all()


def test_fewer_places_than_clusters_are_a_cluster_each() -> None:
    labels, distances = cluster(CROWDED, 10)
    assert len(set(labels)) == 4
    assert not distances.any()

"""The plugin in LiteLLM's auto-router beside LiteLLM's own two heuristics: accuracy and overhead."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.benchmarks.material import Material, say
from tests.benchmarks.peers import Worker, environment_python
from tests.benchmarks.routing_prompts import ROUTELLM, ZEROEVAL, ModelPair, read_pairs
from tests.benchmarks.row import Peer, Row, Unavailable
from tests.benchmarks.timing import Contender, Result, run_contest

__all__ = ["gain_over_lots", "inside_litellm_rows"]

FloatArray = npt.NDArray[np.float64]

_OURS, _NO_OP, _V1, _V2 = "Tierwise plugin", "no-op plugin", "LiteLLM heuristic", "LiteLLM heuristic_v2"
_KINDS = {_OURS: "tierwise", _V2: "heuristic_v2", _V1: "heuristic"}
_TABLES: Mapping[str, Sequence[ModelPair]] = {
    "RouteLLM MMLU": [ROUTELLM["mmlu"]],
    "RouteLLM GSM8K": [ROUTELLM["gsm8k"]],
    "pooled ZeroEval": ZEROEVAL,
}
_PREMIUM = 2


def inside_litellm_rows(material: Material) -> Iterator[Row]:
    """Yield accuracy and overhead on the test prompts, and what routing gains on public outcomes."""
    environments = material.choices.environments
    prompts = material.test_prompts
    kinds = {**_KINDS, _NO_OP: "no-op"}
    texts, rounds = prompts["prompt"].tolist(), material.choices.rounds
    results = run_contest(_contenders(kinds, environments), texts, [], rounds, say)
    ours = _usable(results[_OURS])
    needed = prompts["tier"].to_numpy()
    for name in (_V2, _V1):
        peer = _usable(results[name])
        right = Peer(name, _right(peer, needed))
        yield Row("accuracy of the tier, test prompts", _right(ours, needed), peer=right)
    for name in (_NO_OP, _V2, _V1):
        slower = Peer(name, _usable(results[name]).microseconds)
        yield Row("picking the model, median test prompt", ours.microseconds, "us", peer=slower)
    for name, pairs in _TABLES.items():
        yield from _on_outcomes(name, pairs, material)


def _on_outcomes(name: str, pairs: Sequence[ModelPair], material: Material) -> Iterator[Row]:
    what = f"points gained over drawing lots, {name}"
    try:
        table = read_pairs(material.choices.outcomes, pairs)
    except Unavailable as missing:
        yield Row(what, note=f"skipped: {missing}")
        return
    results = run_contest(_contenders(_KINDS, material.choices.environments), table.prompts, [], 0, say)
    strong = {kind: _asks_strong(_usable(result)) for kind, result in results.items()}
    gained = {kind: 100 * gain_over_lots(asks, table.scores) for kind, asks in strong.items()}
    for peer in (_V2, _V1):
        shares = f"{strong[_OURS].mean():.0%} against {strong[peer].mean():.0%} go to the strong model"
        yield Row(what, gained[_OURS], "points", peer=Peer(peer, gained[peer]), note=shares)


def gain_over_lots(asks_strong: npt.NDArray[np.bool_], scores: FloatArray) -> float:
    """Return how much better the answers are than if as many prompts went to the strong model by lot.

    Args:
        asks_strong: which prompts go to the strong model, shape (n_prompts,).
        scores: of the weak and of the strong model, shape (n_prompts, 2), in [0, 1].

    >>> gain_over_lots(np.array([True, False]), np.array([[0.0, 1.0], [1.0, 1.0]]))
    0.25
    """
    routed = np.where(asks_strong, scores[:, 1], scores[:, 0]).mean()
    weak, strong = scores.mean(axis=0)
    return float(routed - (weak + asks_strong.mean() * (strong - weak)))


def _contenders(kinds: Mapping[str, str], environments: Path) -> list[Contender]:
    python = environment_python("litellm", environments)

    def contender(name: str, kind: str) -> Contender:
        return Contender(name, lambda: Worker.start(name, python, "litellm_router", kind), 1)

    return [contender(name, kind) for name, kind in kinds.items()]


def _usable(result: Result) -> Result:
    if result.problem:
        raise Unavailable(result.problem)
    return result


def _asks_strong(result: Result) -> npt.NDArray[np.bool_]:
    return np.equal(result.tiers, _PREMIUM)


def _right(result: Result, needed: npt.NDArray[np.int64]) -> float:
    return float(np.mean(np.array(result.tiers) == needed))

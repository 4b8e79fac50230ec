"""How long a decision takes, beside the peers, and how often each is right."""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

import joblib
import numpy as np

from classifier import TierPredictor
from tests.benchmarks.material import Material, say
from tests.benchmarks.peers import Worker, environment_python
from tests.benchmarks.row import Goal, Of, Peer, Row, Sense, Unavailable
from tests.benchmarks.timing import Contender, Result, run_contest
from tests.benchmarks.workers.protocol import fastest

__all__ = ["speed_rows"]

_OURS, _EXPLAIN, _PIPELINE = "decide()", "explain()", "scikit-learn pipeline"
_V2, _V1, _FASTTEXT = "LiteLLM heuristic_v2", "LiteLLM heuristic", "fastText (C++)"
_GOALS = {_PIPELINE: 15.0, _V2: 2.5, _V1: 8.0, _FASTTEXT: 0.25}
_LONG = 100_000


def speed_rows(material: Material) -> Iterator[Row]:
    """Yield the rows about time and, from the same run, about the peers' accuracy."""
    results = _contest(material)
    ours = results[_OURS]
    if ours.problem:
        raise Unavailable(ours.problem)
    prompts = material.test_prompts["prompt"].tolist()
    for name, factor in _GOALS.items():
        yield _against(ours, name, results[name], factor)
    note = f"median over {len(prompts)} test prompts, each at its fastest of several calls in turns"
    explained = results[_EXPLAIN].microseconds
    yield Row("explain(), median prompt", explained, "us", goal=Goal(100.0, Sense.AT_MOST), note=note)
    yield _long_prompt(material.predictor, prompts)
    needed = material.test_prompts["tier"].to_numpy()
    for name in (_FASTTEXT, _V2, _V1):
        yield _accuracy(ours, name, results[name], needed)


def _contest(material: Material) -> Mapping[str, Result]:
    prompts, train = material.test_prompts, material.train_prompts
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Path(folder) / "pipeline.joblib"
        joblib.dump(material.training.trained.fitted.prompts, pipeline)
        return run_contest(
            _contenders(pipeline, material.choices.environments),
            prompts["prompt"].tolist(),
            list(zip(train["prompt"].tolist(), train["tier"].tolist(), strict=True)),
            material.choices.rounds,
            say,
        )


def _contenders(pipeline: Path, environments: Path) -> list[Contender]:
    here = Path(sys.executable)

    def peer(name: str, module: str, *arguments: str) -> Worker:
        return Worker.start(name, environment_python(module, environments), module, *arguments)

    return [
        Contender(_OURS, lambda: Worker.start(_OURS, here, "tierwise", "decide"), 3),
        Contender(_FASTTEXT, lambda: peer(_FASTTEXT, "fasttext"), 3),
        Contender(_V2, lambda: peer(_V2, "litellm", "heuristic_v2"), 2),
        Contender(_V1, lambda: peer(_V1, "litellm", "heuristic"), 1),
        Contender(_PIPELINE, lambda: Worker.start(_PIPELINE, here, "pipeline", str(pipeline)), 1),
        Contender(_EXPLAIN, lambda: Worker.start(_EXPLAIN, here, "tierwise", "explain"), 2),
    ]


def _against(ours: Result, name: str, peer: Result, factor: float) -> Row:
    what = f"decide(), median test prompt, against {name}"
    goal = Goal(factor, of=Of.SPEED)
    if peer.problem:
        return Row(what, ours.microseconds, "us", goal=goal, note=f"skipped: {peer.problem}")
    return Row(what, ours.microseconds, "us", peer=Peer("", peer.microseconds), goal=goal)


def _accuracy(ours: Result, name: str, peer: Result, needed: np.ndarray) -> Row:
    what = f"accuracy on the test prompts, against {name}"
    figure = float(np.mean(np.array(ours.tiers) == needed))
    if peer.problem:
        return Row(what, figure, note=f"skipped: {peer.problem}")
    return Row(what, figure, peer=Peer("", float(np.mean(np.array(peer.tiers) == needed))))


def _long_prompt(predictor: TierPredictor, prompts: list[str]) -> Row:
    """All test prompts in a row, cut to length, so that the text is as varied as real ones."""
    joined = "\n".join(prompts)
    text = (joined * (_LONG // len(joined) + 1))[:_LONG]
    times = [fastest(predictor.decide, text, 5) for _ in range(15)]
    goal = Goal(1.0, Sense.AT_MOST)
    return Row("decide(), 100,000 characters", median(times) / 1e6, "ms", goal=goal)

"""How long a decision takes in JavaScript, beside Python on the same prompts in the same run."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import classifier
from tests.benchmarks.material import Material, say
from tests.benchmarks.peers import Worker
from tests.benchmarks.row import Peer, Row, Unavailable
from tests.benchmarks.timing import Contender, Result, run_contest

__all__ = ["javascript_rows"]

_WORKER = Path(__file__).parent / "workers" / "javascript.mjs"
_MODEL = Path(classifier.__file__).with_name("default.tierwise")
_METHODS = ("decide", "explain")
_LONG = 100_000
_STARTS = 5


def javascript_rows(material: Material) -> Iterator[Row]:
    """Yield the rows, or say that Node is not there."""
    node = shutil.which("node")
    if node is None:
        raise Unavailable("node is not installed: apt-get install nodejs")
    prompts = material.test_prompts["prompt"].tolist()
    joined = "\n".join(prompts)
    long = (joined * (_LONG // len(joined) + 1))[:_LONG]
    rounds = material.choices.rounds
    for method in _METHODS:
        yield _row(f"{method}(), median test prompt", _contest(node, method, prompts, rounds))
    yield _row(f"decide(), {_LONG:,} characters", _contest(node, "decide", [long], rounds))
    yield _loading(node)


def _contest(node: str, method: str, prompts: Sequence[str], rounds: int) -> tuple[Result, Result]:
    """JavaScript and Python on the same prompts, in turns; more calls on few, so that engines warm up."""
    here, repeats = Path(sys.executable), max(5, 200 // len(prompts))
    command = [node, str(_WORKER), method, str(_MODEL)]
    contenders = [
        Contender("JavaScript", lambda: Worker.run("JavaScript", command), repeats),
        Contender("Python", lambda: Worker.start("Python", here, "tierwise", method), repeats),
    ]
    results = run_contest(contenders, prompts, [], rounds, say)
    return results["JavaScript"], results["Python"]


def _row(what: str, results: tuple[Result, Result]) -> Row:
    ours, python = results
    for result in results:
        if result.problem:
            raise Unavailable(result.problem)
    alike = sum(one == other for one, other in zip(ours.tiers, python.tiers, strict=True))
    agreed = f"{alike} of {len(ours.tiers)} most probable tiers agree"
    note = f"each at its fastest of several calls in turns; {agreed}"
    return Row(what, ours.microseconds, "us", peer=Peer("Python", python.microseconds), note=note)


def _loading(node: str) -> Row:
    fastest = min(_one_loading(node) for _ in range(_STARTS))
    return Row("loading the packaged model", fastest, "ms", note=f"the fastest of {_STARTS} fresh processes")


def _one_loading(node: str) -> float:
    with Worker.run("JavaScript", [node, str(_WORKER), "decide", str(_MODEL)]) as worker:
        return float(worker.ask({"loaded": True}))

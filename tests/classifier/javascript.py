"""The JavaScript predictor in a Node process, for tests, and what it must agree with."""

import base64
import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self, cast

import pytest

from classifier import Explanation

__all__ = ["NODE", "Predictor", "assert_agrees", "told"]

NODE = shutil.which("node")
_WORKER = Path(__file__).with_name("javascript_worker.mjs")
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Predictor:
    """A process of Node that answers one JSON line with another."""

    process: subprocess.Popen[str]

    @classmethod
    def start(cls) -> Self:
        """Start it; it has no model yet."""
        command = [str(NODE), str(_WORKER)]
        pipe = subprocess.PIPE
        return cls(subprocess.Popen(command, stdin=pipe, stdout=pipe, encoding="utf-8"))  # noqa: S603

    def load(self, content: bytes) -> dict[str, Any]:
        """Load a model file; the answer holds its version, or an error."""
        return self.ask(model=base64.b64encode(content).decode())

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request, and return its answer."""
        print(json.dumps(request), file=cast(IO[str], self.process.stdin), flush=True)
        answer: dict[str, Any] = json.loads(cast(IO[str], self.process.stdout).readline())
        return answer

    def stop(self) -> None:
        """End the process."""
        self.process.communicate()


def told(explanation: Explanation) -> dict[str, Any]:
    """What Python says, in the shape of the test vectors."""
    everything = explanation.as_dict()
    return {
        "decision": explanation.decision.as_dict(),
        **{key: everything[key] for key in ("against", "log_odds", "comparison")},
        "contributions": {part["name"]: part["value"] for part in everything["contributions"]},
    }


def assert_agrees(expected: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """Check what JavaScript answered against a vector."""
    assert "error" not in answer, answer
    explanation = answer["explanation"]
    for decision in (answer["decision"], explanation):
        assert _python_names(decision) == _near(expected["decision"])
    assert {"against": explanation["against"], "comparison": explanation["comparison"]} == {
        "against": expected["against"],
        "comparison": expected["comparison"],
    }
    assert explanation["logOdds"] == pytest.approx(expected["log_odds"], abs=_CLOSE)
    found = {part["name"]: part["value"] for part in explanation["contributions"]}
    assert found == pytest.approx(expected.get("contributions", found), abs=_CLOSE)


def _python_names(decision: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "tier": decision["tier"],
        "probabilities": decision["probabilities"],
        "risk": decision["risk"],
        "known_vocabulary": decision["knownVocabulary"],
        "policy": decision["policy"],
        "model_version": decision["modelVersion"],
    }


def _near(decision: Mapping[str, Any]) -> dict[str, Any]:
    numbers = ("probabilities", "risk", "known_vocabulary")
    return {**decision, **{name: pytest.approx(decision[name], abs=_CLOSE) for name in numbers}}

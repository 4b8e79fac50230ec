"""Prompts that every port of the predictor must judge as this one does, with what it says of them.

`python -m tests.classifier.vectors` writes `vectors.jsonl` anew, for the packaged model: run it when a test
says that the file is stale. Each line holds

| key | what |
|---|---|
| `id` | what is odd about the prompt |
| `prompt` | a string or OpenAI messages; lone surrogates stand as JSON escapes |
| `times` | only with some strings: the prompt is the string so many times in a row |
| `decision` | `Decision.as_dict()` |
| `against`, `log_odds`, `comparison` | of `Explanation.as_dict()` |
| `contributions` | name and value of every feature, by name; not of prompts with `times` |

Agreement means 1e-9 on every number, and equality of all else.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from classifier import TierPredictor
from classifier.atomic_file import write_whole
from tests.classifier.vector_prompts import CONVERSATIONS, REPEATED, TEXTS

__all__ = ["FILE", "prompt_of", "read_vectors", "vectors"]

FILE = Path(__file__).with_name("vectors.jsonl")


def vectors(predictor: TierPredictor) -> Iterator[dict[str, Any]]:
    """Yield every vector of a predictor."""
    for name, prompt in (TEXTS | CONVERSATIONS).items():
        yield {"id": name, "prompt": prompt} | _expected(predictor, prompt)
    for name, (text, times) in REPEATED.items():
        expected = _expected(predictor, text * times)
        del expected["contributions"]
        yield {"id": name, "prompt": text, "times": times} | expected


def prompt_of(vector: dict[str, Any]) -> Any:
    """Return the prompt that a vector is about."""
    return vector["prompt"] * vector["times"] if "times" in vector else vector["prompt"]


def read_vectors() -> list[dict[str, Any]]:
    """Return the vectors as they are stored."""
    return [json.loads(line) for line in FILE.read_text(encoding="ascii").splitlines()]


def _expected(predictor: TierPredictor, prompt: Any) -> dict[str, Any]:
    explanation = predictor.explain(prompt)
    told = explanation.as_dict()
    return {
        "decision": explanation.decision.as_dict(),
        "against": told["against"],
        "log_odds": told["log_odds"],
        "comparison": told["comparison"],
        "contributions": dict(sorted(_contributions(told))),
    }


def _contributions(told: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for contribution in told["contributions"]:
        yield contribution["name"], round(contribution["value"], 12)  # enough, and a third of the file


def main() -> int:
    """Write the file."""
    lines = [json.dumps(vector, separators=(",", ":")) + "\n" for vector in vectors(TierPredictor.default())]
    write_whole(FILE, "".join(lines).encode("ascii"))
    print(f"written  {FILE}: {len(lines)} vectors")
    return 0


if __name__ == "__main__":
    sys.exit(main())

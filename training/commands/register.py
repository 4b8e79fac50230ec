"""`register`: store a model file in MLflow, so that it can be promoted; a tuned one, say."""

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from classifier import TierPredictor
from training.commands.inputs import print_result
from training.commands.options import add_json
from training.tracking import MODEL_NAME, TrackedResult, TrackedRun, track, tracking_uri

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "register"
HELP = "store a model file in MLflow as a new version of the registered model"
EXAMPLES = """\
`train` registers what it fits. A file that `tune` gave another policy, or that came from elsewhere,
is registered here, and can then be promoted and fetched.

examples:
  python -m training register tuned.tierwise
  python -m training promote models:/tierwise/5 --data data/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the model file")
    parser.add_argument(
        "--experiment", default="tierwise", metavar="NAME", help="MLflow experiment (%(default)s)"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Store the file with the figures that it holds itself."""
    predictor = TierPredictor.load(arguments.file)
    facts = predictor.provenance
    tracked = TrackedRun(
        name=arguments.file.stem,
        parameters={"policy": predictor.policy.describe()},
        metrics=dict(_metrics(facts)),
        data_digest=str(facts.get("training_data", {}).get("digest", "unknown")),
        data_source=arguments.file,
        model_file=arguments.file,
        tags={"policy": json.dumps(predictor.policy.as_dict())},
    )
    uri = tracking_uri(os.environ, Path.cwd())
    stored = track(tracked, tracking_uri=uri, environ=os.environ, experiment=arguments.experiment)
    print_result(arguments.json, lambda: _facts(stored, predictor), lambda: _text(stored, predictor))
    return 0


def _metrics(facts: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The figures in the file: training's on the weights, and the tuned policy's on held-out rows.

    Training's figures on the policy are left out, for it may be another one by now.
    """
    for part, figures in facts.get("metrics", {}).items():
        yield from ((f"{part}.{name}", value) for name, value in figures.items() if "choice." not in name)
    held_out = facts.get("policy_chosen_for", {}).get("held_out", {})
    yield from ((f"policy.{name}", value) for name, value in held_out.items() if isinstance(value, float))


def _facts(stored: TrackedResult, predictor: TierPredictor) -> dict[str, Any]:
    return {
        "run": stored.run_id,
        "version": stored.version,
        "model_version": predictor.version,
        "policy": predictor.policy.as_dict(),
    }


def _text(stored: TrackedResult, predictor: TierPredictor) -> str:
    return (
        f"registered  models:/{MODEL_NAME}/{stored.version}, run {stored.run_id}\n"
        f"model       {predictor.version}, {predictor.policy.describe()}"
    )

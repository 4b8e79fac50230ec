"""`train`: fit a model on labelled prompts and write its file."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from classifier import TIERS, Tier, TierPredictor
from classifier.conversation import ConversationHead
from classifier.model_file import write_model
from training.commands.inputs import print_result, read_data, refuse_unwritable
from training.commands.options import add_data, add_json, add_seed, share, whole_number
from training.errors import SettingsError
from training.labelled import ROWS_PER_TIER, LabelledData
from training.plots import figures
from training.policy_choice import DEFAULT_UNDER_ROUTING
from training.settings import PRESETS, FitSettings
from training.summary import run_metrics, run_parameters, train_facts, train_summary
from training.tracking import TrackedResult, TrackedRun, track, tracking_uri
from training.train_run import Trained, TrainOptions, train, write_pipeline

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "train"
HELP = "fit a model on labelled prompts and write its file"
EXAMPLES = """\
examples:
  python -m training train data/ --out model.tierwise
  python -m training train labels.jsonl --settings outcomes --tiers cheap premium
  python -m training train prompts.csv --tune --jobs 2 --under-routing 0.05
"""
_BAR = "{desc}: {bar} {n_fmt}/{total_fmt} [{elapsed}]"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    add_data(parser)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("model.tierwise"),
        metavar="FILE",
        help="the model file to write; the scikit-learn pipeline goes beside it as FILE.joblib (%(default)s)",
    )
    parser.add_argument(
        "--settings",
        default="default",
        metavar="NAME",
        help=f"what to fit with: {' or '.join(PRESETS)}, or a JSON file (%(default)s)",
    )
    parser.add_argument(
        "--tiers",
        nargs="+",
        choices=[tier.label for tier in TIERS],
        default=[tier.label for tier in TIERS],
        metavar="TIER",
        help="choose between these tiers alone: two of cheap, balanced, premium (all three)",
    )
    parser.add_argument(
        "--tune", action="store_true", help="search the settings first, with whole sources held out"
    )
    parser.add_argument(
        "--no-refit",
        action="store_true",
        help="leave the validation rows out of the last fit, so that models can be compared on them",
    )
    parser.add_argument(
        "--final", action="store_true", help="report on the test split too: look at it rarely"
    )
    parser.add_argument(
        "--under-routing",
        type=share,
        default=DEFAULT_UNDER_ROUTING,
        metavar="SHARE",
        help="share of prompts that may get too low a tier, in [0, 1]; sets max_risk (%(default)s)",
    )
    add_seed(parser, "search and bootstrap")
    parser.add_argument(
        "--jobs", type=whole_number(1), default=2, metavar="N", help="processes of the search (%(default)s)"
    )
    parser.add_argument(
        "--no-tracking",
        action="store_true",
        help="do not store the run in MLflow (its place: MLFLOW_TRACKING_URI, or else mlflow.db here)",
    )
    parser.add_argument(
        "--experiment", default="tierwise", metavar="NAME", help="MLflow experiment (%(default)s)"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, write the files, and store the run."""
    options = TrainOptions(
        settings=_settings(arguments.settings),
        tune=arguments.tune,
        final=arguments.final,
        refit=not arguments.no_refit,
        under_routing=arguments.under_routing,
        seed=arguments.seed,
        jobs=arguments.jobs,
    )
    refuse_unwritable(arguments.out)
    data = read_data(arguments, rows_per_tier=ROWS_PER_TIER, tiers=_tiers(arguments.tiers))
    steps = 5 + options.tune + options.refit
    with tqdm(total=steps, desc="training", bar_format=_BAR, disable=None, file=sys.stderr) as bar:
        trained = train(data, options, step=_stepper(bar), track=_tracked, spare_head=_packaged_head)
        write_model(trained.model, arguments.out)
        pipeline = arguments.out.with_name(arguments.out.name + ".joblib")
        write_pipeline(trained.fitted, pipeline)
        stored = None if arguments.no_tracking else _store(trained, arguments, data, pipeline, bar)
        bar.update()
    written = [arguments.out, pipeline]
    print_result(
        arguments.json,
        lambda: train_facts(trained, written, stored),
        lambda: train_summary(trained, written, stored),
    )
    return 0


def _tiers(names: Sequence[str]) -> list[Tier]:
    tiers = sorted({Tier.parse(name) for name in names})
    if len(tiers) < 2:
        raise SettingsError(f"--tiers {' '.join(names)}: give at least two of cheap, balanced, premium")
    return tiers


def _settings(name: str) -> FitSettings:
    if name in PRESETS:
        return PRESETS[name]
    path = Path(name)
    try:
        mapping = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise SettingsError(
            f"{path}: cannot read settings here, and it is no preset ({', '.join(PRESETS)}): {why}"
        ) from error
    if not isinstance(mapping, dict):
        raise SettingsError(f"{path}: settings are a JSON object, such as {{'inverse_penalty': 20}}")
    try:
        return FitSettings.from_dict(mapping)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def _packaged_head() -> ConversationHead | None:
    return TierPredictor.default().model.head


def _stepper(bar: Any) -> Callable[[str], None]:
    started: list[str] = []

    def step(name: str) -> None:
        bar.update(1 if started else 0)
        started.append(name)
        bar.set_description(name)

    return step


def _tracked(candidates: Iterable[FitSettings]) -> Iterable[FitSettings]:
    return tqdm(list(candidates), desc="settings tried", disable=None, leave=False, file=sys.stderr)


def _store(
    trained: Trained, arguments: argparse.Namespace, data: LabelledData, pipeline: Path, bar: Any
) -> TrackedResult:
    bar.update()
    bar.set_description("storing the run in MLflow")
    card = arguments.data / "README.md" if arguments.data.is_dir() else None
    tracked = TrackedRun(
        name=arguments.out.stem,
        parameters=run_parameters(trained, arguments.seed),
        metrics=run_metrics(trained),
        data_digest=data.digest,
        data_source=arguments.data,
        model_file=arguments.out,
        data_card=card if card and card.is_file() else None,
        figures=figures(trained.validation),
        extra_files=[pipeline],
    )
    uri = tracking_uri(os.environ, Path.cwd())
    return track(tracked, tracking_uri=uri, environ=os.environ, experiment=arguments.experiment)

"""The commands of `python -m training`: the only place that composes, reads the environment and prints."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from classifier import ClassifierError, TierPredictor
from classifier.atomic_file import write_whole
from classifier.console import forgive_streams, run_command
from classifier.conversation import ConversationHead
from classifier.model_file import write_model
from training.agreement import read_votes
from training.arguments import build_parser
from training.comparison import compare_models
from training.data_card import render_card_tables
from training.errors import OutputError, SettingsError, TrainingError
from training.evaluation import evaluate_model
from training.labelled import ROWS_PER_TIER, LabelledData, read_labelled
from training.plots import figures
from training.report_html import evaluation_html
from training.report_text import comparison_text, evaluation_text
from training.settings import DEFAULT_SETTINGS, FitSettings
from training.split import split_data
from training.summary import run_metrics, run_parameters, train_facts, train_summary
from training.tracking import TrackedResult, TrackedRun, track, tracking_uri
from training.train_run import Trained, TrainOptions, train, write_pipeline

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0 when all went well, 1 on an expected failure, 130 after Ctrl-C.

    Raises:
        SystemExit: code 2 for arguments that make no sense, 0 after `--help`.
    """
    forgive_streams()
    arguments = build_parser().parse_args(argv)
    command = _COMMANDS[arguments.command]
    return run_command(lambda: command(arguments), (TrainingError, ClassifierError))


def _train(arguments: argparse.Namespace) -> int:
    options = TrainOptions(
        settings=_settings(arguments.settings),
        tune=arguments.tune,
        final=arguments.final,
        refit=not arguments.no_refit,
        under_routing=arguments.under_routing,
        seed=arguments.seed,
        jobs=arguments.jobs,
    )
    _refuse_unwritable(arguments.out)
    data = _read(arguments)
    steps = 5 + options.tune + options.refit
    with tqdm(total=steps, desc="training", bar_format=_BAR, disable=None, file=sys.stderr) as bar:
        trained = train(data, options, step=_stepper(bar), track=_tracked, spare_head=_packaged_head)
        write_model(trained.model, arguments.out)
        pipeline = arguments.out.with_name(arguments.out.name + ".joblib")
        write_pipeline(trained.fitted, pipeline)
        run = None if arguments.no_tracking else _store(trained, arguments, data, pipeline, bar)
        bar.update()
    written = [arguments.out, pipeline]
    _print(
        arguments.json,
        lambda: train_facts(trained, written, run),
        lambda: train_summary(trained, written, run),
    )
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    predictor = _load(arguments.model)
    if arguments.html:
        _refuse_unwritable(arguments.html)
    data = _part(_read(arguments), arguments.part, [predictor])
    evaluation = evaluate_model(predictor, data, seed=arguments.seed)
    if arguments.html:
        write_whole(arguments.html, evaluation_html(evaluation).encode())
    _print(arguments.json, evaluation.as_dict, lambda: evaluation_text(evaluation))
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    first, second = _load(arguments.first), _load(arguments.second)
    data = _part(_read(arguments), arguments.part, [first, second])
    comparison = compare_models(first, second, data, seed=arguments.seed)
    _print(arguments.json, comparison.as_dict, lambda: comparison_text(comparison))
    return 0


def _card(arguments: argparse.Namespace) -> int:
    print(render_card_tables(_read(arguments), read_votes(arguments.data)))
    return 0


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "train": _train,
    "evaluate": _evaluate,
    "compare": _compare,
    "card": _card,
}
_BAR = "{desc}: {bar} {n_fmt}/{total_fmt} [{elapsed}]"


def _settings(path: Path | None) -> FitSettings:
    if path is None:
        return DEFAULT_SETTINGS
    try:
        mapping = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: cannot read settings here: {error}") from error
    if not isinstance(mapping, dict):
        raise SettingsError(f"{path}: settings are a JSON object, such as {{'inverse_penalty': 20}}")
    try:
        return FitSettings.from_dict(mapping)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def _read(arguments: argparse.Namespace) -> LabelledData:
    at_least = ROWS_PER_TIER if arguments.command == "train" else 0  # to be judged, any rows will do
    data = read_labelled(arguments.data, skip_bad_rows=arguments.skip_bad_rows, rows_per_tier=at_least)
    for row in data.skipped:
        print(f"skipped: {row}", file=sys.stderr)
    return data


def _load(name: str) -> TierPredictor:
    return TierPredictor.default() if name == "default" else TierPredictor.load(name)


def _part(data: LabelledData, part: str, predictors: Sequence[TierPredictor]) -> LabelledData:
    """The rows to judge by; a model is not judged on what it was fitted on unless one asks for it."""
    fitted = {name for predictor in predictors for name in _fitted_on(predictor, data.digest)}
    unseen = [name for name in ("validation", "test") if name not in fitted]
    chosen = part if part != "auto" else (unseen[0] if fitted and unseen else "all")
    if part == "auto" and fitted:
        print(f"note: fitted on parts of this data: judged by its {chosen} rows", file=sys.stderr)
    if chosen in fitted or (chosen == "all" and fitted):
        print("note: some of these rows were fitted on; the figures flatter the model", file=sys.stderr)
    return data if chosen == "all" else getattr(split_data(data), chosen)


def _fitted_on(predictor: TierPredictor, digest: str) -> Sequence[str]:
    """The parts of this very data that the model was fitted on; none where it was fitted on other data."""
    facts = predictor.provenance.get("training_data", {})
    return facts.get("fitted_on", []) if facts.get("digest") == digest else []


def _packaged_head() -> ConversationHead | None:
    return TierPredictor.default().model.head


def _refuse_unwritable(path: Path) -> None:
    """Before minutes of work, not after."""
    if path.is_dir():
        raise OutputError(f"{path}: this is a folder; name a file to write")
    if path.exists() and not path.is_file():
        raise OutputError(f"{path}: this is no regular file; name one to write")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent} to write it in")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"{path}: the folder {path.parent} may not be written to")


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
    run = TrackedRun(
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
    return track(run, tracking_uri=uri, environ=os.environ, experiment=arguments.experiment)


def _print(as_json: bool, facts: Callable[[], object], text: Callable[[], str]) -> None:
    print(json.dumps(facts(), indent=2, ensure_ascii=False) if as_json else text())

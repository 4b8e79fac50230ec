"""One training run, from labelled data to a model file."""

import io
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
from threadpoolctl import threadpool_limits

from classifier import TIERS, BoundedPolicy, Policy, RiskPolicy, Tier, TierPredictor
from classifier.atomic_file import write_whole
from classifier.conversation import ConversationHead
from classifier.model_file import Model
from training.compiling import compile_model
from training.errors import OutputError
from training.evaluation import Evaluation, evaluate_model
from training.fitting import FittedModel, fit_model, refit_model
from training.labelled import LabelledData
from training.policy_choice import PolicyChoice, largest_max_risk
from training.predictors import route_rows
from training.search import SearchResult, search_settings
from training.settings import FitSettings
from training.split import Split, all_but_test, split_data

__all__ = ["Step", "TrainOptions", "Trained", "train", "write_pipeline"]

Step = Callable[[str], None]
"""Called with the name of each step as it begins."""

_VERSIONED = ("tierwise", "scikit-learn", "numpy", "scipy")


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """What a run is asked to do.

    Attributes:
        settings: what to fit with; `tune` looks for better ones.
        tune: search the settings first.
        final: report on the test split too.
        refit: fit once more on training and validation rows together, when all is chosen and reported.
        under_routing: the share of validation prompts that may get too low a tier, in [0, 1].
        seed: of the search and of the bootstrap.
        jobs: processes that the search uses side by side.
    """

    settings: FitSettings
    tune: bool = False
    final: bool = False
    refit: bool = True
    under_routing: float = 0.10
    seed: int = 0
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class Trained:
    """What came out of a run.

    Attributes:
        fitted: the scikit-learn pipelines.
        model: the compiled model, with its policy and where it comes from.
        choice: the policy's setting and what it was chosen for.
        split: the rows that were trained, validated and tested on.
        search: what `tune` tried, best first; None without it.
        validation: the evaluation on the validation rows, of the model before it was fitted on them too.
        test: the evaluation on the test rows; None unless the run was final.
    """

    fitted: FittedModel
    model: Model
    choice: PolicyChoice
    split: Split
    search: SearchResult | None
    validation: Evaluation
    test: Evaluation | None


def train(
    data: LabelledData,
    options: TrainOptions,
    *,
    step: Step,
    track: Callable[..., Any] = iter,
    spare_head: Callable[[], ConversationHead | None] = lambda: None,
) -> Trained:
    """Split, fit, calibrate, choose the policy, evaluate, and fit once more on all but the test rows.

    Linear algebra runs on one thread: vectors this short gain nothing from more, threads that wait for each
    other on a busy machine cost minutes, and sums come out alike whatever the number of cores.

    Args:
        data: the labelled rows.
        options: what to do.
        step: told of each step.
        track: wraps the search's candidates, to show progress.
        spare_head: gives the conversation head to use where the data has too few conversations for its own.

    Raises:
        DataError: if a part of the split is empty, or lacks a tier.
    """
    with threadpool_limits(limits=1):
        return _train(data, options, step, track, spare_head)


def _train(
    data: LabelledData,
    options: TrainOptions,
    step: Step,
    track: Callable[..., Any],
    spare_head: Callable[[], ConversationHead | None],
) -> Trained:
    step("splitting")
    split = split_data(data)
    search = None
    if options.tune:
        step("searching settings")
        search = search_settings(split.train, seed=options.seed, jobs=options.jobs, track=track)
    step("fitting")
    fitted = fit_model(split.train, split.validation, search.best if search else options.settings)
    step("choosing the policy")
    absent = [tier for tier in TIERS if tier not in set(data.frame["tier"])]
    # A head from elsewhere weighs three tiers: where one is absent, it would bring it back.
    head = spare_head() if fitted.head is None and not absent else None
    unset = compile_model(fitted, RiskPolicy(0.0), {}, head)
    rows = route_rows(TierPredictor(unset), split.validation)
    choice = largest_max_risk(rows.probabilities, rows.needed, rows.weights, options.under_routing)
    model = unset.with_policy(_policy(choice, absent))
    step("evaluating")
    validation = evaluate_model(TierPredictor(model), split.validation, seed=options.seed)
    if options.refit:
        step("fitting once more")
        fitted = refit_model(fitted, all_but_test(split))
        model = compile_model(fitted, model.policy, {}, head)
    test = evaluate_model(TierPredictor(model), split.test, seed=options.seed) if options.final else None
    facts = _provenance(data, split, fitted, head, choice, {"validation": validation, "test": test})
    if absent:
        facts["tiers"] = [tier.label for tier in TIERS if tier not in absent]
    facts["training_data"]["fitted_on"] = ["train", "validation"] if options.refit else ["train"]
    return Trained(fitted, replace(model, provenance=facts), choice, split, search, validation, test)


def _policy(choice: PolicyChoice, absent: Sequence[Tier]) -> Policy:
    """The chosen policy; of the lowest tier, where it is absent, the risk is 1 but for rounding."""
    policy = RiskPolicy(choice.max_risk)
    return BoundedPolicy(policy, floor=Tier.BALANCED) if Tier.CHEAP in absent else policy


def _head_words(fitted: FittedModel, spare: ConversationHead | None) -> str:
    if fitted.head is not None:
        return "fitted on this data"
    return "none: a conversation is judged by its last turn" if spare is None else "taken from another model"


def _provenance(
    data: LabelledData,
    split: Split,
    fitted: FittedModel,
    head: ConversationHead | None,
    choice: PolicyChoice,
    evaluations: Mapping[str, Evaluation | None],
) -> dict[str, Any]:
    """What the model file tells of its origin; nothing in it depends on when or where it was trained."""
    return {
        "training_data": {
            "digest": data.digest,
            "rows": {"train": len(split.train), "validation": len(split.validation), "test": len(split.test)},
            "near_duplicates_left_out": len(split.near_duplicates),
            "skipped": len(data.skipped),
        },
        "settings": fitted.settings.as_dict(),
        "inverse_temperature": fitted.inverse_temperature,
        "conversation_head": _head_words(fitted, head),
        "policy_chosen_for": choice.as_dict(),
        "metrics": {name: found.flat_metrics() for name, found in evaluations.items() if found},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _VERSIONED}},
    }


def write_pipeline(fitted: FittedModel, path: Path) -> None:
    """Store the scikit-learn pipelines with joblib, for training's own use: it is a pickle.

    Raises:
        OutputError: if the file could not be written; what stood there before is untouched.
    """
    buffer = io.BytesIO()
    joblib.dump(fitted, buffer, compress=3)
    try:
        write_whole(path, buffer.getvalue())
    except OSError as error:
        raise OutputError(f"{path}: could not write the pipeline: {error.strerror or error}") from error

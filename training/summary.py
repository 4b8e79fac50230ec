"""What a training run tells: to a person, to a program, and to the run tracker."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.evaluation import Evaluation
from training.policy_choice import PolicyChoice
from training.tracking import MODEL_NAME, TrackedResult
from training.train_run import Trained

__all__ = ["run_metrics", "run_parameters", "train_facts", "train_summary"]


def train_summary(trained: Trained, written: Sequence[Path], run: TrackedResult | None) -> str:
    """Return the run in a dozen lines."""
    lines = [
        f"data        {_data_line(trained)}",
        f"model       {_model_line(trained)}",
        f"policy      {_policy_line(trained.choice)}",
        *_search_lines(trained),
        _evaluation_line("validation", trained.validation),
        *(
            ["            of the model before its last fit, which includes these rows"]
            if _is_refitted(trained)
            else []
        ),
        *([_evaluation_line("test", trained.test)] if trained.test else []),
        f"written     {', '.join(map(str, written))}",
        *([f"tracked     run {run.run_id}, {run.model_uri}{_registered(run)}"] if run else []),
    ]
    return "\n".join(lines)


def train_facts(trained: Trained, written: Sequence[Path], run: TrackedResult | None) -> dict[str, Any]:
    """Return the run for JSON."""
    return {
        **trained.model.provenance,
        "written": [str(path) for path in written],
        "run": {"id": run.run_id, "model_uri": run.model_uri, "version": run.version} if run else None,
    }


def run_parameters(trained: Trained, seed: int) -> dict[str, str | int | float]:
    """Return the settings as a run tracker wants them."""
    settings = trained.fitted.settings.as_dict()
    return {**settings, "statistics": ", ".join(settings["statistics"]), "seed": seed}


def run_metrics(trained: Trained) -> dict[str, float]:
    """Return the figures as a run tracker wants them."""
    named = {"validation": trained.validation, "test": trained.test}
    figures = {
        f"{part}.{key}": v
        for part, found in named.items()
        if found
        for key, v in found.flat_metrics().items()
    }
    return {
        **figures,
        "max_risk": trained.choice.max_risk,
        "inverse_temperature": trained.fitted.inverse_temperature,
    }


def _registered(run: TrackedResult) -> str:
    return "" if run.version is None else f", registered as models:/{MODEL_NAME}/{run.version}"


def _is_refitted(trained: Trained) -> bool:
    return "validation" in trained.model.provenance["training_data"]["fitted_on"]


def _data_line(trained: Trained) -> str:
    split = trained.split
    return (
        f"{len(split.train):,} rows to train, {len(split.validation):,} to validate, "
        f"{len(split.test):,} to test; {len(split.near_duplicates)} near-duplicates of held-out rows left out"
    )


def _model_line(trained: Trained) -> str:
    prompts, head = trained.model.prompts, trained.model.provenance["conversation_head"]
    return (
        f"{len(prompts.words):,} tokens, {len(prompts.stems):,} stems, {len(prompts.pairs):,} pairs\n"
        f"            conversation head {head}"
    )


def _policy_line(choice: PolicyChoice) -> str:
    return (
        f"max_risk {choice.max_risk:.3g}: the largest that keeps under-routing at or below "
        f"{choice.target:.0%} on validation ({choice.achieved.rates.under:.1%} there)"
    )


def _evaluation_line(part: str, found: Evaluation) -> str:
    figures = found.flat_metrics()
    return (
        f"{part:<11} accuracy {figures['most_probable.accuracy']:.3f}, "
        f"cheap/premium errors {figures['most_probable.cheap_premium_errors']:.1%}, "
        f"calibration error {found.calibration.error:.3f}, under-routed {figures['choice.under_routing']:.1%}"
    )


def _search_lines(trained: Trained) -> list[str]:
    if trained.search is None:
        return []
    best, settings = trained.search.candidates[0], trained.search.best
    return [
        f"settings    best of {len(trained.search.candidates)} by log loss ({best.log_loss:.4f}; accuracy "
        f"{best.accuracy:.3f}), {trained.search.folds}",
        f"            {settings.as_dict()}",
    ]

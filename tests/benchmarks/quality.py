"""How often the model is right, on the test split and where it knows nothing of the author."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import LeaveOneGroupOut

from classifier import TierPredictor
from tests.benchmarks.material import Material, say
from tests.benchmarks.row import Goal, Peer, Row, Sense, Unavailable
from training.fitting import build_head, conversation_rows, fit_prompts, prompt_rows
from training.labelled import LabelledData
from training.settings import DEFAULT_SETTINGS
from training.tier_classifier import TierClassifier

__all__ = ["held_out_accuracy", "quality_rows", "training_rows"]

IntArray = npt.NDArray[np.int64]


def quality_rows(material: Material) -> Iterator[Row]:
    """Yield the rows about accuracy and calibration."""
    yield from _test_split(material)
    yield _prompts_by_source(material)
    yield _conversations_by_source(material)


def training_rows(material: Material) -> Iterator[Row]:
    """Yield the rows about training: its time, and whether the predictor agrees with what was trained."""
    yield _agreement(material)
    seconds = Goal(60.0, Sense.AT_MOST)
    note = "from labelled rows to an evaluated model; reading and tracking not counted"
    yield Row("training with the stored settings", material.training.seconds, "s", goal=seconds, note=note)
    what, minutes = "training with the full search", Goal(600.0, Sense.AT_MOST)
    if not material.choices.full:
        yield Row(what, None, "s", goal=minutes, note="skipped: takes minutes; ask for it with --full")
        return
    yield Row(what, material.timed_training(tune=True).seconds, "s", goal=minutes, note="two processes")


def _test_split(material: Material) -> Iterator[Row]:
    found = material.evaluation
    accuracy = found.estimate("most_probable", "accuracy")
    far = found.estimate("most_probable", "cheap_premium_errors")
    rule = found.rival("keyword_rule").rates
    note = f"{found.rows} test rows, prompts and conversations; bootstrap interval"
    yield Row(
        "accuracy, test split",
        accuracy.value,
        interval=(accuracy.low, accuracy.high),
        peer=Peer("keyword rule", rule.right),
        goal=Goal(0.75),
        note=note,
    )
    yield Row(
        "errors between cheap and premium",
        far.value,
        interval=(far.low, far.high),
        peer=Peer("keyword rule", rule.cheap_premium),
        goal=Goal(0.05, Sense.AT_MOST),
    )
    calibration = found.calibration
    chance = f"a perfectly calibrated model would show {calibration.by_chance:.3f} on so few rows on average"
    goal = Goal(0.03, Sense.AT_MOST)
    yield Row("expected calibration error, test split", calibration.error, goal=goal, note=chance)


def _prompts_by_source(material: Material) -> Row:
    """The mean over the sources of the accuracy on each, trained on the others; test rows take no part.

    Conversations stay out even where they have one turn: a handful would count as a whole source.
    """
    data = _not_test(material)
    texts, frame = prompt_rows(data.where(~data.frame["is_conversation"].to_numpy()))
    tiers, sources = frame["tier"].to_numpy(), frame["source"].to_numpy(dtype=str)
    weights = frame["weight"].to_numpy()
    shown = np.empty_like(tiers)
    for train, held_out in LeaveOneGroupOut().split(texts, tiers, sources):
        say(f"holding out the prompts of {sources[held_out[0]]}")
        model = TierClassifier.of(DEFAULT_SETTINGS)
        model.fit([texts[row] for row in train], tiers[train], weights[train])
        shown[held_out] = model.predict([texts[row] for row in held_out])
    mean, note = held_out_accuracy(shown, tiers, sources)
    return Row("mean accuracy, whole sources held out", mean, goal=Goal(0.73), note=note)


def _conversations_by_source(material: Material) -> Row:
    """The same for conversations; the prompt model saw none of them, so only the head is fitted anew."""
    say("holding out the conversations of each source")
    data = _not_test(material)
    rows = conversation_rows(fit_prompts(data, DEFAULT_SETTINGS), data)
    if rows is None:
        raise Unavailable("too few conversations to fit a head")
    shown = np.empty_like(rows.tiers)
    for train, held_out in LeaveOneGroupOut().split(rows.matrix, rows.tiers, rows.sources):
        head = build_head(DEFAULT_SETTINGS.head_inverse_penalty)
        head.fit(rows.matrix[train], rows.tiers[train], regression__sample_weight=rows.weights[train])
        shown[held_out] = head.predict(rows.matrix[held_out])
    mean, note = held_out_accuracy(shown, rows.tiers, rows.sources)
    return Row("mean accuracy, conversations, one source held out", mean, goal=Goal(0.68), note=note)


def _not_test(material: Material) -> LabelledData:
    test = set(material.split.test.frame["id"])
    return material.data.where(~material.data.frame["id"].isin(test).to_numpy())


def held_out_accuracy(shown: IntArray, needed: IntArray, sources: npt.NDArray[np.str_]) -> tuple[float, str]:
    """Return the mean over sources of the accuracy on each, and a note with what lies behind it.

    >>> held_out_accuracy(np.array([0, 1, 2]), np.array([0, 1, 0]), np.array(["a", "a", "b"]))[0]
    0.5
    """
    each = {str(name): float(np.mean((shown == needed)[sources == name])) for name in np.unique(sources)}
    overall, far = float(np.mean(shown == needed)), float(np.mean(abs(shown - needed) == 2))
    single = ", ".join(f"{name} {accuracy:.2f}" for name, accuracy in each.items())
    note = f"{len(needed)} rows, {overall:.3f} of them right, {far:.3f} off by two tiers; {single}"
    return float(np.mean(list(each.values()))), note


def _agreement(material: Material) -> Row:
    trained, prompts = material.training.trained, material.test_prompts["prompt"].tolist()
    ours = np.array(TierPredictor(trained.model).predict_proba(prompts))
    theirs = trained.fitted.prompts.predict_proba(prompts)
    return Row(
        "largest difference in a probability, predictor and its scikit-learn pipeline",
        float(np.abs(ours - theirs).max()),
        goal=Goal(1e-9, Sense.AT_MOST),
        note=f"{len(prompts)} test prompts, both from the training in this run",
    )

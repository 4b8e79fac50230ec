"""From a log to labels, and from labels to a labelled set that `train` takes."""

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

from classifier import Tier
from tests.training.feedback_gain import Gain, feedback_gain
from tests.training.feedback_users import Users
from tests.training.fits import all_rows
from training.feedback_labels import Feedback, label_feedback
from training.feedback_merge import merge
from training.feedback_rows import FeedbackRow
from training.feedback_rules import DEFAULT_RULES, FeedbackRules
from training.feedback_text import feedback_facts, feedback_text
from training.labelled import LabelledData, read_labelled
from training.settings import FitSettings
from training.split import split_data


def row(text: str, tier: Tier = Tier.CHEAP, name: str = "", **signs: Any) -> FeedbackRow:
    calm = {"thumb": 0, "retried": False, "escalated_to": None, "escalated_thumb": 0}
    return FeedbackRow(
        request_id=name,
        prompt=text,
        text=text,
        tier=tier,
        probabilities=(0.6, 0.3, 0.1),
        chosen_by="policy",
        propensity=None,
        language="en",
        domain="",
        **{**calm, **signs},
    )


def labelled(*rows: FeedbackRow) -> Feedback:
    return label_feedback(rows, DEFAULT_RULES)


def test_rows_of_the_same_prompt_give_one_label() -> None:
    found = labelled(row("a", thumb=1), row("b", thumb=-1), row("a", thumb=1))
    assert [(label.text, label.tier, label.signs) for label in found.labels] == [
        ("a", Tier.CHEAP, 2),
        ("b", Tier.BALANCED, 1),
    ]
    assert found.labels[0].weight > labelled(row("a", thumb=1)).labels[0].weight


def test_the_last_row_of_a_request_counts() -> None:
    found = labelled(
        row("a", name="1", thumb=1),
        row("b", name="2", thumb=1),
        row("a", name="1", thumb=-1),
        row("b", name="2"),
    )
    assert [label.tier for label in found.labels] == [Tier.BALANCED]
    assert (found.counts.rows, found.counts.superseded) == (4, 2)
    assert found.counts.signs == {
        ("thumb up", Tier.CHEAP): 0,
        ("thumb down", Tier.CHEAP): 1,
        ("silence", Tier.CHEAP): 1,
    }
    assert found.counts.tiers == {Tier.CHEAP: 2}


def test_feedback_that_is_appended_replaces_the_silent_row_of_its_request() -> None:
    asked = [row(f"{n}", name=f"{n}") for n in range(3)]
    found = labelled(*asked, row("0", name="0", thumb=1), row("1", name="1"))
    assert (found.counts.rows, found.counts.superseded) == (5, 2)
    assert found.counts.tiers == {Tier.CHEAP: 3}
    assert found.counts.silent == {Tier.CHEAP: 2}
    assert found.counts.chosen_by == {"policy": 3}


def test_rows_without_a_name_never_replace_each_other() -> None:
    assert labelled(row("a", thumb=1), row("a", thumb=1)).counts.superseded == 0


def test_what_teaches_nothing_is_counted_and_not_labelled() -> None:
    found = labelled(
        row("a", Tier.PREMIUM, thumb=1),
        row("b", Tier.PREMIUM, thumb=-1),
        row("c"),
        row("d", thumb=1),
        row("d", thumb=-1),
    )
    assert [label.text for label in found.labels] == ["d"]  # what the router believed stands
    assert (found.prompts, found.nothing_learnt, found.contradicting) == (3, 2, 1)
    assert found.counts.premium_failed == 1


def test_a_long_log_of_silence_costs_no_memory_and_gives_no_label() -> None:
    found = label_feedback((row(f"prompt {n}") for n in range(5000)), DEFAULT_RULES)
    assert (found.labels, found.prompts, found.counts.silent) == ((), 0, {Tier.CHEAP: 5000})


def test_the_report_says_what_a_log_cannot_show() -> None:
    found = labelled(row("a", thumb=1), row("b", Tier.PREMIUM, thumb=-1), row("c", Tier.PREMIUM))
    text = feedback_text(found, None, 2, Path("labels.jsonl"))
    assert "3 rows; 2 bad ones skipped, 0 superseded" in text
    assert "1 prompts of 2 with a sign" in text
    assert "thumbs down at premium: 1; nobody solved it" in text
    assert "What the log cannot show: only the tier that was chosen was tried. 67 %" in " ".join(text.split())
    facts = feedback_facts(found, None, 2, Path("labels.jsonl"))
    assert facts["labels"]["cheap"]["prompts"] == 1
    assert facts["answered"]["premium"] == {"rows": 2, "silent": 1, "signs": {"thumb down": 1, "silence": 1}}
    assert json.loads(json.dumps(facts)) == facts


# --- beside labelled data

DATA = [
    {"id": "1", "prompt": "a", "tier": "cheap", "source": "ours"},
    {"id": "2", "prompt": "b", "tier": "premium", "language": "en"},
    {
        "id": "3",
        "messages": [{"role": "user", "content": "c"}, {"role": "user", "content": "c2"}],
        "tier": "balanced",
    },
]


@pytest.fixture
def data(tmp_path: Path) -> LabelledData:
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, DATA)), encoding="utf-8")
    return read_labelled(tmp_path / "data.jsonl", rows_per_tier=0)


@pytest.mark.parametrize(("prefer", "kept"), [("data", "premium"), ("feedback", "cheap")])
def test_together_no_prompt_has_two_labels(
    data: LabelledData, tmp_path: Path, prefer: str, kept: str
) -> None:
    found = labelled(row("a", thumb=1), row("b", thumb=1), row("d", thumb=1))
    merged = merge(data, found.labels, prefer)
    (tmp_path / "all.jsonl").write_text("\n".join(map(json.dumps, merged.rows)), encoding="utf-8")
    both = read_labelled(tmp_path / "all.jsonl", rows_per_tier=0)
    assert len(both) == 4
    tiers = dict(zip(both.frame["text"], both.frame["tier"], strict=True))
    assert tiers["b"] == int(Tier.parse(kept))
    assert (merged.agreeing, merged.contradicting) == (1, 1)
    assert merged.from_data + merged.from_feedback == 4
    weights = dict(zip(both.frame["text"], both.frame["weight"], strict=True))
    assert weights["a"] == 1.0
    assert weights["d"] < 0.5


def test_labelled_rows_come_through_unchanged(data: LabelledData, tmp_path: Path) -> None:
    merged = merge(data, ())
    (tmp_path / "all.jsonl").write_text("\n".join(map(json.dumps, merged.rows)), encoding="utf-8")
    assert read_labelled(tmp_path / "all.jsonl", rows_per_tier=0).digest == data.digest


# --- what it is worth


QUICK = FitSettings(longest_ngram=1, inverse_penalty=5.0)
FRANK = Users(up=0.6, down=0.8, wrong=0.03, escalates=0.5)


@pytest.fixture(scope="module")
def gain(tmp_path_factory: pytest.TempPathFactory) -> Gain:
    """Three hundred labelled prompts, and a log of a thousand others whose users say what they think."""
    data = all_rows()
    split = split_data(data.where(~data.frame["is_conversation"].to_numpy()))
    place = numpy.arange(len(split.train))
    return feedback_gain(
        split.train.where(place % 12 == 0),
        split.train.where(place % 4 == 1),
        split.validation,
        split.validation,
        tmp_path_factory.mktemp("gain"),
        settings=QUICK,
        rules=DEFAULT_RULES,
        users=FRANK,
    )


def test_feedback_of_frank_users_helps_a_small_model_and_the_truth_would_help_more(gain: Gain) -> None:
    assert gain.with_feedback > gain.without + 0.01
    assert gain.with_truth > gain.with_feedback


def test_labels_from_feedback_are_mostly_right_and_never_weigh_as_much_as_given_ones(gain: Gain) -> None:
    assert gain.right > 0.65
    assert max(label.weight for label in gain.feedback.labels) <= FeedbackRules().most < 1.0

from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import TierPredictor, read
from classifier.contribution import Contrast
from classifier.conversation import ROLES, conversation_features, judged_texts
from classifier.model_file import Model
from classifier.statistic import COUNTS
from tests.classifier.small_model import small_head
from tests.classifier.texts import MESSAGES

CONTRASTS = st.builds(Contrast, st.floats(-20, 20), st.floats(-20, 20))
HEAD = small_head()


def chat(*asks: str) -> list[dict[str, str]]:
    """The asks as a conversation with short answers in between."""
    messages = [
        {"role": role, "content": text}
        for ask in asks
        for role, text in (("user", ask), ("assistant", "So."))
    ]
    return messages[:-1]


@given(MESSAGES, st.data())
def test_the_head_is_linear_in_what_it_was_trained_on(
    messages: list[dict[str, str]], data: st.DataObject
) -> None:
    reading = read(messages)
    texts = judged_texts(reading)
    contrasts = data.draw(st.lists(CONTRASTS, min_size=len(texts), max_size=len(texts)))
    features = conversation_features(reading, contrasts)
    assert len(features) == 2 * len(ROLES) + len(COUNTS)
    weights = [pair for role in HEAD.roles for pair in (role.matrix[:2], role.matrix[2:])]
    counts = [(count.mean, count.scale, (count.balanced, count.premium)) for count in HEAD.counts]
    expected = [
        HEAD.intercept[axis]
        + fsum(weight[axis] * value for weight, value in zip(weights, features, strict=False))
        + fsum(
            pair[axis] * (value - mean) / scale
            for (mean, scale, pair), value in zip(counts, features[2 * len(ROLES) :], strict=True)
        )
        for axis in (0, 1)
    ]
    assert HEAD.contrast(reading, contrasts) == pytest.approx(expected, abs=1e-9)


def test_a_single_turn_is_judged_without_the_head(small: Model) -> None:
    predictor = TierPredictor(small)
    answered = [
        {"role": "system", "content": "Be brief."},
        *chat("prove that"),
        {"role": "assistant", "content": "So."},
    ]
    assert predictor.predict_proba([answered]) == predictor.predict_proba(["prove that"])


def test_a_long_history_is_read_at_its_first_and_its_recent_turns(small: Model) -> None:
    predictor = TierPredictor(small)
    asks = [f"turn {number}" for number in range(2000)]
    changed = [*asks[:5], "prove that", *asks[6:]]
    assert predictor.predict_proba([chat(*asks)]) == predictor.predict_proba([chat(*changed)])
    first = predictor.predict_proba([chat("prove that", *asks[1:])])
    recent = predictor.predict_proba([chat(*asks[:-3], "prove that", *asks[-2:])])
    assert predictor.predict_proba([chat(*asks)]) not in (first, recent)


def test_contents_of_system_prompts_tool_results_and_answers_only_count(small: Model) -> None:
    predictor = TierPredictor(small)

    def judged(word: str) -> list[tuple[float, float, float]]:
        other = [
            {"role": "system", "content": word * 3},
            *chat("capital", "and of Peru?"),
            {"role": "tool", "content": word * 500},
            {"role": "assistant", "content": word},
        ]
        return predictor.predict_proba([other])

    assert judged("prove ") == judged("thank ")


@pytest.mark.parametrize(
    "more",
    [
        [{"role": "system", "content": "x" * 5000}],
        [{"role": "assistant", "content": "x" * 5000}],
        [{"role": "tool", "content": "x"}],
    ],
    ids=["a system prompt", "a long answer", "a tool result"],
)
def test_but_they_do_count(small: Model, more: list[dict[str, str]]) -> None:
    predictor, messages = TierPredictor(small), chat("capital", "and of Peru?")
    assert predictor.predict_proba([messages + more]) != predictor.predict_proba([messages])

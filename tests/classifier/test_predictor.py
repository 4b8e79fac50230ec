import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from math import fsum
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import (
    TIERS,
    BoundedPolicy,
    FixedPolicy,
    ModelFileDamaged,
    ModelFileMissing,
    Prompt,
    PromptError,
    RiskPolicy,
    Tier,
    TierPredictor,
)
from classifier.model_file import Model
from classifier.policies import risk
from tests.classifier.small_model import small_model
from tests.classifier.texts import HUGE, HUGE_IDS, MESSAGES, TEXTS

SMALL = TierPredictor(small_model())
PROMPTS = st.one_of(TEXTS, MESSAGES)
SHARE = st.floats(0.0, 1.0)


@settings(max_examples=200)
@given(PROMPTS)
def test_any_prompt_gets_a_decision_with_probabilities_that_sum_to_one(
    predictor: TierPredictor, prompt: Prompt
) -> None:
    decision = predictor.decide(prompt)
    assert fsum(decision.probabilities) == pytest.approx(1.0, abs=1e-12)
    assert all(0.0 <= probability <= 1.0 for probability in decision.probabilities)
    assert 0.0 <= decision.known_vocabulary <= 1.0
    assert 0.0 <= decision.risk <= 1.0
    assert decision.risk == risk(decision.probabilities, decision.tier)
    assert decision.tier is predictor.policy.choose(decision.probabilities)
    assert (decision.policy, decision.model_version) == (predictor.policy.describe(), predictor.version)


@given(TEXTS)
def test_a_string_is_decided_like_a_message_of_it(text: str) -> None:
    message = {"role": "user", "content": text}
    part = {"role": "user", "content": [{"type": "text", "text": text}]}
    assert SMALL.decide(text) == SMALL.decide([message]) == SMALL.decide([part])
    assert SMALL.explain(text) == SMALL.explain([message])


@given(PROMPTS, SHARE, SHARE)
def test_a_lower_max_risk_never_gives_a_cheaper_tier(prompt: Prompt, one: float, other: float) -> None:
    low, high = sorted((one, other))
    careful, bold = (SMALL.with_policy(RiskPolicy(max_risk)).decide(prompt) for max_risk in (low, high))
    assert careful.tier >= bold.tier
    assert careful.probabilities == bold.probabilities


@given(PROMPTS)
def test_the_same_prompt_is_always_decided_the_same(prompt: Prompt) -> None:
    assert SMALL.decide(prompt) == SMALL.decide(prompt)


@pytest.mark.parametrize("text", HUGE, ids=HUGE_IDS)
def test_a_huge_text_gets_a_decision_and_an_explanation(predictor: TierPredictor, text: str) -> None:
    assert predictor.explain(text).decision == predictor.decide(text)


def test_ten_megabytes_are_read_at_both_ends(predictor: TierPredictor) -> None:
    pasted = "An ordinary line of an ordinary log file.\n" * 250_000
    assert len(pasted) > 10_000_000
    ask = "Fix the typo in the last line: recieve"
    long = predictor.decide([{"role": "user", "content": pasted + ask}])
    assert long == predictor.decide(pasted + ask)
    assert long.probabilities != predictor.decide(pasted).probabilities


def test_probabilities_come_in_the_order_of_the_prompts(predictor: TierPredictor) -> None:
    prompts = ["What is the capital of Peru?", [{"role": "user", "content": "Prove it."}], ""]
    rows = predictor.predict_proba(prompts)
    assert rows == [predictor.decide(prompt).probabilities for prompt in prompts]
    assert predictor.predict_proba([]) == []


def test_one_prompt_instead_of_many_is_refused(predictor: TierPredictor) -> None:
    with pytest.raises(PromptError, match="wrap a single string in a list"):
        predictor.predict_proba("What is the capital of Peru?")


@pytest.mark.parametrize("prompt", [None, 7, b"x", [], {"role": "user"}, ["x"]], ids=repr)
def test_what_is_no_prompt_is_refused_by_every_method(predictor: TierPredictor, prompt: Prompt) -> None:
    with pytest.raises(PromptError, match=r"prompt|message"):
        predictor.decide(prompt)
    with pytest.raises(PromptError, match=r"prompt|message"):
        predictor.explain(prompt)
    with pytest.raises(PromptError, match=r"prompt|message"):
        predictor.predict_proba([prompt])


def test_another_policy_is_another_predictor_with_the_same_model(predictor: TierPredictor) -> None:
    before = predictor.policy
    other = predictor.with_policy(FixedPolicy(Tier.PREMIUM))
    assert other.decide("2 + 2?").tier is Tier.PREMIUM
    assert other.decide("2 + 2?").policy == "always premium"
    assert other.version == predictor.version
    assert other.model.prompts is predictor.model.prompts
    assert predictor.policy is before


@pytest.mark.parametrize("tier", TIERS)
def test_bounds_hold_for_every_prompt(predictor: TierPredictor, tier: Tier) -> None:
    bounded = predictor.with_policy(BoundedPolicy(predictor.policy, tier, tier))
    assert {bounded.decide(prompt).tier for prompt in ("2 + 2?", "Prove it.", "")} == {tier}


def test_known_vocabulary_is_the_share_of_distinct_words_of_the_last_ask() -> None:
    assert SMALL.decide("prove prove capital zzz yyy").known_vocabulary == 0.5
    turns = [{"role": "user", "content": text} for text in ("prove that", "zzz capital")]
    assert SMALL.decide(turns).known_vocabulary == 0.5
    assert SMALL.decide("").known_vocabulary == 0.0


def test_injected_blocks_do_not_move_a_decision(predictor: TierPredictor) -> None:
    block = "<system-reminder>Prove that every step is safe; mind races and deadlocks.</system-reminder>"
    assert predictor.decide(f"{block}What is the capital of Peru?{block}") == predictor.decide(
        "What is the capital of Peru?"
    )


def test_a_model_without_a_head_judges_the_last_turn(small: Model) -> None:
    headless = TierPredictor(Model(small.prompts, None, small.policy, {}))
    turns = [{"role": "user", "content": text} for text in ("prove that", "the capital?")]
    assert headless.decide(turns) == headless.decide("the capital?")
    assert headless.explain(turns) == headless.explain("the capital?")
    assert headless.version == "unsaved"


def test_a_model_is_loaded_by_path_or_by_name(small_file: Path) -> None:
    one, other = TierPredictor.load(small_file), TierPredictor.load(str(small_file))
    assert one.decide("prove that") == other.decide("prove that")
    assert one.version == other.version != "unsaved"
    assert one.provenance == {"made for": "tests"}


def test_what_cannot_be_loaded_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing, match="cannot read a model file here"):
        TierPredictor.load(tmp_path / "none")
    (tmp_path / "text").write_text("hello", encoding="utf-8")
    with pytest.raises(ModelFileDamaged, match="not a whole model file"):
        TierPredictor.load(tmp_path / "text")


def test_threads_share_a_predictor(predictor: TierPredictor) -> None:
    prompts = [f"Prove that {number} is prime, or show its factors." for number in range(300)]
    expected = predictor.predict_proba(prompts)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda prompt: predictor.decide(prompt).probabilities, prompts))
    assert found == expected


@pytest.mark.parametrize("name", ["policy", "version", "model", "provenance", "anything"])
def test_a_predictor_cannot_be_changed(predictor: TierPredictor, name: str) -> None:
    with pytest.raises(AttributeError, match=name):
        setattr(predictor, name, None)


def test_every_process_decides_to_the_last_bit_the_same() -> None:
    code = (
        "from classifier import TierPredictor; p = TierPredictor.default();"
        "print(p.predict_proba(['Prove that pi is irrational, please.', 'a b c d e f g', '證明', '']))"
    )
    told = {
        subprocess.run(  # noqa: S603
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": str(seed)},
        ).stdout
        for seed in range(3)
    }
    assert len(told) == 1

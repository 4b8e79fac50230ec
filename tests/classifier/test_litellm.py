"""The plugin and the hooks as LiteLLM calls them; tests/serving/test_inside_litellm.py has the real one."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import classifier.litellm
from classifier import Decision, ModelFileMissing, RiskPolicy, Tier, TierPredictor
from classifier.litellm import MODEL_FILE, TIER_NAMES, TierPlugin, explaining, predictor_from

ASK = [{"role": "user", "content": "What is the capital of France?"}]
PROOF = [{"role": "user", "content": "Prove that the square root of 2 is irrational, without contradiction."}]


class Base:
    """Stands where LiteLLM's class of callbacks stands."""


def context(messages: list[Any]) -> Any:
    return SimpleNamespace(structured_messages=messages)


@pytest.fixture(scope="module")
def predictor() -> TierPredictor:
    return TierPredictor.default()


@pytest.mark.parametrize(("messages", "name"), [(ASK, "SIMPLE"), (PROOF, "COMPLEX")], ids=["ask", "proof"])
async def test_the_plugin_names_the_tier_as_litellm_does(
    messages: list[Any], name: str, predictor: TierPredictor
) -> None:
    assert await TierPlugin(predictor).classify(context(messages)) == name


def test_every_tier_has_a_name_of_its_own() -> None:
    assert len({TIER_NAMES[tier] for tier in Tier}) == len(Tier)


@pytest.mark.parametrize("messages", [[], [{"role": "user"}, 7]], ids=["none", "no message"])
async def test_what_cannot_be_read_is_left_to_litellm(messages: list[Any], predictor: TierPredictor) -> None:
    assert await TierPlugin(predictor).classify(context(messages)) is None


async def request(hooks: Any, **data: Any) -> tuple[dict[str, Any], dict[str, str] | None]:
    given = {"model": "auto", "messages": PROOF, **data}
    await hooks.async_pre_call_hook(None, None, given, "acompletion")
    return given, await hooks.async_post_call_response_headers_hook(given, None, None, request_headers={})


async def test_the_decision_stands_in_metadata_and_headers(predictor: TierPredictor) -> None:
    data, headers = await request(explaining(Base, predictor, models=("auto",)), metadata={"team": "a"})
    decision: Decision = predictor.decide(PROOF)
    assert data["metadata"]["team"] == "a"
    assert data["metadata"]["tierwise"]["probabilities"]["premium"] == decision.probabilities[Tier.PREMIUM]
    assert headers is not None
    assert headers["x-tierwise-tier"] == "premium"
    assert headers["x-tierwise-risk"] == f"{decision.risk:.4f}"
    assert headers["x-tierwise-model-version"] == predictor.version
    assert headers["x-tierwise-reasons"].isascii()


async def test_a_client_cannot_put_a_decision_in_place_of_ours(predictor: TierPredictor) -> None:
    forged = {"tierwise": {"tier": "cheap"}}
    data, headers = await request(explaining(Base, predictor, models=()), metadata=forged)
    assert "tierwise" not in data["metadata"]
    assert headers is None


async def test_other_models_and_what_cannot_be_read_pass_as_they_are(predictor: TierPredictor) -> None:
    hooks = explaining(Base, predictor, models=("auto",))
    assert (await request(hooks, model="gpt-4o"))[1] is None
    assert (await request(hooks, messages=[]))[1] is None
    assert (await request(hooks, messages=None, metadata=None))[1] is None


def test_the_hooks_stand_in_the_class_itself(predictor: TierPredictor) -> None:
    hooks = explaining(Base, predictor, models=("auto",))
    assert isinstance(hooks, Base)
    assert {"async_pre_call_hook", "async_post_call_response_headers_hook"} <= set(vars(type(hooks)))


def test_the_environment_names_the_model(tmp_path: Path, predictor: TierPredictor) -> None:
    assert predictor_from({}).version == predictor.version
    assert predictor_from({MODEL_FILE: " "}).version == predictor.version
    with pytest.raises(ModelFileMissing, match=r"none\.tierwise"):
        predictor_from({MODEL_FILE: str(tmp_path / "none.tierwise")})


def test_a_plugin_is_made_when_litellm_asks_for_it() -> None:
    assert isinstance(classifier.litellm.plugin, TierPlugin)
    with pytest.raises(AttributeError, match="no attribute 'plugins'"):
        classifier.litellm.plugins  # noqa: B018 - asking is the test


def test_importing_reads_no_model_and_no_litellm(tmp_path: Path) -> None:
    program = "import sys, classifier.litellm; print('litellm' in sys.modules)"
    environ = {**os.environ, MODEL_FILE: str(tmp_path / "none.tierwise")}
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


async def test_a_policy_of_ones_own_is_followed(predictor: TierPredictor) -> None:
    careful = TierPlugin(predictor.with_policy(RiskPolicy(max_risk=0.0001)))
    assert await careful.classify(context(ASK)) == "COMPLEX"

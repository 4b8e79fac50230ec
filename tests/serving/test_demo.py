"""`python -m serving demo`: its prompts, its lines, its totals."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import Decision, Tier, TierPredictor
from serving.chain import Skipped
from serving.config import RouterConfig
from serving.cost import Cost, Tokens
from serving.demo import Routed, outcome_lines, policy_lines, route, total_lines
from serving.demo_prompts import DemoPrompt, PromptsFileError, packaged_prompts, read_prompts
from serving.keys import Channel
from serving.router import TierRouter
from serving.routing import Latency, Reasons, Routing
from serving.sandbox import NoUsage, Sandbox, Status
from serving.wording import width
from tests.serving.small_model import write_small_model

CHEAP, BALANCED = "deepseek-ai/DeepSeek-V4-Flash", "Qwen/Qwen3-32B"
DECISION = Decision(Tier.CHEAP, (0.91, 0.07, 0.02), 0.09, 1.0, "risk at most 0.2", "0123456789ab")
ROUTING = Routing(
    requested="auto",
    tier=Tier.CHEAP,
    decision=DECISION,
    planned=CHEAP,
    model=CHEAP,
    channel=Channel.STANDARD,
    attempts=(),
    skipped=(),
    latency=Latency(0.0001, 0.2, 0.4123),
    cost=Cost(0.000021, Tokens(40, 44)),
    _reasons=Reasons.known("'capital of'", "few words", "a third"),
)
EASY = DemoPrompt("everyday", "Which is further north, Oslo or Stockholm?")


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox.start() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.clear()
    return running


@pytest.fixture
def router(sandbox: Sandbox, tmp_path: Path) -> Iterator[TierRouter]:
    predictor = TierPredictor.load(write_small_model(tmp_path / "small.tierwise"))
    environ = {"GLOBAL_API_KEY": "k", "GLOBAL_API_PRO_KEY": "ga_pro_k"}
    config, client = RouterConfig(base_url=sandbox.url), httpx2.Client(trust_env=False)
    with TierRouter(config, environ=environ, predictor=predictor, http_client=client) as router:
        yield router


def routed(router: TierRouter, *prompts: str) -> list[Routed]:
    def ask(messages: list[Any]) -> object:
        return router.chat.completions.create(model="auto", messages=messages)

    return list(route(ask, [DemoPrompt("", prompt) for prompt in prompts]))


def test_the_packaged_prompts_are_a_varied_dozen() -> None:
    prompts = packaged_prompts()
    assert len(prompts) == 12
    assert len({prompt.kind for prompt in prompts}) == 12
    assert any(len(prompt.messages) > 1 for prompt in prompts)
    assert any(len(prompt.ask) > 1000 for prompt in prompts)
    assert any(not prompt.ask.isascii() for prompt in prompts)


def test_three_lines_tell_the_decision_the_reasons_and_the_answer() -> None:
    assert outcome_lines(Routed(1, EASY, ROUTING), simulated=True) == [
        " 1 Which is further north, Oslo or Stockholm?  (everyday)",
        "   cheap     cheap  91%  balanced   7%  premium   2%   because of 'capital of', few words",
        "   simulated answer of deepseek-ai/DeepSeek-V4-Flash   $0.000021   412 ms",
    ]


def test_an_answer_of_a_real_model_is_not_called_simulated() -> None:
    assert "simulated" not in "\n".join(outcome_lines(Routed(1, EASY, ROUTING), simulated=False))


def test_a_decision_without_reasons_and_a_call_without_a_decision_are_worded() -> None:
    unexplained = replace(ROUTING, _reasons=Reasons.known())
    undecided = replace(
        ROUTING, decision=None, tier=Tier.BALANCED, _reasons=Reasons.known("the classifier failed")
    )
    assert outcome_lines(Routed(1, EASY, unexplained), simulated=True)[1].endswith("no feature speaks for it")
    assert (
        outcome_lines(Routed(1, EASY, undecided), simulated=True)[1] == "   balanced  the classifier failed"
    )


@given(st.text(st.characters()), st.text(max_size=30), st.booleans())
def test_no_line_is_wider_than_a_hundred_columns(ask: str, kind: str, failed: bool) -> None:
    failure = f"no model answered 'auto': {ask}" if failed else ""
    fallback = replace(ROUTING, planned="Pro/" + "x" * 90, _reasons=Reasons.known(ask, ask))
    lines = outcome_lines(Routed(12, DemoPrompt(kind, ask), fallback, failure), simulated=True)
    assert all(width(line) <= 100 for line in lines)
    assert all(len(line.splitlines()) == 1 for line in lines)


def test_each_prompt_is_routed_over_http_and_a_failure_does_not_end_the_row(
    router: TierRouter, sandbox: Sandbox
) -> None:
    sandbox.script(CHEAP, Status(400))
    outcomes = routed(router, "the capital of Peru?", "prove it", "write a function")
    assert [each.number for each in outcomes] == [1, 2, 3]
    assert outcomes[0].failure.startswith("Error code: 400")
    assert [each.routing.tier for each in outcomes] == [Tier.CHEAP, Tier.PREMIUM, Tier.BALANCED]
    assert [received.model for received in sandbox.requests] == [
        CHEAP,
        "Pro/deepseek-ai/DeepSeek-V3.2",
        BALANCED,
    ]
    assert "no answer: Error code: 400" in outcome_lines(outcomes[0], simulated=True)[2]
    assert outcomes[0].as_dict(simulated=True)["simulated"] is True


def test_a_fallback_is_named(router: TierRouter, sandbox: Sandbox) -> None:
    sandbox.script(CHEAP, Status(503))
    (outcome,) = routed(router, "the capital of Peru?")
    lines = outcome_lines(outcome, simulated=True)
    assert f"simulated answer of {BALANCED}" in lines[2]
    assert lines[3].startswith(f"   a fallback, since {CHEAP} did not answer: status 503: simulated failure")


def test_a_model_that_was_skipped_is_told_with_the_reason() -> None:
    skipped = replace(ROUTING, planned="Pro/x", skipped=(Skipped("Pro/x", "GLOBAL_API_PRO_KEY is not set"),))
    line = outcome_lines(Routed(1, EASY, skipped), simulated=True)[3]
    assert line == "   a fallback, since Pro/x was not asked: GLOBAL_API_PRO_KEY is not set"


def test_the_totals_compare_with_each_single_tier_at_the_same_tokens(
    router: TierRouter, sandbox: Sandbox
) -> None:
    sandbox.script(CHEAP, NoUsage())
    routed(router, "the capital of Peru?", "prove it", "write a function")
    summary = router.summary()
    head, *lines = total_lines(summary, router.core.config, simulated=True)
    assert head == "3 prompts: 1 cheap, 1 balanced, 1 premium"
    assert lines[-1] == "  simulated answers: no model was called, and nothing was paid"
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["always", name] for name in ("premium", "balanced", "cheap")
    ]
    assert f"${summary.always_usd['premium']:.6f}" in lines[1]
    assert "less" in lines[1]
    assert "the router costs" in lines[2]
    assert "answers without usage, whose tokens are counted from the text: 1" in lines[4]
    assert "cheap costs 11 % less than balanced, premium 8.9 times as much" in lines[5]
    assert "dearer than always balanced: 1 of 3 prompts went to premium" in lines[6]
    assert max(map(len, lines)) <= 100


def test_the_policy_and_the_model_are_named_once() -> None:
    outcomes = [Routed(number, EASY, ROUTING) for number in (1, 2)]
    assert policy_lines(outcomes) == ["  policy: risk at most 0.2 (model 0123456789ab)"]


def test_text_files_hold_a_prompt_a_line(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text("\ufefffirst one\n\n  second\u2028still second \n", encoding="utf-8")
    assert [prompt.ask for prompt in read_prompts(path)] == ["first one", "second\u2028still second"]


def test_json_lines_hold_prompts_or_conversations(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"prompt": "a", "kind": "k"}\n{"messages": [{"role": "user", "content": "b"}]}\n')
    first, second = read_prompts(path)
    assert (first.kind, first.ask, second.ask) == ("k", "a", "b")
    assert first.messages == [{"role": "user", "content": "a"}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.txt", b"", "p.txt: holds no prompt: write one a line"),
        ("p.txt", b"\xff\xfe", "p.txt: not UTF-8 at byte 0: save the file as UTF-8"),
        ("p.jsonl", b'{"prompt": "a"}\n{"prom', "p.jsonl, line 2: not JSON"),
        ("p.jsonl", b"[" * 100_000, "p.jsonl, line 1: not JSON"),
        ("p.jsonl", b"[1]", "line 1: must be an object with either 'prompt' or 'messages'"),
        ("p.jsonl", b'{"text": "a"}', "line 1: must be an object with either 'prompt' or 'messages'"),
        ("p.jsonl", b'{"prompt": ["a"]}', "line 1: 'prompt' must be a string"),
        ("p.jsonl", b'{"messages": "a"}', "line 1: 'prompt' must be a string"),
        ("p.jsonl", b'{"messages": [{"role": "owl", "content": "a"}]}', "line 1: message 1: role is 'owl'"),
    ],
    ids=[
        "empty",
        "not UTF-8",
        "broken",
        "nested",
        "a list",
        "another field",
        "a list of prompts",
        "text",
        "a role",
    ],
)
def test_a_bad_file_is_one_clear_error(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PromptsFileError, match=message.replace("[", r"\[")):
        read_prompts(tmp_path / name)


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(PromptsFileError, match=r"none\.txt: cannot be read: No such file or directory"):
        read_prompts(tmp_path / "none.txt")

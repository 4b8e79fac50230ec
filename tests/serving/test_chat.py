"""`python -m serving chat`: the conversation, its record, and what happens when an answer does not come."""

import io
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from classifier import TierPredictor
from serving.chat import Chat
from serving.config import RouterConfig
from serving.router import TierRouter
from serving.sandbox import NoUsage, ResetAfter, Sandbox, Status, StreamError
from tests.serving.small_model import write_small_model

CHEAP, PREMIUM = "deepseek-ai/DeepSeek-V4-Flash", "Pro/deepseek-ai/DeepSeek-V3.2"


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox.start() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.clear()
    return running


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> TierPredictor:
    folder: Path = tmp_path_factory.mktemp("model")
    return TierPredictor.load(write_small_model(folder / "small.tierwise"))


@pytest.fixture
def router(sandbox: Sandbox, predictor: TierPredictor) -> Iterator[TierRouter]:
    config = RouterConfig(base_url=sandbox.url, first_byte_seconds=2)
    environ = {"GLOBAL_API_KEY": "ga_secret", "GLOBAL_API_PRO_KEY": "ga_pro_secret"}
    client = httpx2.Client(trust_env=False)
    with TierRouter(config, environ=environ, predictor=predictor, http_client=client) as router:
        yield router


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def talk(router: TierRouter, out: io.StringIO, model: str = "auto") -> Chat:
    return Chat(router, out, model=model, simulated=True)


def contents(sandbox: Sandbox) -> list[list[tuple[str, str]]]:
    bodies = [received.body for received in sandbox.requests]
    return [
        [(message["role"], message["content"]) for message in body["messages"]]
        for body in bodies
        if isinstance(body, dict)
    ]


def test_an_answer_is_streamed_and_followed_by_its_record(router: TierRouter, out: io.StringIO) -> None:
    assert talk(router, out).run(["What is the capital of Peru?\n"]) == 0
    answer, record = out.getvalue().rstrip().splitlines()
    assert answer.startswith(f"(Simulated answer of {CHEAP}; no model was called.)")
    assert record.startswith(f"[cheap 100%, {CHEAP}, $0.0000")
    assert "first token" in record
    assert record.endswith(", simulated]")


def test_the_conversation_goes_along_until_a_new_one_starts(
    router: TierRouter, sandbox: Sandbox, out: io.StringIO
) -> None:
    talk(router, out).run(["one", "", "two", "/new", "three", "/quit", "four"])
    first, second, third = contents(sandbox)
    assert first == [("user", "one")]
    assert [role for role, _ in second] == ["user", "assistant", "user"]
    assert second[1][1].startswith("(Simulated answer")
    assert third == [("user", "three")]


def test_a_failure_is_told_and_stays_out_of_the_conversation(
    router: TierRouter, sandbox: Sandbox, out: io.StringIO
) -> None:
    sandbox.script(CHEAP, Status(400))
    assert talk(router, out).run(["one", "two"]) == 1
    assert "[no answer: Error code: 400 - simulated failure with status 400]" in out.getvalue()
    assert contents(sandbox)[-1] == [("user", "two")]


def test_a_chain_that_fails_is_told_attempt_by_attempt(
    router: TierRouter, sandbox: Sandbox, out: io.StringIO
) -> None:
    sandbox.always("*", Status(503))
    assert talk(router, out).run(["one"]) == 1
    told = out.getvalue()
    assert "[no answer: no model answered 'auto':" in told
    assert all(model in told for model in (CHEAP, "Qwen/Qwen3-32B"))


@pytest.mark.parametrize(
    "fault", [ResetAfter(3), StreamError(3, "gone with ga_secret")], ids=["reset", "error event"]
)
def test_an_answer_that_breaks_off_is_told_without_the_key(
    router: TierRouter, sandbox: Sandbox, out: io.StringIO, fault: ResetAfter | StreamError
) -> None:
    sandbox.script(CHEAP, fault)
    assert talk(router, out).run(["one"]) == 1
    assert "(Simulated" in out.getvalue()
    assert "\n[the answer broke off: " in out.getvalue()
    assert "ga_secret" not in out.getvalue()


def test_a_fallback_is_named_with_the_model_that_it_replaces(
    router: TierRouter, sandbox: Sandbox, out: io.StringIO
) -> None:
    sandbox.script(PREMIUM, Status(503))
    talk(router, out).run(["prove it"])
    assert f", Qwen/Qwen3-32B instead of {PREMIUM}, " in out.getvalue()


def test_an_estimated_cost_says_so(router: TierRouter, sandbox: Sandbox, out: io.StringIO) -> None:
    sandbox.script(CHEAP, NoUsage())
    talk(router, out).run(["one"])
    assert "(estimated)" in out.getvalue()


@pytest.mark.parametrize(
    ("model", "shown"),
    [("premium", f"[premium, {PREMIUM}, "), ("some/model", "[model by name, some/model, -, ")],
    ids=["a tier", "a model"],
)
def test_a_tier_or_a_model_can_be_named(router: TierRouter, out: io.StringIO, model: str, shown: str) -> None:
    talk(router, out, model).run(["one"])
    assert shown in out.getvalue()


def test_a_named_pro_model_without_its_key_is_one_line(
    sandbox: Sandbox, predictor: TierPredictor, out: io.StringIO
) -> None:
    config = RouterConfig(base_url=sandbox.url)
    with TierRouter(config, environ={"GLOBAL_API_KEY": "k"}, predictor=predictor) as router:
        assert talk(router, out, PREMIUM).run(["one"]) == 1
    assert "[no answer: GLOBAL_API_PRO_KEY is not set" in out.getvalue()


def test_control_characters_of_an_answer_do_not_reach_the_terminal(
    router: TierRouter, out: io.StringIO
) -> None:
    talk(router, out).run(["echo \x1b[2J please"])
    assert "echo ?[2J please" in out.getvalue()


def test_ctrl_c_ends_the_chat_and_keeps_the_figures(router: TierRouter, out: io.StringIO) -> None:
    def lines() -> Iterator[str]:
        yield "one"
        raise KeyboardInterrupt

    assert talk(router, out).run(lines()) == 0
    assert out.getvalue().endswith("\n\n\n")
    assert router.summary().requests == 1

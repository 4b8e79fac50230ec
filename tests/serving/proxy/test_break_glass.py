"""Break-glass: a direct provider behind an aggregator that is stopped, refuses, is silent or half there."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from serving import KeyMissingError
from serving.alarms import Alarms
from serving.errors import ConfigError
from serving.keys import Channel
from serving.proxy.break_glass import BREAK_GLASS, BreakGlass, Evidence, evidence_of, is_unreachable
from serving.proxy.generation import Sources
from serving.routing import Attempt
from serving.sandbox import AcceptedKeys, Delay, EndAfter, HtmlPage, Normal, Reset, Sandbox, Silence, Status
from serving.serve_config import ServeConfig
from serving.spending.ledger_row import LedgerRow, Outcome
from tests.serving.conftest import ASK_CHEAP, ASK_PREMIUM, BALANCED, CHEAP, ENVIRON
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running, bearer, error_of
from tests.serving.proxy.test_status import ask, status_of

DIRECT_KEY = "dk_0123456789abcdef"
WITH_KEY = {**ENVIRON, "DIRECT_KEY": DIRECT_KEY}
DIRECT_MODEL = "direct-chat"


def attempt(
    model: str = CHEAP, failure: str = "", status: int | None = None, *, responded: bool = False
) -> Attempt:
    return Attempt(model, Channel.STANDARD, 0.1, failure, status, responded)


REFUSED = attempt(failure="connection failed: refused")
CUT_TOO = attempt(BALANCED, failure="connection failed: reset")
SILENT = attempt(failure="timed out")
SILENT_TOO = attempt(BALANCED, failure="timed out")


class TestWhatCountsAsUnreachable:
    @pytest.mark.parametrize(
        ("each", "evidence"),
        [
            (REFUSED, Evidence.CUT),
            (SILENT, Evidence.SILENT),
            (attempt(failure="status 502", status=502, responded=True), Evidence.GATEWAY),
            (attempt(failure="status 503", status=503, responded=True), Evidence.GATEWAY),
            (attempt(failure="status 504", status=504, responded=True), Evidence.GATEWAY),
            (attempt(failure="status 500", status=500, responded=True), None),
            (attempt(failure="status 429", status=429, responded=True), None),
            (attempt(failure="status 401", status=401, responded=True), None),
            (attempt(failure="status 400", status=400, responded=True), None),
            (attempt(failure="timed out", responded=True), None),
            (attempt(failure="broken JSON", responded=True), None),
            (attempt(responded=True), None),
        ],
        ids=lambda each: getattr(each, "failure", None),
    )
    def test_an_attempt_shows_what_it_shows(self, each: Attempt, evidence: Evidence | None) -> None:
        assert evidence_of(each) is evidence

    @pytest.mark.parametrize(
        ("attempts", "passed_over", "last_seen", "expected"),
        [
            ([], [], {}, False),
            ([REFUSED], [], {}, True),
            ([REFUSED, CUT_TOO], [], {}, True),
            ([SILENT], [], {}, False),
            ([SILENT, SILENT_TOO], [], {}, True),
            ([SILENT, SILENT], [], {}, False),
            ([REFUSED, attempt(BALANCED, "status 500", 500)], [], {}, False),
            ([REFUSED, attempt(BALANCED, "status 429", 429)], [], {}, False),
            ([attempt(failure="status 503", status=503), SILENT_TOO], [], {}, True),
            ([], [CHEAP, BALANCED], {CHEAP: Evidence.CUT, BALANCED: Evidence.CUT}, True),
            ([], [CHEAP, BALANCED], {CHEAP: Evidence.CUT}, False),
            ([REFUSED], [BALANCED], {}, False),
            ([SILENT], [BALANCED], {BALANCED: Evidence.GATEWAY}, True),
            ([attempt(failure="status 500", status=500)], [CHEAP], {CHEAP: Evidence.CUT}, False),
        ],
        ids=[
            "nothing known",
            "one refused",
            "all cut",
            "one model silent",
            "two models silent",
            "one model silent twice",
            "another answers 500",
            "another answers 429",
            "a gateway's status and silence",
            "all passed over, cut when last seen",
            "one passed over of which nothing is known",
            "one refused, another passed over of which nothing is known",
            "one silent, another behind a failing gateway",
            "one that was passed over first gives a sign of life",
        ],
    )
    def test_a_call_knows_by_all_that_it_could_ask(
        self, attempts: list[Attempt], passed_over: list[str], last_seen: dict[str, Evidence], expected: bool
    ) -> None:
        assert is_unreachable(attempts, passed_over, last_seen) is expected


@pytest.fixture(scope="module")
def running_direct() -> Iterator[Sandbox]:
    with Sandbox.start(keys=AcceptedKeys(DIRECT_KEY, "none"), models=[DIRECT_MODEL]) as sandbox:
        yield sandbox


@pytest.fixture
def direct(running_direct: Sandbox) -> Sandbox:
    running_direct.clear()
    return running_direct


@pytest.fixture
def nowhere() -> Iterator[str]:
    """A base URL at which nobody listens, for as long as the test runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


def glass(direct: Sandbox, usd_per_day: float = 1.0, **more: Any) -> dict[str, Any]:
    return {
        "base_url": direct.url,
        "model": DIRECT_MODEL,
        "key_variable": "DIRECT_KEY",
        "price": {"input": 1.0, "output": 3.0},
        "usd_per_day": usd_per_day,
        **more,
    }


class MakeBroken:
    """Starts a proxy with a direct provider for each tier."""

    def __init__(self, proxy: MakeProxy, direct: Sandbox) -> None:
        self._proxy = proxy
        self._direct = direct

    def __call__(
        self, *tiers: str, usd_per_day: float = 1.0, serve: dict[str, Any] | None = None, **router: Any
    ) -> Running:
        tables = {
            tier: glass(self._direct, usd_per_day) for tier in tiers or ("cheap", "balanced", "premium")
        }
        return self._proxy(serve={"break_glass": tables, **(serve or {})}, environ=WITH_KEY, **router)


@pytest.fixture
def broken(proxy: MakeProxy, direct: Sandbox) -> MakeBroken:
    return MakeBroken(proxy, direct)


def last_row(running: Running) -> LedgerRow:
    return running.rows()[-1]


def names(running: Running) -> list[str]:
    return [alarm["name"] for alarm in status_of(running)["alarms"]]


def text_of(stream: httpx2.Response) -> str:
    lines = [line.removeprefix("data: ") for line in stream.text.splitlines() if line.startswith("data: {")]
    chunks = [json.loads(line) for line in lines]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])


class TestAnAggregatorThatIsNotThere:
    def test_a_request_is_answered_directly_and_marked_everywhere(
        self, broken: MakeBroken, direct: Sandbox, nowhere: str
    ) -> None:
        running = broken(base_url=nowhere)
        response = ask(running)
        assert response.status_code == 200
        assert response.json()["model"] == DIRECT_MODEL
        assert response.headers["x-tierwise-break-glass"] == "1"
        assert response.headers["x-tierwise-tier"] == "cheap"
        assert response.headers["x-tierwise-reasons"].startswith(
            "the aggregator cannot be reached, so direct-chat is asked directly"
        )
        row = last_row(running)
        assert (row.channel, row.model, row.outcome) == ("break-glass", DIRECT_MODEL, Outcome.ANSWERED)
        assert (row.tier, row.fell_back, row.attempt) == ("cheap", True, 3)
        usage = response.json()["usage"]
        assert row.usd == (usage["prompt_tokens"] * 1.0 + usage["completion_tokens"] * 3.0) / 1e6
        assert response.headers["x-tierwise-cost-usd"] == f"{row.usd:.9f}"
        assert names(running) == ["break-glass"]
        assert direct.requests[-1].model == DIRECT_MODEL

    @pytest.mark.parametrize("scheme", ["http", "https"], ids=["no such host", "no TLS"])
    def test_a_name_that_is_not_known_and_tls_that_fails_break_the_glass(
        self, broken: MakeBroken, upstream: Sandbox, scheme: str
    ) -> None:
        urls = {"http": "http://nowhere.invalid/v1", "https": upstream.url.replace("http:", "https:")}
        response = ask(broken(base_url=urls[scheme]))
        assert response.headers["x-tierwise-break-glass"] == "1"

    def test_a_conversation_goes_on(self, broken: MakeBroken, nowhere: str) -> None:
        running = broken(base_url=nowhere)
        turns: list[Any] = [*ASK_CHEAP]
        for _ in range(3):
            response = ask(running, messages=turns)
            assert response.headers["x-tierwise-break-glass"] == "1"
            turns += [response.json()["choices"][0]["message"], {"role": "user", "content": "and then?"}]

    def test_a_stream_is_answered_directly_too(self, broken: MakeBroken, nowhere: str) -> None:
        running = broken(base_url=nowhere)
        response = ask(running, stream=True)
        assert response.status_code == 200
        assert response.headers["x-tierwise-break-glass"] == "1"
        assert text_of(response)
        row = last_row(running)
        assert (row.channel, row.outcome, row.streamed) == ("break-glass", Outcome.ANSWERED, True)
        assert row.usd is not None
        assert row.usd > 0

    def test_the_key_goes_to_the_provider_alone_and_is_masked_everywhere(
        self, broken: MakeBroken, direct: Sandbox, nowhere: str
    ) -> None:
        running = broken(base_url=nowhere)
        direct.script("*", Status(500, body=f'{{"error": {{"message": "{DIRECT_KEY}"}}}}'.encode()))
        refused = ask(running)
        assert refused.status_code == 502
        assert "***" in refused.text
        assert DIRECT_KEY not in refused.text + json.dumps(status_of(running)) + f"{running.rows()}"

    def test_an_outage_spares_requests_the_time_outs_and_ends_by_itself(
        self, broken: MakeBroken, upstream: Sandbox
    ) -> None:
        breaker = {"minimum_calls": 2, "cooldown_seconds": 0.3, "probes": 1}
        running = broken(base_url=upstream.url, breaker=breaker)
        upstream.script("*", *[Reset()] * 6)
        assert [ask(running).headers["x-tierwise-break-glass"] for _ in range(2)] == ["1", "1"]
        before = len(upstream.requests)
        spared = ask(running)
        assert spared.headers["x-tierwise-break-glass"] == "1"
        assert len(upstream.requests) == before
        assert [row.attempt for row in running.rows()][-1] == 0
        assert names(running) == ["break-glass"]
        upstream.clear()
        until_back(running)
        assert names(running) == []

    def test_an_aggregator_that_is_stopped_and_started_again_is_asked_again(self, broken: MakeBroken) -> None:
        breaker = {"minimum_calls": 2, "cooldown_seconds": 0.3, "probes": 1}
        with Sandbox.start() as first:
            port = first.port
            running = broken(base_url=first.url, breaker=breaker)
            assert "x-tierwise-break-glass" not in ask(running).headers
        assert [ask(running).headers["x-tierwise-break-glass"] for _ in range(4)] == ["1"] * 4
        with Sandbox.start(port=port):
            until_back(running)
            assert names(running) == []

    def test_a_model_that_the_caller_named_breaks_no_glass(
        self, broken: MakeBroken, direct: Sandbox, nowhere: str
    ) -> None:
        response = ask(broken(base_url=nowhere), model=CHEAP)
        assert response.status_code == 502
        assert not direct.requests

    def test_a_tier_without_a_provider_of_its_own_breaks_no_glass(
        self, broken: MakeBroken, direct: Sandbox, nowhere: str
    ) -> None:
        assert ask(broken("premium", base_url=nowhere)).status_code == 502
        assert not direct.requests

    def test_a_key_is_held_within_its_tiers(self, broken: MakeBroken, direct: Sandbox, nowhere: str) -> None:
        running = broken("premium", base_url=nowhere)
        issued = running.create_key(allowed_tiers=("cheap", "balanced"))
        assert ask(running, bearer(issued), model="premium").status_code == 403
        assert ask(running, bearer(issued), messages=ASK_PREMIUM).status_code == 502
        assert not direct.requests

    def test_a_provider_that_refuses_our_key_is_no_answer_of_its_own(
        self, broken: MakeBroken, direct: Sandbox, nowhere: str
    ) -> None:
        direct.script("*", Status(401))
        refused = ask(broken(base_url=nowhere))
        assert (refused.status_code, error_of(refused)["code"]) == (502, "chain_failed")
        assert "direct-chat (break-glass" in error_of(refused)["message"]


def until_back(running: Running) -> None:
    for _ in range(200):
        response = ask(running)
        assert response.status_code == 200
        if "x-tierwise-break-glass" not in response.headers:
            return
        threading.Event().wait(0.05)
    raise AssertionError("traffic never went back to the aggregator")


@pytest.mark.parametrize(
    "fault",
    [Status(502), Status(503), Status(504), Reset(), HtmlPage(503)],
    ids=["502", "503", "504", "a reset before any response", "a gateway's page"],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_gateway_that_fails_for_every_model_breaks_the_glass(
    broken: MakeBroken, upstream: Sandbox, fault: Any, stream: bool
) -> None:
    upstream.script("*", *[fault] * 3)
    response = ask(broken(base_url=upstream.url), stream=stream)
    assert response.status_code == 200
    assert response.headers["x-tierwise-break-glass"] == "1"


def test_silence_of_every_model_breaks_the_glass(broken: MakeBroken, upstream: Sandbox) -> None:
    upstream.script("*", *[Silence()] * 3)
    response = ask(broken(base_url=upstream.url, first_byte_seconds=0.4))
    assert response.headers["x-tierwise-break-glass"] == "1"


@pytest.mark.parametrize(
    ("faults", "status"),
    [
        ([Status(500)] * 3, 502),
        ([Status(429)] * 3, 429),
        ([Status(400)], 400),
        ([Status(401)], 401),
        ([Reset(), Reset(), Status(500)], 502),
        ([Status(503), Status(503), Status(429)], 502),
        ([HtmlPage(200)] * 3, 502),
    ],
    ids=[
        "500",
        "a storm of 429",
        "the caller's own 400",
        "our key",
        "one answers 500",
        "one answers 429",
        "HTML",
    ],
)
def test_an_aggregator_that_answers_breaks_no_glass(
    broken: MakeBroken, upstream: Sandbox, direct: Sandbox, faults: list[Any], status: int
) -> None:
    upstream.script("*", *faults)
    running = broken(base_url=upstream.url)
    response = ask(running)
    assert response.status_code in (status, 502)
    assert "x-tierwise-break-glass" not in response.headers
    assert not direct.requests
    assert names(running) == []


def test_a_stream_that_breaks_off_breaks_no_glass(
    broken: MakeBroken, upstream: Sandbox, direct: Sandbox
) -> None:
    upstream.script("*", EndAfter(1))
    with httpx2.Client(timeout=PATIENCE, trust_env=False) as client:
        running = broken(base_url=upstream.url)
        body = {"model": "auto", "messages": ASK_CHEAP, "stream": True}
        client.post(f"{running.url}/chat/completions", json=body)
    assert not direct.requests


class TestItsBudget:
    def test_is_reserved_settled_and_told(self, broken: MakeBroken, nowhere: str) -> None:
        running = broken("cheap", base_url=nowhere, usd_per_day=0.5)
        assert ask(running, max_tokens=20).status_code == 200
        row = last_row(running)
        told = status_of(running)
        assert told["break_glass"] == [{"tier": "cheap", "host": "127.0.0.1", "model": DIRECT_MODEL}]
        (told,) = told["budgets"]
        assert (told["scope"], told["unit"], told["cap"]) == ("break_glass:cheap", "usd", 0.5)
        assert told["spent"] == pytest.approx(row.usd, abs=1e-6)
        assert told["reserved"] == 0

    def test_used_up_leaves_the_error_that_there_would_have_been(
        self, broken: MakeBroken, proxy: MakeProxy, direct: Sandbox, nowhere: str
    ) -> None:
        refused = ask(broken(base_url=nowhere, usd_per_day=0.000001))
        plain = ask(proxy(base_url=nowhere))
        assert refused.status_code == plain.status_code == 502
        assert error_of(refused)["code"] == error_of(plain)["code"]
        assert "the break-glass budget of $1e-06 a day has too little left" in error_of(refused)["message"]
        assert not direct.requests

    def test_two_at_once_do_not_both_get_the_last_of_it(
        self, broken: MakeBroken, direct: Sandbox, nowhere: str
    ) -> None:
        # 1,000 tokens of answer bind $0.003 and the prompt's bound some tenths of a cent more.
        running = broken("cheap", base_url=nowhere, usd_per_day=0.005)
        statuses: list[int] = []
        ready = threading.Barrier(2)

        def one() -> None:
            ready.wait(PATIENCE)
            statuses.append(ask(running, max_tokens=1000).status_code)

        threads = [threading.Thread(target=one) for _ in range(2)]
        direct.script("*", *[Delay(2.0, Normal())] * 2)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert len(direct.requests) == 1
        assert sorted(statuses) == [200, 502]

    @pytest.mark.parametrize("given", [{}, {"max_tokens": None}], ids=["nothing", "null"])
    def test_a_request_without_a_limit_is_given_one(
        self, broken: MakeBroken, direct: Sandbox, nowhere: str, given: dict[str, Any]
    ) -> None:
        running = broken(base_url=nowhere, serve={"proxy": {"default_max_tokens": 77}})
        assert ask(running, **given).status_code == 200
        sent: Any = direct.requests[-1].body
        assert sent["max_tokens"] == 77

    def test_the_premium_budget_and_the_keys_own_hold_for_it_too(
        self, broken: MakeBroken, direct: Sandbox, nowhere: str
    ) -> None:
        running = broken(base_url=nowhere, serve={"budgets": {"premium_usd_per_day": 0.5}})
        poor, rich = running.create_key(daily_usd=0.000001), running.create_key(daily_usd=1.0)
        assert ask(running, bearer(poor), model="premium", max_tokens=20).status_code in (429, 502)
        assert not direct.requests
        assert ask(running, bearer(rich), model="premium", max_tokens=20).status_code == 200
        running.rows()
        spent = {each["scope"]: each["spent"] for each in status_of(running, bearer(rich))["budgets"]}
        assert spent["premium"] == spent["break_glass:premium"] == spent[f"key:{rich.key.key_id}"] > 0


class TestItsSettings:
    def test_without_them_no_alarm_of_before_a_reload_stands(self) -> None:
        alarms = Alarms()
        alarms.sound(BREAK_GLASS, "the aggregator cannot be reached")
        BreakGlass({}, alarms)
        assert not alarms.standing()

    def test_the_key_has_to_be_in_the_environment(self, tmp_path: Path, direct: Sandbox) -> None:
        config = tmp_path / "proxy.toml"
        config.write_text(
            f'[break_glass.cheap]\nbase_url = "{direct.url}"\nmodel = "m"\nkey_variable = "DIRECT_KEY"\n'
            "price = { input = 1, output = 2 }\nusd_per_day = 3\n"
        )
        with pytest.raises(KeyMissingError, match="DIRECT_KEY is not set"):
            Sources(config, None, ENVIRON, {}).load()
        generation = Sources(config, None, WITH_KEY, {}).load()
        assert DIRECT_KEY not in f"{generation!r}{generation.core.keys!r}{generation.glass.candidates!r}"

    def test_one_number_is_the_price_of_input_and_output(self, direct: Sandbox) -> None:
        read = ServeConfig.from_dict({"break_glass": {"cheap": glass(direct, price=2)}}).break_glass.cheap
        assert read is not None
        assert (read.rates.input, read.rates.output) == (2.0, 2.0)

    @pytest.mark.parametrize("missing", ["base_url", "model", "key_variable", "price", "usd_per_day"])
    def test_every_setting_is_needed(self, direct: Sandbox, missing: str) -> None:
        table = {name: value for name, value in glass(direct).items() if name != missing}
        with pytest.raises(ConfigError, match=rf"break_glass.cheap.{missing}: missing"):
            ServeConfig.from_dict({"break_glass": {"cheap": table}})

    @pytest.mark.parametrize(
        "table",
        [{"key": DIRECT_KEY}, {"key_variable": "not a name"}, {"usd_per_day": -1}, {"price": {"input": 1}}],
        ids=["the key itself", "a variable that is none", "less than nothing", "half a price"],
    )
    def test_what_is_wrong_is_told(self, direct: Sandbox, table: dict[str, Any]) -> None:
        with pytest.raises(ConfigError, match=r"break_glass\.cheap\."):
            ServeConfig.from_dict({"break_glass": {"cheap": glass(direct, **table)}})

    def test_a_key_in_place_of_its_variable_is_not_repeated(self, direct: Sandbox) -> None:
        with pytest.raises(ConfigError, match="key_variable: not the name of an env") as told:
            ServeConfig.from_dict({"break_glass": {"cheap": glass(direct, key_variable="sk-of-nobody")}})
        assert "sk-of-nobody" not in str(told.value)


def test_a_simulated_upstream_leaves_nobody_else_to_ask(tmp_path: Path) -> None:
    config = tmp_path / "proxy.toml"
    config.write_text(
        """
        [break_glass.premium]
        base_url = "https://api.provider.example/v1"
        model = "direct-chat"
        key_variable = "NOT_SET_HERE"
        price = 1.0
        usd_per_day = 1

        [cache.semantic]
        base_url = "https://embeddings.example/v1"
        key_variable = "NOT_SET_EITHER"
        """
    )
    generation = Sources(config, None, ENVIRON, {}, base_url="http://127.0.0.1:9/v1").load()
    assert generation.serve.break_glass.variables == ServeConfig().break_glass.variables
    assert generation.serve.cache.semantic.base_url is None

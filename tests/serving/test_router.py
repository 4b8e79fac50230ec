"""Both routers over real HTTP: what they send, what they return, and what they record."""

import copy
import json
import logging
import pickle
import threading
import time
from typing import Any

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion
from pydantic import BaseModel

from classifier import Tier, TierPredictor
from serving import (
    ChainFailedError,
    ConfigError,
    KeyMissingError,
    RouterConfig,
    Routing,
    TierRouter,
    routing_of,
)
from serving.keys import Channel
from serving.sandbox import (
    BrokenJson,
    Drip,
    Fault,
    HtmlPage,
    NoUsage,
    Reset,
    ResetAfter,
    Sandbox,
    Silence,
    StallAfter,
    Status,
    StreamError,
)
from tests.serving.conftest import ASK_CHEAP, ASK_PREMIUM, BALANCED, CHEAP, ENVIRON, PREMIUM, Driver, Make

STANDARD_KEY, PRO_KEY = ENVIRON.values()


def models_asked(upstream: Sandbox) -> list[str | None]:
    return [request.model for request in upstream.requests]


class TestWhoAnswers:
    @pytest.mark.parametrize(
        ("messages", "model"), [(ASK_CHEAP, CHEAP), (ASK_PREMIUM, PREMIUM)], ids=["cheap", "premium"]
    )
    def test_auto_asks_the_model_of_the_tier_that_the_classifier_chooses(
        self, driver: Driver, upstream: Sandbox, messages: Any, model: str
    ) -> None:
        completion = driver.create(model="auto", messages=messages)
        assert models_asked(upstream) == [model]
        assert completion.routing.model == completion.model == model
        assert completion.routing.decision.tier is completion.routing.tier

    @pytest.mark.parametrize("tier", list(Tier), ids=str)
    def test_a_tier_by_name_is_asked_without_the_classifier(self, driver: Driver, tier: Tier) -> None:
        routing = driver.create(model=tier.label, messages=ASK_CHEAP).routing
        assert (routing.tier, routing.decision, routing.probabilities) == (tier, None, None)
        assert routing.reasons == (f"the caller asked for the tier {tier}",)

    def test_a_model_by_name_is_asked_as_it_is(self, driver: Driver, upstream: Sandbox) -> None:
        routing = driver.create(model="vendor/some-model", messages=ASK_CHEAP).routing
        assert models_asked(upstream) == ["vendor/some-model"]
        assert (routing.tier, routing.planned) == (None, "vendor/some-model")

    def test_a_classifier_that_fails_leaves_the_call_to_balanced(self, make: Make) -> None:
        class Broken:
            def decide(self, prompt: Any, /) -> Any:
                raise KeyError(f"no weights for {prompt[0]['role']}")

            explain = decide

        routing = make(predictor=Broken()).create(model="auto", messages=ASK_CHEAP).routing
        assert (routing.tier, routing.model, routing.decision) == (Tier.BALANCED, BALANCED, None)
        assert "the classifier failed" in routing.reasons[0]
        assert "KeyError: 'no weights for user'" in routing.reasons[0]

    def test_reasons_come_from_the_prompt_as_it_was_asked(self, driver: Driver) -> None:
        messages = list(ASK_PREMIUM)
        completion = driver.create(model="auto", messages=messages)
        messages.append({"role": "user", "content": "What is the capital of France?"})
        assert "'prove'" in completion.routing.reasons


class TestWhatIsSent:
    def test_everything_but_the_model_passes_untouched(self, driver: Driver, upstream: Sandbox) -> None:
        tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
        driver.create(
            model="auto",
            messages=ASK_CHEAP,
            tools=tools,
            seed=7,
            temperature=0.3,
            response_format={"type": "json_object"},
            extra_body={"top_k": 5, "nested": {"a": [1, None]}},
            extra_headers={"X-Team": "blue"},
            extra_query={"trace": "1"},
        )
        (request,) = upstream.requests
        assert request.body == {
            "model": CHEAP,
            "messages": ASK_CHEAP,
            "tools": tools,
            "seed": 7,
            "temperature": 0.3,
            "response_format": {"type": "json_object"},
            "top_k": 5,
            "nested": {"a": [1, None]},
        }
        assert request.headers["x-team"] == "blue"

    def test_the_body_on_the_wire_is_the_plain_clients_but_for_the_model(
        self, driver: Driver, upstream: Sandbox
    ) -> None:
        params: Any = {"messages": ASK_CHEAP, "stop": ["a", "b"], "logit_bias": {"50": 1}, "user": "u"}
        with openai.OpenAI(base_url=upstream.url, api_key="k", max_retries=0) as plain:
            plain.chat.completions.create(model=CHEAP, **params)
        driver.create(model="auto", **params)
        bare, routed = upstream.requests
        assert bare.body == routed.body

    @pytest.mark.parametrize(
        ("given", "sent"),
        [
            (None, {"include_usage": True}),
            ({"include_usage": False}, {"include_usage": True}),
            ({"include_obfuscation": False}, {"include_obfuscation": False, "include_usage": True}),
        ],
        ids=["none given", "usage declined", "another option"],
    )
    def test_streams_ask_for_the_usage_beside_the_callers_options(
        self, driver: Driver, upstream: Sandbox, given: Any, sent: Any
    ) -> None:
        options = {} if given is None else {"stream_options": given}
        driver.read(driver.create(model="auto", messages=ASK_CHEAP, stream=True, **options))
        body: Any = upstream.requests[0].body
        assert body == {"model": CHEAP, "messages": ASK_CHEAP, "stream": True, "stream_options": sent}

    def test_each_channel_has_its_own_key(self, driver: Driver, upstream: Sandbox) -> None:
        driver.create(model="cheap", messages=ASK_CHEAP)
        driver.create(model="premium", messages=ASK_CHEAP)
        driver.create(model="Pro/vendor/another", messages=ASK_CHEAP)
        sent = [request.headers["authorization"] for request in upstream.requests]
        assert sent == [f"Bearer {key}" for key in (STANDARD_KEY, PRO_KEY, PRO_KEY)]

    def test_the_pro_channel_may_be_elsewhere(self, make: Make, upstream: Sandbox) -> None:
        with Sandbox.start() as elsewhere:
            driver = make(pro_base_url=f"{elsewhere.url}/")
            driver.create(model="premium", messages=ASK_CHEAP)
            driver.create(model="cheap", messages=ASK_CHEAP)
            assert [request.model for request in elsewhere.requests] == [PREMIUM]
        assert models_asked(upstream) == [CHEAP]

    def test_what_the_sdk_finds_in_its_own_variables_is_not_sent(
        self, make: Make, upstream: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENAI_ORG_ID", "org-other")
        monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-other")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
        monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
        monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: other\nAuthorization: Bearer other")
        driver = make(options={"default_headers": {"X-Own": "yes"}})
        driver.create(model="cheap", messages=ASK_CHEAP)
        (request,) = upstream.requests
        assert "other" not in json.dumps(dict(request.headers))
        assert request.headers["x-own"] == "yes"

    def test_an_authorization_of_the_callers_own_is_kept(self, driver: Driver, upstream: Sandbox) -> None:
        own = {"authorization": "Bearer mine"}
        driver.create(model="premium", messages=ASK_CHEAP, extra_headers=own)
        assert upstream.requests[0].headers["authorization"] == "Bearer mine"

    def test_what_is_no_chat_completion_goes_out_as_the_sdk_sends_it(
        self, driver: Driver, upstream: Sandbox
    ) -> None:
        assert CHEAP in driver.list_models()
        assert upstream.requests[0].headers["authorization"] == f"Bearer {STANDARD_KEY}"
        assert driver.router.summary().requests == 0


class TestTheRecord:
    def test_it_is_an_attribute_that_no_dump_shows(self, driver: Driver) -> None:
        completion = driver.create(model="auto", messages=ASK_CHEAP)
        assert completion.routing is routing_of(completion)
        assert "routing" not in completion.model_dump()
        assert "routing" not in json.loads(completion.model_dump_json())
        assert "routing" not in completion.to_dict()
        assert "routing" not in repr(completion)
        assert completion == ChatCompletion.model_validate(completion.model_dump())
        assert type(completion) is ChatCompletion

    @pytest.mark.parametrize(
        "twin",
        [copy.deepcopy, copy.copy, lambda each: pickle.loads(pickle.dumps(each))],  # noqa: S301  # our own bytes
        ids=["deep copy", "copy", "pickle"],
    )
    def test_a_copy_of_a_completion_keeps_it_without_the_classifier(self, driver: Driver, twin: Any) -> None:
        completion = driver.create(model="auto", messages=ASK_PREMIUM)
        copied = twin(completion)
        assert copied.routing == completion.routing
        assert copied.routing.reasons == completion.routing.reasons

    def test_cost_comes_from_the_usage_and_the_prices(self, make: Make) -> None:
        driver = make(prices={CHEAP: {"input": 1.0, "output": 3.0}}, max_price_ratio=100)
        completion = driver.create(model="cheap", messages=ASK_CHEAP)
        cost, usage = completion.routing.cost, completion.usage
        assert cost.usd == pytest.approx((usage.prompt_tokens + 3 * usage.completion_tokens) / 1e6, rel=1e-12)
        assert (cost.tokens.input, cost.tokens.output) == (usage.prompt_tokens, usage.completion_tokens)
        assert (cost.estimated, cost.note) == (False, "")

    @pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
    def test_without_usage_the_cost_is_counted_from_the_text_and_says_so(
        self, driver: Driver, upstream: Sandbox, stream: bool
    ) -> None:
        upstream.script(CHEAP, NoUsage())
        answer = driver.create(model="cheap", messages=ASK_CHEAP, stream=stream)
        driver.read(answer) if stream else None
        cost = answer.routing.cost
        assert cost.estimated
        assert cost.note == "the upstream sent no usage: counted from the text"
        assert 20 < cost.tokens.output < 500
        assert cost.usd == pytest.approx((cost.tokens.input + cost.tokens.output) * 0.25e-6)

    def test_a_model_without_a_price_has_a_cost_that_nobody_can_say(self, driver: Driver) -> None:
        cost = driver.create(model="vendor/some-model", messages=ASK_CHEAP).routing.cost
        assert (cost.usd, cost.note) == (None, "no price is configured for 'vendor/some-model'")
        assert cost.tokens.output > 0

    def test_latencies_grow_from_routing_over_the_first_byte_to_the_total(self, driver: Driver) -> None:
        latency = driver.create(model="auto", messages=ASK_CHEAP).routing.latency
        assert 0 < latency.routing < latency.first_token < latency.total

    def test_the_first_byte_is_the_first_one_not_the_last(self, make: Make, upstream: Sandbox) -> None:
        driver = make()
        upstream.script(CHEAP, Drip(pause=0.02, size=40))
        latency = driver.create(model="auto", messages=ASK_CHEAP).routing.latency
        assert latency.first_token < latency.total / 2

    def test_it_becomes_json(self, driver: Driver) -> None:
        record: Any = json.loads(
            json.dumps(driver.create(model="auto", messages=ASK_CHEAP).routing.as_dict())
        )
        assert (record["tier"], record["model"], record["complete"]) == ("cheap", CHEAP, True)
        assert sum(record["decision"]["probabilities"].values()) == pytest.approx(1)


class Capital(BaseModel):
    city: str
    people: int


class TestOtherWaysToCall:
    def test_parse_returns_the_parsed_answer_with_the_record(self, driver: Driver) -> None:
        completion = driver.parse(model="auto", messages=ASK_CHEAP, response_format=Capital)
        assert isinstance(completion.choices[0].message.parsed, Capital)
        assert completion.routing.cost.usd > 0
        assert "routing" not in completion.model_dump(warnings=False)

    def test_parse_falls_back_like_create(self, driver: Driver, upstream: Sandbox) -> None:
        upstream.script(CHEAP, StreamError(), BrokenJson())
        for _ in range(2):
            completion = driver.parse(model="auto", messages=ASK_CHEAP, response_format=Capital)
            assert completion.routing.model == BALANCED

    def test_what_parse_thinks_of_an_answer_surfaces_with_the_record_and_the_cost(
        self, driver: Driver
    ) -> None:
        with pytest.raises(openai.LengthFinishReasonError, match="length") as caught:
            driver.parse(model="auto", messages=ASK_CHEAP, response_format=Capital, max_tokens=1)
        assert routing_of(caught.value).cost.usd is not None
        assert driver.router.summary().requests == 1

    def test_a_raw_response_has_headers_and_the_record(self, driver: Driver) -> None:
        raw = driver.raw(model="auto", messages=ASK_CHEAP)
        assert raw.headers["content-type"].startswith("application/json")
        completion = raw.parse()
        assert completion.routing == raw.routing == routing_of(raw)
        assert raw.routing.cost.usd > 0
        assert driver.router.summary().requests == 1

    def test_a_broken_raw_response_falls_back(self, driver: Driver, upstream: Sandbox) -> None:
        upstream.script(CHEAP, HtmlPage(), BrokenJson(), Status(500))
        for _ in range(3):
            assert routing_of(driver.raw(model="auto", messages=ASK_CHEAP)).model == BALANCED

    def test_a_raw_parse_that_does_not_fit_complains_when_the_caller_parses(self, driver: Driver) -> None:
        raw = driver.raw("parse", model="auto", messages=ASK_CHEAP, response_format=Capital, max_tokens=1)
        assert raw.routing.cost.usd > 0
        with pytest.raises(openai.LengthFinishReasonError, match="length"):
            raw.parse()
        assert driver.router.summary().requests == 1

    def test_a_raw_stream_is_parsed_into_a_routed_one(self, hasty: Driver, upstream: Sandbox) -> None:
        upstream.script(CHEAP, StallAfter(0))
        raw = hasty.raw(model="auto", messages=ASK_CHEAP, stream=True)
        assert len(hasty.read(raw.parse())) > 5
        assert routing_of(raw).complete
        assert routing_of(raw).model == BALANCED

    def test_the_stream_helper_accumulates_and_carries_the_record(self, driver: Driver) -> None:
        helper, final = driver.helper(model="auto", messages=ASK_PREMIUM)
        assert "prove" in final.choices[0].message.content
        assert final.usage is None
        routing = routing_of(helper)
        assert (routing.complete, routing.model, routing.cost.estimated) == (True, PREMIUM, False)

    def test_the_stream_helper_shows_the_usage_to_who_asks(self, driver: Driver) -> None:
        _, final = driver.helper(model="auto", messages=ASK_CHEAP, stream_options={"include_usage": True})
        assert final.usage.completion_tokens > 0

    def test_a_streaming_response_falls_back_and_is_recorded_when_parsed(
        self, driver: Driver, upstream: Sandbox
    ) -> None:
        upstream.script(CHEAP, Status(503), Reset())
        for _ in range(2):
            response, completion = driver.opened(model="auto", messages=ASK_CHEAP)
            assert completion.choices[0].message.content
            assert routing_of(response).model == BALANCED
            assert routing_of(response).cost.usd is not None

    def test_asking_returns_the_text_with_the_rest_at_hand(self, driver: Driver, upstream: Sandbox) -> None:
        answer = driver.ask("What is the capital of France?", system="Be brief.", seed=1)
        assert str(answer) == answer.text == answer.completion.choices[0].message.content
        assert answer.routing.tier is Tier.CHEAP
        body: Any = upstream.requests[0].body
        assert [message["role"] for message in body["messages"]] == ["system", "user"]
        assert body["seed"] == 1

    def test_a_body_posted_by_hand_is_routed_too(self, settings: Any, predictor: TierPredictor) -> None:
        with TierRouter(RouterConfig(**settings), environ=ENVIRON, predictor=predictor) as router:
            answer = router.post(
                "/chat/completions", cast_to=object, body={"model": "auto", "messages": ASK_CHEAP}
            )
            assert answer["model"] == CHEAP
            assert router.summary().unknown_cost == 1


FALLS_BACK: list[tuple[str, Fault, str]] = [
    ("rate limit", Status(429, retry_after=60), "status 429"),
    ("server error", Status(500), "status 500"),
    ("overloaded", Status(529), "status 529"),
    ("unknown model", Status(404), "status 404"),
    ("request time-out", Status(408), "status 408"),
    ("silence", Silence(), "timed out"),
    ("reset", Reset(), "connection failed"),
    ("reset in the body", ResetAfter(1), "connection failed"),
    ("broken json", BrokenJson(), "broken JSON"),
    ("html with status 200", HtmlPage(), "status 200 with text"),
    ("html with status 502", HtmlPage(502), "status 502"),
    ("error with status 200", StreamError(), "an error with status 200"),
]
SURFACES: list[tuple[int, type[openai.APIStatusError]]] = [
    (400, openai.BadRequestError),
    (401, openai.AuthenticationError),
    (403, openai.PermissionDeniedError),
    (422, openai.UnprocessableEntityError),
    (413, openai.APIStatusError),
]


class TestFallback:
    @pytest.mark.parametrize(
        ("fault", "cause"), [case[1:] for case in FALLS_BACK], ids=[case[0] for case in FALLS_BACK]
    )
    def test_the_next_model_of_the_chain_answers(
        self, hasty: Driver, upstream: Sandbox, fault: Fault, cause: str
    ) -> None:
        upstream.script(CHEAP, fault)
        routing = hasty.create(model="auto", messages=ASK_CHEAP).routing
        assert models_asked(upstream) == [CHEAP, BALANCED]
        assert [(each.model, each.channel) for each in routing.attempts] == [
            (CHEAP, Channel.STANDARD),
            (BALANCED, Channel.STANDARD),
        ]
        assert routing.attempts[0].failure.startswith(cause)
        assert routing.attempts[1].failure == ""
        assert (routing.fell_back, routing.planned, routing.model) == (True, CHEAP, BALANCED)
        assert routing.cost.usd == pytest.approx(routing.cost.tokens.output * 0.28e-6, rel=0.5)

    def test_no_model_is_asked_twice(self, make: Make, upstream: Sandbox) -> None:
        driver = make(options={"max_retries": 5})
        upstream.always("*", Status(500))
        with pytest.raises(ChainFailedError, match="no model answered"):
            driver.create(model="auto", messages=ASK_CHEAP)
        assert models_asked(upstream) == [CHEAP, BALANCED, PREMIUM]

    @pytest.mark.parametrize(("status", "kind"), SURFACES, ids=[str(case[0]) for case in SURFACES])
    def test_the_callers_own_mistakes_surface_as_the_sdks_exceptions(
        self, driver: Driver, upstream: Sandbox, status: int, kind: type[openai.APIStatusError]
    ) -> None:
        upstream.script(CHEAP, Status(status))
        with pytest.raises(kind, match="simulated failure") as caught:
            driver.create(model="auto", messages=ASK_CHEAP)
        assert type(caught.value) is kind
        assert models_asked(upstream) == [CHEAP]
        routing = routing_of(caught.value)
        assert [(each.model, each.status) for each in routing.attempts] == [(CHEAP, status)]
        assert (routing.model, routing.complete) == (None, True)

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            (Status(429), openai.RateLimitError),
            (Status(404), openai.NotFoundError),
            (Status(503), openai.InternalServerError),
            (Silence(), openai.APITimeoutError),
            (Reset(), openai.APIConnectionError),
            (HtmlPage(), openai.APIResponseValidationError),
            (BrokenJson(), openai.APIResponseValidationError),
        ],
        ids=["429", "404", "503", "silence", "reset", "html", "broken json"],
    )
    @pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
    def test_a_named_model_fails_alone_with_the_sdks_exception(
        self, hasty: Driver, upstream: Sandbox, fault: Fault, kind: type[openai.APIError], stream: bool
    ) -> None:
        upstream.always("vendor/some-model", fault)
        with pytest.raises(openai.APIError) as caught:  # the class is the point
            hasty.create(model="vendor/some-model", messages=ASK_CHEAP, stream=stream)
        assert type(caught.value) is kind
        assert len(upstream.requests) == len(routing_of(caught.value).attempts) == 1

    def test_when_the_whole_chain_fails_one_error_tells_every_attempt(
        self, hasty: Driver, upstream: Sandbox
    ) -> None:
        upstream.script(CHEAP, Status(429))
        upstream.script(BALANCED, Silence())
        upstream.script(PREMIUM, Reset())
        with pytest.raises(ChainFailedError, match="no model answered 'auto'") as caught:
            hasty.create(model="auto", messages=ASK_CHEAP)
        assert isinstance(caught.value, openai.APIError)
        text = str(caught.value)
        assert f"{CHEAP} (standard, 0." in text
        assert "status 429" in text
        assert f"{BALANCED} (standard, 0.5 s): timed out" in text
        assert f"{PREMIUM} (pro, 0." in text
        assert "connection failed" in text
        assert "\n" not in text
        assert len(caught.value.routing.attempts) == 3
        assert isinstance(caught.value.__cause__, openai.APIConnectionError)

    def test_nothing_listens_and_the_error_says_so(self, make: Make) -> None:
        driver = make(base_url="http://127.0.0.1:9/v1")
        with pytest.raises(ChainFailedError, match="connection failed"):
            driver.create(model="auto", messages=ASK_CHEAP)

    def test_a_key_that_the_upstream_repeats_is_masked(self, driver: Driver, upstream: Sandbox) -> None:
        body = json.dumps({"error": {"message": f"bad key {STANDARD_KEY}", "param": [STANDARD_KEY]}}).encode()
        upstream.script(CHEAP, Status(401, body=body), Status(500, body=body))
        with pytest.raises(openai.AuthenticationError, match=r"bad key \*\*\*") as caught:
            driver.create(model="cheap", messages=ASK_CHEAP)
        assert STANDARD_KEY not in f"{caught.value!r} {caught.value.body} {caught.value.routing!r}"  # type: ignore[attr-defined]
        assert "***" in driver.create(model="cheap", messages=ASK_CHEAP).routing.attempts[0].failure
        upstream.always("*", Status(500, body=body))
        with pytest.raises(ChainFailedError, match=r"bad key \*\*\*") as exhausted:
            driver.create(model="cheap", messages=ASK_CHEAP)
        assert STANDARD_KEY not in f"{exhausted.value!r} {exhausted.value.__cause__!r}"

    def test_what_fell_back_is_logged_without_keys(
        self, driver: Driver, upstream: Sandbox, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        upstream.script(CHEAP, Status(500, body=f'{{"error": {{"message": "{STANDARD_KEY}"}}}}'.encode()))
        driver.create(model="cheap", messages=ASK_CHEAP)
        assert f"{CHEAP} failed, trying the next model: status 500" in caplog.text
        assert STANDARD_KEY not in caplog.text


class TestKeysAndPrices:
    def test_without_a_pro_key_premium_is_skipped_with_one_warning(
        self, make: Make, upstream: Sandbox, caplog: pytest.LogCaptureFixture
    ) -> None:
        driver = make(environ={"GLOBAL_API_KEY": STANDARD_KEY})
        for _ in range(3):
            routing = driver.create(model="auto", messages=ASK_PREMIUM).routing
        assert models_asked(upstream) == [BALANCED] * 3
        assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
            "GLOBAL_API_PRO_KEY is not set: models of the Pro channel are skipped"
        ]
        assert [(each.model, each.reason) for each in routing.skipped] == [
            (PREMIUM, "GLOBAL_API_PRO_KEY is not set")
        ]
        assert (routing.tier, routing.planned, routing.fell_back) == (Tier.PREMIUM, PREMIUM, True)

    def test_without_a_pro_key_a_named_pro_model_is_refused_in_one_line(self, make: Make) -> None:
        driver = make(environ={"GLOBAL_API_KEY": STANDARD_KEY})
        with pytest.raises(KeyMissingError, match="GLOBAL_API_PRO_KEY is not set, and Pro/vendor/x needs"):
            driver.create(model="Pro/vendor/x", messages=ASK_CHEAP)

    def test_a_fallback_dearer_than_the_ceiling_is_not_asked(self, make: Make, upstream: Sandbox) -> None:
        driver = make(max_price_ratio=2)
        upstream.always("*", Status(500))
        with pytest.raises(ChainFailedError, match=f"more than 2 times as dear as {CHEAP}"):
            driver.create(model="auto", messages=ASK_CHEAP)
        assert models_asked(upstream) == [CHEAP, BALANCED]

    def test_no_key_at_all_is_one_line(self, make: Make) -> None:
        with pytest.raises(KeyMissingError, match="GLOBAL_API_KEY is not set"):
            make(environ={})

    @pytest.mark.parametrize("option", ["api_key", "base_url"])
    def test_keys_and_urls_are_no_arguments(self, make: Make, option: str) -> None:
        with pytest.raises(ConfigError, match=f"{option} is no argument of a router"):
            make(options={option: "x"})

    def test_no_key_shows_in_a_repr(self, driver: Driver) -> None:
        core = driver.router.core
        assert STANDARD_KEY not in f"{driver.router!r} {core.keys!r} {core.keys.standard} {vars(core)!r}"


class TestTimes:
    def test_silence_ends_after_the_time_to_the_first_byte(self, hasty: Driver, upstream: Sandbox) -> None:
        upstream.script(CHEAP, Silence())
        attempts = hasty.create(model="auto", messages=ASK_CHEAP).routing.attempts
        assert attempts[0].seconds == pytest.approx(0.5, abs=0.2)

    def test_after_the_first_byte_only_the_whole_calls_deadline_counts(
        self, hasty: Driver, upstream: Sandbox
    ) -> None:
        upstream.script(CHEAP, Drip(pause=0.05, size=40))
        routing = hasty.create(model="auto", messages=ASK_CHEAP).routing
        assert routing.model == CHEAP
        assert routing.latency.total > 0.5

    @pytest.mark.parametrize(
        "fault", [StallAfter(1), Drip(pause=0.05), Silence()], ids=["stall", "trickle", "silence"]
    )
    def test_the_deadline_bounds_the_whole_call(
        self, driver: Driver, upstream: Sandbox, fault: Fault
    ) -> None:
        upstream.always("*", fault)
        began = time.perf_counter()
        with pytest.raises(ChainFailedError, match="timed out"):
            driver.create(model="auto", messages=ASK_CHEAP, timeout=0.7)
        assert time.perf_counter() - began == pytest.approx(0.7, abs=0.3)

    def test_models_for_which_no_time_is_left_are_told(self, driver: Driver, upstream: Sandbox) -> None:
        upstream.always("*", StallAfter(1))
        with pytest.raises(ChainFailedError, match=f"{BALANCED} .not tried.: the call's 0.5 s were over"):
            driver.create(model="auto", messages=ASK_CHEAP, timeout=0.5)

    def test_a_clients_timeout_is_the_deadline_of_its_calls(self, make: Make, upstream: Sandbox) -> None:
        driver = make(options={"timeout": 0.6})
        upstream.always("*", Drip(pause=0.05))
        with pytest.raises(ChainFailedError, match=r"the call's 0\.6 s were over"):
            driver.create(model="auto", messages=ASK_CHEAP)

    def test_a_read_timeout_of_the_caller_replaces_the_time_to_the_first_byte(
        self, driver: Driver, upstream: Sandbox
    ) -> None:
        upstream.script(CHEAP, Silence())
        timeout = httpx2.Timeout(5, read=0.1)
        attempts = driver.create(model="auto", messages=ASK_CHEAP, timeout=timeout).routing.attempts
        assert attempts[0].seconds == pytest.approx(0.1, abs=0.1)

    def test_no_timeout_leaves_the_time_to_the_first_byte(self, hasty: Driver, upstream: Sandbox) -> None:
        upstream.script(CHEAP, Silence())
        assert hasty.create(model="auto", messages=ASK_CHEAP, timeout=None).routing.model == BALANCED


class TestCopies:
    def test_with_options_shares_keys_and_figures(self, make: Make, upstream: Sandbox) -> None:
        driver = make()
        original, driver.router = driver.router, driver.router.with_options(default_headers={"X-Team": "red"})
        driver.create(model="premium", messages=ASK_CHEAP)
        (request,) = upstream.requests
        assert request.headers["x-team"] == "red"
        assert request.headers["authorization"] == f"Bearer {PRO_KEY}"
        assert original.summary().requests == driver.router.summary().requests == 1
        assert type(driver.router) is type(original)

    def test_a_copy_keeps_its_own_deadline(self, make: Make, upstream: Sandbox) -> None:
        driver = make()
        driver.router = driver.router.copy(timeout=0.3)
        upstream.always("*", StallAfter(1))
        with pytest.raises(ChainFailedError, match=r"0\.3 s were over"):
            driver.create(model="auto", messages=ASK_CHEAP)


class TestManyThreads:
    def test_one_router_serves_them_all(self, settings: Any, predictor: TierPredictor) -> None:
        records: list[Routing] = []
        config = RouterConfig(**{**settings, "first_byte_seconds": 10})
        with TierRouter(config, environ=ENVIRON, predictor=predictor) as router:

            def ask(model: str) -> None:
                records.extend(router.ask("Hello", model=model).routing for _ in range(10))

            threads = [threading.Thread(target=ask, args=(tier.label,)) for tier in Tier]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            summary = router.summary()
        assert summary.requests == len(records) == 30
        assert summary.by_tier == {tier.label: 10 for tier in Tier}
        assert summary.usd == pytest.approx(sum(each.cost.usd or 0 for each in records))


class TestClosing:
    def test_a_router_is_a_context_manager_that_closes_its_connections(
        self, settings: Any, predictor: TierPredictor
    ) -> None:
        with TierRouter(RouterConfig(**settings), environ=ENVIRON, predictor=predictor) as router:
            router.ask("Hello")
        assert router.is_closed()

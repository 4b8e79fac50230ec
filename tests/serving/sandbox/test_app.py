"""Endpoints, refused requests, keys, limits and the record of what came in, over real HTTP."""

import httpx2
import openai
import pytest

from serving.sandbox import AcceptedKeys, Sandbox, Status
from serving.sandbox.gate import RateLimit
from tests.serving.sandbox.test_chat import ASK, CHEAP, PREMIUM

STANDARD, PRO = "ga_standard_0001", "ga_pro_0001"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_the_usual_models_are_listed(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert {CHEAP, PREMIUM, "Qwen/Qwen3-32B"} <= set(names)


def test_embeddings_depend_on_the_text_alone(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model="e", input=["one", "two", "one"])
    first, second, third = (row.embedding for row in answer.data)
    assert first == third != second
    assert sum(x * x for x in first) == pytest.approx(1.0, abs=1e-5)


def test_embeddings_have_the_wanted_size_and_form(client: openai.OpenAI) -> None:
    packed = client.embeddings.create(model="e", input="one", dimensions=40)
    plain = client.embeddings.create(model="e", input="one", dimensions=40, encoding_format="float")
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)
    assert len(plain.data[0].embedding) == 40


@pytest.mark.parametrize("given", [[1, 2, 3], [[1, 2], [3]], "text"], ids=["tokens", "token lists", "text"])
def test_embeddings_take_every_form_of_input(http: httpx2.Client, given: object) -> None:
    assert http.post("/embeddings", json={"model": "e", "input": given}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        pytest.param("/chat/completions", b"{", "the body is not JSON", id="broken JSON"),
        pytest.param("/chat/completions", b"\xff\xfe{}", "the body is not JSON", id="not UTF-8"),
        pytest.param("/chat/completions", b"[" * 100_000, "the body is not JSON", id="bottomless nesting"),
        pytest.param("/chat/completions", b"[]", "must be a JSON object", id="a list"),
        pytest.param("/chat/completions", b"", "must be a JSON object", id="no body"),
        pytest.param("/chat/completions", b'{"messages": []}', "model parameter", id="no model"),
        pytest.param("/chat/completions", b'{"model": "m"}', "'messages' must be a list", id="no messages"),
        pytest.param("/chat/completions", b'{"model": "m", "messages": []}', "at least one", id="none"),
        pytest.param("/chat/completions", b'{"model": "m", "messages": [3]}', "'role'", id="not a message"),
        pytest.param(
            "/chat/completions",
            b'{"model": "m", "messages": [{"role": "user", "content": "x"}], "n": 0}',
            "'n' must be a whole number",
            id="n of zero",
        ),
        pytest.param(
            "/chat/completions",
            b'{"model": "m", "messages": [{"role": "user"}], "max_tokens": "many"}',
            "'max_tokens' must be a whole number",
            id="a token limit in words",
        ),
        pytest.param(
            "/chat/completions",
            b'{"model": "m", "messages": [{"role": "user"}], "response_format": {"type": "json_schema"}}',
            "needs json_schema.schema",
            id="no schema",
        ),
        pytest.param("/embeddings", b'{"model": "e"}', "'input' must be", id="no input"),
        pytest.param(
            "/embeddings", b'{"model": "e", "input": ["a", 1]}', "'input' must be", id="mixed input"
        ),
        pytest.param(
            "/embeddings", b'{"model": "e", "input": "a", "dimensions": 0}', "'dimensions'", id="size 0"
        ),
    ],
)
def test_a_bad_request_is_refused_in_the_wire_format(
    http: httpx2.Client, path: str, body: bytes, message: str
) -> None:
    answer = http.post(path, content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert message in answer.json()["error"]["message"]


def test_a_body_beyond_the_limit_is_refused(http: httpx2.Client) -> None:
    answer = http.post("/chat/completions", content=b" " * (64 * 1024 * 1024 + 1))
    assert answer.status_code == 413


def test_other_paths_and_methods_are_unknown(http: httpx2.Client) -> None:
    assert http.get("/nothing").status_code == 404
    assert http.get("/chat/completions").status_code == 405


def test_requests_are_recorded_with_headers_and_body(sandbox: Sandbox, client: openai.OpenAI) -> None:
    client.chat.completions.create(model=CHEAP, messages=ASK, extra_headers={"X-Trace": "7"}, seed=3)
    (received,) = sandbox.requests
    assert received.path == "/v1/chat/completions"
    assert received.headers["x-trace"] == "7"
    assert received.headers["authorization"] == "Bearer test-key"
    assert received.body == {"model": CHEAP, "messages": ASK, "seed": 3}
    assert "test-key" not in repr(received)


def test_the_record_is_bounded() -> None:
    with Sandbox.start(remember=2) as sandbox, httpx2.Client(base_url=sandbox.url) as http:
        for number in range(3):
            http.post("/chat/completions", json={"model": f"m{number}", "messages": ASK})
        assert [received.model for received in sandbox.requests] == ["m1", "m2"]


def test_faults_are_consumed_one_by_one_by_the_model_they_name(sandbox: Sandbox, http: httpx2.Client) -> None:
    sandbox.script(CHEAP, Status(500), Status(503))
    asked = [CHEAP, PREMIUM, CHEAP, CHEAP]
    codes = [http.post("/chat/completions", json={"model": m, "messages": ASK}).status_code for m in asked]
    assert codes == [500, 200, 503, 200]


def test_a_permanent_fault_stays_until_cleared_and_lets_queued_ones_go_first(
    sandbox: Sandbox, http: httpx2.Client
) -> None:
    sandbox.always("*", Status(503))
    sandbox.script("*", Status(429))
    assert [http.get("/models").status_code for _ in range(3)] == [429, 503, 503]
    sandbox.clear()
    assert http.get("/models").status_code == 200


def test_a_path_can_be_scripted(sandbox: Sandbox, http: httpx2.Client) -> None:
    sandbox.script("/models", Status(401))
    assert http.post("/chat/completions", json={"model": "m", "messages": ASK}).status_code == 200
    assert http.get("/models").status_code == 401


def test_only_listed_models_exist_when_a_list_is_given() -> None:
    with Sandbox.start(models=["mine"]) as sandbox, httpx2.Client(base_url=sandbox.url) as http:
        assert [row["id"] for row in http.get("/models").json()["data"]] == ["mine"]
        refused = http.post("/chat/completions", json={"model": "other", "messages": ASK})
        assert refused.status_code == 404
        assert refused.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("headers", "model", "code"),
    [
        pytest.param(bearer(STANDARD), CHEAP, 200, id="standard key, standard model"),
        pytest.param(bearer(PRO), PREMIUM, 200, id="Pro key, Pro model"),
        pytest.param(bearer(STANDARD), PREMIUM, 403, id="standard key, Pro model"),
        pytest.param(bearer("ga_other"), CHEAP, 401, id="unknown key"),
        pytest.param({}, CHEAP, 401, id="no key"),
    ],
)
def test_keys_open_their_own_channel(headers: dict[str, str], model: str, code: int) -> None:
    with (
        Sandbox.start(keys=AcceptedKeys(STANDARD, PRO)) as sandbox,
        httpx2.Client(base_url=sandbox.url) as http,
    ):
        answer = http.post("/chat/completions", json={"model": model, "messages": ASK}, headers=headers)
    assert answer.status_code == code


def test_keys_never_show_in_their_repr() -> None:
    assert repr(AcceptedKeys(STANDARD, PRO)) == "AcceptedKeys(standard=****, pro=****)"


def test_too_many_requests_a_minute_get_429_with_the_time_to_wait() -> None:
    now = [1000.0]
    with (
        Sandbox.start(requests_per_minute=2, clock=lambda: now[0]) as sandbox,
        httpx2.Client(base_url=sandbox.url) as http,
    ):
        assert [http.get("/models").status_code for _ in range(2)] == [200, 200]
        now[0] += 15
        refused = http.get("/models")
        now[0] += 46
        assert http.get("/models").status_code == 200
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "45"


def test_the_rate_limit_counts_each_key_by_itself_and_can_be_cleared() -> None:
    limit = RateLimit(1, clock=lambda: 0.0)
    first, second = {"authorization": "a"}, {"authorization": "b"}
    assert [limit.refusal(first), limit.refusal(second)] == [None, None]
    assert limit.refusal(first) is not None
    limit.clear()
    assert limit.refusal(first) is None

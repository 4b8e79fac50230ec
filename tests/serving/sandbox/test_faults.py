"""Every fault, as a client on the other side of the connection meets it."""

import json
import time

import httpx2
import openai
import pytest

from serving.sandbox import (
    BrokenJson,
    Comments,
    Delay,
    Drip,
    EndAfter,
    Fault,
    Gigantic,
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
from tests.serving.sandbox.test_chat import ASK

MODEL = "faulty"
PLAIN = {"model": MODEL, "messages": ASK}
STREAMED = {**PLAIN, "stream": True, "stream_options": {"include_usage": True}}
SHORT = httpx2.Timeout(5, read=0.2)


def received_until_failure(http: httpx2.Client, kind: type[Exception]) -> bytes:
    data = bytearray()
    with pytest.raises(kind, match=r"reset|timed out|disconnected|closed"):
        _read_into(data, http)
    return bytes(data)


def _read_into(data: bytearray, http: httpx2.Client) -> None:
    with http.stream("POST", "/chat/completions", json=STREAMED, timeout=SHORT) as answer:
        for piece in answer.iter_raw():
            data += piece


def tokens_in(data: bytes) -> int:
    return data.count(b'"delta":{"content":')


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
    ids=str,
)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_status_becomes_the_sdks_error(
    sandbox: Sandbox, client: openai.OpenAI, code: int, kind: type[openai.APIStatusError], *, stream: bool
) -> None:
    sandbox.script(MODEL, Status(code, retry_after=7))
    with pytest.raises(kind, match=f"simulated failure with status {code}") as caught:
        client.chat.completions.create(model=MODEL, messages=ASK, stream=stream)
    assert caught.value.status_code == code
    assert caught.value.response.headers["retry-after"] == "7"


def test_a_status_can_carry_any_body(sandbox: Sandbox, http: httpx2.Client) -> None:
    sandbox.script(MODEL, Status(500, body=b"not even JSON"))
    assert http.post("/chat/completions", json=PLAIN).content == b"not even JSON"


def test_silence_outlasts_the_clients_patience(sandbox: Sandbox, http: httpx2.Client) -> None:
    sandbox.script(MODEL, Silence())
    with pytest.raises(httpx2.ReadTimeout, match="timed out"):
        http.post("/chat/completions", json=PLAIN, timeout=SHORT)


def test_silence_ends_with_a_closed_connection(sandbox: Sandbox, http: httpx2.Client) -> None:
    sandbox.script(MODEL, Silence(seconds=0.05))
    with pytest.raises(httpx2.RemoteProtocolError, match="disconnected"):
        http.post("/chat/completions", json=PLAIN)


def test_a_delay_comes_before_the_first_byte(sandbox: Sandbox, http: httpx2.Client) -> None:
    sandbox.script(MODEL, Delay(0.1), Delay(0.05, then=Status(503)))
    before = time.monotonic()
    assert http.post("/chat/completions", json=PLAIN).status_code == 200
    assert time.monotonic() - before >= 0.1
    assert http.post("/chat/completions", json=PLAIN).status_code == 503


def test_a_reset_leaves_no_answer_at_all(sandbox: Sandbox, http: httpx2.Client) -> None:
    sandbox.script(MODEL, Reset())
    with pytest.raises(httpx2.ReadError, match="reset"):
        http.post("/chat/completions", json=PLAIN)


def test_a_reset_in_a_stream_comes_after_its_tokens(sandbox: Sandbox, http: httpx2.Client) -> None:
    sandbox.script(MODEL, ResetAfter(4))
    assert tokens_in(received_until_failure(http, httpx2.ReadError)) == 4


def test_a_stall_in_a_stream_comes_after_its_tokens(sandbox: Sandbox, http: httpx2.Client) -> None:
    sandbox.script(MODEL, StallAfter(2))
    assert tokens_in(received_until_failure(http, httpx2.ReadTimeout)) == 2


def test_a_stall_after_no_token_leaves_the_role_alone(sandbox: Sandbox, http: httpx2.Client) -> None:
    sandbox.script(MODEL, StallAfter(0))
    data = received_until_failure(http, httpx2.ReadTimeout)
    assert b'"role":"assistant"' in data
    assert tokens_in(data) == 0


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (ResetAfter(3), httpx2.ReadError),
        (StallAfter(3), httpx2.ReadTimeout),
        (StallAfter(3, seconds=0.05), httpx2.RemoteProtocolError),
    ],
    ids=["reset", "stall", "closed after the stall"],
)
def test_a_plain_body_breaks_off_halfway(
    sandbox: Sandbox, http: httpx2.Client, fault: Fault, kind: type[Exception]
) -> None:
    sandbox.script(MODEL, fault)
    with pytest.raises(kind, match=r"reset|timed out|disconnected|closed"):
        http.post("/chat/completions", json=PLAIN, timeout=SHORT)


def test_a_stream_can_end_early_in_good_order(sandbox: Sandbox, client: openai.OpenAI) -> None:
    sandbox.script(MODEL, EndAfter(3))
    chunks = list(client.chat.completions.create(model=MODEL, messages=ASK, stream=True))
    assert len(chunks) == 4
    assert chunks[-1].choices[0].finish_reason is None


def test_a_plain_body_can_end_early_in_good_order(sandbox: Sandbox, http: httpx2.Client) -> None:
    sandbox.script(MODEL, EndAfter(3))
    with pytest.raises(json.JSONDecodeError, match=r"line 1"):
        http.post("/chat/completions", json=PLAIN).json()


def test_comments_come_before_the_whole_stream(sandbox: Sandbox, http: httpx2.Client) -> None:
    sandbox.script(MODEL, Comments(pause=0.01, count=3))
    text = http.post("/chat/completions", json=STREAMED).text
    assert text.startswith(": still working\n\n" * 3 + "data: ")
    assert text.endswith("data: [DONE]\n\n")


def test_comments_leave_a_plain_answer_readable(sandbox: Sandbox, client: openai.OpenAI) -> None:
    sandbox.script(MODEL, Comments(pause=0.01, count=3))
    assert client.chat.completions.create(model=MODEL, messages=ASK).choices


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_dripping_changes_nothing_but_the_time(
    sandbox: Sandbox, http: httpx2.Client, *, stream: bool
) -> None:
    body = {**PLAIN, "stream": stream}
    normal = http.post("/chat/completions", json=body).text
    sandbox.script(MODEL, Drip(pause=0.001, size=199))
    created = '"created":'
    dripped = http.post("/chat/completions", json=body).text
    assert [part[10:] for part in dripped.split(created)] == [part[10:] for part in normal.split(created)]


def test_broken_json_does_not_parse(sandbox: Sandbox, http: httpx2.Client) -> None:
    sandbox.script(MODEL, BrokenJson(), BrokenJson())
    with pytest.raises(json.JSONDecodeError, match="line 1"):
        http.post("/chat/completions", json=PLAIN).json()
    line = http.post("/chat/completions", json=STREAMED).text.splitlines()[0]
    with pytest.raises(json.JSONDecodeError, match="line 1"):
        json.loads(line.removeprefix("data: "))


@pytest.mark.parametrize("body", [PLAIN, STREAMED], ids=["plain", "streamed"])
def test_a_page_comes_with_the_wrong_content_type(
    sandbox: Sandbox, http: httpx2.Client, body: dict[str, object]
) -> None:
    sandbox.script(MODEL, HtmlPage(), HtmlPage(502))
    page, gateway = (http.post("/chat/completions", json=body) for _ in range(2))
    assert (page.status_code, gateway.status_code) == (200, 502)
    assert page.headers["content-type"].startswith("text/html")


def test_an_error_event_ends_a_stream(sandbox: Sandbox, client: openai.OpenAI) -> None:
    sandbox.script(MODEL, StreamError(tokens=2, message="overloaded"))
    stream = client.chat.completions.create(model=MODEL, messages=ASK, stream=True)
    assert [next(stream).choices[0].delta.content for _ in range(3)] == ["", "(Simula", "ted"]
    with pytest.raises(openai.APIError, match="overloaded"):
        next(stream)


def test_an_error_can_come_with_status_200(sandbox: Sandbox, http: httpx2.Client) -> None:
    sandbox.script(MODEL, StreamError(message="overloaded"))
    answer = http.post("/chat/completions", json=PLAIN)
    assert answer.status_code == 200
    assert answer.json()["error"]["message"] == "overloaded"


def test_usage_can_be_missing(sandbox: Sandbox, client: openai.OpenAI) -> None:
    sandbox.script(MODEL, NoUsage(), NoUsage())
    assert client.chat.completions.create(model=MODEL, messages=ASK).usage is None
    chunks = list(
        client.chat.completions.create(
            model=MODEL, messages=ASK, stream=True, stream_options={"include_usage": True}
        )
    )
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"


@pytest.mark.parametrize("body", [PLAIN, STREAMED], ids=["plain", "streamed"])
def test_a_gigantic_body_has_its_size(sandbox: Sandbox, http: httpx2.Client, body: dict[str, object]) -> None:
    sandbox.script(MODEL, Gigantic(size=3_000_000))
    assert len(http.post("/chat/completions", json=body).content) > 3_000_000


def test_a_client_that_leaves_does_not_disturb_the_next(sandbox: Sandbox, http: httpx2.Client) -> None:
    sandbox.script(MODEL, Silence(), Drip(pause=0.05), Comments(pause=1, count=5))
    for _ in range(3):
        with pytest.raises(httpx2.ReadTimeout, match="timed out"):
            http.post("/chat/completions", json=STREAMED, timeout=httpx2.Timeout(5, read=0.02))
    assert http.post("/chat/completions", json=PLAIN).status_code == 200

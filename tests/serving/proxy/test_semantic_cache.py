"""The semantic cache: real proxies before the sandbox, whose embeddings are sums of hashed words."""

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import pytest

from serving.errors import ConfigError
from serving.proxy.semantic import SemanticCache, SemanticStats
from serving.sandbox import Delay, Normal, Sandbox
from serving.serve_config import ServeConfig
from serving.state.neighbours import Neighbours
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running, bearer
from tests.serving.proxy.test_caching import settle

SEMANTIC: dict[str, Any] = {
    "enabled": True,
    "embedding_model": "hashed-words",
    "threshold": 0.5,
    "dimensions": 256,
    "timeout_seconds": 10.0,
}
FIRST = "How do I reset my password?"
SAME = "Please tell me how do I reset my password?"
OPPOSITE = "How do I not reset my password?"


def cached(**semantic: Any) -> dict[str, Any]:
    return {"cache": {"lookup_seconds": 5.0, "semantic": {**SEMANTIC, **semantic}}}


@pytest.fixture
def running(proxy: MakeProxy) -> Running:
    return proxy(serve=cached())


def post(running: Running, ask: Any, before: Sequence[Any] = (), **given: Any) -> httpx2.Response:
    """Ask a question at temperature 0, and wait until its answer is stored."""
    headers = given.pop("headers", {})
    path = given.pop("path", "/chat/completions")
    messages = [*before, {"role": "user", "content": ask}]
    body = {"model": "cheap", "messages": messages, "temperature": 0, **given}
    response = httpx2.post(
        f"{running.url}{path}", json=body, headers=headers, timeout=PATIENCE, trust_env=False
    )
    settle(running)
    return response


def is_hit(response: httpx2.Response) -> bool:
    return "detail=semantic" in response.headers.get("cache-status", "")


def chats(upstream: Sandbox) -> int:
    return sum(each.path.endswith("/chat/completions") for each in upstream.requests)


def stats(running: Running) -> SemanticStats:
    desk = running.service.desk
    assert desk is not None
    assert isinstance(desk.cache.second, SemanticCache)
    return desk.cache.second.stats()


def test_another_wording_of_an_ask_gets_its_answer(running: Running, upstream: Sandbox) -> None:
    first, second = post(running, FIRST), post(running, SAME)
    assert not is_hit(first)
    assert is_hit(second)
    assert second.content == first.content
    assert 0.5 <= float(second.headers["x-tierwise-cache-similarity"]) < 1
    assert chats(upstream) == 1
    made, found = running.rows()
    assert (found.cache, found.usd, found.model) == ("semantic", 0.0, made.model)
    assert made.usd is not None
    assert found.saved_usd == pytest.approx(made.usd)
    assert (stats(running).hits, stats(running).misses, stats(running).learned) == (1, 1, 1)


def test_what_is_being_learnt_when_the_proxy_is_stopped_is_learnt(
    running: Running, upstream: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    upstream.script("hashed-words", Delay(0.3, Normal()))
    body = {"model": "cheap", "messages": [{"role": "user", "content": FIRST}], "temperature": 0}
    answer = httpx2.post(
        f"{running.url}/chat/completions",
        json=body,
        headers={"cache-control": "no-cache"},  # its embedding is asked for only after the answer
        timeout=PATIENCE,
        trust_env=False,
    )
    assert answer.status_code == 200
    running.stop()
    assert stats(running).learned == 1
    assert not caplog.records


def test_the_embedding_is_asked_for_once_an_ask_and_its_cost_lessens_what_is_saved(
    proxy: MakeProxy, upstream: Sandbox
) -> None:
    running = proxy(serve=cached(usd_per_million_tokens=0.02))
    post(running, FIRST)
    post(running, SAME)
    made, found = running.rows()
    counted = stats(running)
    assert counted.embeddings == 2
    assert counted.embedding_usd == pytest.approx(counted.embedding_tokens * 0.02 / 1e6)
    assert made.usd is not None
    assert found.saved_usd is not None
    assert 0 < made.usd - found.saved_usd < counted.embedding_usd
    assert sum(each.path.endswith("/embeddings") for each in upstream.requests) == 2


@pytest.mark.parametrize(
    ("ask", "look_alike", "kind"),
    [
        (FIRST, OPPOSITE, "negation"),
        ("Convert 5 km to miles please", "Convert 5 miles to km please", "direction"),
        ("Give me a recipe for 6 people", "Give me a recipe for 16 people", "number"),
        ("Who was president before Hollande?", "Who was president after Hollande?", "direction"),
        ("Translate good morning into French", "Translate good morning into German", "language"),
    ],
)
def test_a_look_alike_is_asked_anew(
    running: Running, upstream: Sandbox, ask: str, look_alike: str, kind: str
) -> None:
    first, second = post(running, ask), post(running, look_alike)
    assert not is_hit(second)
    assert second.json()["id"] != first.json()["id"]
    assert chats(upstream) == 2
    assert stats(running).refused == {kind: 1}


def test_streams_are_replayed_as_streams_and_never_as_whole_answers(running: Running) -> None:
    streamed = post(running, FIRST, stream=True)
    again, whole = post(running, SAME, stream=True), post(running, SAME)
    assert is_hit(again)
    assert again.content == streamed.content
    assert again.content.endswith(b"data: [DONE]\n\n")
    assert not is_hit(whole)


def test_a_follow_up_is_answered_within_its_own_conversation_alone(running: Running) -> None:
    cats = [{"role": "user", "content": "Tell me of cats."}, {"role": "assistant", "content": "Cats purr."}]
    dogs = [{"role": "user", "content": "Tell me of dogs."}, {"role": "assistant", "content": "Dogs bark."}]
    post(running, "How old do they get?", cats)
    assert not is_hit(post(running, "Please tell me how old do they get?", dogs))
    assert not is_hit(post(running, "Please tell me how old do they get?"))
    assert is_hit(post(running, "Please tell me how old do they get?", cats))


def test_system_prompts_parameters_and_tiers_keep_answers_apart(running: Running) -> None:
    pirate = [{"role": "system", "content": "You are a pirate."}]
    post(running, FIRST)
    assert not is_hit(post(running, SAME, pirate))
    assert not is_hit(post(running, SAME, max_tokens=7))
    assert not is_hit(post(running, SAME, model="premium"))
    assert is_hit(post(running, SAME))


def test_keys_keep_answers_apart_unless_they_are_shared(proxy: MakeProxy) -> None:
    apart = proxy(serve=cached())
    ada, bob = (bearer(apart.create_key(name)) for name in ("Ada", "Bob"))
    post(apart, FIRST, headers=ada)
    assert not is_hit(post(apart, SAME, headers=bob))
    assert is_hit(post(apart, SAME, headers=ada))
    tables = cached()
    tables["cache"]["shared"] = True
    together = proxy(serve=tables)
    ada, bob = (bearer(together.create_key(name)) for name in ("Ada", "Bob"))
    post(together, FIRST, headers=ada)
    assert is_hit(post(together, SAME, headers=bob))


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


@pytest.mark.parametrize(
    "given",
    [
        {"tools": [TOOL]},
        {"n": 2},
        {"temperature": 1},
        {"headers": {"cache-control": "no-store"}},
        {"headers": {"cache-control": "no-cache"}},
    ],
    ids=["tools", "two answers", "temperature 1", "no-store", "no-cache"],
)
def test_what_must_be_made_anew_is(running: Running, given: dict[str, Any]) -> None:
    post(running, FIRST, **given)
    assert not is_hit(post(running, SAME, **given))


def test_pictures_are_never_compared(running: Running) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    for ask in (FIRST, SAME):
        assert not is_hit(post(running, [{"type": "text", "text": ask}, picture]))
    assert stats(running).embeddings == 0


def test_parts_of_text_are_an_ask_like_any(running: Running) -> None:
    post(running, [{"type": "text", "text": FIRST}])
    assert is_hit(post(running, [{"type": "text", "text": SAME}]))


def test_any_temperature_will_do_where_the_operator_says_so(proxy: MakeProxy) -> None:
    running = proxy(serve=cached(requests="all"))
    post(running, FIRST, temperature=1)
    assert is_hit(post(running, SAME, temperature=1))


def test_a_caller_who_asks_for_a_stored_answer_only_gets_it_or_an_error(running: Running) -> None:
    only = {"cache-control": "only-if-cached"}
    assert post(running, SAME, headers=only).status_code == 504
    post(running, FIRST)
    assert is_hit(post(running, SAME, headers=only))


def test_a_proxy_that_starts_again_knows_what_was_asked_before(proxy: MakeProxy) -> None:
    before = proxy(serve=cached())
    first = post(before, FIRST)
    before.stop()
    after = proxy(serve=cached(), state_url=before.state_url)
    assert post(after, SAME).content == first.content


def test_another_embedding_model_starts_with_nothing(proxy: MakeProxy) -> None:
    before = proxy(serve=cached())
    post(before, FIRST)
    before.stop()
    after = proxy(serve=cached(embedding_model="another"), state_url=before.state_url)
    assert not is_hit(post(after, SAME))


def test_an_answer_that_is_gone_is_a_miss_and_its_ask_is_forgotten(running: Running) -> None:
    post(running, FIRST)
    desk = running.service.desk
    assert desk is not None
    desk.books.state.answers.clear()
    assert not is_hit(post(running, SAME))
    neighbours = Neighbours.open(running.state_url)
    assert neighbours.size() == 1
    neighbours.close()


def test_an_answer_serves_other_asks_no_longer_than_it_may(proxy: MakeProxy) -> None:
    running = proxy(serve=cached(ttl_seconds=0.2))
    post(running, FIRST)
    time.sleep(0.25)
    assert not is_hit(post(running, SAME))


class Answers(BaseHTTPRequestHandler):
    """An embeddings endpoint that goes wrong."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        status, body, seconds = self.server.says  # type: ignore[attr-defined]
        time.sleep(seconds)
        with contextlib.suppress(OSError):  # nobody waits any more
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_given: object) -> None:
        pass


@contextlib.contextmanager
def endpoint(status: int, body: bytes, seconds: float = 0.0) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.says = status, body, seconds  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def vectors(*rows: Any) -> bytes:
    return json.dumps(
        {"data": [{"embedding": row, "index": place} for place, row in enumerate(rows)]}
    ).encode()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (401, b'{"error": {}}'),
        (200, b"not JSON"),
        (200, b"[]"),
        (200, vectors()),
        (200, vectors([1.0, 0.0])),
        (200, vectors([0.0] * 256)),
        (200, vectors(["a"] * 256)),
        (200, b'{"data": [{"embedding": [' + b"NaN," * 255 + b"NaN]}]}"),
        (200, vectors([1.0] * 256, [1.0] * 256)),
    ],
    ids=["500", "401", "no JSON", "a list", "none", "dimension", "zero", "words", "NaN", "too many"],
)
def test_an_embedding_that_is_none_is_a_miss(
    proxy: MakeProxy, upstream: Sandbox, status: int, body: bytes
) -> None:
    with endpoint(status, body) as base_url:
        running = proxy(serve=cached(base_url=base_url))
        for ask in (FIRST, SAME):
            response = post(running, ask)
            assert response.status_code == 200
            assert not is_hit(response)
        assert chats(upstream) == 2
        assert stats(running).failures == 1  # after which nobody asks for some seconds
        running.stop()


def test_an_endpoint_that_nobody_answers_at_is_a_miss(proxy: MakeProxy) -> None:
    running = proxy(serve=cached(base_url="http://127.0.0.1:9/v1"))
    assert post(running, FIRST).status_code == 200
    assert stats(running).failures == 1


def test_an_endpoint_that_is_slow_holds_nobody_up(proxy: MakeProxy) -> None:
    with endpoint(200, vectors([1.0] * 256), seconds=3.0) as base_url:
        running = proxy(serve=cached(base_url=base_url, timeout_seconds=0.1))
        begun = time.monotonic()
        assert post(running, FIRST).status_code == 200
        assert time.monotonic() - begun < 2.5
        assert stats(running).failures == 1
        running.stop()


def test_the_endpoint_s_own_key_is_sent_and_no_other(proxy: MakeProxy, upstream: Sandbox) -> None:
    running = proxy(
        serve=cached(base_url=upstream.url, key_variable="EMBEDDING_KEY"),
        environ={"GLOBAL_API_KEY": "ga_standard_0123456789", "EMBEDDING_KEY": "own-key-1234"},
    )
    post(running, FIRST)
    sent = {each.path: each.headers["authorization"] for each in upstream.requests}
    assert {path.rpartition("/")[2]: key for path, key in sent.items()} == {
        "embeddings": "Bearer own-key-1234",
        "completions": "Bearer ga_standard_0123456789",
    }


def test_a_key_that_is_missing_is_a_miss(proxy: MakeProxy, upstream: Sandbox) -> None:
    running = proxy(serve=cached(base_url=upstream.url, key_variable="EMBEDDING_KEY"))
    assert post(running, FIRST).status_code == 200
    assert stats(running).failures == 1


def test_it_is_off_by_default_and_makes_no_file(proxy: MakeProxy) -> None:
    running = proxy()
    desk = running.service.desk
    assert desk is not None
    assert desk.cache.second is None
    assert not Path(f"{running.state_url.removeprefix('sqlite:///')}.neighbours").exists()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"enabled": True, "threshold": 0.9}, "embedding_model: missing"),
        ({"enabled": True, "embedding_model": "m"}, "calibrate-cache"),
        ({"threshold": 1.5}, "threshold"),
        ({"key_variable": "KEY"}, "goes with base_url"),
        ({"modell": "m"}, "unknown key"),
    ],
    ids=["no model", "no threshold", "threshold above 1", "key without endpoint", "misspelt"],
)
def test_settings_that_make_no_sense_are_refused_in_one_line(table: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        ServeConfig.from_dict({"cache": {"semantic": table}})

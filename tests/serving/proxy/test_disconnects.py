"""Clients that close their sockets: the upstream call ends, and what it cost is recorded."""

import json
import socket
import time
from typing import Any

import pytest

from serving.sandbox import Comments, Drip, Sandbox, Silence
from tests.serving.conftest import ASK_CHEAP, ASK_PREMIUM, CHEAP
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running


def begin(running: Running, **body: Any) -> socket.socket:
    """Send a request over a socket of our own."""
    data = json.dumps({"model": "auto", "messages": ASK_CHEAP, **body}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"content-length: {len(data)}\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE)
    connection.sendall(head.encode() + data)
    return connection


def wait_for_requests(upstream: Sandbox, count: int = 1) -> None:
    until = time.monotonic() + PATIENCE
    while len(upstream.requests) < count:
        assert time.monotonic() < until
        time.sleep(0.01)


def wait_for_rows(running: Running, count: int = 1) -> list[Any]:
    """Return the ledger once it holds so many rows, and the budgets what was put together with them."""
    until = time.monotonic() + PATIENCE
    while len(running.rows()) < count:
        assert time.monotonic() < until
        time.sleep(0.02)
    return running.rows()  # a row may be written before the settlement that was put right behind it


def test_a_client_that_leaves_while_waiting_cancels_the_call(running: Running, upstream: Sandbox) -> None:
    upstream.script(CHEAP, Silence(PATIENCE))
    started = time.monotonic()
    connection = begin(running)
    wait_for_requests(upstream)
    connection.close()
    (row,) = wait_for_rows(running)
    assert (row.outcome, row.cause) == ("cancelled", "cancelled before the answer came")
    assert time.monotonic() - started < PATIENCE / 2
    assert len(upstream.requests) == 1  # nobody else was asked instead


def test_a_client_that_leaves_a_stream_ends_it_and_its_cost_is_counted(
    running: Running, upstream: Sandbox
) -> None:
    upstream.script(CHEAP, Drip(pause=0.02, size=200))
    connection = begin(running, stream=True)
    assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    connection.close()
    (row,) = wait_for_rows(running)
    assert (row.outcome, row.estimated, row.streamed) == ("cancelled", True, True)
    assert row.output_tokens >= 1
    assert row.usd > 0


def test_a_client_that_leaves_before_the_first_token_is_noticed(running: Running, upstream: Sandbox) -> None:
    upstream.script(CHEAP, Comments(pause=0.1, count=100))
    connection = begin(running, stream=True)
    wait_for_requests(upstream)
    connection.close()
    (row,) = wait_for_rows(running)
    assert row.outcome == "cancelled"


def test_a_client_that_leaves_with_half_a_body_is_forgotten(running: Running, upstream: Sandbox) -> None:
    connection = socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE)
    connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n")
    connection.sendall(b"content-type: application/json\r\ncontent-length: 1000\r\n\r\n{")
    connection.close()
    with begin(running) as another:
        assert another.recv(100).startswith(b"HTTP/1.1 200")
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_a_cancelled_call_may_cost_is_charged_in_full(
    proxy: MakeProxy, upstream: Sandbox, stream: bool
) -> None:
    running = proxy(serve={"budgets": {"premium_tokens_per_day": 10_000}})
    upstream.script("*", Silence(PATIENCE))
    connection = begin(running, messages=ASK_PREMIUM, max_tokens=100, stream=stream)
    wait_for_requests(upstream)
    connection.close()
    wait_for_rows(running)
    desk = running.service.desk
    assert desk is not None
    (found,) = desk.books.state.budgets.standing(time.strftime("%Y-%m-%d", time.gmtime()))
    assert found.spent > 300
    assert found.reserved == 0


def test_many_that_leave_at_once_leave_nothing_behind(running: Running, upstream: Sandbox) -> None:
    upstream.always(CHEAP, Silence(PATIENCE))
    connections = [begin(running, stream=bool(number % 2)) for number in range(24)]
    wait_for_requests(upstream, 24)
    for connection in connections:
        connection.close()
    rows = wait_for_rows(running, 24)
    assert {row.outcome for row in rows} == {"cancelled"}
    desk = running.service.desk
    assert desk is not None
    until = time.monotonic() + PATIENCE
    while desk.turnstile.inside:
        assert time.monotonic() < until
        time.sleep(0.01)

import socket
import threading
import time
from collections.abc import Callable, Iterator

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.deadline import Deadline, Limits, watch

SECONDS = st.floats(0.01, 1000)


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class TestLimits:
    def test_seconds_of_the_caller_are_the_deadline_of_the_whole(self) -> None:
        assert Limits.of(5, first=10, whole=300) == Limits(10, 5)

    def test_no_timeout_means_no_deadline_but_the_first_byte_still_has_to_come(self) -> None:
        limits = Limits.of(None, first=10, whole=300)
        assert (limits.first, limits.whole >= 86_400) == (10, True)

    def test_phases_of_the_caller_hold_within_the_configured_whole(self) -> None:
        limits = Limits.of(httpx2.Timeout(None, connect=1, read=60), first=10, whole=300)
        assert (limits.first, limits.whole, limits.connect, limits.read) == (60, 300, 1, 60)
        assert limits.pool > 1000


class TestDeadline:
    def test_there_is_more_time_once_the_first_byte_is_there(self) -> None:
        clock = Clock()
        deadline = Deadline(Limits(10, 60), clock.now + 60, clock)
        clock.now += 4
        assert deadline.left() == 6
        deadline.begun()
        assert (deadline.left(), deadline.first_at) == (56, 104)
        clock.now += 100
        deadline.begun()
        assert (deadline.left(), deadline.first_at) == (0, 104)

    def test_whoever_waits_hears_that_there_is_more_time(self) -> None:
        clock, heard = Clock(), list[float]()
        deadline = Deadline(Limits(10, 60), clock.now + 60, clock)
        deadline.on_move(heard.append)
        deadline.begun()
        deadline.begun()
        assert heard == [60]

    @given(first=SECONDS, whole=SECONDS, steps=st.lists(st.floats(0, 100), max_size=5))
    def test_it_never_allows_more_than_what_is_left_of_the_whole(
        self, first: float, whole: float, steps: list[float]
    ) -> None:
        clock = Clock()
        until = clock.now + whole
        deadline = Deadline(Limits(first, whole), until, clock)
        for step in steps:
            clock.now += step
            assert 0 <= deadline.left() <= max(0.0, until - clock.now)
            deadline.begun()

    def test_the_sdk_gets_ordinary_numbers(self) -> None:
        clock = Clock()
        timeout = Deadline(Limits(10, 60, connect=2), clock.now + 60, clock).timeout(
            streams=False, interruptible=False
        )
        assert (timeout.connect, timeout.read) == (2, 10)
        assert str(timeout.read) == "10.0"


Serve = Callable[[socket.socket], None]


def drip(connection: socket.socket) -> None:
    """Send the head of a response, and then its body one byte at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
    trickle(connection)


def drip_head(connection: socket.socket) -> None:
    """Send a head that never ends."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nx-filler: ")
    trickle(connection)


def trickle(connection: socket.socket) -> None:
    for _ in range(10_000):
        connection.sendall(b"x")
        time.sleep(0.005)


@pytest.fixture
def listen() -> Iterator[Callable[[Serve], str]]:
    """Start a raw server that answers one connection; return its URL."""
    opened: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def listen(serve: Serve) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        opened.append(listener)

        def run() -> None:
            connection, _ = listener.accept()
            opened.append(connection)
            connection.recv(65_536)
            try:
                serve(connection)
            except OSError:
                return

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield listen
    for each in opened:
        each.close()
    for thread in threads:
        thread.join(5)


class TestWatchedClient:
    @pytest.mark.parametrize(("serve", "seconds"), [(drip, 1.5), (drip_head, 0.5)], ids=["body", "head"])
    def test_bytes_that_keep_coming_do_not_keep_a_call_alive(
        self, listen: Callable[[Serve], str], serve: Serve, seconds: float
    ) -> None:
        url = listen(serve)
        with httpx2.Client() as client:
            watch(client)
            began = time.perf_counter()
            deadline = Deadline(Limits(0.5, 1.5), began + 1.5, time.perf_counter)
            with pytest.raises(httpx2.ReadTimeout, match=r"deadline has passed|timed out"):
                client.get(url, timeout=deadline.timeout(streams=False, interruptible=False))
        assert time.perf_counter() - began == pytest.approx(seconds, abs=0.4)

    def test_a_proxy_between_changes_nothing(self, listen: Callable[[Serve], str]) -> None:
        with httpx2.Client(proxy=listen(drip)) as client:
            watch(client)
            began = time.perf_counter()
            deadline = Deadline(Limits(0.5, 1.0), began + 1.0, time.perf_counter)
            with pytest.raises(httpx2.ReadTimeout, match=r"deadline has passed|timed out"):
                client.get(
                    "http://upstream.invalid/", timeout=deadline.timeout(streams=False, interruptible=False)
                )
        assert time.perf_counter() - began == pytest.approx(1.0, abs=0.4)

    def test_a_request_without_a_deadline_goes_as_before(self, listen: Callable[[Serve], str]) -> None:
        url = listen(lambda connection: connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n"))
        with httpx2.Client() as client:
            watch(client)
            watch(client)
            assert client.get(url, timeout=5).status_code == 204

    def test_the_head_counts_as_the_first_byte_of_what_is_no_stream(
        self, listen: Callable[[Serve], str]
    ) -> None:
        url = listen(lambda connection: connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n"))
        deadline = Deadline(Limits(5, 10), time.perf_counter() + 10, time.perf_counter)
        with httpx2.Client() as client:
            watch(client)
            client.get(url, timeout=deadline.timeout(streams=False, interruptible=False))
        assert deadline.first_at is not None
        assert deadline.response is not None

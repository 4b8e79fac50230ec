"""Starting, stopping, ports and latency."""

import socket
import threading
import time

import httpx2
import pytest

import serving.sandbox
from serving.sandbox import Latency, Sandbox, SandboxPortError, Silence
from tests.serving.sandbox.test_chat import ASK, CHEAP, PREMIUM


def test_it_listens_on_loopback_alone_and_stops() -> None:
    with Sandbox.start() as sandbox:
        assert sandbox.url == f"http://127.0.0.1:{sandbox.port}/v1"
        assert httpx2.get(f"{sandbox.url}/models").status_code == 200
    with pytest.raises(httpx2.ConnectError, match="refused"):
        httpx2.get(f"{sandbox.url}/models")


def test_stopping_twice_is_fine_and_leaves_no_thread() -> None:
    sandbox = Sandbox.start()
    sandbox.stop()
    sandbox.stop()
    assert "sandbox" not in {thread.name for thread in threading.enumerate() if not thread.is_alive()}


def test_stopping_does_not_wait_for_a_request_that_hangs() -> None:
    with Sandbox.start() as sandbox:
        sandbox.script("m", Silence(seconds=60))
        hanging = threading.Thread(target=_ask_and_be_cut_off, args=(sandbox.url,))
        hanging.start()
        while not sandbox.requests:
            time.sleep(0.005)
        before = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - before < 3
    hanging.join(5)
    assert not hanging.is_alive()


def _ask_and_be_cut_off(url: str) -> None:
    with pytest.raises(httpx2.TransportError, match=r"reset|disconnected"):
        httpx2.post(f"{url}/chat/completions", json={"model": "m", "messages": ASK}, timeout=30)


def test_a_port_in_use_is_one_clear_error() -> None:
    with (
        Sandbox.start() as first,
        pytest.raises(SandboxPortError, match=f"port {first.port} on 127.0.0.1 is in use: choose another"),
    ):
        Sandbox.start(port=first.port)


def test_a_port_that_does_not_exist_is_one_clear_error() -> None:
    with pytest.raises(SandboxPortError, match="port 70000 does not exist"):
        Sandbox.start(port=70_000)


def test_a_wanted_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
    with Sandbox.start(port=free) as sandbox:
        assert sandbox.port == free


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_latency_follows_the_model(*, stream: bool) -> None:
    with Sandbox.start(latency=Latency(first_token=0.03, per_token=0.0005)) as sandbox:
        assert _seconds(sandbox, CHEAP, stream=stream) >= 0.03
        assert _seconds(sandbox, PREMIUM, stream=stream) >= 0.09


def _seconds(sandbox: Sandbox, model: str, *, stream: bool) -> float:
    before = time.monotonic()
    httpx2.post(f"{sandbox.url}/chat/completions", json={"model": model, "messages": ASK, "stream": stream})
    return time.monotonic() - before


def test_many_connections_at_once_are_served(sandbox: Sandbox) -> None:
    codes: list[int] = []

    def ask() -> None:
        with httpx2.Client(base_url=sandbox.url, timeout=20) as http:
            answers = (http.post("/chat/completions", json={"model": "m", "messages": ASK}) for _ in range(5))
            codes.extend(answer.status_code for answer in answers)

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert codes == [200] * 50
    assert len(sandbox.requests) == 50


def test_all_names_what_there_is() -> None:
    assert serving.sandbox.__all__ == sorted(serving.sandbox.__all__)
    assert all(hasattr(serving.sandbox, name) for name in serving.sandbox.__all__)

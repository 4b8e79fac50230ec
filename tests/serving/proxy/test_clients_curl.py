"""curl as a client: what a newcomer types, and what goes wrong."""

# ruff: noqa: S603 - the only program started here is curl

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.serving.conftest import ASK_CHEAP
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running, bearer

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")

JSON = ("-H", "content-type: application/json")
ASK = json.dumps({"model": "auto", "messages": ASK_CHEAP})


def curl(url: str, *arguments: str) -> tuple[int, dict[str, str], str]:
    """Return status, headers (names in lower case) and body."""
    command = ["curl", "-sSiN", "--noproxy", "*", "--max-time", f"{PATIENCE:g}", *arguments, url]
    done = subprocess.run(command, capture_output=True, check=True)
    head, _, body = done.stdout.decode().rpartition("\r\n\r\n")
    *_, head = head.split("\r\n\r\n")  # after a 100 Continue
    first, *lines = head.split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, _, value in pairs}, body


def refusal(found: tuple[int, dict[str, str], str]) -> tuple[int, str]:
    status, headers, body = found
    assert headers["content-type"] == "application/json"
    error: dict[str, Any] = json.loads(body)["error"]
    assert error["message"]
    return status, error["code"]


def test_a_whole_answer_comes_with_what_happened(running: Running) -> None:
    status, headers, body = curl(f"{running.url}/chat/completions", *JSON, "-d", ASK)
    assert status == 200
    assert json.loads(body)["choices"][0]["finish_reason"] == "stop"
    assert headers["x-tierwise-tier"] == "cheap"
    assert float(headers["x-tierwise-cost-usd"]) > 0


def test_a_stream_is_server_sent_events(running: Running) -> None:
    ask = ASK[:-1] + ', "stream": true}'
    status, headers, body = curl(f"{running.url}/chat/completions", *JSON, "-d", ask)
    assert (status, headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    events = body.removesuffix("\n\n").split("\n\n")
    assert len(events) > 5
    assert events[-1] == "data: [DONE]"
    assert "x-tierwise-cost-usd" not in headers


def test_http_1_0_and_a_head_without_body_are_answered(running: Running) -> None:
    assert curl(f"{running.url}/chat/completions", "-0", *JSON, "-d", ASK)[0] == 200
    assert curl(f"{running.root}/healthz")[0] == 200
    assert curl(f"{running.url}/models")[0] == 200


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((*JSON, "-d", '{"model": "auto", '), (400, "invalid_json")),
        ((*JSON, "-d", "[]"), (400, "invalid_json")),
        ((*JSON, "-d", "{}"), (400, "invalid_type")),
        (("-d", ASK), (415, "unsupported_media_type")),
        (("-X", "PUT", *JSON, "-d", ASK), (405, "method_not_allowed")),
        ((), (405, "method_not_allowed")),
        (("-H", "host: evil.example", *JSON, "-d", ASK), (403, "host_not_allowed")),
    ],
    ids=["cut off", "list", "empty object", "a form", "PUT", "GET", "another host"],
)
def test_what_is_typed_wrongly_is_told(
    running: Running, arguments: tuple[str, ...], expected: tuple[int, str]
) -> None:
    assert refusal(curl(f"{running.url}/chat/completions", *arguments)) == expected


def test_an_unknown_path_is_told(running: Running) -> None:
    assert refusal(curl(f"{running.root}/chat/completions", *JSON, "-d", ASK)) == (404, "unknown_path")


def test_keys_are_asked_for_and_checked(running: Running) -> None:
    issued = running.create_key()
    good = bearer(issued)["authorization"]
    wrong = good[:-1] + ("a" if good[-1] != "a" else "b")
    url = f"{running.url}/chat/completions"
    found = curl(url, *JSON, "-d", ASK)
    assert refusal(found) == (401, "invalid_api_key")
    assert found[1]["www-authenticate"] == "Bearer"
    assert refusal(curl(url, *JSON, "-H", f"authorization: {wrong}", "-d", ASK)) == (401, "invalid_api_key")
    assert refusal(curl(url, *JSON, "-H", "authorization: Basic YTpi", "-d", ASK))[0] == 401
    assert curl(url, *JSON, "-H", f"authorization: {good}", "-d", ASK)[0] == 200


def test_a_large_file_is_refused_before_it_is_sent(proxy: MakeProxy, tmp_path: Path) -> None:
    running = proxy(serve={"proxy": {"max_body_bytes": 100_000}})
    (tmp_path / "large.json").write_bytes(b" " * 5_000_000)
    found = curl(f"{running.url}/chat/completions", *JSON, "--data-binary", f"@{tmp_path / 'large.json'}")
    assert refusal(found) == (413, "body_too_large")
    chunked = curl(
        f"{running.url}/chat/completions",
        *JSON,
        "-H",
        "transfer-encoding: chunked",
        "--data-binary",
        f"@{tmp_path / 'large.json'}",
    )
    assert refusal(chunked) == (413, "body_too_large")

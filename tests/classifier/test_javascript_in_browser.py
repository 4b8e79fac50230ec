"""The JavaScript predictor in a real Chromium, the one that Debian packages.

The page stands where gateways' own pages do: on plain HTTP under a name that is not localhost, where browsers
withhold WebCrypto, and under a content security policy that allows nothing from outside.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import classifier
from tests.classifier.javascript import assert_agrees
from tests.classifier.vectors import FILE, read_vectors

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = shutil.which("chromium")
PACKAGE = Path(classifier.__file__).parent
FILES = {
    "/": ("text/html", b"<!doctype html><title>A gateway</title>"),
    "/tierwise.js": ("text/javascript", (PACKAGE / "javascript" / "tierwise.js").read_bytes()),
    "/default.tierwise": ("application/octet-stream", (PACKAGE / "default.tierwise").read_bytes()),
    "/vectors.jsonl": ("application/jsonl", FILE.read_bytes()),
}
POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"
HOST = "gateway.test"
IN_THE_PAGE = """
async () => {
  const { TierPredictor } = await import("/tierwise.js");
  const predictor = await TierPredictor.load("/default.tierwise");
  const told = (error) => error.name + ": " + error.message;
  const missing = await TierPredictor.load("/no.tierwise").catch(told);
  const text = await (await fetch("/vectors.jsonl")).text();
  const lines = text.trim().split("\\n").map((line) => JSON.parse(line));
  const answers = lines.map(({ prompt, times }) => {
    const whole = times === undefined ? prompt : prompt.repeat(times);
    return { decision: predictor.decide(whole), explanation: predictor.explain(whole) };
  });
  return JSON.stringify({ answers, missing, isSecure: isSecureContext });  // as text: it escapes surrogates
}
"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")


class Site(BaseHTTPRequestHandler):
    """Answers with a few files from memory."""

    def __init__(self, files: Mapping[str, tuple[str, bytes]], *arguments: Any) -> None:
        self.files = files
        super().__init__(*arguments)

    def do_GET(self) -> None:
        kind, content = self.files.get(self.path, ("text/plain", b""))
        self.send_response(200 if self.path in self.files else 404)
        self.send_header("content-type", kind)
        self.send_header("content-security-policy", POLICY)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Site, FILES)) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def seen(port: int) -> dict[str, Any]:
    flags = ["--no-sandbox", "--disable-gpu", f"--host-resolver-rules=MAP {HOST} 127.0.0.1"]
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = browser.new_page()
        page.goto(f"http://{HOST}:{port}/")
        found: dict[str, Any] = json.loads(page.evaluate(IN_THE_PAGE))
        browser.close()
    return found


def test_it_agrees_on_every_vector(seen: dict[str, Any]) -> None:
    for vector, answer in zip(read_vectors(), seen["answers"], strict=True):
        assert_agrees(vector, answer)


def test_it_needs_no_secure_context(seen: dict[str, Any]) -> None:
    assert seen["isSecure"] is False


def test_a_file_that_is_not_there_is_missing(seen: dict[str, Any]) -> None:
    assert seen["missing"] == "ModelFileMissing: /no.tierwise: the server answered 404"

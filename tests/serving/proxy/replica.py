"""Proxies in processes of their own that can be killed, clients that tell what they heard, and the books."""

# ruff: noqa: S603 - the only program started here is our own

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from classifier import Tier
from serving import RouterConfig
from serving.sandbox import Sandbox
from serving.sandbox.chat import chat_reply
from serving.spending.budget_terms import Standing
from serving.spending.ledger_row import LedgerRow
from serving.state import State
from tests.serving.conftest import ENVIRON

PATIENCE = 60.0
PREMIUM_PRICE = 2.5  # micro-dollars a token, in and out
MOST_TOKENS = 60  # of an answer

Place = tuple[str, str]  # a model, and what tells its prompt apart


@dataclass
class Replica:
    """A proxy process."""

    folder: Path
    arguments: Sequence[str]
    log: Path
    popen: subprocess.Popen[bytes]
    url: str = ""

    @classmethod
    def launch(cls, folder: Path, settings: str, model_file: Path) -> "Replica":
        """Start one in a folder, with a journal of that folder; it listens when `ready` has returned."""
        config = folder / "proxy.toml"
        config.write_text(settings)
        arguments = [sys.executable, "-m", "serving", "serve", "--config", f"{config}"]
        arguments += ["--model-file", f"{model_file}", "--port", "0"]
        return cls(folder, arguments, folder / "log.txt", _begun(arguments, folder / "log.txt"))

    def ready(self) -> "Replica":
        until = time.monotonic() + PATIENCE
        while (found := re.search(r"listening on (\S+),", self.log.read_text())) is None:
            assert self.popen.poll() is None, self.log.read_text()
            assert time.monotonic() < until
            time.sleep(0.02)
        self.url = found[1]
        return self

    def again(self) -> "Replica":
        """Start anew, after it was killed or stopped."""
        self.popen = _begun(self.arguments, self.log)
        return self.ready()

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait(PATIENCE)

    def stop(self) -> None:
        """End in order: all rows are written, or wait in the journal."""
        self.popen.send_signal(signal.SIGTERM)
        assert self.popen.wait(PATIENCE) == 0, self.log.read_text()


def _begun(arguments: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(arguments, env={**os.environ, **ENVIRON}, stdout=output, stderr=output)


@contextmanager
def replicas(
    folder: Path, model_file: Path, *, upstream: str, database: str, cap: int, count: int = 1
) -> Iterator[list[Replica]]:
    """Start proxies on one database, each with a journal of its own; none is left at the end.

    Args:
        folder: for their files.
        model_file: who decides.
        upstream: its base URL.
        database: migrated.
        cap: micro-dollars of premium a day.
        count: of processes.
    """
    started: list[Replica] = []
    try:
        for number in range(count):
            own = folder / f"{number}"
            own.mkdir()
            state = f'[state]\nurl = {json.dumps(database)}\njournal = "{own / "journal"}"\n'
            budgets = f"[budgets]\npremium_usd_per_day = {cap / 1e6}\n[pacing]\nenabled = false\n"
            started.append(Replica.launch(own, f'base_url = "{upstream}"\n{state}{budgets}', model_file))
        yield [each.ready() for each in started]
    finally:
        for each in started:
            each.kill()


@dataclass(frozen=True)
class Heard:
    """What came of a request, to its client.

    Attributes:
        marker: tells its prompt apart.
        status: of the response; None when the connection broke before there was one.
        whole: whether the answer, or the error, came to its end.
        words: the answer's bytes.
        headers: of the response.
    """

    marker: str
    status: int | None
    whole: bool
    words: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def model(self) -> str | None:
        return self.headers.get("x-tierwise-model")

    @property
    def is_clear(self) -> bool:
        """Whether it is a whole answer, or an error in the API's form."""
        if not self.whole or self.status is None:
            return False
        if self.status == 200 and b"data: " in self.words:
            return self.words.endswith(b"data: [DONE]\n\n") or b'"stream_broken"' in self.words
        if self.status == 200:
            return bool(json.loads(self.words)["choices"])
        return bool(json.loads(self.words)["error"]["message"])


def body_of(marker: str, *, model: str = "auto", stream: bool = False) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"Please prove it: {marker}"}]
    return {"model": model, "messages": messages, "max_tokens": MOST_TOKENS, "stream": stream}


async def ask(
    client: httpx2.AsyncClient, url: str, body: Mapping[str, Any], *, leave_after: int = -1
) -> Heard:
    """Ask, and read the answer: all of it, or so many pieces."""
    marker = body["messages"][0]["content"].rpartition(" ")[2]
    words, status, headers = b"", None, {}
    request = client.stream(
        "POST", f"{url}/chat/completions", json=body, headers={"x-tierwise-session": marker}
    )
    try:
        async with request as response:
            status, headers = response.status_code, dict(response.headers)
            async for piece in response.aiter_raw():
                words += piece
                leave_after -= 1
                if leave_after == 0:
                    return Heard(marker, status, False, words, headers)
    except httpx2.HTTPError:
        return Heard(marker, status, False, words, headers)
    return Heard(marker, status, True, words, headers)


def client() -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=200)
    return httpx2.AsyncClient(timeout=PATIENCE, trust_env=False, limits=limits)


async def ask_all(urls: Sequence[str], bodies: Iterable[Mapping[str, Any]]) -> list[Heard]:
    """Ask everything at once, of the proxies in turn."""
    async with client() as shared:
        tasks = [ask(shared, urls[number % len(urls)], body) for number, body in enumerate(bodies)]
        return await asyncio.gather(*tasks)


async def until_seen(upstream: Sandbox, count: int) -> None:
    until = time.monotonic() + PATIENCE
    while len(upstream.requests) < count:
        assert time.monotonic() < until
        await asyncio.sleep(0.01)


async def until_asked(upstream: Sandbox, marker: str) -> None:
    until = time.monotonic() + PATIENCE
    while marker not in {seen for _, seen in seen_by(upstream)}:
        assert time.monotonic() < until
        await asyncio.sleep(0.01)


def seen_by(upstream: Sandbox) -> Counter[Place]:
    """What the upstream was asked for."""
    bodies: list[Any] = [each.body for each in upstream.requests]
    return Counter((body["model"], _marker(body)) for body in bodies)


def billed_by(upstream: Sandbox) -> float:
    """What the upstream bills for premium, in micro-dollars: all that was asked for, heard or not."""
    premium = RouterConfig().tier(Tier.PREMIUM).model
    bodies: list[Any] = [each.body for each in upstream.requests]
    usages = [chat_reply(body, 0.0).usage for body in bodies if body["model"] == premium]
    return sum(usage["total_tokens"] * PREMIUM_PRICE for usage in usages)


def _marker(body: Any) -> str:
    return str(body["messages"][0]["content"].rpartition(" ")[2])


@dataclass(frozen=True)
class Books:
    """What the database says once every process has ended."""

    rows: list[LedgerRow]
    premium: Standing

    @classmethod
    def of(cls, url: str, *, orphans: bool = True) -> "Books":
        """Read them; with `orphans`, once what dead processes held was charged."""
        with State.open(url) as state:
            state.budgets.charge_orphans(time.time() + 3600 if orphans else 0.0)
            with state.database.reading() as connection:
                days = connection.exec_driver_sql("SELECT DISTINCT day FROM tierwise_budgets").scalars().all()
            assert len(days) == 1, "midnight came: run it again"
            return cls(list(state.ledger.rows(0, 1e12)), state.budgets.standing(days[0])[0])

    @property
    def entered(self) -> Counter[Place]:
        return Counter((row.model, f"{row.session}") for row in self.rows)

    def outcomes(self, *places: Place) -> set[str]:
        return {row.outcome.value for row in self.rows if (row.model, row.session) in places}


def assert_books_balance(books: Books, upstream: Sandbox, cap: int) -> None:
    """No cap exceeded, by the upstream's own count; every call that it saw in the ledger, exactly once."""
    billed = billed_by(upstream)
    told = f"{billed} micro-dollars billed, {books.premium}"
    assert billed <= cap, f"the cap is exceeded: {told}"
    assert billed <= books.premium.spent <= cap, f"the books do not hold what was billed: {told}"
    assert (books.premium.reserved, books.premium.overrun) == (0, 0), told
    seen, entered = seen_by(upstream), books.entered
    assert seen - entered == Counter(), "the upstream saw what the ledger does not know"
    never_sent = entered - seen
    assert books.outcomes(*never_sent) <= {"unknown", "cancelled", "failed"}
    assert max(entered.values()) == 1, "a row is doubled"

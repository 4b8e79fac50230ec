"""The client of the upstream: before servers that say exactly these bytes."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from shutil import which

import pytest
from httpx2 import create_ssl_context

from serving.proxy.wire import BrokenConnectionError, NeverSentError, Reply, WireClient

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PLAIN = b"HTTP/1.1 200 OK\r\nX-One: 1\r\ncontent-length: 6\r\n\r\nanswer"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nans\r\n3;x=y\r\nwer\r\n0\r\nx-late: 1\r\n\r\n"
)
TO_THE_END = b"HTTP/1.1 200 OK\r\n\r\nanswer"
HINTED = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + PLAIN
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
HEADERS = (
    ("content-type", "application/json"),
    ("accept", "*/*"),
    ("accept-encoding", "identity"),
    ("user-agent", "tierwise"),
)
SENT = [f"{name}: {value}".encode() for name, value in HEADERS]


class Upstream:
    """A server of a test: what it received, and how many connections it had."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[bytes] = []
        self.connections = 0
        self.left = 0


@asynccontextmanager
async def serving(
    *answers: bytes, cut: int = 0, stays: bool = True, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Upstream]:
    """Answer each request with the next of the answers, whole or in pieces, and hang up unless it `stays`."""
    upstream, left = Upstream(""), list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream.connections += 1
        while request := await reader.read(100_000):
            upstream.requests.append(request)
            answer = left.pop(0) if left else b""
            for at in range(0, len(answer), cut or 2**30):
                writer.write(answer[at : at + (cut or 2**30)])
                await asyncio.sleep(0)
            if not stays:
                break
        upstream.left += 1

    async with listening(serve, tls) as port:
        upstream.url = f"http{'s' if tls else ''}://127.0.0.1:{port}/v1/x?y=z"
        yield upstream


@asynccontextmanager
async def listening(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def kept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            await serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(kept, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.2 if tls else 0.01)  # a handshake that failed is taken apart a few turns later


@asynccontextmanager
async def client(
    tls: Callable[[], ssl.SSLContext] = create_ssl_context, idle_seconds: float = 60.0
) -> AsyncIterator[WireClient]:
    made = WireClient(tls, idle_seconds=idle_seconds)
    try:
        yield made
    finally:
        await made.aclose()


async def ask(client: WireClient, url: str, body: bytes = b"body") -> tuple[int, bytes]:
    reply = await client.send("POST", url, HEADERS, body, connect_seconds=5.0)
    return reply.status, await body_of(reply)


async def body_of(reply: Reply) -> bytes:
    pieces = []
    try:
        while piece := await reply.piece():
            pieces.append(piece)
    finally:
        reply.close()
    return b"".join(pieces)


async def test_a_request_leaves_in_one_piece_and_its_connection_is_used_again() -> None:
    async with serving(PLAIN, CHUNKED, EMPTY, PLAIN) as upstream, client() as ours:
        found = [await ask(ours, upstream.url) for _ in range(4)]
    assert found == [(200, b"answer"), (200, b"answer"), (204, b""), (200, b"answer")]
    host = upstream.url.split("/")[2].encode()
    for request in upstream.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *fields = head.lower().split(b"\r\n")
        assert first == b"post /v1/x?y=z http/1.1"
        assert sorted(fields) == sorted([b"host: %b" % host, b"content-length: 4", *SENT])
        assert body == b"body"
    assert upstream.connections == 1


async def test_headers_are_told_in_lower_case_without_those_of_interim_answers() -> None:
    async with serving(HINTED) as upstream, client() as ours:
        reply = await ours.send("GET", upstream.url, ())
        reply.close()
    assert reply.headers == (("x-one", "1"), ("content-length", "6"))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        PLAIN[:-1],
        CHUNKED[:-20],
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnone\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000,
    ],
    ids=["nothing", "head", "length", "chunk", "ssh", "negative", "hex", "endless head"],
)
async def test_what_breaks_off_or_is_no_http_is_told_as_broken(answer: bytes) -> None:
    async with serving(answer, stays=False) as upstream, client() as ours:
        with pytest.raises(BrokenConnectionError, match=r"\w"):
            await ask(ours, upstream.url)


async def test_what_came_before_a_break_is_given_out_first() -> None:
    async with serving(PLAIN[:-1], stays=False) as upstream, client() as ours:
        reply = await ours.send("GET", upstream.url, ())
        assert await reply.piece() == b"answe"
        with pytest.raises(BrokenConnectionError):
            await reply.piece()
        reply.close()
        assert await reply.piece() == b""


async def test_a_body_that_stops_being_http_is_told_as_broken_at_once() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100_000)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nans\r\n")
        await asyncio.sleep(0.05)
        writer.write(b"no length\r\n")
        await asyncio.sleep(60)

    async with listening(serve) as port, client() as ours, asyncio.timeout(5):
        reply = await ours.send("GET", f"http://127.0.0.1:{port}/", ())
        assert await reply.piece() == b"ans"
        with pytest.raises(BrokenConnectionError, match=r"\w"):
            await reply.piece()
        reply.close()


@pytest.mark.parametrize(
    "answer",
    [
        PLAIN.replace(b"X-One: 1", b"connection: close"),
        PLAIN.replace(b"1.1", b"1.0"),
        PLAIN + PLAIN,
        TO_THE_END,
    ],
    ids=["close", "1.0", "twice", "to the end"],
)
async def test_a_connection_that_may_not_be_used_again_is_not(answer: bytes) -> None:
    async with serving(answer, PLAIN, stays=answer is not TO_THE_END) as upstream, client() as ours:
        for _ in range(2):
            assert await ask(ours, upstream.url) == (200, b"answer")
    assert upstream.connections == 2


async def test_a_connection_that_the_upstream_closed_while_idle_is_not_used() -> None:
    async with serving(PLAIN, PLAIN, stays=False) as upstream, client() as ours:
        assert await ask(ours, upstream.url) == (200, b"answer")
        await asyncio.sleep(0.05)
        assert await ask(ours, upstream.url) == (200, b"answer")
    assert upstream.connections == 2


async def test_an_idle_connection_that_nobody_needs_is_closed_in_time() -> None:
    async with serving(PLAIN) as upstream, client(idle_seconds=0.05) as ours:
        await ask(ours, upstream.url)
        assert upstream.left == 0
        await asyncio.sleep(0.2)
        assert upstream.left == 1


async def test_an_answer_that_is_not_read_to_its_end_costs_its_connection() -> None:
    async with serving(PLAIN[:-1], PLAIN) as upstream, client() as ours:
        reply = await ours.send("GET", upstream.url, ())
        reply.close()
        reply.close()
        assert await ask(ours, upstream.url) == (200, b"answer")
    assert upstream.connections == 2


async def test_who_is_cancelled_leaves_no_connection_behind() -> None:
    async with serving(b"") as upstream, client() as ours:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await ask(ours, upstream.url)
        await asyncio.sleep(0.05)
        assert upstream.left == 1


async def test_no_more_of_a_body_is_taken_in_than_is_read() -> None:
    body, sent = b"x" * 65_536, 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.read(1000)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (len(body) * 1000))
        for _ in range(1000):
            writer.write(body)
            await writer.drain()
            sent += 1

    async with listening(serve) as port, client() as ours:
        reply = await ours.send("GET", f"http://127.0.0.1:{port}/", ())
        await asyncio.sleep(0.2)
        assert sent < 500
        assert len(await body_of(reply)) == len(body) * 1000


async def test_a_connection_that_cannot_be_had_was_never_sent_anything() -> None:
    async with client() as ours:
        with pytest.raises(NeverSentError):
            await ask(ours, "http://127.0.0.1:9/")
        with pytest.raises(NeverSentError):
            await ask(ours, f"http://{'a' * 70}.invalid/")


async def test_a_connection_that_does_not_come_in_time_was_never_sent_anything() -> None:
    async with serving(b"") as silent, client() as ours:
        with pytest.raises(NeverSentError, match=r"[Tt]imeout") as raised:
            await ours.send("GET", silent.url.replace("http:", "https:"), (), connect_seconds=0.1)
    assert isinstance(raised.value.__cause__, TimeoutError)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that nobody has signed, with its key."""
    if which("openssl") is None:
        pytest.skip("openssl is needed to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test"
    options = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*command.split(), *options], cwd=folder, check=True, capture_output=True)  # noqa: S603
    both = folder / "both.pem"
    both.write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
    return both


def known(certificate: Path) -> Callable[[], ssl.SSLContext]:
    return lambda: ssl.create_default_context(cafile=str(certificate))


def of_server(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_certificates_are_checked(certificate: Path) -> None:
    async with serving(PLAIN, CHUNKED, tls=of_server(certificate)) as upstream:
        async with client(known(certificate)) as ours:
            assert [await ask(ours, upstream.url) for _ in range(2)] == [(200, b"answer")] * 2
        assert upstream.connections == 1
        async with client() as strict:
            with pytest.raises(NeverSentError, match="CERTIFICATE_VERIFY_FAILED"):
                await ask(strict, upstream.url)
    assert len(upstream.requests) == 2


async def test_the_file_of_certificates_is_as_the_environment_names_it(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with serving(PLAIN, tls=of_server(certificate)) as upstream, client() as ours:
        assert await ask(ours, upstream.url) == (200, b"answer")


async def test_a_plain_upstream_is_asked_for_by_its_whole_url_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving(PLAIN) as proxy, client() as ours:
        place = proxy.url.split("/")[2]
        monkeypatch.setenv("http_proxy", f"http://me:p%40ss@{place}")
        assert await ask(ours, "http://upstream.invalid/v1") == (200, b"answer")
    assert proxy.requests[0].startswith(b"POST http://upstream.invalid/v1 HTTP/1.1\r\n")
    assert b"basic bwu6cebzcw==" in proxy.requests[0].lower()


async def test_a_host_that_the_environment_spares_is_asked_without_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with serving(PLAIN) as upstream, client() as ours:
        assert await ask(ours, upstream.url) == (200, b"answer")


async def test_what_stands_in_the_users_netrc_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password pw\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    async with serving(PLAIN) as upstream, client() as ours:
        assert await ask(ours, upstream.url) == (200, b"answer")
    assert b"authorization" not in upstream.requests[0].lower()


async def test_a_secure_upstream_is_reached_through_a_tunnel(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads: list[bytes] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(10_000):
            writer.write(data)
        writer.close()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        host, _, port = heads[0].split(b" ")[1].decode().rpartition(":")
        there, back = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(pump(reader, back), pump(there, writer))
        finally:
            back.close()

    async with serving(PLAIN, PLAIN, tls=of_server(certificate)) as upstream, listening(lead) as port:
        monkeypatch.setenv("https_proxy", f"http://me:pw@127.0.0.1:{port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with client(known(certificate)) as ours:
            assert [await ask(ours, upstream.url) for _ in range(2)] == [(200, b"answer")] * 2
    place = upstream.url.split("/")[2].encode()
    assert heads[0].startswith(b"CONNECT %b HTTP/1.1\r\n" % place)
    assert b"basic bwu6chc=" in heads[0].lower()
    assert upstream.requests[0].startswith(b"POST /v1/x?y=z HTTP/1.1\r\n")


async def test_a_proxy_that_refuses_was_never_sent_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n"
    async with serving(refusal) as proxy, client() as ours:
        monkeypatch.setenv("https_proxy", proxy.url)
        with pytest.raises(NeverSentError, match="407"):
            await ask(ours, "https://upstream.invalid/v1")


async def test_why_there_is_no_connection_is_told_without_the_address() -> None:
    async with client() as ours:
        with pytest.raises(NeverSentError, match=r"^Connection refused$"):
            await ask(ours, "http://127.0.0.1:9/")
        with pytest.raises(NeverSentError, match=r"^the host's name is not known$"):
            await ask(ours, "http://no-such-host.invalid/")

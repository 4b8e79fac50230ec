"""An upstream of nothing but canned bytes, in a process of its own: the sandbox would be the bottleneck.

Prints its URL, and ends when standard input does.
"""

import asyncio
import json
import sys
from typing import cast

__all__ = ["TOKENS", "Canned", "serve"]

TOKENS = 40  # of an answer
_USAGE: dict[str, object] = {"prompt_tokens": 20, "completion_tokens": TOKENS, "total_tokens": 20 + TOKENS}
_SAME: dict[str, object] = {"id": "chatcmpl-1", "created": 1, "model": "canned"}


def _whole() -> bytes:
    choice: dict[str, object] = {
        "index": 0,
        "message": {"role": "assistant", "content": "canned " * TOKENS},
        "finish_reason": "stop",
    }
    body = json.dumps({**_SAME, "object": "chat.completion", "choices": [choice], "usage": _USAGE}).encode()
    return _head("application/json") + b"content-length: %d\r\n\r\n" % len(body) + body


def _stream() -> bytes:
    deltas = [{"role": "assistant", "content": ""}, *[{"content": "canned "}] * TOKENS]
    choices: list[list[dict[str, object]]] = [
        [{"index": 0, "delta": delta, "finish_reason": None}] for delta in deltas
    ]
    choices.append([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    chunks = [{**_SAME, "object": "chat.completion.chunk", "choices": each} for each in choices]
    chunks.append({**_SAME, "object": "chat.completion.chunk", "choices": [], "usage": _USAGE})
    data = (
        b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
    )
    pieces = [data[: len(data) // 2], data[len(data) // 2 :]]
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    return _head("text/event-stream") + b"transfer-encoding: chunked\r\n\r\n" + body


def _head(content_type: str) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\n" % content_type.encode()


class Canned(asyncio.Protocol):
    """Answers each POST: with the stream where its body asks for one."""

    whole, stream = _whole(), _stream()

    def __init__(self) -> None:
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take in bytes, and answer a request that is whole."""
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if not end or len(body) < int(length or b"0"):
            return
        self._data = b""
        self.answer(streamed=b'"stream":true' in body.replace(b" ", b""))

    def answer(self, *, streamed: bool) -> None:
        """Answer a request."""
        self.transport.write(self.stream if streamed else self.whole)


async def serve(protocol: type[Canned]) -> None:
    """Serve on loopback, print the URL, and end with standard input."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(Canned))

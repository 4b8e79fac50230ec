"""The canned upstream with faults: one request in fifty fails, breaks off, or is not HTTP.

Prints its URL, and ends when standard input does.
"""

import asyncio
from itertools import count

from tests.benchmarks.proxy_upstream import Canned, serve

_FAULTS = (
    b"HTTP/1.1 500 Sorry\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 429 Slowly\r\ncontent-length: 2\r\n\r\n{}",
    b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n{"a":',
    b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort",
    b"no HTTP at all\r\n\r\n",
    b"",
)
_EVERY = 50


class Faulty(Canned):
    """Answers as the canned upstream, but for one request in fifty, whose connection ends."""

    _requests = count(1)

    def answer(self, *, streamed: bool) -> None:
        """Answer, or fail in one way after the other."""
        number = next(self._requests)
        if number % _EVERY:
            super().answer(streamed=streamed)
            return
        kind = number // _EVERY % (len(_FAULTS) + 1)
        self.transport.write(
            self.stream[: len(self.stream) * 2 // 3] if kind == len(_FAULTS) else _FAULTS[kind]
        )
        self.transport.close()


if __name__ == "__main__":
    asyncio.run(serve(Faulty))

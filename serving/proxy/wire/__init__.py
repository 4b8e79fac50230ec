"""HTTP/1.1 to the upstream: the parser that the server uses too, on asyncio itself.

A general client costs a proxy as much as all that it does with a request itself. This one does little: bodies
as they come, no redirects, no cookies, no decompression; and it tells for sure whether anything of a request
was sent, which the budgets rest on.
"""

from serving.proxy.wire.client import WireClient
from serving.proxy.wire.exchange import BrokenConnectionError, NeverSentError, Reply, WireError
from serving.proxy.wire.routes import Routes

__all__ = ["BrokenConnectionError", "NeverSentError", "Reply", "Routes", "WireClient", "WireError"]

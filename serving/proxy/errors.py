"""What the proxy itself refuses, in the words and the form of the OpenAI API."""

import json
from collections.abc import Sequence

from serving.errors import ServingError

__all__ = ["ProxyError", "bad_request"]

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    429: "rate_limit_error",
    502: "upstream_error",
    503: "unavailable_error",
    504: "timeout_error",
}


class ProxyError(ServingError):
    """A request is refused, or got no answer.

    Attributes:
        status: of the response.
        code: the machine-readable name of what is wrong.
        param: the key of the body that is wrong, or None.
        headers: of the response, beside the usual ones.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Word the refusal; the message is for people, names what is wrong and says what would be right."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.headers = tuple(headers)

    @property
    def body(self) -> bytes:
        """The error object."""
        kind = _TYPES.get(self.status, "server_error")
        error = {"message": f"{self}", "type": kind, "param": self.param, "code": self.code}
        return json.dumps({"error": error}).encode()


def bad_request(message: str, param: str | None = None, code: str = "invalid_request") -> ProxyError:
    """Return the refusal of a request that breaks the API's rules."""
    return ProxyError(400, code, message, param=param)

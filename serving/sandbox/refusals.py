"""The answer to a request that the upstream turns down, in the OpenAI wire format."""

from dataclasses import dataclass, field

from serving.sandbox.replies import dumps

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A status with an error body.

    Attributes:
        status: an HTTP status code, 400-599.
        message: what was wrong, for a person.
        code: the machine-readable name of the error, or None.
        headers: further response headers.
    """

    status: int
    message: str
    code: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=())

    @property
    def body(self) -> bytes:
        """The JSON error object."""
        kind = _KINDS.get(self.status, "server_error")
        return dumps({"error": {"message": self.message, "type": kind, "param": None, "code": self.code}})


class RefusedError(Exception):
    """Raised while a request is read, to answer it with a refusal."""

    def __init__(self, refusal: Refusal) -> None:
        """Keep the refusal that is to be sent."""
        super().__init__(refusal.message)
        self.refusal = refusal


def bad_request(message: str) -> RefusedError:
    """Return the error for a request that breaks the API's rules."""
    return RefusedError(Refusal(400, message))

"""What can go wrong in serving.

ServingError
├── ConfigError          a setting is wrong, or stands where it does not belong (also a ValueError)
├── KeyMissingError      a key that the call needs is not in the environment, or cannot be a key
├── LabellingError       prompts cannot be labelled, or not further (see serving.labelling.errors)
├── ProxyError           the proxy refuses a request, or has no answer to it (see serving.proxy.errors)
├── RoutingMissingError  an object that came from no router was asked for its record (also a TypeError)
├── StateError           keys, ledger or budgets cannot be kept as asked
│   ├── StateUnavailableError  the database cannot be reached, is locked or cannot be written; later it may
│   └── SchemaOutdatedError    the database has another schema than this version of Tierwise
└── ChainFailedError     no model of a chain answered, or may be asked now (also the SDK's APIError)

What the caller did wrong (status 400, 401, 403, 422) and the failure of a model that the caller named surface
as the SDK's own exceptions, with the record of the call as their attribute `routing`.
"""

import math
from typing import TYPE_CHECKING

from serving.upstream import APIError

if TYPE_CHECKING:
    from serving.routing import Routing
    from serving.upstream import Request

__all__ = [
    "ChainFailedError",
    "ConfigError",
    "KeyMissingError",
    "LabellingError",
    "RoutingMissingError",
    "SchemaOutdatedError",
    "ServingError",
    "StateError",
    "StateUnavailableError",
]


class ServingError(Exception):
    """Root of everything that this package raises on purpose."""


class ConfigError(ServingError, ValueError):
    """A setting is missing, unknown or out of range; the message names the file, the key and the remedy."""


class KeyMissingError(ServingError):
    """A key is not in the environment, or what is there cannot be a key; the message names the variable."""


class LabellingError(ServingError):
    """Prompts cannot be labelled, or not further; the message says why and how to go on."""


class RoutingMissingError(ServingError, TypeError):
    """The object carries no routing record: it did not come from a TierRouter."""


class StateError(ServingError):
    """Keys, ledger or budgets cannot be kept as asked; the message never holds a password."""


class StateUnavailableError(StateError):
    """The database does not answer in time, or cannot be read or written now; trying again later may help."""


class SchemaOutdatedError(StateError):
    """The database's schema is not the one of this version; the message tells the command that helps."""


class ChainFailedError(ServingError, APIError):
    """Every model of the chain failed, or may not be asked now; the message tells each.

    The chain of a model that the caller named is that model alone: it fails this way, without an attempt,
    while its circuit is open or its channel's requests of the minute are spent.

    An `openai.APIError` too, so that code written for the SDK's client catches it where it caught those.

    Attributes:
        routing: the record of the call; its `attempts` and `skipped` say what was tried and what was not.
        retry_after: seconds until the first of the models may be asked again; None where one may be at once.
        rate_limited: whether limits of requests alone stand between the caller and an answer.
    """

    routing: "Routing"

    def __init__(
        self,
        routing: "Routing",
        request: "Request",
        retry_after: float | None = None,
        *,
        rate_limited: bool = False,
    ) -> None:
        """Word the failure.

        Args:
            routing: the record, complete.
            request: the last request that went out.
            retry_after: seconds until the first of the models may be asked again, or None.
            rate_limited: whether limits of requests are all that is in the way.
        """
        again = "" if retry_after is None else f"; ask again in {math.ceil(retry_after)} s"
        super().__init__(routing.failure() + again, request, body=None)
        self.routing = routing
        self.retry_after = retry_after
        self.rate_limited = rate_limited

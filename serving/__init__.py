"""How a request gets its answer: a router that is a drop-in for the OpenAI client."""

from serving.answer import Answer
from serving.async_router import AsyncTierRouter
from serving.config import RouterConfig
from serving.cost import Cost, Price, Tokens
from serving.errors import (
    ChainFailedError,
    ConfigError,
    KeyMissingError,
    LabellingError,
    RoutingMissingError,
    SchemaOutdatedError,
    ServingError,
    StateError,
    StateUnavailableError,
)
from serving.keys import Channel, Keys
from serving.router import TierRouter
from serving.routing import Attempt, Latency, Routing, routing_of
from serving.summary import Summary

__all__ = [
    "Answer",
    "AsyncTierRouter",
    "Attempt",
    "ChainFailedError",
    "Channel",
    "ConfigError",
    "Cost",
    "KeyMissingError",
    "Keys",
    "LabellingError",
    "Latency",
    "Price",
    "RouterConfig",
    "Routing",
    "RoutingMissingError",
    "SchemaOutdatedError",
    "ServingError",
    "StateError",
    "StateUnavailableError",
    "Summary",
    "TierRouter",
    "Tokens",
    "routing_of",
]

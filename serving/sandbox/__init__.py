"""An OpenAI-compatible upstream on loopback whose answers are simulated, and which fails on request."""

from serving.sandbox.errors import SandboxError, SandboxPortError, SandboxStartError
from serving.sandbox.exchange import Latency
from serving.sandbox.faults import (
    BrokenJson,
    Comments,
    Delay,
    Drip,
    EndAfter,
    Fault,
    Gigantic,
    HtmlPage,
    Normal,
    NoUsage,
    Reset,
    ResetAfter,
    Silence,
    StallAfter,
    Status,
    StreamError,
)
from serving.sandbox.gate import AcceptedKeys
from serving.sandbox.ledger import Received
from serving.sandbox.says import Says
from serving.sandbox.server import Sandbox

__all__ = [
    "AcceptedKeys",
    "BrokenJson",
    "Comments",
    "Delay",
    "Drip",
    "EndAfter",
    "Fault",
    "Gigantic",
    "HtmlPage",
    "Latency",
    "NoUsage",
    "Normal",
    "Received",
    "Reset",
    "ResetAfter",
    "Sandbox",
    "SandboxError",
    "SandboxPortError",
    "SandboxStartError",
    "Says",
    "Silence",
    "StallAfter",
    "Status",
    "StreamError",
]

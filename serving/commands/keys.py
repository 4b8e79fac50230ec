"""`keys`: create, list and revoke the proxy's own API keys."""

import argparse
import json
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from classifier import Tier
from serving.commands.options import add_config, add_json, positive
from serving.wording import printable

if TYPE_CHECKING:
    from serving.state import ApiKey, State

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

_TIERS = [tier.label for tier in Tier]

NAME = "keys"
HELP = "create, list and revoke the proxy's API keys"
EXAMPLES = """\
examples:
  python -m serving keys create "checkout service"
  python -m serving keys create trial --tiers cheap balanced --rpm 20 --daily-usd 0.50
  python -m serving keys create "big customer" --floor premium
  python -m serving keys list
  python -m serving keys revoke 4f1d9ab0c2e7

A key is shown once, when it is created; only its hash is stored. A revocation takes effect in every running
proxy within seconds. Requests a minute are counted by each proxy process for itself, dollars in the database.
exit code: 0, or 1 when nothing was done."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="create|list|revoke")
    create = actions.add_parser("create", help="create a key and show it, once")
    create.add_argument("name", metavar="NAME", help="whose it is, for people")
    create.add_argument(
        "--tiers", nargs="+", choices=_TIERS, default=_TIERS, metavar="TIER", help="what it may use (all)"
    )
    create.add_argument(
        "--floor", choices=_TIERS, metavar="TIER", help="the tier below which its requests never go"
    )
    create.add_argument("--rpm", type=positive, metavar="N", help="requests a minute (no limit)")
    create.add_argument("--daily-usd", type=_dollars, metavar="USD", help="US dollars a day (no limit)")
    listed = actions.add_parser("list", help="list all keys, without their secrets")
    revoke = actions.add_parser("revoke", help="revoke a key for good")
    revoke.add_argument("key_id", metavar="ID", help="as `keys list` shows it")
    for each in (create, listed, revoke):
        add_config(each)
        add_json(each, "print JSON instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked."""
    # SQLAlchemy takes a while to import, and most commands do without it.
    from serving.commands.state_access import open_state

    with open_state(arguments.config, os.environ) as state:
        return {"create": _create, "list": _list, "revoke": _revoke}[arguments.action](arguments, state)


def _create(arguments: argparse.Namespace, state: "State") -> int:
    issued = state.api_keys.create(
        arguments.name,
        at=time.time(),
        allowed_tiers=arguments.tiers,
        floor=arguments.floor,
        requests_per_minute=arguments.rpm,
        daily_usd=arguments.daily_usd,
    )
    secret = issued.secret.reveal()
    if arguments.json:
        print(json.dumps({**_as_dict(issued.key), "secret": secret}))
    else:
        print(f"{_line(issued.key)}\n{secret}\nThis is shown once: keep it where secrets are kept.")
    return 0


def _list(arguments: argparse.Namespace, state: "State") -> int:
    keys = state.api_keys.all()
    if arguments.json:
        print(json.dumps([_as_dict(key) for key in keys], indent=2))
    else:
        print("\n".join(map(_line, keys)) or "no keys: whoever reaches the proxy on this machine may ask")
    return 0


def _revoke(arguments: argparse.Namespace, state: "State") -> int:
    key = state.api_keys.revoke(arguments.key_id, time.time())
    print(json.dumps(_as_dict(key)) if arguments.json else _line(key))
    return 0


def _line(key: "ApiKey") -> str:
    parts = [key.key_id, printable(key.name), f"tiers {', '.join(key.allowed_tiers)}"]
    if key.floor is not None:
        parts.append(f"floor {key.floor}")
    if key.requests_per_minute is not None:
        parts.append(f"{key.requests_per_minute} requests a minute")
    if key.daily_usd is not None:
        parts.append(f"${key.daily_usd:g} a day")
    parts.append(f"created {_day(key.created_at)}")
    if key.revoked_at is not None:
        parts.append(f"revoked {_day(key.revoked_at)}")
    return "  ".join(parts)


def _as_dict(key: "ApiKey") -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
        "allowed_tiers": list(key.allowed_tiers),
        "floor": key.floor,
        "requests_per_minute": key.requests_per_minute,
        "daily_usd": key.daily_usd,
    }


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _dollars(text: str) -> float:
    try:
        dollars = float(text)
    except ValueError:
        dollars = -1.0
    if not 0 <= dollars <= 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of US dollars, 0 or more")
    return dollars

"""What commands that read the ledger share: which database, which days."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

from serving.commands.options import add_config
from serving.errors import ConfigError
from serving.serve_config import ServeConfig

if TYPE_CHECKING:
    from serving.state import State

__all__ = ["Span", "add_ledger", "open_ledger", "serve_config_of"]

_NEVER = 1e12  # seconds since the epoch: thirty thousand years from now


@dataclass(frozen=True, slots=True)
class Span:
    """A span of whole days.

    Attributes:
        since: seconds since the epoch, inclusive.
        until: seconds since the epoch, exclusive.
        words: the days, for people.
    """

    since: float
    until: float
    words: str

    @classmethod
    def of(cls, first: date | None, last: date | None, zone: tzinfo) -> "Span":
        """Return the span from the begin of one day to the end of another; None is without end.

        Raises:
            ConfigError: the last day is before the first.
        """
        if first is not None and last is not None and last < first:
            raise ConfigError(f"--until {last} is before --since {first}")
        since = 0.0 if first is None else _begin(first, zone)
        until = _NEVER if last is None else _begin(last + timedelta(days=1), zone)
        days = f"{'the first row' if first is None else first} to {'now' if last is None else last}"
        return cls(since, until, f"{days}, days of {zone}")


def add_ledger(parser: argparse.ArgumentParser) -> None:
    """Add the database and the days."""
    add_config(parser)
    parser.add_argument(
        "--state", metavar="URL", help="of the database (default: that of the configuration, as for `serve`)"
    )
    parser.add_argument("--since", type=_day, metavar="DAY", help="the first day, like 2026-11-22 (all)")
    parser.add_argument("--until", type=_day, metavar="DAY", help="the last day, all of it (all)")


def serve_config_of(arguments: argparse.Namespace) -> ServeConfig:
    """Return the proxy's settings, or those built in.

    Raises:
        ConfigError: they are wrong; in one line.
    """
    return ServeConfig() if arguments.config is None else ServeConfig.load(arguments.config)


def open_ledger(arguments: argparse.Namespace, environ: Mapping[str, str]) -> "State":
    """Open the database, which must stand already: reading makes no new one.

    Raises:
        ConfigError: the settings are wrong; in one line.
        StateError: the database cannot be used.
    """
    # SQLAlchemy takes a while to import, and most commands do without it.
    from serving.errors import StateError
    from serving.state import State
    from serving.state.engines import is_missing, naming_of, parse_url

    url = arguments.state or serve_config_of(arguments).state_url(environ)
    parsed = parse_url(url)
    if is_missing(parsed):
        raise StateError(f"{naming_of(parsed).name}: there is no such database yet; `serve` keeps its ledger")
    return State.open(url)


def _begin(day: date, zone: tzinfo) -> float:
    return datetime.combine(day, time.min, zone).timestamp()


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not 1971 <= day.year <= 9990:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it like 2026-11-22")
    return day

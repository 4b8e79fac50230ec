"""The proxy's own API keys: created, listed, revoked, found by their secret, which is stored hashed."""

import hmac
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import RowMapping, select, update

from classifier.errors import TierError
from classifier.tier import Tier
from serving.errors import ConfigError, StateError
from serving.keys import Secret
from serving.spending.budget_terms import dollars, micro_dollars
from serving.state.api_key import ApiKey
from serving.state.database import Database
from serving.state.ledger_values import storable_text
from serving.state.schema import api_keys

__all__ = ["ApiKeys", "IssuedKey"]

_ALL_TIERS = tuple(tier.label for tier in Tier)
_PREFIX = "tw"
_LONGEST_SECRET = 100  # characters; ours have 59
_NO_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key that was just created.

    Attributes:
        key: what it may do.
        secret: what its holder sends; nobody can show it again.
    """

    key: ApiKey
    secret: Secret


class ApiKeys:
    """The API keys of a database; every method raises `StateUnavailableError` when that does not answer."""

    def __init__(self, database: Database) -> None:
        """Keep them in a database."""
        self._database = database

    def create(
        self,
        name: str,
        *,
        at: float,
        allowed_tiers: Sequence[str] = _ALL_TIERS,
        floor: str | None = None,
        requests_per_minute: int | None = None,
        daily_usd: float | None = None,
    ) -> IssuedKey:
        """Create a key.

        Args:
            name: whose it is, for people; need not be unique.
            at: now, seconds since the epoch.
            allowed_tiers: labels, at least one.
            floor: label of the tier below which its requests never go; one of the allowed ones.
            requests_per_minute: at least 1, or None for no limit.
            daily_usd: US dollars a day, at least 0, or None for no budget.

        Raises:
            ConfigError: one of them is out of range.
        """
        _check(name, requests_per_minute, daily_usd)
        key_id = secrets.token_hex(6)
        secret = f"{_PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
        tiers = _tiers(allowed_tiers, floor)
        key = ApiKey(
            key_id, storable_text(name.strip()), at, None, tiers, floor, requests_per_minute, daily_usd
        )
        with self._database.writing() as connection:
            connection.execute(self._database.insert(api_keys), _values(key, secret))
        return IssuedKey(key, Secret(secret))

    def all(self) -> tuple[ApiKey, ...]:
        """Return every key, revoked ones too, oldest first."""
        query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.key_id)
        with self._database.reading() as connection:
            return tuple(map(_key, connection.execute(query).mappings()))

    def revoke(self, key_id: str, at: float) -> ApiKey:
        """Revoke a key for good; the moment of an earlier revocation stays.

        Raises:
            StateError: there is no such key.
        """
        standing = api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None)
        with self._database.writing() as connection:
            connection.execute(update(api_keys).where(*standing).values(revoked_at=at))
            row = connection.execute(select(api_keys).where(standing[0])).mappings().first()
        if row is None:
            raise StateError(f"there is no API key {key_id!r}: `python -m serving keys list` shows them")
        return _key(row)

    def find(self, secret: str) -> ApiKey | None:
        """Return the key that a secret belongs to, or None where there is none or it was revoked.

        Takes the same time for wrong secrets of a known key, whatever they have in common with the right one.
        """
        prefix, _, rest = secret[:_LONGEST_SECRET].partition("_")
        key_id = rest.partition("_")[0]
        if prefix != _PREFIX or not key_id.isalnum() or not secret.isascii():
            return None
        with self._database.reading() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.key_id == key_id)).mappings().first()
        stored = _NO_HASH if row is None else row["secret_sha256"]
        right = hmac.compare_digest(_hash(secret), stored)
        return _key(row) if right and row is not None and row["revoked_at"] is None else None


def _check(name: str, requests_per_minute: int | None, daily_usd: float | None) -> None:
    if not name.strip():
        raise ConfigError("an API key needs a name, so that people know whose it is")
    if requests_per_minute is not None and not 1 <= requests_per_minute < 2**31:
        raise ConfigError(f"requests per minute: {requests_per_minute!r} is out of range: give at least 1")
    if daily_usd is not None and not (math.isfinite(daily_usd) and 0 <= daily_usd <= 1e9):
        raise ConfigError(f"daily budget: {daily_usd!r} is out of range: give US dollars, 0 to a billion")


def _tiers(labels: Sequence[str], floor: str | None) -> tuple[str, ...]:
    if not labels:
        raise ConfigError("an API key needs at least one allowed tier")
    try:
        tiers = sorted({Tier.parse(label) for label in labels})
        lowest = tiers[0] if floor is None else Tier.parse(floor)
    except TierError as error:
        raise ConfigError(f"tiers of an API key: {error}") from error
    if lowest not in tiers:
        raise ConfigError(f"floor {floor!r} is not among the allowed tiers {', '.join(labels)}")
    return tuple(tier.label for tier in tiers)


def _hash(secret: str) -> str:
    """Return the hash that is stored: a plain one is enough for 256 random bits, which nobody can guess."""
    return sha256(secret.encode()).hexdigest()


def _values(key: ApiKey, secret: str) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "secret_sha256": _hash(secret),
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
        "allowed_tiers": ",".join(key.allowed_tiers),
        "floor": key.floor,
        "requests_per_minute": key.requests_per_minute,
        "daily_micro_usd": None if key.daily_usd is None else micro_dollars(key.daily_usd),
    }


def _key(row: RowMapping) -> ApiKey:
    budget = row["daily_micro_usd"]
    return ApiKey(
        row["key_id"],
        row["name"],
        row["created_at"],
        row["revoked_at"],
        tuple(row["allowed_tiers"].split(",")),
        row["floor"],
        row["requests_per_minute"],
        None if budget is None else dollars(budget),
    )

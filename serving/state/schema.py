"""The tables, on SQLite and PostgreSQL alike.

Times are UTC seconds since the epoch as floats: the ledger, the journal and the wire then hold one and the
same number, ranges compare as numbers on both databases (SQLite has no type with a time zone), and the one
place where a zone matters, the budgets' day, gets it from the configuration and stores the day it worked out.
Amounts of budgets are whole micro-dollars or tokens. All names begin with `tierwise_`, so that a PostgreSQL
database can be shared. A change here needs a revision in `migrations/versions` and its number in `REVISION`.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

__all__ = [
    "CHARGED",
    "HELD",
    "ORPHANED",
    "REVISION",
    "VERSION_TABLE",
    "answers",
    "api_keys",
    "budgets",
    "feedback",
    "instances",
    "ledger",
    "metadata",
    "reservations",
]

REVISION = "0003"  # the newest one in migrations/versions
VERSION_TABLE = "tierwise_schema"

# What a reservation's row can be; settled and released ones are deleted.
HELD = "held"  # its call is under way
ORPHANED = "orphaned"  # its process died, and it was charged at its bound
CHARGED = "charged"  # never granted, but spent; kept so that it is charged once

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "ix": "%(table_name)s_by_%(column_0_N_name)s",
        "ck": "%(table_name)s_%(constraint_name)s",
    }
)

api_keys = Table(
    "tierwise_api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_sha256", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("revoked_at", Double),
    Column("allowed_tiers", Text, nullable=False),  # labels with commas between
    Column("floor", Text),
    Column("requests_per_minute", Integer),
    Column("daily_micro_usd", BigInteger),
)

ledger = Table(
    "tierwise_ledger",
    metadata,
    Column("attempt_id", Text, primary_key=True),
    Column("request_id", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("key_id", Text),
    Column("session", Text),
    Column("requested", Text, nullable=False),
    Column("tier", Text),
    Column("chosen_by", Text, nullable=False),
    Column("risk", Double),
    Column("p_cheap", Double),
    Column("p_balanced", Double),
    Column("p_premium", Double),
    Column("policy", Text),
    Column("model_version", Text),
    Column("model", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("status", Integer),
    Column("attempt", Integer, nullable=False),
    Column("fell_back", Boolean, nullable=False),
    Column("streamed", Boolean, nullable=False),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("estimated", Boolean, nullable=False),
    Column("usd", Double),
    Column("routing_seconds", Double),
    Column("first_token_seconds", Double),
    Column("total_seconds", Double),
    Column("prompt", Text),
    Column("cache", Text),
    Column("saved_usd", Double),
    Index(None, "at", "attempt_id"),  # reports and exports read a span of time, in order
    Index(None, "key_id", "at", "attempt_id"),  # the same for one key
    Index(None, "request_id"),  # feedback and headers name the request
    Index(None, "session", "at"),  # which tier a conversation had last
)

budgets = Table(
    "tierwise_budgets",
    metadata,
    Column("day", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("cap", BigInteger, nullable=False),
    Column("spent", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("orphaned", BigInteger, nullable=False),
    Column("overrun", BigInteger, nullable=False),
    CheckConstraint("spent >= 0 AND reserved >= 0 AND orphaned >= 0 AND overrun >= 0", name="amounts"),
)

reservations = Table(
    "tierwise_reservations",
    metadata,
    Column("reservation_id", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("day", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("instance", Text, nullable=False),
    Column("state", Text, nullable=False),
    Index(None, "state", "instance"),  # whose process died
)

instances = Table(
    "tierwise_instances",
    metadata,
    Column("instance", Text, primary_key=True),
    Column("beat_at", Double, nullable=False),
)

feedback = Table(
    "tierwise_feedback",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("thumb", Text),
    Column("at", Double, nullable=False),
    Column("key_id", Text),
    Column("comment", Text),
    Column("retried", Boolean),
    Column("escalated_to", Text),
    Index(None, "at", "request_id"),
)

answers = Table(
    "tierwise_answers",
    metadata,
    Column("answer_key", Text, primary_key=True),
    Column("scope", Text, nullable=False),  # whose requests it may answer
    Column("at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("used_at", Double, nullable=False),
    Column("tier", Text),
    Column("model", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("model_version", Text),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("usd", Double),
    Column("streamed", Boolean, nullable=False),
    Column("encoding", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),  # of the body as it is stored
    Column("body", LargeBinary, nullable=False),
    Index(None, "expires_at"),  # what is to be deleted
    Index(None, "used_at", "bytes"),  # what leaves first when there is too much; covers that question
)

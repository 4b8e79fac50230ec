"""The first schema: keys, ledger, budgets, instances, feedback."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    _api_keys()
    _ledger()
    _budgets()
    _reservations()
    _instances_and_feedback()


def _api_keys() -> None:
    op.create_table(
        "tierwise_api_keys",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("secret_sha256", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("revoked_at", sa.Double),
        sa.Column("allowed_tiers", sa.Text, nullable=False),
        sa.Column("floor", sa.Text),
        sa.Column("requests_per_minute", sa.Integer),
        sa.Column("daily_micro_usd", sa.BigInteger),
        sa.PrimaryKeyConstraint("key_id", name="tierwise_api_keys_pk"),
    )


def _ledger() -> None:
    op.create_table(
        "tierwise_ledger",
        sa.Column("attempt_id", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("key_id", sa.Text),
        sa.Column("session", sa.Text),
        sa.Column("requested", sa.Text, nullable=False),
        sa.Column("tier", sa.Text),
        sa.Column("chosen_by", sa.Text, nullable=False),
        sa.Column("risk", sa.Double),
        sa.Column("p_cheap", sa.Double),
        sa.Column("p_balanced", sa.Double),
        sa.Column("p_premium", sa.Double),
        sa.Column("policy", sa.Text),
        sa.Column("model_version", sa.Text),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("fell_back", sa.Boolean, nullable=False),
        sa.Column("streamed", sa.Boolean, nullable=False),
        sa.Column("input_tokens", sa.BigInteger),
        sa.Column("output_tokens", sa.BigInteger),
        sa.Column("estimated", sa.Boolean, nullable=False),
        sa.Column("usd", sa.Double),
        sa.Column("routing_seconds", sa.Double),
        sa.Column("first_token_seconds", sa.Double),
        sa.Column("total_seconds", sa.Double),
        sa.Column("prompt", sa.Text),
        sa.PrimaryKeyConstraint("attempt_id", name="tierwise_ledger_pk"),
    )
    op.create_index("tierwise_ledger_by_at_attempt_id", "tierwise_ledger", ["at", "attempt_id"])
    op.create_index(
        "tierwise_ledger_by_key_id_at_attempt_id", "tierwise_ledger", ["key_id", "at", "attempt_id"]
    )
    op.create_index("tierwise_ledger_by_request_id", "tierwise_ledger", ["request_id"])


def _budgets() -> None:
    op.create_table(
        "tierwise_budgets",
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("cap", sa.BigInteger, nullable=False),
        sa.Column("spent", sa.BigInteger, nullable=False),
        sa.Column("reserved", sa.BigInteger, nullable=False),
        sa.Column("orphaned", sa.BigInteger, nullable=False),
        sa.Column("overrun", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("day", "scope", "unit", name="tierwise_budgets_pk"),
        sa.CheckConstraint(
            "spent >= 0 AND reserved >= 0 AND orphaned >= 0 AND overrun >= 0", name="tierwise_budgets_amounts"
        ),
    )


def _reservations() -> None:
    op.create_table(
        "tierwise_reservations",
        sa.Column("reservation_id", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("reservation_id", "scope", "unit", name="tierwise_reservations_pk"),
    )
    op.create_index("tierwise_reservations_by_state_instance", "tierwise_reservations", ["state", "instance"])


def _instances_and_feedback() -> None:
    op.create_table(
        "tierwise_instances",
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("beat_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("instance", name="tierwise_instances_pk"),
    )
    op.create_table(
        "tierwise_feedback",
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("thumb", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("key_id", sa.Text),
        sa.Column("comment", sa.Text),
        sa.PrimaryKeyConstraint("request_id", name="tierwise_feedback_pk"),
    )
    op.create_index("tierwise_feedback_by_at_request_id", "tierwise_feedback", ["at", "request_id"])

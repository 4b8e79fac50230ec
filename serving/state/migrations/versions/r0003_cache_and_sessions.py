"""Stored answers; what a stored answer saved, in the ledger; the last row of a session is found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns, the index and the table."""
    op.add_column("tierwise_ledger", sa.Column("cache", sa.Text))
    op.add_column("tierwise_ledger", sa.Column("saved_usd", sa.Double))
    op.create_index("tierwise_ledger_by_session_at", "tierwise_ledger", ["session", "at"])
    _answers()


def _answers() -> None:
    op.create_table(
        "tierwise_answers",
        sa.Column("answer_key", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("used_at", sa.Double, nullable=False),
        sa.Column("tier", sa.Text),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("model_version", sa.Text),
        sa.Column("input_tokens", sa.BigInteger),
        sa.Column("output_tokens", sa.BigInteger),
        sa.Column("usd", sa.Double),
        sa.Column("streamed", sa.Boolean, nullable=False),
        sa.Column("encoding", sa.Text, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("answer_key", name="tierwise_answers_pk"),
    )
    op.create_index("tierwise_answers_by_expires_at", "tierwise_answers", ["expires_at"])
    op.create_index("tierwise_answers_by_used_at_bytes", "tierwise_answers", ["used_at", "bytes"])

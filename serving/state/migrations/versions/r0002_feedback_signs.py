"""Feedback says what the user did, retry or escalation, apart from the thumb, which may be missing.

Until now both were words in the comment beside a thumb down. Comments are free text, so such rows stay as
they are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns; a thumb is no longer required."""
    with op.batch_alter_table("tierwise_feedback") as table:
        table.add_column(sa.Column("retried", sa.Boolean))
        table.add_column(sa.Column("escalated_to", sa.Text))
        table.alter_column("thumb", existing_type=sa.Text, nullable=True)

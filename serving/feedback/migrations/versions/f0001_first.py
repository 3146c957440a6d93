"""The first tables: messages, decisions, requests carried out, chores."""

import sqlalchemy as sa
from alembic import op

revision = "f0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "feedback_messages",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("text_key", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback_messages"),
        sa.UniqueConstraint("text_key", name="uq_feedback_messages_text_key"),
    )
    op.create_table(
        "feedback_decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("author", sa.String(128), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("label", sa.Boolean(), nullable=True),
        sa.Column("insult", sa.Boolean(), nullable=True),
        sa.Column("threat", sa.Boolean(), nullable=True),
        sa.Column("obscene", sa.Boolean(), nullable=True),
        sa.Column("identity_attack", sa.Boolean(), nullable=True),
        sa.Column("digest", sa.String(64), nullable=True),
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback_decisions"),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["feedback_messages.id"],
            name="fk_feedback_decisions_message_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("kind IN ('spam', 'toxicity')", name=op.f("ck_feedback_decisions_kind")),
        sa.UniqueConstraint(
            "message_id", "kind", "author", name="uq_feedback_decisions_message_id"
        ),
    )
    op.create_index("ix_feedback_decisions_decided_at", "feedback_decisions", ["decided_at"])
    op.create_table(
        "feedback_requests",
        sa.Column("author", sa.String(128), nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("message_id", sa.String(32), nullable=False),
        sa.Column("carried_out_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("author", "key", name="pk_feedback_requests"),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["feedback_messages.id"],
            name="fk_feedback_requests_message_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_feedback_requests_message_id", "feedback_requests", ["message_id"])
    op.create_table(
        "feedback_chores",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_feedback_chores"),
    )


def downgrade() -> None:
    """Drop them, with all that was decided."""
    for table in ("chores", "requests", "decisions", "messages"):
        op.drop_table(f"feedback_{table}")

"""Messages say which normaliser made their key: 0 for those from before, which all get new ones."""

import sqlalchemy as sa
from alembic import op

revision = "f0002"
down_revision = "f0001"
branch_labels = None
depends_on = None

_NORMALISER = sa.Column("normaliser", sa.Integer(), nullable=False, server_default="0")


def upgrade() -> None:
    """Add the column."""
    op.add_column("feedback_messages", _NORMALISER)


def downgrade() -> None:
    """Drop it; the older release sees messages under their new keys as others."""
    op.drop_column("feedback_messages", "normaliser")

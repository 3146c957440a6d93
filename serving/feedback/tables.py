"""The tables of the feedback database; ``migrations`` brings a database to them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from serving.feedback.decisions import CATEGORIES

#: Names of constraints, so that a migration can speak of them on every database.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite forgets the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Return ``value`` with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _message_id(**options: Any) -> Column[str]:
    to = ForeignKey("feedback_messages.id", ondelete="CASCADE")
    return Column("message_id", String(32), to, nullable=False, **options)


#: One row for each message, whatever its spelling: ``text`` is the first that came, ``text_key``
#: what its spellings have in common, as the release with this ``normaliser`` sees it.
messages = Table(
    "feedback_messages",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("text_key", String(64), nullable=False, unique=True),
    Column("text", Text, nullable=False),
    Column("normaliser", Integer, nullable=False, server_default="0"),
)

#: The latest decision of each author on each message and kind; an admin's ``label`` is null where
#: nothing shall be learnt. Categories are null where nothing was said of them.
decisions = Table(
    "feedback_decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    _message_id(),
    Column("kind", String(16), nullable=False),
    Column("author", String(128), nullable=False),
    Column("is_admin", Boolean, nullable=False),
    Column("label", Boolean),
    *(Column(category, Boolean) for category in CATEGORIES),
    Column("digest", String(64)),
    Column("request_id", String(64)),
    Column("note", Text),
    Column("decided_at", UtcTime, nullable=False),
    CheckConstraint("kind IN ('spam', 'toxicity')", name="kind"),
    UniqueConstraint("message_id", "kind", "author"),
    Index(None, "decided_at"),
)

#: Requests that were carried out, by the name that their sender gave them.
requests = Table(
    "feedback_requests",
    metadata,
    Column("author", String(128), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    _message_id(index=True),
    Column("carried_out_at", UtcTime, nullable=False),
)

#: When what one worker does for all was last done.
chores = Table(
    "feedback_chores",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("done_at", UtcTime, nullable=False),
)

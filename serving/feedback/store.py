"""What is done in the database, each function within one transaction."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Connection, delete, insert, select, update

from models.text import NORMALISER_VERSION, normalise
from serving.feedback.decisions import Decision, Kind, Standing, agreed, settle
from serving.feedback.errors import UnknownMessageError
from serving.feedback.ledger import Ledger, columns, decision
from serving.feedback.tables import chores, decisions, messages, requests

#: For so long an Idempotency-Key is known.
KEY_LIFE = timedelta(days=7)

#: So many characters of an id name a message, at least.
SHORTEST_ID = 6


@dataclass(frozen=True)
class Entry:
    """One message, all that was decided of one kind, and how that stands."""

    message_id: str
    text_key: str
    text: str
    kind: Kind
    decisions: tuple[Decision, ...]
    standing: Standing


def text_key(text: str) -> str:
    """Return what all spellings of a message have in common, see :func:`models.text.normalise`.

    Keys of two versions of it never agree, so that none is taken for another's.
    """
    named = f"{NORMALISER_VERSION}\n{normalise(text) or text}"
    return hashlib.sha256(named.encode()).hexdigest()


def rule(
    connection: Connection,
    message: str,
    kind: Kind,
    label: bool | None,
    author: str,
    now: datetime,
) -> Standing:
    """Store an admin's word on a message that others decided on: its label, or None to reject it.

    The categories are those of whoever said the same and is not contradicted.

    Raises
    ------
    UnknownMessageError
        If nobody decided on the message.
    """
    given = [entry for entry in entries(connection, message) if entry.kind == kind]
    if not given:
        raise UnknownMessageError(f"nobody decided on {kind} of message {message}")
    alike = [each for each in given[0].decisions if each.label == label]
    row = columns(label, agreed(alike, 1) if label is not None else {})
    ledger = Ledger(connection, [message])
    ledger.decide(message, kind, author, row | {"is_admin": True, "decided_at": now}, {})
    ledger.write()
    return ledger.standings(message)[kind]


def find(connection: Connection, beginning: str) -> str:
    """Return the one message whose id begins so.

    Raises
    ------
    UnknownMessageError
    """
    if len(beginning) < SHORTEST_ID or not beginning.isalnum():
        raise UnknownMessageError(f"an id is {SHORTEST_ID} characters or more of what review shows")
    found = connection.scalars(
        select(messages.c.id).where(messages.c.id.startswith(beginning)).limit(2)
    ).all()
    if len(found) != 1:
        what = "more than one message has" if found else "no message has"
        raise UnknownMessageError(f"{what} an id that begins with {beginning}")
    return str(found[0])


def entries(connection: Connection, message: str | None = None) -> Iterator[Entry]:
    """Yield what was decided, of one message or of all, by kind and then by text."""
    query = (
        select(messages, decisions)
        .join_from(messages, decisions)
        .order_by(decisions.c.kind, messages.c.text_key, decisions.c.decided_at, decisions.c.author)
    )
    if message is None:
        found = connection.execute(query, execution_options={"yield_per": 1_000})
    else:
        found = connection.execute(query.where(messages.c.id == message))
    for (kind, key), group in groupby(found.mappings(), key=itemgetter("kind", "text_key")):
        some = list(group)
        given = tuple(map(decision, some))
        yield Entry(some[0]["message_id"], key, some[0]["text"], kind, given, settle(given))


def forget(connection: Connection, message: str | None = None, text: str | None = None) -> int:
    """Delete a message, by its id or by its text, with all about it; return how many there were."""
    if text is None:
        wanted = messages.c.id == message
    else:  # word for word too: a release that cleaned texts otherwise gave it the key it still has
        wanted = (messages.c.text_key == text_key(text)) | (messages.c.text == text)
    return connection.execute(delete(messages).where(wanted)).rowcount


def purge(connection: Connection, before: datetime, now: datetime) -> int:
    """Delete decisions older than ``before``, and messages without any; return how many messages.

    What senders called their requests is forgotten too after a while.
    """
    connection.execute(delete(decisions).where(decisions.c.decided_at < before))
    connection.execute(delete(requests).where(requests.c.carried_out_at < now - KEY_LIFE))
    orphans = ~select(decisions.c.id).where(decisions.c.message_id == messages.c.id).exists()
    return connection.execute(delete(messages).where(orphans)).rowcount


def renew_keys(connection: Connection, limit: int) -> int:
    """Give messages the keys of this release's normaliser, where they have another one's.

    Without this, whoever agrees with an older decision would speak of another message. What turns
    out to be one message becomes one, under the id that it had first here.

    Parameters
    ----------
    limit : int
        Of messages that are seen to.

    Returns
    -------
    int
        How many were; fewer than ``limit`` once all have new keys.
    """
    stale = (
        select(messages)
        .where(messages.c.normaliser != NORMALISER_VERSION)
        .order_by(messages.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # two workers, each with others
    )
    rows = connection.execute(stale).all()
    for row in rows:
        key = text_key(row.text)
        known = select(messages.c.id).where(messages.c.text_key == key)
        # Locked: what others are about to say of it would go with it, unseen.
        other = connection.scalar(known.with_for_update())
        if other is not None:
            _merge(connection, str(other), row.id)
        renewed = update(messages).where(messages.c.id == row.id)
        connection.execute(renewed.values(text_key=key, normaliser=NORMALISER_VERSION))
    return len(rows)


def take_turn(connection: Connection, chore: str, every: timedelta, now: datetime) -> bool:
    """Return whether it is this worker that shall do what one does for all, now."""
    due = chores.c.done_at <= now - every
    renewed = update(chores).where(chores.c.name == chore, due).values(done_at=now)
    if connection.execute(renewed).rowcount:
        return True
    if connection.scalar(select(chores.c.name).where(chores.c.name == chore)):
        return False
    connection.execute(insert(chores).values(name=chore, done_at=now))
    return True


def _merge(connection: Connection, message: str, into: str) -> None:
    """Make all that was said of one message said of another; of two decisions the later counts."""
    given = select(decisions).where(decisions.c.message_id.in_((message, into)))
    latest = given.order_by(decisions.c.decided_at.desc(), decisions.c.id.desc())
    said = set()
    for row in connection.execute(latest).all():
        place = decisions.c.id == row.id
        if (row.kind, row.author) in said:
            connection.execute(delete(decisions).where(place))
        elif row.message_id != into:  # its place there may be taken by an earlier one
            earlier = (
                (decisions.c.message_id == into)
                & (decisions.c.kind == row.kind)
                & (decisions.c.author == row.author)
            )
            connection.execute(delete(decisions).where(earlier))
            connection.execute(update(decisions).where(place).values(message_id=into))
        said.add((row.kind, row.author))
    sent = update(requests).where(requests.c.message_id == message)
    connection.execute(sent.values(message_id=into))
    connection.execute(delete(messages).where(messages.c.id == message))

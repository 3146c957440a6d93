"""What is done in the database, each function within one transaction."""

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from models.text import normalise
from serving.feedback.decisions import (
    CATEGORIES,
    Decision,
    Kind,
    Standing,
    agreed,
    settle,
)
from serving.feedback.errors import KeyReusedError, UnknownMessageError
from serving.feedback.tables import chores, decisions, messages, requests

#: For so long an Idempotency-Key is known.
KEY_LIFE = timedelta(days=7)

#: So many characters of an id name a message, at least.
SHORTEST_ID = 6


@dataclass(frozen=True)
class Submission:
    """What one author says of one message.

    Attributes
    ----------
    labels : mapping of kind to bool
        Spam or not, toxic or not; at least one of them.
    categories : mapping of str to bool
        Kinds of toxicity, where that was spoken of.
    digests : mapping of kind to str
        The models whose verdict this corrects.
    key : str
        The name that the sender gave the request, or "".
    """

    text: str
    author: str
    is_admin: bool
    labels: Mapping[Kind, bool]
    categories: Mapping[str, bool] = field(default_factory=dict)
    digests: Mapping[Kind, str] = field(default_factory=dict)
    request_id: str | None = None
    note: str | None = None
    key: str = ""

    def fingerprint(self) -> str:
        """Return the sha256 of all that is said, whoever says it."""
        said = (
            self.text,
            sorted(self.labels.items()),
            sorted(self.categories.items()),
            sorted(self.digests.items()),
            self.request_id,
            self.note,
        )
        return hashlib.sha256(repr(said).encode()).hexdigest()


@dataclass(frozen=True)
class Receipt:
    """What became of a submission.

    Attributes
    ----------
    outcomes : mapping of kind to str
        stored, changed (the author had said otherwise) or repeated (nothing is new).
    """

    message_id: str
    standings: Mapping[Kind, Standing]
    outcomes: Mapping[Kind, str]


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
    """Return what all spellings of a message have in common, see :func:`models.text.normalise`."""
    return hashlib.sha256((normalise(text) or text).encode()).hexdigest()


def record(connection: Connection, said: Submission, now: datetime) -> Receipt:
    """Store a submission, unless nothing is new about it.

    Raises
    ------
    KeyReusedError
    """
    done = _carried_out(connection, said)
    if done is not None:
        return Receipt(done, _standings(connection, done), dict.fromkeys(said.labels, "repeated"))
    message = _message(connection, said.text)
    outcomes = {
        kind: _decide(connection, message, kind, label, said, now)
        for kind, label in said.labels.items()
    }
    if said.key:
        row = {"author": said.author, "key": said.key, "fingerprint": said.fingerprint()}
        connection.execute(insert(requests).values(**row, message_id=message, carried_out_at=now))
    return Receipt(message, _standings(connection, message), outcomes)


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
    alike = [decision for decision in given[0].decisions if decision.label == label]
    row = _row(label, agreed(alike, 1) if label is not None else {})
    _upsert(connection, message, kind, author, row | {"is_admin": True, "decided_at": now})
    return _standings(connection, message)[kind]


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
        rows = connection.execute(query, execution_options={"yield_per": 1_000})
    else:
        rows = connection.execute(query.where(messages.c.id == message))
    for (kind, key), group in groupby(rows, key=lambda row: (row.kind, row.text_key)):
        some = list(group)
        given = tuple(_decision(row) for row in some)
        yield Entry(some[0].message_id, key, some[0].text, kind, given, settle(given))


def forget(connection: Connection, message: str | None = None, text: str | None = None) -> int:
    """Delete a message, by its id or by its text, with all about it; return how many there were."""
    if text is None:
        wanted = messages.c.id == message
    else:  # word for word too: a release that cleaned texts otherwise gave it another key
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


def _carried_out(connection: Connection, said: Submission) -> str | None:
    """Return the message of an earlier request of the same name, if there was one."""
    if not said.key:
        return None
    query = select(requests.c.fingerprint, requests.c.message_id).where(
        requests.c.author == said.author, requests.c.key == said.key
    )
    earlier = connection.execute(query).first()
    if earlier is None:
        return None
    if earlier.fingerprint != said.fingerprint():
        raise KeyReusedError("this Idempotency-Key came before, with another body")
    return str(earlier.message_id)


def _message(connection: Connection, text: str) -> str:
    """Return the id of a message, which is stored if it is new."""
    key = text_key(text)
    known = connection.scalar(select(messages.c.id).where(messages.c.text_key == key))
    if known is not None:
        return str(known)
    new = uuid.uuid4().hex
    connection.execute(insert(messages).values(id=new, text_key=key, text=text))
    return new


def _decide(
    connection: Connection,
    message: str,
    kind: Kind,
    label: bool,
    said: Submission,
    now: datetime,
) -> str:
    categories = said.categories if kind == "toxicity" else {}
    row = _row(label, categories) | {"is_admin": said.is_admin}
    more = {
        "digest": said.digests.get(kind),
        "request_id": said.request_id,
        "note": said.note,
        "decided_at": now,
    }
    return _upsert(connection, message, kind, said.author, row, more)


def _upsert(
    connection: Connection,
    message: str,
    kind: Kind,
    author: str,
    row: Mapping[str, Any],
    more: Mapping[str, Any] | None = None,
) -> str:
    """Make ``row`` the author's decision; where it is already, ``more`` is no news either."""
    more = more or {}
    place = (
        (decisions.c.message_id == message)
        & (decisions.c.kind == kind)
        & (decisions.c.author == author)
    )
    earlier = connection.execute(select(decisions).where(place)).first()
    if earlier is None:
        values = {"message_id": message, "kind": kind, "author": author, **row, **more}
        connection.execute(insert(decisions).values(values))
        return "stored"
    if all(getattr(earlier, name) == value for name, value in row.items()):
        return "repeated"
    connection.execute(update(decisions).where(place).values({**row, **more}))
    return "changed"


def _standings(connection: Connection, message: str) -> dict[Kind, Standing]:
    return {entry.kind: entry.standing for entry in entries(connection, message)}


def _row(label: bool | None, categories: Mapping[str, bool]) -> dict[str, Any]:
    return {"label": label} | {category: categories.get(category) for category in CATEGORIES}


def _decision(row: Row[Any]) -> Decision:
    said = {category: getattr(row, category) for category in CATEGORIES}
    return Decision(
        author=row.author,
        is_admin=row.is_admin,
        label=row.label,
        decided_at=row.decided_at,
        categories={category: holds for category, holds in said.items() if holds is not None},
        digest=row.digest,
        note=row.note,
    )

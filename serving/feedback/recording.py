"""What moderators say, stored: as many submissions as there are, by a handful of statements."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, insert, select, tuple_

from models.text import NORMALISER_VERSION
from serving.feedback.decisions import Kind
from serving.feedback.errors import KeyReusedError
from serving.feedback.ledger import Ledger, columns
from serving.feedback.store import text_key
from serving.feedback.submission import Receipt, Submission
from serving.feedback.tables import messages, requests

# What the author called a request, and what became of it: its fingerprint, and the message's id.
_Requests = dict[tuple[str, str], tuple[str, str]]


def record(
    connection: Connection, given: Sequence[Submission], now: datetime
) -> list[Receipt | KeyReusedError]:
    """Store submissions as if each came after the one before.

    Parameters
    ----------
    now : datetime
        Of the first one; each other one is told to be a microsecond later, for of two admins the
        last one's word counts.

    Returns
    -------
    list
        What became of each, or why nothing did.
    """
    carried_out = _carried_out(connection, given)
    keys = [text_key(said.text) for said in given]
    ids = _ids(connection, keys)
    ledger = Ledger(connection, [*ids.values(), *(message for _, message in carried_out.values())])
    new_messages: dict[str, dict[str, Any]] = {}
    new_requests: dict[tuple[str, str], dict[str, Any]] = {}
    answers: list[Receipt | KeyReusedError] = []
    for number, (said, key) in enumerate(zip(given, keys, strict=True)):
        moment = now + number * timedelta.resolution
        name = said.author, said.key
        if name in carried_out:
            answers.append(_repeated(ledger, said, *carried_out[name]))
            continue
        if key not in ids:
            ids[key] = new = uuid.uuid4().hex
            row = {"id": new, "text_key": key, "text": said.text}
            new_messages[key] = row | {"normaliser": NORMALISER_VERSION}
        message = ids[key]
        outcomes = _decide(ledger, message, said, moment)
        if said.key:
            fingerprint = said.fingerprint()
            carried_out[name] = fingerprint, message
            row = {"author": said.author, "key": said.key, "fingerprint": fingerprint}
            new_requests[name] = row | {"message_id": message, "carried_out_at": moment}
        answers.append(Receipt(message, ledger.standings(message), outcomes))
    _insert(connection, messages, new_messages)
    ledger.write()
    _insert(connection, requests, new_requests)
    return answers


def _carried_out(connection: Connection, given: Iterable[Submission]) -> _Requests:
    """Return the earlier requests of the same names."""
    names = {(said.author, said.key) for said in given if said.key}
    if not names:
        return {}
    query = select(requests).where(tuple_(requests.c.author, requests.c.key).in_(names))
    return {
        (row.author, row.key): (row.fingerprint, row.message_id)
        for row in connection.execute(query)
    }


def _ids(connection: Connection, keys: Iterable[str]) -> dict[str, str]:
    """Return the ids of the messages that are stored already, by their keys."""
    query = select(messages.c.text_key, messages.c.id).where(messages.c.text_key.in_(set(keys)))
    return {row.text_key: row.id for row in connection.execute(query)}


def _repeated(
    ledger: Ledger, said: Submission, fingerprint: str, message: str
) -> Receipt | KeyReusedError:
    if said.fingerprint() != fingerprint:
        return KeyReusedError("this Idempotency-Key came before, with another body")
    return Receipt(message, ledger.standings(message), dict.fromkeys(said.labels, "repeated"))


def _decide(ledger: Ledger, message: str, said: Submission, now: datetime) -> dict[Kind, str]:
    outcomes = {}
    for kind, label in said.labels.items():
        row = columns(label, said.categories if kind == "toxicity" else {})
        about = {
            "digest": said.digests.get(kind),
            "request_id": said.request_id,
            "note": said.note,
            "decided_at": now,
        }
        row["is_admin"] = said.is_admin
        outcomes[kind] = ledger.decide(message, kind, said.author, row, about)
    return outcomes


def _insert(connection: Connection, table: Table, rows: Mapping[Any, Mapping[str, Any]]) -> None:
    """Store rows in the order of their keys, so that of two who do it one waits for the other."""
    if rows:
        connection.execute(insert(table), [row for _, row in sorted(rows.items())])

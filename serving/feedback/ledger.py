"""What was decided of some messages: read at once, added to in memory, and written at once."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from serving.feedback.decisions import CATEGORIES, Decision, Kind, Standing, settle
from serving.feedback.tables import decisions

# A row of which nothing is known yet.
_NOTHING = {column.name: None for column in decisions.columns if not column.primary_key}


class _Place(NamedTuple):
    """Where a decision has its row, of which there is one at most."""

    message_id: str
    kind: Kind
    author: str


class Ledger:
    """The decisions on some messages, within one transaction.

    Parameters
    ----------
    connection : Connection
    messages : iterable of str
        Their ids.
    """

    def __init__(self, connection: Connection, messages: Iterable[str]) -> None:
        self._connection = connection
        self._rows: dict[str, dict[_Place, dict[str, Any]]] = {}
        self._new: dict[_Place, dict[str, Any]] = {}
        self._changed: dict[_Place, dict[str, Any]] = {}
        if wanted := set(messages):
            stored = select(decisions).where(decisions.c.message_id.in_(wanted))
            for row in connection.execute(stored).mappings():
                place = _Place(row["message_id"], row["kind"], row["author"])
                self._rows.setdefault(place.message_id, {})[place] = dict(row)

    def decide(
        self,
        message: str,
        kind: Kind,
        author: str,
        said: Mapping[str, Any],
        about: Mapping[str, Any],
    ) -> str:
        """Make this the author's decision, and return stored, changed or repeated.

        Parameters
        ----------
        said : mapping of str to Any
            Columns that make it another decision where they differ, see :func:`columns`.
        about : mapping of str to Any
            Other columns, which alone are no news.
        """
        place = _Place(message, kind, author)
        rows = self._rows.setdefault(message, {})
        earlier = rows.get(place)
        if earlier is None:
            self._new[place] = rows[place] = _NOTHING | place._asdict() | {**said, **about}
            return "stored"
        if all(earlier[name] == value for name, value in said.items()):
            return "repeated"
        earlier.update({**said, **about})
        if place not in self._new:
            self._changed[place] = earlier
        return "changed"

    def standings(self, message: str) -> dict[Kind, Standing]:
        """Return how a message stands, of each kind that anybody decided on."""
        given: dict[Kind, list[Decision]] = {}
        rows = self._rows.get(message, {})
        for place in sorted(rows, key=lambda place: (rows[place]["decided_at"], place)):
            given.setdefault(place.kind, []).append(decision(rows[place]))
        return {kind: settle(some) for kind, some in given.items()}

    def write(self) -> None:
        """Store what is new. Whoever else writes keeps to the same order, so that one can wait."""
        if self._new:
            self._connection.execute(
                insert(decisions), [row for _, row in sorted(self._new.items())]
            )
        if self._changed:
            # All of them in one go: with a server far away each statement has its way to go.
            changed = update(decisions).where(decisions.c.id == bindparam("row"))
            rows = [row for _, row in sorted(self._changed.items())]
            self._connection.execute(changed, [_changes(row) for row in rows])


def _changes(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"row": row["id"]} | {
        name: value for name, value in row.items() if name not in ("id", *_Place._fields)
    }


def columns(label: bool | None, categories: Mapping[str, bool]) -> dict[str, Any]:
    """Return the columns of a label and of all categories, null where nothing was said of one."""
    return {"label": label} | {category: categories.get(category) for category in CATEGORIES}


def decision(row: Mapping[str, Any] | RowMapping) -> Decision:
    """Return the decision of a row of the table."""
    said = {category: row[category] for category in CATEGORIES}
    return Decision(
        author=row["author"],
        is_admin=row["is_admin"],
        label=row["label"],
        decided_at=row["decided_at"],
        categories={category: holds for category, holds in said.items() if holds is not None},
        digest=row["digest"],
        note=row["note"],
    )

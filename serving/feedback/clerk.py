"""What the process beside a worker does in the feedback database, each thing in one transaction."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from serving.feedback.errors import DatabaseError, KeyReusedError
from serving.feedback.submission import Receipt, Submission
from serving.logs import open_log, take_over

if TYPE_CHECKING:  # SQLAlchemy takes a while to import, which the process pays
    from sqlalchemy import Connection

    from serving.feedback.database import Database, Line

T = TypeVar("T")

#: How often old decisions are deleted, by one of the workers.
PURGE_EVERY = timedelta(days=1)


class Time(NamedTuple):
    """What a piece of work may take.

    Attributes
    ----------
    seconds : float
        For each statement, and for waiting for another process.
    until : float
        When all of it is over, by the clock of the whole machine, :func:`time.monotonic`.
    """

    seconds: float
    until: float


class Clerk:
    """Does what is to be done, as long as the database answers in time."""

    def __init__(self) -> None:
        self._address = ""
        self._databases: dict[float, Database] = {}
        self._under_way: dict[Line, float] = {}

    def set_up(self, log_level: str, address: str) -> None:
        """Write the log from now on, and open the database at this address."""
        take_over(open_log(log_level))
        self._address = address

    def record(
        self, time_given: Time, given: Sequence[Submission]
    ) -> list[Receipt | KeyReusedError]:
        """Store submissions, see :func:`serving.feedback.recording.record`.

        Raises
        ------
        DatabaseError, SchemaError
        """
        from serving.feedback import recording

        return self._run(
            time_given, lambda connection: recording.record(connection, given, datetime.now(UTC))
        )

    def forget(self, time_given: Time, message: str | None, text: str | None) -> int:
        """Delete a message, see :func:`serving.feedback.store.forget`.

        Raises
        ------
        DatabaseError, SchemaError
        """
        from serving.feedback import store

        return self._run(time_given, lambda connection: store.forget(connection, message, text))

    def renew_keys(self, time_given: Time, limit: int) -> int:
        """Give messages this release's keys, see :func:`serving.feedback.store.renew_keys`.

        Raises
        ------
        DatabaseError, SchemaError
        """
        from serving.feedback import store

        return self._run(time_given, lambda connection: store.renew_keys(connection, limit))

    def purge(self, time_given: Time, keep: timedelta) -> int | None:
        """Delete what is older than ``keep``; return how many messages, None if others did it.

        Raises
        ------
        DatabaseError, SchemaError
        """
        from serving.feedback import store

        def work(connection: "Connection") -> int | None:
            now = datetime.now(UTC)
            if not store.take_turn(connection, "purge", PURGE_EVERY, now):
                return None
            return store.purge(connection, now - keep, now)

        return self._run(time_given, work)

    def cut_overdue(self) -> None:
        """Make fail what should have ended by now, and nobody waits for."""
        now = time.monotonic()
        for line, until in list(self._under_way.items()):
            if until <= now:
                line.cut()

    def _run(self, time_given: Time, work: "Callable[[Connection], T]") -> T:
        from serving.feedback.database import Line

        if time_given.until <= time.monotonic():  # it waited for its turn
            raise DatabaseError("late")
        line = Line()
        self._under_way[line] = time_given.until
        try:
            return self._database(time_given.seconds).run(work, line)
        finally:
            del self._under_way[line]

    def _database(self, seconds: float) -> "Database":
        if seconds not in self._databases:  # two threads at once make two, and one is dropped
            from serving.feedback.database import Database

            self._databases[seconds] = Database(self._address, seconds)
        return self._databases[seconds]

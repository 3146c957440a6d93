"""The database: SQLite or PostgreSQL, one connection for each piece of work, nothing left open."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from serving.feedback.errors import DatabaseError, RefusedError
from serving.feedback.schema import bring_up

T = TypeVar("T")
Work = Callable[[Connection], T]

# Two workers that store the same new message at the same moment: the second one finds it then.
_TRIES = 3

# PostgreSQL's word for having ended one of two that wait for each other.
_DEADLOCK = "40P01"

# psycopg waits two seconds at least.
_CONNECT_SECONDS = 2


class Line:
    """The connections that one piece of work has opened, so that another thread can cut them."""

    def __init__(self) -> None:
        self._connections: list[Any] = []

    def add(self, connection: Any) -> None:
        """Note a connection of the driver."""
        self._connections.append(connection)

    def cut(self) -> None:
        """Make whatever waits on these connections fail now.

        A server that takes bytes and says nothing keeps a thread for ever otherwise: its own limit
        on statements cannot help.
        """
        for connection in self._connections:
            with contextlib.suppress(Exception):  # closed meanwhile, which is as good
                if hasattr(connection, "interrupt"):  # SQLite
                    connection.interrupt()
                else:
                    with socket.socket(fileno=os.dup(connection.fileno())) as line:
                        line.shutdown(socket.SHUT_RDWR)


class Database:
    """Where feedback is kept.

    Parameters
    ----------
    address : str
        ``sqlite:///FILE`` or ``postgresql+psycopg://…``.
    seconds : float
        What a statement, or waiting for another process, may take.
    """

    def __init__(self, address: str, seconds: float) -> None:
        self._url = make_url(address)
        self._seconds = seconds
        self._local = threading.local()
        self._engine = _open(self._url, seconds, self._note)

    def run(self, work: Work[T], line: Line | None = None) -> T:
        """Return what ``work`` does in one transaction, the tables brought up to date first.

        Parameters
        ----------
        work : callable of a Connection
            It may be done twice.
        line : Line, optional
            For whoever may want to cut it.

        Raises
        ------
        DatabaseError, SchemaError
        """
        for attempt in range(1, _TRIES + 1):
            try:
                return self.run_bare(work, line, prepare=bring_up)
            except DBAPIError as error:  # of two that did the same
                if attempt == _TRIES:
                    raise RefusedError(type(error).__name__) from None
        raise AssertionError

    def run_bare(
        self, work: Work[T], line: Line | None = None, prepare: Work[None] | None = None
    ) -> T:
        """Return what ``work`` does in one transaction, whatever tables there are."""
        self._local.line = line or Line()
        try:
            with self._engine.begin() as connection:
                if self._url.get_backend_name() == "postgresql":
                    milliseconds = int(self._seconds * 1000)
                    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
                if prepare is not None:
                    prepare(connection)
                return work(connection)
        except (DBAPIError, OSError) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if isinstance(error, IntegrityError) or getattr(cause, "sqlstate", "") == _DEADLOCK:
                raise
            is_away = isinstance(error, OSError | OperationalError | InterfaceError)
            sort = DatabaseError if is_away else RefusedError
            kind = type(cause).__name__
        raise sort(kind)  # out here: the driver's error may hold what was being stored

    def _note(self, connection: Any) -> None:
        self._local.line.add(connection)


def _open(url: URL, seconds: float, note: Callable[[Any], None]) -> Engine:
    is_file = url.get_backend_name() == "sqlite"
    if is_file:
        _make_private(Path(url.database or ""))
    options = {"timeout": seconds} if is_file else {"connect_timeout": _CONNECT_SECONDS}
    # A connection for each piece of work: none is stale after the server was away, and feedback is
    # not so frequent that opening one matters.
    engine = create_engine(url, connect_args=options, poolclass=NullPool, hide_parameters=True)

    # First of all: SQLAlchemy asks the server a few things on its very first connection.
    @event.listens_for(engine, "connect", insert=True)
    def connected(connection: Any, _record: Any) -> None:
        note(connection)
        if is_file:
            connection.isolation_level = None  # we begin, see below
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")

    if is_file:

        @event.listens_for(engine, "begin")
        def begun(connection: Connection) -> None:
            # A transaction that reads and then writes would fail, not wait, behind another one.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _make_private(file: Path) -> None:
    """Make the file, if there is none, so that nobody else can read it."""
    with contextlib.suppress(OSError):  # SQLite says what is wrong when it is opened
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))

"""Where feedback comes in over HTTP: a few threads do what the database is slow at."""

import asyncio
import re
from collections import Counter as Tally
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from prometheus_client import CollectorRegistry, Counter

from serving.aside import give_way
from serving.callers import current_caller
from serving.errors import InvalidInputError
from serving.exchange import Body, Reply, json_reply, request_id
from serving.feedback.errors import DatabaseError, SchemaError, UnavailableError
from serving.feedback.schemas import (
    FeedbackAnswer,
    FeedbackRequest,
    ForgetAnswer,
    ForgetRequest,
)
from serving.logs import Log, where_raised
from serving.schemas import read_request
from serving.settings import Settings

if TYPE_CHECKING:  # SQLAlchemy takes a while to import: the threads pay
    from sqlalchemy import Connection

    from serving.feedback.database import Database, Line
    from serving.feedback.store import Receipt

T = TypeVar("T")

#: How often old decisions are deleted, by one of the workers, and how often each asks for its turn.
PURGE_EVERY = timedelta(days=1)
TURN_SECONDS = 600.0

#: Before the first turn: the models are loaded first.
START_SECONDS = 10.0

#: What may take longer, as no caller waits for it: bringing the tables up to date, deleting a lot.
CHORE_SECONDS = 60.0

_KEY = re.compile(r"[\x21-\x7e]{1,128}")


class FeedbackMetrics:
    """What is counted of feedback; all label values are of fixed sets."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._decisions = Counter(
            "careerlens_feedback_decisions",
            "Decisions of moderators that came in: stored, changed or repeated.",
            ["kind", "outcome"],
            registry=registry,
        )
        self._failures = Counter(
            "careerlens_feedback_failures",
            "Requests that the feedback database did not serve: away, late or schema.",
            ["reason"],
            registry=registry,
        )
        self._deleted = Counter(
            "careerlens_feedback_deleted",
            "Messages deleted from the feedback: on request, or because they were old.",
            ["cause"],
            registry=registry,
        )

    def count_receipt(self, receipt: "Receipt") -> None:
        """Count what became of a submission."""
        for kind, outcome in receipt.outcomes.items():
            self._decisions.labels(kind, outcome).inc()

    def count_failure(self, reason: str) -> None:
        """Count one request that was not served."""
        self._failures.labels(reason).inc()

    def count_deleted(self, cause: str, messages: int) -> None:
        """Count messages deleted by ``request`` or for their ``age``."""
        self._deleted.labels(cause).inc(messages)


class FeedbackDesk:
    """Takes in decisions and deletes on request, as long as the database answers in time.

    While it does not, callers are told so soon, and nothing else of the service waits for it.

    Parameters
    ----------
    settings : Settings
    metrics : FeedbackMetrics
    log : Log
    """

    def __init__(self, settings: Settings, metrics: FeedbackMetrics, log: Log) -> None:
        self._address = settings.database_url
        self._seconds = settings.database_timeout_seconds
        self._keep = timedelta(days=settings.feedback_days)
        self._max_chars = settings.max_chars
        self._metrics = metrics
        self._log = log
        self._threads = ThreadPoolExecutor(
            settings.database_connections, "feedback", initializer=give_way
        )
        self._imported = False
        self._opened: dict[float, Database] = {}
        self._faults: Tally[str] = Tally()
        self._cleaner: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to delete what is old, soon; the tables are brought up to date with it."""
        self._cleaner = asyncio.get_running_loop().create_task(self._clean())

    async def stop(self) -> None:
        """End that."""
        if self._cleaner is not None:
            self._cleaner.cancel()
            await asyncio.wait([self._cleaner])
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def post(self, body: Body) -> Reply:
        """Answer POST /feedback."""
        request = read_request(FeedbackRequest, body.content, max_chars=self._max_chars)
        answer = await self.take(request, body.idempotency_key)
        return json_reply(answer.model_dump(exclude={"request_id"}))

    async def delete(self, body: Body) -> Reply:
        """Answer POST /feedback/delete."""
        request = read_request(ForgetRequest, body.content, max_chars=self._max_chars)
        answer = await self.forget(request)
        return json_reply(answer.model_dump(exclude={"request_id"}))

    async def take(self, request: FeedbackRequest, key: str = "") -> FeedbackAnswer:
        """Store what the caller says, once for each ``key``.

        Raises
        ------
        InvalidInputError, KeyReusedError, UnavailableError
        """
        if key and not _KEY.fullmatch(key):
            raise InvalidInputError(
                "Idempotency-Key must be 1 to 128 visible characters of ASCII",
                "invalid_idempotency_key",
            )
        caller = current_caller.get()
        # Where there are no keys anybody may do anything, but nobody is known to be an admin.
        is_admin = bool(caller.key_id) and "admin" in caller.scopes

        def work(connection: "Connection") -> "Receipt":
            from serving.feedback import store

            said = store.Submission(
                text=request.text,
                author=caller.name,
                is_admin=is_admin,
                labels=request.labels(),
                categories=request.said_categories(),
                digests=request.said_digests(),
                request_id=request.request_id,
                note=request.note,
                key=key,
            )
            return store.record(connection, said, datetime.now(UTC))

        receipt = await self._run(work)
        self._metrics.count_receipt(receipt)
        status = {kind: standing.status for kind, standing in receipt.standings.items()}
        return FeedbackAnswer(
            accepted=True, id=receipt.message_id, status=status, request_id=request_id()
        )

    async def forget(self, request: ForgetRequest) -> ForgetAnswer:
        """Delete a message and all that was decided of it.

        Raises
        ------
        UnavailableError
        """

        def work(connection: "Connection") -> int:
            from serving.feedback import store

            return store.forget(connection, request.id, request.text)

        deleted = await self._run(work)
        self._metrics.count_deleted("request", deleted)
        return ForgetAnswer(deleted=deleted, request_id=request_id())

    async def _clean(self) -> None:
        await asyncio.sleep(START_SECONDS)
        while True:
            try:
                await self._run(self._purge, CHORE_SECONDS)
            except UnavailableError:
                pass  # it was logged
            except Exception as error:  # the task's edge: the next turn may fare better
                self._report("purge", type(error).__name__, at=where_raised(error))
            await asyncio.sleep(TURN_SECONDS)

    def _purge(self, connection: "Connection") -> None:
        from serving.feedback import store

        now = datetime.now(UTC)
        if store.take_turn(connection, "purge", PURGE_EVERY, now):
            deleted = store.purge(connection, now - self._keep, now)
            self._metrics.count_deleted("age", deleted)
            self._log.info("feedback purged", messages=deleted)

    async def _run(self, work: Callable[["Connection"], T], seconds: float | None = None) -> T:
        """Return what ``work`` does in a transaction, in time.

        Raises
        ------
        UnavailableError
        """
        seconds = seconds or self._seconds
        lines: list[Line] = []

        def call() -> T:
            from serving.feedback.database import Line

            lines.append(Line())
            return self._database(seconds).run(work, lines[0])

        reason, fault = "away", ""
        if not self._imported:  # no fault of the database's: its time begins afterwards
            await asyncio.get_running_loop().run_in_executor(self._threads, _import_all)
            self._imported = True
        try:
            async with asyncio.timeout(seconds):
                done = await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except TimeoutError:
            reason = fault = "late"
            for line in lines:  # none if it was still waiting for a thread
                line.cut()
        except DatabaseError as error:
            fault = error.kind
        except SchemaError as error:
            reason, fault = "schema", str(error)
        else:
            if self._faults:
                self._faults.clear()
                self._log.info("feedback is back")
            return done
        self._metrics.count_failure(reason)
        self._report(reason, fault)
        raise UnavailableError  # out here: the driver's error may hold what was being stored

    def _database(self, seconds: float) -> "Database":
        if seconds not in self._opened:  # two threads at once make two, and one is dropped
            from serving.feedback.database import Database

            self._opened[seconds] = Database(self._address.get_secret_value(), seconds)
        return self._opened[seconds]

    def _report(self, reason: str, fault: str, **more: object) -> None:
        """Log the first of each sort of failure until the database is back."""
        self._faults[fault] += 1
        if self._faults[fault] == 1:
            self._log.warning("feedback is unavailable", reason=reason, error=fault, **more)


def _import_all() -> None:
    """Import what talks to the database: SQLAlchemy and Alembic take a while."""
    for name in ("database", "store"):
        import_module(f"serving.feedback.{name}")

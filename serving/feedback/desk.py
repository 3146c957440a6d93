"""Where feedback comes in over HTTP; a process beside the worker asks the database."""

import asyncio
import re
import time
from collections import Counter as Tally
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter

from serving.beside import EndedError, UnforeseenError
from serving.callers import current_caller
from serving.errors import InvalidInputError
from serving.exchange import Body, Reply, json_reply, request_id
from serving.feedback.clerk import Clerk, Time
from serving.feedback.clerks import Clerks
from serving.feedback.errors import DatabaseError, SchemaError, UnavailableError
from serving.feedback.schemas import (
    FeedbackAnswer,
    FeedbackRequest,
    ForgetAnswer,
    ForgetRequest,
)
from serving.feedback.submission import Receipt, Submission
from serving.logs import Log, where_raised
from serving.schemas import read_request
from serving.settings import Settings

T = TypeVar("T")

#: How often each worker asks for its turn to delete old decisions.
TURN_SECONDS = 600.0

#: Before the first turn: the models are loaded first.
START_SECONDS = 10.0

#: What may take longer, as no caller waits for it: bringing the tables up to date, deleting a lot.
CHORE_SECONDS = 60.0

#: Messages that get new keys in one transaction, after another release of the normaliser, and
#: seconds between two of them: SQLite lets nobody else write meanwhile.
KEYS_AT_ONCE = 50
KEYS_PAUSE = 0.2

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

    def count_receipt(self, receipt: Receipt) -> None:
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
        self._seconds = settings.database_timeout_seconds
        self._keep = timedelta(days=settings.feedback_days)
        self._max_chars = settings.max_chars
        self._metrics = metrics
        self._log = log
        self._clerks = Clerks(settings.log_level, settings.database_url.get_secret_value(), log)
        self._faults: Tally[str] = Tally()
        self._cleaner: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to delete what is old, soon; tables and keys are brought up to date with it."""
        self._cleaner = asyncio.get_running_loop().create_task(self._clean())

    async def stop(self) -> None:
        """End that."""
        if self._cleaner is not None:
            self._cleaner.cancel()
            await asyncio.wait([self._cleaner])
        await asyncio.to_thread(self._clerks.close)

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

        said = Submission(
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
        receipt = await self._do(self._seconds, lambda given: self._clerks.record(given, said))
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
        deleted = await self._do(
            self._seconds,
            lambda given: self._clerks.do(Clerk.forget, given, request.id, request.text),
        )
        self._metrics.count_deleted("request", deleted)
        return ForgetAnswer(deleted=deleted, request_id=request_id())

    async def _clean(self) -> None:
        await asyncio.sleep(START_SECONDS)
        while True:
            try:
                while await self._renew_keys() == KEYS_AT_ONCE:
                    await asyncio.sleep(KEYS_PAUSE)
                await self._purge()
            except UnavailableError:
                pass  # it was logged
            except Exception as error:  # the task's edge: the next turn may fare better
                sort = str(error) if isinstance(error, UnforeseenError) else type(error).__name__
                self._report("chore", sort, at=where_raised(error))
            await asyncio.sleep(TURN_SECONDS)

    async def _renew_keys(self) -> int:
        renewed = await self._do(
            CHORE_SECONDS, lambda given: self._clerks.do(Clerk.renew_keys, given, KEYS_AT_ONCE)
        )
        if renewed:
            self._log.info("feedback keys renewed", messages=renewed)
        return renewed

    async def _purge(self) -> None:
        deleted = await self._do(
            CHORE_SECONDS, lambda given: self._clerks.do(Clerk.purge, given, self._keep)
        )
        if deleted is not None:
            self._metrics.count_deleted("age", deleted)
            self._log.info("feedback purged", messages=deleted)

    async def _do(self, seconds: float, work: Callable[[Time], Awaitable[T]]) -> T:
        """Return what comes of ``work``, in time.

        Raises
        ------
        UnavailableError
        """
        reason, fault = "away", ""
        try:
            if not self._clerks.is_open:  # no fault of the database's: its time begins afterwards
                await self._clerks.open()
            until = time.monotonic() + seconds
            async with asyncio.timeout(seconds):
                done = await work(Time(seconds, until))
        except TimeoutError:
            reason = fault = "late"
            self._clerks.cut_overdue()
        except DatabaseError as error:
            fault = error.kind
        except SchemaError as error:
            reason, fault = "schema", str(error)
        except EndedError as error:
            fault = type(error).__name__
        else:
            if self._faults:
                self._faults.clear()
                self._log.info("feedback is back")
            return done
        self._metrics.count_failure(reason)
        self._report(reason, fault)
        raise UnavailableError  # out here: the driver's error may hold what was being stored

    def _report(self, reason: str, fault: str, **more: object) -> None:
        """Log the first of each sort of failure until the database is back."""
        self._faults[fault] += 1
        if self._faults[fault] == 1:
            self._log.warning("feedback is unavailable", reason=reason, error=fault, **more)

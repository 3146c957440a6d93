"""The process beside a worker that talks to the feedback database, as the worker has it.

In the worker SQLAlchemy would hold the interpreter for milliseconds, in which messages wait: each
thing is stored by half a dozen statements.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

from serving.beside import EndedError, Process, UnforeseenError
from serving.feedback.clerk import Clerk, Time
from serving.feedback.errors import RefusedError
from serving.feedback.submission import Receipt, Submission
from serving.logs import Log

P = ParamSpec("P")
T = TypeVar("T")

#: Seconds in which a process is there at least to be asked, and after which another one is started
#: where one was not.
START_SECONDS = 60.0
AGAIN_SECONDS = 5.0

#: Seconds for which its end is waited for.
END_SECONDS = 1.0

#: What no caller waits for, and may take a while: it is done beside the rest.
CHORES = (Clerk.renew_keys, Clerk.purge)

#: Seconds after the end of its time for which work is waited for before the process is ended.
PATIENCE = 5.0

#: After a transaction with submissions comes a rest, of so many seconds in a worker that never
#: rests, and what comes meanwhile is stored together: messages wait for the processor that a
#: transaction takes, and it takes little more for many submissions than for one.
LONGEST_REST = 0.25

#: No rest takes more than such a share of the seconds that are given for a submission.
REST_OF_LIMIT = 0.125

#: Submissions in one transaction, and characters, which take their time to be cleaned.
MOST_AT_ONCE = 100
MOST_CHARACTERS = 1_000_000


class _Waiting(NamedTuple):
    """A submission that waits to be stored."""

    said: Submission
    time_given: Time
    receipt: asyncio.Future[Receipt]


class Clerks:
    """The process, which does one thing after the other, and chores beside; started when needed.

    Submissions that wait are stored together.

    Parameters
    ----------
    log_level : str
    address : str
        Of the database.
    log : Log
    """

    def __init__(self, log_level: str, address: str, log: Log) -> None:
        self._chosen = (log_level, address)
        self._log = log
        self._turn = asyncio.Semaphore(1)
        self._chores = asyncio.Semaphore(1)
        self._waiting: list[_Waiting] = []
        self._most = MOST_AT_ONCE  # of the next group
        self._clocks = time.monotonic(), time.process_time()
        self._recording: asyncio.Task[None] | None = None
        self._cutting: asyncio.Task[None] | None = None
        self._is_overdue = False
        self._process: Process | None = None
        self._starting: Process | None = None
        self._opener = ThreadPoolExecutor(1, "clerks")
        self._not_before = 0.0
        self._closed = threading.Event()

    @property
    def is_open(self) -> bool:
        """Whether there is a process to ask."""
        process = self._process
        return process is not None and process.popen.poll() is None

    async def open(self) -> None:
        """Start the process if there is none, and wait until it can be asked.

        Raises
        ------
        EndedError
            If it cannot be started, ends at once, or did so a moment ago.
        """
        if self._closed.is_set():
            raise EndedError("the process that talks to the database was ended")
        # A thread of its own: on a busy machine the start may take those of all others.
        await asyncio.get_running_loop().run_in_executor(self._opener, self._open)

    def _open(self) -> None:
        if self.is_open:
            return
        if self._process is not None:
            self._end()
        if self._closed.is_set() or time.monotonic() < self._not_before:
            raise EndedError("the process that talks to the database does not start")
        self._not_before = time.monotonic() + AGAIN_SECONDS
        try:
            process = self._starting = Process("serving.feedback.clerk_child")
        except OSError:  # no memory for one more, say
            raise EndedError("the process that talks to the database cannot be started") from None
        try:
            if self._closed.is_set():  # meanwhile
                raise EndedError("the process that talks to the database was ended")
            process.call(START_SECONDS, Clerk.set_up, self._chosen, {})
        except BaseException:
            process.close(END_SECONDS)
            raise
        finally:
            self._starting = None
        self._process = process
        if self._closed.is_set():  # meanwhile
            self._end()

    async def do(
        self,
        work: Callable[Concatenate[Clerk, Time, P], T],
        time_given: Time,
        *given: P.args,
        **named: P.kwargs,
    ) -> T:
        """Return what ``work`` of a clerk does.

        Raises
        ------
        EndedError
            If the process ended meanwhile, or there is none.
        Exception
            Whatever the method raises.
        """
        bound = self._chores if work in CHORES else self._turn
        return await self._ask(bound, work, time_given, *given, **named)

    async def _ask(
        self,
        bound: asyncio.Semaphore,
        work: Callable[Concatenate[Clerk, Time, P], T],
        time_given: Time,
        *given: P.args,
        **named: P.kwargs,
    ) -> T:
        process = self._process
        if process is None:
            raise EndedError("there is no process that talks to the database")
        patience = time_given.seconds + PATIENCE
        question = work, (time_given, *given), named
        done: T = await process.ask(bound, patience, *question, beside=work in CHORES)
        return done

    async def record(self, time_given: Time, said: Submission) -> Receipt:
        """Store a submission, in one transaction with others that wait; as :meth:`do` otherwise.

        Raises
        ------
        KeyReusedError
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(said, time_given, loop.create_future())
        self._waiting.append(waiting)
        if self._recording is None or self._recording.done():
            self._recording = loop.create_task(self._record_waiting())
        try:
            return await waiting.receipt
        finally:
            del waiting  # it has the error, which has this frame

    async def _record_waiting(self) -> None:
        while self._waiting:
            async with self._turn:
                group = self._next_group()
                if not group:
                    return
                await self._record(group)
            limit = group[0].time_given.seconds
            del group  # texts need not be kept meanwhile
            await asyncio.sleep(min(LONGEST_REST * self._share(), REST_OF_LIMIT * limit))

    def _next_group(self) -> list[_Waiting]:
        """Take what is stored together: one submission at least, where anybody waits."""
        waiting = [each for each in self._waiting if not each.receipt.done()]
        sizes = accumulate(len(each.said.text) for each in waiting)
        fitting = sum(size <= MOST_CHARACTERS for size in sizes)
        number = max(1, min(fitting, self._most))
        self._waiting = waiting[number:]
        return waiting[:number]

    def _share(self) -> float:
        """Return the share of the time since the last call in which this worker was at work."""
        earlier, self._clocks = self._clocks, (time.monotonic(), time.process_time())
        passed, worked = (now - then for now, then in zip(self._clocks, earlier, strict=True))
        return min(1.0, worked / passed)

    async def _record(self, group: Sequence[_Waiting]) -> None:
        seconds, until = map(max, zip(*(each.time_given for each in group), strict=True))
        said = [each.said for each in group]
        try:
            answers: Sequence[Receipt | Exception] = await self._ask(
                asyncio.Semaphore(1), Clerk.record, Time(seconds, until), said
            )
            failure = None
        except Exception as error:  # the task's edge: whoever waits gets it
            failure, answers = error.with_traceback(None), [error] * len(group)
        if isinstance(failure, RefusedError | UnforeseenError):
            if len(group) > 1:  # one of them is the cause
                for each in group:
                    if not each.receipt.done():
                        await self._record([each])
                return
        elif failure is None:
            self._most = min(2 * self._most, MOST_AT_ONCE)
        else:  # it may have been too much for its time
            self._most = max(1, len(group) // 2)
        for each, answer in zip(group, answers, strict=True):
            if each.receipt.done():  # nobody waits any longer
                continue
            if isinstance(answer, Exception):
                each.receipt.set_exception(answer)
            else:
                each.receipt.set_result(answer)

    def cut_overdue(self) -> None:
        """Have what should have ended by now fail, as nobody waits for it any longer."""
        self._is_overdue = True
        if self._process is not None and (self._cutting is None or self._cutting.done()):
            self._cutting = asyncio.get_running_loop().create_task(self._cut(self._process))

    async def _cut(self, process: Process) -> None:
        with contextlib.suppress(EndedError):  # and all that it did with it
            while self._is_overdue:  # more may be so meanwhile
                self._is_overdue = False
                await process.ask(
                    asyncio.Semaphore(1), PATIENCE, Clerk.cut_overdue, (), {}, beside=True
                )

    def close(self) -> None:
        """End the process, and start no other one."""
        self._closed.set()
        for process in (self._starting, self._process):
            if process is not None:
                process.kill()
        self._opener.shutdown()
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.close(END_SECONDS)
            if not self._closed.is_set():
                code, was_stuck = process.popen.returncode, process.was_stuck
                self._log.error("feedback process ended", code=code, hangs=was_stuck)

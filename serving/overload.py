"""Lines before work that is done one thing after the other, and whom to send away from them.

A line that grows for a moment is what lines are for. One that stands is of no use: everybody waits,
and no more is done. So a line that has stood for a while is held short by refusing newcomers, and
whoever could not be served in time is refused at once. After CoDel (RFC 8289) and its use for
requests by Maurer (2015), "Fail at Scale".

Short messages take less to score than to stand in a line of ours. Theirs is the event loop's own,
whose length shows in how long ago a message came in.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from serving.errors import BusyError
from serving.exchange import Arrival
from serving.metrics import Line as Name
from serving.metrics import Metrics
from serving.settings import Settings
from serving.tracing import note_seconds, span

#: Callers who ask again once they are answered make a line that never grows longer than they are
#: many. Up to so many are no overload, however long they wait; traffic that comes whether or not it
#: is answered soon makes a longer line.
CROWD = 16

#: Seconds for which everybody must have waited too long, in a line longer than the crowd, before it
#: counts as standing; and for which nobody must have waited half as long before it no longer does:
#: a line held short would pass for one that is gone, and be let grow again.
INTERVAL = 0.1
CALM_INTERVAL = 1.0

#: The former for messages, which take a thousandth of what others do.
MESSAGE_INTERVAL = 0.03

#: A standing line may be so many pieces of work long, where that takes longer than ``standing``.
STANDING_PIECES = 4

#: Work gives way to messages for so many times as long as its last piece took: while messages come
#: without an end, it still gets a fifth of the time.
GIVES_WAY = 4

#: Seconds without a message after which work need not give way to the next one.
CALM = 0.002

# Seconds of the shortest sleep: less is none to uvloop, so that waiting would keep the loop busy.
_TICK = 0.001

# Weight of the latest measurement in the running average of what a piece of work takes.
_LATEST = 0.1


class Standing:
    """Whether a line stands, judged by what those who leave it have waited.

    Parameters
    ----------
    interval : float
        Seconds for which everybody must have waited too long.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._stands = False
        self._late_since: float | None = None
        self._early_since: float | None = None

    def __bool__(self) -> bool:
        return self._stands

    def settle(self, now: float) -> None:
        """Let it stand no longer once nobody has waited for a while."""
        if self._early_since is not None and now - self._early_since >= CALM_INTERVAL:
            self._stands = False

    def note(self, waited: float, bound: float, is_crowded: bool, now: float) -> None:
        """Judge by one wait, which is too long from ``bound`` on if the line is a crowd's."""
        if waited <= bound or not is_crowded:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = now
        elif now - self._late_since >= self._interval:
            self._stands = True
        if waited >= bound / 2:
            self._early_since = None
        elif self._early_since is None:
            self._early_since = now


class Messages:
    """Short messages, scored in the event loop as their turn in it comes.

    Parameters
    ----------
    standing : float
        Seconds that they may wait while the loop is behind.
    metrics : Metrics
    """

    def __init__(self, *, standing: float, metrics: Metrics) -> None:
        self._bound = standing
        self._metrics = metrics
        self._stands = Standing(MESSAGE_INTERVAL)
        self._latest: deque[float] = deque(maxlen=CROWD)

    def admit(self, arrival: Arrival) -> None:
        """Let one be scored, unless the loop is behind and has kept it waiting for too long.

        What it waited for since, a slow body or Redis, says nothing of the loop.

        Parameters
        ----------
        arrival : Arrival
            Of its request.

        Raises
        ------
        BusyError
        """
        now = time.monotonic()
        waited = arrival.taken - arrival.read
        self._metrics.count_wait("messages", waited)
        note_seconds("queue", waited)
        # So many were let in while it waited. Callers in turn are never ahead of so many others.
        is_crowded = len(self._latest) == CROWD and self._latest[0] >= arrival.read
        self._stands.settle(now)
        self._stands.note(waited, self._bound, is_crowded, now)
        if self._stands and waited > self._bound:
            raise _refusal(self._metrics, "messages")
        self._latest.append(now)

    async def until_calm(self, seconds: float) -> None:
        """Wait until no message came for a moment, ``seconds`` at most."""
        now = time.monotonic()
        end = now + seconds
        while now < end and self._latest and (since := now - self._latest[-1]) < CALM:
            await asyncio.sleep(max(_TICK, min(CALM - since, end - now)))
            now = time.monotonic()


class Line:
    """One line, first come, first served.

    Parameters
    ----------
    name : str
        Of a fixed set.
    standing : float
        Seconds that work may wait while the line stands.
    longest : float
        Seconds that it may wait at most.
    metrics : Metrics
    places : int
        How many pieces of work are done at a time.
    crowd : int
        A line of no more than so many does not begin to stand.
    behind : Messages, optional
        They come first.
    """

    def __init__(
        self,
        name: Name,
        *,
        standing: float,
        longest: float,
        metrics: Metrics,
        places: int = 1,
        crowd: int = 0,
        behind: Messages | None = None,
    ) -> None:
        self._name = name
        self._standing = standing
        self._longest = longest
        self._metrics = metrics
        self._places = places
        self._crowd = crowd
        self._free = asyncio.Semaphore(places)
        self._behind = behind
        self._inside = 0
        self._ahead = 0.0
        self._owed = 0.0
        self._seconds: dict[str, float] = {}
        self._piece = 0.0  # what one takes, until the next one has its turn
        self._alone = 0.0  # and without what it gave way to
        self._stands = Standing(INTERVAL)

    @contextmanager
    def place(
        self, work: str, size: float, *, piece: float | None = None, whole: bool = True
    ) -> Iterator[None]:
        """Take a place in the line for as long as the request has something to do here.

        Parameters
        ----------
        work : str
            The sort of work, each of which takes its own time.
        size : float
            Of the work; what it takes grows with it.
        piece : float, optional
            What is done in one turn, if that is not all of it.
        whole : bool
            Whether it is all, or the first, that the request asks for. What goes on with something
            is not refused, as what was done would be lost.

        Raises
        ------
        BusyError
            If the wait would be too long.
        """
        wait, owed = self._ahead / self._places, self._owed / self._places
        self._stands.settle(time.monotonic())
        is_long = owed > self._longest or (self._stands and wait > self._bound())
        if whole and is_long:
            raise _refusal(self._metrics, self._name)
        seconds = self._seconds.get(work, 0.0)
        expected, next_turn = seconds * size, seconds * (size if piece is None else piece)
        self._ahead += next_turn
        self._owed += expected
        try:
            yield
        finally:
            self._ahead -= next_turn
            self._owed -= expected

    @asynccontextmanager
    async def turn(self, work: str, size: float, *, whole: bool = True) -> AsyncIterator[None]:
        """Wait for one's turn, and do one piece of work; as for :meth:`place`.

        Raises
        ------
        BusyError
            If it waited too long, which it may although it was let in.
        """
        self._inside += 1
        try:
            await self._wait(whole)
            try:
                started = time.monotonic()
                if self._behind is not None:
                    await self._behind.until_calm(GIVES_WAY * self._alone)
                begun = time.monotonic()
                yield
                now = time.monotonic()
                self._alone += _LATEST * (now - begun - self._alone)
                self._learn(work, size, now - started)
            finally:
                self._free.release()
        finally:
            self._inside -= 1

    async def _wait(self, whole: bool) -> None:
        """Wait until there is a free place, and judge the line by how long that took."""
        entered = time.monotonic()
        with span("queue"):
            await self._acquire(whole)
        now = time.monotonic()
        self._stands.note(now - entered, self._bound(), self._inside > self._crowd, now)
        if whole and self._stands and now - entered > self._bound():
            self._free.release()
            raise _refusal(self._metrics, self._name)

    async def _acquire(self, whole: bool) -> None:
        if not self._free.locked():
            await self._free.acquire()  # which is done at once
            self._metrics.count_wait(self._name, 0.0)
            return
        try:
            with self._metrics.waiting(self._name):
                async with asyncio.timeout(self._longest if whole else None):
                    await self._free.acquire()
        except TimeoutError:
            raise _refusal(self._metrics, self._name) from None

    def _bound(self) -> float:
        """Return the seconds that work may wait while the line stands."""
        return max(self._standing, STANDING_PIECES * self._piece / self._places)

    def _learn(self, work: str, size: float, seconds: float) -> None:
        known = self._seconds.get(work)
        now = seconds / max(size, 1.0)
        self._seconds[work] = now if known is None else known + _LATEST * (now - known)
        self._piece += _LATEST * (seconds - self._piece)


def _refusal(metrics: Metrics, line: Name) -> BusyError:
    metrics.count_turned_away(line)
    return BusyError("too much to do at a time; try again in a moment")


@dataclass(frozen=True)
class Lines:
    """The lines of one worker.

    Attributes
    ----------
    messages : Messages
    batches : Line
        Longer texts and batches, slice by slice; they give way to messages.
    resumes : Line
        Resumes, skills and jobs, in the process beside the worker.
    documents : Line
        Uploaded files, in processes of their own.
    """

    messages: Messages
    batches: Line
    resumes: Line
    documents: Line


def open_lines(settings: Settings, metrics: Metrics) -> Lines:
    """Return the lines that the operator chose."""
    longest, patience = settings.timeout_seconds / 2, settings.document_queue_seconds
    standing = settings.work_wait_seconds
    messages = Messages(standing=settings.message_wait_seconds, metrics=metrics)
    batches = Line(
        "batches",
        standing=standing,
        longest=longest,
        metrics=metrics,
        crowd=CROWD,
        behind=messages,
    )
    resumes = Line("resumes", standing=standing, longest=longest, metrics=metrics, crowd=CROWD)
    documents = Line(
        "documents",
        standing=min(standing, patience),
        longest=patience,
        metrics=metrics,
        places=settings.document_workers,
    )
    return Lines(messages, batches, resumes, documents)

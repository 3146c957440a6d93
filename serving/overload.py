"""Lines before work that is done one thing after the other, and whom to send away from them.

A line that grows for a moment is what lines are for. One that stands is of no use: everybody waits,
and no more is done. So a line that has stood for a while is held short by refusing newcomers, and
whoever could not be served in time is refused at once. After CoDel (RFC 8289) and its use for
requests by Maurer (2015), "Fail at Scale".
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram

from serving.errors import BusyError

#: Seconds for which everybody must have waited too long before a line counts as standing; and for
#: which nobody must have waited half as long before it no longer does.
INTERVAL = 0.1

#: A standing line may be so many pieces of work long, where that takes longer than ``standing``.
STANDING_PIECES = 10

# Weight of the latest measurement in the running average of what a piece of work takes.
_LATEST = 0.1

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class LineMetrics:
    """What is counted of lines; their names are of a fixed set."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._waits = Histogram(
            "careerlens_line_seconds",
            "Time that work waited for its turn.",
            ["line"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._refused = Counter(
            "careerlens_line_refused",
            "Requests that were refused, as the line was too long.",
            ["line"],
            registry=registry,
        )

    def count_wait(self, line: str, seconds: float) -> None:
        """Count one piece of work that waited for its turn."""
        self._waits.labels(line).observe(seconds)

    def count_refusal(self, line: str) -> None:
        """Count one request that was refused."""
        self._refused.labels(line).inc()


class Line:
    """One line, first come, first served.

    Parameters
    ----------
    name : str
    standing : float
        Seconds that work may wait while the line stands.
    longest : float
        Seconds that it may wait at most.
    metrics : LineMetrics
    places : int
        How many pieces of work are done at a time.
    """

    def __init__(
        self,
        name: str,
        *,
        standing: float,
        longest: float,
        metrics: LineMetrics,
        places: int = 1,
    ) -> None:
        self._name = name
        self._standing = standing
        self._longest = longest
        self._metrics = metrics
        self._places = places
        self._free = asyncio.Semaphore(places)
        self._ahead = 0.0
        self._seconds: dict[str, float] = {}
        self._piece = 0.0
        self._stands = False
        self._late_since: float | None = None
        self._early_since: float | None = None

    @contextmanager
    def place(self, work: str, size: float) -> Iterator[None]:
        """Take a place in the line for as long as the request has something to do here.

        Parameters
        ----------
        work : str
            The sort of work, each of which takes its own time.
        size : float
            Of the work; what it takes grows with it.

        Raises
        ------
        BusyError
            If the wait would be too long.
        """
        wait = self._ahead / self._places
        if wait > self._longest or (self._is_standing() and wait > self._bound()):
            raise self._refusal()
        expected = size * self._seconds.get(work, 0.0)
        self._ahead += expected
        try:
            yield
        finally:
            self._ahead -= expected

    @asynccontextmanager
    async def turn(self, work: str, size: float, *, whole: bool = True) -> AsyncIterator[None]:
        """Wait for one's turn, and do one piece of work.

        Parameters
        ----------
        whole : bool
            Whether it is all that the request has to do here. A part that comes too late, of
            something that is under way, is not refused.

        Raises
        ------
        BusyError
            If it waited too long, which it may although it was let in.
        """
        entered = time.monotonic()
        try:
            async with asyncio.timeout(self._longest if whole else None):
                await self._free.acquire()
        except TimeoutError:
            raise self._refusal() from None
        started = time.monotonic()
        try:
            waited = started - entered
            self._metrics.count_wait(self._name, waited)
            self._note(waited, started)
            if whole and self._stands and waited > 2 * self._bound():
                raise self._refusal()
            yield
            self._learn(work, size, time.monotonic() - started)
        finally:
            self._free.release()

    def _bound(self) -> float:
        """Return the seconds that work may wait while the line stands."""
        return max(self._standing, STANDING_PIECES * self._piece / self._places)

    def _is_standing(self) -> bool:
        if self._early_since is not None and time.monotonic() - self._early_since >= INTERVAL:
            self._stands = False
        return self._stands

    def _note(self, waited: float, now: float) -> None:
        """Judge by one wait whether the line stands."""
        bound = self._bound()
        if waited <= bound:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = now
        elif now - self._late_since >= INTERVAL:
            self._stands = True
        if waited >= bound / 2:
            self._early_since = None
        elif self._early_since is None:
            self._early_since = now

    def _learn(self, work: str, size: float, seconds: float) -> None:
        known = self._seconds.get(work)
        now = seconds / max(size, 1.0)
        self._seconds[work] = now if known is None else known + _LATEST * (now - known)
        self._piece += _LATEST * (seconds - self._piece)

    def _refusal(self) -> BusyError:
        self._metrics.count_refusal(self._name)
        return BusyError("too much to do at a time; try again in a moment")

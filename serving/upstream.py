"""Whether Adzuna may be called now: the circuit and the budget, and what they say when not."""

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from limits import parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from serving.errors import RequestError

#: After so many failures in a row nothing is sent for a while, then one call to see.
FAILURES_TO_OPEN = 5
OPEN_SECONDS = 30.0

#: What the budget counts, in the store that it counts in.
_CALLS = "adzuna"

Clock = Callable[[], float]


class ListingsUnavailableError(RequestError):
    """No live listings now: 503, with Retry-After where waiting helps."""

    status = 503
    code = "listings_unavailable"

    def __init__(self, detail: str, code: str, retry_after: float | None = None) -> None:
        super().__init__(detail, code)
        self.reason = self.code  # for the log
        self.retry_after = retry_after

    def headers(self) -> list[tuple[str, str]]:
        """Return Retry-After."""
        if self.retry_after is None:
            return []
        return [("retry-after", str(max(1, math.ceil(self.retry_after))))]


class AdzunaDownError(ListingsUnavailableError):
    """Adzuna fails; ``passing`` is what may be over at the next try."""

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(
            "Adzuna does not answer as it should; try again later", "adzuna_down", OPEN_SECONDS
        )
        self.reason = reason
        self.passing = passing


class Circuit:
    """Lets calls through until ``FAILURES_TO_OPEN`` in a row failed; then, after a pause, one.

    Parameters
    ----------
    clock : callable
        Seconds, such as ``time.monotonic``.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._probe_at = 0.0
        self._probing = False

    @property
    def open(self) -> bool:
        """Whether calls are held back."""
        return self._failures >= FAILURES_TO_OPEN

    @contextmanager
    def call(self) -> Iterator[None]:
        """Hold one call and learn from its end; an AdzunaDownError is a failure.

        Raises
        ------
        ListingsUnavailableError
            If the circuit is open.
        """
        probe = self.open
        if probe:
            left = self._probe_at - self._clock()
            if left > 0 or self._probing:
                raise ListingsUnavailableError(
                    "Adzuna failed several times in a row and is left alone for a while",
                    "adzuna_down",
                    left,
                )
            self._probing = True
        try:
            yield
        except AdzunaDownError:
            self._failures += 1
            self._probe_at = self._clock() + OPEN_SECONDS
            raise
        else:
            self._failures = 0
        finally:
            if probe:
                self._probing = False


class Budget:
    """The calls that may still be made, counted in this process.

    Parameters
    ----------
    budget : str
        Limits in the notation of the library ``limits``: ``25/minute,250/day``.
    clock : callable
        Seconds, such as ``time.monotonic``.
    """

    def __init__(self, budget: str, clock: Clock) -> None:
        self._limits = parse_many(budget)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._lock = asyncio.Lock()
        self._clock = clock
        self._quiet_until = -math.inf

    def close(self, seconds: float) -> None:
        """Allow no call for that long."""
        self._quiet_until = max(self._quiet_until, self._clock() + seconds)

    async def spend(self) -> None:
        """Count one call.

        Raises
        ------
        ListingsUnavailableError
            If none is left; nothing is counted then.
        """
        left = self._quiet_until - self._clock()
        if left > 0:
            raise quota_spent(left)
        async with self._lock:  # so that either every limit counts the call, or none
            windows = [
                await self._limiter.get_window_stats(limit, _CALLS) for limit in self._limits
            ]
            spent = [window.reset_time for window in windows if window.remaining < 1]
            if spent:
                raise quota_spent(max(spent) - time.time())
            for limit in self._limits:
                await self._limiter.hit(limit, _CALLS)


def quota_spent(seconds: float) -> ListingsUnavailableError:
    """Return the refusal of a call for that long."""
    return ListingsUnavailableError(
        "the quota of calls to Adzuna is spent; try again later", "adzuna_quota_spent", seconds
    )

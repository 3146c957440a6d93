"""What was spent of each limit in its sliding window, counted in this process.

A sliding-window counter stands for a window that moves: two numbers for each caller and limit,
where a moving window keeps an entry for everything that was spent, a thousand for each batch. It
lets through a little less or more than a window that moves exactly would, and never more than the
limit in one window and its refill in the next.

It counts as the library's does, which looks everything up several times over for each request, and
sweeps all counters every 10 ms.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from limits import RateLimitItem

#: Counters that a process keeps at most, about 24 MB; beyond them the oldest are forgotten.
MAX_COUNTERS = 100_000


@dataclass(frozen=True)
class Quota:
    """One limit of one caller.

    Attributes
    ----------
    name : str
        Of the limit, as callers and metrics see it.
    item : RateLimitItem
        How much in how long.
    key : str
        What its counters are called.
    """

    name: str
    item: RateLimitItem
    key: str

    @cached_property
    def limit(self) -> int:
        """How much may be spent in one window."""
        return self.item.amount

    @cached_property
    def seconds(self) -> int:
        """How long a window is."""
        return self.item.get_expiry()

    @cached_property
    def title(self) -> bytes:
        """The name as headers have it."""
        return f'"{self.name}"'.encode()


class Window(NamedTuple):
    """What was spent of one quota: in the running window, and in the one before as it fades.

    ``previous_left`` and ``left`` are seconds until the previous window has faded, and until the
    running one ends.
    """

    quota: Quota
    previous: int
    previous_left: float
    current: int
    left: float

    @property
    def remaining(self) -> int:
        """What may be spent now."""
        return max(0, self.quota.limit - self._spent())

    def fits(self, cost: int) -> bool:
        """Return whether so much more may be spent now."""
        return self._spent() + cost <= self.quota.limit

    def wait(self, cost: int) -> int:
        """Return the seconds after which so much may be spent, if nothing else is before."""
        room = self.quota.limit - cost
        seconds = self.quota.seconds
        if self.current <= room:  # once enough of the previous window has faded
            faded = seconds * (room - self.current + 1) / max(1, self.previous)
            wait = self.previous_left - faded
        else:  # once the running window is the previous one, and enough of it has faded
            wait = self.left + seconds - seconds * (room + 1) / self.current
        return max(1, math.floor(wait) + 1)

    def _spent(self) -> int:
        if not self.previous:
            return self.current
        faded = self.previous * self.previous_left / self.quota.seconds
        return math.floor(faded) + self.current


class _Count:
    """What was spent in the window of a number, counted from the epoch, and in the one before."""

    __slots__ = ("current", "ends", "number", "previous")

    def __init__(self, number: int, previous: int, seconds: int) -> None:
        self.number = number
        self.previous = previous
        self.current = 0
        self.ends = (number + 2) * seconds  # once it has faded


class LocalWindows:
    """Windows in this process, for one event loop."""

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}  # in the order in which their windows began

    def spend(self, quotas: Sequence[Quota], cost: int) -> tuple[bool, list[Window]]:
        """Spend ``cost`` of all quotas, or of none when it does not fit into one.

        Returns
        -------
        is_spent : bool
        windows : list of Window, as they are then
        """
        now = time.time()
        windows = [self._window(quota, now, cost) for quota in quotas]
        for window in windows:
            if not window.fits(0):
                return False, [self._window(quota, now, 0) for quota in quotas]
        for quota in quotas:
            self._count(quota, now).current += cost
        return True, windows

    def _window(self, quota: Quota, now: float, cost: int) -> Window:
        """Return what a window is once so much more is spent."""
        seconds = quota.seconds
        left = (1 - now / seconds % 1) * seconds
        count = self._counts.get(quota.key)
        number = int(now / seconds)
        if count is not None and count.number == number:
            previous, current = count.previous, count.current
        else:
            previous, current = _faded(count, number), 0
        return Window(quota, previous, left if previous else 0.0, current + cost, left)

    def _count(self, quota: Quota, now: float) -> _Count:
        """Return what is counted up for the window that runs, which begins if it is not there."""
        number = int(now / quota.seconds)
        count = self._counts.get(quota.key)
        if count is None or count.number != number:
            self._counts.pop(quota.key, None)
            self._forget(now)
            count = _Count(number, _faded(count, number), quota.seconds)
            self._counts[quota.key] = count
        return count

    def _forget(self, now: float) -> None:
        """Forget the oldest counts: two if they are over, and one if there are too many."""
        for _ in range(2):
            oldest = next(iter(self._counts), None)
            is_full = len(self._counts) >= MAX_COUNTERS
            if oldest is None or not (is_full or self._counts[oldest].ends <= now):
                return
            del self._counts[oldest]


def _faded(count: _Count | None, number: int) -> int:
    """Return what was spent in the window before that of a number."""
    return count.current if count is not None and count.number == number - 1 else 0

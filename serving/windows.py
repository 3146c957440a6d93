"""What was spent of each limit in its sliding window, counted in this process.

The library's sliding-window counter stands for its moving window: two numbers for each caller and
limit, where the moving window keeps an entry for everything that was spent, a thousand for each
batch. It lets through a little less or more than a window that moves exactly would, and never more
than the limit in one window and its refill in the next.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from limits import RateLimitItem
from limits.storage import MemoryStorage

#: Counters that a process keeps at most, about 20 MB; beyond them the oldest are forgotten.
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

    @property
    def limit(self) -> int:
        """How much may be spent in one window."""
        return self.item.amount

    @property
    def seconds(self) -> int:
        """How long a window is."""
        return self.item.get_expiry()


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

    def spend(self, cost: int) -> "Window":
        """Return the window once so much more is spent."""
        return self._replace(current=self.current + cost, left=self.left or self.quota.seconds)

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
        faded = self.previous * self.previous_left / self.quota.seconds
        return math.floor(faded) + self.current


class _Counters(MemoryStorage):
    """The library's counters without its sweep, and with a bound.

    The library sweeps all counters every 10 ms: with those of 50,000 addresses, requests fall to a
    sixth. Here the oldest go as new ones come; they are in the order in which they were made.
    """

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now = time.time()
        if key not in self.storage:
            self._forget(now)
            self.expirations[key] = now + expiry
        self.storage[key] += amount
        return self.storage[key]

    def _forget(self, now: float) -> None:
        """Forget the oldest counters: two if they are over, and one if there are too many."""
        for _ in range(2):
            oldest = next(iter(self.storage), None)
            is_full = len(self.storage) >= MAX_COUNTERS
            if oldest is None or not (is_full or self.expirations[oldest] <= now):
                return
            del self.storage[oldest], self.expirations[oldest]


class LocalWindows:
    """Windows in this process, for one event loop."""

    def __init__(self) -> None:
        self._counters = _Counters()

    def spend(self, quotas: Sequence[Quota], cost: int) -> tuple[bool, list[Window]]:
        """Spend ``cost`` of all quotas, or of none when it does not fit into one.

        Returns
        -------
        is_spent : bool
        windows : list of Window, as they are then
        """
        windows = [self._window(quota) for quota in quotas]
        if not all(window.fits(cost) for window in windows):
            return False, windows
        for quota in quotas:
            self._counters.acquire_sliding_window_entry(quota.key, quota.limit, quota.seconds, cost)
        return True, [window.spend(cost) for window in windows]

    def _window(self, quota: Quota) -> Window:
        found = self._counters.get_sliding_window(quota.key, quota.seconds)
        previous, previous_left, current, current_left = found
        return Window(quota, previous, previous_left, current, current_left - quota.seconds)

"""Metrics of what happens with every message, gathered and given to prometheus in one go.

Each count by itself is a lock and a write into a mapped file, and a message is counted ten times.
What is gathered is in what the same process reads at once, and in what others read once it was
written.
"""

import asyncio
import threading
import weakref
from asyncio import TimerHandle
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any

from prometheus_client import Counter, Histogram, Metric

#: Seconds between two writes: what a worker that is killed loses at most of its counts.
WRITE_SECONDS = 0.05

#: Values of the labels, in their order.
Labels = tuple[str, ...]


class TalliedCounter(Counter):
    """A counter with labels that is counted up often."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._gathering = threading.Lock()
        self._gathered: dict[Labels, float] = {}
        if not self._labelvalues:  # not of one of its children
            _tallied.add(self)

    def count(self, labels: Labels, amount: float = 1.0) -> None:
        """Count ``amount`` more."""
        with self._gathering:
            self._gathered[labels] = self._gathered.get(labels, 0.0) + amount

    def write(self) -> None:
        """Give prometheus what was gathered."""
        with self._gathering:
            gathered, self._gathered = self._gathered, {}
        for labels, amount in gathered.items():
            self.labels(*labels).inc(amount)

    def collect(self) -> Iterable[Metric]:
        """Return what was counted, all of it."""
        self.write()
        return super().collect()


class _Observed:
    """What was observed under the same labels: how often in each bucket, and the sum."""

    __slots__ = ("buckets", "total")

    def __init__(self, buckets: int) -> None:
        self.buckets = [0] * buckets
        self.total = 0.0


class TalliedHistogram(Histogram):
    """A histogram with labels that is observed often."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._gathering = threading.Lock()
        self._gathered: dict[Labels, _Observed] = {}
        if not self._labelvalues:  # not of one of its children
            _tallied.add(self)

    def note(self, labels: Labels, amount: float) -> None:
        """Observe ``amount``."""
        with self._gathering:
            seen = self._gathered.get(labels)
            if seen is None:
                seen = self._gathered[labels] = _Observed(len(self._upper_bounds))
            seen.buckets[bisect_left(self._upper_bounds, amount)] += 1
            seen.total += amount

    def write(self) -> None:
        """Give prometheus what was gathered."""
        with self._gathering:
            gathered, self._gathered = self._gathered, {}
        for labels, seen in gathered.items():
            self.labels(*labels).add(seen.buckets, seen.total)

    def add(self, buckets: Sequence[int], total: float) -> None:
        """Observe many amounts, as ``observe`` does with each.

        Parameters
        ----------
        buckets : sequence of int
            How many there are in each bucket.
        total : float
            Their sum.
        """
        self._sum.inc(total)
        for value, times in zip(self._buckets, buckets, strict=True):
            if times:
                value.inc(times)

    def collect(self) -> Iterable[Metric]:
        """Return what was observed, all of it."""
        self.write()
        return super().collect()


# Those of this process, as prometheus_client's files are of a process too.
_tallied: "weakref.WeakSet[TalliedCounter | TalliedHistogram]" = weakref.WeakSet()


def write_tallies() -> None:
    """Give prometheus what was gathered in this process."""
    for metric in list(_tallied):
        metric.write()


class Writer:
    """Writes what is gathered every few hundredths of a second, on the running event loop."""

    def __init__(self) -> None:
        self._timer: TimerHandle | None = None

    def start(self) -> None:
        """Write from now on."""
        self._timer = asyncio.get_running_loop().call_later(WRITE_SECONDS, self.start)
        write_tallies()

    def stop(self) -> None:
        """Write what is left, and no more."""
        if self._timer is not None:
            self._timer.cancel()
        write_tallies()

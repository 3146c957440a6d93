"""Work beside answers: done in threads that leave the processor and the interpreter to them."""

import os
import sys
import threading
import time
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from serving.logs import Log, where_raised

#: Seconds of rest after each slice at least; it is never shorter than the slice was.
REST = 0.005

#: How much nicer than the event loop a thread is that works beside it.
NICENESS = 5


def give_way() -> None:
    """Let the event loop go first wherever this thread works without the interpreter.

    A database or a kernel keeps a processor for milliseconds once it has it, and messages wait for
    its turn to end. Elsewhere than on Linux a thread has no niceness of its own.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        own = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, own + NICENESS)


class Waiting(Protocol):
    """Something that waits for its turn, with the text it is about."""

    @property
    def text(self) -> str:
        """The text."""


T = TypeVar("T", bound=Waiting)


class Aside(Generic[T]):
    """A bounded line of things to do, and the thread that does them slice by slice.

    Parameters
    ----------
    name : str
        Of the thread, and in the log.
    work : callable
        Takes a slice; an error that it lets out is logged once for each sort, and the slice is
        dropped.
    dropped : callable
        Takes how many were dropped.
    size : int
        Most that wait.
    slice_chars : int
        Characters that are taken in one go: the work holds the interpreter, which answers need.
    together : callable
        Whether two may be in one slice.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[list[T]], None],
        dropped: Callable[[int], None],
        log: Log,
        *,
        size: int,
        slice_chars: int,
        together: Callable[[T, T], bool] = lambda _a, _b: True,
    ) -> None:
        self._name = name
        self._work = work
        self._dropped = dropped
        self._log = log
        self._size = size
        self._slice_chars = slice_chars
        self._together = together
        self._queue: deque[T] = deque()
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._faults: Tally[str] = Tally()

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, things: Sequence[T]) -> None:
        """Put ``things`` in line, as many as there is room for; never wait."""
        with self._changed:
            taken = things[: max(0, self._size - len(self._queue))]
            self._queue.extend(taken)
            if self._thread is None and not self._stopped.is_set():
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify()
        self._dropped(len(things) - len(taken))

    def drop(self, unwanted: Callable[[T], bool]) -> None:
        """Let those go that are not wanted any longer."""
        with self._changed:
            kept = deque(each for each in self._queue if not unwanted(each))
            dropped, self._queue = len(self._queue) - len(kept), kept
        self._dropped(dropped)

    def stop(self) -> None:
        """Do no more."""
        self._stopped.set()
        with self._changed:
            self._queue.clear()
            self._changed.notify()

    def report(self, error: Exception) -> None:
        """Log the first of each sort of error: what fails may fail at every message."""
        sort = type(error).__name__
        self._faults[sort] += 1
        if self._faults[sort] == 1:
            self._log.warning(f"{self._name} failed", error=sort, at=where_raised(error))

    def _run(self) -> None:
        give_way()
        while not self._stopped.is_set():
            part = self._next()
            start = time.monotonic()
            try:
                if part:
                    self._work(part)
            except Exception as error:  # the thread's edge: the next ones may fare better
                self._dropped(len(part))
                self.report(error)
            part.clear()  # holds texts and models, and the next ones may be long in coming
            self._stopped.wait(max(REST, time.monotonic() - start))

    def _next(self) -> list[T]:
        """Wait for something to do and return a slice of it."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._stopped.is_set())
            part: list[T] = []
            chars = 0
            while self._queue and (
                not part
                or (
                    self._together(self._queue[0], part[0])
                    and chars + len(self._queue[0].text) <= self._slice_chars
                )
            ):
                part.append(self._queue.popleft())
                chars += len(part[-1].text)
            return part

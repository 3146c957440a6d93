"""Ends requests that take too long, by one timer for all of them.

A timeout for each costs more than all else that the front does with most requests, which are
answered long before.
"""

import asyncio
from asyncio import AbstractEventLoop, Task, TimerHandle
from typing import Any


class Deadlines:
    """Cancels the tasks that are not done within a time that is the same for all.

    Parameters
    ----------
    seconds : float
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: dict[Task[Any], float] = {}  # in order, as all have the same time
        self._loop: AbstractEventLoop | None = None
        self._timer: TimerHandle | None = None

    def begin(self) -> Task[Any]:
        """Give the running task its time, from now on; return it for :meth:`end`."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("only a task can be given a time")
        self._ends[task] = loop.time() + self._seconds
        if self._timer is None or self._loop is not loop:
            self._loop = loop
            self._timer = loop.call_later(self._seconds, self._look, loop)
        return task

    def end(self, task: Task[Any]) -> None:
        """Let a task go on for as long as it likes; it may have been let go already."""
        self._ends.pop(task, None)

    def _look(self, loop: AbstractEventLoop) -> None:
        """Cancel whoever is overdue, and look again when the next one would be."""
        now = loop.time()
        while self._ends:
            task, end = next(iter(self._ends.items()))
            if end > now:
                self._timer = loop.call_later(end - now, self._look, loop)
                return
            del self._ends[task]
            task.cancel()
        self._timer = None

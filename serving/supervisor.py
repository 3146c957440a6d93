"""The supervisor of the workers: BentoML's own, quicker to restore them and bounded in ending them.

BentoML's looks after its workers every ten seconds, not at all in a container, and waits a day for
one that shall end; of one that hangs it knows nothing, and whoever is on the machine may give it
orders. It makes its supervisor after it imported the service, by a name of its module: that name is
given this class in time.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bentoml._internal.utils import circus

from serving.folder import shared_folder
from serving.logs import Log

#: Seconds between two looks at whether the workers live.
CHECK_SECONDS = 0.5

#: Seconds after which a worker whose event loop stands still is killed. Those alone count in which
#: the supervisor could look: a machine that was asleep has not had them.
STUCK_SECONDS = 30.0

#: Workers that end before so many seconds end at their start, and a start takes a processor for
#: seconds: once there were more of them than there are workers, the next one is started after a
#: pause, a second longer each time.
EARLY_SECONDS = 30.0
LONGEST_PAUSE = 10

#: Seconds for which a restored worker is held back at most; then it takes requests, ready or not.
HELD_BACK_SECONDS = 15.0

_GLANCE_SECONDS = 0.05
_PULSE_SECONDS = 1.0

# Of a worker that was told to end: what it needs beyond its requests, before it is killed.
_LAST_SECONDS = 10

_ENDS_WITHIN = "--timeout-graceful-shutdown"

_background: set[asyncio.Task[None]] = set()  # the event loop alone would let go of them


def supervise(folder: Path, drain_seconds: float, stop_seconds: int, log: Log) -> None:
    """Have the workers that are about to be started supervised by ours.

    Parameters
    ----------
    folder : Path
        That the workers share, and nobody else may look into.
    drain_seconds : float
        For which a worker goes on taking requests once it is told to end.
    stop_seconds : int
        After which it gives up the requests that are still under way.
    log : Log
    """

    class Supervisor(circus.Arbiter):  # type: ignore[misc]
        """Starts a worker anew soon after it died or hung, and kills one that does not end."""

        def __init__(self, watchers: Sequence[Any], **options: Any) -> None:
            for watcher in watchers:
                watcher.respawn = True
                watcher.stop_children = False  # they end with their worker's work
                watcher.graceful_timeout = drain_seconds + stop_seconds + _LAST_SECONDS
                watcher.hooks |= {"after_spawn": self._begun, "after_reap": self._ended}
                if _ENDS_WITHIN not in watcher.args:
                    watcher.args += [_ENDS_WITHIN, str(stop_seconds)]
            self._births: dict[int, float] = {}
            self._pulses: dict[int, tuple[int, int]] = {}  # the last one, and looks without another
            self._early = 0
            self._next_start = 0.0
            # Not on ports of this machine: what comes there starts commands, whoever sends it.
            doors = {"endpoint": "orders", "pubsub_endpoint": "events"}
            options |= {door: f"ipc://{folder / name}" for door, name in doors.items()}
            super().__init__(watchers, **options | {"check_delay": CHECK_SECONDS})

        def manage_watchers(self) -> Any:
            """Look after the workers; circus calls it again and again."""
            self.reap_processes()
            if time.monotonic() < self._next_start:
                return None
            for watcher in self.iter_watchers():
                for pid in watcher.processes:
                    if self._is_stuck(pid):
                        log.error("worker hangs", pid=pid)
                        os.kill(pid, signal.SIGKILL)
                        self._pulses[pid] = (0, 0)
            return super().manage_watchers()

        def stop(self) -> Any:
            # The workers have the sockets too. Once the last of them takes no more, callers are
            # refused, instead of waiting in the line of a socket that nobody looks at.
            self.sockets.close_all()
            return super().stop()

        def _is_stuck(self, pid: int) -> bool:
            try:
                pulse = _pulse(folder, pid).stat().st_mtime_ns
            except OSError:  # it has not come so far yet
                return False
            last, looks = self._pulses.get(pid, (0, 0))
            self._pulses[pid] = (pulse, looks + 1 if pulse == last else 0)
            return self._pulses[pid][1] * CHECK_SECONDS >= STUCK_SECONDS

        def _begun(self, pid: int, **_: Any) -> bool:
            self._births[pid] = time.monotonic()
            return True

        def _ended(self, watcher: Any, process_pid: int, exit_code: int | None, **_: Any) -> None:
            self._pulses.pop(process_pid, None)
            _pulse(folder, process_pid).unlink(missing_ok=True)
            lived = time.monotonic() - self._births.pop(process_pid)
            if self._stopping:
                return
            log.error("worker ended", pid=process_pid, code=exit_code, seconds=round(lived, 1))
            self._early = self._early + 1 if lived < EARLY_SECONDS else 0
            pause = min(max(0, self._early - watcher.numprocesses), LONGEST_PAUSE)
            self._next_start = time.monotonic() + pause

    circus.Arbiter = Supervisor


def show_pulse() -> None:
    """Show the supervisor from now on that this worker's event loop turns."""
    folder = shared_folder()
    if folder is not None:
        _background.add(asyncio.create_task(_beat(_pulse(folder, os.getpid()))))


async def wait_until_ready(is_ready: Callable[[], bool]) -> None:
    """Hold back a worker that takes the place of one, so that the others answer meanwhile.

    Where it is the only one, callers wait in the line of the socket instead of being refused. The
    first ones are not held back: before they are ready, they say so.

    Parameters
    ----------
    is_ready : callable
        Asked again and again, and by the first ones in the background.
    """
    folder = shared_folder()
    if folder is None:
        return
    mark = folder / "served"
    if not mark.exists():
        _background.add(asyncio.create_task(_mark_when(is_ready, mark)))
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HELD_BACK_SECONDS):
            await _until(is_ready)


def _pulse(folder: Path, pid: int) -> Path:
    return folder / f"pulse_{pid}"


async def _beat(pulse: Path) -> None:
    while True:
        with contextlib.suppress(OSError):
            pulse.touch()
        await asyncio.sleep(_PULSE_SECONDS)


async def _mark_when(is_ready: Callable[[], bool], mark: Path) -> None:
    await _until(is_ready)
    with contextlib.suppress(OSError):
        mark.touch()


async def _until(is_ready: Callable[[], bool]) -> None:
    while not is_ready():
        await asyncio.sleep(_GLANCE_SECONDS)

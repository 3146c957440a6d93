"""The supervisor of the workers: BentoML's own, quicker to restore them and bounded in ending them.

BentoML's looks after its workers every ten seconds, not at all in a container, and waits a day for
one that shall end. It makes its supervisor after it imported the service, by a name of its module:
that name is given this class in time.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bentoml._internal.utils import circus

from serving.metrics import shared_folder

#: Seconds between two looks at whether the workers live.
CHECK_SECONDS = 0.5

#: Seconds for which a restored worker is held back at most; then it takes requests, ready or not.
HELD_BACK_SECONDS = 15.0

_GLANCE_SECONDS = 0.05

# Of a worker that was told to end: what it needs beyond its requests, before it is killed.
_LAST_SECONDS = 10

_ENDS_WITHIN = "--timeout-graceful-shutdown"

_background: set[asyncio.Task[None]] = set()  # the event loop alone would let go of them


def supervise(drain_seconds: float, stop_seconds: int) -> None:
    """Have the workers that are about to be started supervised by ours.

    Parameters
    ----------
    drain_seconds : float
        For which a worker goes on taking requests once it is told to end.
    stop_seconds : int
        After which it gives up the requests that are still under way.
    """

    class Supervisor(circus.Arbiter):  # type: ignore[misc]
        """Starts a worker anew soon after it died, and kills one that does not end."""

        def __init__(self, watchers: Sequence[Any], **options: Any) -> None:
            for watcher in watchers:
                watcher.respawn = True
                watcher.stop_children = False  # readers of documents end with their worker's work
                watcher.graceful_timeout = drain_seconds + stop_seconds + _LAST_SECONDS
                if _ENDS_WITHIN not in watcher.args:
                    watcher.args += [_ENDS_WITHIN, str(stop_seconds)]
            super().__init__(watchers, **options | {"check_delay": CHECK_SECONDS})

        def stop(self) -> Any:
            # The workers have the sockets too. Once the last of them takes no more, callers are
            # refused, instead of waiting in the line of a socket that nobody looks at.
            self.sockets.close_all()
            return super().stop()

    circus.Arbiter = Supervisor


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


async def _mark_when(is_ready: Callable[[], bool], mark: Path) -> None:
    await _until(is_ready)
    with contextlib.suppress(OSError):
        mark.touch()


async def _until(is_ready: Callable[[], bool]) -> None:
    while not is_ready():
        await asyncio.sleep(_GLANCE_SECONDS)

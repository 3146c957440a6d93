"""How a worker ends: it says that it is not ready, then takes no more, then finishes what runs."""

import asyncio
import signal
from types import FrameType


class Stopping:
    """Whether the worker was told to end.

    Parameters
    ----------
    drain_seconds : float
        For which it goes on taking requests, until whoever sends them has noticed.
    """

    def __init__(self, drain_seconds: float) -> None:
        self.has_begun = False
        self._drain_seconds = drain_seconds

    def watch(self) -> None:
        """Hear of SIGTERM before the server does; called in the running server's event loop."""
        loop = asyncio.get_running_loop()
        stop_server = signal.getsignal(signal.SIGTERM)
        if not callable(stop_server):  # no server runs here
            return

        def begin(number: int, frame: FrameType | None) -> None:
            if not self.has_begun:
                self.has_begun = True
                wait = self._drain_seconds
                loop.call_soon_threadsafe(lambda: loop.call_later(wait, stop_server, number, frame))

        signal.signal(signal.SIGTERM, begin)

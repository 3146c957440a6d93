"""When a worker looks at the hub: every so often, less while it fails, and at once when told."""

import logging
import random
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from serving.logs import where_raised


@dataclass(frozen=True)
class Found:
    """What a look found.

    Attributes
    ----------
    state : {"all", "some", "failing"}
        Everything in place, something not loaded yet, or a hub that is of no help.
    pause : float or None
        The seconds that the hub asks to be left alone for, if it does.
    """

    state: Literal["all", "some", "failing"]
    pause: float | None = None


#: Seconds between the first looks, until everything is loaded.
DELAYS = (0.5, 1.0, 2.0, 5.0, 10.0)

#: How many times the usual pause it takes at most while the hub fails.
LONGEST = 4

#: Seconds for which it is left alone at most when it asks for it.
LONGEST_ASKED = 900.0

#: Share by which pauses differ, so that many workers do not ask all at once.
JITTER = 0.2

#: Seconds that lie between a look and the next in any case, however often it is told to.
SPACING = 0.5

#: Seconds between two glances at whether another worker was told.
_GLANCE = 0.2

_STAMP = "refresh"

_LOG = logging.getLogger(__name__)


class Follower:
    """Looks at the hub in a thread of its own.

    Parameters
    ----------
    look : callable
        Returns what it found; an error that it lets out counts as a hub that is of no help.
    poll_seconds : float
        The usual pause.
    folder : Path, optional
        Shared with the other workers: whoever is told tells all of them by a file in it.
    """

    def __init__(self, look: Callable[[], Found], poll_seconds: float, folder: Path | None) -> None:
        self._look = look
        self._poll_seconds = poll_seconds
        self._stamp = None if folder is None else folder / _STAMP
        self._seen = self._read_stamp()
        self._lock = threading.Lock()
        self._asked: Future[None] = Future()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look from now on; a second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
            self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Look no more; a look that waits for the hub is given up after ``seconds``."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def refresh(self) -> "Future[None]":
        """Have every worker look at once; what is returned is done when this one has."""
        with self._lock:
            looked = self._asked
        if self._stamp is not None:
            self._stamp.write_text(uuid.uuid4().hex, encoding="ascii")
        self._wake.set()
        return looked

    def _run(self) -> None:
        waits = Waits(self._poll_seconds)
        while not self._stopping.is_set():
            with self._lock:
                asked, self._asked = self._asked, Future()
                self._wake.clear()
            self._seen = self._read_stamp()
            found = Found("failing")
            try:
                found = self._look()
            except Exception as error:  # a full disk, say, may fail our own log as well
                _LOG.error("look failed: %s at %s", type(error).__name__, where_raised(error)[-1])
            finally:
                asked.set_result(None)
            self._pause(waits.after(found))

    def _pause(self, seconds: float) -> None:
        """Wait, but not for all of it once somebody said to look at once."""
        started = time.monotonic()
        while not (self._is_told() or self._stopping.is_set()):
            left = started + seconds - time.monotonic()
            if left <= 0:
                return
            self._wake.wait(min(left, _GLANCE))
        self._stopping.wait(started + SPACING - time.monotonic())

    def _is_told(self) -> bool:
        return self._wake.is_set() or self._read_stamp() != self._seen

    def _read_stamp(self) -> bytes:
        try:
            return b"" if self._stamp is None else self._stamp.read_bytes()
        except OSError:  # nobody was told yet
            return b""


class Waits:
    """How long to wait after each look."""

    def __init__(self, poll_seconds: float) -> None:
        self._poll_seconds = poll_seconds
        self._tries = 0
        self._times = 1

    def after(self, found: Found) -> float:
        """Return the seconds until the next look: never fewer than the hub asks for, in reason."""
        asked = min(found.pause or 0.0, LONGEST_ASKED) * random.uniform(1, 1 + JITTER)
        return max(asked, self._usual(found))

    def _usual(self, found: Found) -> float:
        if found.state == "all":
            self._tries = len(DELAYS)
        if self._tries < len(DELAYS):
            self._tries += 1
            return DELAYS[self._tries - 1]
        times = self._times if found.state == "failing" else 1
        self._times = min(2 * times, LONGEST) if found.state == "failing" else 1
        return self._poll_seconds * times * random.uniform(1 - JITTER, 1 + JITTER)

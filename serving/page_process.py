"""The page's own process, one for all workers: started when a browser first asks for the page.

Gradio takes seconds and 200 MB to import, and keeps in memory what a visitor does: in the workers
it would cost every message some of its time, and two of them could not share a visitor. Beside
them it costs nothing until it is asked for, and calls the HTTP API as everybody does.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import threading
import time
from functools import cached_property
from pathlib import Path

from filelock import FileLock, Timeout

from serving.folder import shared_folder
from serving.logs import Log

#: Seconds between two starts: a page that ends at once is not started again and again.
PAUSE_SECONDS = 30.0

_END_SECONDS = 5.0
_ROOT = Path(__file__).resolve().parent.parent

# It needs no secret of the service, so it is given none.
_KEPT = frozenset(("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH"))


def is_installed() -> bool:
    """Return whether the packages of the page are there, without importing them."""
    return importlib.util.find_spec("gradio") is not None


class PageProcess:
    """The process, wherever among the workers it was started.

    Parameters
    ----------
    log : Log
    """

    def __init__(self, log: Log) -> None:
        self._starting = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._started = -PAUSE_SECONDS
        self._log = log

    @cached_property
    def socket(self) -> Path:
        """Where it listens once it has started."""
        return self._folder / "page.sock"

    @cached_property
    def _folder(self) -> Path:
        return shared_folder() or Path(tempfile.mkdtemp(prefix="careerlens-page-"))

    @cached_property
    def _mine(self) -> FileLock:
        # Held by the worker that started it, for as long as that lives: the process ends with it.
        return FileLock(self._folder / "page.lock", thread_local=False)

    def start(self, address: str) -> bool:
        """Start it unless that was done; return whether it can be expected to listen soon.

        Parameters
        ----------
        address : str
            Of the service, for the page to call.
        """
        with self._starting:
            if self._process is not None and self._process.poll() is None:
                return True
            try:
                self._mine.acquire(blocking=False)
            except Timeout:  # another worker started it
                return True
            if time.monotonic() < self._started + PAUSE_SECONDS:
                return False
            self._started = time.monotonic()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "serving.ui", "--service", address, "--socket", self.socket],
                cwd=_ROOT,
                env={name: value for name, value in os.environ.items() if name in _KEPT},
                stdin=subprocess.PIPE,  # which ends when this worker does, however that comes about
            )
            self._log.info("page_started", pid=self._process.pid)
            return True

    def stop(self) -> None:
        """End it, if it is this worker's."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._mine.release()

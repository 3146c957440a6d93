"""Has what scores messages compiled, where no earlier start or image has it, beside answering."""

import subprocess
import sys
import threading
from collections.abc import Callable

from models.native_cache import is_compiled
from serving.logs import Log

#: Seconds that compiling may take, on a machine that does much else.
_LONGEST = 900.0


class Compiling:
    """Compiles in a process of its own: it takes many seconds, and would hold up answers.

    Until it is done, scikit-learn scores messages.

    Parameters
    ----------
    done : callable
        Called in a thread once it is.
    log : Log
    """

    def __init__(self, done: Callable[[], object], log: Log) -> None:
        self._done = done
        self._log = log
        self._thread = threading.Thread(target=self._run, name="compiling", daemon=True)

    def start(self) -> None:
        """Begin, unless it was done before; a second call does nothing."""
        if not (is_compiled() or self._thread.is_alive()):
            self._thread.start()

    def _run(self) -> None:
        command = [sys.executable, "-m", "models.compiling"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_LONGEST)
        except (OSError, subprocess.SubprocessError) as error:
            self._log.warning("not compiled", error=type(error).__name__)
            return
        self._log.info("compiled")
        self._done()

"""The process beside a worker that does the work on resumes, skills and jobs.

In the worker it would hold the interpreter, and the processor for a turn of the scheduler, while
messages wait. What it does is :class:`serving.workbench.Workbench`: here is how it is started,
asked, killed when it is stuck, and started anew with the same models when it ended.
"""

import asyncio
import contextlib
import subprocess
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from serving.beside import EndedError, Process
from serving.errors import NotReadyError
from serving.logs import Log
from serving.metrics import Metrics
from serving.reports import describe_failure
from serving.settings import Settings
from serving.workbench import Workbench
from serving.workshop_process import take

if TYPE_CHECKING:
    from models.bundle import Bundle
    from models.extract import Document
    from models.manifest import Kind

P = ParamSpec("P")
T = TypeVar("T")

#: Seconds that loading a model may take, on a machine that does much else.
LOAD_SECONDS = 600.0

#: Seconds in which a process is there at least to be asked.
START_SECONDS = 60.0

#: Seconds that a document takes on its way, beyond those in which it must be read.
READ_GRACE = 30.0

#: Seconds after which loading a model is tried again that a new process could not load.
AGAIN_SECONDS = 10.0

#: A process that ended after fewer seconds ended at its start: the next one is started after a
#: pause, a second longer each time.
EARLY_SECONDS = 30.0
LONGEST_PAUSE = 10

# For which its end is waited for when the worker ends: where others keep the processors busy, a
# process that lets them go first takes long to end.
_END_SECONDS = 1.0
_AWAY = "what reads resumes and finds skills and jobs is being started anew; try again in a moment"


class Lodger:
    """A model that lies in the process beside the worker, for as long as anybody here knows it.

    Attributes
    ----------
    number : int
        Under which it is asked there.
    is_prepared : bool
        Whether compiled code answers.
    """

    def __init__(
        self, workshop: "Workshop", number: int, kind: "Kind", place: Path, digest: str
    ) -> None:
        self._workshop = workshop
        self.number = number
        self.kind = kind
        self.place = place
        self.digest = digest
        self.is_prepared = False

    def warm_up(self) -> None:
        """Have compiled code answer, if it was compiled meanwhile."""
        if not self.is_prepared:
            self.is_prepared = self._workshop.warm_up(self)


class Workshop:
    """The process beside this worker.

    Parameters
    ----------
    settings : Settings
    metrics : Metrics
    log : Log
    """

    def __init__(self, settings: Settings, metrics: Metrics, log: Log) -> None:
        self._seconds = settings.timeout_seconds
        limits, readers = settings.document_limits, settings.document_workers
        self._read_seconds = limits.seconds + limits.queue_seconds + READ_GRACE
        self._chosen = (settings.log_level, settings.phone_region, limits, readers)
        self._metrics = metrics
        self._log = log
        self._numbers = count(1)
        self._lodgers: weakref.WeakSet[Lodger] = weakref.WeakSet()
        self._leaving: deque[int] = deque()
        self._begun: Process | None = None
        self._process: Process | None = None  # the same, once it can be asked
        self._changed = threading.Condition()
        self._is_open = False
        self._stopping = threading.Event()
        self._one = asyncio.Semaphore(1)
        self._some = asyncio.Semaphore(settings.document_workers)
        self._loading = ThreadPoolExecutor(1, "loading")
        self._ahead: dict[Kind, tuple[str, Future[Bundle[Lodger]]]] = {}
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def start(self) -> None:
        """Start the process, and another one whenever it ends; a second call does nothing."""
        if not self._keeper.is_alive():
            self._keeper.start()

    def stop(self) -> None:
        """End the process; who waits for it hears that it ended."""
        self._stopping.set()
        with self._changed:
            if self._begun is not None:
                self._begun.kill()
            self._changed.notify_all()
        self._loading.shutdown(wait=False, cancel_futures=True)
        if self._keeper.is_alive():
            self._keeper.join(_END_SECONDS)

    def check(self) -> None:
        """Check that there is a process to ask.

        Raises
        ------
        NotReadyError
        """
        if not self._is_open:
            raise NotReadyError(_AWAY)

    async def ask(
        self, method: Callable[Concatenate[Workbench, P], T], *given: P.args, **named: P.kwargs
    ) -> T:
        """Return what ``method`` of the workbench answers there.

        Raises
        ------
        NotReadyError
            If there is no process at present, or it ended meanwhile.
        Exception
            Whatever the method raises.
        """
        answer: T = await self._ask(self._one, self._seconds, method, given, named)
        return answer

    def start_readers(self) -> None:
        """Begin to start the readers of documents, ahead of the first one; nobody waits for it."""
        self._loading.submit(lambda: self._start_readers(self._running()))

    async def read_document(self, content: bytes, name: str) -> "Document":
        """Return what a document says, which readers of the process read beside its other work.

        Raises
        ------
        NotReadyError
            As :meth:`ask` does.
        DocumentError
        """
        document: Document = await self._ask(
            self._some,
            self._read_seconds,
            Workbench.read_document,
            (content, name),
            {},
            beside=True,
        )
        return document

    async def _ask(
        self, bound: asyncio.Semaphore, seconds: float, *question: Any, beside: bool = False
    ) -> Any:
        self.check()
        process = self._process
        if process is None:  # it ended since
            raise NotReadyError(_AWAY)
        try:
            return await process.ask(bound, seconds, *question, beside=beside)
        except EndedError:
            raise NotReadyError(_AWAY) from None

    def load_ahead(self, kind: "Kind", folder: Path, digest: str) -> None:
        """Begin to load what :meth:`load` is likely to be asked for, and do not wait for it."""
        self._ahead[kind] = digest, self._loading.submit(self._load, kind, folder, digest)

    def load(self, kind: "Kind", folder: Path, digest: str) -> "Bundle[Lodger]":
        """Return a bundle whose model lies there; as :func:`models.bundle.load_bundle` otherwise.

        Raises
        ------
        BundleError
        EndedError
        """
        begun, bundle = self._ahead.pop(kind, (None, None))
        return bundle.result() if bundle and begun == digest else self._load(kind, folder, digest)

    def _load(self, kind: "Kind", folder: Path, digest: str) -> "Bundle[Lodger]":
        from models.bundle import Bundle

        lodger = Lodger(self, next(self._numbers), kind, folder.absolute(), digest)
        while True:
            process = self._running()
            leaving = self._take_leaving()
            bundle = _lodge(process, lodger, leaving)
            with self._changed:
                if self._process is process:  # or else it has to be loaded in the next one, too
                    self._lodgers.add(lodger)
                    break
        weakref.finalize(lodger, self._leaving.append, lodger.number).atexit = False
        return Bundle(bundle.manifest, bundle.digest, lodger, bundle.metrics)

    def warm_up(self, lodger: Lodger) -> bool:
        """Have compiled code answer for a model, if it can, and return whether it does."""
        process = self._running()
        is_prepared: bool = process.call(LOAD_SECONDS, Workbench.warm_up, (lodger.number,), {})
        return is_prepared

    def tidy(self) -> None:
        """Drop the models that nobody here knows any more."""
        if self._is_open and (leaving := self._take_leaving()):
            process = self._running()
            with contextlib.suppress(EndedError):  # then it holds nothing
                process.call(LOAD_SECONDS, Workbench.drop, (leaving,), {})

    def _take_leaving(self) -> list[int]:
        leaving: list[int] = []
        with contextlib.suppress(IndexError):  # two threads may take them
            while True:
                leaving.append(self._leaving.popleft())
        return leaving

    def _running(self) -> Process:
        """Return the process, once there is one."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._process is not None or self._stopping.is_set(), START_SECONDS
            )
            if self._process is None:
                raise EndedError("the process that holds the models does not start")
            return self._process

    def _keep(self) -> None:
        early = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            code = None
            try:
                code = self._live()
            except Exception as error:  # the thread's edge: the next one may fare better
                self._log.error("workshop fails", **describe_failure(error).fields())
            if self._stopping.is_set():
                return
            lived = time.monotonic() - began
            self._metrics.count_workshop_end()
            self._log.error("workshop ended", code=code, seconds=round(lived, 1))
            early = early + 1 if lived < EARLY_SECONDS else 0
            self._stopping.wait(min(early, LONGEST_PAUSE))

    def _live(self) -> int | None:
        """Start a process with all models, wait for its end, and return its exit code."""
        try:
            process = take()
        except OSError:  # no memory for one more, say
            return None
        try:
            with self._changed:
                self._begun = process
            if self._stopping.is_set():
                return None
            process.call(START_SECONDS, Workbench.set_up, self._chosen, {})
            with self._changed:
                self._process = process
                missing = weakref.WeakSet(self._lodgers)
                self._changed.notify_all()
            has_lodgers = bool(missing)
            while not self._stopping.is_set():
                for lodger in list(missing):
                    if self._lodge_again(process, lodger):
                        missing.discard(lodger)
                    del lodger  # it is known here no longer than elsewhere
                self._is_open = True
                if has_lodgers and not missing:
                    self._start_readers(process)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    return process.popen.wait(AGAIN_SECONDS if missing else None)
            return None
        except EndedError:  # it ended before it had begun
            return process.popen.wait()
        finally:
            with self._changed:
                self._is_open = False
                self._begun = self._process = None
            process.close()
            if process.was_stuck:
                self._log.error("workshop hangs", pid=process.popen.pid)

    def _start_readers(self, process: Process) -> None:
        try:
            process.call(START_SECONDS, Workbench.start_readers, (), {})
        except Exception as error:  # whoever sends a document tries again
            self._log.warning("readers not started", **describe_failure(error).fields())

    def _lodge_again(self, process: Process, lodger: Lodger) -> bool:
        try:
            _lodge(process, lodger, ())
        except EndedError:
            return False
        except Exception as error:  # the thread's edge: a disk that fails, say
            self._log.warning(
                "model not loaded again", kind=lodger.kind, **describe_failure(error).fields()
            )
            return False
        return True


def _lodge(process: Process, lodger: Lodger, leaving: Sequence[int]) -> "Bundle[bool]":
    given = (lodger.number, lodger.kind, lodger.place, lodger.digest, leaving)
    bundle: Bundle[bool] = process.call(LOAD_SECONDS, Workbench.load, given, {})
    lodger.is_prepared = bundle.model
    return bundle

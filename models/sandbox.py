"""A small pool of child processes that can be killed, each answering one frame of bytes at a time.

The parent never forks itself, which a server with threads must not, and never reads more of an
answer than it asked for. A child inherits no environment and no file; it lives until its input
closes, it has answered often enough, it dies, or it misses a deadline.
"""

import contextlib
import itertools
import math
import os
import queue
import resource
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

#: A process that had less of the processor than this share of its time may only have waited for it.
LEAST_SHARE = 0.25

OUT_OF_MEMORY = 77  # what a child exits with; any number that Python and shells do not use

_ROOT = Path(__file__).resolve().parent.parent
_HEADER = struct.Struct("!I")
_READY = b"ready"
_START_SECONDS = 60.0  # on a machine that loads everything for the first time
_PIECE = 1 << 20

# How much nicer a process is than who starts it: what it is asked may take seconds.
_NICENESS = 10


class ChildDiedError(Exception):
    """A child ended instead of answering.

    ``code`` is its exit code, or minus its signal; 0 also stands for an answer out of order.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"the child ended with {code}")
        self.code = code


class DeadlineError(Exception):
    """A child did not answer in time.

    Attributes
    ----------
    worked : float
        Seconds that it had a processor meanwhile.
    """

    def __init__(self, worked: float) -> None:
        super().__init__(f"the child worked for {worked:.1f} seconds and did not answer")
        self.worked = worked


class PoolBusyError(Exception):
    """No child was free in time."""


def command(module: str, arguments: Sequence[str]) -> list[str]:
    """Return how to start a Python that calls ``module.main`` with ``arguments`` in ``sys.argv``.

    It imports nothing of what its parent runs, and -I keeps the settings of Python, the packages of
    the user and the working directory out of it.
    """
    start = f"import sys; sys.path.insert(0, {str(_ROOT)!r}); import {module}; {module}.main()"
    return [sys.executable, "-I", "-X", "utf8", "-c", start, *arguments]


def be_nicer(pid: int) -> None:
    """Have a process, just started, get a tenth of the processor where others want all of it."""
    with contextlib.suppress(OSError):  # it ended at once
        own = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, pid, own + _NICENESS)


def let_others_first(task: int = 0) -> None:
    """Have a process of one thread work only where nobody else would; or the thread that calls.

    It leaves the processor the moment that something else wakes up. One that is only nice is let
    end its turn of 4 ms once there are a few of them (docs/decisions/0010-workshop.md). What the
    thread starts from now on does as it does, and an ordinary user cannot take it back. So it is
    for what has started: on a busy machine it would not come to an end of its imports.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # it ended at once, or the kernel is not one for that
            os.sched_setscheduler(task, os.SCHED_IDLE, os.sched_param(0))


def processor_seconds(pid: int) -> float:
    """Return the seconds that a process has had a processor, as proc_pid_stat(5) of Linux tells.

    Where it does not, and of a process that has ended, it is infinitely many.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return math.inf
    user, system = stat.rpartition(b")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class Child:
    """One child process, which calls ``module.main`` with ``arguments`` in ``sys.argv``.

    Where it is the ``last``, everything else goes before what it is asked, see
    :func:`let_others_first`, and it starts as the thread that starts it; or else it is nicer.
    After any error of ``ask`` it must be closed.
    """

    def __init__(self, module: str, arguments: Sequence[str], *, last: bool) -> None:
        self._process = subprocess.Popen(
            command(module, arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"OPENBLAS_NUM_THREADS": "1"},
            cwd="/",
            bufsize=0,
            # What the terminal says is for the parent. Linux may share processors out between
            # sessions first (sched_autogroup): in one of its own a child gets its share however
            # busy others are, and keeps its parent waiting for turns of 4 ms.
            process_group=0 if last else None,
            start_new_session=not last,
        )
        self._last = last
        if not last:
            be_nicer(self._process.pid)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
        self._is_ready = False
        self.answered = 0

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def ask(self, frame: bytes, seconds: float, max_answer: int) -> bytes:
        """Return the answer to ``frame``; the time counts from when the child has started.

        Raises
        ------
        DeadlineError, ChildDiedError
        RuntimeError
            If the child could not even start, which is no fault of the frame.
        """
        if not self._is_ready:
            try:
                self._receive(len(_READY), time.monotonic() + _START_SECONDS)
            except (TimeoutError, ChildDiedError) as error:
                raise RuntimeError(
                    "A child process did not start; what it says is on standard error."
                ) from error
            self._is_ready = True
            if self._last:
                let_others_first(self.pid)
        deadline = time.monotonic() + seconds
        before = processor_seconds(self.pid)
        try:
            self._send(_HEADER.pack(len(frame)) + frame, deadline)
            answer = self._receive(max_answer, deadline)
        except TimeoutError:
            raise DeadlineError(processor_seconds(self.pid) - before) from None
        self.answered += 1
        return answer

    def kill(self) -> None:
        """End the process; whoever waits for its answer gets a ChildDiedError."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process and free what it held; nobody may wait for it any more."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _send(self, content: bytes, deadline: float) -> None:
        assert self._process.stdin is not None
        pipe = self._process.stdin.fileno()
        left = memoryview(content)
        while left:
            self._wait(pipe, select.POLLOUT, deadline)
            try:
                left = left[os.write(pipe, left[:_PIECE]) :]
            except BrokenPipeError:
                raise self._death() from None

    def _receive(self, most: int, deadline: float) -> bytes:
        (length,) = _HEADER.unpack(self._read(_HEADER.size, deadline))
        if length > most:
            # Whoever sends that is not our code any more.
            raise ChildDiedError(0)
        return self._read(length, deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        content = bytearray()
        while len(content) < size:
            self._wait(pipe, select.POLLIN, deadline)
            piece = os.read(pipe, min(size - len(content), _PIECE))
            if not piece:
                raise self._death()
            content += piece
        return bytes(content)

    def _death(self) -> ChildDiedError:
        """Return the error for a child that closed its pipes, as an ending one does."""
        try:
            return ChildDiedError(self._process.wait(timeout=1.0))
        except subprocess.TimeoutExpired:
            return ChildDiedError(0)

    def _wait(self, pipe: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(pipe, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TimeoutError


class Pool:
    """Warm children behind a queue; thread safe.

    Parameters
    ----------
    module : str
        What a child runs: see :class:`Child`.
    arguments : sequence of str
    size : int
        Number of children.
    max_answered : int
        A child is replaced after so many answers.
    last : bool
        Whether everything else goes before the children.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        size: int,
        max_answered: int,
        *,
        last: bool,
    ) -> None:
        self._module = module
        self._last = last
        self._arguments = list(arguments)
        self._max_answered = max_answered
        self._lock = threading.Lock()
        self._children: set[Child] = set()
        self._closed = False
        # Children that have answered come before those that may still be starting. A place
        # without a child is one that could not be started; whoever takes it tries again.
        self._places: queue.PriorityQueue[tuple[int, int, Child | None]] = queue.PriorityQueue()
        self._order = itertools.count()
        for _ in range(size):
            self._put(self._start())

    def ask(self, frame: bytes, seconds: float, max_answer: int, queue_seconds: float) -> bytes:
        """Return a child's answer to ``frame``.

        Raises
        ------
        PoolBusyError, DeadlineError, ChildDiedError
        """
        try:
            child = self._places.get(timeout=queue_seconds)[-1]
        except queue.Empty:
            raise PoolBusyError from None
        try:
            child = child or self._start()
            answer = child.ask(frame, seconds, max_answer)
            keep = child.answered < self._max_answered
        except BaseException:
            keep = False
            raise
        finally:
            self._give_back(child, keep)
        return answer

    def pids(self) -> set[int]:
        """Return the ids of the children."""
        with self._lock:
            return {child.pid for child in self._children}

    def close(self) -> None:
        """Kill all children, those at work too."""
        with self._lock:
            self._closed = True
            for child in self._children:
                child.kill()
        with contextlib.suppress(queue.Empty):
            while True:
                self._discard(self._places.get_nowait()[-1])

    def _start(self) -> Child:
        with self._lock:
            if self._closed:
                raise RuntimeError("The pool is closed.")
            child = Child(self._module, self._arguments, last=self._last)
            self._children.add(child)
            return child

    def _discard(self, child: Child | None) -> None:
        if child is not None:
            child.close()
            with self._lock:
                self._children.discard(child)

    def _give_back(self, child: Child | None, keep: bool) -> None:
        """Free the place of a child; a new one starts there while the others go on."""
        if not keep or self._closed:
            self._discard(child)
            child = None
            with contextlib.suppress(OSError, RuntimeError):
                child = self._start()
        self._put(child)

    def _put(self, child: Child | None) -> None:
        rank = 2 if child is None else int(child.answered == 0)
        self._places.put((rank, next(self._order), child))


def answer_frames(
    answer: Callable[[bytes], bytes], confine: Callable[[], None], seconds: float
) -> None:
    """Answer the frames of the parent until it closes the pipe: what a child's ``main`` ends in.

    Parameters
    ----------
    answer : callable
        From a frame to its answer.
    confine : callable
        Called once everything is open that needs to be.
    seconds : float
        Processor time for one frame, by which a child stops whose parent is gone.
    """
    source = sys.stdin.buffer
    sink = os.fdopen(os.dup(1), "wb")
    # Whatever a library prints must neither break the frames nor carry text into the log.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    confine()
    reply = _READY
    while True:
        sink.write(_HEADER.pack(len(reply)) + reply)
        sink.flush()
        header = source.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return
        usage = resource.getrusage(resource.RUSAGE_SELF)
        cpu = int(usage.ru_utime + usage.ru_stime + seconds) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, resource.RLIM_INFINITY))
        reply = answer(source.read(*_HEADER.unpack(header)))

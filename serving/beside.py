"""A process beside a worker: connections on which it is asked, what it answers, and its end.

What is imported here is little: a process is started before BentoML is imported, and imports its
own meanwhile.
"""

import asyncio
import contextlib
import pickle
import selectors
import socket
import struct
import subprocess
import threading
from itertools import count
from typing import Any, NamedTuple, cast

from models.errors import CareerlensError
from models.sandbox import LEAST_SHARE, be_nicer, command, processor_seconds

# A process that was hardly ever on a processor gets its time anew, so many times in all.
_PATIENCE = 2

# Of a question and its answer: their number, and the bytes that follow.
_HEADER = struct.Struct("!QQ")


class EndedError(CareerlensError):
    """The process ended; another one takes its place, and the same may work."""


class StuckError(EndedError):
    """It did not answer in time, and was ended."""


class UnforeseenError(Exception):
    """An error of none of our sorts; its words may be those of a text, and stay where they are."""


class Raised(NamedTuple):
    """An error in place of an answer.

    Attributes
    ----------
    error : Exception
    cause : BaseException or None
        Of it, which is lost on the way otherwise.
    places : list of str
        That it passed.
    """

    error: Exception
    cause: BaseException | None
    places: list[str]


def send(line: socket.socket, number: int, what: object) -> None:
    """Send a question, or the answer to the one of this number."""
    line.sendall(_frame(number, what))


def receive(line: socket.socket) -> tuple[int, Any]:
    """Return the next question or answer and its number, once it is there.

    Raises
    ------
    EOFError
        If the other end is closed.
    """
    number, size = _HEADER.unpack(_exactly(line, _HEADER.size))
    return number, pickle.loads(_exactly(line, size))


class Process:
    """One process that answers questions, as a worker has it.

    It has a connection for threads, and two for the event loop, which needs no thread: one that
    sleeps as soon as it has asked leaves the processor to what it has just woken up, and not to the
    loop (docs/decisions/0010-workshop.md).

    Parameters
    ----------
    module : str
        Whose ``main`` it calls: that is to call ``serving.beside_child.serve``.

    Attributes
    ----------
    was_stuck : bool
        Whether it was ended for that.
    """

    def __init__(self, module: str) -> None:
        pairs = [socket.socketpair() for _ in range(3)]
        (self._line, *own), others = zip(*pairs, strict=True)
        self._lock = threading.Lock()
        self.was_stuck = False
        self._in_turn, self._beside = map(_LoopLine, own)
        ends = [other.fileno() for other in others]
        self.popen = subprocess.Popen(
            command(module, list(map(str, ends))),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=ends,
            # What the terminal says is for the worker; why no session of its own: models/sandbox.py
            process_group=0,
        )
        be_nicer(self.popen.pid)
        for other in others:
            other.close()

    def call(self, seconds: float, *question: Any) -> Any:
        """Return the answer to a question of a thread; if none comes in time, end the process.

        Parameters
        ----------
        seconds : float
        question
            The method that answers, the arguments in order, and those by name.

        Raises
        ------
        EndedError
            If it has ended, or is stuck.
        Exception
            Whatever the method raises.
        """
        return _unfold(self._answer_to(seconds, question))

    def _answer_to(self, seconds: float, question: object) -> Any:
        with self._lock:
            try:
                self._line.settimeout(seconds)
                send(self._line, 0, question)
                self._wait(seconds)
                return receive(self._line)[1]
            except TimeoutError:
                raise self._stuck() from None
            except (EOFError, OSError):
                raise _ended() from None

    async def ask(
        self, bound: asyncio.Semaphore, seconds: float, *question: Any, beside: bool = False
    ) -> Any:
        """Return the answer to a question of the event loop, as :meth:`call` does.

        Whoever does not wait for it any longer lets it be answered all the same.

        Parameters
        ----------
        bound : Semaphore
            Keeps questions of a sort from being asked at once; their time begins afterwards.
        beside : bool
            Whether a thread of its own answers, beside those that are answered one after the other.
            It is for what waits most of the time: a thread that another one of its process has
            just woken up gets the processor before the worker, and keeps it for a while.
        """
        line = self._beside if beside else self._in_turn
        return _unfold(await self._answer_on(line, bound, seconds, question))

    async def _answer_on(
        self, line: "_LoopLine", bound: asyncio.Semaphore, seconds: float, question: object
    ) -> Any:
        await bound.acquire()
        answering = asyncio.get_running_loop().create_task(self._exchange(line, seconds, question))
        answering.add_done_callback(lambda _: bound.release())
        answering.add_done_callback(_look_at)
        try:
            return await asyncio.shield(answering)
        finally:
            del answering  # an error has this frame, which would have the error

    async def _exchange(self, line: "_LoopLine", seconds: float, question: object) -> Any:
        answer = (await line.open()).expect(question)
        try:
            for _ in range(_PATIENCE):
                before = processor_seconds(self.popen.pid)
                await asyncio.wait([answer], timeout=seconds)
                if answer.done():
                    return pickle.loads(answer.result())
                if self._has_worked(before, seconds):
                    break
            raise self._stuck()
        finally:
            del answer  # as above

    def _wait(self, seconds: float) -> None:
        """Wait for an answer, and for longer while the process gets hardly any processor."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._line, selectors.EVENT_READ)
            for _ in range(_PATIENCE):
                before = processor_seconds(self.popen.pid)
                if selector.select(seconds):
                    return
                if self._has_worked(before, seconds):
                    break
        raise TimeoutError

    def _has_worked(self, before: float, seconds: float) -> bool:
        worked = processor_seconds(self.popen.pid) - before
        return not worked < LEAST_SHARE * seconds  # where nobody tells, it is no number

    def _stuck(self) -> StuckError:
        self.was_stuck = True
        self.kill()
        return StuckError("the process beside the worker was stuck")

    def kill(self) -> None:
        """Have it end now, and all that it started."""
        import psutil  # what is not needed at the start

        below = []
        if self.popen.poll() is None:
            with contextlib.suppress(psutil.Error):  # it ended just now
                below = psutil.Process(self.popen.pid).children(recursive=True)
        self.popen.kill()
        for each in below:
            with contextlib.suppress(psutil.Error):
                each.kill()

    def close(self, seconds: float | None = None) -> None:
        """End it, if it has not ended, and wait for that; for ``seconds`` at most, if given.

        Where others keep the processors busy it takes its time to end, for that takes some.
        """
        self.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(seconds)
        with self._lock:
            self._line.close()
        self._in_turn.close()
        self._beside.close()


class _LoopLine:
    """A connection for the event loop, the one that first asks on it."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._opening = asyncio.Lock()
        self._answers: _Answers | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> "_Answers":
        async with self._opening:
            if self._answers is None:
                try:
                    line = self._line.dup()  # which the loop closes when it is done
                except OSError:
                    raise _ended() from None
                loop = asyncio.get_running_loop()
                _, self._answers = await loop.create_unix_connection(_Answers, sock=line)
                self._loop = loop
            return self._answers

    def close(self) -> None:
        self._line.close()
        if self._loop is not None and self._answers is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._answers.close)


class _Answers(asyncio.Protocol):
    """The event loop's connection to a process."""

    def __init__(self) -> None:
        self._numbers = count()
        self._content = bytearray()
        self._expected: dict[int, asyncio.Future[bytes]] = {}
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass

    def expect(self, question: object) -> "asyncio.Future[bytes]":
        """Send a question; what is returned has the answer one day, or an EndedError."""
        answer = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_look_at)
        if self._transport is None:
            answer.set_exception(_ended())
        else:
            number = next(self._numbers)
            frame = _frame(number, question)
            self._expected[number] = answer
            self._transport.write(frame)
        return answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._content += data
        while len(self._content) >= _HEADER.size:
            number, size = _HEADER.unpack_from(self._content)
            end = _HEADER.size + size
            if len(self._content) < end:
                return
            with memoryview(self._content) as whole:
                content = bytes(whole[_HEADER.size : end])
            del self._content[:end]
            self._expected.pop(number).set_result(content)

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None
        for answer in self._expected.values():
            answer.set_exception(_ended())
        self._expected.clear()


def _frame(number: int, what: object) -> bytes:
    content = pickle.dumps(what)
    return _HEADER.pack(number, len(content)) + content


def _exactly(line: socket.socket, size: int) -> bytes:
    content = bytearray(size)
    left = memoryview(content)
    while left:
        received = line.recv_into(left)
        if not received:
            raise EOFError
        left = left[received:]
    return bytes(content)


def _unfold(answer: Any) -> Any:
    if not isinstance(answer, Raised):
        return answer
    error, cause, places = answer
    error.places = places  # type: ignore[attr-defined]
    del answer
    try:
        raise error from cause
    finally:
        del error, cause  # or the error would have itself, and all that was sent, until collected


def _ended() -> EndedError:
    return EndedError("the process beside the worker ended")


def _look_at(answering: "asyncio.Future[Any]") -> None:
    """Take note of an error that nobody may be there for any more."""
    if not answering.cancelled():
        answering.exception()

"""A TCP proxy that fails on demand: what stands behind it is away, hangs, is slow, cut or raves."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Self

_CHUNK = 64 * 1024


class FaultyProxy:
    """Stands before a server on the loopback, and passes everything on until told otherwise.

    It runs in a thread of its own; every order is carried out when the call returns. The port stays
    the same, and ours, while connections to it are refused.

    Parameters
    ----------
    port : int
        Of the server on 127.0.0.1; it may be away.

    Attributes
    ----------
    port : int
        Where the proxy listens on 127.0.0.1.
    accepted : int
        Connections taken so far.
    """

    def __init__(self, port: int) -> None:
        self.accepted = 0
        self._server_port = port
        # Bound but never listening: whoever connects is refused while there is no other one.
        self._place = _socket(0)
        self.port: int = self._place.getsockname()[1]
        self._delay = 0.0
        self._words = b""
        self._open = asyncio.Event()
        self._listener: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="faulty", daemon=True)
        self._thread.start()
        self.heal()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def refuse(self) -> None:
        """Take no connection, and cut those there are: the server is stopped."""
        self._do(self._refuse())

    def hang(self) -> None:
        """Take connections and bytes, and pass nothing on, in either direction."""
        self._do(self._set(is_open=False, delay=0.0))

    def delay(self, seconds: float) -> None:
        """Pass everything on so much later, each way."""
        self._do(self._set(is_open=True, delay=seconds))

    def rave(self, words: bytes) -> None:
        """Answer whatever comes with ``words``, and pass nothing on."""
        self._do(self._set(is_open=True, delay=0.0, words=words))

    def cut(self) -> None:
        """Reset the connections there are, in the middle of whatever they do; take new ones."""
        self._do(self._cut())

    def heal(self) -> None:
        """Pass everything on again, what hung included."""
        self._do(self._set(is_open=True, delay=0.0))

    def close(self) -> None:
        """End the proxy; a second call does nothing."""
        if self._loop.is_closed():
            return
        self._do(self._refuse())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._place.close()

    def _do(self, order: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(order, self._loop).result(10)

    async def _set(self, *, is_open: bool, delay: float, words: bytes = b"") -> None:
        self._delay = delay
        self._words = words
        if is_open:
            self._open.set()
        else:
            self._open.clear()
        if self._listener is None:
            self._listener = await asyncio.start_server(self._take, sock=_socket(self.port))

    async def _refuse(self) -> None:
        if self._listener is not None:
            # What is being taken must belong to the server before that is closed: CPython 3.11
            # drops it otherwise, and leaves it open (an assertion in its Server._attach).
            for place in self._listener.sockets:
                self._loop.remove_reader(place.fileno())
            await asyncio.sleep(0)
            self._listener.close()
            self._listener = None
        await self._cut()
        # What was being taken just then finds no listener any more, and ends by itself.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)

    async def _cut(self) -> None:
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._listener is None:
            writer.transport.abort()
            return
        self.accepted += 1
        self._connections.add(task)
        with contextlib.suppress(asyncio.CancelledError):  # cut: the caller's side is reset too
            await self._pass_on(reader, writer)
        self._connections.discard(task)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind: asyncio.StreamWriter | None = None
        try:
            await self._open.wait()
            answers, behind = await asyncio.open_connection("127.0.0.1", self._server_port)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, behind, writer))
                both.create_task(self._pump(answers, writer, writer))
        except* OSError:  # either end is gone, and so is the other
            pass
        finally:
            for end in (writer, behind):
                if end is not None:
                    end.transport.abort()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        caller: asyncio.StreamWriter,
    ) -> None:
        while chunk := await reader.read(_CHUNK):
            await asyncio.sleep(self._delay)
            await self._open.wait()
            end = caller if self._words else writer
            end.write(self._words or chunk)
            await end.drain()
        raise ConnectionResetError


def _socket(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound

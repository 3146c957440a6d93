import contextlib
import gc
import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faulty import FaultyProxy


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while received := self.request.recv(1024):
            self.request.sendall(received)


class _EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that was cut is what these tests are about."""


@pytest.fixture
def proxy() -> Iterator[FaultyProxy]:
    with (
        _EchoServer(("127.0.0.1", 0), _Echo) as server,
        FaultyProxy(server.server_address[1]) as proxy,
    ):
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield proxy
        server.shutdown()


def connect(proxy: FaultyProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def echo(connection: socket.socket, word: bytes = b"word") -> bytes:
    connection.sendall(word)
    return connection.recv(1024)


def test_it_passes_everything_on(proxy: FaultyProxy) -> None:
    with connect(proxy) as one, connect(proxy) as other:
        assert (echo(one, b"a"), echo(other, b"b"), echo(one, b"c")) == (b"a", b"b", b"c")
    assert proxy.accepted == 2


def test_refusing_ends_what_there_is_and_takes_nothing_until_healed(proxy: FaultyProxy) -> None:
    with connect(proxy) as connection:
        echo(connection)
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            connect(proxy)
        assert _is_cut(connection)
    proxy.heal()
    with connect(proxy) as connection:
        assert echo(connection) == b"word"


def test_hanging_takes_connections_and_gives_nothing_until_healed(proxy: FaultyProxy) -> None:
    with connect(proxy) as before:
        echo(before)
        proxy.hang()
        with connect(proxy) as during:
            for connection in (before, during):
                connection.settimeout(0.1)
                with pytest.raises(TimeoutError):
                    echo(connection)
                connection.settimeout(5)
            proxy.heal()
            assert [connection.recv(1024) for connection in (before, during)] == [b"word"] * 2


def test_a_delay_is_one_of_each_way(proxy: FaultyProxy) -> None:
    with connect(proxy) as connection:
        echo(connection)
        proxy.delay(0.1)
        started = time.monotonic()
        assert echo(connection) == b"word"
        assert time.monotonic() - started >= 0.2


def test_a_cut_ends_what_there_is_and_takes_new_ones(proxy: FaultyProxy) -> None:
    with connect(proxy) as connection:
        echo(connection)
        proxy.cut()
        assert _is_cut(connection)
    with connect(proxy) as connection:
        assert echo(connection) == b"word"


def test_a_server_that_is_away_ends_the_connection() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, and not listening
        with FaultyProxy(nobody.getsockname()[1]) as proxy, connect(proxy) as connection:
            assert _is_cut(connection)


def _is_cut(connection: socket.socket) -> bool:
    try:
        return connection.recv(1024) == b""
    except ConnectionResetError:
        return True


def test_what_is_taken_while_it_is_told_to_refuse_is_left_open_by_nobody(
    proxy: FaultyProxy,
) -> None:
    ended = threading.Event()

    def call() -> None:
        while not ended.is_set():
            with contextlib.suppress(OSError):
                connect(proxy).close()

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for _ in range(100):
        proxy.refuse()
        proxy.heal()
    ended.set()
    for caller in callers:
        caller.join()
    gc.collect()  # an open socket that nobody has warns here, and the test fails

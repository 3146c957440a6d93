"""Connections of a real server, with clients that do not behave."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from prometheus_client import CollectorRegistry

from serving import connections
from serving.connections import Connection, ConnectionMetrics
from serving.exchange import ARRIVED, WHOLE
from serving.stopping import Stopping

HEAD = b"GET / HTTP/1.1\r\nhost: x\r\n"
LARGE = 50_000_000


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Read the body, and answer at once, after a while, with a lot, or with the headers' names.

    ``/whole`` has head and body leave together, ``/split`` tries to with a header of two lines.
    ``/taken`` answers with a body that was all there, ``/early`` before there is one.
    """
    assert 0 <= time.monotonic() - scope[ARRIVED] < 30
    whole, body = scope.pop(WHOLE), b"fine"
    taken = whole.take_whole() if scope["path"] == "/taken" else None
    if taken is not None:
        body = b"taken " + taken
    elif scope["path"] != "/early":
        while (await receive()).get("more_body"):
            pass
    if scope["path"] == "/slow":
        await asyncio.sleep(0.005)
    if scope["path"] == "/large":
        body = b"x" * LARGE
    if scope["path"] == "/names":
        body = b" ".join(name for name, _ in scope["headers"])
    length = (b"content-length", str(len(body)).encode())
    if scope["path"] in ("/whole", "/split"):
        more = (b"x-said", b"a\r\nset-cookie: b" if scope["path"] == "/split" else b"a")
        if whole.write_whole(200, [length, more], b"" if scope["method"] == "HEAD" else body):
            assert not whole.write_whole(200, [length], body)
            return
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


class Service:
    """A server with connections of ours."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.stopping = Stopping(0.0)
        bound = {
            "max_connections": 16,
            "keep_alive_seconds": 1,
            "stopping": self.stopping,
            "metrics": ConnectionMetrics(self.registry),
            "front": None,  # that of the project's service, if another test has made it
        }
        protocol = type("Bounded", (Connection,), bound)
        config = uvicorn.Config(
            app, http=protocol, loop="uvloop", lifespan="off", log_config=None, ws="none"
        )
        self.server = uvicorn.Server(config)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(
            target=lambda: asyncio.run(self.server.serve([self.socket])), daemon=True
        )
        self.thread.start()

    def connect(self) -> socket.socket:
        return socket.create_connection(self.socket.getsockname(), timeout=10)

    def closed(self, reason: str) -> float:
        name = "careerlens_connections_closed_total"
        return self.registry.get_sample_value(name, {"reason": reason}) or 0.0

    def ask(self, connection: socket.socket) -> bytes:
        connection.sendall(HEAD + b"\r\n")
        answered = b""
        while not answered.endswith(b"fine"):
            answered += connection.recv(65_536)
        return answered


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.4)
    monkeypatch.setattr(connections, "WRITE_SECONDS", 0.4)
    running = Service()
    yield running
    running.server.should_exit = True
    running.server.force_exit = True
    running.thread.join(10)


def refusal(answered: bytes) -> tuple[int, dict[str, Any]]:
    """Return status and body of an answer that ends its connection; the shape is that of all."""
    head, _, body = answered.partition(b"\r\n\r\n")
    assert b"connection: close" in head
    said = json.loads(body)
    assert set(said) == {"error", "detail", "request_id"}
    assert f"x-request-id: {said['request_id']}".encode() in head
    return int(head.split()[1]), said


def rest(connection: socket.socket) -> bytes:
    """Return what comes until the end."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            received += piece
    return received


def test_a_head_that_comes_byte_by_byte_is_given_up(service: Service) -> None:
    with service.connect() as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for byte in HEAD + b"a" * 200:
                connection.sendall(bytes([byte]))
                time.sleep(0.01)
        status, said = refusal(rest(connection))
    assert (status, said["error"]) == (408, "head_too_slow")
    assert service.closed("head_too_slow") == 1


def test_a_second_head_on_a_connection_is_held_to_the_same(service: Service) -> None:
    with service.connect() as connection:
        assert service.ask(connection).startswith(b"HTTP/1.1 200 ")
        connection.sendall(HEAD)
        assert refusal(rest(connection))[0] == 408


def test_a_head_without_an_end_is_cut_off(service: Service) -> None:
    sent = 0
    with service.connect() as connection:
        connection.sendall(HEAD + b"x-long: ")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while sent < LARGE:
                connection.sendall(b"a" * 10_000)
                sent += 10_000
        assert sent < LARGE
    assert service.closed("head_too_large") == 1


def test_a_head_of_many_small_lines_in_one_piece_is_refused(service: Service) -> None:
    with service.connect() as connection:
        connection.sendall(HEAD + b"a:b\r\n" * 3_000 + b"\r\n")
        assert refusal(rest(connection))[0] == 431
    assert service.closed("head_too_large") == 1


def test_what_follows_a_body_is_no_header(service: Service) -> None:
    head = HEAD.replace(b"GET /", b"POST /names", 1) + b"transfer-encoding: chunked\r\n"
    with service.connect() as connection:
        connection.sendall(
            head + b"connection: close\r\n\r\n0\r\nx-forwarded-for: 10.0.0.1\r\n\r\n"
        )
        assert rest(connection).endswith(b"\r\n\r\nhost transfer-encoding connection")


def test_requests_before_the_answer_to_the_first_are_answered_in_turn(service: Service) -> None:
    some = (HEAD.replace(b"/", b"/slow", 1) + b"\r\n") * 80
    with service.connect() as connection:
        connection.sendall(some)
        answered = connection.recv(65_536)
        connection.sendall(some)
        while answered.count(b"\r\n\r\nfine") < 160:
            piece = connection.recv(65_536)
            assert piece
            answered += piece
    assert service.closed("pipelined") == 0


def test_a_whole_answer_leaves_its_connection_open_for_what_comes_behind(service: Service) -> None:
    ask, last = HEAD.replace(b"/", b"/whole", 1), b"connection: close\r\n\r\n"
    with service.connect() as connection:
        head_only = ask.replace(b"GET", b"HEAD", 1)
        connection.sendall(ask + b"\r\n" + head_only + b"\r\n" + ask + last)
        answered = rest(connection)
    first, second, third, *none = answered.split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert not none
    for part in (first, second, third):
        assert b"content-length: 4\r\nx-said: a\r\n" in part
    assert [part.partition(b"\r\n\r\n")[2] for part in (first, second, third)] == [
        b"fine",
        b"",
        b"fine",
    ]
    assert [b"connection: close" in part for part in (first, second, third)] == [0, 0, 1]


def test_a_body_that_is_all_there_is_taken_at_once(service: Service) -> None:
    head = HEAD.replace(b"GET /", b"POST /taken", 1) + b"content-length: 6\r\n"
    with service.connect() as connection:
        connection.sendall(head + b"\r\nwho" + b"le!" + head + b"\r\npie")
        time.sleep(0.05)
        connection.sendall(b"ces" + head + b"connection: close\r\n\r\n-last-")
        answered = rest(connection)
    bodies = [part.partition(b"\r\n\r\n")[2] for part in answered.split(b"HTTP/1.1 200 OK")[1:]]
    assert bodies == [b"taken whole!", b"fine", b"taken -last-"]


def test_who_sends_no_body_yet_is_told_to_go_on_and_nobody_else(service: Service) -> None:
    expecting = b"content-length: 1\r\nexpect: 100-continue\r\n\r\n"
    with service.connect() as connection:
        connection.sendall(HEAD.replace(b"GET /", b"POST /", 1) + expecting)
        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"a" + HEAD.replace(b"GET /", b"POST /taken", 1))
        connection.sendall(b"connection: close\r\n" + expecting + b"a")
        answered = rest(connection)
    assert answered.count(b"HTTP/1.1 200 OK") == 2
    assert answered.count(b"HTTP/1.1") == 2


def test_no_header_of_a_whole_answer_makes_another(service: Service) -> None:
    with service.connect() as connection:
        connection.sendall(HEAD.replace(b"/", b"/split", 1) + b"\r\n")
        answered = rest(connection)
    assert answered.startswith(b"HTTP/1.1 500 ")
    assert b"cookie" not in answered


def test_nothing_whole_is_put_on_top_of_what_a_client_has_not_read(service: Service) -> None:
    with service.connect() as connection:
        for path in (b"/large", b"/whole"):
            connection.sendall(HEAD.replace(b"/", path, 1) + b"\r\n")
        time.sleep(0.1)
        received = bytearray()
        while not received.endswith(b"fine"):
            received += (piece := connection.recv(1_000_000))
            assert piece
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert b"x-said" not in received


def test_who_goes_on_asking_without_waiting_is_cut_off(service: Service) -> None:
    with service.connect() as connection:
        connection.sendall((HEAD.replace(b"/", b"/slow", 1) + b"\r\n") * 200)
        assert rest(connection).count(b"fine") < 100
    assert service.closed("pipelined") == 1


def test_what_is_no_http_gets_an_error_in_the_one_shape(service: Service) -> None:
    with service.connect() as connection:
        connection.sendall(b"canary-7f3a\r\n\r\n")
        answered = rest(connection)
    assert refusal(answered) == (400, refusal(answered)[1])
    assert refusal(answered)[1]["error"] == "malformed_request"
    assert b"canary" not in answered


def test_a_connection_that_is_never_used_is_closed(service: Service) -> None:
    with service.connect() as connection:
        assert rest(connection) == b""


def test_a_connection_stays_open_between_requests_for_as_long_as_is_wanted(
    service: Service,
) -> None:
    with service.connect() as connection:
        service.ask(connection)
        answered = time.monotonic()
        time.sleep(0.7)  # longer than a head may take
        service.ask(connection)
        assert rest(connection) == b""
        assert 1.5 < time.monotonic() - answered < 4.0  # and not uvicorn's five seconds


def test_who_does_not_read_the_answer_is_cut_off(service: Service) -> None:
    with service.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(HEAD.replace(b"/", b"/large", 1) + b"\r\n")
        deadline = time.monotonic() + 10
        while service.closed("unread") == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_one_connection_too_many_takes_the_place_of_an_idle_one(service: Service) -> None:
    with contextlib.ExitStack() as stack:
        uploading = stack.enter_context(service.connect())
        uploading.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\na")
        others = [stack.enter_context(service.connect()) for _ in range(15)]
        for connection in others:
            assert service.ask(connection).startswith(b"HTTP/1.1 200 ")
        newcomer = stack.enter_context(service.connect())
        assert service.ask(newcomer).startswith(b"HTTP/1.1 200 ")
        assert service.closed("room") == 1
        assert rest(others[0]) == b""  # the one that was idle the longest
        uploading.sendall(b"b")  # which comes before those that only idle
        assert uploading.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_while_it_ends_an_answer_is_the_last_of_its_connection(service: Service) -> None:
    with service.connect() as connection:
        assert b"connection: close" not in service.ask(connection)
        service.stopping.has_begun = True
        assert b"connection: close" in service.ask(connection)
        assert rest(connection) == b""


@pytest.mark.parametrize("body", [b"x", b"xyz", b"xyzGET /"], ids=["part", "all", "and a head"])
def test_a_body_that_comes_after_the_answer_keeps_no_connection_open(
    service: Service, body: bytes
) -> None:
    with service.connect() as late:
        late.sendall(b"GET /early HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n")
        answered = b""
        while not answered.endswith(b"fine"):
            answered += late.recv(65_536)
        late.sendall(body)
        assert b" 200 " not in rest(late)  # which waits until it is closed


def test_a_body_behind_an_upgrade_is_no_request(service: Service) -> None:
    with service.connect() as tunnel:
        tunnel.sendall(
            b"POST / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n"
            b"content-length: 40\r\n\r\n"
        )
        time.sleep(0.1)
        with contextlib.suppress(OSError):
            tunnel.sendall(HEAD + b"\r\n")
        status, said = refusal(rest(tunnel))
    assert (status, said["error"]) == (400, "malformed_request")

"""Connections within bounds: of their number, and of the size of a head and the time it may take.

uvicorn has no such limits with httptools: a head sent byte by byte keeps its place for ever, and
one without an end takes all memory, as do requests without an end that nobody waits to be answered.
It takes what follows a body (trailers) for a part of the head, where a proxy would not have let it
be. Bodies are bounded by the front, which sees them as they come.
"""

import asyncio
import time
from asyncio import TimerHandle
from collections.abc import Sized
from http import HTTPStatus
from typing import cast
from urllib.parse import unquote

import httptools
from prometheus_client import CollectorRegistry, Counter
from pydantic_core import to_json
from uvicorn.config import HTTP_PROTOCOLS
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.cycles import Cycle
from serving.exchange import ARRIVED, WHOLE, App, Scope, new_id
from serving.settings import Settings
from serving.stopping import Stopping

#: Most bytes of a request's first line and headers.
MAX_HEAD_BYTES = 64 * 1024

#: Bytes that a header counts as beside its own, as in HTTP/2 (RFC 9113, 10.5.1): many small ones
#: take the most memory.
HEADER_BYTES = 32

#: Requests that a client may send at most before it got its answer to the first of them.
MAX_PIPELINED = 100

#: Seconds in which a head must be there, counted from its first byte or the connection's start.
HEAD_SECONDS = 10.0

#: Seconds for which a client may leave what was answered unread.
WRITE_SECONDS = 30.0


class ConnectionMetrics:
    """What is counted of connections; all label values are of fixed sets."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._closed = Counter(
            "careerlens_connections_closed",
            "Connections that were ended for what they did, or to make room for others.",
            ["reason"],
            registry=registry,
        )

    def count(self, reason: str) -> None:
        """Count one connection that was ended."""
        self._closed.labels(reason).inc()


class _Flow(FlowControl):
    """Reads no further while requests wait for the answers to those before them."""

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()


class _RefusedError(Exception):
    """Stops the parser: the connection was ended, and nothing of what is left counts."""


class Connection(HttpToolsProtocol):
    """One connection of uvicorn, within the bounds.

    Attributes
    ----------
    max_connections : int
        Of this process; set once, with what follows, before the first one.
    keep_alive_seconds : int
        For which one stays open between two requests.
    front : ASGI application, optional
        It is asked in the place of what BentoML and uvicorn wrap around it: their timer, task and
        tracing of each request, and their word for who sent it. The front does all of it itself.
    """

    max_connections: int
    keep_alive_seconds: int
    stopping: Stopping
    metrics: ConnectionMetrics
    front: App | None = None

    _head_timer: TimerHandle | None = None
    _write_timer: TimerHandle | None = None
    _idle_timer: TimerHandle | None = None
    _idle_since: float | None = None
    _head_bytes = 0
    _lines_bytes = 0
    _in_head = True
    _since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; with too many, in the place of one that waits for its client."""
        super().connection_made(transport)
        self.app = type(self).front or self.app
        self.flow = _Flow(transport, self.pipeline)
        self.timeout_keep_alive = self.keep_alive_seconds
        self._since = self.loop.time()
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)
        if len(self.connections) > self.max_connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_head_timer()
        self._stop_write_timer()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, and refuse a head that grows too large."""
        super().data_received(data)
        if self.transport.is_closing() or not self._waits_for_head():
            return
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse_head()

    def on_message_begin(self) -> None:
        """Expect a head."""
        super().on_message_begin()
        self._in_head = True
        self._lines_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what comes after the body is thrown away, as RFC 9110 (6.5.1) allows."""
        self._lines_bytes += len(name) + len(value) + HEADER_BYTES
        if self._in_head and self._lines_bytes <= MAX_HEAD_BYTES:
            name = name.lower()
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_message_complete(self) -> None:
        """Expect no more of a request, though it may have been answered without its body."""
        if self.cycle is not None:
            self.cycle.more_body = False
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        """Start on the request; the last one of its connection while the worker is ending."""
        self._stop_head_timer()
        self._head_bytes = 0
        self._in_head = False
        self._since = self.loop.time()
        if len(self.url) + self._lines_bytes > MAX_HEAD_BYTES:
            self._refuse_head()
            raise _RefusedError
        if len(self.pipeline) >= MAX_PIPELINED:
            self.metrics.count("pipelined")
            self.transport.abort()
            raise _RefusedError
        if self.parser.should_upgrade():
            if any(name in (b"content-length", b"transfer-encoding") for name, _ in self.headers):
                # Its body would pass for the next request.
                self._refuse(400, "malformed_request", "a request with a body cannot be upgraded")
                raise _RefusedError
            super().on_headers_complete()
        else:
            self._begin()
        if self.stopping.has_begun:
            self.cycle.keep_alive = False

    def _begin(self) -> None:
        """Make the request's scope whole and start on it, or put it behind those before it."""
        scope = cast("Scope", self.scope)
        version = self.parser.get_http_version()
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        cycle = Cycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,  # the front writes a line for each request
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["http_version"] = version
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = url.path
        scope["query_string"] = url.query or b""
        scope[ARRIVED] = time.monotonic()
        scope[WHOLE] = cycle
        before, self.cycle = self.cycle, cycle
        if before is None or before.response_complete:
            self._start_asgi_task(cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  uvicorn's sentence
        """Answer what is no HTTP, in the shape of all errors."""
        if not self.transport.is_closing():
            self._refuse(400, "malformed_request", "this is no request of HTTP/1.1")

    def pause_writing(self) -> None:
        """Wait for a client that does not read, for a while."""
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(WRITE_SECONDS, self._abort)

    def resume_writing(self) -> None:
        """Go on, as the client does."""
        super().resume_writing()
        self._stop_write_timer()

    def on_response_complete(self) -> None:
        """Go on with the next request; if there is none, wait for a while.

        The timer goes on while there are requests: one for each answer would cost more.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self._end()
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
            return
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._wait_idly(self.timeout_keep_alive)

    def _unset_keepalive_if_required(self) -> None:
        # What follows an answer that did not wait for it is the rest of a body.
        if self.cycle is None or not (self.cycle.response_complete and self.cycle.more_body):
            self._idle_since = None

    def _wait_idly(self, seconds: float) -> None:
        self._idle_timer = self.loop.call_later(seconds, self._look_if_idle)

    def _look_if_idle(self) -> None:
        self._idle_timer = None
        if self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._wait_idly(left)
        else:
            self.timeout_keep_alive_handler()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that is idle, also if its client never read the answer."""
        if self.transport.get_write_buffer_size():
            self._abort()
        else:
            super().timeout_keep_alive_handler()

    def _waits_for_head(self) -> bool:
        return self.cycle is None or (self.cycle.response_complete and not self.cycle.more_body)

    def _make_room(self) -> None:
        """End the connection that waits the longest for its client's next byte."""
        waiting = [
            each
            for each in self.connections
            if isinstance(each, Connection)
            and each is not self
            and (each.transport.is_closing() or each._waits_for_head() or each.cycle.more_body)
        ]
        if not waiting:
            self._refuse(503, "busy", "too many requests at a time; try again in a moment")
            return
        oldest = min(
            waiting,
            key=lambda each: (
                not each.transport.is_closing(),
                not each._waits_for_head(),
                each._since,
            ),
        )
        self.metrics.count("room")
        oldest.transport.abort()

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._head_bytes == 0:  # an old friend of load balancers: opened, and never used
            self.transport.close()
        elif not self.transport.is_closing():
            self._refuse(408, "head_too_slow", "the head of the request took too long")

    def _refuse_head(self) -> None:
        self._refuse(431, "head_too_large", "the head of the request is too large")

    def _abort(self) -> None:
        self.metrics.count("unread")
        self.transport.abort()

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """Answer in the shape of all errors without asking the application, and hang up."""
        self.metrics.count(code)
        request_id = new_id()
        body = to_json({"error": code, "detail": detail, "request_id": request_id})
        head = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            "content-type: application/json",
            f"content-length: {len(body)}",
            f"x-request-id: {request_id}",
            "x-content-type-options: nosniff",
            "cache-control: no-store",
            "connection: close",
            *(["retry-after: 2"] if status == 503 else []),
        ]
        self.transport.write("\r\n".join([*head, "", ""]).encode() + body)
        self.transport.close()
        self._end()

    def _end(self) -> None:
        """Wait for a client to read the last answer, for a while: closing alone waits for ever."""
        if self._write_timer is None and self.transport.get_write_buffer_size():
            self._write_timer = self.loop.call_later(WRITE_SECONDS, self._abort)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None


def answer_with(front: App) -> None:
    """Have ``front`` asked directly, now that BentoML has made it."""
    Connection.front = front


def bound_connections(settings: Settings, stopping: Stopping, metrics: ConnectionMetrics) -> None:
    """Have uvicorn, about to be started by BentoML, make connections of ours."""
    Connection.max_connections = settings.max_connections
    Connection.keep_alive_seconds = settings.keep_alive_seconds
    Connection.stopping = stopping
    Connection.metrics = metrics
    HTTP_PROTOCOLS["auto"] = f"{Connection.__module__}:{Connection.__qualname__}"

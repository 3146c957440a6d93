"""The layer before BentoML's routing: one place where a request comes in and an answer goes out.

It gives every request an id, holds the body to its limit while it is read, answers the routes it
has an answer for, hands the others to BentoML, puts every error into one shape, and counts and
logs what was answered.
"""

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from pydantic_core import to_json

from serving.errors import (
    OverdueError,
    RequestError,
    TooLargeError,
    UnknownRouteError,
    WrongContentTypeError,
    WrongMethodError,
)
from serving.logs import Log, where_raised
from serving.metrics import Metrics

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON = "application/json"

#: What a client that left before its answer is logged and counted as, after nginx.
CLIENT_GONE = 499

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_JSON_TYPE = re.compile(rb'application/json\s*(;\s*charset\s*=\s*"?utf-?8"?\s*)?', re.IGNORECASE)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# What is still read of a body over its limit, so that the client gets to see the refusal: a
# connection closed with bytes unread is reset, and the answer lost with it.
_DRAIN_BYTES = 16 * 1024 * 1024
_DRAIN_SECONDS = 3.0

_current_id: ContextVar[str] = ContextVar("request_id")


@dataclass(frozen=True)
class Reply:
    """A finished answer."""

    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


#: From the request's body (empty where there is none) to the reply.
Answer = Callable[[bytes], Awaitable[Reply]]


@dataclass(frozen=True)
class Route:
    """How one method of one path is answered.

    Attributes
    ----------
    answer : Answer, optional
        Without it BentoML answers.
    takes_json : bool
        Whether there is a body, and it must be JSON.
    probe : bool
        Whether it is called all the time by machines, and logged only at the level debug.
    """

    answer: Answer | None = None
    takes_json: bool = False
    probe: bool = False


Routes = Mapping[str, Mapping[str, Route]]  # path, then method


class _ClientGoneError(Exception):
    """The client closed the connection before its request was whole."""


def request_id() -> str:
    """Return the id of the request being answered, or a new one outside of any."""
    return _current_id.get(None) or secrets.token_hex(16)


def json_reply(content: Mapping[str, Any]) -> Reply:
    """Return ``content`` with the request's id; floats keep every digit."""
    return Reply(to_json({**content, "request_id": request_id()}))


class Front:
    """ASGI middleware around BentoML's application.

    Parameters
    ----------
    app : ASGI application
    routes : mapping of path to mapping of method to Route
        Everything there is; other paths and methods never reach ``app``.
    max_body_bytes : int
    timeout_seconds : float
    metrics : Metrics
    log : Log
    """

    def __init__(
        self,
        app: App,
        *,
        routes: Routes,
        max_body_bytes: int,
        timeout_seconds: float,
        metrics: Metrics,
        log: Log,
    ) -> None:
        self.app = app
        self.routes = routes
        self.max_body_bytes = max_body_bytes
        self.timeout_seconds = timeout_seconds
        self.metrics = metrics
        self.log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; start-up and shut-down messages go through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        token = _current_id.set(_choose_id(headers))
        try:
            await self._handle(scope, headers, receive, send)
        finally:
            _current_id.reset(token)

    async def _handle(
        self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        started = time.perf_counter()
        incoming = _Incoming(receive, headers, self.max_body_bytes)
        outgoing = _Outgoing(send, head_only=scope["method"] == "HEAD")
        probe = False
        try:
            async with asyncio.timeout(self.timeout_seconds):
                route = self._find(scope)
                probe = route.probe
                await self._answer(route, scope, incoming, outgoing)
        except RequestError as refusal:
            await outgoing.refuse(refusal, incoming)
        except TimeoutError:
            overdue = OverdueError("the answer took too long; try again later")
            await outgoing.refuse(overdue, incoming)
        except _ClientGoneError:
            outgoing.status = CLIENT_GONE
        except Exception as error:  # the edge: nothing of it may reach the caller or hold its text
            self.log.error(
                "failed",
                request_id=request_id(),
                error=type(error).__name__,
                place=where_raised(error),
            )
            failure = RequestError("the service failed; the log has the request's id")
            await outgoing.refuse(failure, incoming)
        self._record(scope, outgoing.status, time.perf_counter() - started, probe)

    def _find(self, scope: Scope) -> Route:
        methods = self.routes.get(scope["path"])
        if methods is None:
            raise UnknownRouteError("there is no such path; GET / lists what there is")
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if method not in methods:
            raise WrongMethodError([*methods, "HEAD"] if "GET" in methods else methods)
        return methods[method]

    async def _answer(
        self, route: Route, scope: Scope, incoming: "_Incoming", outgoing: "_Outgoing"
    ) -> None:
        if route.answer is None:
            incoming.check_length()
            await self.app(scope, incoming.receive, outgoing.forward)
            if incoming.overflow is not None:  # BentoML caught it and answered with a 500
                raise incoming.overflow
            await outgoing.finish(incoming)
            return
        body = b""
        if route.takes_json:
            incoming.check_json()
            body = await incoming.read()
        await outgoing.reply(await route.answer(body))

    def _record(self, scope: Scope, status: int, seconds: float, probe: bool) -> None:
        route = scope["path"] if scope["path"] in self.routes else "other"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self.metrics.count_request(route, method, status, seconds)
        write = self.log.debug if probe else self.log.info
        write(
            "request",
            request_id=request_id(),
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 3),
        )


class _Incoming:
    """The request's body, held to its limit."""

    def __init__(self, receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> None:
        self._receive = receive
        self._headers = headers
        self._limit = limit
        self._size = 0
        self._complete = False
        self.overflow: TooLargeError | None = None

    def check_json(self) -> None:
        """Refuse what does not say it is JSON in UTF-8."""
        if not _JSON_TYPE.fullmatch(self._headers.get(b"content-type", b"").strip()):
            raise WrongContentTypeError(f"the body must be of type {JSON}, in UTF-8")
        if self._headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
            raise WrongContentTypeError("the body must not be compressed")

    def check_length(self) -> None:
        """Refuse what says beforehand that it is too large."""
        declared = self._headers.get(b"content-length", b"")
        if declared.isdigit() and (len(declared) > 18 or int(declared) > self._limit):
            raise self._too_large()

    async def read(self) -> bytes:
        """Return the whole body."""
        self.check_length()
        parts = []
        while not self._complete:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise _ClientGoneError
            parts.append(message.get("body", b""))
        return b"".join(parts)

    async def receive(self) -> Message:
        """Receive as ASGI does, and stop at the limit."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._size += len(message.get("body", b""))
            self._complete = not message.get("more_body", False)
            if self._size > self._limit:
                self.overflow = self._too_large()
                raise self.overflow
        return message

    def unread(self) -> bool:
        """Return whether the request has a body that was not read to its end."""
        length = self._headers.get(b"content-length", b"0")
        return not self._complete and (length != b"0" or b"transfer-encoding" in self._headers)

    async def drain(self) -> None:
        """Throw away what follows, for a while."""
        drained = 0
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while not self._complete and drained < _DRAIN_BYTES:
                    message = await self._receive()
                    if message["type"] != "http.request":
                        return
                    drained += len(message.get("body", b""))
                    self._complete = not message.get("more_body", False)
        except TimeoutError:
            return

    def _too_large(self) -> TooLargeError:
        return TooLargeError(f"the body has more than {self._limit:,} bytes")


class _Outgoing:
    """The answer: a reply of ours, or BentoML's with its errors put into our shape."""

    def __init__(self, send: Send, head_only: bool) -> None:
        self._send = send
        self._head_only = head_only
        self._started = False
        self._withheld = False
        self.status = 500

    async def reply(self, reply: Reply, status: int = 200) -> None:
        """Send a whole answer."""
        await self._start(status, reply)
        await self._body(reply.body, more=False)

    async def refuse(self, problem: RequestError, incoming: _Incoming) -> None:
        """Send an error in the one shape, unless an answer is on its way already.

        What is left of the request is read for a while, and the connection closed.
        """
        if self._started:  # it stays incomplete, and the server closes the connection
            self.status = problem.status
            return
        content = {"error": problem.code, "detail": problem.detail}
        headers = problem.headers()
        unread = incoming.unread()
        if unread:
            headers.append(("connection", "close"))
        reply = replace(json_reply(content), headers=tuple(headers))
        await self._start(problem.status, reply)
        await self._body(reply.body, more=unread)
        if unread:
            await incoming.drain()
            await self._body(b"", more=False)

    async def forward(self, message: Message) -> None:
        """Send what BentoML says; an error of its own is withheld for ``finish``."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._withheld = self.status >= 400
            if not self._withheld:
                self._started = True
                message["headers"] = [*message.get("headers", []), *_common_headers()]
        if not self._withheld:
            await self._send(message)

    async def finish(self, incoming: _Incoming) -> None:
        """Send the error that BentoML answered with, if it did, in our shape."""
        if self._withheld:
            phrase = HTTPStatus(self.status).phrase
            problem = RequestError(f"the request was refused: {phrase}", _code(phrase))
            problem.status = self.status
            await self.refuse(problem, incoming)

    async def _start(self, status: int, reply: Reply) -> None:
        self._started = True
        self.status = status
        headers = [
            (b"content-type", reply.content_type.encode()),
            (b"content-length", str(len(reply.body)).encode()),
            *_common_headers(),
            *((name.encode(), value.encode()) for name, value in reply.headers),
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def _body(self, body: bytes, more: bool) -> None:
        sent = b"" if self._head_only else body
        await self._send({"type": "http.response.body", "body": sent, "more_body": more})


def _choose_id(headers: Mapping[bytes, bytes]) -> str:
    """Return the caller's X-Request-Id when it is a plain short word, else a new one."""
    given = headers.get(b"x-request-id", b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)


def _common_headers() -> list[tuple[bytes, bytes]]:
    return [
        (b"x-request-id", request_id().encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]


def _code(phrase: str) -> str:
    return re.sub(r"[^a-z]+", "_", phrase.lower())

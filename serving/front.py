"""The layer before BentoML's routing: one place where a request comes in and an answer goes out.

It gives every request an id, finds its route, lets its caller in by key and limits, holds the body
to its limit while it is read, answers the routes it has an answer for, hands the others to BentoML,
puts every error into one shape, and counts and logs what was answered.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from serving import tracing
from serving.callers import STRANGER, Access, current_caller
from serving.cors import Cors
from serving.deadlines import Deadlines
from serving.errors import OverdueError, RequestError, UnknownRouteError, WrongMethodError
from serving.exchange import (
    ARRIVED,
    WHOLE,
    App,
    Arrival,
    Body,
    ClientGoneError,
    Incoming,
    Outgoing,
    Receive,
    Reply,
    Scope,
    Send,
    UploadMemory,
    current_arrival,
    current_id,
    new_id,
    request_id,
)
from serving.gate import Gate
from serving.limits import current_meter
from serving.logs import Log, where_raised
from serving.metrics import Metrics
from serving.tracing import Record, span

#: Bodies of the usual size that are held at a time, or as much in smaller ones.
USUAL_BODIES = 64

#: What a client that left before its answer is logged and counted as, after nginx.
CLIENT_GONE = 499

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

#: From the request's body (empty where there is none) to the reply.
Answer = Callable[[Body], Awaitable[Reply]]


@dataclass(frozen=True)
class Route:
    """How one method of one path is answered.

    Attributes
    ----------
    answer : Answer, optional
        Without it BentoML answers.
    takes : tuple of str
        Media types of which the body must be one; empty where there is none.
    max_body_bytes : int, optional
        A limit of its own, for large bodies, which then share the front's memory for uploads.
    probe : bool
        Whether it is called all the time by machines, and logged only at the level debug unless
        it fails.
    scope : str, optional
        What the caller's key must be allowed to do; ``any`` for every key, None for no key at all.
    cost : int
        What a request counts as against the caller's limits, 0 for none; what it costs beyond
        (each further text of a batch) is counted once it is known.
    health : bool
        Whether it is answered to everybody, without a key and from anywhere. Saying no is its
        task, and no failure.
    app : ASGI application, optional
        It answers in BentoML's place.
    seconds : float, optional
        A limit of its own, for answers that come piece by piece.
    """

    answer: Answer | None = None
    takes: tuple[str, ...] = ()
    max_body_bytes: int | None = None
    probe: bool = False
    scope: Access | Literal["any"] | None = None
    cost: int = 1
    health: bool = False
    app: App | None = None
    seconds: float | None = None


Routes = Mapping[str, Mapping[str, Route]]  # path, then method


class Front:
    """ASGI middleware around BentoML's application.

    Parameters
    ----------
    app : ASGI application
    routes : mapping of path to mapping of method to Route
        Everything there is; other paths and methods never reach ``app``.
    max_body_bytes : int
        For routes without a limit of their own.
    memory : UploadMemory
        For the bodies of routes with one.
    gate : Gate
    cors : Cors
    timeout_seconds : float
    metrics : Metrics
    log : Log
    find_more : callable, optional
        From the path to its methods, for paths that ``routes`` cannot list: those of the page.
    announce : callable, optional
        Told of the front once it is there, which is when BentoML makes it.
    """

    def __init__(
        self,
        app: App,
        *,
        routes: Routes,
        max_body_bytes: int,
        memory: UploadMemory,
        gate: Gate,
        cors: Cors,
        timeout_seconds: float,
        metrics: Metrics,
        log: Log,
        find_more: Callable[[str], Mapping[str, Route] | None] = lambda _: None,
        announce: Callable[[App], None] = lambda _: None,
    ) -> None:
        self.app = app
        self.routes = routes
        self.max_body_bytes = max_body_bytes
        self.memory = memory
        self.usual_memory = UploadMemory(USUAL_BODIES * max_body_bytes)
        self.gate = gate
        self.cors = cors
        self._deadlines = Deadlines(timeout_seconds)
        self.metrics = metrics
        self.log = log
        self._logs = log.is_enabled_for(logging.INFO)
        self._logs_probes = log.is_enabled_for(logging.DEBUG)
        self.find_more = find_more
        announce(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; start-up and shut-down messages go through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        token = current_id.set(_choose_id(headers))
        taken = time.monotonic()
        arrival = current_arrival.set(Arrival(scope.get(ARRIVED, taken), taken))
        caller = current_caller.set(STRANGER)
        meter = current_meter.set(None)
        try:
            with tracing.request(headers) as record:
                await self._handle(scope, headers, receive, send, record)
        finally:
            current_meter.reset(meter)
            current_caller.reset(caller)
            current_arrival.reset(arrival)
            current_id.reset(token)

    async def _handle(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        receive: Receive,
        send: Send,
        record: Record,
    ) -> None:
        started = time.perf_counter()
        whole = scope.pop(WHOLE, None)
        incoming = Incoming(receive, headers, self.max_body_bytes, whole)
        outgoing = Outgoing(send, scope["method"] == "HEAD", whole)
        route: Route | None = None
        try:
            self.cors.mark(headers, outgoing.headers)
            route = self._find(scope, headers, outgoing)
            if route.seconds is None:
                task = self._deadlines.begin()
                try:
                    await self._admit(route, scope, incoming, outgoing)
                finally:
                    self._deadlines.end(task)
            else:
                async with asyncio.timeout(route.seconds):
                    await self._admit(route, scope, incoming, outgoing)
        except RequestError as refusal:
            await outgoing.refuse(refusal, incoming)
        except (TimeoutError, asyncio.CancelledError):  # the latter by the deadline, or the server
            if (current := asyncio.current_task()) is not None:
                current.uncancel()  # or what follows could not be timed out
            overdue = OverdueError("the answer took too long; try again later")
            await outgoing.refuse(overdue, incoming)
        except ClientGoneError:
            await outgoing.let_go(CLIENT_GONE)
        except Exception as error:  # the edge: nothing of it may reach the caller or hold its text
            self.log.error(
                "failed",
                request_id=request_id(),
                error=type(error).__name__,
                place=where_raised(error),
            )
            failure = RequestError("the service failed; the log has the request's id")
            await outgoing.refuse(failure, incoming)
        finally:
            incoming.release()
        probe = route is not None and route.probe and (route.health or outgoing.status < 500)
        self._record(scope, outgoing.status, time.perf_counter() - started, probe, record)

    def _find(self, scope: Scope, headers: Mapping[bytes, bytes], outgoing: Outgoing) -> Route:
        methods = self.routes.get(scope["path"]) or self.find_more(scope["path"])
        if methods is None:
            raise UnknownRouteError("there is no such path; GET / lists what there is")
        if self.cors.asks_first(scope["method"], headers):
            self.cors.allow(methods, headers, outgoing.headers)
            return _PREFLIGHT
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if method not in methods:
            raise WrongMethodError([*methods, "HEAD"] if "GET" in methods else methods)
        return methods[method]

    async def _admit(
        self, route: Route, scope: Scope, incoming: Incoming, outgoing: Outgoing
    ) -> None:
        if not route.health:
            with span("admit"):
                await self.gate.admit(
                    route.scope, route.cost, scope, incoming.headers, outgoing.headers
                )
        await self._answer(route, scope, incoming, outgoing)

    async def _answer(
        self, route: Route, scope: Scope, incoming: Incoming, outgoing: Outgoing
    ) -> None:
        if route.answer is None:
            if route.max_body_bytes is not None:
                incoming.allow(route.max_body_bytes, self.memory)
            if route.takes:
                incoming.check_type(route.takes)
            incoming.check_length()
            await (route.app or self.app)(scope, incoming.receive, outgoing.forward)
            if incoming.overflow is not None:  # BentoML caught it and answered with a 500
                raise incoming.overflow
            await outgoing.finish(incoming)
            return
        body = Body()
        if route.takes:
            if route.max_body_bytes is not None:
                incoming.allow(route.max_body_bytes, self.memory)
            else:
                incoming.allow(self.max_body_bytes, self.usual_memory)
            incoming.check_type(route.takes)
            with span("read"):
                body = await incoming.read()
        await outgoing.reply(await route.answer(body))

    def _record(
        self, scope: Scope, status: int, seconds: float, probe: bool, record: Record
    ) -> None:
        route = scope["path"]
        if route not in self.routes:
            route = "other" if self.find_more(route) is None else "page"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self.metrics.count_request(route, method, status, seconds)
        if not probe:  # machines ask all the time: a trace of each would bury the others
            record.answered(route, method, status, request_id=request_id())
        if not (self._logs_probes if probe else self._logs):
            return
        caller = current_caller.get()
        write = self.log.debug if probe else self.log.info
        write(
            "request",
            request_id=request_id(),
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 3),
            **({"caller": caller.name, "key": caller.key_id} if caller.key_id else {}),
            **record.fields(),
        )


async def _nothing(_: Body) -> Reply:
    return Reply(b"")


#: How a browser's question is answered that asks whether a page may call: by the headers alone.
_PREFLIGHT = Route(_nothing, probe=True, health=True)


def _choose_id(headers: Mapping[bytes, bytes]) -> str:
    """Return the caller's X-Request-Id when it is a plain short word, else a new one."""
    given = headers.get(b"x-request-id", b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else new_id()

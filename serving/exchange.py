"""One request and its answer: the body as it comes in, held to its limits, and what goes out."""

import asyncio
import random
import re
import time
from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    MutableMapping,
)
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

from pydantic_core import to_json

from serving.errors import BusyError, RequestError, TooLargeError, WrongContentTypeError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]


class Whole(Protocol):
    """A server's shorter ways, for bodies that are all there."""

    def take_whole(self) -> bytes | None:
        """Return the body of the request, None if some of it is yet to come."""

    def write_whole(self, status: int, headers: Iterable[Header], body: bytes) -> bool:
        """Send an answer, and return whether that could be done."""


JSON = "application/json"
MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"

#: The request being answered.
current_id: ContextVar[str] = ContextVar("request_id")


class Arrival(NamedTuple):
    """When a request came in, on the monotonic clock.

    Attributes
    ----------
    read : float
        When its connection had read the head.
    taken : float
        When the front took it, which is later as the event loop is behind.
    """

    read: float
    taken: float


#: That of the request being answered.
current_arrival: ContextVar[Arrival] = ContextVar("arrival")

#: Under which a connection of ours tells when it had read the head in the scope of a request.
ARRIVED = "careerlens.arrived"

#: Under which it offers its shorter ways.
WHOLE = "careerlens.whole"

_JSON = JSON.encode()
_JSON_TYPE = re.compile(rb'application/json\s*(;\s*charset\s*=\s*"?utf-?8"?\s*)?', re.IGNORECASE)

# What is still read of a body over its limit, so that the client gets to see the refusal: a
# connection closed with bytes unread is reset, and the answer lost with it.
_DRAIN_BYTES = 16 * 1024 * 1024
_DRAIN_SECONDS = 3.0


class ClientGoneError(Exception):
    """The client closed the connection before its request was whole."""


class Body(NamedTuple):
    """A request's body as it came, and what its head says of it."""

    content: bytes = b""
    content_type: str = JSON
    user_agent: str = ""
    idempotency_key: str = ""

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.content_type.partition(";")[0].strip().lower()


class Reply(NamedTuple):
    """A finished answer."""

    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


def new_id() -> str:
    """Return an id for a request: no secret, so that the kernel need not be asked.

    Whoever asks it lets go of the interpreter, and stands in line for it again.
    """
    return f"{random.getrandbits(128):032x}"


def request_id() -> str:
    """Return the id of the request being answered, or a new one outside of any."""
    return current_id.get(None) or new_id()


def arrival() -> Arrival:
    """Return when the request being answered came in: just now, outside of any."""
    now = time.monotonic()
    return current_arrival.get(None) or Arrival(now, now)


def json_reply(content: Mapping[str, Any], cache_status: str | None = None) -> Reply:
    """Return ``content`` with the request's id; floats keep every digit.

    Parameters
    ----------
    cache_status : str, optional
        What the head says of kept answers (RFC 9211).
    """
    headers = () if cache_status is None else (("cache-status", cache_status),)
    return Reply(to_json({**content, "request_id": request_id()}), headers=headers)


def with_id(content: bytes, cache_status: str | None = None) -> Reply:
    """Return ``content``, an object in JSON that is not empty, as :func:`json_reply` does."""
    headers = () if cache_status is None else (("cache-status", cache_status),)
    body = b'%b,"request_id":"%b"}' % (content[:-1], request_id().encode())  # a plain word
    return Reply(body, headers=headers)


class UploadMemory:
    """The memory that the large bodies of all requests may take together.

    Counted as the bytes arrive: whoever announces an upload and sends nothing keeps nobody out.

    Parameters
    ----------
    max_bytes : int
    """

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes

    def check(self, size: int) -> None:
        """Refuse what cannot be taken at present.

        Raises
        ------
        BusyError
        """
        if size > self._left:
            raise BusyError("too many uploads at a time; try again in a moment")

    def take(self, size: int) -> None:
        """Count ``size`` more bytes as held; raises as :meth:`check` does."""
        self.check(size)
        self._left -= size

    def give_back(self, size: int) -> None:
        """Count ``size`` bytes as free again."""
        self._left += size


class Incoming:
    """The request's body, held to its limit.

    Parameters
    ----------
    receive : callable
        ASGI's.
    headers : mapping of bytes to bytes
    limit : int
        Most bytes of the body.
    whole : Whole, optional
        The server's shorter ways, if it has some.

    Attributes
    ----------
    headers : mapping of bytes to bytes
    """

    def __init__(
        self,
        receive: Receive,
        headers: Mapping[bytes, bytes],
        limit: int,
        whole: Whole | None = None,
    ) -> None:
        self._receive = receive
        self._whole = whole
        self.headers = headers
        self._limit = limit
        self._memory: UploadMemory | None = None
        self._size = 0
        self._held = 0
        self._complete = False
        self.overflow: TooLargeError | None = None

    def allow(self, limit: int, memory: UploadMemory) -> None:
        """Set another limit; the body counts in ``memory`` until :meth:`release`."""
        self._limit = limit
        self._memory = memory

    def check_type(self, takes: Collection[str]) -> None:
        """Refuse what does not say that it is of one of these types, uncompressed."""
        given = self.headers.get(b"content-type", b"").strip()
        if given == _JSON and JSON in takes and b"content-encoding" not in self.headers:
            return  # as nearly always
        media_type = given.partition(b";")[0].strip().lower().decode("latin-1")
        is_taken = _JSON_TYPE.fullmatch(given) if media_type == JSON else True
        if media_type not in takes or not is_taken:
            types = " or ".join(takes)
            raise WrongContentTypeError(f"the body must be of type {types}, in UTF-8")
        if self.headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
            raise WrongContentTypeError("the body must not be compressed")

    def check_length(self) -> None:
        """Refuse what says beforehand that it is too large."""
        declared = self.headers.get(b"content-length", b"")
        if not declared.isdigit():
            return
        if len(declared) > 18 or int(declared) > self._limit:
            raise self._too_large()
        if self._memory is not None:
            self._memory.check(int(declared))

    async def read(self) -> Body:
        """Return the whole body."""
        self.check_length()
        content = None if self._whole is None else self._whole.take_whole()
        if content is None:
            content = await self._read()
        else:
            self._complete = True
            self._count(len(content))
        return Body(
            content,
            self.headers.get(b"content-type", b"").decode("latin-1"),
            self.headers.get(b"user-agent", b"").decode("latin-1"),
            self.headers.get(b"idempotency-key", b"").decode("latin-1"),
        )

    async def receive(self) -> Message:
        """Receive as ASGI does, and stop at the limits."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._complete = not message.get("more_body", False)
            self._count(len(message.get("body", b"")))
        return message

    def release(self) -> None:
        """Let others have the memory."""
        if self._memory is not None:
            self._memory.give_back(self._held)
            self._held = 0

    def unread(self) -> bool:
        """Return whether the request has a body that was not read to its end."""
        length = self.headers.get(b"content-length", b"0")
        return not self._complete and (length != b"0" or b"transfer-encoding" in self.headers)

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

    async def _read(self) -> bytes:
        parts = []
        while not self._complete:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            parts.append(message.get("body", b""))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _count(self, size: int) -> None:
        """Count ``size`` bytes more, and stop at the limits."""
        self._size += size
        if self._size > self._limit:
            self.overflow = self._too_large()
            raise self.overflow
        if self._memory is not None:
            self._memory.take(size)
            self._held += size

    def _too_large(self) -> TooLargeError:
        return TooLargeError(f"the body has more than {self._limit:,} bytes")


class Outgoing:
    """The answer: a reply of ours, or BentoML's with its errors put into our shape.

    Parameters
    ----------
    send : callable
        ASGI's.
    head_only : bool
        Whether the body is left out.
    whole : Whole, optional
        The server's shorter ways, if it has some.

    Attributes
    ----------
    status : int
    headers : dict of bytes to bytes
        What the answer's head says beside the usual, whatever the answer will be.
    """

    def __init__(self, send: Send, head_only: bool, whole: Whole | None = None) -> None:
        self._send = send
        self._head_only = head_only
        self._whole = whole
        self._started = False
        self._withheld = False
        self.status = 500
        self.headers: dict[bytes, bytes] = {}

    async def reply(self, reply: Reply, status: int = 200) -> None:
        """Send a whole answer."""
        self._started = True
        self.status = status
        headers = self._headers(reply)
        body = b"" if self._head_only else reply.body
        if self._whole is None or not self._whole.write_whole(status, headers, body):
            await self._head(headers)
            await self._body(body, more=False)

    async def refuse(self, problem: RequestError, incoming: Incoming) -> None:
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
        reply = json_reply(content)._replace(headers=tuple(headers))
        if not unread:
            await self.reply(reply, problem.status)
            return
        self._started = True
        self.status = problem.status
        await self._head(self._headers(reply))
        await self._body(b"" if self._head_only else reply.body, more=True)
        await incoming.drain()
        await self._body(b"", more=False)

    async def let_go(self, status: int) -> None:
        """Answer a client that has left: nobody hears it, but BentoML's timer waits for it."""
        if self._started:
            self.status = status
            return
        await self.reply(Reply(b""), status)

    async def forward(self, message: Message) -> None:
        """Send what BentoML says; an error of its own is withheld for ``finish``."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._withheld = self.status >= 400
            if not self._withheld:
                self._started = True
                given = message.get("headers", [])
                said = {name.lower() for name, _ in given}
                common = [header for header in _common_headers() if header[0] not in said]
                message["headers"] = [*given, *common, *self.headers.items()]
        if not self._withheld:
            await self._send(message)

    async def finish(self, incoming: Incoming) -> None:
        """Send the error that BentoML answered with, if it did, in our shape."""
        if self._withheld:
            phrase = HTTPStatus(self.status).phrase
            problem = RequestError(f"the request was refused: {phrase}", _code(phrase))
            problem.status = self.status
            await self.refuse(problem, incoming)

    def _headers(self, reply: Reply) -> list[Header]:
        return [
            (b"content-type", reply.content_type.encode()),
            (b"content-length", b"%d" % len(reply.body)),
            *_common_headers(),
            *self.headers.items(),
            *((name.encode(), value.encode()) for name, value in reply.headers),
        ]

    async def _head(self, headers: list[Header]) -> None:
        await self._send({"type": "http.response.start", "status": self.status, "headers": headers})

    async def _body(self, body: bytes, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


def _common_headers() -> list[Header]:
    return [
        (b"x-request-id", request_id().encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]


def _code(phrase: str) -> str:
    return re.sub(r"[^a-z]+", "_", phrase.lower())

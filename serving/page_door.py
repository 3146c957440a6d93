"""The paths of the page that people look at, and the handing over of them to its process."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping

import httpx

from serving.errors import ForbiddenError, NotReadyError, UnknownRouteError
from serving.exchange import JSON, MULTIPART, Body, ClientGoneError, Receive, Reply, Scope, Send
from serving.front import Answer, Route
from serving.page_process import PageProcess, is_installed

#: Seconds for which an answer of the page may go on: that on many messages comes piece by piece.
STREAM_SECONDS = 300.0

#: Most bytes of a file that a visitor drops, with the form around it.
UPLOAD_BYTES = 10 * 1024 * 1024 + 64 * 1024

#: What a dropped file counts as against the limit of its sender's address.
UPLOAD_COST = 60

_CONNECT_SECONDS = 2.0

# The page keeps them for longer: see serving/ui/__main__.py.
_CONNECTIONS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5.0)

# Of what a browser says, what Gradio needs: no key and no cookie.
_SENT_ON = (b"host", b"accept", b"accept-encoding", b"content-type", b"content-length")
_SENT_BACK = frozenset(
    (
        b"cache-control",
        b"content-encoding",
        b"content-length",
        b"content-security-policy",
        b"content-type",
        b"referrer-policy",
    )
)

# Gradio has many more paths, for files of this machine, other sites, and what its makers offer.
_FILES = re.compile(r"/(?:assets|static)/[A-Za-z0-9_./-]+|/theme\.css|/favicon\.ico")

_WAIT = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="1">
<meta name="color-scheme" content="light dark">
<title>Careerlens</title>
</head>
<body><main><h1>Careerlens</h1><p role="status">The page is starting.</p></main></body>
</html>
"""
_WAIT_HEADERS = (("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),)


class PageDoor:
    """An ASGI application that answers for the page.

    Parameters
    ----------
    process : PageProcess
    plain : Answer
        What ``/`` says to programs, and to browsers where there is no page or it does not start.
    body_bytes : int
        Most bytes of what a visitor typed.
    """

    def __init__(self, process: PageProcess, plain: Answer, body_bytes: int) -> None:
        self._process = process
        self._is_installed = is_installed()
        self._plain = plain
        self._client: httpx.AsyncClient | None = None
        self.document = Route(app=self)
        self._files = {"GET": Route(app=self, probe=True)}
        self._calls: dict[str, dict[str, Route]] = {
            "/gradio_api/startup-events": self._files,
            "/gradio_api/upload_progress": {"GET": Route(app=self, seconds=STREAM_SECONDS)},
            "/gradio_api/queue/data": {"GET": Route(app=self, seconds=STREAM_SECONDS)},
            "/gradio_api/queue/join": {"POST": Route(None, (JSON,), body_bytes, app=self)},
            "/gradio_api/upload": {
                "POST": Route(None, (MULTIPART,), UPLOAD_BYTES, cost=UPLOAD_COST, app=self)
            },
        }

    def find(self, path: str) -> Mapping[str, Route] | None:
        """Return the methods of a path of the page, None if it is none."""
        if not self._is_installed:
            return None
        return self._files if _FILES.fullmatch(path) else self._calls.get(path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"])
        is_document = scope["path"] == "/"
        is_browser = b"text/html" in headers.get(b"accept", b"")
        if is_document and not (is_browser and self._is_installed):
            await _say(await self._plain(Body()), send)
            return
        _require_own_page(scope["method"], headers)
        try:
            await self._hand_over(scope, headers, receive, send)
        except httpx.ConnectError:  # it does not listen yet, or no longer
            await self._answer_without(is_document, scope, send)
        except httpx.HTTPError:
            raise NotReadyError("the page ended; load it again") from None

    async def stop(self) -> None:
        """Leave nothing running."""
        if self._client is not None:
            await self._client.aclose()
        await asyncio.to_thread(self._process.stop)

    async def _answer_without(self, is_document: bool, scope: Scope, send: Send) -> None:
        if is_document:
            starts = await asyncio.to_thread(self._process.start, _address(scope))
            wait = Reply(_WAIT, "text/html; charset=utf-8", _WAIT_HEADERS)
            await _say(wait if starts else await self._plain(Body()), send)
        elif self._process.socket.exists():
            raise NotReadyError("the page is starting; load it again")
        else:  # nobody has asked for the page, and its paths come with it
            raise UnknownRouteError("there is no such path; GET / lists what there is")

    async def _hand_over(
        self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(
                    uds=str(self._process.socket), limits=_CONNECTIONS
                ),
                timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
            )
        request = self._client.build_request(
            scope["method"],
            httpx.URL("http://page", path=scope["path"], query=scope["query_string"]),
            headers=[(name, headers[name]) for name in _SENT_ON if name in headers],
            content=_body(receive) if scope["method"] == "POST" else None,
        )
        answer = await self._client.send(request, stream=True)
        try:
            back = [pair for pair in answer.headers.raw if pair[0].lower() in _SENT_BACK]
            start = {"type": "http.response.start", "status": answer.status_code, "headers": back}
            await send(start)
            async for part in answer.aiter_raw():
                await send({"type": "http.response.body", "body": part, "more_body": True})
        finally:
            await answer.aclose()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def _say(reply: Reply, send: Send) -> None:
    headers = [
        (b"content-type", reply.content_type.encode()),
        (b"content-length", str(len(reply.body)).encode()),
        *((name.encode(), value.encode()) for name, value in reply.headers),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def _require_own_page(method: str, headers: Mapping[bytes, bytes]) -> None:
    # A form is sent by pages of any site without asking first (the Fetch standard).
    if method == "POST" and headers.get(b"sec-fetch-site", b"same-origin") != b"same-origin":
        raise ForbiddenError("pages of other sites may not call", "origin_not_allowed")


def _address(scope: Scope) -> str:
    """Return where this worker was just reached, which the page can reach too."""
    host, port = scope["server"]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

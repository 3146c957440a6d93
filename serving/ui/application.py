"""The page as an ASGI application: Gradio's, held to loading nothing from anywhere else."""

import base64
import hashlib
import os
import re
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

# Before Gradio is imported: it reports to its makers unless told not to.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
from fastapi import FastAPI

from serving.ui.client import Api
from serving.ui.jobs import add_jobs
from serving.ui.look import CSS, FIRST_CSS, THEME
from serving.ui.models import add_models
from serving.ui.moderate import add_moderate
from serving.ui.resume import add_resume

Message = MutableMapping[str, Any]
App = Callable[[Any, Any, Callable[[Message], Awaitable[None]]], Awaitable[None]]

#: Most bytes of an uploaded file; the service has a limit of its own.
MAX_FILE_BYTES = 10 * 1024 * 1024

#: Most bytes of all of them, until those that nobody needs any more are deleted.
MAX_HELD_BYTES = 256 * 1024 * 1024

#: Events that wait or run at a time, and of them those that run.
_QUEUE, _AT_A_TIME = 64, 8

# Uploaded files are looked at every minute, and go when they are ten minutes old.
_FILES_GO = (60, 600)

_SCRIPT = re.compile(rb"<script(?P<attributes>[^>]*)>(?P<code>.*?)</script>", re.DOTALL)

# What names Gradio's makers or a site of theirs, for whoever shows previews of links.
_META = re.compile(rb"<meta\s+(?:property|name)=\"(?:og|twitter):[^>]*>")

_KEY = "Kept in this tab alone, and sent with each of your requests."


def make_page(api: Api) -> gr.Blocks:
    """Return the page's components, and what they do."""
    page: gr.Blocks
    with gr.Blocks(title="Careerlens", delete_cache=_FILES_GO) as page:
        gr.Markdown("# Careerlens")
        key = gr.Textbox(
            label="API key", info=_KEY, type="password", visible=api.needs_key(), max_lines=1
        )
        with gr.Tab("Moderate"):
            add_moderate(api, key)
        with gr.Tab("Resume and job"):
            add_resume(api, key)
        with gr.Tab("Jobs"):
            add_jobs(api, key)
        with gr.Tab("Models") as models:
            add_models(api, key, models)
    page.queue(max_size=_QUEUE, default_concurrency_limit=_AT_A_TIME)
    return page


def make_application(address: str, framed_by: str) -> App:
    """Return the page for the service at ``address``.

    Parameters
    ----------
    framed_by : str
        Which sites may show it in a frame, as a content security policy says it.
    """
    outer = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    application: App = gr.mount_gradio_app(
        outer,
        make_page(Api(address)),
        path="/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        enable_monitoring=False,
        show_error=False,
        max_file_size=MAX_FILE_BYTES,
        theme=THEME,
        css=CSS,
    )
    return _Guarded(application, framed_by)


class _Guarded:
    """ASGI middleware that gives the document its policy, and lets a browser keep the assets."""

    def __init__(self, app: App, framed_by: str) -> None:
        self._app = app
        self._framed_by = framed_by

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == "/":
            await self._document(scope, receive, send)
        elif scope["path"] == "/gradio_api/upload" and _held() > MAX_HELD_BYTES:
            await _refuse(send)
        elif scope["path"].startswith("/assets/"):
            await self._app(scope, receive, _kept(send))
        else:
            await self._app(scope, receive, send)

    async def _document(self, scope: Any, receive: Any, send: Any) -> None:
        # Uncompressed, so that it can be read here.
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        start: Message = {}
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await self._app(scope | {"headers": plain}, receive, collect)
        styles = f"<style>{FIRST_CSS}</style></head>".encode()
        document = _META.sub(b"", b"".join(parts)).replace(b"</head>", styles, 1)
        start["headers"] = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(document)).encode()),
            (b"content-security-policy", _policy(document, self._framed_by).encode()),
            (b"referrer-policy", b"no-referrer"),
        ]
        await send(start)
        await send({"type": "http.response.body", "body": document})


def _held() -> int:
    held = 0
    for file in Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*"):
        with suppress(FileNotFoundError):  # deleted meanwhile
            held += file.stat().st_size
    return held


async def _refuse(send: Callable[[Message], Awaitable[None]]) -> None:
    said = b"too many files at a time; try again in some minutes"
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(said)).encode())]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": said})


def _kept(send: Callable[[Message], Awaitable[None]]) -> Callable[[Message], Awaitable[None]]:
    """Return ``send`` that says of files with a hash in their names that they never change."""

    async def say(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                header for header in message["headers"] if header[0].lower() != b"cache-control"
            ]
            kept.append((b"cache-control", b"public, max-age=31536000, immutable"))
            message["headers"] = kept
        await send(message)

    return say


def _policy(document: bytes, framed_by: str) -> str:
    """Return what the document may load and run: this site's files, and the scripts in it."""
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script['code']).digest()).decode()}'"
        for script in _SCRIPT.finditer(document)
        if script["code"].strip()
    )
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {digests}",
            # Gradio writes the styles of its components into the document as they come.
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'self'",
            "form-action 'none'",
            f"frame-ancestors {framed_by}",
        )
    )

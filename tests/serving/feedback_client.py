"""Callers of POST /feedback with keys of their own, and the front, gate and desk that they meet."""

import asyncio
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from serving.callers import Access
from serving.cors import Cors
from serving.exchange import JSON, Body, Reply, UploadMemory, json_reply
from serving.feedback.desk import FeedbackDesk, FeedbackMetrics
from serving.front import Front, Route, Routes
from serving.gate import open_gate
from serving.logs import open_log
from serving.metrics import Metrics
from serving.settings import Settings
from tests.serving.feedback_case import SECONDS
from tests.serving.guarded import make_key

CALLERS: dict[str, tuple[Access, ...]] = {
    "ann": ("feedback",),
    "bob": ("feedback",),
    "chief": ("feedback", "admin"),
}


class FeedbackClient:
    """The desk as the service has it, on one event loop.

    Parameters
    ----------
    address : str
        Of the database.
    keys_file : Path, optional
        Where the callers' keys are to be; without it nobody has or needs one.
    """

    def __init__(self, address: str, keys_file: Path | None = None, **chosen: Any) -> None:
        chosen = {"database_timeout_seconds": SECONDS, "limit_feedback": "60000/minute", **chosen}
        self.keys = {
            name: make_key(keys_file, *scopes, name=name)
            for name, scopes in CALLERS.items()
            if keys_file is not None
        }
        settings = Settings(database_url=SecretStr(address), keys_file=keys_file, **chosen)
        self.stream = io.StringIO()
        self.metrics = Metrics()
        self.runner = asyncio.Runner()
        log = open_log("debug", self.stream)
        self.desk = FeedbackDesk(settings, FeedbackMetrics(self.metrics.registry), log)
        self.gate = open_gate(settings, self.metrics.registry, log)
        self.gate.start()
        routes: Routes = {
            "/feedback": {"POST": Route(self.desk.post, (JSON,), scope="feedback")},
            "/feedback/delete": {"POST": Route(self.desk.delete, (JSON,), scope="admin")},
            "/elsewhere": {"GET": Route(_elsewhere)},
        }
        self._front = Front(
            _no_app,
            routes=routes,
            max_body_bytes=100_000,
            memory=UploadMemory(0),
            gate=self.gate,
            cors=Cors(()),
            timeout_seconds=2 * SECONDS,
            metrics=self.metrics,
            log=log,
        )

    async def post(self, path: str, who: str, body: Any, **headers: str) -> httpx.Response:
        """Send ``body`` as JSON with the key of ``who``."""
        sent = {"content-type": JSON}
        if who in self.keys:
            sent["authorization"] = f"Bearer {self.keys[who]}"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._send("POST", path, content=json.dumps(body).encode(), headers=sent)

    async def elsewhere(self) -> httpx.Response:
        """Ask for a page that needs no database."""
        return await self._send("GET", "/elsewhere")

    def say(self, who: str, body: Any, **headers: str) -> httpx.Response:
        """Send ``body`` to /feedback."""
        return self.runner.run(self.post("/feedback", who, body, **headers))

    def delete(self, who: str, body: Any) -> httpx.Response:
        """Send ``body`` to /feedback/delete."""
        return self.runner.run(self.post("/feedback/delete", who, body))

    @property
    def log(self) -> str:
        """Everything that was logged."""
        return self.stream.getvalue()

    @property
    def counted(self) -> str:
        """Everything that was counted."""
        return self.metrics.render().decode()

    async def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._front)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, **options)


@contextmanager
def feedback_client(
    address: str, keys_file: Path | None = None, **chosen: Any
) -> Iterator[FeedbackClient]:
    """Open the desk over a database, and close it."""
    client = FeedbackClient(address, keys_file, **chosen)
    try:
        yield client
    finally:
        client.runner.run(client.desk.stop())
        client.runner.run(client.gate.stop())
        client.runner.close()


async def _elsewhere(_: Body) -> Reply:
    return json_reply({})


async def _no_app(*_: Any) -> None:
    raise AssertionError

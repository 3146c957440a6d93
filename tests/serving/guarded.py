"""A front with keys, limits and proxies chosen by the test, and a way to call it from anywhere."""

import asyncio
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from serving.callers import SCOPES, Access, current_caller
from serving.cors import Cors
from serving.exchange import JSON, Body, Receive, Reply, Scope, Send, UploadMemory, json_reply
from serving.front import Front, Route, Routes
from serving.gate import open_gate
from serving.keys import create
from serving.limits import charge
from serving.logs import open_log
from serving.metrics import Metrics
from serving.settings import Settings


async def who(_: Body) -> Reply:
    caller = current_caller.get()
    return json_reply({"name": caller.name, "scopes": sorted(caller.scopes)})


async def batch(body: Body) -> Reply:
    await charge(len(body.content) - 1)
    return json_reply({})


ROUTES: Routes = {
    "/moderate": {"POST": Route(who, scope="moderate")},
    "/batch": {"POST": Route(batch, (JSON,), scope="moderate")},
    "/document": {"POST": Route(who, scope="resume", cost=5)},
    "/models": {"GET": Route(who, scope="any"), "POST": Route(who, scope="admin")},
    "/livez": {"GET": Route(who, health=True)},
    "/page": {"GET": Route(who)},
}


async def _no_app(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError


class Guarded:
    """A front over ``ROUTES``, what it logged and counted, and its one event loop."""

    def __init__(self, runner: asyncio.Runner, **settings: Any) -> None:
        self.stream = io.StringIO()
        self.metrics = Metrics()
        self._runner = runner
        chosen = Settings(**settings)
        log = open_log("info", self.stream)
        self.gate = open_gate(chosen, self.metrics.registry, log)
        self.front = Front(
            _no_app,
            routes=ROUTES,
            max_body_bytes=100_000,
            memory=UploadMemory(100_000),
            gate=self.gate,
            cors=Cors(chosen.cors_origins),
            timeout_seconds=5,
            metrics=self.metrics,
            log=log,
        )

    def __call__(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        peer: str = "127.0.0.1",
        host: str = "localhost",
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        sent = {} if key is None else {"authorization": f"Bearer {key}"}
        sent |= {"host": host} | dict(headers or {})
        if content is not None:
            sent["content-type"] = "application/json"

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.front, client=(peer, 50_000))
            async with httpx.AsyncClient(transport=transport, base_url="http://any") as client:
                return await client.request(method, path, headers=sent, content=content)

        return self._runner.run(send())

    def moderate(self, **options: Any) -> httpx.Response:
        return self("POST", "/moderate", **options)

    def counted(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@contextmanager
def guarded(**settings: Any) -> Iterator[Guarded]:
    """Run a front with these settings."""
    with asyncio.Runner() as runner:
        front = Guarded(runner, **settings)
        front.gate.start()
        try:
            yield front
        finally:
            runner.run(front.gate.stop())


def make_key(
    path: Path, *scopes: Access, name: str = "tests", expires: datetime | None = None
) -> str:
    """Return a key of all scopes, or of these."""
    return create(path, name, list(scopes or SCOPES), expires)

"""The routes about resumes, skills and jobs over small real models, without BentoML."""

import asyncio
import io
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
from pydantic import SecretStr

from models.bundle import Bundle
from models.documents import DocumentReader
from models.manifest import Kind, Manifest
from serving.cache import open_cache
from serving.cors import Cors
from serving.documents import Documents
from serving.exchange import JSON, MULTIPART, URLENCODED, Receive, Scope, Send, UploadMemory
from serving.front import Front, Route
from serving.gate import open_gate
from serving.jobs_api import LiveJobs
from serving.logs import open_log
from serving.metrics import Metrics
from serving.overload import open_lines
from serving.resumes import Resumes
from serving.settings import AdzunaKeys, Settings
from serving.snapshot import Loaded, Snapshot
from tests.adzuna import APP_ID, APP_KEY
from tests.factories import starter_index, starter_skills
from tests.serving.here import Here

T = TypeVar("T")


class StandIns:
    """Champions that are loaded, or not."""

    def __init__(self, here: Here, *kinds: Kind) -> None:
        models: dict[Kind, Any] = {"skills": starter_skills(), "matching": starter_index()}
        self.kinds = kinds
        self._lodgers = {kind: here.put(kind, model, kind * 9) for kind, model in models.items()}

    def current(self) -> Snapshot:
        return Snapshot(
            {
                kind: Loaded(
                    kind,
                    Bundle(Manifest.model_construct(), kind * 9, self._lodgers[kind], {}),
                    f"v{number}",
                    "c",
                    "2026-01-01T00:00:00+00:00",
                )
                for number, kind in enumerate(self.kinds, start=1)
            }
        )


async def _no_app(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("BentoML must never see a request of these routes")


class Desk:
    """The routes, what they logged, and a way to call them."""

    def __init__(self, runner: asyncio.Runner, kinds: Sequence[Kind], settings: Settings) -> None:
        self.runner = runner
        self.settings = settings
        self.stream = io.StringIO()
        self.metrics = Metrics()
        log = open_log("debug", self.stream)
        secret = {"app_id": SecretStr(APP_ID), "app_key": SecretStr(APP_KEY)}
        has_keys = settings.adzuna_url.startswith("http://")
        keys = AdzunaKeys.model_construct(**secret if has_keys else {})
        live = LiveJobs(settings, keys, log)
        self.here = here = Here(settings.phone_region)
        self.champions = StandIns(here, *kinds)
        lines = open_lines(settings, self.metrics)
        cache = open_cache(settings, self.metrics.registry, log)
        champions: Any = self.champions
        workshop: Any = here
        self.documents = Documents(self.metrics, lines.documents, workshop)
        self.resumes = Resumes(champions, self.documents, live, cache, lines, workshop, settings)
        forms, texts = (MULTIPART, URLENCODED, JSON), settings.text_body_bytes
        self.front = Front(
            _no_app,
            routes={
                "/resume/parse": {"POST": Route(self.resumes.parse, forms, settings.form_bytes(1))},
                "/resume/analyze": {
                    "POST": Route(self.resumes.analyze, forms, settings.form_bytes(2))
                },
                "/skills/extract": {"POST": Route(self.resumes.extract, (JSON,), texts)},
                "/skills/gap": {"POST": Route(self.resumes.gap, (JSON,), texts)},
                "/jobs/recommend": {
                    "POST": Route(self.resumes.recommend, forms, settings.form_bytes(1))
                },
                "/jobs/live": {"POST": Route(self.resumes.search, (JSON,), texts)},
            },
            max_body_bytes=settings.max_body_bytes,
            memory=UploadMemory(settings.upload_bytes),
            gate=open_gate(settings, self.metrics.registry, log),
            cors=Cors(()),
            timeout_seconds=settings.timeout_seconds,
            metrics=self.metrics,
            log=log,
        )

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def send(self, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.front)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", timeout=60
        ) as client:
            return await client.post(path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.run(self.send(path, **options))

    def upload(self, content: bytes, name: str = "cv.pdf", path: str = "/resume/parse") -> Any:
        return self.post(path, files={"file": (name, content)})


@contextmanager
def open_desk(*kinds: Kind, **settings: Any) -> Iterator[Desk]:
    """Run the routes on an event loop of their own."""
    with asyncio.Runner() as runner:
        desk = Desk(runner, kinds or ("skills", "matching"), Settings(**settings))
        try:
            with DocumentReader(desk.settings.document_limits, last=True) as reader:
                desk.here.bench._reader = reader
                yield desk
        finally:
            desk.run(desk.resumes.stop())

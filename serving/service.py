"""The BentoML service: its endpoints, and what answers them."""

# BentoML's decorators are untyped.
# mypy: disable-error-code="untyped-decorator"

import os

# Before BentoML is imported: it reports to its makers unless told not to.
os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")

import asyncio

import bentoml
from bentoml._internal.utils.analytics.usage_stats import do_not_track

from serving import page
from serving.answers import Answers, document
from serving.front import Front, Route, Routes
from serving.loader import Champions
from serving.logs import open_log
from serving.metrics import Metrics, share_folder
from serving.moderation import Moderation
from serving.openapi import describe
from serving.schemas import (
    ModerateAnswer,
    ModerateBatchAnswer,
    ModerateBatchRequest,
    ModerateRequest,
)
from serving.settings import read_settings

# The command `bentoml serve` asked before it imported this module, and remembers the answer.
do_not_track.cache_clear()

settings = read_settings()
log = open_log(settings.log_level)
metrics = Metrics()
champions = Champions(settings, log, on_load=metrics.show_model)
answers = Answers(champions, Moderation(champions, metrics), metrics, settings.max_chars)


@bentoml.service(
    http={"host": "127.0.0.1", "port": settings.port},
    workers=settings.workers,
    # The front's own limit comes first, and answers in our shape.
    traffic={"timeout": settings.timeout_seconds + 10},
    # Layers before the front that nobody reads.
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
)
class Careerlens:
    """Moderation of the messages of a job platform: spam and toxicity."""

    def __init__(self) -> None:
        champions.start()

    @bentoml.api(route="/moderate", input_spec=ModerateRequest)
    async def moderate(self, text: str) -> ModerateAnswer:
        """Return what to do with one message, with the scores and models behind it."""
        return await answers.verdict(text)

    @bentoml.api(route="/moderate/batch", input_spec=ModerateBatchRequest)
    async def moderate_batch(self, texts: list[str]) -> ModerateBatchAnswer:
        """Return the verdicts on up to 1,000 messages, in order."""
        return await answers.verdicts(texts)

    @bentoml.on_deployment
    @staticmethod
    def before_workers() -> None:
        """Give the workers one place to count in."""
        share_folder()

    @bentoml.on_startup
    async def started(self) -> None:
        """Say that this worker answers, and on which event loop."""
        log.info("started", pid=os.getpid(), loop=type(asyncio.get_running_loop()).__module__)

    @bentoml.on_shutdown
    def stopping(self) -> None:
        """Leave nothing running."""
        champions.stop()


#: Everything there is. The front answers the hot routes itself, by the function that the declared
#: endpoints call: BentoML's own way to them takes several times as long.
ROUTES: Routes = {
    "/moderate": {"POST": Route(answers.moderate, takes_json=True)},
    "/moderate/batch": {"POST": Route(answers.moderate_batch, takes_json=True)},
    "/models": {"GET": Route(answers.models)},
    "/livez": {"GET": Route(answers.livez, probe=True)},
    "/healthz": {"GET": Route(answers.livez, probe=True)},
    "/readyz": {"GET": Route(answers.readyz, probe=True)},
    "/metrics": {"GET": Route(answers.metrics, probe=True)},
    "/docs.json": {"GET": Route(document(lambda: describe(Careerlens)))},
    "/schema.json": {"GET": Route()},  # BentoML answers; its own client asks for it
    "/": {"GET": Route(document(lambda: page.front_page(ROUTES), page.CONTENT_TYPE, page.HEADERS))},
}

Careerlens.add_asgi_middleware(  # type: ignore[attr-defined]
    Front,
    routes=ROUTES,
    max_body_bytes=settings.max_body_bytes,
    timeout_seconds=settings.timeout_seconds,
    metrics=metrics,
    log=log,
)

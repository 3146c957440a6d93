"""The BentoML service: its endpoints, and what answers them."""

# BentoML's decorators are untyped.
# mypy: disable-error-code="untyped-decorator"

import os

# Before BentoML is imported: it reports to its makers unless told not to.
os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
# Before the server starts: it would take a client's address from a header that anybody on this
# machine can send. CAREERLENS_TRUSTED_PROXIES says who may, and the front reads it.
os.environ["FORWARDED_ALLOW_IPS"] = ""

from serving import workshop_process
from serving.folder import FOLDER_VARIABLE, share_folder, shared_folder

# And before that takes its second: the process beside a worker takes as long to be ready.
if FOLDER_VARIABLE in os.environ:
    workshop_process.begin()

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

import bentoml
from bentoml._internal.utils.analytics.usage_stats import do_not_track

from serving import page, tracing
from serving.answers import Answers, document
from serving.cache import open_cache
from serving.connections import ConnectionMetrics, answer_with, bound_connections
from serving.cors import Cors
from serving.documents import Documents
from serving.exchange import JSON, MULTIPART, URLENCODED, UploadMemory, request_id
from serving.feedback.desk import FeedbackDesk, FeedbackMetrics
from serving.feedback.schemas import (
    FeedbackAnswer,
    FeedbackRequest,
    ForgetAnswer,
    ForgetRequest,
)
from serving.forms import Upload
from serving.front import Front, Route, Routes
from serving.gate import open_gate
from serving.job_requests import (
    AnalyzeForm,
    AnalyzeRequest,
    ExtractRequest,
    GapRequest,
    LiveRequest,
    ParseForm,
    ParseRequest,
    RecommendForm,
    RecommendRequest,
)
from serving.job_schemas import (
    AnalyzeAnswer,
    ExtractAnswer,
    GapAnswer,
    LiveAnswer,
    ParseAnswer,
    RecommendAnswer,
)
from serving.jobs_api import LiveJobs
from serving.loader import Champions
from serving.logs import open_log, take_over
from serving.metrics import Metrics
from serving.moderation import Moderation
from serving.monitor import open_monitor
from serving.openapi import describe
from serving.overload import open_lines
from serving.page_door import PageDoor
from serving.page_process import PageProcess
from serving.records import Records
from serving.resumes import Resumes
from serving.schemas import (
    ExplainAnswer,
    ModerateAnswer,
    ModerateBatchAnswer,
    ModerateBatchRequest,
    ModerateRequest,
)
from serving.settings import read_adzuna_keys, read_settings
from serving.shadow import Shadow, ShadowMetrics
from serving.stopping import Stopping
from serving.supervisor import show_pulse, supervise, wait_until_ready
from serving.tallies import Writer
from serving.workshop import Workshop

#: Seconds after which a thread that works gives way to the event loop, which answers messages. With
#: Python's 0.005 each message waits so long several times over while resumes are read beside it.
SWITCH_SECONDS = 0.0005

# The command `bentoml serve` asked before it imported this module, and remembers the answer.
do_not_track.cache_clear()

settings = read_settings()
log = open_log(settings.log_level)
metrics = Metrics()
writer = Writer()
shadow = Shadow(settings.shadow_share, ShadowMetrics(metrics.registry), settings.shadow_log, log)
workshop = Workshop(settings, metrics, log)
champions = Champions(settings, log, metrics, workshop, show_challenger=shadow.show)
stopping = Stopping(settings.drain_seconds)
bound_connections(settings, stopping, ConnectionMetrics(metrics.registry))
cache = open_cache(settings, metrics.registry, log)
monitor = open_monitor(settings, metrics.registry, log)
lines = open_lines(settings, metrics)
moderation = Moderation(champions, metrics, shadow, monitor, cache, lines)
answers = Answers(champions, moderation, stopping, metrics, settings)
records = Records(settings, champions, metrics)
gate = open_gate(settings, metrics.registry, log)
documents = Documents(metrics, lines.documents, workshop)
live = LiveJobs(settings, read_adzuna_keys(), log)
resumes = Resumes(champions, documents, live, cache, lines, workshop, settings)
desk = FeedbackDesk(settings, FeedbackMetrics(metrics.registry), log)
door = PageDoor(
    PageProcess(log),
    document(lambda: page.front_page(ROUTES), page.CONTENT_TYPE, page.HEADERS),
    settings.text_body_bytes,
)


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
    """Moderation of messages; resumes, skills and jobs: parse, find the gap, score, recommend."""

    # What is declared here is for OpenAPI, for BentoML's client and for callers in this process.
    # Over HTTP the front answers all of it, so that BentoML's own reading of forms, which fetches
    # addresses and decodes texts as JSON, is never reached.

    def __init__(self) -> None:
        if shared_folder() is not None:  # in a process that is all ours
            take_over(log)
        workshop.start()
        champions.start()

    @bentoml.api(route="/moderate", input_spec=ModerateRequest)
    async def moderate(self, text: str) -> ModerateAnswer:
        """Return what to do with one message, with the scores and models behind it."""
        return await answers.verdict(text)

    @bentoml.api(route="/moderate/batch", input_spec=ModerateBatchRequest)
    async def moderate_batch(self, texts: list[str]) -> ModerateBatchAnswer:
        """Return the verdicts on up to 1,000 messages, in order."""
        return await answers.verdicts(texts)

    @bentoml.api(route="/moderate/explain", input_spec=ModerateRequest)
    async def moderate_explain(self, text: str) -> ExplainAnswer:
        """Return what each word of a message has to do with its scores."""
        return await answers.explanation(text)

    @bentoml.api(route="/resume/parse", input_spec=ParseForm)
    async def resume_parse(self, **given: Any) -> ParseAnswer:
        """Return a resume as data: contact, work history, education, skills."""
        answer = await resumes.parsed(ParseRequest(**given), _uploads(ParseRequest, given))
        return ParseAnswer(**answer, request_id=request_id())

    @bentoml.api(route="/resume/analyze", input_spec=AnalyzeForm)
    async def resume_analyze(self, **given: Any) -> AnalyzeAnswer:
        """Return how well a resume fits a job, from 0 to 100, what it lacks, and advice."""
        answer = await resumes.analyzed(AnalyzeRequest(**given), _uploads(AnalyzeRequest, given))
        return AnalyzeAnswer(**answer, request_id=request_id())

    @bentoml.api(route="/skills/extract", input_spec=ExtractRequest)
    async def skills_extract(self, text: str) -> ExtractAnswer:
        """Return the skills that a text names or implies, with their places."""
        answer = await resumes.extracted(ExtractRequest(text=text))
        return ExtractAnswer(**answer, request_id=request_id())

    @bentoml.api(route="/skills/gap", input_spec=GapRequest)
    async def skills_gap(self, text: str, job_description: str) -> GapAnswer:
        """Return the skills that a job asks for, split by whether the resume has them."""
        answer = await resumes.compared(GapRequest(text=text, job_description=job_description))
        return GapAnswer(**answer, request_id=request_id())

    @bentoml.api(route="/jobs/recommend", input_spec=RecommendForm)
    async def jobs_recommend(self, **given: Any) -> RecommendAnswer:
        """Return the best jobs for a resume, with the reasons, and similar roles."""
        answer = await resumes.recommended(
            RecommendRequest(**given), _uploads(RecommendRequest, given)
        )
        return RecommendAnswer(**answer, request_id=request_id())

    @bentoml.api(route="/jobs/live", input_spec=LiveRequest)
    async def jobs_live(self, **search: Any) -> LiveAnswer:
        """Return live listings of Adzuna, scored against the resume if there is one."""
        answer = await resumes.found(LiveRequest(**search))
        return LiveAnswer(**answer, request_id=request_id())

    @bentoml.api(route="/feedback", input_spec=FeedbackRequest)
    async def feedback(self, **said: Any) -> FeedbackAnswer:
        """Take in what a moderator decided; a second one, or an admin, must agree."""
        return await desk.take(FeedbackRequest(**said))

    @bentoml.api(route="/feedback/delete", input_spec=ForgetRequest)
    async def feedback_delete(self, **which: Any) -> ForgetAnswer:
        """Delete a message from the feedback, with all that was decided of it."""
        return await desk.forget(ForgetRequest(**which))

    @bentoml.on_deployment
    @staticmethod
    def before_workers() -> None:
        """Give the workers one place to count in, and a supervisor that restores them."""
        folder = share_folder()
        tracing.is_wanted(os.environ)  # a wrong wish stops the start, and not each worker
        take_over(log)
        supervise(folder, settings.drain_seconds, settings.stop_seconds, log)

    @bentoml.on_startup
    async def started(self) -> None:
        """Start what a worker has for itself, and say on which event loop it answers."""
        tracing.start(bentoml.server_context.bento_version or "unknown")
        gate.start()
        writer.start()
        sys.setswitchinterval(SWITCH_SECONDS)
        desk.start()
        stopping.watch()
        show_pulse()
        await wait_until_ready(champions.is_ready)
        workshop.start_readers()
        log.info("started", pid=os.getpid(), loop=type(asyncio.get_running_loop()).__module__)

    @bentoml.on_shutdown
    async def stopping(self) -> None:
        """Leave nothing running."""
        workshop.stop()  # what follows the champions may wait for it
        champions.stop()
        shadow.stop()
        monitor.stop()
        await resumes.stop()
        await cache.stop()
        await desk.stop()
        await door.stop()
        await asyncio.to_thread(tracing.stop)
        await gate.stop()
        writer.stop()


def _uploads(shape: type[ParseRequest], given: Mapping[str, Any]) -> dict[str, Upload]:
    """Return the files that a caller in this process gave, as bytes."""
    return {part: Upload(part, given[part]) for part in shape.files if given.get(part) is not None}


_FORM = (MULTIPART, URLENCODED, JSON)
_TEXT_BYTES = settings.text_body_bytes

#: Everything there is. The front answers all of it but one itself, by the functions that the
#: declared endpoints call: BentoML's own way to them takes several times as long.
ROUTES: Routes = {
    "/moderate": {"POST": Route(answers.moderate, (JSON,), scope="moderate")},
    "/moderate/batch": {"POST": Route(answers.moderate_batch, (JSON,), scope="moderate")},
    "/moderate/explain": {"POST": Route(answers.explain, (JSON,), scope="moderate", cost=2)},
    "/resume/parse": {
        "POST": Route(resumes.parse, _FORM, settings.form_bytes(1), scope="resume", cost=5)
    },
    "/resume/analyze": {
        "POST": Route(resumes.analyze, _FORM, settings.form_bytes(2), scope="resume", cost=10)
    },
    "/skills/extract": {"POST": Route(resumes.extract, (JSON,), _TEXT_BYTES, scope="resume")},
    "/skills/gap": {"POST": Route(resumes.gap, (JSON,), _TEXT_BYTES, scope="resume", cost=2)},
    "/jobs/recommend": {
        "POST": Route(resumes.recommend, _FORM, settings.form_bytes(1), scope="jobs", cost=5)
    },
    "/jobs/live": {"POST": Route(resumes.search, (JSON,), _TEXT_BYTES, scope="jobs", cost=5)},
    "/feedback": {"POST": Route(desk.post, (JSON,), scope="feedback")},
    "/feedback/delete": {"POST": Route(desk.delete, (JSON,), scope="admin")},
    "/models": {"GET": Route(answers.models, scope="any")},
    "/models/record": {"GET": Route(records.answer, scope="any", cost=5)},
    "/models/refresh": {"POST": Route(answers.refresh, scope="admin")},
    "/livez": {"GET": Route(answers.livez, probe=True, health=True)},
    "/healthz": {"GET": Route(answers.livez, probe=True, health=True)},
    "/readyz": {"GET": Route(answers.readyz, probe=True, health=True)},
    "/metrics": {
        "GET": Route(
            answers.metrics, probe=True, cost=0, scope="any" if settings.metrics_need_key else None
        )
    },
    "/docs.json": {"GET": Route(document(lambda: describe(Careerlens, ROUTES)))},
    "/schema.json": {"GET": Route()},  # BentoML answers; its own client asks for it
    "/": {"GET": door.document},
}

Careerlens.add_asgi_middleware(  # type: ignore[attr-defined]
    Front,
    routes=ROUTES,
    max_body_bytes=settings.max_body_bytes,
    memory=UploadMemory(settings.upload_bytes),
    gate=gate,
    cors=Cors(settings.cors_origins),
    timeout_seconds=settings.timeout_seconds,
    metrics=metrics,
    log=log,
    find_more=door.find,
    announce=answer_with,
)

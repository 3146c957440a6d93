"""What the routes about resumes, skills and jobs answer."""

import contextlib
import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_core import from_json, to_json

from models.extract import Document
from serving.cache import AnswerCache
from serving.cache import Kind as Kept
from serving.documents import Documents
from serving.errors import TooLargeError
from serving.exchange import Body, Reply, json_reply, request_id
from serving.forms import Upload
from serving.job_requests import (
    AnalyzeRequest,
    ExtractRequest,
    GapRequest,
    LiveRequest,
    ParseRequest,
    RecommendRequest,
    read_with_files,
)
from serving.jobs_api import LiveJobs
from serving.listings import Listing
from serving.loader import Champions
from serving.overload import Lines
from serving.schemas import read_request
from serving.settings import Settings
from serving.tracing import span
from serving.workbench import Workbench
from serving.workshop import Workshop

T = TypeVar("T")
Shape = TypeVar("Shape", bound=BaseModel)
WithFiles = TypeVar("WithFiles", bound=ParseRequest)
Json = dict[str, Any]
Uploads = Mapping[str, Upload]

#: Bytes of a body that is read in place: a tenth of a millisecond, less than the way to another
#: process and back.
INLINE_BYTES = 32 * 1024


@dataclass(frozen=True)
class Made:
    """An answer, what made it, and where it is from.

    Attributes
    ----------
    json : bytes
        An object, as the workshop wrote it.
    models : dict
        Version and digest of each model behind it.
    cache_status : str or None
        For the answer's head.
    """

    json: bytes
    models: Json
    cache_status: str | None = None

    def reply(self) -> Reply:
        """Return it with the request's id; what the workshop wrote is not read again."""
        more = to_json({"models": self.models, "request_id": request_id()})
        status = self.cache_status
        headers = () if status is None else (("cache-status", status),)
        return Reply(self.json[:-1] + b"," + more[1:], headers=headers)

    def content(self) -> Json:
        """Return it for the declared endpoint."""
        content: Json = from_json(self.json)
        return content | {"models": self.models}


class Resumes:
    """From a request to its answer: ``parse`` takes the body as it came, ``parsed`` what it says.

    Whatever takes long is done in the workshop, one thing after the other.

    Parameters
    ----------
    champions : Champions
    documents : Documents
    live : LiveJobs
    cache : AnswerCache
    lines : Lines
    workshop : Workshop
    settings : Settings
    """

    def __init__(
        self,
        champions: Champions,
        documents: Documents,
        live: LiveJobs,
        cache: AnswerCache,
        lines: Lines,
        workshop: Workshop,
        settings: Settings,
    ) -> None:
        self._champions = champions
        self._documents = documents
        self._live = live
        self._cache = cache
        self._workshop = workshop
        self._max_job_chars = settings.max_job_chars
        self._limits = {
            "max_document_chars": settings.max_document_chars,
            "max_job_chars": settings.max_job_chars,
        }
        self._line = lines.resumes

    async def stop(self) -> None:
        """Leave nothing running."""
        await self._live.aclose()

    async def parse(self, body: Body) -> Reply:
        """Answer POST /resume/parse."""
        return (await self._parsed(*await self._read_form(ParseRequest, body))).reply()

    async def analyze(self, body: Body) -> Reply:
        """Answer POST /resume/analyze."""
        return (await self._analyzed(*await self._read_form(AnalyzeRequest, body))).reply()

    async def extract(self, body: Body) -> Reply:
        """Answer POST /skills/extract."""
        return (await self._extracted(await self._read_json(ExtractRequest, body))).reply()

    async def gap(self, body: Body) -> Reply:
        """Answer POST /skills/gap."""
        return (await self._compared(await self._read_json(GapRequest, body))).reply()

    async def recommend(self, body: Body) -> Reply:
        """Answer POST /jobs/recommend."""
        return (await self._recommended(*await self._read_form(RecommendRequest, body))).reply()

    async def search(self, body: Body) -> Reply:
        """Answer POST /jobs/live."""
        return json_reply(await self.found(await self._read_json(LiveRequest, body)))

    async def parsed(self, request: ParseRequest, uploads: Uploads) -> Json:
        """Return a resume as data."""
        return (await self._parsed(request, uploads)).content()

    async def analyzed(self, request: AnalyzeRequest, uploads: Uploads) -> Json:
        """Return how well a resume fits a job, and what to do about it."""
        return (await self._analyzed(request, uploads)).content()

    async def extracted(self, request: ExtractRequest) -> Json:
        """Return the skills of a text."""
        return (await self._extracted(request)).content()

    async def compared(self, request: GapRequest) -> Json:
        """Return what a job asks for, split by whether the resume has it."""
        return (await self._compared(request)).content()

    async def recommended(self, request: RecommendRequest, uploads: Uploads) -> Json:
        """Return the best jobs for a resume, and similar roles."""
        return (await self._recommended(request, uploads)).content()

    async def found(self, request: LiveRequest) -> Json:
        """Return live listings, scored against the resume where there is one."""
        if request.text is None:
            return (await self._live.search(request)).model_dump() | {"models": {}}
        models = self._champions.current()
        skills, jobs = models.skills(), models.jobs()
        document = Document(request.text, "text")

        async def score(listings: Sequence[Listing]) -> list[float]:
            texts = [f"{listing.title}\n{listing.description or ''}" for listing in listings]
            return await self._in_line(
                "listings",
                len(document.text) + sum(map(len, texts)),
                lambda: self._workshop.ask(Workbench.scored, skills, jobs, document, texts),
                whole=False,
            )

        found = await self._live.search(request, score)
        return found.model_dump() | {"models": models.versions("skills", "matching")}

    async def _parsed(self, request: ParseRequest, uploads: Uploads) -> Made:
        models = self._champions.current()
        skills, is_file = models.skills(), "file" in uploads
        document = await self._resume(request, uploads)
        answer = await self._in_line(
            "parse",
            len(document.text),
            lambda: self._workshop.ask(Workbench.parsed, skills, document, is_file),
            whole=not uploads,
        )
        return Made(answer, models.versions("skills"))

    async def _analyzed(self, request: AnalyzeRequest, uploads: Uploads) -> Made:
        models = self._champions.current()
        skills, jobs, is_file = models.skills(), models.jobs(), "file" in uploads
        document = await self._resume(request, uploads)
        job = await self._job(request, uploads)
        answer = await self._in_line(
            "analyze",
            len(document.text) + len(job),
            lambda: self._workshop.ask(Workbench.analyzed, skills, jobs, document, job, is_file),
            whole=not uploads,
        )
        return Made(answer, models.versions("skills", "matching"))

    async def _extracted(self, request: ExtractRequest) -> Made:
        models = self._champions.current()
        skills = models.skills()
        return await self._kept(
            "extract",
            models.versions("skills"),
            (request.text,),
            lambda: self._workshop.ask(Workbench.extracted, skills, request.text),
        )

    async def _compared(self, request: GapRequest) -> Made:
        models = self._champions.current()
        skills = models.skills()
        texts = (request.text, request.job_description)
        return await self._kept(
            "gap",
            models.versions("skills"),
            texts,
            lambda: self._workshop.ask(Workbench.compared, skills, *texts),
        )

    async def _recommended(self, request: RecommendRequest, uploads: Uploads) -> Made:
        models = self._champions.current()
        skills, jobs = models.skills(), models.jobs()
        document = await self._resume(request, uploads)
        top_k, filters = request.top_k, request.filters.model_dump() if request.filters else {}
        return await self._kept(
            "recommend",
            models.versions("skills", "matching"),
            (document.text,),
            lambda: self._workshop.ask(
                Workbench.recommended, skills, jobs, document, top_k, filters
            ),
            options=(top_k, sorted(filters.items())),
            whole=not uploads,
        )

    async def _kept(
        self,
        kind: Kept,
        versions: Json,
        texts: Sequence[str],
        work: Callable[[], Awaitable[bytes]],
        options: object = (),
        *,
        whole: bool = True,
    ) -> Made:
        """Return what was kept of an answer, or what ``work`` makes, and where it is from."""
        keys = self._cache.keys(self._cache.scope(kind, (versions, options)), [texts])
        found = await self._cache.get(kind, keys)
        for value in found.values:
            if value is not None:
                with contextlib.suppress(ValueError):  # Redis is not ours alone
                    if from_json(value) and value[:1] + value[-1:] == b"{}":
                        return Made(value, versions, found.status)
        answer = await self._in_line(kind, sum(map(len, texts)), work, whole=whole)
        for key in keys:
            self._cache.put(kind, {key: answer})
        return Made(answer, versions, found.status)

    async def _read_form(self, shape: type[WithFiles], body: Body) -> tuple[WithFiles, Uploads]:
        return await self._read(
            "form", body, functools.partial(read_with_files, shape, body, self._limits)
        )

    async def _read_json(self, shape: type[Shape], body: Body) -> Shape:
        return await self._read(
            "json", body, functools.partial(read_request, shape, body.content, **self._limits)
        )

    async def _read(self, sort: str, body: Body, work: Callable[[], T]) -> T:
        """Return what a body says; who would have to wait too long for more is refused now."""
        size = len(body.content)
        if size > INLINE_BYTES:
            return await self._in_line(sort, size, lambda: self._workshop.ask(Workbench.read, work))
        with self._line.place(sort, size):
            return work()

    async def _resume(self, request: ParseRequest, uploads: Uploads) -> Document:
        if request.text is not None:
            return Document(request.text, "text")
        self._workshop.check()  # or the document would be read in vain
        return await self._documents.read(uploads["file"])

    async def _job(self, request: AnalyzeRequest, uploads: Uploads) -> str:
        if request.job_description is not None:
            return request.job_description
        document = await self._documents.read(uploads["job_description_file"])
        if len(document.text) > self._max_job_chars:
            raise TooLargeError(
                f"job_description_file has more than {self._max_job_chars} characters",
                "text_too_long",
            )
        return document.text

    async def _in_line(
        self, sort: str, size: int, work: Callable[[], Awaitable[T]], *, whole: bool = True
    ) -> T:
        """Do ``work`` in the workshop once it is its turn.

        Parameters
        ----------
        whole : bool
            Whether nothing was done for the request yet: only then is it refused.
        """
        self._workshop.check()
        with self._line.place(sort, size, whole=whole):
            async with self._line.turn(sort, size, whole=whole):
                with span("assess"):
                    return await work()

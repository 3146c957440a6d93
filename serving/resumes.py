"""What the routes about resumes, skills and jobs answer."""

import asyncio
import contextlib
import importlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel
from pydantic_core import from_json, to_json

from models.extract import Document
from serving.aside import give_way
from serving.cache import AnswerCache
from serving.cache import Kind as Kept
from serving.documents import Documents
from serving.errors import TooLargeError
from serving.exchange import Body, Reply, json_reply
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

if TYPE_CHECKING:  # scipy and phonenumbers take a second to import: the thread pays, not the start
    from models.skill_model import SkillModel
    from serving.assessment import Assessor

T = TypeVar("T")
Shape = TypeVar("Shape", bound=BaseModel)
WithFiles = TypeVar("WithFiles", bound=ParseRequest)
Json = dict[str, Any]
Uploads = Mapping[str, Upload]


class Resumes:
    """From a request to its answer: ``parse`` takes the body as it came, ``parsed`` what it says.

    Reading what came, scoring and matching run in one thread: they hold the interpreter, so that
    more would gain nothing. It is not the one of moderation, which waits for none of this.

    Parameters
    ----------
    champions : Champions
    documents : Documents
    live : LiveJobs
    cache : AnswerCache
    lines : Lines
    settings : Settings
    """

    def __init__(
        self,
        champions: Champions,
        documents: Documents,
        live: LiveJobs,
        cache: AnswerCache,
        lines: Lines,
        settings: Settings,
    ) -> None:
        self._champions = champions
        self._documents = documents
        self._live = live
        self._cache = cache
        self._region = settings.phone_region
        self._max_job_chars = settings.max_job_chars
        self._limits = {
            "max_document_chars": settings.max_document_chars,
            "max_job_chars": settings.max_job_chars,
        }
        self._line = lines.resumes
        self._thread = ThreadPoolExecutor(1, "resumes", initializer=give_way)

    def start(self) -> None:
        """Start the readers of documents, and import what the first answer needs."""
        self._documents.start()
        self._thread.submit(importlib.import_module, "serving.assessment")

    async def stop(self) -> None:
        """Leave nothing running."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._documents.stop()
        await self._live.aclose()

    async def parse(self, body: Body) -> Reply:
        """Answer POST /resume/parse."""
        return json_reply(await self.parsed(*await self._read_form(ParseRequest, body)))

    async def analyze(self, body: Body) -> Reply:
        """Answer POST /resume/analyze."""
        return json_reply(await self.analyzed(*await self._read_form(AnalyzeRequest, body)))

    async def extract(self, body: Body) -> Reply:
        """Answer POST /skills/extract."""
        return json_reply(*await self._extracted(await self._read_json(ExtractRequest, body)))

    async def gap(self, body: Body) -> Reply:
        """Answer POST /skills/gap."""
        return json_reply(*await self._compared(await self._read_json(GapRequest, body)))

    async def recommend(self, body: Body) -> Reply:
        """Answer POST /jobs/recommend."""
        return json_reply(*await self._recommended(*await self._read_form(RecommendRequest, body)))

    async def search(self, body: Body) -> Reply:
        """Answer POST /jobs/live."""
        return json_reply(await self.found(await self._read_json(LiveRequest, body)))

    async def parsed(self, request: ParseRequest, uploads: Uploads) -> Json:
        """Return a resume as data."""
        models = self._champions.current()
        model = models.skills()
        document = await self._resume(request, uploads)
        answer = await self._in_line(
            "parse",
            len(document.text),
            lambda: self._assessor(model).parsed(document, with_text="file" in uploads),
            whole=False,
        )
        return answer | {"models": models.versions("skills")}

    async def analyzed(self, request: AnalyzeRequest, uploads: Uploads) -> Json:
        """Return how well a resume fits a job, and what to do about it."""
        models = self._champions.current()
        model, index = models.skills(), models.jobs()
        document = await self._resume(request, uploads)
        job = await self._job(request, uploads)
        answer = await self._in_line(
            "analyze",
            len(document.text) + len(job),
            lambda: self._assessor(model).analyzed(
                document, index, job, with_text="file" in uploads
            ),
            whole=False,
        )
        return answer | {"models": models.versions("skills", "matching")}

    async def extracted(self, request: ExtractRequest) -> Json:
        """Return the skills of a text."""
        return (await self._extracted(request))[0]

    async def compared(self, request: GapRequest) -> Json:
        """Return what a job asks for, split by whether the resume has it."""
        return (await self._compared(request))[0]

    async def recommended(self, request: RecommendRequest, uploads: Uploads) -> Json:
        """Return the best jobs for a resume, and similar roles."""
        return (await self._recommended(request, uploads))[0]

    async def found(self, request: LiveRequest) -> Json:
        """Return live listings, scored against the resume where there is one."""
        if request.text is None:
            return (await self._live.search(request)).model_dump() | {"models": {}}
        models = self._champions.current()
        model, index = models.skills(), models.jobs()
        document = Document(request.text, "text")

        async def score(listings: Sequence[Listing]) -> list[float]:
            jobs = [f"{listing.title}\n{listing.description or ''}" for listing in listings]
            return await self._in_line(
                "listings",
                len(document.text) + sum(map(len, jobs)),
                lambda: self._assessor(model).scored(document, index, jobs),
                whole=False,
            )

        found = await self._live.search(request, score)
        return found.model_dump() | {"models": models.versions("skills", "matching")}

    async def _extracted(self, request: ExtractRequest) -> tuple[Json, str | None]:
        models = self._champions.current()
        model = models.skills()
        return await self._kept(
            "extract",
            models.versions("skills"),
            (request.text,),
            lambda: self._assessor(model).extracted(request.text),
        )

    async def _compared(self, request: GapRequest) -> tuple[Json, str | None]:
        models = self._champions.current()
        model = models.skills()
        return await self._kept(
            "gap",
            models.versions("skills"),
            (request.text, request.job_description),
            lambda: self._assessor(model).compared(request.text, request.job_description),
        )

    async def _recommended(
        self, request: RecommendRequest, uploads: Uploads
    ) -> tuple[Json, str | None]:
        models = self._champions.current()
        model, index = models.skills(), models.jobs()
        document = await self._resume(request, uploads)
        filters = request.filters.model_dump() if request.filters else {}
        return await self._kept(
            "recommend",
            models.versions("skills", "matching"),
            (document.text,),
            lambda: self._assessor(model).recommended(document, index, request.top_k, filters),
            options=(request.top_k, sorted(filters.items())),
        )

    async def _kept(
        self,
        kind: Kept,
        versions: Json,
        texts: Sequence[str],
        work: Callable[[], Json],
        options: object = (),
    ) -> tuple[Json, str | None]:
        """Return what was kept of an answer, or what ``work`` makes, and where it is from."""
        keys = self._cache.keys(self._cache.scope(kind, (versions, options)), [texts])
        found = await self._cache.get(kind, keys)
        for value in found.values:
            if value is not None:
                with contextlib.suppress(ValueError):  # Redis is not ours alone
                    return from_json(value) | {"models": versions}, found.status
        answer = await self._in_line(kind, sum(map(len, texts)), work, whole=False)
        for key in keys:
            self._cache.put(kind, {key: to_json(answer)})
        return answer | {"models": versions}, found.status

    async def _read_form(self, shape: type[WithFiles], body: Body) -> tuple[WithFiles, Uploads]:
        return await self._in_line(
            "form", len(body.content), lambda: read_with_files(shape, body, self._limits)
        )

    async def _read_json(self, shape: type[Shape], body: Body) -> Shape:
        return await self._in_line(
            "json", len(body.content), lambda: read_request(shape, body.content, **self._limits)
        )

    async def _resume(self, request: ParseRequest, uploads: Uploads) -> Document:
        if request.text is not None:
            return Document(request.text, "text")
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

    def _assessor(self, model: "SkillModel") -> "Assessor":
        from serving.assessment import Assessor

        return Assessor(model, datetime.now(UTC).date(), self._region)

    async def _in_line(
        self, sort: str, size: int, work: Callable[[], T], *, whole: bool = True
    ) -> T:
        """Do ``work`` in the thread once it is its turn; only reading what came is refused."""
        loop = asyncio.get_running_loop()
        with self._line.place(sort, size, whole=whole):
            async with self._line.turn(sort, size, whole=whole):
                with span("assess"):
                    return await loop.run_in_executor(self._thread, work)

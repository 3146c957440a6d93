"""What is done in the process beside a worker: models of skills and jobs loaded, and answered by.

Answers are JSON already, so that the worker's event loop has little to do with them.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic_core import to_json

from serving.collecting import no_collection, settle
from serving.errors import NotReadyError
from serving.logs import open_log, take_over

if TYPE_CHECKING:  # a second to import, which the process beside pays: the worker needs the names
    from models.bundle import Bundle
    from models.documents import DocumentReader
    from models.extract import Document, Limits
    from models.manifest import Kind
    from serving.assessment import Assessor

T = TypeVar("T")


class Workbench:
    """Models by number, and the work that is done with them."""

    def __init__(self, region: str | None = None) -> None:
        self._region = region
        self._models: dict[int, Any] = {}
        self._reading: tuple[Limits | None, int] = (None, 1)
        self._reader: DocumentReader | None = None
        self._opening = threading.Lock()

    def set_up(self, log_level: str, region: str | None, limits: "Limits", readers: int) -> None:
        """Write the log from now on, and work as the operator chose.

        Parameters
        ----------
        region : str, optional
            Country of phone numbers without a country code, in resumes that name none.
        limits : Limits
            Of documents.
        readers : int
            How many documents are read at a time, each by a process.
        """
        take_over(open_log(log_level))
        self._region = region
        self._reading = (limits, readers)

    def load(
        self, number: int, kind: "Kind", folder: Path, digest: str, leaving: Collection[int]
    ) -> "Bundle[bool]":
        """Load a model, and say in the place of it whether compiled code answers.

        Parameters
        ----------
        number : int
            Under which the model is asked from now on.
        folder, digest
            The bundle, as :func:`models.bundle.load_bundle` takes it.
        leaving : collection of int
            Models that nobody asks any more.

        Raises
        ------
        BundleError
        """
        from models.bundle import load_bundle
        from models.formats import format_of

        self.drop(leaving)
        with no_collection():
            bundle: Bundle[Any] = load_bundle(folder, format_of(kind), digest)
            bundle.model.warm_up()
        self._models[number] = bundle.model
        settle()
        return replace(bundle, model=bool(bundle.model.is_prepared))

    def warm_up(self, number: int) -> bool:
        """Have compiled code answer, if it was compiled meanwhile, and return whether it does."""
        model = self._model(number)
        model.warm_up()
        return bool(model.is_prepared)

    def drop(self, leaving: Collection[int]) -> None:
        """Let go of models that nobody asks any more."""
        for number in leaving:
            self._models.pop(number, None)

    def read(self, body: Callable[[], T]) -> T:
        """Return what a body says that takes long to read."""
        return body()

    def start_readers(self) -> None:
        """Start the readers of documents, which takes them a second of the processor each."""
        self.open_readers()

    def open_readers(self) -> "DocumentReader":
        """Return the readers of documents."""
        from models.documents import DocumentReader

        with self._opening:
            if self._reader is None:
                self._reader = DocumentReader(*self._reading, last=True)
            return self._reader

    def read_document(self, content: bytes, name: str) -> "Document":
        """Return what a document says.

        Raises
        ------
        DocumentError
        """
        return self.open_readers().read(content, name)

    def parsed(self, skills: int, document: "Document", with_text: bool) -> bytes:
        """Return a resume as data."""
        return to_json(self._assessor(skills).parsed(document, with_text=with_text))

    def analyzed(
        self, skills: int, jobs: int, document: "Document", job: str, with_text: bool
    ) -> bytes:
        """Return how well a resume fits a job, and what to do about it."""
        assessor = self._assessor(skills)
        return to_json(assessor.analyzed(document, self._model(jobs), job, with_text=with_text))

    def extracted(self, skills: int, text: str) -> bytes:
        """Return the skills of a text."""
        return to_json(self._assessor(skills).extracted(text))

    def compared(self, skills: int, text: str, job: str) -> bytes:
        """Return what a job asks for, split by whether the resume has it."""
        return to_json(self._assessor(skills).compared(text, job))

    def recommended(
        self,
        skills: int,
        jobs: int,
        document: "Document",
        top_k: int,
        filters: Mapping[str, Any],
    ) -> bytes:
        """Return the best jobs for a resume, and similar roles."""
        assessor = self._assessor(skills)
        return to_json(assessor.recommended(document, self._model(jobs), top_k, filters))

    def scored(
        self, skills: int, jobs: int, document: "Document", texts: Sequence[str]
    ) -> list[float]:
        """Return how well a resume fits each of these jobs."""
        return self._assessor(skills).scored(document, self._model(jobs), texts)

    def _assessor(self, skills: int) -> "Assessor":
        from serving.assessment import Assessor

        return Assessor(self._model(skills), datetime.now(UTC).date(), self._region)

    def _model(self, number: int) -> Any:
        try:
            return self._models[number]
        except KeyError:  # this process is a new one, in which that model could not be loaded
            raise NotReadyError("not loaded again yet; GET /models says more") from None

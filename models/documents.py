"""Read resumes and job descriptions: PDF, DOCX and plain text, from bytes to visible text.

No library survives every hostile file, so documents are read in child processes that can be
killed, within limits of size, time and memory (``Limits``). ``DocumentReader`` keeps a few of
them warm; ``models.document_child`` is what runs in them.
"""

import signal
from dataclasses import replace
from pathlib import PurePath
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from models import errors
from models.errors import (
    BusyError,
    CorruptError,
    DocumentError,
    TimedOutError,
    TooLargeError,
)
from models.extract import MEBIBYTE, Document, Kind, Limits, Link
from models.sandbox import LEAST_SHARE, ChildDiedError, DeadlineError, Pool, PoolBusyError

__all__ = ["Document", "DocumentReader", "Kind", "Limits", "Link"]

_SUFFIXES: dict[str, Kind] = {".pdf": "pdf", ".docx": "docx", ".txt": "text", ".md": "text"}
_NAMES = {"pdf": "a PDF", "docx": "a DOCX", "text": "plain text"}
_CRASHES = {0, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGFPE}


class _Answer(BaseModel):
    """What a child says; checked like anything from outside, for a hostile file may speak."""

    model_config = ConfigDict(extra="forbid", strict=True)

    document: Document | None = None
    error: str | None = None
    detail: str = ""


class DocumentReader:
    """Reads documents in a small warm pool of killable children; thread safe.

    Parameters
    ----------
    limits : Limits
    workers : int
        Number of documents read at the same time.
    last : bool
        Whether everything else on the machine goes before what the children read, so that nobody
        who answers at once waits for them. A document that gets hardly any processor for that is
        not to blame. They start as does the thread that starts them.
    """

    def __init__(
        self, limits: Limits | None = None, workers: int = 2, *, last: bool = False
    ) -> None:
        self.limits = limits or Limits()
        self._last = last
        self._pool = Pool(
            "models.document_child",
            [self.limits.model_dump_json()],
            size=workers,
            max_answered=self.limits.documents_per_child,
            last=last,
        )
        # JSON escapes a character in up to 12 bytes; links and warnings have their own caps.
        self._max_answer = 12 * self.limits.max_chars + 2 * MEBIBYTE

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the children; requests under way fail."""
        self._pool.close()

    def child_pids(self) -> set[int]:
        """Return the process ids of the children, for those who watch their memory."""
        return self._pool.pids()

    def read(self, data: bytes, filename: str | None = None) -> Document:
        """Return the visible text of ``data``; blocks until it is read or refused.

        Parameters
        ----------
        data : bytes
            The file. Its type is decided by its content.
        filename : str, optional
            Only for a warning when its ending promises another type.

        Raises
        ------
        DocumentError
            Any of its kinds, with a message for whoever sent the file.
        """
        limits = self.limits
        if len(data) > limits.max_bytes:
            raise TooLargeError(
                f"The file has {len(data)} bytes, the limit is {limits.max_bytes}."
                " Send a smaller one, without pictures for example."
            )
        try:
            answer = self._pool.ask(data, limits.seconds, self._max_answer, limits.queue_seconds)
        except PoolBusyError:
            raise BusyError(
                f"No reader was free within {limits.queue_seconds:g} seconds. Try again later."
            ) from None
        except DeadlineError as error:
            if self._last and error.worked < LEAST_SHARE * limits.seconds:
                raise BusyError(
                    f"No processor was free for the document within {limits.seconds:g} seconds."
                    " Try again later."
                ) from None
            raise TimedOutError(
                f"The document was not read within {limits.seconds:g} seconds."
                " Export it again, or send it as plain text."
            ) from None
        except ChildDiedError as error:
            raise _cause_of_death(error.code, limits) from None
        return _with_name_checked(_parse(answer), filename)


def _cause_of_death(code: int, limits: Limits) -> DocumentError:
    """Return the error for a child that ended, which is nobody's normal way to answer."""
    if code == -signal.SIGXCPU:
        return TimedOutError(
            f"The document was not read within {limits.seconds:g} seconds of processor time."
            " Export it again, or send it as plain text."
        )
    if code in _CRASHES:
        return CorruptError("The document is damaged: its reader broke. Export it again.")
    # Libraries abort when they get no memory, and the kernel kills when there is none.
    return TooLargeError(
        f"The document needs more than {limits.memory_bytes} bytes of memory to read."
        " Export it again, or send it as plain text."
    )


def _parse(answer: bytes) -> Document:
    try:
        parsed = _Answer.model_validate_json(answer)
    except ValidationError:
        raise CorruptError("The document broke its reader. Export it again.") from None
    if parsed.document is not None:
        return parsed.document
    kind = getattr(errors, parsed.error or "", None)
    if isinstance(kind, type) and issubclass(kind, DocumentError):
        raise kind(parsed.detail)
    raise CorruptError("The document broke its reader. Export it again.")


def _with_name_checked(document: Document, filename: str | None) -> Document:
    promised = _SUFFIXES.get(PurePath(filename or "").suffix.lower())
    if promised is None or promised == document.kind:
        return document
    warning = (
        f"The name of the file promises {_NAMES[promised]}, its content is"
        f" {_NAMES[document.kind]} and was read as that."
    )
    return replace(document, warnings=(*document.warnings, warning))

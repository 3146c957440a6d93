"""Uploaded documents: who waits for a reader and for how long, and what is said of bad ones."""

from models import errors
from models.extract import Document
from serving.errors import (
    BusyError,
    NotReadyError,
    RequestError,
    TooLargeError,
    UnreadableDocumentError,
    WrongContentTypeError,
)
from serving.forms import Upload
from serving.metrics import Metrics
from serving.overload import Line
from serving.tracing import span
from serving.workshop import Workshop

#: How each thing that can be wrong with a document is answered.
REFUSALS: dict[type[errors.DocumentError], tuple[type[RequestError], str]] = {
    errors.EmptyDocumentError: (UnreadableDocumentError, "empty_document"),
    errors.UnsupportedTypeError: (WrongContentTypeError, "unsupported_document"),
    errors.EncryptedError: (UnreadableDocumentError, "encrypted_document"),
    errors.CorruptError: (UnreadableDocumentError, "corrupt_document"),
    errors.TooLargeError: (TooLargeError, "document_too_large"),
    errors.TooManyPagesError: (TooLargeError, "too_many_pages"),
    errors.TimedOutError: (UnreadableDocumentError, "document_timed_out"),
    errors.NoTextError: (UnreadableDocumentError, "no_text"),
    errors.BusyError: (BusyError, "busy"),
}


class Documents:
    """The readers of one worker; a document waits for a free one, and not for ever.

    Parameters
    ----------
    metrics : Metrics
    line : Line
    workshop : Workshop
        Has them.
    """

    def __init__(self, metrics: Metrics, line: Line, workshop: Workshop) -> None:
        self._metrics = metrics
        self._line = line
        self._workshop = workshop

    async def read(self, upload: Upload) -> Document:
        """Return the text of an uploaded file.

        Raises
        ------
        UnreadableDocumentError, WrongContentTypeError, TooLargeError
        BusyError
            If no reader was free in time.
        NotReadyError
            If the process that has the readers ended meanwhile.
        """
        try:
            document = await self._read(upload)
        except errors.DocumentError as error:
            refusal, code = REFUSALS[type(error)]
            self._metrics.count_document(code)
            raise refusal(str(error), code) from None
        except (BusyError, NotReadyError) as refused:
            self._metrics.count_document(refused.code)
            raise
        self._metrics.count_document(document.kind)
        return document

    async def _read(self, upload: Upload) -> Document:
        size = len(upload.content)
        with self._line.place("document", size):
            async with self._line.turn("document", size):
                with span("document", bytes=size):
                    return await self._workshop.read_document(upload.content, upload.name)

"""Uploaded documents: read in killable children, off the event loop, within the limits."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from models import errors
from models.documents import Document, DocumentReader
from serving.errors import (
    BusyError,
    RequestError,
    TooLargeError,
    UnreadableDocumentError,
    WrongContentTypeError,
)
from serving.forms import Upload
from serving.metrics import Metrics
from serving.overload import Line
from serving.settings import Settings
from serving.tracing import span

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
    settings : Settings
    metrics : Metrics
    line : Line
    """

    def __init__(self, settings: Settings, metrics: Metrics, line: Line) -> None:
        self._settings = settings
        self._metrics = metrics
        self._line = line
        self._threads = ThreadPoolExecutor(settings.document_workers, "documents")
        self._reader: DocumentReader | None = None

    def start(self) -> None:
        """Start the children, which takes them a second; not before this process is the worker."""
        self._reader = DocumentReader(
            self._settings.document_limits, self._settings.document_workers
        )

    def stop(self) -> None:
        """End the children."""
        if self._reader is not None:
            self._reader.close()
        self._threads.shutdown(wait=False)

    async def read(self, upload: Upload) -> Document:
        """Return the text of an uploaded file.

        Raises
        ------
        UnreadableDocumentError, WrongContentTypeError, TooLargeError
        BusyError
            If no reader was free in time.
        """
        try:
            document = await self._read(upload)
        except errors.DocumentError as error:
            refusal, code = REFUSALS[type(error)]
            self._metrics.count_document(code)
            raise refusal(str(error), code) from None
        except BusyError as busy:
            self._metrics.count_document(busy.code)
            raise
        self._metrics.count_document(document.kind)
        return document

    async def _read(self, upload: Upload) -> Document:
        reader, size = self._reader, len(upload.content)
        assert reader is not None
        with self._line.place("document", size):
            async with self._line.turn("document", size):
                with span("document", bytes=size):
                    return await asyncio.get_running_loop().run_in_executor(
                        self._threads, reader.read, upload.content, upload.name
                    )

"""Read what people can see in a PDF, through pdfium."""

import ctypes
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pypdfium2.raw as raw  # type: ignore[import-untyped]

from models.errors import (
    CorruptError,
    EmptyDocumentError,
    EncryptedError,
    NoTextError,
    TooLargeError,
    TooManyPagesError,
)
from models.extract import Document, Limits, Link, usable_links
from models.pdf_layout import reading_order
from models.pdf_lines import Word
from models.pdf_page import Frame, PageWords, frame_of, visible_words

_TAIL = 4_096  # the end of a PDF says where its index is, no further from the last byte
_STREAM = re.compile(rb"\bstream\r?\n")
_HEAD = 1_024  # the dictionary of a stream stands before it, and is shorter
_CHUNK = 65_536
_FEW_LETTERS = 60  # as many a scanner's own stamp may print beside the picture

_DAMAGED = "The PDF is damaged and cannot be read. Export it again and send the new file."


@dataclass(frozen=True)
class _Page:
    lines: list[str]
    links: list[Link]
    words: PageWords


def read_pdf(data: bytes, limits: Limits) -> Document:
    """Return what people can read in a PDF.

    Raises
    ------
    EncryptedError, CorruptError, TooLargeError, TooManyPagesError
    EmptyDocumentError, NoTextError
    """
    if b"startxref" not in data[-_TAIL:]:
        raise CorruptError("The end of the PDF is missing: it was cut off. Send the whole file.")
    _check_streams(data, limits)
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise EncryptedError(
                "The PDF is protected by a password. Save it without one and send it again."
            ) from None
        raise CorruptError(_DAMAGED) from None
    try:
        pages = len(document)
        if pages > limits.max_pages:
            raise TooManyPagesError(
                f"The PDF has {pages} pages, the limit is {limits.max_pages}."
                " Send the pages that matter."
            )
        return _assemble(list(_pages(document, limits)), pages)
    except pdfium.PdfiumError:
        raise CorruptError(_DAMAGED) from None
    finally:
        document.close()


def _check_streams(data: bytes, limits: Limits) -> None:
    """Refuse a PDF whose streams, pictures apart, unpack to more than the limit.

    pdfium unpacks a stream as a whole before it looks at it.
    """
    left = limits.max_unpacked_bytes
    for match in _STREAM.finditer(data):
        head = data[max(0, match.start() - _HEAD) : match.start()].rpartition(b" obj")[2]
        if b"/Fl" in head and b"/Image" not in head:
            left -= _unpacked_size(memoryview(data)[match.end() :], left)
        if left < 0:
            raise TooLargeError(
                f"The PDF unpacks to more than {limits.max_unpacked_bytes} bytes."
                " Export it again, or send it as DOCX or plain text."
            )


def _unpacked_size(packed: memoryview, enough: int) -> int:
    """Return the size of a deflated stream, or any size above ``enough``."""
    unpacker = zlib.decompressobj()
    size = at = 0
    try:
        while size <= enough and not unpacker.eof:
            chunk: bytes | memoryview = unpacker.unconsumed_tail
            if not chunk:
                chunk = packed[at : at + _CHUNK]
                at += _CHUNK
                if not chunk:
                    break
            size += len(unpacker.decompress(chunk, 16 * _CHUNK))
    except zlib.error:
        pass  # Whatever it is, pdfium will not unpack more of it.
    return size


def _pages(document: pdfium.PdfDocument, limits: Limits) -> Iterator[_Page]:
    left = 2 * limits.max_chars
    for index in range(len(document)):
        page = document[index]
        frame = frame_of(page)
        words = visible_words(page, frame, left)
        lines = reading_order(words.upright, words.shapes)
        if words.turned:
            lines += ["", " ".join(word.text for word in words.turned)]
        lines = _without_page_number(lines, index + 1, len(document))
        yield _Page(lines, list(_links(document, page, frame, words.upright)), words)
        page.close()
        left -= words.letters + words.invisible
        if left <= 0:
            return


def _assemble(pages: Sequence[_Page], total: int) -> Document:
    letters = sum(page.words.letters for page in pages)
    invisible = sum(page.words.invisible for page in pages)
    scans = [number for number, page in enumerate(pages, 1) if _is_unread_scan(page.words)]
    if all(page.words.is_blank for page in pages):
        raise EmptyDocumentError("The PDF is blank. Send the one that holds the text.")
    if len(scans) == len(pages) or (not letters and not invisible):
        raise NoTextError(
            "The PDF has no text layer: it looks like a scan, or like text turned into shapes."
            " Export it from the program it was written in, or run text recognition on it."
        )
    if not letters:
        raise NoTextError(
            "Nobody can see the text of this PDF: it is transparent, of the colour of the paper,"
            " tiny, covered or off the page. Send one with visible text."
        )
    warnings = []
    if scans:
        numbers = ", ".join(map(str, scans))
        warnings.append(f"Pages without text, perhaps scanned, were not read: {numbers}.")
    if any(page.words.is_recognised for page in pages):
        warnings.append("The PDF is a scan: a program recognised its text, with its mistakes.")
    return Document(
        text="\n".join(line for page in pages for line in page.lines),
        kind="pdf",
        pages=total,
        links=usable_links([link for page in pages for link in page.links]),
        invisible_chars=invisible,
        warnings=tuple(warnings),
    )


def _is_unread_scan(words: PageWords) -> bool:
    return words.has_scan and words.letters < _FEW_LETTERS and not words.is_recognised


def _without_page_number(lines: list[str], number: int, total: int) -> list[str]:
    """Drop the first or last line if it is nothing but the number of the page."""
    word = r"(?:p(?:age|g|agina|ágina)?|seite|s|str)"
    count = rf"(?: ?(?:/|-|of|von|de|sur|di) ?{total})?"
    folio = re.compile(rf"(?:{word}\.? ?)?{number}{count}|[-–—] ?{number} ?[-–—]", re.IGNORECASE)
    for at in (-1, 0):
        if total > 1 and lines and folio.fullmatch(lines[at].strip()):
            del lines[at]
            break
    return "\n".join(lines).strip("\n").split("\n")


def _links(
    document: pdfium.PdfDocument, page: pdfium.PdfPage, frame: Frame, words: Sequence[Word]
) -> Iterator[Link]:
    """Yield the page's links, each with the words under it."""
    position, link, rectangle = ctypes.c_int(0), raw.FPDF_LINK(), raw.FS_RECTF()
    while raw.FPDFLink_Enumerate(page, position, link):
        action = raw.FPDFLink_GetAction(link)
        length = raw.FPDFAction_GetURIPath(document, action, None, 0)
        buffer = ctypes.create_string_buffer(max(length, 1))
        raw.FPDFAction_GetURIPath(document, action, buffer, length)
        raw.FPDFLink_GetAnnotRect(link, rectangle)
        box = frame.box(rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
        anchor = [
            word.text
            for word in words
            if box[0] <= (word.left + word.right) / 2 <= box[2]
            and box[1] <= word.baseline - word.size / 4 <= box[3]
        ]
        yield Link(" ".join(anchor), buffer.value.decode("utf-8", "replace"))

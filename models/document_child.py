"""What runs in a child of ``models.documents``: bytes in, a document or an error out.

The child has no environment, no file but its three pipes, and can open none: whatever a document
makes of it, it reads nothing but that document. It is started by ``models.sandbox``.
"""

import codecs
import io
import json
import os
import re
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict, replace

import docx

from models.docx_text import read_docx
from models.errors import (
    CorruptError,
    DocumentError,
    EmptyDocumentError,
    EncryptedError,
)
from models.extract import Document, Limits, count_tags, refuse_type, tidy
from models.pdf_text import read_pdf
from models.plain_text import CANDIDATES, read_text
from models.sandbox import OUT_OF_MEMORY, answer_frames

_PDF = b"%PDF-"
_PDF_SEARCHED = 1_024  # readers of PDF look for its mark so far into a file
_ZIP = b"PK\x03\x04"
_ZIP_END = b"PK\x05\x06"
_ZIP_END_SEARCHED = 65_557  # and readers of ZIP so far from its end
_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_PICTURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
_OTHERS = {
    b"{\\rtf": "an RTF file",
    b"%!PS": "a PostScript file",
    b"\x1f\x8b": "a gzip archive",
    b"Rar!\x1a": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x7fELF": "a program",
    b"MZ\x90\0": "a program",
}
# One page, one word in white: enough to load the fonts, the text and the rendering of pdfium.
_WARM_PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R
/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj
4 0 obj<</Length 62>>stream
BT /F 9 Tf 9 9 Td (warm) Tj 1 g 9 9 Td (unseen) Tj ET
endstream endobj
trailer<</Root 1 0 R>>
startxref
0
%%EOF
"""
_WEB_PAGE = re.compile(rb"\s*<(?:!doctype html|html)", re.IGNORECASE)


def read_document(data: bytes, limits: Limits) -> Document:
    """Return the visible text of a PDF, a DOCX or a text file, told apart by content.

    Raises
    ------
    DocumentError
        Any of its kinds but TimedOutError and BusyError.
    """
    document = _reader(data)(data, limits)
    hidden = document.invisible_chars + count_tags(document.text)
    text = tidy(document.text)
    warnings = list(document.warnings)
    if hidden:
        warnings.append(f"Invisible text of {hidden} letters was left out.")
    if len(text) > limits.max_chars:
        text = text[: limits.max_chars]
        warnings.append(f"The text was cut after {limits.max_chars} characters.")
    return replace(document, text=text, invisible_chars=hidden, warnings=tuple(warnings))


def _reader(data: bytes) -> Callable[[bytes, Limits], Document]:
    """Return the function that reads such content, or say why none does."""
    if not data.strip():
        raise EmptyDocumentError("The file is empty. Send the one that holds the text.")
    is_pdf = data.removeprefix(b"\xef\xbb\xbf").lstrip()[: len(_PDF)] == _PDF
    holds_pdf = _PDF in data[:_PDF_SEARCHED]
    is_zip = data.startswith((_ZIP, _ZIP_END))
    if (is_pdf and _ZIP_END in data[-_ZIP_END_SEARCHED:]) or (holds_pdf and not is_pdf):
        raise refuse_type(
            "several types at once, so programs disagree on what it says",
            "Send it as a plain PDF or DOCX.",
        )
    if is_pdf:
        return read_pdf
    if is_zip:
        return read_docx
    _refuse_others(data)
    return read_text


def _refuse_others(data: bytes) -> None:
    if data.startswith(_OFFICE):
        if _ENCRYPTED_PACKAGE in data:
            raise EncryptedError(
                "The Office document is protected by a password. Save it without one."
            )
        raise refuse_type("in an old format of Office", "Save it as DOCX or PDF.")
    if data.startswith(_PICTURES) or (data.startswith(b"RIFF") and data[8:12] == b"WEBP"):
        raise refuse_type("a picture", "Send the document it shows as PDF, DOCX or plain text.")
    for mark, what in _OTHERS.items():
        if data.startswith(mark):
            raise refuse_type(what)
    if _WEB_PAGE.match(data):
        raise refuse_type("a web page")


def _answer(data: bytes, limits: Limits) -> bytes:
    """Return the document, or the error, as JSON: nothing that comes from here is unpickled."""
    answer: dict[str, object]
    try:
        answer = {"document": asdict(read_document(data, limits))}
    except DocumentError as error:
        answer = {"error": type(error).__name__, "detail": str(error)}
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception:
        # The outermost edge: whatever a library makes of a hostile file. Its own words may
        # hold text of the file, so they go nowhere.
        detail = "The document is damaged. Export it again and send the new file."
        answer = {"error": CorruptError.__name__, "detail": detail}
    return json.dumps(answer).encode()


def _warm_up(limits: Limits) -> None:
    """Import what the readers import when they first need it: later no file can be opened."""
    for name in CANDIDATES:
        codecs.lookup(name)
    package = io.BytesIO()
    sample = docx.Document()
    sample.add_paragraph("warm")
    sample.save(package)
    for data in (_WARM_PDF, package.getvalue(), "déjà vu".encode("cp1252")):
        read_document(data, limits)


def _confine(limits: Limits) -> None:
    """Give up what a reader of documents never needs; Linux keeps all of it, others some."""
    caps = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_AS: limits.memory_bytes,
    }
    for limit, value in caps.items():
        if sys.platform == "linux" or limit != resource.RLIMIT_AS:
            resource.setrlimit(limit, (value, value))


def main() -> None:
    """Answer documents on standard input until it closes."""
    limits = Limits.model_validate_json(sys.argv[1])
    _warm_up(limits)
    answer_frames(lambda data: _answer(data, limits), lambda: _confine(limits), limits.seconds)

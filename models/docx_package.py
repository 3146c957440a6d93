"""Check the ZIP container of a DOCX before anything opens it as a document."""

import io
import re
import stat
import zipfile
import zlib
from collections import Counter

from models.errors import CorruptError, EncryptedError, TooLargeError
from models.extract import MEBIBYTE, Limits, refuse_type

MAIN_PART = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"

_CONTENT_TYPES = "[Content_Types].xml"
_RELATIVES = {
    b"wordprocessingml.template": "a Word template",
    b"macroEnabled": "an Office document with macros",
    b"spreadsheetml": "an Excel workbook",
    b"presentationml": "a PowerPoint presentation",
}
_MAX_RATIO = 150  # of unpacked to packed; XML that Word writes stays below 60
_SMALL = MEBIBYTE  # whatever its ratio, so small an entry does no harm
_CHUNK = 65_536
_ENCRYPTED = 0x1
_ENCODING = re.compile(rb"""^<\?xml[^>]*encoding\s*=\s*["']([^"']*)""")
_ENCODINGS = (b"utf-8", b"utf-16", b"us-ascii", b"ascii")
_EMBEDDED = "word/embeddings/"  # sheets behind charts, which are archives too; never opened


def check_package(data: bytes, limits: Limits) -> None:
    """Refuse a container that no editor writes, or that unpacks to too much.

    Raises
    ------
    UnsupportedTypeError
        If it is an archive of another kind, or holds archives.
    EncryptedError, TooLargeError, CorruptError
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check(archive, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise CorruptError(
            "The DOCX is damaged or was cut off. Save it again and send the new file."
        ) from error


def _check(archive: zipfile.ZipFile, limits: Limits) -> None:
    entries = archive.infolist()
    if len(entries) > limits.max_entries:
        raise TooLargeError(
            f"The archive holds {len(entries)} files, the limit is {limits.max_entries}."
            " Save the document again as DOCX or PDF."
        )
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise EncryptedError(
            "The archive is protected by a password. Save the document without one."
        )
    _check_names(entries)
    _check_declared_sizes(entries, limits)
    _check_kind(archive)
    unpacked = 0
    for entry in entries:
        content = _unpack(archive, entry)
        unpacked += len(content)
        if unpacked > limits.max_unpacked_bytes:
            raise _too_large(limits)
        _check_content(entry.filename, content)


def _check_names(entries: list[zipfile.ZipInfo]) -> None:
    for entry in entries:
        # The name as it was written: zipfile itself mends some.
        name = entry.orig_filename
        parts = re.split(r"[/\\]", name)
        if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name:
            raise CorruptError(
                "The archive names files outside itself, which no editor does."
                " Save the document again as DOCX or PDF."
            )
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise CorruptError("The archive holds a symbolic link, which no editor writes.")
    names = Counter(entry.filename.casefold() for entry in entries)
    places = Counter(entry.header_offset for entry in entries)
    if max([*names.values(), *places.values()], default=0) > 1:
        raise CorruptError(
            "The archive holds one file twice, so nobody can say what the document is."
            " Save it again as DOCX or PDF."
        )


def _check_declared_sizes(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    total = sum(entry.file_size for entry in entries)
    if total > limits.max_unpacked_bytes:
        raise _too_large(limits)
    for entry in entries:
        if entry.file_size > _SMALL and entry.file_size > _MAX_RATIO * entry.compress_size:
            raise _too_large(limits)


def _too_large(limits: Limits) -> TooLargeError:
    return TooLargeError(
        f"The archive unpacks to more than {limits.max_unpacked_bytes} bytes, or to"
        f" {_MAX_RATIO} times its size. Save the document again as DOCX or PDF."
    )


def _check_kind(archive: zipfile.ZipFile) -> None:
    names = set(archive.namelist())
    if _CONTENT_TYPES not in names:
        if "mimetype" in names and "content.xml" in names:
            raise refuse_type("an OpenDocument file")
        raise refuse_type("a ZIP archive, not a document")
    types = _unpack(archive, archive.getinfo(_CONTENT_TYPES))
    if MAIN_PART not in types:
        what = next((name for mark, name in _RELATIVES.items() if mark in types), None)
        raise refuse_type(what or "an Office document of another kind")


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return the content of an entry, of the size it declared: zipfile never reads beyond it."""
    with archive.open(entry) as stream:
        content = stream.read()
    if len(content) != entry.file_size:
        raise zipfile.BadZipFile("an entry is shorter than it says")
    return content


def _check_content(name: str, content: bytes) -> None:
    if content.startswith(b"PK\x03\x04") and not name.startswith(_EMBEDDED):
        raise refuse_type("an archive within an archive", "Send the document itself.")
    # Without zeros, UTF-16 reads like ASCII.
    start = content[:_CHUNK].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if not start.startswith(b"<"):
        return
    encoding = _ENCODING.match(start)
    if encoding and encoding[1].lower() not in _ENCODINGS:
        raise CorruptError("The DOCX has a part in an encoding that no editor writes.")
    if b"<!DOCTYPE" in content.replace(b"\0", b""):
        raise CorruptError(
            "The DOCX holds a DOCTYPE, which no editor writes. Save it again as DOCX or PDF."
        )

"""Forms, as browsers and curl send them: from a body to its fields and files."""

import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from serving.errors import InvalidInputError
from serving.exchange import MULTIPART, Body

MAX_PARTS = 20
MAX_HEADERS = 8
MAX_HEADER_BYTES = 4096

# RFC 2046, section 5.1.1.
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
# Older clients send a name outside of ASCII in this spelling alone; it still marks a file.
_EXTENDED_NAME = re.compile(rb";\s*filename\*\s*=", re.IGNORECASE)
_PLAIN_CODINGS = (b"", b"7bit", b"8bit", b"binary")

# The parser logs what it stumbles upon, which is a piece of the body.
logging.getLogger("python_multipart.multipart").addFilter(lambda _: False)


@dataclass(frozen=True)
class Upload:
    """An uploaded file; nothing is ever opened by its name."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Form:
    """What a form says: its fields as texts, and its files."""

    fields: Mapping[str, str]
    files: Mapping[str, Upload]


@dataclass
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    content: bytes = b""


def read_form(body: Body, file_names: Collection[str]) -> Form:
    """Return the fields and files of a form.

    Parameters
    ----------
    body : Body
        Of type multipart/form-data or application/x-www-form-urlencoded.
    file_names : collection of str
        The parts that hold files, which alone may, and nothing but files.

    Raises
    ------
    InvalidInputError
        Saying what is wrong, and never what the body holds.
    """
    if body.media_type == MULTIPART:
        return _read_multipart(body, file_names)
    form = Form(_read_urlencoded(body.content), {})
    for name in file_names:
        if name in form.fields:
            raise not_uploaded(name)
    return form


def not_uploaded(name: str) -> InvalidInputError:
    """Return the error for a text in place of a file: a path and an address are texts too."""
    return InvalidInputError(
        f"{name} must be a file that is uploaded with a form, as `curl -F {name}=@document.pdf` "
        "does; paths and addresses are not opened",
        "file_not_uploaded",
    )


def _read_urlencoded(content: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            content.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARTS
        )
    except UnicodeDecodeError:
        raise InvalidInputError("the form is not UTF-8", "invalid_utf8") from None
    except ValueError:
        raise _malformed(f"it has more than {MAX_PARTS} fields") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise _twice()
    return fields


def _read_multipart(body: Body, file_names: Collection[str]) -> Form:
    fields: dict[str, str] = {}
    files: dict[str, Upload] = {}
    for part in _split(body):
        name, filename = _names(part)
        if filename is None:
            if name in file_names:
                raise not_uploaded(name)
            if name in fields:
                raise _twice()
            fields[name] = _text(part.content)
        elif filename or part.content:  # browsers send an input without a file as nothing at all
            if name not in file_names:
                known = " or ".join(file_names)
                raise InvalidInputError(
                    f"a file must be sent in a part that is called {known}", "wrong_part"
                )
            if name in files:
                raise InvalidInputError(f"{name} was sent more than once", "two_files")
            files[name] = Upload(filename, part.content)
    return Form(fields, files)


def _split(body: Body) -> list[_Part]:
    """Return the parts of a multipart body, which must have an end."""
    parts: list[_Part] = []
    header: list[bytes] = [b"", b""]
    ended = False

    def begin() -> None:
        parts.append(_Part())

    def add_name(data: bytes, start: int, end: int) -> None:
        header[0] += data[start:end]

    def add_value(data: bytes, start: int, end: int) -> None:
        header[1] += data[start:end]

    def end_header() -> None:
        name, value = header[0].lower(), header[1].strip()
        if name in parts[-1].headers:  # two readers could take two different values
            raise _malformed("a part has one header twice")
        parts[-1].headers[name] = value
        header[:] = b"", b""

    def add_content(data: bytes, start: int, end: int) -> None:
        parts[-1].content += data[start:end]

    def end() -> None:
        nonlocal ended
        ended = True

    boundary = _boundary(body)
    # Also bounds the parser's work: near misses cost it most.
    if body.content.count(b"--" + boundary) > MAX_PARTS + 1:
        raise _malformed(f"it has more than {MAX_PARTS} parts")
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": begin,
            "on_header_field": add_name,
            "on_header_value": add_value,
            "on_header_end": end_header,
            "on_part_data": add_content,
            "on_end": end,
        },
        max_header_count=MAX_HEADERS,
        max_header_size=MAX_HEADER_BYTES,
    )
    try:
        parser.write(body.content)
    except FormParserError:
        raise _malformed("its parts do not follow RFC 7578") from None
    if not ended:
        raise _malformed("it is cut off before its last boundary")
    return parts


def _boundary(body: Body) -> bytes:
    boundary = parse_options_header(body.content_type)[1].get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise _malformed("its content type has no sound boundary")
    return boundary


def _names(part: _Part) -> tuple[str, str | None]:
    """Return the name of a part, and of its file if it is one."""
    disposition = part.headers.get(b"content-disposition", b"").decode("latin-1")
    kind, params = parse_options_header(disposition)
    if kind != b"form-data" or b"name" not in params:
        raise _malformed("a part has no name")
    if part.headers.get(b"content-type", b"").lower().startswith(b"multipart/"):
        raise _malformed("a part has parts of its own")
    if part.headers.get(b"content-transfer-encoding", b"").lower() not in _PLAIN_CODINGS:
        raise _malformed("a part is encoded")
    name = params[b"name"].decode("utf-8", "replace")
    if b"filename" in params:
        return name, params[b"filename"].decode("utf-8", "replace")
    return name, "file" if _EXTENDED_NAME.search(disposition.encode("latin-1")) else None


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InvalidInputError("a field of the form is not UTF-8", "invalid_utf8") from None


def _twice() -> InvalidInputError:
    return InvalidInputError("the form has one field twice", "duplicate_key")


def _malformed(reason: str) -> InvalidInputError:
    return InvalidInputError(f"the form is malformed: {reason}", "malformed_form")

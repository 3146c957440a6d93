"""Forms as browsers and curl send them, and as nobody should."""

import contextlib
import logging
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serving.errors import InvalidInputError
from serving.exchange import MULTIPART, URLENCODED, Body
from serving.forms import MAX_PARTS, Form, Upload, read_form

CANARY = "canary-7f3a"
FILES = ("file", "job_description_file")
TEXT = 'form-data; name="text"'
FILE = 'form-data; name="file"; filename="cv.pdf"'


def multipart(*parts: bytes, boundary: str = "xyz", end: bytes = b"--xyz--\r\n") -> Body:
    content = b"".join(b"--xyz\r\n" + part + b"\r\n" for part in parts) + end
    return Body(content, f"{MULTIPART}; boundary={boundary}")


def part(disposition: str, content: bytes = b"hello", *more: str) -> bytes:
    lines = [f"Content-Disposition: {disposition}", *more]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + content


def read(*parts: bytes) -> Form:
    return read_form(multipart(*parts), FILES)


def refusal(body: Body) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        read_form(body, FILES)
    assert CANARY not in caught.value.detail
    return caught.value


def sent(**options: object) -> Body:
    """Return the body of a form that httpx makes."""
    request = httpx.Request("POST", "http://test/", **options)  # type: ignore[arg-type]
    return Body(request.read(), request.headers["content-type"])


def test_a_form_of_a_common_client_is_read() -> None:
    body = sent(data={"text": "naïve 😀\n"}, files={"file": ("cv.pdf", b"%PDF-1.7\r\n--\0\xff")})
    assert read_form(body, FILES) == Form(
        {"text": "naïve 😀\n"}, {"file": Upload("cv.pdf", b"%PDF-1.7\r\n--\0\xff")}
    )


@given(st.binary(max_size=500), st.text(st.characters(codec="utf-8"), min_size=1, max_size=50))
@example(b"\r\n--xy", "x")
@example(b"\r\n--xyz", "\r\n--xyz--")
@example(b"", "x")
def test_what_httpx_sends_arrives_as_it_was(content: bytes, text: str) -> None:
    body = sent(data={"text": text}, files={"file": ("cv.pdf", content)})
    form = read_form(body, FILES)
    assert form.fields == {"text": text}
    assert form.files == {"file": Upload("cv.pdf", content)}


@pytest.mark.parametrize("text", ["12345", "null", "true", '"quoted"', "{}", "", " ", "a=b&c%20d"])
def test_fields_are_the_text_that_they_are(text: str) -> None:
    assert read(part(TEXT, text.encode())).fields == {"text": text}
    body = Body(urlencode({"text": text}).encode(), URLENCODED)
    assert read_form(body, FILES).fields == {"text": text}


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("../../etc/passwd", 'form-data; name="file"; filename="../../etc/passwd"'),
        ("/etc/passwd", "form-data; name=file; filename=/etc/passwd"),
        ('a;b"c', 'form-data; name="file"; filename="a;b\\"c"'),
        ("résumé 😀.pdf", 'form-data; name="file"; filename="résumé 😀.pdf"'),
        ("file", "form-data; name=file; filename*=UTF-8''r%C3%A9sum%C3%A9.pdf"),
        ("cv.pdf", 'FORM-DATA; NAME="file"; FILENAME="C:\\users\\me\\cv.pdf"'),
    ],
)
def test_the_name_of_a_file_is_only_a_word(name: str, disposition: str) -> None:
    assert read(part(disposition)).files == {"file": Upload(name, b"hello")}


def test_an_input_without_a_file_is_nothing() -> None:
    empty = part('form-data; name="file"; filename=""', b"")
    assert read(empty, part(TEXT)) == Form({"text": "hello"}, {})


@pytest.mark.parametrize(
    "given_text",
    ["/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:9/x.pdf", "https://x.example", CANARY],
)
def test_a_string_in_place_of_the_file_is_refused(given_text: str) -> None:
    bodies = [
        multipart(part('form-data; name="file"', given_text.encode())),
        Body(urlencode({"file": given_text}).encode(), URLENCODED),
        sent(data={"job_description_file": given_text, "text": "x"}),
    ]
    for body in bodies:
        found = refusal(body)
        assert found.code == "file_not_uploaded"
        assert "curl -F" in found.detail
        assert given_text not in found.detail


LONG = "x" * 5_000
HOSTILE = {
    "no boundary": (Body(b"--xyz--", MULTIPART), "boundary"),
    "empty boundary": (multipart(part(TEXT), boundary=""), "boundary"),
    "long boundary": (multipart(part(TEXT), boundary="x" * 71), "boundary"),
    "odd boundary": (multipart(part(TEXT), boundary='"a\tb"'), "boundary"),
    "another boundary": (multipart(part(TEXT), boundary="zyx"), "RFC 7578"),
    "nothing": (Body(b"", f"{MULTIPART}; boundary=xyz"), "cut off"),
    "no end": (multipart(part(TEXT), end=b""), "cut off"),
    "half an end": (multipart(part(TEXT), end=b"--xyz-"), "cut off"),
    "cut in a header": (Body(b"--xyz\r\nContent-Dis", f"{MULTIPART}; boundary=xyz"), "cut off"),
    "text before": (Body(b"canary-7f3a\r\n--xyz--", f"{MULTIPART}; boundary=xyz"), "RFC 7578"),
    "no disposition": (multipart(b"X-Other: canary-7f3a\r\n\r\nhello"), "no name"),
    "no headers": (multipart(b"\r\ncanary-7f3a"), "no name"),
    "attachment": (multipart(part('attachment; name="text"')), "no name"),
    "no name": (multipart(part("form-data; filename=x")), "no name"),
    "two dispositions": (
        multipart(part(TEXT, b"x", f"Content-Disposition: {FILE}")),
        "one header twice",
    ),
    "a bad header": (multipart(b"Content Disposition: form-data\r\n\r\nx"), "RFC 7578"),
    "a header without end": (multipart(b"Content-Disposition: form-data\n\nx"), "RFC 7578"),
    "huge header": (multipart(part(f'form-data; name="{LONG}"')), "RFC 7578"),
    "huge name of a header": (multipart(LONG.encode() + b": x\r\n\r\n"), "RFC 7578"),
    "many headers": (multipart(part(TEXT, b"x", *(f"x-{n}: {n}" for n in range(9)))), "RFC 7578"),
    "many parts": (
        multipart(*(part(f"form-data; name={n}") for n in range(MAX_PARTS + 1))),
        "more than 20 parts",
    ),
    "nested": (
        multipart(
            part(FILE, b"--a\r\n\r\nx\r\n--a--", "content-type: multipart/mixed; boundary=a")
        ),
        "parts of its own",
    ),
    "base64": (multipart(part(FILE, b"aGVsbG8=", "content-transfer-encoding: base64")), "encoded"),
    "many fields": (
        Body(b"&".join(b"%d=1" % n for n in range(MAX_PARTS + 1)), URLENCODED),
        "more than 20 fields",
    ),
}


@pytest.mark.parametrize(("body", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_malformed_form_is_refused_with_its_reason(body: Body, reason: str) -> None:
    found = refusal(body)
    assert found.code == "malformed_form"
    assert reason in found.detail


UNSOUND = {
    "two files": (multipart(part(FILE), part(FILE)), "two_files"),
    "two texts": (multipart(part(TEXT), part(TEXT)), "duplicate_key"),
    "two encoded texts": (Body(b"text=a&text=b", URLENCODED), "duplicate_key"),
    "another name": (multipart(part(f'form-data; name="{CANARY}"; filename="x"')), "wrong_part"),
    "a file as text": (multipart(part('form-data; name="text"; filename="x"')), "wrong_part"),
    "not UTF-8": (multipart(part(TEXT, b"caf\xe9")), "invalid_utf8"),
    "not UTF-8, encoded": (Body(b"text=caf%E9", URLENCODED), "invalid_utf8"),
    "not UTF-8, raw": (Body(b"text=caf\xe9", URLENCODED), "invalid_utf8"),
    "a surrogate": (Body(b"text=%ED%A0%80", URLENCODED), "invalid_utf8"),
}


@pytest.mark.parametrize(("body", "code"), UNSOUND.values(), ids=UNSOUND)
def test_a_form_that_breaks_a_rule_is_refused(body: Body, code: str) -> None:
    assert refusal(body).code == code


@given(st.data())
def test_a_form_cut_or_changed_anywhere_is_read_or_refused_and_nothing_else(
    data: st.DataObject,
) -> None:
    whole = multipart(part(TEXT), part(FILE, b"%PDF")).content
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    content = whole[:start] + data.draw(st.binary(max_size=20)) + whole[end:]
    with contextlib.suppress(InvalidInputError):
        read_form(Body(content, f"{MULTIPART}; boundary=xyz"), FILES)


@given(st.binary(max_size=300), st.text(st.characters(codec="latin-1"), max_size=80))
def test_bytes_of_any_kind_are_read_or_refused_and_nothing_else(
    content: bytes, boundary: str
) -> None:
    for content_type in (URLENCODED, f"{MULTIPART}; boundary={boundary}"):
        with contextlib.suppress(InvalidInputError):
            read_form(Body(content, content_type), FILES)


def test_near_misses_of_the_boundary_which_cost_the_parser_most_are_counted_first() -> None:
    near = multipart(part(FILE, b"\r\n--xyzz" * 600_000))
    assert "more than 20 parts" in refusal(near).detail


def test_the_parser_logs_nothing_of_the_body(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for body, _ in HOSTILE.values():
        refusal(body)
    assert caplog.records == []

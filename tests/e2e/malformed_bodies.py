"""Malformed bodies: JSON and forms as no client should send them."""

import json
import random
from collections.abc import Callable
from typing import Any

from tests.e2e.attempts import (
    CANARY,
    FORMS,
    JOB,
    JSON,
    MULTIPART,
    RESUME,
    SOUND,
    URLENCODED,
    Attempt,
    noise,
    sound,
)

_Bytes = Callable[[random.Random, bytes], bytes]

_ODD_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 1e308, 10**30, "", " \t\n", "\0", CANARY, "x" * 300_000),
    *([], {}, [CANARY], [[[]]], {"text": CANARY}, {CANARY: CANARY}, ["\ud800"], "\udfff" + CANARY),
    *("2024-13-45", "💩" * 50, "\u202e" + CANARY, "/etc/passwd", "file:///etc/passwd", "${7*7}"),
)
_ODD_LITERALS = (
    *(b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-0", b"9" * 5_000, b"0x10", b"01", b".5"),
    *(b"'x'", b"undefined", b'"\\ud800"', b'"\\u12"', b'"\x01"', b'"\\x41"', b"{a: 1}", b"[1,]"),
    *(b"tru", b"/**/1", b'"unclosed', b"\xff", b'"\xc3\x28"', b'"\xed\xa0\x80"', b"\xef\xbb\xbf1"),
)


def _cut(rng: random.Random, body: bytes) -> bytes:
    return body[: rng.randrange(len(body))]


def _flip(rng: random.Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(rng.randrange(1, 6)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _insert(rng: random.Random, body: bytes) -> bytes:
    place = rng.randrange(len(body) + 1)
    return body[:place] + rng.choice(_ODD_LITERALS) + body[place:]


def _nest(rng: random.Random, _: bytes) -> bytes:
    depth = rng.choice((50, 1_000, 100_000, 500_000))
    opening, closing = rng.choice(((b"[", b"]"), (b'{"text":', b"}"), (b'[{"a":', b"}]")))
    depth = min(depth, 900_000 // (len(opening) + len(closing)))
    inner = json.dumps(CANARY).encode()
    return opening * depth + inner + closing * rng.choice((depth, 0, depth - 1))


def _double(_: random.Random, body: bytes) -> bytes:
    return body[:-1] + b"," + body[1:]


def _recode(rng: random.Random, body: bytes) -> bytes:
    coding = rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-7", "utf-8-sig", "cp037"))
    return body.decode().encode(coding)


def _wrap(rng: random.Random, body: bytes) -> bytes:
    before, after = rng.choice(
        ((b"[", b"]"), (b"", b"x"), (b"", body), (b"\xef\xbb\xbf" * 2, b""), (b")]}'\n", b""))
    )
    return before + body + after


def _many(rng: random.Random, _: bytes) -> bytes:
    count = rng.choice((1_001, 5_000, 60_000))
    if rng.random() < 0.5:
        return json.dumps({f"{CANARY}{number}": number for number in range(count)}).encode()
    return json.dumps({"texts": [CANARY[:3]] * count}).encode()


def _random(rng: random.Random, _: bytes) -> bytes:
    return noise(rng, 2_000)


def _nothing(rng: random.Random, _: bytes) -> bytes:
    return rng.choice((b"", b" ", b"\n\n", b"null", b"\0", b"[]", b'""', b"0"))


_SPOILERS: tuple[_Bytes, ...] = (
    *(_cut, _flip, _insert, _nest, _double, _recode, _wrap, _many, _random, _nothing),
)


def spoiled_json(rng: random.Random) -> Attempt:
    """A sound body, then spoiled."""
    path, body = sound(rng)
    return Attempt("POST", path, {"content-type": JSON}, rng.choice(_SPOILERS)(rng, body))


def odd_json(rng: random.Random) -> Attempt:
    """JSON that can be read, with a value of the wrong type, or where none belongs."""
    path = rng.choice(tuple(SOUND))
    content = dict(SOUND[path])
    name = rng.choice((*content, CANARY, "file", "__proto__", "request_id"))
    content[name] = rng.choice(_ODD_VALUES)
    if rng.random() < 0.2:
        content.pop(rng.choice(tuple(content)))
    return Attempt("POST", path, {"content-type": JSON}, json.dumps(content).encode())


_NAMES = (
    *(b"cv.pdf", b"../../" + CANARY.encode(), b"", b"a" * 5_000, b"\xff\xfe.pdf", b"a\0b.pdf"),
    *("жизнь.docx".encode(), b'a\\"b".pdf', b"C:\\fakepath\\cv.pdf", b"cv.pdf; x=y", b"CON", b"."),
)
_CONTENTS = (
    *(b"", RESUME.encode(), b"%PDF-1.7\n", b"%PDF-1.4\n1 0 obj<</Type/Catalog", b"PK\x03\x04"),
    *(b"PK\x05\x06" + b"\0" * 18, b"\x89PNG\r\n", b"\xd0\xcf\x11\xe0", b"{\\rtf1 ", b"\0" * 5_000),
    *(b"\xff\xfe" + RESUME.encode("utf-16-le"), b"GIF89a", b"<html>", b"MZ", b"\r\n--x--\r\n"),
)


def _part(rng: random.Random, name: bytes, content: bytes, filename: bytes | None) -> bytes:
    disposition = b'Content-Disposition: form-data; name="' + name + b'"'
    if filename is not None:
        disposition += rng.choice((b'; filename="%s"', b"; filename=%s", b"; filename*=%s")) % (
            filename
        )
    headers = [disposition]
    headers += [
        extra
        for extra in (
            b"Content-Type: text/plain",
            b"Content-Type: multipart/mixed; boundary=y",
            b"Content-Transfer-Encoding: base64",
            b"X-Long: " + b"x" * 5_000,
            b"no colon at all",
            b": no name",
            disposition,
            b"X-Bytes: \xff\0",
        )
        if rng.random() < 0.06
    ]
    if rng.random() < 0.04:
        headers = headers[1:]
    if rng.random() < 0.02:
        headers *= 12
    return b"\r\n".join([*headers, b"", content])


def spoiled_form(rng: random.Random) -> Attempt:
    """A form whose parts, files, names or boundaries are not as they should be."""
    path = rng.choice(FORMS)
    parts = []
    for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 30, 3_000))):
        name = rng.choice(
            (b"file", b"text", b"job_description", b"top_k", b"filters", b"", b"\xff")
        )
        is_file = rng.random() < (0.8 if name == b"file" else 0.2)
        content = rng.choice((*_CONTENTS, JOB.encode(), b"3", b"[", noise(rng, 3_000)))
        parts.append(_part(rng, name, content, rng.choice(_NAMES) if is_file else None))
    boundary = rng.choice((b"x", b"x", b"x", b"-" * 70, b"a b", b"\xff", b"", b"x" * 300))
    line = rng.choice((b"\r\n", b"\r\n", b"\r\n", b"\n"))
    used = boundary if rng.random() < 0.9 else b"other"
    body = b"".join(b"--" + used + line + part + line for part in parts)
    body += rng.choice((b"--" + used + b"--" + line, b"--" + used + b"--", b"", b"--" + used))
    if rng.random() < 0.1:
        body = rng.choice((_cut, _flip))(rng, body or b"x")
    quoted = rng.choice((b"; boundary=%s", b'; boundary="%s"', b"; boundary=%s; boundary=z", b""))
    kind = MULTIPART.encode() + (quoted % boundary if b"%s" in quoted else quoted)
    return Attempt("POST", path, {"content-type": kind.decode("latin-1")}, body)


def odd_document(rng: random.Random) -> Attempt:
    """A sound form with a file that is no document, or hardly one."""
    content = rng.choice(_CONTENTS) + noise(rng, 4_000)
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n%s' % (
        rng.choice(_NAMES),
        content,
    )
    body += b'\r\n--x\r\nContent-Disposition: form-data; name="job_description"\r\n\r\n%s' % (
        JOB.encode()
    )
    return Attempt(
        "POST",
        rng.choice(FORMS),
        {"content-type": f"{MULTIPART}; boundary=x"},
        body + b"\r\n--x--\r\n",
    )


def spoiled_fields(rng: random.Random) -> Attempt:
    """A form of the simple kind, spoiled."""
    pieces = [
        *("text=" + CANARY, "text=%zz", "text=%ff%fe", "text=%00", "file=/etc/passwd", "=", "&&&"),
        *("top_k=many", "top_k=1e9", "filters=[", "filters=%7B%22a%22:1%7D", "job_description=+"),
        *("text", f"{CANARY}={CANARY}", "text=" + "%f0%9f%92%a9" * 500, "top_k=NaN", "a[]=1"),
    ]
    chosen = rng.choices(pieces, k=rng.choice((0, 1, 2, 4, 25)))
    body = rng.choice(("&", ";", "&&", "\n")).join(chosen).encode()
    if rng.random() < 0.1:
        body += noise(rng)
    return Attempt("POST", rng.choice(FORMS), {"content-type": URLENCODED}, body)

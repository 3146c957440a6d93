"""Malformed requests: heads, lengths, paths, methods and connections as HTTP does not allow."""

import json
import random

from tests.e2e.attempts import CANARY, JSON, PAGES, SOUND, Attempt, noise, request, sound

_WORD = CANARY.encode()
_HEAD = b"POST %s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"

_TYPES: tuple[bytes, ...] = (
    *(b"", b"text/plain", b"application/json; charset=utf-16", b"application/json;;", b"\xff/\xfe"),
    *(b"application/jsonx", b"application/x-www-form-urlencoded", b"multipart/form-data", b"*/*"),
    *(b"multipart/form-data; boundary=" + _WORD, b"application/json, text/plain", b"a" * 3_000),
)
_HEADERS: tuple[tuple[str, bytes], ...] = (
    *(("x-request-id", value) for value in (_WORD + b"!", _WORD * 20, b"\xff" + _WORD, b"")),
    *(("x-forwarded-for", value) for value in (_WORD, b"1.2.3.4, " * 500, b"::ffff:999", b",")),
    *(("authorization", value) for value in (b"Bearer " + _WORD, b"Basic !!", b"Bearer", _WORD)),
    *(("x-api-key", value) for value in (_WORD, b"\xff\xfe", b"x" * 5_000, b"")),
    *(("content-encoding", value) for value in (b"gzip", b"br", _WORD, b"identity, gzip")),
    *(("accept", b"\xff" * 100), ("accept-encoding", b"*;q=9"), ("range", b"bytes=" + _WORD)),
    *(("traceparent", b"00-" + _WORD), ("traceparent", b"\xff"), ("tracestate", _WORD * 100)),
    *(("expect", b"100-continue"), ("expect", _WORD), ("te", b"trailers, " + _WORD)),
    *(("cookie", _WORD + b"=" + b"x" * 9_000), ("origin", _WORD), ("origin", b"null")),
    *(("user-agent", b"BentoML HTTP Client/9"), ("user-agent", b"\xff" * 50), ("host", _WORD)),
    *(("host", b"a@b:99999"), ("x-long", b"x" * 70_000), ("x-nul", b"a\0b"), ("x", b"\x01\x02")),
    *(("upgrade", b"websocket"), ("upgrade", b"h2c"), ("http2-settings", b"AAMAAABk")),
    *(
        ("x-http-method-override", b"DELETE"),
        ("x-original-url", b"/" + _WORD),
        ("cache-control", b"\xff"),
    ),
    *(("idempotency-key", _WORD * 50), ("if-none-match", _WORD), ("forwarded", b"for=" + _WORD)),
)


def odd_head(rng: random.Random) -> Attempt:
    """A sound body under a head that is not."""
    path, body = sound(rng)
    headers: dict[str, str | bytes] = {"content-type": JSON}
    if rng.random() < 0.3:
        headers["content-type"] = rng.choice(_TYPES)
    for name, value in rng.choices(_HEADERS, k=rng.randrange(1, 4)):
        headers[name.upper() if name in headers else name] = value
    if rng.random() < 0.05:
        headers |= {f"x-{number}": CANARY for number in range(rng.choice((90, 2_000)))}
    whole = request("POST", path, headers, body)
    if rng.random() < 0.2:
        extra = rng.choice(
            (b"no colon", b": no name", b" folded: line", b"sp ace: x", b"a\xff: b", b"x:\0", b"\t")
        )
        whole = whole.replace(b"host: localhost", b"host: localhost\r\n" + extra, 1)
    if rng.random() < 0.05:
        whole = whole.replace(b"host: localhost\r\n", b"", 1)
    return Attempt("POST", path, raw=(whole,))


def wrong_length(rng: random.Random) -> Attempt:
    """A body that is not as long as the head says, or said to be so in two ways."""
    path, body = sound(rng)
    size = len(body)
    length = rng.choice(
        (
            *(b"%d" % (size - 3), b"%d" % (size + 3), b"0", b"-1", b"x", b"", b"9" * 30, b"1e3"),
            *(b"+%d" % size, b"%d, %d" % (size, size), b" %d " % size, b"0x10", b"10485760"),
        )
    )
    lines = [b"content-length: " + length]
    if rng.random() < 0.3:
        lines.append(b"content-length: %d" % size)
    if rng.random() < 0.3:
        lines.append(
            b"transfer-encoding: "
            + rng.choice((b"chunked", b"identity", b"gzip, chunked", b"xchunked", b"\tchunked"))
        )
    head = _HEAD % path.encode()
    whole = head + b"\r\n".join(lines) + b"\r\n\r\n" + body
    return Attempt("POST", path, raw=(whole,), half_close=True)


def wrong_chunks(rng: random.Random) -> Attempt:
    """A body in chunks whose sizes, ends or extensions are wrong."""
    path, body = sound(rng)
    size = rng.choice((b"%x" % len(body), b"zz", b"-5", b"", b"F" * 20, b"0x5", b"5 ;", b"1"))
    extension = rng.choice((b"", b";" + _WORD + b"=1", b";" + b"x" * 20_000, b"\0"))
    end = rng.choice(
        (b"\r\n0\r\n\r\n", b"", b"\r\n0\r\nx-trailer: " + _WORD + b"\r\n\r\n", b"0\r\n", b"\n0\n\n")
    )
    head = _HEAD % path.encode()
    whole = head + b"transfer-encoding: chunked\r\n\r\n" + size + extension + b"\r\n" + body + end
    return Attempt("POST", path, raw=(whole,), half_close=True)


_PATHS: tuple[bytes, ...] = (
    *(b"/../../etc/passwd", b"/%2e%2e/%2e%2e/etc/passwd", b"/..%2f..%2fetc/passwd", b"/%00"),
    *(
        b"/moderate%00",
        b"/moderate/",
        b"//moderate",
        b"/moderate;x=1",
        b"/Moderate",
        b"/moderate%20",
    ),
    *(
        b"/%ff%fe",
        b"/\xff\xfe",
        "/жизнь".encode(),
        b"/%zz",
        b"/%",
        b"/" + b"a" * 60_000,
        b"/a" * 9_000,
    ),
    *(
        b"*",
        b"",
        b"moderate",
        b"http://localhost/moderate",
        b"http://169.254.169.254/latest",
        b"x:1",
    ),
    *(
        b"/moderate?" + b"q=1&" * 5_000,
        b"/moderate#x",
        b"/livez?\xff",
        b"/.env",
        b"/static_content/x",
    ),
    *(
        b"/docs.json/../models",
        b"/metrics%0d%0aset-cookie:x",
        b"/\\..\\..\\x",
        b"/?file=/etc/passwd",
    ),
)


def odd_path(rng: random.Random) -> Attempt:
    """A path that is none, or not ours, or ours in a spelling that is not."""
    target = rng.choice(_PATHS)
    if rng.random() < 0.5:
        target += rng.choice((b"/", b"?", b"%2f", b"")) + _WORD
    method = rng.choice((b"GET", b"POST", b"HEAD", b"OPTIONS", b"DELETE"))
    head = method + b" " + target + b" HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
    body = json.dumps(SOUND["/moderate"]).encode() if method == b"POST" else b""
    whole = (
        head + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )
    return Attempt(method.decode(), "", raw=(whole,))


def odd_method(rng: random.Random) -> Attempt:
    """A method that the path does not take, or that nobody knows."""
    methods = ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "HEAD", "PROPFIND")
    made_up = ("get", "P\xd6ST", CANARY, "G" * 5_000, "GET\0", "", "PRI", "M-SEARCH", "@")
    method = rng.choice((*methods, *made_up))
    path = rng.choice((*SOUND, *PAGES, "/models/refresh", "/nope"))
    return Attempt(method, "", raw=(request(method, path, {"x-note": CANARY}),))


def odd_protocol(rng: random.Random) -> Attempt:
    """Other versions, several requests at once, and what is no HTTP at all."""
    path, body = sound(rng)
    one = request("POST", path, {"content-type": JSON}, body)
    kept = one.replace(b"connection: close\r\n", b"")
    version = rng.choice((b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/9.9", b"HTTP/1.1x", b"ICY"))
    whole = rng.choice(
        (
            one.replace(b"HTTP/1.1", version, 1),
            kept * rng.choice((2, 5, 20)) + one,
            kept + kept[: rng.randrange(len(kept))],
            b"GET /" + _WORD + b"\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + noise(rng),
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + noise(rng),
            b"\r\n" * 50 + one,
            noise(rng, 5_000),
            one.replace(b"\r\n", b"\n"),
            one.replace(b"\r\n", b"\r"),
            b"",
        )
    )
    return Attempt("POST", "", raw=(whole,), half_close=True)


def odd_sender(rng: random.Random) -> Attempt:
    """A client that is slow, that leaves early, or that stops in the middle."""
    path, body = sound(rng)
    whole = request("POST", path, {"content-type": JSON}, body)
    cut = rng.randrange(1, len(whole))
    kind = rng.choice(("slow", "half", "gone", "cut", "announced"))
    if kind == "slow":
        step = max(1, len(whole) // 12)
        pieces = tuple(whole[place : place + step] for place in range(0, len(whole), step))
        return Attempt("POST", path, raw=pieces, pause=0.03)
    if kind == "half":
        return Attempt("POST", path, raw=(whole,), half_close=True)
    if kind == "gone":
        return Attempt("POST", path, raw=(whole,), hang_up=True)
    if kind == "cut":
        return Attempt("POST", path, raw=(whole[:cut],), half_close=True)
    much = whole.replace(b"content-length: %d" % len(body), b"content-length: 5000000")
    return Attempt("POST", path, raw=(much,), hang_up=True)

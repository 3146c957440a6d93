"""One attempt at the service, well-formed or not, and the helpers that all families share."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

#: In every input; nowhere in a log, and in no refusal.
CANARY = "zq7canary3f"

JSON = "application/json"
MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"

RESUME = f"{CANARY} Doe\n{CANARY}@example.com\n\nSkills\nPython, SQL\n"
JOB = f"Python Developer\nYou must know Python and {CANARY}."

#: A sound body of every route that takes JSON.
SOUND: dict[str, dict[str, object]] = {
    "/moderate": {"text": f"{CANARY} hello"},
    "/moderate/explain": {"text": f"{CANARY} hello"},
    "/moderate/batch": {"texts": [f"{CANARY} hello", f"you idiot {CANARY}"]},
    "/resume/parse": {"text": RESUME},
    "/resume/analyze": {"text": RESUME, "job_description": JOB},
    "/skills/extract": {"text": RESUME},
    "/skills/gap": {"text": RESUME, "job_description": JOB},
    "/jobs/recommend": {"text": RESUME, "top_k": 3, "filters": {"title": CANARY}},
    "/feedback": {"text": f"{CANARY} hello", "spam": True, "categories": None, "note": CANARY},
    "/feedback/delete": {"text": f"{CANARY} hello"},
    "/jobs/live": {"what": CANARY, "where": "London", "page": 2, "salary_min": 1, "text": RESUME},
}
FORMS = ("/resume/parse", "/resume/analyze", "/jobs/recommend")
PAGES = (
    "/models",
    "/models/record",
    "/livez",
    "/healthz",
    "/readyz",
    "/metrics",
    "/docs.json",
    "/schema.json",
    "/",
)


@dataclass(frozen=True)
class Attempt:
    """What is sent: a request that HTTP allows, or bytes that it may not.

    Attributes
    ----------
    method, path : str
        What the answer is looked up by in the description of the API.
    headers, body
        Of a request that any client could send.
    raw : tuple of bytes, optional
        What is sent instead, one after the other with ``pause`` seconds between.
    half_close : bool
        Whether the sending side is closed afterwards, and the answer still awaited.
    hang_up : bool
        Whether nothing is awaited: the connection is closed at once.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw: tuple[bytes, ...] | None = None
    pause: float = 0.0
    half_close: bool = False
    hang_up: bool = False

    def chunks(self) -> tuple[bytes, ...]:
        """Return what goes over the wire."""
        if self.raw is not None:
            return self.raw
        return (request(self.method, self.path, self.headers, self.body),)


def request(method: str, path: str, headers: Mapping[str, str | bytes], body: bytes = b"") -> bytes:
    """Return a request as bytes, with whatever headers; ``host`` and the length are added."""
    lines = [f"{method} {path} HTTP/1.1".encode("utf-8", "surrogateescape")]
    lines += [b"host: localhost", b"connection: close", b"content-length: %d" % len(body)]
    lines += [
        name.encode() + b": " + (value.encode() if isinstance(value, str) else value)
        for name, value in headers.items()
    ]
    return b"\r\n".join([*lines, b"", body])


def sound(rng: random.Random, paths: tuple[str, ...] = tuple(SOUND)) -> tuple[str, bytes]:
    """Return a route and a sound JSON body for it."""
    path = rng.choice(paths)
    return path, json.dumps(SOUND[path]).encode()


def noise(rng: random.Random, most: int = 200) -> bytes:
    """Return a few random bytes around the canary."""
    return rng.randbytes(rng.randrange(most)) + CANARY.encode() + rng.randbytes(rng.randrange(most))

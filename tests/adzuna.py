"""A server on this machine that answers like Adzuna's job search, and fails as told."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

APP_ID = "0a1b2c3d"
APP_KEY = "canary5key0never0shown0anywhere1"

COUNTRIES = {
    "gb", "us", "at", "au", "be", "br", "ca", "ch", "de", "es",
    "fr", "in", "it", "mx", "nl", "nz", "pl", "sg", "za",
}  # fmt: skip
PARAMETERS = {
    "app_id", "app_key", "content-type", "results_per_page", "sort_by", "what", "what_and",
    "what_phrase", "what_or", "what_exclude", "title_only", "where", "distance", "max_days_old",
    "category", "company", "salary_min", "salary_max", "salary_include_unknown", "full_time",
    "part_time", "contract", "permanent",
}  # fmt: skip

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
ERROR_PAGE = b"<!DOCTYPE html><html><head><title>400</title></head><body>Bad request</body></html>"
REFUSED_KEYS = {
    "__CLASS__": "Adzuna::API::Response::Exception",
    "exception": "AUTH_FAIL",
    "display": "Authorisation failed",
    "doc": "https://api.adzuna.com/v1/doc",
}


@dataclass(frozen=True)
class Answer:
    """What to send: ``delay`` seconds before the head, ``pause`` seconds between two bytes.

    ``declared`` is a Content-Length that is not true.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    pause: float = 0.0
    declared: int | None = None


@dataclass(frozen=True)
class Call:
    """A request as it came."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]


def result(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return one result with everything that Adzuna may say; a change to None leaves a key out."""
    whole = {
        "__CLASS__": "Adzuna::API::Response::Job",
        "id": str(4_000_000_000 + number),
        "adref": "eyJhbGciOiJIUzI1NiJ9.signed",
        "title": f"<strong>Python</strong> Developer {number}",
        "description": "We need <strong>Python</strong> and SQL…",
        "created": "2026-09-16T10:00:00Z",
        "redirect_url": f"https://www.adzuna.co.uk/jobs/land/ad/{number}?se=x&utm_source={APP_ID}",
        "company": {"__CLASS__": "Adzuna::API::Response::Company", "display_name": "Wayne Ltd"},
        "location": {
            "__CLASS__": "Adzuna::API::Response::Location",
            "area": ["UK", "London"],
            "display_name": "London, UK",
        },
        "category": {
            "__CLASS__": "Adzuna::API::Response::Category",
            "label": "IT Jobs",
            "tag": "it-jobs",
        },
        "salary_min": 45000,
        "salary_max": 60000.5,
        "salary_is_predicted": "1",
        "latitude": 51.5,
        "longitude": -0.1,
        "contract_type": "permanent",
        "contract_time": "full_time",
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def found(*results: object, **changes: Any) -> Answer:
    """Return the answer that holds these results."""
    page = {
        "__CLASS__": "Adzuna::API::Response::JobSearchResults",
        "count": 1234,
        "mean": 52000.25,
        "results": results,
    }
    return Answer(body=json.dumps(page | changes).encode())


class StandIn:
    """What the server does: the next of ``answers``, or else what Adzuna would."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[Call] = []
        self.answers: deque[Answer] = deque()
        self.closing = threading.Event()

    def then(self, *answers: Answer) -> None:
        self.answers.extend(answers)

    def answer(self, call: Call) -> Answer:
        self.calls.append(call)
        if self.answers:
            return self.answers.popleft()
        parts = call.path.split("/")
        if parts[:4] != ["", "v1", "api", "jobs"] or parts[5] != "search":
            return Answer(404, ERROR_PAGE, HTML)
        if (call.params.get("app_id"), call.params.get("app_key")) != (APP_ID, APP_KEY):
            return Answer(401, json.dumps(REFUSED_KEYS).encode())
        if parts[4] not in COUNTRIES or call.params.keys() - PARAMETERS:
            return Answer(400, ERROR_PAGE, HTML)
        size = int(call.params.get("results_per_page", 10))
        first = (int(parts[6]) - 1) * size
        return found(*(result(number) for number in range(first + 1, first + size + 1)))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    stand_in: StandIn

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
        answer = self.stand_in.answer(Call(parts.path, params, dict(self.headers)))
        try:
            self._send(answer)
        except OSError:  # the client left, as it should when this takes too long
            self.close_connection = True

    def _send(self, answer: Answer) -> None:
        self.stand_in.closing.wait(answer.delay)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        declared = len(answer.body) if answer.declared is None else answer.declared
        self.send_header("Content-Length", str(declared))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if not answer.pause:
            self.wfile.write(answer.body)
        for byte in answer.body if answer.pause else b"":
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if self.stand_in.closing.wait(answer.pause):
                return
        if declared != len(answer.body):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """Run the server on a free port of this machine."""
    served = StandIn()
    handler = type("Handler", (_Handler,), {"stand_in": served})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        served.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield served
        finally:
            served.closing.set()
            server.shutdown()
            thread.join()

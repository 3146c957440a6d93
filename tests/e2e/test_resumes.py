"""Resumes, skills and jobs over HTTP, as people and programs ask for them, and as nobody should."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import psutil
import pytest

from models.errors import DocumentError
from models.hub import LocalHub
from serving.documents import REFUSALS
from tests import documents as build
from tests.adzuna import APP_ID, APP_KEY, StandIn, stand_in
from tests.e2e.conftest import Server, Start
from tests.models.test_documents_hostile import HOSTILE

CANARY = "canary-7f3a"
MEGABYTE = 1_000_000
LINES = [
    *("Jane Doe", "Rotterdam", "jane.doe@example.com", ""),
    *("Experience", "Python Developer, Initech, 01/2019 - 12/2023"),
    "I wrote the billing service in Python and Django and kept it running.",
    *("", "Education", "BSc Computer Science, Delft, 2018", "", "Skills", "Python, Django, SQL"),
]
JOB = "Python Developer\nYou must know Python and Kubernetes, and have 8 years of experience."


@pytest.fixture(scope="module")
def resume() -> bytes:
    return build.simple_pdf(LINES)


def post(server: Server, path: str, **options: object) -> httpx.Response:
    """Send one request on a connection of its own."""
    return httpx.post(
        f"http://127.0.0.1:{server.port}{path}",
        timeout=60,
        trust_env=False,
        **options,  # type: ignore[arg-type]
    )


def upload(server: Server, content: bytes, name: str = "cv.pdf") -> httpx.Response:
    return post(server, "/resume/parse", files={"file": (name, content)})


def check_refusal(answered: httpx.Response, status: int, code: str) -> None:
    assert (answered.status_code, answered.json()["error"]) == (status, code)
    assert set(answered.json()) == {"error", "detail", "request_id"}
    assert answered.headers["content-type"] == "application/json"
    assert CANARY not in answered.text


def workers(server: Server) -> list[psutil.Process]:
    """Return the processes that answer, each of which has others below it."""
    return psutil.Process(server.process.pid).children()


def readers(server: Server) -> list[psutil.Process]:
    """Return the readers of documents, which the processes beside the workers have."""
    found = []
    for worker in workers(server):
        for each in worker.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):  # it ends just now, or has
                if "models.document_child" in " ".join(each.cmdline()):
                    found.append(each)
    return found


def wait_until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_resume_is_parsed_analysed_and_matched_from_one_file(
    server: Server, resume: bytes
) -> None:
    parsed = upload(server, resume).json()
    assert parsed["contact"]["name"] == "Jane Doe"
    assert parsed["experience"][0]["organisation"] == "Initech"
    assert parsed["years_experience"] == 5.0
    file = {"file": ("cv.pdf", resume)}
    analysed = post(server, "/resume/analyze", files=file, data={"job_description": JOB}).json()
    assert [skill["name"] for skill in analysed["missing_skills"]] == ["Kubernetes"]
    assert any("8 years" in line for line in analysed["advice"])
    jobs = post(server, "/jobs/recommend", files=file, data={"top_k": "3"}).json()
    assert len(jobs["jobs"]) == 3
    models = {model["kind"]: model for model in server.client.get("/models").json()["models"]}
    for kind, shown in analysed["models"].items():
        assert shown == {name: models[kind][name] for name in ("version", "digest")}


def test_bentomls_own_client_uploads_files_and_texts(
    server: Server, resume: bytes, tmp_path: Path
) -> None:
    """In a process of its own: importing all of BentoML warns, and here warnings are errors."""
    (tmp_path / "cv.pdf").write_bytes(resume)
    program = f"""
import bentoml
from pathlib import Path
with bentoml.SyncHTTPClient("http://127.0.0.1:{server.port}") as client:
    print(client.resume_parse(file=Path({str(tmp_path / "cv.pdf")!r}))["contact"]["name"])
    print(client.resume_parse(text="John Roe\\njohn@example.com")["contact"]["name"])
    job = 'Python Developer: "must know" SQL & Go'
    gap = client.resume_analyze(file=Path({str(tmp_path / "cv.pdf")!r}), job_description=job)
    print([skill["name"] for skill in gap["missing_skills"]])
    found = client.jobs_recommend(text="Python Developer", top_k=2, filters={{"remote": True}})
    print(len(found["jobs"]))
"""
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.splitlines() == ["Jane Doe", "John Roe", "['Go']", "2"]


class _Watch(threading.Thread):
    """Notes the largest memory of the worker and of one reader, until it is told to stop."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server = server
        self.stopped = threading.Event()
        self.worker = self.reader = 0

    def run(self) -> None:
        while not self.stopped.wait(0.02):
            for process, name in [
                *((worker, "worker") for worker in workers(self.server)),
                *((reader, "reader") for reader in readers(self.server)),
            ]:
                try:
                    memory = process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
                setattr(self, name, max(getattr(self, name), memory))


def test_hostile_documents_get_their_errors_while_others_are_answered_in_bounded_memory(
    server: Server, resume: bytes
) -> None:
    assert upload(server, resume).status_code == 200
    [worker] = workers(server)
    before = worker.memory_info().rss
    watch = _Watch(server)
    watch.start()
    moderated: list[int] = []

    def others() -> None:
        while not watch.stopped.is_set():
            moderated.append(post(server, "/moderate", json={"text": "Hello there"}).status_code)

    other = threading.Thread(target=others)
    other.start()

    def send(name: str) -> httpx.Response:
        content = HOSTILE[name][0]()
        while True:
            answered = upload(server, content, f"../../{CANARY}.pdf")
            if answered.status_code != 503:
                return answered
            check_refusal(answered, 503, "busy")  # the machine is: come again when told
            time.sleep(float(answered.headers["retry-after"]))

    try:
        with ThreadPoolExecutor(2) as callers:  # as many as there are readers
            answers = dict(zip(HOSTILE, callers.map(send, HOSTILE), strict=True))
    finally:
        watch.stopped.set()
        watch.join()
        other.join()
    for name, answered in answers.items():
        error = HOSTILE[name][1]
        if error is DocumentError or answered.json()["error"] == "document_timed_out":
            assert answered.status_code in (413, 422)  # any will do; a busy machine takes its time
        else:
            refusal, code = REFUSALS[error]
            check_refusal(answered, refusal.status, code)
    assert len(moderated) > len(HOSTILE)
    assert set(moderated) == {200}
    assert watch.worker - before < 150 * MEGABYTE
    assert 0 < watch.reader < 1_100 * MEGABYTE
    assert upload(server, resume).json()["contact"]["name"] == "Jane Doe"
    assert CANARY not in server.log


def test_an_address_is_not_fetched_and_a_path_is_not_opened(server: Server, tmp_path: Path) -> None:
    secret = tmp_path / "cv.txt"
    secret.write_text(f"{CANARY} Doe\nPython")
    fetched = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fetched.append(self.path)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        thread = threading.Thread(target=web.serve_forever, args=(0.01,))
        thread.start()
        address = f"http://127.0.0.1:{web.server_port}/cv.pdf"
        for given in (address, f'"{address}"', str(secret), f"file://{secret}"):
            for options in (
                {"files": {"file": (None, given)}},
                {"data": {"file": given}},
                {"json": {"file": given}},
                {"json": {"file": [given]}},
            ):
                answered = post(server, "/resume/parse", **options)
                check_refusal(answered, 400, "file_not_uploaded")
                assert "uploaded" in answered.json()["detail"]
        web.shutdown()
        thread.join()
    assert fetched == []


@pytest.fixture(scope="module")
def adzuna() -> Iterator[StandIn]:
    with stand_in() as served:
        yield served


@pytest.fixture(scope="module")
def small(start: Start, champions: LocalHub, adzuna: StandIn) -> Server:
    """A server with one reader, little memory for uploads, and keys for live listings."""
    started = start(
        champions,
        CAREERLENS_DOCUMENT_WORKERS="1",
        CAREERLENS_MAX_UPLOADS="1",
        CAREERLENS_ADZUNA_URL=adzuna.url,
        ADZUNA_APP_ID=APP_ID,
        ADZUNA_APP_KEY=APP_KEY,
    )
    started.wait("/readyz")
    return started


def test_live_listings_are_scored_and_no_key_is_told(small: Server, adzuna: StandIn) -> None:
    search = {"what": "python", "where": "London", "text": "\n".join(LINES)}
    answer = post(small, "/jobs/live", json=search).json()
    assert all(0 <= listing["score"] <= 100 for listing in answer["listings"])
    assert answer["attribution"]["text"] == "Jobs by Adzuna"
    assert adzuna.calls[0].params["where"] == "London"
    assert APP_KEY not in json.dumps(answer) + small.log
    assert "Initech" not in small.log


def test_uploads_beyond_the_memory_for_them_are_refused_and_other_requests_are_not(
    small: Server, resume: bytes
) -> None:
    head = (
        b"POST /resume/analyze HTTP/1.1\r\nhost: localhost\r\n"
        b"content-type: multipart/form-data; boundary=x\r\ncontent-length: 10500000\r\n\r\n"
    )
    large = {"file": ("cv.txt", b"Jane Doe" + b" " * (3 * MEGABYTE) + b"Engineer")}
    with contextlib.ExitStack() as stack:
        held = [
            stack.enter_context(socket.create_connection(("127.0.0.1", small.port)))
            for _ in range(10)
        ]
        for connection in held:  # announced alone, they keep nobody out
            connection.sendall(head)
        assert post(small, "/resume/parse", files=large).status_code == 200
        held[0].sendall(b"x" * (10 * MEGABYTE))
        wait_until(lambda: post(small, "/resume/parse", files=large).status_code == 503)
        refused = post(small, "/resume/parse", files=large)
        check_refusal(refused, 503, "busy")
        assert int(refused.headers["retry-after"]) > 0
        assert upload(small, resume).status_code == 200
        assert post(small, "/moderate", json={"text": "Hello"}).status_code == 200
    wait_until(lambda: post(small, "/resume/parse", files=large).status_code == 200)


def test_readers_end_with_their_worker_however_it_ends(small: Server, server: Server) -> None:
    for running, end in [
        (small, lambda: workers(small)[0].kill()),
        (server, server.stop),
    ]:
        assert upload(running, b"Jane Doe", "cv.txt").status_code == 200
        below = readers(running)
        assert below
        end()
        assert not psutil.wait_procs(below, timeout=30)[1]

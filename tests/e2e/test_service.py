"""The service as people run it: `bentoml serve`, asked over HTTP."""

import contextlib
import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from models.bundle import load_bundle, verify_bundle
from models.hub import LocalHub, repo_id
from models.kinds import FORMATS
from models.labels import HEADS
from models.manifest import Kind
from models.scoring import score_texts
from models.text_model import MODEL_FILE
from tests.e2e.conftest import BENTOML, Server, Start, server_environment
from tests.factories import ROOT
from tests.serving.champions import promote
from tests.serving.test_schemas import BAD_BODIES

CANARY = "canary-7f3a"
TEXT_KINDS: tuple[Kind, ...] = ("spam", "toxicity")
SPAM = "You won a prize! Claim it now at http://win.example"
JSON = {"content-type": "application/json"}

PARITY = {
    "ascii": SPAM,
    "emoji": "Great news 🎉🎉 you idiot 👩‍👩‍👧‍👦 🏳️‍🌈",
    "NFC": "Caf\u00e9 r\u00e9sum\u00e9, claim it",
    "NFD": "Cafe\u0301 re\u0301sume\u0301, claim it",
    "right to left": "שלום, تعال \u202eidiot\u202c prize",
    "address": "see http://win.example/a?b=c&d=%F0%9F%98%80#e or mail me@x.example for $5,000",
    "zero width": "fr\u200bee\ufeff pr\u00adize",
    "fullwidth": "ｆｒｅｅ ｐｒｉｚｅ",
    "escapes": 'quotes " and \\ and / and \u2028 and \x7f and \t\n',
    "nothing left": "\u200b\u200b",
    "longest": ("Claim your free prize now, you stupid idiot! " * 300)[:10_000],
    "longest, astral": "😀 é " * 2_500,
}


def test_a_verdict_names_scores_versions_and_digests(
    server: Server, tiny_bundles: dict[Kind, Path]
) -> None:
    answered = server.moderate(SPAM)
    verdict = answered.json()
    assert answered.status_code == 200
    assert set(verdict) == {"action", "spam", "toxicity", "language", "request_id"}
    assert verdict["spam"]["flagged"] is True
    assert verdict["action"] in ("review", "block")
    assert (verdict["spam"]["version"], verdict["toxicity"]["version"]) == ("v1", "v2")
    for kind in TEXT_KINDS:
        assert verdict[kind]["digest"] == verify_bundle(tiny_bundles[kind] / "bundle")[1]
    assert answered.headers["x-request-id"] == verdict["request_id"]


@pytest.mark.parametrize("kind", TEXT_KINDS)
@pytest.mark.parametrize("text", PARITY.values(), ids=PARITY)
def test_http_answers_what_the_offline_pipeline_does(
    server: Server, tiny_bundles: dict[Kind, Path], kind: Kind, text: str
) -> None:
    model = load_bundle(tiny_bundles[kind] / "bundle", FORMATS[kind]).model
    [[main, *others]] = score_texts(model, [text])
    verdict = server.moderate(text).json()[kind]
    assert verdict["score"] == pytest.approx(main, abs=1e-9)
    wanted = dict(zip(HEADS[kind][1:], others, strict=True))
    assert verdict.get("categories", {}) == pytest.approx(wanted, abs=1e-9)


def test_a_batch_answers_as_one_by_one(server: Server) -> None:
    texts = list(PARITY.values())
    answered = server.client.post("/moderate/batch", json={"texts": texts})
    for text, result in zip(texts, answered.json()["results"], strict=True):
        alone = server.moderate(text).json()
        alone.pop("request_id")
        assert result == alone


def test_a_thousand_messages_are_answered_in_order(server: Server) -> None:
    texts = [f"message {number} claim" for number in range(1_000)]
    results = server.client.post("/moderate/batch", json={"texts": texts}).json()["results"]
    assert len(results) == 1_000
    for number in (0, 499, 999):
        assert results[number]["spam"] == server.moderate(texts[number]).json()["spam"]


def test_callers_at_once_get_their_own_answers(server: Server) -> None:
    texts = [f"{SPAM} {'very ' * number}good" for number in range(0, 200, 5)]
    expected = [server.moderate(text).json()["spam"]["score"] for text in texts]

    def ask(text: str) -> httpx.Response:  # a client is for one thread at a time
        address = f"http://127.0.0.1:{server.port}/moderate"
        return httpx.post(address, json={"text": text}, timeout=30, trust_env=False)

    with ThreadPoolExecutor(16) as callers:
        answers = list(callers.map(ask, texts * 3))
    assert [answer.json()["spam"]["score"] for answer in answers] == expected * 3
    assert len({answer.json()["request_id"] for answer in answers}) == len(answers)


def test_bentomls_own_client_works(server: Server) -> None:
    """In a process of its own: importing all of BentoML warns, and here warnings are errors."""
    program = f"""
import bentoml
with bentoml.SyncHTTPClient("http://127.0.0.1:{server.port}") as client:
    print(client.moderate(text="{SPAM}")["spam"]["flagged"])
    print(len(client.moderate_batch(texts=["one", "two"])["results"]))
"""
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.split() == ["True", "2"]


class TestRefusals:
    """Bad input over HTTP: one shape, no echo, and nothing of it in the log."""

    @pytest.fixture(autouse=True)
    def _nothing_of_it_in_the_log(self, server: Server) -> Iterator[None]:
        yield
        assert CANARY not in server.log

    @staticmethod
    def check(answered: httpx.Response, status: int, code: str) -> None:
        assert answered.status_code == status
        assert answered.headers["content-type"] == "application/json"
        assert set(answered.json()) == {"error", "detail", "request_id"}
        assert answered.json()["error"] == code
        assert answered.json()["request_id"] == answered.headers["x-request-id"]
        assert CANARY not in answered.text

    @pytest.mark.parametrize(("body", "code"), BAD_BODIES.values(), ids=BAD_BODIES)
    def test_a_bad_body_is_a_400(self, server: Server, body: bytes, code: str) -> None:
        self.check(server.client.post("/moderate", content=body, headers=JSON), 400, code)

    def test_a_long_text_is_a_413(self, server: Server) -> None:
        self.check(server.moderate(CANARY + "x" * 10_000), 413, "text_too_long")

    @pytest.mark.parametrize(
        ("texts", "status", "code"),
        [
            ([], 400, "no_texts"),
            (["fine", f"{CANARY}\0"], 400, "nul_character"),
            ([CANARY] * 1_001, 413, "too_many_texts"),
        ],
    )
    def test_a_bad_batch_is_refused(
        self, server: Server, texts: list[str], status: int, code: str
    ) -> None:
        answered = server.client.post("/moderate/batch", json={"texts": texts})
        self.check(answered, status, code)

    def test_another_content_type_is_a_415(self, server: Server) -> None:
        answered = server.client.post("/moderate", data={"text": CANARY})
        self.check(answered, 415, "unsupported_media_type")

    def test_an_unknown_path_is_a_404(self, server: Server) -> None:
        self.check(server.client.get(f"/{CANARY}?q={CANARY}"), 404, "not_found")

    def test_a_wrong_method_is_a_405(self, server: Server) -> None:
        answered = server.client.get("/moderate", params={"text": CANARY})
        self.check(answered, 405, "method_not_allowed")
        assert answered.headers["allow"] == "POST"

    def test_a_body_over_the_limit_is_a_413(self, server: Server) -> None:
        body = json.dumps({"text": CANARY * 200_000}).encode()
        answered = server.client.post("/moderate", content=body, headers=JSON)
        self.check(answered, 413, "body_too_large")


@pytest.mark.parametrize(("path", "status"), [("/moderate", 413), ("/nope", 404)])
def test_a_body_without_an_end_is_refused_and_cut_off(
    server: Server, path: str, status: int
) -> None:
    memory = _memory(server)
    answered, sent = _pour(server, path, limit=500_000_000)
    assert answered.startswith(f"HTTP/1.1 {status} ".encode())
    assert sent < 100_000_000
    assert _memory(server) - memory < 50_000_000


def test_a_client_that_reads_only_after_sending_sees_the_refusal(server: Server) -> None:
    body = b"x" * 8_000_000
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(
            b"POST /moderate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n" % len(body)
        )
        connection.sendall(body)
        time.sleep(0.1)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


def _pour(server: Server, path: str, limit: int) -> tuple[bytes, int]:
    """Send a body until the server closes the connection; return its answer and the bytes sent."""
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    answered, sent = b"", 0
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            "transfer-encoding: chunked\r\n\r\n".encode()
        )
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            while sent < limit:
                connection.sendall(chunk)
                sent += len(chunk)
                with contextlib.suppress(BlockingIOError):
                    answered += connection.recv(65_536, socket.MSG_DONTWAIT)
    return answered, sent


def _memory(server: Server) -> int:
    main = psutil.Process(server.process.pid)
    return sum(child.memory_info().rss for child in main.children(recursive=True))


def test_what_is_no_http_is_refused_by_connections_of_ours_on_httptools(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(CANARY.encode() + b"\r\n\r\n")
        answered = b""
        while piece := connection.recv(65_536):
            answered += piece
    head, _, body = answered.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"] == "malformed_request"
    assert CANARY not in server.log


@pytest.mark.parametrize(
    "path", ["/static_content/swagger-ui.css", "/static_content/index.html", "/assets/index.js"]
)
def test_bentomls_own_pages_are_not_served(server: Server, path: str) -> None:
    assert server.client.get(path).status_code == 404


def test_the_page_is_ours_and_loads_nothing_from_elsewhere(server: Server) -> None:
    page = server.client.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r"<(script|link|img|iframe)|src=|url\(|@import|googletag", page.text)
    assert re.findall(r'href="([^"]*)"', page.text)
    for link in re.findall(r'href="([^"]*)"', page.text):
        assert server.client.get(link).status_code == 200


def test_it_listens_on_the_loopback_alone(server: Server) -> None:
    found = psutil.Process(server.process.pid).net_connections(kind="inet")
    listening = {c.laddr for c in found if c.status == psutil.CONN_LISTEN}
    assert ("127.0.0.1", server.port) in listening
    assert {address.ip for address in listening} == {"127.0.0.1"}


def test_it_runs_on_uvloop_and_logs_json_lines(server: Server) -> None:
    server.client.get("/models", headers={"x-request-id": "seek-me"})
    deadline = time.monotonic() + 10  # the line is written after the answer is sent
    while "seek-me" not in server.log and time.monotonic() < deadline:
        time.sleep(0.02)
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    [started] = [line for line in lines if line["event"] == "started"]
    assert started["loop"] == "uvloop"
    [line] = [line for line in lines if line.get("request_id") == "seek-me"]
    assert (line["event"], line["route"], line["status"]) == ("request", "/models", 200)


class TestStart:
    """From a hub without good champions to ready, without a restart."""

    def test_it_waits_for_good_champions_and_says_for_what(
        self, start: Start, tiny_bundles: dict[Kind, Path], tmp_path: Path
    ) -> None:
        hub = LocalHub(tmp_path / "hub")
        scratch = tmp_path / "scratch"
        for kind in ("skills", "matching"):
            promote(hub, kind, tiny_bundles[kind], 1, scratch)
        commit = promote(hub, "spam", tiny_bundles["spam"], 1, scratch)
        spam_home = hub.root / repo_id("careerlens", "spam") / "commits" / commit
        model = spam_home / "bundle" / MODEL_FILE
        model.write_bytes(model.read_bytes().replace(b"s", b"z", 1))
        server = start(hub)

        server.wait("/livez")
        deadline = time.monotonic() + 30
        while "damaged" not in str(self.errors(server)["spam"]):
            assert time.monotonic() < deadline, server.log
            time.sleep(0.05)
        assert "no repository" in str(self.errors(server)["toxicity"])
        for answered in (server.client.get("/readyz"), server.moderate("hello")):
            assert answered.status_code == 503
            assert answered.json()["error"] == "not_ready"
            assert int(answered.headers["retry-after"]) > 0

        promote(hub, "toxicity", tiny_bundles["toxicity"], 1, scratch)
        deadline = time.monotonic() + 30
        while self.errors(server)["toxicity"] is not None:
            assert time.monotonic() < deadline, server.log
            time.sleep(0.05)
        assert server.client.get("/readyz").status_code == 503

        shutil.rmtree(hub.root / repo_id("careerlens", "spam"))
        promote(hub, "spam", tiny_bundles["spam"], 2, scratch)
        server.wait("/readyz")
        assert server.moderate("hello").json()["spam"]["version"] == "v2"

    @staticmethod
    def errors(server: Server) -> dict[str, str | None]:
        models = server.client.get("/models").json()["models"]
        return {model["kind"]: model["error"] for model in models}


def test_a_wrong_setting_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    ended = subprocess.run(
        [BENTOML, "serve"],
        cwd=ROOT,
        env=server_environment(tmp_path, CAREERLENS_MAX_CHARS="many"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "CAREERLENS_MAX_CHARS: Input should be a valid integer" in ended.stderr
    assert "Traceback" not in ended.stderr

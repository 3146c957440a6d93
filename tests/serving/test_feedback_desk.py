"""POST /feedback as callers see it, with databases that answer, hang, are slow or away."""

import asyncio
import io
import json
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, make_url

from serving.callers import ANYBODY, Caller, current_caller
from serving.cors import Cors
from serving.exchange import JSON, Body, Reply, UploadMemory, json_reply
from serving.feedback import store
from serving.feedback.database import Database, Line
from serving.feedback.desk import FeedbackDesk, FeedbackMetrics
from serving.feedback.errors import DatabaseError
from serving.front import Front, Route, Routes
from serving.gate import open_gate
from serving.logs import open_log
from serving.metrics import Metrics
from serving.settings import Settings
from tests.faulty import FaultyProxy
from tests.postgres import own_database
from tests.serving.feedback_case import SECONDS, driver_address, sqlite_address

CANARY = "canary-5d1e"
TEXT = f"Earn money from home, {CANARY}"

CALLERS = {
    "ann": Caller("ann", "k-1", frozenset({"feedback"})),
    "bob": Caller("bob", "k-2", frozenset({"feedback"})),
    "chief": Caller("chief", "k-3", frozenset({"feedback", "admin"})),
    "anybody": ANYBODY,
}


def as_caller(
    caller: Caller, answer: Callable[[Body], Awaitable[Reply]]
) -> Callable[[Body], Awaitable[Reply]]:
    async def called(body: Body) -> Reply:
        current_caller.set(caller)
        return await answer(body)

    return called


async def elsewhere(_: Body) -> Reply:
    return json_reply({})


class Client:
    """The desk behind the front, on one event loop; the path says who calls."""

    def __init__(self, address: str, **chosen: Any) -> None:
        chosen = {"database_timeout_seconds": SECONDS, **chosen}
        settings = Settings(database_url=SecretStr(address), **chosen)
        self.stream = io.StringIO()
        self.metrics = Metrics()
        self.runner = asyncio.Runner()
        log = open_log("debug", self.stream)
        self.desk = FeedbackDesk(settings, FeedbackMetrics(self.metrics.registry), log)
        routes: Routes = {
            f"/{path}/{name}": {"POST": Route(as_caller(caller, answer), (JSON,))}
            for name, caller in CALLERS.items()
            for path, answer in (("feedback", self.desk.post), ("delete", self.desk.delete))
        }
        self.front = Front(
            no_app,
            routes={**routes, "/elsewhere": {"GET": Route(elsewhere)}},
            max_body_bytes=100_000,
            memory=UploadMemory(0),
            gate=open_gate(settings, self.metrics.registry, log),
            cors=Cors(()),
            timeout_seconds=2 * SECONDS,
            metrics=self.metrics,
            log=log,
        )

    async def send(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(self.front)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            if body is None:
                return await client.get(path)
            names = {"content-type": JSON}
            names |= {name.replace("_", "-"): value for name, value in headers.items()}
            content = json.dumps(body).encode()
            return await client.post(path, content=content, headers=names)

    def __call__(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.runner.run(self.send(path, body, **headers))

    def give(self, author: str, text: str = TEXT, **said: Any) -> httpx.Response:
        return self(f"/feedback/{author}", {"text": text, **said})

    @property
    def log(self) -> str:
        return self.stream.getvalue()

    @property
    def counted(self) -> str:
        return self.metrics.render().decode()

    def close(self) -> None:
        self.runner.run(self.desk.stop())
        self.runner.close()


async def no_app(*_: Any) -> None:
    raise AssertionError


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    opened = Client(sqlite_address(tmp_path))
    yield opened
    opened.close()


def stored(folder: Path) -> list[store.Entry]:
    database = Database(sqlite_address(folder), SECONDS)
    return database.run(lambda connection: list(store.entries(connection)))


# What is taken in


def test_two_moderators_make_a_decision_count(client: Client) -> None:
    first = client.give("ann", spam=True, toxicity=False)
    assert first.status_code == 200
    answer = first.json()
    assert answer["accepted"] is True
    assert answer["status"] == {"spam": "pending", "toxicity": "pending"}
    assert answer["request_id"] == first.headers["x-request-id"]
    second = client.give("bob", spam=True).json()
    assert second["id"] == answer["id"]
    assert second["status"] == {"spam": "approved", "toxicity": "pending"}


def test_all_that_is_said_of_a_verdict_is_kept(client: Client, tmp_path: Path) -> None:
    digest = "ab" * 32
    client.give(
        "ann",
        toxicity=True,
        categories={"insult": True, "threat": False},
        digests={"toxicity": digest},
        request_id="a1.b2",
        note="the third of them",
    )
    [entry] = stored(tmp_path)
    [decision] = entry.decisions
    assert decision.categories == {"insult": True, "threat": False}
    assert (decision.digest, decision.note) == (digest, "the third of them")


def test_the_word_of_an_admins_key_counts_at_once(client: Client) -> None:
    assert client.give("chief", spam=True).json()["status"] == {"spam": "approved"}


def test_without_keys_nobody_is_an_admin(client: Client) -> None:
    assert client.give("anybody", spam=True).json()["status"] == {"spam": "pending"}


def test_a_repeat_is_answered_alike_and_stores_nothing(client: Client, tmp_path: Path) -> None:
    answers = [client.give("ann", spam=True).json() for _ in range(3)]
    assert [{**answer, "request_id": ""} for answer in answers] == [
        {**answers[0], "request_id": ""} for _ in answers
    ]
    [entry] = stored(tmp_path)
    assert len(entry.decisions) == 1
    assert 'outcome="stored"} 1.0' in client.counted
    assert 'outcome="repeated"} 2.0' in client.counted


def test_a_named_request_is_carried_out_once_and_its_name_is_no_others(client: Client) -> None:
    said = {"text": TEXT, "spam": True}
    first = client("/feedback/ann", said, idempotency_key="7f-1")
    again = client("/feedback/ann", said, idempotency_key="7f-1")
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    other = client("/feedback/ann", {**said, "spam": False}, idempotency_key="7f-1")
    assert (other.status_code, other.json()["error"]) == (422, "idempotency_key_reused")
    bad = client("/feedback/ann", said, idempotency_key="x" * 129)
    assert (bad.status_code, bad.json()["error"]) == (400, "invalid_idempotency_key")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, "missing_field"),
        ({"text": TEXT}, "no_label"),
        ({"text": TEXT, "spam": None}, "no_label"),
        ({"text": TEXT, "spam": 1}, "invalid_value"),
        ({"text": TEXT, "spam": "true"}, "invalid_value"),
        ({"text": TEXT, "label": "spam"}, "unknown_field"),
        ({"text": TEXT, "spam": True, "categories": {"insult": True}}, "no_label"),
        ({"text": TEXT, "toxicity": True, "categories": {"rude": True}}, "unknown_field"),
        ({"text": TEXT, "toxicity": False, "categories": {"insult": True}}, "contradiction"),
        ({"text": TEXT, "spam": True, "request_id": CANARY + " "}, "invalid_value"),
        ({"text": TEXT, "spam": True, "digests": {"spam": CANARY}}, "invalid_value"),
        ({"text": TEXT, "spam": True, "note": ""}, "empty_text"),
        ({"text": TEXT, "spam": True, "note": "x" * 1_001}, "text_too_long"),
        ({"text": "x" * 10_001, "spam": True}, "text_too_long"),
        ({"text": "\ud800", "spam": True}, "lone_surrogate"),
        ({"text": "a\0b", "spam": True}, "nul_character"),
        ({"text": " ", "spam": True}, "empty_text"),
        ({"text": [TEXT], "spam": True}, "wrong_type"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_its_code_and_stored_nowhere(
    client: Client, tmp_path: Path, said: dict[str, Any], code: str
) -> None:
    refused = client("/feedback/ann", said)
    assert (refused.status_code // 100, refused.json()["error"]) == (4, code)
    assert CANARY not in refused.text
    assert not (tmp_path / "feedback.db").exists()


def test_neither_texts_nor_notes_are_ever_logged(client: Client, tmp_path: Path) -> None:
    client.give("ann", spam=True, note=f"note of {CANARY}")
    (tmp_path / "feedback.db").write_bytes(b"broken" * 1_000)
    refused = client.give("ann", spam=True, note=f"note of {CANARY}")
    assert refused.status_code == 503
    assert "feedback is unavailable" in client.log
    assert CANARY not in client.log


# What is deleted


@pytest.mark.parametrize("by", ["id", "text"])
def test_a_message_is_deleted_on_request(client: Client, tmp_path: Path, by: str) -> None:
    message = client.give("ann", spam=True).json()["id"]
    client.give("ann", text="another", spam=True)
    which = {"id": message} if by == "id" else {"text": TEXT.upper()}
    assert client("/delete/chief", which).json()["deleted"] == 1
    assert client("/delete/chief", which).json()["deleted"] == 0
    assert [entry.text for entry in stored(tmp_path)] == ["another"]
    assert CANARY.encode() not in (tmp_path / "feedback.db").read_bytes()


@pytest.mark.parametrize(
    ("which", "code"),
    [
        ({}, "missing_field"),
        ({"id": "ab" * 16, "text": TEXT}, "both_given"),
        ({"id": "%"}, "invalid_value"),
        ({"all": True}, "unknown_field"),
    ],
)
def test_one_message_must_be_named_to_be_deleted(
    client: Client, which: dict[str, Any], code: str
) -> None:
    refused = client("/delete/chief", which)
    assert (refused.status_code, refused.json()["error"]) == (400, code)


def test_the_service_purges_what_is_old(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.feedback.desk.START_SECONDS", 0.0)
    client.give("ann", spam=True)
    database = Database(sqlite_address(tmp_path), SECONDS)
    change = "UPDATE feedback_decisions SET decided_at = '2020-01-01 00:00:00.000000'"
    database.run(lambda connection: connection.exec_driver_sql(change))

    async def purge() -> None:
        client.desk.start()
        deadline = time.monotonic() + SECONDS
        while "feedback purged" not in client.log:
            assert time.monotonic() < deadline, client.log
            await asyncio.sleep(0.01)

    client.runner.run(purge())
    assert stored(tmp_path) == []
    assert 'careerlens_feedback_deleted_total{cause="age"} 1.0' in client.counted


# While the database fails

#: What the desk gives the database here, and what it may take beyond on a busy machine.
LIMIT = 0.5
GRACE = 5.0


@dataclass(frozen=True)
class Proxied:
    """A PostgreSQL of our own, what stands before it, and its address behind that."""

    proxy: FaultyProxy
    address: str


@pytest.fixture(scope="module")
def proxied() -> Iterator[Proxied]:
    with own_database() as made, FaultyProxy(make_url(made).port or 5432) as proxy:
        yield Proxied(proxy, driver_address(made, proxy.port))


@pytest.fixture
def remote(proxied: Proxied) -> Iterator[Client]:
    """A desk that stored something in it, and allows it half a second and two connections."""
    proxied.proxy.heal()
    Database(proxied.address, SECONDS).run(lambda connection: store.forget(connection, text=TEXT))
    opened = Client(proxied.address, database_timeout_seconds=LIMIT, database_connections=2)
    settle(opened)
    yield opened
    proxied.proxy.heal()
    opened.close()


def settle(client: Client) -> None:
    """Wait until feedback is taken again, by itself."""
    deadline = time.monotonic() + SECONDS
    while client.give("ann", spam=True).status_code != 200:
        assert time.monotonic() < deadline, client.log


FAILURES: dict[str, Callable[[FaultyProxy], None]] = {
    "away": FaultyProxy.refuse,
    "silent": FaultyProxy.hang,
    "slow": lambda proxy: proxy.delay(2.0),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_while_the_database_fails_callers_are_told_soon_and_others_wait_for_nothing(
    proxied: Proxied, remote: Client, failure: str
) -> None:
    FAILURES[failure](proxied.proxy)

    async def crowd() -> tuple[list[httpx.Response], float, float]:
        started = time.monotonic()
        said = {"text": TEXT, "spam": True}
        waiting = [asyncio.create_task(remote.send("/feedback/bob", said)) for _ in range(12)]
        await asyncio.sleep(0.1)
        asked = time.monotonic()
        for _ in range(20):
            assert (await remote.send("/elsewhere")).status_code == 200
        others = time.monotonic() - asked
        return await asyncio.gather(*waiting), time.monotonic() - started, others

    answers, seconds, others = remote.runner.run(crowd())
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.json()["error"] for answer in answers} == {"feedback_unavailable"}
    assert {answer.headers["retry-after"] for answer in answers} == {"10"}
    assert seconds < LIMIT + GRACE
    assert others < LIMIT + GRACE
    assert "careerlens_feedback_failures_total" in remote.counted
    proxied.proxy.heal()
    settle(remote)
    assert remote.give("bob", spam=True).json()["status"] == {"spam": "approved"}
    assert "feedback is back" in remote.log
    assert remote.log.count("feedback is unavailable") <= 3  # one of each sort, not one of each


def test_connections_that_were_cut_are_made_anew(proxied: Proxied, remote: Client) -> None:
    for _ in range(3):
        proxied.proxy.cut()
        assert remote.give("ann", spam=True).status_code == 200


def test_a_silent_server_lets_go_of_the_thread_that_waits_for_it(proxied: Proxied) -> None:
    """Its own limit on statements says nothing while the line is dead."""
    proxied.proxy.heal()
    database, line = Database(proxied.address, SECONDS), Line()
    connected, is_silent = threading.Event(), threading.Event()

    def work(connection: Connection) -> None:
        connected.set()
        assert is_silent.wait(SECONDS)
        connection.exec_driver_sql("SELECT 1")

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(database.run, work, line)
        assert connected.wait(SECONDS)
        proxied.proxy.hang()
        is_silent.set()
        with pytest.raises(TimeoutError):
            waiting.result(0.3)
        line.cut()
        with pytest.raises(DatabaseError):
            waiting.result(GRACE)
    proxied.proxy.heal()


def test_a_file_that_another_process_holds_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    client = Client(sqlite_address(tmp_path), database_timeout_seconds=LIMIT)
    settle(client)
    holder = sqlite3.connect(tmp_path / "feedback.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    started = time.monotonic()
    assert client.give("bob", spam=True).status_code == 503
    assert time.monotonic() - started < LIMIT + GRACE
    holder.execute("COMMIT")
    holder.close()
    settle(client)
    client.close()

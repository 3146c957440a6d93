"""POST /feedback as callers see it, with databases that answer, hang, are slow or away."""

import asyncio
import gc
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, make_url

from serving.beside import Process
from serving.feedback import store
from serving.feedback.clerks import MOST_AT_ONCE
from serving.feedback.database import Database, Line
from serving.feedback.errors import DatabaseError, RefusedError
from serving.feedback.submission import Submission
from tests.faulty import FaultyProxy
from tests.postgres import own_database
from tests.serving.feedback_case import SECONDS, driver_address, sqlite_address
from tests.serving.feedback_client import FeedbackClient, feedback_client

CANARY = "canary-5d1e"
TEXT = f"Earn money from home, {CANARY}"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FeedbackClient]:
    with feedback_client(sqlite_address(tmp_path), tmp_path / "keys.json") as opened:
        yield opened


def give(client: FeedbackClient, who: str, text: str = TEXT, **said: Any) -> httpx.Response:
    return client.say(who, {"text": text, **said})


def stored(folder: Path) -> list[store.Entry]:
    database = Database(sqlite_address(folder), SECONDS)
    return database.run(lambda connection: list(store.entries(connection)))


# What is taken in


def test_two_moderators_make_a_decision_count(client: FeedbackClient) -> None:
    first = give(client, "ann", spam=True, toxicity=False)
    assert first.status_code == 200
    answer = first.json()
    assert answer["accepted"] is True
    assert answer["status"] == {"spam": "pending", "toxicity": "pending"}
    assert answer["request_id"] == first.headers["x-request-id"]
    second = give(client, "bob", spam=True).json()
    assert second["id"] == answer["id"]
    assert second["status"] == {"spam": "approved", "toxicity": "pending"}


def test_all_that_is_said_of_a_verdict_is_kept(client: FeedbackClient, tmp_path: Path) -> None:
    digest = "ab" * 32
    give(
        client,
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


def test_the_word_of_an_admins_key_counts_at_once(client: FeedbackClient) -> None:
    assert give(client, "chief", spam=True).json()["status"] == {"spam": "approved"}


def test_without_keys_nobody_is_an_admin(tmp_path: Path) -> None:
    with feedback_client(sqlite_address(tmp_path)) as client:
        assert give(client, "anybody", spam=True).json()["status"] == {"spam": "pending"}


def test_a_key_must_be_allowed_to_give_feedback_and_an_admins_to_delete_it(
    client: FeedbackClient,
) -> None:
    assert give(client, "nobody", spam=True).status_code == 401
    assert client.delete("ann", {"text": TEXT}).status_code == 403


def test_a_repeat_is_answered_alike_and_stores_nothing(
    client: FeedbackClient, tmp_path: Path
) -> None:
    answers = [give(client, "ann", spam=True).json() for _ in range(3)]
    assert [{**answer, "request_id": ""} for answer in answers] == [
        {**answers[0], "request_id": ""} for _ in answers
    ]
    [entry] = stored(tmp_path)
    assert len(entry.decisions) == 1
    assert 'outcome="stored"} 1.0' in client.counted
    assert 'outcome="repeated"} 2.0' in client.counted


def test_a_named_request_is_carried_out_once_and_its_name_is_no_others(
    client: FeedbackClient,
) -> None:
    said = {"text": TEXT, "spam": True}
    first = client.say("ann", said, idempotency_key="7f-1")
    again = client.say("ann", said, idempotency_key="7f-1")
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    other = client.say("ann", {**said, "spam": False}, idempotency_key="7f-1")
    assert (other.status_code, other.json()["error"]) == (422, "idempotency_key_reused")
    bad = client.say("ann", said, idempotency_key="x" * 129)
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
    client: FeedbackClient, tmp_path: Path, said: dict[str, Any], code: str
) -> None:
    refused = client.say("ann", said)
    assert (refused.status_code // 100, refused.json()["error"]) == (4, code)
    assert CANARY not in refused.text
    assert not (tmp_path / "feedback.db").exists()


def test_neither_texts_nor_notes_are_ever_logged(client: FeedbackClient, tmp_path: Path) -> None:
    give(client, "ann", spam=True, note=f"note of {CANARY}")
    (tmp_path / "feedback.db").write_bytes(b"broken" * 1_000)
    refused = give(client, "ann", spam=True, note=f"note of {CANARY}")
    assert refused.status_code == 503
    assert "feedback is unavailable" in client.log
    assert CANARY not in client.log


# What is deleted


@pytest.mark.parametrize("by", ["id", "text"])
def test_a_message_is_deleted_on_request(client: FeedbackClient, tmp_path: Path, by: str) -> None:
    message = give(client, "ann", spam=True).json()["id"]
    give(client, "ann", text="another", spam=True)
    which = {"id": message} if by == "id" else {"text": TEXT.upper()}
    assert client.delete("chief", which).json()["deleted"] == 1
    assert client.delete("chief", which).json()["deleted"] == 0
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
    client: FeedbackClient, which: dict[str, Any], code: str
) -> None:
    refused = client.delete("chief", which)
    assert (refused.status_code, refused.json()["error"]) == (400, code)


def test_the_service_purges_what_is_old(
    client: FeedbackClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.feedback.desk.START_SECONDS", 0.0)
    give(client, "ann", spam=True)
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
def remote(proxied: Proxied, tmp_path: Path) -> Iterator[FeedbackClient]:
    """A desk that stored something in it, and allows it half a second."""
    proxied.proxy.heal()
    Database(proxied.address, SECONDS).run(lambda connection: store.forget(connection, text=TEXT))
    chosen = {"database_timeout_seconds": LIMIT}
    with feedback_client(proxied.address, tmp_path / "keys.json", **chosen) as opened:
        settle(opened)
        yield opened
        proxied.proxy.heal()


def settle(client: FeedbackClient) -> None:
    """Wait until feedback is taken again, by itself."""
    deadline = time.monotonic() + SECONDS
    while give(client, "ann", spam=True).status_code != 200:
        assert time.monotonic() < deadline, client.log


FAILURES: dict[str, Callable[[FaultyProxy], None]] = {
    "away": FaultyProxy.refuse,
    "silent": FaultyProxy.hang,
    "slow": lambda proxy: proxy.delay(2.0),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_while_the_database_fails_callers_are_told_soon_and_others_wait_for_nothing(
    proxied: Proxied, remote: FeedbackClient, failure: str
) -> None:
    FAILURES[failure](proxied.proxy)

    async def crowd() -> tuple[list[httpx.Response], float, float]:
        started = time.monotonic()
        said = {"text": TEXT, "spam": True}
        waiting = [asyncio.create_task(remote.post("/feedback", "bob", said)) for _ in range(12)]
        await asyncio.sleep(0.1)
        asked = time.monotonic()
        for _ in range(20):
            assert (await remote.elsewhere()).status_code == 200
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
    assert give(remote, "bob", spam=True).json()["status"] == {"spam": "approved"}
    assert "feedback is back" in remote.log
    assert remote.log.count("feedback is unavailable") <= 3  # one of each sort, not one of each


def test_connections_that_were_cut_are_made_anew(proxied: Proxied, remote: FeedbackClient) -> None:
    for _ in range(3):
        proxied.proxy.cut()
        assert give(remote, "ann", spam=True).status_code == 200


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
    chosen = {"database_timeout_seconds": LIMIT}
    with feedback_client(sqlite_address(tmp_path), tmp_path / "keys.json", **chosen) as client:
        settle(client)
        holder = sqlite3.connect(tmp_path / "feedback.db", isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        started = time.monotonic()
        assert give(client, "bob", spam=True).status_code == 503
        assert time.monotonic() - started < LIMIT + GRACE
        holder.execute("COMMIT")
        holder.close()
        settle(client)


# What comes at the same moment


def test_what_comes_while_something_is_stored_is_stored_together(
    proxied: Proxied, tmp_path: Path
) -> None:
    proxied.proxy.heal()
    texts = [f"message {number}, {CANARY}" for number in range(40)]

    def transactions(connection: Connection) -> int:
        query = "SELECT count(DISTINCT d.xmin::text) FROM feedback_decisions d, feedback_messages m"
        query += " WHERE m.id = message_id AND text LIKE 'message %%'"
        return int(connection.exec_driver_sql(query).scalar_one())

    with feedback_client(proxied.address, tmp_path / "keys.json") as client:
        settle(client)
        answers = client.runner.run(say_all(client, texts))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == len(texts)
    assert Database(proxied.address, SECONDS).run(transactions) <= 3


def test_what_the_database_refuses_keeps_nothing_else_from_being_stored(
    client: FeedbackClient, tmp_path: Path
) -> None:
    settle(client)
    refuse_bad(tmp_path)
    answers = client.runner.run(say_all(client, ["one", "bad", "two", "three"]))
    assert [answer.status_code for answer in answers] == [200, 503, 200, 200]
    assert {entry.text for entry in stored(tmp_path)} == {TEXT, "one", "two", "three"}
    assert give(client, "bob", spam=True).json()["status"] == {"spam": "approved"}


def test_what_the_database_says_no_to_is_no_fault_of_the_rest(proxied: Proxied) -> None:
    proxied.proxy.heal()
    refused = "DO $$ BEGIN RAISE EXCEPTION 'no'; END $$"
    with pytest.raises(RefusedError):
        Database(proxied.address, SECONDS).run(
            lambda connection: connection.exec_driver_sql(refused)
        )


def test_texts_are_kept_no_longer_than_their_requests(
    client: FeedbackClient, tmp_path: Path
) -> None:
    settle(client)
    refuse_bad(tmp_path)
    gc.collect()
    gc.disable()
    try:
        for texts in (["one", "bad", "two"], ["three", "four"], ["bad"]):
            client.runner.run(say_all(client, texts))
        kept = [each for each in gc.get_objects() if isinstance(each, Submission)]
    finally:
        gc.enable()
    assert kept == []


def test_a_rest_leaves_those_who_wait_most_of_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.feedback.clerks.LONGEST_REST", 1e9)
    chosen = {"database_timeout_seconds": GRACE}
    with feedback_client(sqlite_address(tmp_path), tmp_path / "keys.json", **chosen) as client:
        assert [give(client, "ann", spam=True).status_code for _ in range(3)] == [200] * 3


def test_what_is_overdue_while_something_else_is_cut_is_cut_too(
    client: FeedbackClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(client)
    clerks = client.desk._clerks
    asked: list[object] = []

    async def ask(*question: Any, **_: object) -> None:
        asked.append(question)
        if len(asked) == 1:
            clerks.cut_overdue()

    async def cut() -> None:
        monkeypatch.setattr(clerks._process, "ask", ask)
        clerks.cut_overdue()
        assert clerks._cutting is not None
        await clerks._cutting

    client.runner.run(cut())
    assert len(asked) == 2


def test_after_a_group_that_was_too_much_comes_a_smaller_one(
    proxied: Proxied, remote: FeedbackClient
) -> None:
    clerks = remote.desk._clerks
    proxied.proxy.hang()
    texts = [f"message {number}" for number in range(9)]

    async def fail() -> set[int]:
        statuses = {answer.status_code for answer in await say_all(remote, texts)}
        async with asyncio.timeout(GRACE):
            while clerks._most > len(texts) // 2:
                await asyncio.sleep(0.01)
        return statuses

    assert remote.runner.run(fail()) == {503}
    proxied.proxy.heal()
    settle(remote)
    for _ in range(8):
        give(remote, "ann", spam=True)
    assert clerks._most == MOST_AT_ONCE


def test_a_name_used_twice_at_the_same_moment_is_the_first_ones(client: FeedbackClient) -> None:
    async def both() -> list[httpx.Response]:
        said = [{"text": text, "spam": True} for text in ("one", "two")]
        asking = [client.post("/feedback", "ann", each, idempotency_key="k1") for each in said]
        return await asyncio.gather(*asking)

    assert sorted(answer.status_code for answer in client.runner.run(both())) == [200, 422]


def refuse_bad(folder: Path) -> None:
    refuse = """CREATE TRIGGER refuse BEFORE INSERT ON feedback_messages WHEN new.text = 'bad'
        BEGIN SELECT RAISE(ABORT, 'no'); END"""
    database = Database(sqlite_address(folder), SECONDS)
    database.run(lambda connection: connection.exec_driver_sql(refuse))


async def say_all(client: FeedbackClient, texts: Sequence[str]) -> list[httpx.Response]:
    said = [{"text": text, "spam": True} for text in texts]
    return await asyncio.gather(*(client.post("/feedback", "ann", each) for each in said))


# While the process that asks it fails


def test_a_process_that_ended_is_started_anew_but_not_again_and_again(
    client: FeedbackClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = give(client, "ann", spam=True).json()["id"]
    kill(client)
    assert give(client, "bob", spam=True).status_code == 503
    monkeypatch.setattr("serving.feedback.clerks.AGAIN_SECONDS", 0.0)
    settle(client)
    assert give(client, "bob", spam=True).json()["id"] == first
    kill(client)
    assert give(client, "bob", spam=True).json()["id"] == first


def test_one_that_is_stuck_keeps_nobody_waiting_and_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.feedback.clerks.AGAIN_SECONDS", 0.0)
    monkeypatch.setattr("serving.feedback.clerks.PATIENCE", 0.2)
    chosen = {"database_timeout_seconds": LIMIT}
    with feedback_client(sqlite_address(tmp_path), tmp_path / "keys.json", **chosen) as client:
        settle(client)
        process(client).send_signal(signal.SIGSTOP)
        started = time.monotonic()
        assert give(client, "bob", spam=True).status_code == 503
        assert time.monotonic() - started < LIMIT + GRACE
        settle(client)


def test_one_that_cannot_be_started_is_told_as_a_database_that_is_away(
    client: FeedbackClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise BlockingIOError

    monkeypatch.setattr("serving.feedback.clerks.Process", fail)
    assert give(client, "ann", spam=True).status_code == 503
    assert 'careerlens_feedback_failures_total{reason="away"} 1.0' in client.counted


def test_its_start_keeps_no_other_thread_waiting(
    client: FeedbackClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_start = threading.Event()

    def wait(*_: object) -> None:
        assert may_start.wait(SECONDS)
        raise BlockingIOError

    async def crowd() -> None:
        said = {"text": TEXT, "spam": True}
        waiting = [asyncio.create_task(client.post("/feedback", "ann", said)) for _ in range(40)]
        await asyncio.sleep(0.1)
        assert await asyncio.wait_for(asyncio.to_thread(int, "7"), GRACE) == 7
        may_start.set()
        assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {503}

    monkeypatch.setattr("serving.feedback.clerks.Process", wait)
    client.runner.run(crowd())


def test_a_stop_ends_one_that_is_starting(
    client: FeedbackClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[subprocess.Popen[bytes]] = []

    class Stopped(Process):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            begun.append(self.popen)
            self.popen.send_signal(signal.SIGSTOP)

    async def stop_meanwhile() -> int:
        waiting = asyncio.create_task(client.post("/feedback", "ann", {"text": TEXT, "spam": True}))
        while not begun:
            await asyncio.sleep(0.01)
        await asyncio.wait_for(client.desk.stop(), GRACE)
        return (await waiting).status_code

    monkeypatch.setattr("serving.feedback.clerks.Process", Stopped)
    assert client.runner.run(stop_meanwhile()) == 503
    assert begun[0].returncode is not None
    assert not client.desk._clerks.is_open


def process(client: FeedbackClient) -> subprocess.Popen[bytes]:
    found = client.desk._clerks._process
    assert found is not None
    return found.popen


def kill(client: FeedbackClient) -> None:
    process(client).kill()
    process(client).wait()

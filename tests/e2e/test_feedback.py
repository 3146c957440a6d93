"""Feedback in a real PostgreSQL that fails under load, while moderation goes on."""

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from models.hub import LocalHub
from serving.feedback.database import Database
from serving.feedback.schema import differences
from tests.e2e.conftest import Server, Start
from tests.factories import ROOT
from tests.faulty import FaultyProxy
from tests.postgres import own_database
from tests.serving.feedback_case import SECONDS, driver_address
from tests.serving.guarded import make_key

CANARY = "canary-9c2f"
TEXT = f"Earn money from home, {CANARY}"

#: The service's own limit on the database here, and how often it is asked at a time.
LIMIT = 0.5
CALLERS = 3


@dataclass(frozen=True)
class Scene:
    """A service, its database, and what stands between."""

    server: Server
    proxy: FaultyProxy
    address: str
    keys: dict[str, str]

    def give(self, who: str, text: str = TEXT) -> httpx.Response:
        headers = {"x-api-key": self.keys[who]}
        return self.server.client.post(
            "/feedback", json={"text": text, "spam": True}, headers=headers
        )

    def settle(self) -> None:
        """Wait until feedback is taken again."""
        deadline = time.monotonic() + SECONDS
        while self.give("ann").status_code != 200:
            assert time.monotonic() < deadline, self.server.log


@pytest.fixture(scope="module")
def scene(
    start: Start, champions: LocalHub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    keys_file = tmp_path_factory.mktemp("keys") / "keys.json"
    keys = {name: make_key(keys_file, "feedback", name=name) for name in ("ann", "bob")}
    keys["platform"] = make_key(keys_file, "moderate", name="platform")
    with ExitStack() as stack:
        made = stack.enter_context(own_database())
        proxy = stack.enter_context(FaultyProxy(make_url(made).port or 5432))
        server = start(
            champions,
            CAREERLENS_DATABASE_URL=driver_address(made, proxy.port),
            CAREERLENS_DATABASE_TIMEOUT_SECONDS=str(LIMIT),
            CAREERLENS_KEYS_FILE=str(keys_file),
            CAREERLENS_LIMIT_FEEDBACK="off",
            CAREERLENS_LIMIT_MODERATE="off",
            CAREERLENS_LIMIT_ADDRESS="off",
        )
        server.client.headers["x-api-key"] = keys["platform"]
        server.wait("/readyz")
        found = Scene(server, proxy, driver_address(made), keys)
        found.settle()
        yield found
        server.stop()  # before what it is connected to


@contextmanager
def crowd(work: Callable[[], httpx.Response], size: int) -> Iterator[list[tuple[int, float]]]:
    """Do ``work`` over and over in threads; yield the status and the seconds of each answer."""
    done: list[tuple[int, float]] = []
    stopped = threading.Event()

    def run() -> None:
        while not stopped.is_set():
            started = time.monotonic()
            status = work().status_code
            done.append((status, time.monotonic() - started))

    threads = [threading.Thread(target=run) for _ in range(size)]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def test_two_keys_make_a_decision_count_and_it_is_exported(scene: Scene, tmp_path: Path) -> None:
    text = f"{TEXT}, agreed"
    assert scene.give("ann", text).json()["status"] == {"spam": "pending"}
    assert scene.give("bob", text).json()["status"] == {"spam": "approved"}
    assert Database(scene.address, SECONDS).run(differences) == []
    output = tmp_path / "feedback.jsonl"
    command = [sys.executable, "-m", "serving.feedback", "export", "--output", str(output)]
    environment = os.environ | {"CAREERLENS_DATABASE_URL": scene.address}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    assert text in output.read_text()


def test_bentomls_own_client_gives_feedback_too(scene: Scene) -> None:
    address = scene.server.client.base_url
    said = "text='you turnip', toxicity=True, categories={'insult': True}"
    program = f"""
import bentoml
with bentoml.SyncHTTPClient("{address}", token="{scene.keys["ann"]}") as client:
    print(client.feedback({said})["status"])
"""
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.stdout == "{'toxicity': 'pending'}\n", ended.stderr


FAILURES: dict[str, Callable[[FaultyProxy], None]] = {
    "stopped": FaultyProxy.refuse,
    "silent": FaultyProxy.hang,
    "slow": lambda proxy: proxy.delay(4 * LIMIT),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_moderation_answers_throughout_and_feedback_comes_back_by_itself(
    scene: Scene, failure: str
) -> None:
    with (
        crowd(lambda: scene.server.moderate("how are you"), 2) as verdicts,
        crowd(lambda: scene.give("ann"), CALLERS) as stored,
    ):
        time.sleep(0.5)
        FAILURES[failure](scene.proxy)
        time.sleep(LIMIT)  # for what was under way
        before, given = len(verdicts), len(stored)
        time.sleep(4 * LIMIT)
        refused = scene.give("bob")
        during, while_away = verdicts[before:], stored[given:]
        scene.proxy.heal()
        scene.settle()
    assert (refused.status_code, refused.json()["error"]) == (503, "feedback_unavailable")
    assert refused.headers["retry-after"] == "10"
    assert {status for status, _ in verdicts} == {200}
    assert len(during) > 20
    assert {status for status, _ in stored} == {200, 503}
    assert {status for status, _ in while_away} == {503}
    assert scene.give("ann", f"{TEXT} after {failure}").status_code == 200
    assert CANARY not in scene.server.log


def test_a_restart_in_the_midst_of_it_loses_no_decision_that_was_confirmed(scene: Scene) -> None:
    confirmed: list[str] = []
    numbers = itertools.count()

    def give() -> httpx.Response:
        answer = scene.give("bob", f"{TEXT} number {next(numbers)}")
        if answer.status_code == 200:
            confirmed.append(answer.json()["id"])
        return answer

    with crowd(give, CALLERS) as done:
        for _ in range(4):
            time.sleep(0.3)
            scene.proxy.cut()
        scene.proxy.refuse()
        time.sleep(0.3)
        scene.proxy.heal()
        scene.settle()
    assert {status for status, _ in done} <= {200, 503}
    with_ids = "SELECT id FROM feedback_messages"
    kept = Database(scene.address, SECONDS).run(
        lambda connection: {row[0] for row in connection.exec_driver_sql(with_ids)}
    )
    assert confirmed
    assert set(confirmed) <= kept

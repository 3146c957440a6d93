"""A real service with two workers behind keys and limits in a real Redis, as on the internet."""

import random
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from models.hub import LocalHub
from models.signing import generate_keys
from serving.keys import revoke
from tests.e2e.conftest import BENTOML, Server, Start, server_environment
from tests.factories import ROOT
from tests.faulty import FaultyProxy
from tests.services import require_redis
from tests.serving.guarded import make_key

#: What each key may spend in an hour, and how many bad keys are answered to one address.
SPENT = 40
FAILURES = 6

#: The trusted proxy of the tests.
PROXY = "127.0.0.2"


@dataclass
class Guarded:
    """The running service, its file of keys, and what stands before its Redis."""

    server: Server
    keys: Path
    redis: FaultyProxy

    def ask(self, key: str, source: str | None = None, **headers: str) -> httpx.Response:
        """Have a text moderated, asked from an address of this machine, by default a new one."""
        sent = {"authorization": f"Bearer {key}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", "/moderate", source, headers=sent, json={"text": "Win a prize"})

    def send(
        self, method: str, path: str, source: str | None = None, **options: Any
    ) -> httpx.Response:
        """Ask over a connection of its own, which any worker may take."""
        transport = httpx.HTTPTransport(verify=False, local_address=source or somewhere())
        with httpx.Client(transport=transport, timeout=30) as client:
            return client.request(method, f"http://127.0.0.1:{self.server.port}{path}", **options)

    def wait_in_all_workers(self, key: str, status: int) -> None:
        """Wait until all answers have been so for a while: a worker looks every half a second.

        What is asked for is the list of models, which spends of no limit.
        """
        deadline = time.monotonic() + 60
        since = time.monotonic()
        while time.monotonic() - since < 2:
            answered = self.send("GET", "/models", headers={"x-api-key": key})
            if answered.status_code != status:
                since = time.monotonic()
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture(scope="module")
def guarded(
    start: Start, champions: LocalHub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guarded]:
    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    make_key(keys)
    with FaultyProxy(redis.connection.parse_url(require_redis())["port"]) as proxy:
        server = start(
            champions,
            CAREERLENS_WORKERS="2",
            CAREERLENS_KEYS_FILE=str(keys),
            CAREERLENS_REDIS_URL=f"redis://127.0.0.1:{proxy.port}/0",
            CAREERLENS_REDIS_TIMEOUT_SECONDS="1",
            CAREERLENS_LIMIT_MODERATE=f"{SPENT}/hour",
            CAREERLENS_LIMIT_ADDRESS="off",
            CAREERLENS_LIMIT_FAILURES=f"{FAILURES}/hour",
            CAREERLENS_TRUSTED_PROXIES=PROXY,
            CAREERLENS_METRICS_NEED_KEY="true",
        )
        server.wait("/readyz")
        yield Guarded(server, keys, proxy)
        server.stop()


@pytest.fixture
def key(guarded: Guarded) -> str:
    """A key that both workers know."""
    made = make_key(guarded.keys)
    guarded.wait_in_all_workers(made, 200)
    return made


def somewhere() -> str:
    """Return an address of this machine that no other test has come from."""
    return f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"


def test_health_needs_no_key_and_the_rest_does(guarded: Guarded, key: str) -> None:
    assert guarded.send("GET", "/livez").status_code == 200
    for path in ("/metrics", "/models"):
        assert guarded.send("GET", path).status_code == 401
        assert guarded.send("GET", path, headers={"x-api-key": key}).status_code == 200


def test_keys_change_under_load_without_a_restart_in_every_worker(guarded: Guarded) -> None:
    old = make_key(guarded.keys)
    guarded.wait_in_all_workers(old, 200)
    new = make_key(guarded.keys)
    guarded.wait_in_all_workers(new, 200)
    revoke(guarded.keys, old.split("_")[1])
    guarded.wait_in_all_workers(old, 401)
    assert guarded.ask(new).status_code == 200
    assert old not in guarded.server.log
    assert old.split("_")[2] not in guarded.server.log


def test_workers_spend_one_limit_together(guarded: Guarded, key: str) -> None:
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: guarded.ask(key), range(SPENT + 20)))
    assert Counter(answer.status_code for answer in answers) == {200: SPENT, 429: 20}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["ratelimit-policy"] == f'"moderate-hour";q={SPENT};w=3600'
    assert '"moderate-hour";r=0;' in refused.headers["ratelimit"]
    assert int(refused.headers["retry-after"]) > 60


def test_bad_keys_are_limited_by_the_address_that_only_a_trusted_proxy_can_tell(
    guarded: Guarded,
) -> None:
    liar = somewhere()
    answers = [guarded.ask("cl_x", liar, x_forwarded_for=somewhere()) for _ in range(FAILURES + 2)]
    assert [answer.status_code for answer in answers] == [401] * FAILURES + [429] * 2
    answers = [guarded.ask("cl_x", PROXY, x_forwarded_for=somewhere()) for _ in range(FAILURES + 2)]
    assert {answer.status_code for answer in answers} == {401}
    # Whom the server under the service would believe, unless told otherwise.
    for _ in range(FAILURES + 2):
        answered = guarded.ask("cl_x", "127.0.0.1", x_forwarded_for=somewhere())
    assert answered.status_code == 429


def test_moderation_answers_throughout_while_redis_goes_and_comes_back(
    guarded: Guarded, key: str
) -> None:
    def away() -> float:
        text = guarded.server.client.get("/metrics", headers={"x-api-key": key}).text
        return float(re.findall(r"(?m)^careerlens_limits_redis_away (\S+)", text)[0])

    def wait_for(workers: int) -> None:
        deadline = time.monotonic() + 20
        while away() != workers:
            assert time.monotonic() < deadline, guarded.server.log

    keys = [make_key(guarded.keys) for _ in range(40)]
    guarded.wait_in_all_workers(keys[-1], 200)
    statuses: Counter[int] = Counter()
    seconds: list[float] = []
    done = threading.Event()

    def ask(number: int) -> None:
        while not done.is_set():
            started = time.monotonic()
            answered = guarded.ask(keys[statuses.total() % len(keys)])
            seconds.append(time.monotonic() - started)
            statuses[answered.status_code] += 1
            time.sleep(0.02 + number / 1000)

    with ThreadPoolExecutor(4) as callers:
        asking = [callers.submit(ask, number) for number in range(4)]
        try:
            for fail in (guarded.redis.refuse, guarded.redis.hang):
                fail()
                wait_for(2)
                guarded.redis.heal()
                wait_for(0)
        finally:
            done.set()
            guarded.redis.heal()
        for each in asking:
            each.result()
    assert set(statuses) <= {200, 429}  # 429 once a key has spent what it has, and no error
    assert statuses[200] > 50
    assert guarded.server.log.count("limits without redis") == 4  # twice, and each worker once


def test_production_does_not_start_without_keys(tmp_path: Path, champions: LocalHub) -> None:
    generate_keys(tmp_path / "release", tmp_path / "release.pub")
    chosen = {
        "CAREERLENS_HUB": str(champions),
        "CAREERLENS_ENV": "production",
        "CAREERLENS_TRUSTED_KEYS": str(tmp_path / "release.pub"),
    }
    ended = subprocess.run(
        [BENTOML, "serve"],
        cwd=ROOT,
        env=server_environment(tmp_path, **chosen),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "CAREERLENS_ENV=production needs keys" in ended.stderr
    assert "python -m serving.keys create" in ended.stderr
    assert "Traceback" not in ended.stderr

"""Workers that are killed or told to end, and a Redis that fails, under load."""

import itertools
import json
import os
import re
import signal
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import psutil
import pytest
import redis

from models.hub import LocalHub
from models.manifest import KINDS
from tests.e2e.conftest import Server, Start
from tests.faulty import FaultyProxy
from tests.services import require_redis
from tests.serving.following import wait_until

CALLERS = 8
# So much, so many times, that it is not done before anybody can look.
BATCHES = 3
SLOW = {"texts": ["s.t.u.p.i.d 1d.i.o.t p-l-e-a-s-e " * 290] * 800}


@pytest.fixture(scope="module")
def proxy() -> Iterator[FaultyProxy]:
    """What stands before a real Redis."""
    with FaultyProxy(redis.connection.parse_url(require_redis())["port"]) as opened:
        yield opened


@pytest.fixture(scope="module")
def server(start: Start, champions: LocalHub, proxy: FaultyProxy) -> Server:
    """A server with two workers, both ready, that keeps answers in Redis alone."""
    started = start(
        champions,
        CAREERLENS_WORKERS="2",
        CAREERLENS_REDIS_URL=f"redis://127.0.0.1:{proxy.port}/0",
        CAREERLENS_ANSWER_CACHE_MIB="0",
        CAREERLENS_ANSWER_CACHE_SECONDS="60",
        CAREERLENS_ANSWER_CACHE_SECRET=uuid.uuid4().hex,
        CAREERLENS_DRAIN_SECONDS="1",
        CAREERLENS_MAX_BODY_BYTES=str(16 * 2**20),
        CAREERLENS_LOG_LEVEL="debug",
    )
    wait_for_ready(started, 2)
    return started


def wait_for_ready(server: Server, times: int, seconds: float = 60) -> None:
    """Wait until so many workers have said that they are ready, since the start."""
    deadline = time.monotonic() + seconds
    while server.log.count('"event":"ready"') < times:
        assert server.process.poll() is None, server.log
        assert time.monotonic() < deadline, server.log
        time.sleep(0.05)


def living_workers(server: Server) -> set[int]:
    return {
        int(pid)
        for pid in re.findall(r'"pid":(\d+)', server.log)
        if psutil.pid_exists(int(pid)) and psutil.Process(int(pid)).status() != "zombie"
    }


@dataclass
class Load:
    """Callers, each on a connection of its own while that lasts, and what they saw."""

    answered: list[tuple[float, int]] = field(default_factory=list)
    failures: list[tuple[float, str]] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def ask(self, port: int) -> None:
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=address, timeout=40, trust_env=False) as client:
            for number in itertools.count():
                if self._ended.wait(0.002):
                    break
                text = f"you idiot number {number % 50}"
                try:
                    status = client.post("/moderate", json={"text": text}).status_code
                    self.answered.append((time.monotonic(), status))
                except httpx.TransportError as error:
                    self.failures.append((time.monotonic(), type(error).__name__))

    def end(self) -> None:
        self._ended.set()


@contextmanager
def load(server: Server) -> Iterator[Load]:
    running = Load()
    with ThreadPoolExecutor(CALLERS) as threads:
        asking = [threads.submit(running.ask, server.port) for _ in range(CALLERS)]
        try:
            yield running
        finally:
            running.end()
        for each in asking:
            each.result()


def test_two_workers_answer_and_count_together(server: Server) -> None:
    assert len(living_workers(server)) == 2
    assert os.getpid() not in living_workers(server)

    def once(_: int) -> int:
        return httpx.post(
            f"http://127.0.0.1:{server.port}/moderate", json={"text": "hello"}, trust_env=False
        ).status_code

    with ThreadPoolExecutor(8) as callers:
        assert set(callers.map(once, range(40))) == {200}
    counted = 'careerlens_requests_total{method="POST",route="/moderate",status="200"} 40.0'
    for _ in range(6):  # whichever worker is asked
        fresh = httpx.get(f"http://127.0.0.1:{server.port}/metrics", trust_env=False)
        assert counted in fresh.text
        assert fresh.text.count("careerlens_model_info{") == len(KINDS)


def found_in_redis(server: Server) -> float:
    with httpx.Client(trust_env=False) as client:
        shown = client.get(f"http://127.0.0.1:{server.port}/metrics").text
    pattern = r'careerlens_cache_lookups_total{kind="verdict",outcome="shared"} (\S+)'
    found = re.search(pattern, shown)
    return 0.0 if found is None else float(found[1])


def wait_for_more(server: Server, found: float) -> None:
    """Wait until more answers than ``found`` were found in Redis."""
    deadline = time.monotonic() + 60
    while found_in_redis(server) <= found:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_moderation_goes_on_while_redis_is_stopped_slow_and_back(
    server: Server, proxy: FaultyProxy
) -> None:
    with load(server) as seen:
        wait_for_more(server, 0)
        orders = (proxy.refuse, proxy.heal, proxy.hang, lambda: proxy.delay(0.3), proxy.cut)
        for order in orders:
            order()
            before = len(seen.answered)
            time.sleep(0.7)
            assert len(seen.answered) > before + CALLERS  # nobody stands and waits
        proxy.heal()
        wait_for_more(server, found_in_redis(server))
    assert {status for _, status in seen.answered} == {200}
    assert not seen.failures
    assert "Traceback" not in server.log


def test_a_killed_worker_is_restored_and_costs_only_what_it_was_answering(server: Server) -> None:
    victim = min(living_workers(server))
    with load(server) as seen:
        time.sleep(1)
        established = [
            connection
            for connection in psutil.Process(victim).net_connections(kind="inet")
            if connection.status == psutil.CONN_ESTABLISHED
        ]
        readers = psutil.Process(victim).children(recursive=True)
        killed = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        wait_for_ready(server, 3)
        time.sleep(1)
    assert {status for _, status in seen.answered} == {200}
    assert len(seen.failures) <= len(established)  # each has one request on its way at most
    assert all(at - killed < 1 for at, _ in seen.failures)
    assert max(at for at, _ in seen.answered) - killed > 1
    assert len(living_workers(server) - {victim}) == 2
    assert not any(reader.is_running() for reader in readers)


def test_with_all_workers_killed_callers_wait_and_are_answered(server: Server) -> None:
    wait_for_ready(server, 3)
    for victim in living_workers(server):
        os.kill(victim, signal.SIGKILL)
    answered = httpx.post(
        f"http://127.0.0.1:{server.port}/moderate",
        json={"text": "hello"},
        timeout=40,
        trust_env=False,
    )
    assert answered.status_code == 200
    wait_for_ready(server, 5)


def test_told_to_end_it_finishes_what_runs_and_ends_its_children(server: Server) -> None:
    wait_until(lambda: len(living_workers(server)) == 2)  # others may have been killed before
    children = psutil.Process(server.process.pid).children(recursive=True)
    address = f"http://127.0.0.1:{server.port}"
    with (
        httpx.Client(base_url=address, timeout=60, trust_env=False) as client,
        ThreadPoolExecutor(BATCHES) as threads,
        socket.create_connection(("127.0.0.1", server.port)) as uploading,
    ):
        body = json.dumps({"text": "hello"}).encode()
        uploading.sendall(
            b"POST /moderate HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n" % len(body) + body[:5]
        )
        slow = [threads.submit(client.post, "/moderate/batch", json=SLOW) for _ in range(BATCHES)]
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        server.wait("/readyz", 503)
        assert not all(each.done() for each in slow)
        assert server.moderate("still taken").status_code == 200
        time.sleep(1.5)  # the time in which the load balancer notices is over
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{address}/livez", timeout=5, trust_env=False)
        uploading.sendall(body[5:])
        assert uploading.recv(65_536).startswith(b"HTTP/1.1 200 ")
        assert [each.result().status_code for each in slow] == [200] * BATCHES
    assert server.process.wait(20) == 0
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
    assert "Traceback" not in server.log
    assert "Tracking" not in server.log  # nothing is reported to anybody

"""What /metrics says: of all workers, the dead and the new ones, with labels that stay few."""

import asyncio
import os
import random
import signal
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from serving.folder import FOLDER_VARIABLE
from serving.metrics import Metrics
from serving.scrape import KEPT_VERSIONS
from serving.tallies import (
    WRITE_SECONDS,
    TalliedCounter,
    TalliedHistogram,
    Writer,
    write_tallies,
)
from tests.factories import ROOT
from tests.serving.test_front import ROUTES, Client

#: A worker that does what it reads on stdin, a line of Python at a time.
WORKER = """
import sys
from serving.metrics import Metrics
from serving.tallies import write_tallies
metrics = Metrics()
for line in sys.stdin:
    exec(line)
    write_tallies()
    print("done", flush=True)
"""


class Fleet:
    """Workers that count in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workers: list[subprocess.Popen[str]] = []

    def start(self) -> subprocess.Popen[str]:
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            cwd=ROOT,
            env=os.environ | {FOLDER_VARIABLE: str(self.folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.workers.append(worker)
        return worker

    def stop(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.communicate()


def tell(worker: subprocess.Popen[str], line: str) -> None:
    assert worker.stdin is not None
    assert worker.stdout is not None
    print(line, file=worker.stdin, flush=True)
    assert worker.stdout.readline() == "done\n"


def kill(worker: subprocess.Popen[str]) -> None:
    worker.send_signal(signal.SIGKILL)
    worker.communicate()


def read(text: bytes) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return every sample by name and labels; a name told twice is an error."""
    samples = [
        ((sample.name, frozenset(sample.labels.items())), sample.value)
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    ]
    assert len(samples) == len(dict(samples))
    return dict(samples)


def value(text: bytes, name: str, **labels: str) -> float | None:
    return read(text).get((name, frozenset(labels.items())))


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    fleet = Fleet(tmp_path)
    yield fleet
    fleet.stop()


def test_counts_of_the_dead_go_on_and_their_gauges_do_not(fleet: Fleet) -> None:
    old, dying = fleet.start(), fleet.start()
    for worker in (old, dying):
        tell(worker, "metrics.count_messages(['allow', 'block', 'allow'])")
        tell(worker, "metrics.count_request('/moderate', 'POST', 200, 0.02)")
        tell(worker, "metrics._waiting.labels('messages').inc()")
    tell(old, "metrics.show_model('spam', 'v2', 'b' * 64, '2026-01-02T00:00:00+00:00')")
    tell(dying, "metrics.show_model('spam', 'v1', 'a' * 64, '2026-01-01T00:00:00+00:00')")
    reader = Metrics()
    before = reader.render()
    assert value(before, "careerlens_messages_total", action="allow") == 4
    assert value(before, "careerlens_waiting", line="messages") == 2
    assert value(before, "careerlens_model_info", kind="spam", version="v1", digest="a" * 12) == 1
    kill(dying)
    for _ in range(2):  # what was added once is not added again
        after = reader.render()
        assert value(after, "careerlens_messages_total", action="allow") == 4
        assert value(after, "careerlens_request_seconds_count", route="/moderate") == 2
        assert value(after, "careerlens_waiting", line="messages") == 1
        assert "v1" not in after.decode().replace("python", "")
        created = value(after, "careerlens_model_created_timestamp_seconds", kind="spam")
        assert created == 1767312000.0
    tell(fleet.start(), "metrics.count_messages(['allow'])")
    assert value(reader.render(), "careerlens_messages_total", action="allow") == 5


def test_workers_that_die_over_and_over_leave_no_pile_of_files(fleet: Fleet) -> None:
    reader = Metrics()
    for number in range(1, 4):
        worker = fleet.start()
        tell(worker, "metrics.count_verdicts('spam', 'v1', [(0.99, 'block')])")
        kill(worker)
        text = reader.render()
        labels = {"kind": "spam", "version": "v1", "action": "block"}
        assert value(text, "careerlens_verdicts_total", **labels) == number
        assert value(text, "careerlens_score_count", kind="spam") == number
        files = {path.name for path in fleet.folder.glob("*.db")}
        assert {name for name in files if f"_{os.getpid()}." not in name} == {
            "counter_0.db",
            "histogram_0.db",
        }


def test_memory_and_processor_time_are_of_each_living_worker(fleet: Fleet) -> None:
    workers = [fleet.start(), fleet.start()]
    for worker in workers:
        tell(worker, "metrics.count_messages(['allow'])")
    text = Metrics().render()
    for worker in workers:
        pid = str(worker.pid)
        assert value(text, "careerlens_worker_memory_bytes", pid=pid, part="worker") > 2**20  # type: ignore[operator]
        assert value(text, "careerlens_worker_cpu_seconds_total", pid=pid) > 0  # type: ignore[operator]
    kill(workers[0])
    assert f'pid="{workers[0].pid}"' not in Metrics().render().decode()


def test_versions_that_stopped_answering_long_ago_are_left_out() -> None:
    metrics = Metrics()
    for number in range(1, 31):
        metrics.show_model("spam", f"v{number}", f"{number:064x}", "2026-01-01T00:00:00+00:00")
        metrics.count_verdicts("spam", f"v{number}", [(0.5, "allow")])
        if number != 3:
            metrics.hide_model("spam", f"v{number}", f"{number:064x}")
    shown = {
        dict(labels)["version"]
        for name, labels in read(metrics.render())
        if name == "careerlens_verdicts_total"
    }
    assert shown == {"v3", *(f"v{number}" for number in range(31 - KEPT_VERSIONS, 31))}
    answering = [labels for name, labels in read(metrics.render()) if name.endswith("model_info")]
    assert [dict(labels)["version"] for labels in answering] == ["v3"]


def test_every_gauge_is_of_living_workers_alone() -> None:
    collectors = Metrics().registry._collector_to_names
    gauges = [each for each in collectors if isinstance(each, Gauge)]
    assert gauges
    assert all(gauge._multiprocess_mode.startswith("live") for gauge in gauges)


def test_a_release_that_says_nonsense_of_its_age_is_shown_without() -> None:
    metrics = Metrics()
    metrics.show_model("spam", "v1", "a" * 64, "yesterday")
    assert (
        value(metrics.render(), "careerlens_model_created_timestamp_seconds", kind="spam") is None
    )


_words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)


@given(paths=st.lists(_words, max_size=30), seed=st.integers())
@settings(max_examples=20, deadline=None)
def test_labels_are_of_fixed_sets_whatever_is_asked(paths: list[str], seed: int) -> None:
    client = Client(routes=ROUTES)
    chance = random.Random(seed)
    for path in [*paths, *ROUTES]:
        if path not in ("/hang", "/inner"):
            made_up = "".join(chance.choices(string.ascii_uppercase, k=9))
            client(chance.choice(["GET", "POST", "BREW", made_up]), "/" + quote(path.lstrip("/")))
    for name, labels in read(client.metrics.render()):
        found = dict(labels)
        if name.startswith(("careerlens_requests", "careerlens_request_seconds")):
            assert found["route"] in {*ROUTES, "other"}
            assert found.get("method", "GET") in {"GET", "POST", "other"}
            assert found.get("status", "200").isdigit()


def test_what_is_gathered_is_what_would_have_been_counted_one_by_one() -> None:
    one_by_one, gathered = CollectorRegistry(), CollectorRegistry()
    bounds = (0.1, 0.5, 1.0)
    amounts = [0.0, 0.1, 0.10001, 0.5, 0.7, 1.0, 1.5, 100.0]
    plain = Histogram("h", "H.", ["kind"], buckets=bounds, registry=one_by_one)
    tallied = TalliedHistogram("h", "H.", ["kind"], buckets=bounds, registry=gathered)
    counter = Counter("c", "C.", ["kind", "action"], registry=one_by_one)
    often = TalliedCounter("c", "C.", ["kind", "action"], registry=gathered)
    for kind in ("spam", "toxicity", "spam"):
        for amount in amounts:
            plain.labels(kind).observe(amount)
            counter.labels(kind, "allow").inc(2)
            tallied.note((kind,), amount)
            often.count((kind, "allow"), 2)
        write_tallies()
    tallied.note(("late",), 0.3)
    plain.labels("late").observe(0.3)
    shown, expected = (
        {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for metric in registry.collect()
            for sample in metric.samples
            if not sample.name.endswith("_created")
        }
        for registry in (gathered, one_by_one)
    )
    assert shown == pytest.approx(expected)


def test_a_worker_writes_what_it_gathered_by_itself_and_at_its_end() -> None:
    metrics = Metrics()

    def written() -> float:
        return float(metrics._messages.labels("allow")._value.get())  # collecting would write

    async def count() -> tuple[float, float, float]:
        writer = Writer()
        writer.start()
        metrics.count_messages(["allow"])
        at_once = written()
        await asyncio.sleep(4 * WRITE_SECONDS)
        alone = written()
        metrics.count_messages(["allow"])
        writer.stop()
        return at_once, alone, written()

    assert asyncio.run(count()) == (0, 1, 2)

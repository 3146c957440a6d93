"""A service that is watched: traces, logs, metrics over workers that die, and drift."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from models.hub import LocalHub
from models.manifest import KINDS
from pipelines.reference import make_reference
from tests.e2e.conftest import Server, Start
from tests.factories import ROOT, make_release, tiny_pipeline
from tests.otlp import Collector, attributes
from tests.pipelines.drifting import package, starter_messages
from tests.serving.champions import promote

CANARY = "canary-7f3a"


@dataclass
class Watched:
    """A server of two workers, and what watches it."""

    server: Server
    collector: Collector
    predictions: Path
    hub: LocalHub
    fresh: list[str]

    def metrics(self) -> dict[str, float]:
        """Return the sums of every sample, by name."""
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(self.server.client.get("/metrics").text):
            for sample in family.samples:
                sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
        return sums

    def moderate(self, texts: list[str]) -> None:
        for start in range(0, len(texts), 100):
            part = {"texts": texts[start : start + 100]}
            assert self.server.client.post("/moderate/batch", json=part).status_code == 200

    def written(self, messages: int) -> None:
        """Wait until the log of predictions has so many messages."""
        deadline = time.monotonic() + 60
        log = self.predictions / "predictions.jsonl"
        while not log.exists() or log.read_bytes().count(b"\n") < 2 * messages:
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.fixture(scope="module")
def watched(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    root = tmp_path_factory.mktemp("watched")
    hub = LocalHub(root / "hub")
    texts = starter_messages()
    np.random.default_rng(3).shuffle(texts)
    for version, kind in enumerate(KINDS, start=1):
        if kind in ("spam", "toxicity"):
            pipeline = tiny_pipeline(kind, tuple(texts[:200]))
            package(root / kind, kind, pipeline, make_reference(pipeline, texts[200:1_000]))
        else:
            make_release(root / kind, kind)
        promote(hub, kind, root / kind, version, root / "scratch")
    collector = Collector()
    server = start(
        hub,
        CAREERLENS_WORKERS="2",
        CAREERLENS_PREDICTION_SHARE="1",
        CAREERLENS_PREDICTION_LOG=str(root / "predictions"),
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_BSP_SCHEDULE_DELAY="100",
        OTEL_SERVICE_NAME="watched",
    )
    server.wait("/readyz")
    yield Watched(server, collector, root / "predictions", hub, texts[1_000:])
    collector.close()


def drift(watched: Watched, report: Path, *words: str) -> tuple[int, dict[str, Any]]:
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pipelines.drift", "--hub", str(watched.hub)),
            *("--log", str(watched.predictions), "--report", str(report), *words),
        ],
        cwd=ROOT,
        env=os.environ | {"DVC_ROOT": str(report.parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (report / "report.json").exists(), ran.stdout + ran.stderr
    return ran.returncode, json.loads((report / "report.json").read_text())


def test_traffic_like_the_training_rows_is_no_drift_and_another_is(
    watched: Watched, tmp_path: Path
) -> None:
    watched.moderate(watched.fresh)
    watched.written(len(watched.fresh))
    code, report = drift(watched, tmp_path / "before")
    assert code == 0, report
    found = {kind: each["verdict"] for kind, each in report["kinds"].items()}
    assert set(found) == {"spam", "toxicity"}
    assert "alarm" not in found.values()
    turn = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 1))
    time.sleep(1.1)
    shifted = [f"Guten Tag {CANARY}, die Stelle ist noch frei {n}" for n in range(300)]
    watched.moderate(shifted)
    watched.written(len(watched.fresh) + len(shifted))
    code, report = drift(watched, tmp_path / "after", "--since", turn)
    assert code == 3
    assert report["kinds"]["spam"]["log"]["rows"] == 300
    alarming = {
        check["figure"]
        for check in report["kinds"]["spam"]["checks"]
        if check["verdict"] == "alarm"
    }
    assert "unknown" in alarming
    assert CANARY not in (watched.predictions / "predictions.jsonl").read_text()


def test_a_trace_and_its_line_in_the_log_know_of_each_other(watched: Watched) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answered = watched.server.client.post(
        "/moderate",
        json={"text": f"hello {CANARY}"},
        headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"},
    )
    watched.collector.wait(
        lambda arrived: any(
            each.trace_id.hex() == trace for each in arrived.named("POST /moderate")
        )
    )
    spans = [each for each in watched.collector.spans if each.trace_id.hex() == trace]
    assert {"POST /moderate", "read", "score"} <= {each.name for each in spans}
    [root] = [each for each in spans if each.name == "POST /moderate"]
    ours = attributes(root)
    assert ours["careerlens.request_id"] == answered.headers["x-request-id"]
    assert ours["careerlens.model.spam"] == "v1"
    assert watched.collector.resources[0]["service.name"] == "watched"
    [line] = [
        json.loads(line)
        for line in watched.server.log.splitlines()
        if answered.headers["x-request-id"] in line
    ]
    assert line["trace_id"] == trace
    assert 0 <= line["queue_ms"] <= line["ms"] + 1_000  # it begins before the request's own time
    assert line["models"] == {"spam": "v1", "toxicity": "v2"}
    assert CANARY.encode() not in watched.collector.raw


def test_counts_survive_a_worker_that_is_killed_and_its_gauges_do_not(watched: Watched) -> None:
    watched.moderate(watched.fresh[:100])
    before = watched.metrics()
    text = watched.server.client.get("/metrics").text
    workers = {int(pid) for pid in re.findall(r'cpu_seconds_total\{pid="(\d+)"', text)}
    assert len(workers) == 2
    victim = min(workers)
    os.kill(victim, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while True:
        try:
            text = watched.server.client.get("/metrics").text
        except httpx.TransportError:  # it was the one that answered
            text = ""
        living = {int(pid) for pid in re.findall(r'cpu_seconds_total\{pid="(\d+)"', text)}
        if len(living) == 2 and victim not in living:
            break
        assert time.monotonic() < deadline
        time.sleep(0.2)
    after = watched.metrics()
    for name in ("careerlens_messages_total", "careerlens_score_count"):
        assert after[name] == before[name]
    assert f"_{victim}.db" not in "".join(
        path.name for path in Path("/tmp").glob(f"careerlens-metrics-*/*_{victim}.db")
    )


def test_every_line_of_the_log_is_json_and_none_has_a_text(watched: Watched) -> None:
    watched.server.moderate(CANARY)
    watched.server.client.post("/moderate", content=f'{{"text": "{CANARY}'.encode())
    watched.server.client.get(f"/{CANARY}?q={CANARY}")
    watched.server.client.post("/resume/parse", files={"file": ("cv.pdf", CANARY.encode())})
    lines = watched.server.log.splitlines()
    assert lines
    for line in lines:
        assert {"event", "level", "timestamp"} <= set(json.loads(line)), line
    assert CANARY not in watched.server.log

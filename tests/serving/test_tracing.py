"""Traces and timings: right where wanted, absent where not, and never with a text."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from serving import tracing
from serving.exchange import JSON, Body, Reply, json_reply
from serving.front import Route
from serving.setting_error import SettingsError
from serving.tracing import is_wanted, note_models, span
from tests.otlp import Collector, attributes
from tests.serving.test_front import CANARY, Client

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


async def judge(body: Body) -> Reply:
    with span("queue"):
        await asyncio.sleep(0)
    with span("score", messages=1):
        note_models({"spam": "v3"})
    return json_reply({"bytes": len(body.content)})


async def fail(_: Body) -> Reply:
    with span("score"):
        raise ValueError(f"cannot read {CANARY}")


ROUTES = {
    "/judge": {"POST": Route(judge, takes=(JSON,))},
    "/fail": {"POST": Route(fail, takes=(JSON,))},
    "/probe": {"GET": Route(judge, probe=True)},
}


def post(client: Client, path: str = "/judge", **headers: str) -> httpx.Response:
    return client(
        "POST", path, content=f'"{CANARY}"'.encode(), headers={"content-type": JSON} | headers
    )


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    collector = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    tracing.start("1.2.3")
    yield collector
    tracing.stop()
    collector.close()


def test_a_request_is_one_trace_that_continues_the_callers(collector: Collector) -> None:
    client = Client(routes=ROUTES)
    post(client, traceparent=f"00-{TRACE}-{PARENT}-01")
    collector.wait(lambda arrived: len(arrived.spans) >= 5)
    [root] = collector.named("POST /judge")
    assert (root.trace_id.hex(), root.parent_span_id.hex()) == (TRACE, PARENT)
    parts = {each.name: each for each in collector.spans if each is not root}
    assert set(parts) == {"admit", "read", "queue", "score"}
    assert all(each.parent_span_id == root.span_id for each in parts.values())
    assert attributes(parts["score"]) == {"messages": 1}
    [line] = client.lines
    assert attributes(root) == {
        "http.request.method": "POST",
        "http.route": "/judge",
        "http.response.status_code": 200,
        "careerlens.request_id": line["request_id"],
        "careerlens.model.spam": "v3",
    }
    assert line["trace_id"] == TRACE
    assert collector.resources[0]["service.name"] == "careerlens"
    assert collector.resources[0]["service.version"] == "1.2.3"


def test_a_request_without_a_trace_begins_one(collector: Collector) -> None:
    client = Client(routes=ROUTES)
    post(client)
    post(client, traceparent="nonsense")
    collector.wait(lambda arrived: len(arrived.named("POST /judge")) == 2)
    traces = [each.trace_id.hex() for each in collector.named("POST /judge")]
    assert traces == [line["trace_id"] for line in client.lines]
    assert len(set(traces)) == 2


def test_a_caller_that_does_not_sample_leaves_no_trace(collector: Collector) -> None:
    client = Client(routes=ROUTES)
    post(client, traceparent=f"00-{TRACE}-{PARENT}-00")
    post(client)
    collector.wait(lambda arrived: len(arrived.named("POST /judge")) == 1)
    assert collector.named("POST /judge")[0].trace_id.hex() != TRACE


def test_a_failure_is_marked_and_nothing_of_its_text_leaves(collector: Collector) -> None:
    client = Client(routes=ROUTES)
    assert post(client, "/fail").status_code == 500
    collector.wait(lambda arrived: bool(arrived.named("POST /fail")))
    [root], [score] = collector.named("POST /fail"), collector.named("score")
    assert root.status.code == score.status.code == 2
    assert attributes(score)["error.type"] == "ValueError"
    assert CANARY.encode() not in collector.raw


def test_probes_and_addresses_of_others_making_leave_no_names(collector: Collector) -> None:
    client = Client(routes=ROUTES)
    client("GET", "/probe")
    client("GET", f"/{CANARY}")
    collector.wait(lambda arrived: bool(arrived.named("GET other")))
    assert not collector.named("GET /probe")
    assert CANARY.encode() not in collector.raw


def test_a_collector_that_is_away_costs_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    collector = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    collector.close()
    tracing.start("1")
    client = Client(routes=ROUTES)
    assert all(post(client).status_code == 200 for _ in range(20))
    started = time.monotonic()
    tracing.stop()
    assert time.monotonic() - started < 10  # and not the half minute that the exporter tries


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_SERVICE_NAME": "mine"}, False),
    ],
)
def test_the_standard_variables_say_whether_there_are_traces(
    environ: dict[str, str], wanted: bool
) -> None:
    assert is_wanted(environ) is wanted


@pytest.mark.parametrize(
    "chosen",
    [{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, {"OTEL_TRACES_EXPORTER": "zipkin"}],
)
def test_what_cannot_be_sent_stops_the_start(chosen: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="http/protobuf"):
        is_wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4317"} | chosen)


def test_without_an_exporter_none_of_opentelemetry_is_imported() -> None:
    code = (
        "import sys; from serving import tracing; tracing.start('1')\n"
        "with tracing.request({}), tracing.span('score'): pass\n"
        "print(sorted(name for name in sys.modules if name.startswith(('opentelemetry.sdk',"
        " 'opentelemetry.exporter', 'opentelemetry.proto'))))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.strip() == "[]"


def test_the_log_tells_the_parts_and_the_versions_without_any_trace() -> None:
    client = Client(routes=ROUTES)
    post(client)
    [line] = client.lines
    assert {"read_ms", "queue_ms", "score_ms"} <= set(line)
    assert all(line[part] >= 0 for part in ("read_ms", "queue_ms", "score_ms"))
    assert line["models"] == {"spam": "v3"}
    assert "trace_id" not in line


def test_parts_of_two_requests_at_a_time_do_not_mix() -> None:
    async def slow(body: Body) -> Reply:
        with span("slow"):
            await asyncio.sleep(0.05)
        return json_reply({"bytes": len(body.content)})

    client = Client(routes=ROUTES | {"/slow": {"POST": Route(slow, takes=(JSON,))}})

    async def both() -> None:
        transport = httpx.ASGITransport(client.front)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as caller:
            await asyncio.gather(
                caller.post("/slow", json={}), *(caller.post("/judge", json={}) for _ in range(3))
            )

    asyncio.run(both())
    by_route = {line["route"]: line for line in client.lines}
    assert "slow_ms" in by_route["/slow"]
    assert "slow_ms" not in by_route["/judge"]
    assert "score_ms" not in by_route["/slow"]

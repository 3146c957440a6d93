"""The log: JSON lines, whoever writes them, and no text of anybody's in them."""

import contextlib
import io
import json
import subprocess
import sys
import time
from pathlib import Path

from prometheus_client import CollectorRegistry

from serving.callers import Caller, current_caller
from serving.exchange import JSON, Body, Reply, json_reply
from serving.front import Route
from serving.key_ring import KeyMetrics, KeyRing
from serving.logs import open_log
from tests.factories import ROOT
from tests.serving.guarded import make_key
from tests.serving.test_front import CANARY, Client

#: What goes wrong in libraries and threads, with a text in it.
ACCIDENTS = f"""
import asyncio, logging, threading, warnings
from serving.logs import open_log, take_over

log = open_log("info")
logging.basicConfig()
logging.getLogger("bentoml").addHandler(logging.StreamHandler())
take_over(log)

try:
    raise ValueError("cannot read {CANARY}")
except ValueError:
    logging.getLogger("bentoml").exception("Exception on %s", "/moderate")
logging.getLogger("uvicorn.error").error("Exception in ASGI application\\n{CANARY}")
logging.getLogger("uvicorn.access").error('127.0.0.1 - "GET /?q={CANARY}"')
logging.getLogger("x").error("%d", "{CANARY}")
warnings.warn("input_value='{CANARY}'", UserWarning)

def die():
    raise ValueError("{CANARY}")

thread = threading.Thread(target=die, name="scoring")
thread.start()
thread.join()

async def main():
    asyncio.get_running_loop().create_task(forgotten())
    await asyncio.sleep(0)
    await asyncio.sleep(0)

async def forgotten():
    raise ValueError("{CANARY}")

asyncio.run(main())

class Careless:
    def __del__(self):
        raise ValueError("{CANARY}")

Careless()
"""


def test_what_libraries_say_is_one_json_line_each_and_no_text_of_an_error() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ACCIDENTS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert CANARY not in ran.stdout + ran.stderr
    lines = [json.loads(line) for line in ran.stderr.splitlines()]
    assert not ran.stdout
    by_event = {line["event"]: line for line in lines}
    assert by_event["Exception on /moderate"]["error"] == "ValueError"
    assert by_event["Exception on /moderate"]["place"] == ["<string>:11 <module>"]
    assert by_event["Exception in ASGI application"]["logger"] == "uvicorn.error"
    assert by_event["Task exception was never retrieved"]["logger"] == "asyncio"
    assert by_event["%d"]["level"] == "error"
    assert any(event.endswith("UserWarning") for event in by_event)
    uncaught = [line["where"] for line in lines if line["event"] == "uncaught"]
    assert uncaught == ["scoring", "unraisable"]
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)


def test_a_line_names_the_caller_by_its_key_and_nobody_where_there_is_none() -> None:
    async def keyed(body: Body) -> Reply:
        current_caller.set(Caller("platform", "k1", frozenset()))
        return json_reply({"bytes": len(body.content)})

    client = Client(routes={"/keyed": {"POST": Route(keyed, takes=(JSON,))}})
    client("POST", "/keyed", json={})
    client("GET", "/unknown")
    named, unnamed = client.lines
    assert (named["caller"], named["key"]) == ("platform", "k1")
    assert "caller" not in unnamed


def test_each_request_has_one_line() -> None:
    client = Client()
    answered = [client("GET", "/page"), client("GET", "/fail"), client("GET", "/no-such-page")]
    lines = [line for line in client.lines if line["event"] == "request"]
    ids = [each.headers["x-request-id"] for each in answered]
    assert [line["request_id"] for line in lines] == ids
    assert [line["status"] for line in lines] == [200, 500, 404]


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    make_key(keys)
    with open("/dev/full", "w") as full:
        log = open_log("info", full)
        log.info("lost" * 10_000)
        ring = KeyRing(keys, KeyMetrics(CollectorRegistry()), log)
        ring.start()
        try:
            newer = make_key(keys)  # the ring says that it read the file
            deadline = time.monotonic() + 10
            while ring.find(newer) is None:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            newest = make_key(keys)
            while ring.find(newest) is None:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        finally:
            ring.stop()
        with contextlib.suppress(OSError):
            full.close()


def test_what_is_not_utf_8_is_written_all_the_same() -> None:
    stream = io.StringIO()
    open_log("info", stream).info("read", file="cv-\udc80.pdf", when=None)
    assert json.loads(stream.getvalue())["file"] == "cv-\udc80.pdf"

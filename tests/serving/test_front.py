"""The layer before BentoML, with small applications in BentoML's place."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from serving.cors import Cors
from serving.errors import NotReadyError
from serving.exchange import (
    ARRIVED,
    JSON,
    MULTIPART,
    App,
    Body,
    Receive,
    Reply,
    Scope,
    Send,
    UploadMemory,
    arrival,
    json_reply,
)
from serving.front import Front, Route, Routes
from serving.gate import open_gate
from serving.logs import open_log
from serving.metrics import Metrics
from serving.settings import Settings

CANARY = "canary-7f3a"
HOME = "http://localhost"
HERE = {"client": ("127.0.0.1", 50_000)}
LIMIT = 2_000
UPLOAD_LIMIT = 8_000


async def echo_length(body: Body) -> Reply:
    return json_reply({"bytes": len(body.content)})


async def fail(_: Body) -> Reply:
    raise ValueError(f"cannot read {CANARY}")


async def hang(_: Body) -> Reply:
    await asyncio.sleep(60)
    raise AssertionError


async def unready(_: Body) -> Reply:
    raise NotReadyError("not loaded yet: spam")


ROUTES: Routes = {
    "/read": {"POST": Route(echo_length, takes=(JSON,))},
    "/upload": {"POST": Route(echo_length, (MULTIPART, JSON), UPLOAD_LIMIT)},
    "/page": {"GET": Route(echo_length)},
    "/fail": {"GET": Route(fail)},
    "/hang": {"GET": Route(hang)},
    "/unready": {"GET": Route(unready)},
    "/probe": {"GET": Route(echo_length, probe=True)},
    "/file": {"GET": Route(unready, probe=True)},
    "/health": {"GET": Route(unready, probe=True, health=True)},
    "/inner": {"GET": Route(), "POST": Route()},
}


async def no_app(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("only routes without an answer of ours go on")


class Client:
    """A front, what it logged, and a way to call it."""

    def __init__(
        self,
        app: App = no_app,
        level: str = "info",
        routes: Routes = ROUTES,
        timeout_seconds: float = 0.2,
    ) -> None:
        self.stream = io.StringIO()
        self.metrics = Metrics()
        log = open_log(level, self.stream)
        self.front = Front(
            app,
            routes=routes,
            max_body_bytes=LIMIT,
            memory=UploadMemory(UPLOAD_LIMIT),
            gate=open_gate(Settings(), self.metrics.registry, log),
            cors=Cors(()),
            timeout_seconds=timeout_seconds,
            metrics=self.metrics,
            log=log,
        )

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.front)
            async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


def post_json(client: Client, body: bytes, **headers: str) -> httpx.Response:
    return client(
        "POST",
        "/read",
        content=body,
        headers={"content-type": "application/json"}
        | {name.replace("_", "-"): value for name, value in headers.items()},
    )


@pytest.mark.parametrize("given", ["abc-123", "A.b:c_9", "x" * 64])
def test_a_plain_request_id_is_taken_over(given: str) -> None:
    answered = Client()("GET", "/page", headers={"x-request-id": given})
    assert answered.headers["x-request-id"] == given
    assert answered.json()["request_id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>", "a\tb", "ü"])
def test_any_other_request_id_is_replaced(given: str) -> None:
    answered = Client()("GET", "/page", headers={"x-request-id": given.encode()})
    made = answered.headers["x-request-id"]
    assert made != given
    assert len(made) == 32
    assert answered.json()["request_id"] == made


@pytest.mark.parametrize(
    "given",
    ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'],
)
def test_json_in_utf8_is_taken(given: str) -> None:
    assert post_json(Client(), b"{}", content_type=given).json()["bytes"] == 2


@pytest.mark.parametrize(
    "given",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/jsonp",
        "application/vnd.bentoml+pickle",
    ],
)
def test_another_content_type_is_refused(given: str) -> None:
    answered = post_json(Client(), CANARY.encode(), content_type=given)
    assert answered.status_code == 415
    assert answered.json()["error"] == "unsupported_media_type"
    assert CANARY not in answered.text


def test_a_compressed_body_is_refused() -> None:
    assert post_json(Client(), b"{}", content_encoding="gzip").status_code == 415


def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    client = Client()
    assert post_json(client, b"x" * LIMIT).status_code == 200
    answered = post_json(client, b"x" * (LIMIT + 1))
    assert answered.status_code == 413
    assert answered.json()["error"] == "body_too_large"
    assert answered.headers["connection"] == "close"


def test_a_refusal_keeps_the_connection_unless_the_request_was_not_read() -> None:
    client = Client()
    assert "connection" not in client("GET", "/nope").headers
    assert "connection" not in post_json(client, b"").headers
    assert client("POST", "/nope", content=b"unread").headers["connection"] == "close"


FORM = {"content-type": "multipart/form-data; boundary=x"}


def test_a_route_with_a_limit_of_its_own_takes_more_and_not_everything() -> None:
    client = Client()
    assert client("POST", "/upload", content=b"x" * UPLOAD_LIMIT, headers=FORM).status_code == 200
    answered = client("POST", "/upload", content=b"x" * (UPLOAD_LIMIT + 1), headers=FORM)
    assert (answered.status_code, answered.json()["error"]) == (413, "body_too_large")
    assert client("POST", "/read", content=b"{}", headers=FORM).status_code == 415
    assert client("POST", "/upload", content=b"", headers={}).status_code == 415


def test_uploads_share_their_memory_and_what_is_too_much_is_told_when_to_come_back() -> None:
    async def at_once() -> list[httpx.Response]:
        held, release = asyncio.Event(), asyncio.Event()

        async def hold(body: Body) -> Reply:
            held.set()
            await release.wait()
            return await echo_length(body)

        async def unmeasured() -> AsyncIterator[bytes]:  # a body that does not say how long it is
            for _ in range(11):
                yield b"x"

        routes = {**ROUTES, "/held": {"POST": Route(hold, (MULTIPART,), UPLOAD_LIMIT)}}
        transport = httpx.ASGITransport(Client(routes=routes, timeout_seconds=60).front)
        async with httpx.AsyncClient(transport=transport, base_url=HOME) as caller:
            most = b"x" * (UPLOAD_LIMIT - 10)
            first = asyncio.create_task(caller.post("/held", content=most, headers=FORM))
            await held.wait()
            answers = [
                await caller.post("/upload", content=b"x" * 11, headers=FORM),
                await caller.post("/upload", content=unmeasured(), headers=FORM),
                await caller.post("/upload", content=b"x" * 10, headers=FORM),
                await caller.post("/read", content=b"x" * LIMIT, headers={"content-type": JSON}),
            ]
            release.set()
            await first
            again = await caller.post("/upload", content=b"x" * UPLOAD_LIMIT, headers=FORM)
            return [*answers, again]

    answers = asyncio.run(at_once())
    assert [answer.status_code for answer in answers] == [503, 503, 200, 200, 200]
    assert answers[0].json()["error"] == answers[1].json()["error"] == "busy"
    assert int(answers[0].headers["retry-after"]) > 0


def test_usual_bodies_have_a_memory_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.front.USUAL_BODIES", 1)

    async def at_once() -> list[int]:
        held, release = asyncio.Event(), asyncio.Event()

        async def hold(body: Body) -> Reply:
            held.set()
            await release.wait()
            return await echo_length(body)

        routes = {**ROUTES, "/held": {"POST": Route(hold, (JSON,))}}
        transport = httpx.ASGITransport(Client(routes=routes, timeout_seconds=60).front)
        async with httpx.AsyncClient(transport=transport, base_url=HOME) as caller:
            kind = {"content-type": JSON}
            first = asyncio.create_task(
                caller.post("/held", content=b"x" * (LIMIT - 1), headers=kind)
            )
            await held.wait()
            answers = [
                await caller.post("/read", content=b"xx", headers=kind),
                await caller.post("/read", content=b"x", headers=kind),
                await caller.post("/upload", content=b"x" * UPLOAD_LIMIT, headers=FORM),
            ]
            release.set()
            return [answered.status_code for answered in (*answers, await first)]

    assert asyncio.run(at_once()) == [503, 200, 200, 200]


def test_who_announces_an_upload_and_sends_nothing_keeps_nobody_out() -> None:
    async def at_once() -> httpx.Response:
        release, silent = asyncio.Event(), 0

        async def nothing() -> AsyncIterator[bytes]:
            nonlocal silent
            silent += 1
            await release.wait()
            yield b""

        transport = httpx.ASGITransport(Client(timeout_seconds=60).front)
        async with httpx.AsyncClient(transport=transport, base_url=HOME) as caller:
            announced = FORM | {"content-length": str(UPLOAD_LIMIT)}
            waiting = [
                asyncio.create_task(caller.post("/upload", content=nothing(), headers=announced))
                for _ in range(20)
            ]
            while silent < 20:
                await asyncio.sleep(0)
            served = await caller.post("/upload", content=b"x" * UPLOAD_LIMIT, headers=FORM)
            release.set()
            await asyncio.gather(*waiting)
            return served

    assert asyncio.run(at_once()).status_code == 200


def test_a_body_that_says_it_is_too_large_is_refused_unread() -> None:
    client = Client()
    sent: list[Any] = []

    async def receive() -> Any:
        assert sent, "read before it was refused"
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-length", b"9" * 5_000)]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/read",
        "headers": headers,
        "client": ("127.0.0.1", 1),
    }
    asyncio.run(client.front(scope, receive, send))
    assert sent[0]["status"] == 413


def test_what_waits_is_counted_from_when_the_connection_read_it() -> None:
    async def how_long(_: Body) -> Reply:
        return json_reply({"waited": arrival().taken - arrival().read})

    async def receive() -> Any:
        raise AssertionError

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    client = Client()
    client.front.routes = {"/wait": {"GET": Route(how_long)}}
    scope = {"type": "http", "method": "GET", "path": "/wait", "headers": [], **HERE}
    for more, least, most in (({}, 0, 5), ({ARRIVED: time.monotonic() - 7}, 7, 12)):
        asyncio.run(client.front(scope | more, receive, send))
        assert least <= json.loads(sent[-1]["body"])["waited"] < most


def test_a_body_without_an_end_is_refused_at_the_limit() -> None:
    client = Client()
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1_000
            yield b"x" * 1_000

    answered = post_json(client, endless())  # type: ignore[arg-type]
    assert answered.status_code == 413
    assert read < 20_000_000  # what is drained for the client's sake has an end too


def test_a_failure_tells_neither_caller_nor_log_what_was_read() -> None:
    client = Client()
    answered = client("GET", "/fail")
    assert answered.status_code == 500
    assert answered.json()["error"] == "internal_error"
    assert CANARY not in answered.text
    assert CANARY not in client.stream.getvalue()
    [failure, request] = client.lines
    assert failure["error"] == "ValueError"
    assert "fail" in failure["place"][-1]
    assert failure["request_id"] == request["request_id"] == answered.json()["request_id"]


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    answered = Client()("GET", "/hang")
    assert answered.status_code == 503
    assert answered.json()["error"] == "timeout"
    assert int(answered.headers["retry-after"]) > 0


def test_not_ready_is_a_503_that_says_when_to_come_back() -> None:
    answered = Client()("GET", "/unready")
    assert answered.status_code == 503
    assert answered.json()["error"] == "not_ready"
    assert int(answered.headers["retry-after"]) > 0


def test_a_request_is_one_line_of_the_log_and_an_unknown_path_is_not_in_it() -> None:
    client = Client()
    client("GET", f"/{CANARY}?q={CANARY}")
    [line] = client.lines
    assert (line["method"], line["route"], line["status"]) == ("GET", "other", 404)
    assert line["ms"] >= 0
    assert CANARY not in client.stream.getvalue()


def test_probes_are_logged_only_when_asked_for() -> None:
    quiet, talkative = Client(), Client(level="debug")
    quiet("GET", "/probe")
    talkative("GET", "/probe")
    assert quiet.lines == []
    assert [line["route"] for line in talkative.lines] == ["/probe"]


def test_one_that_fails_is_logged_unless_it_is_there_to_say_so() -> None:
    client = Client()
    assert client("GET", "/health").status_code == 503
    assert client("GET", "/file").status_code == 503
    assert [line["route"] for line in client.lines] == ["/file"]


def test_a_client_that_leaves_is_counted_and_holds_up_no_layer_outside() -> None:
    client = Client()
    sent = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)  # the HTTP server drops it; BentoML's timer stops at it

    headers = [(b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/read",
        "headers": headers,
        "client": ("127.0.0.1", 1),
    }
    asyncio.run(client.front(scope, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert b'status="499"' in client.metrics.render()


async def answer(send: Send, status: int, *parts: bytes) -> None:
    headers = [(b"content-type", b"text/plain"), (b"x-inner", b"yes")]
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": headers,
            "client": ("127.0.0.1", 1),
        }
    )
    for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def test_a_good_answer_of_the_inner_application_goes_through() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await answer(send, 200, b"one ", b"two")

    answered = Client(app)("GET", "/inner", headers={"x-request-id": "given"})
    assert answered.text == "one two"
    assert answered.headers["x-inner"] == "yes"
    assert answered.headers["x-request-id"] == "given"


@pytest.mark.parametrize(("status", "code"), [(400, "bad_request"), (500, "internal_server_error")])
def test_an_error_of_the_inner_application_is_put_into_the_one_shape(
    status: int, code: str
) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await answer(send, status, CANARY.encode())

    answered = Client(app)("GET", "/inner")
    assert answered.status_code == status
    assert answered.json()["error"] == code
    assert set(answered.json()) == {"error", "detail", "request_id"}
    assert CANARY not in answered.text


def test_the_inner_application_cannot_read_past_the_limit_nor_hide_that_it_tried() -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while (await receive()).get("more_body"):
                pass
        except Exception:
            await answer(send, 500, b"failed")  # as BentoML does with whatever is raised

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 1_000

    answered = Client(app)("POST", "/inner", content=parts())
    assert answered.status_code == 413


def test_start_and_stop_messages_go_through() -> None:
    seen = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    asyncio.run(Client(app).front({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]


def test_what_a_server_that_ends_gives_up_is_told_so() -> None:
    async def end_meanwhile(client: Client) -> httpx.Response:
        asking = asyncio.current_task()
        assert asking is not None
        asyncio.get_running_loop().call_later(0.05, asking.cancel)
        transport = httpx.ASGITransport(client.front)
        async with httpx.AsyncClient(transport=transport, base_url=HOME) as caller:
            return await caller.get("/hang")

    client = Client(timeout_seconds=60)
    answered = asyncio.run(end_meanwhile(client))
    assert (answered.status_code, answered.json()["error"]) == (503, "timeout")
    assert answered.headers["retry-after"]
    assert client.lines[-1]["status"] == 503

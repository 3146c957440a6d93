"""Throw malformed requests at a server, and see that it bears them.

python -m tests.e2e.fuzz --requests 20000
"""

import argparse
import asyncio
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

import pipelines  # noqa: F401  pins the numeric kernels before numpy is imported
from models.manifest import KINDS
from tests.e2e import malformed_bodies, malformed_http
from tests.e2e.attempts import CANARY, Attempt
from tests.e2e.conftest import Server, serving, tiny_hub
from tests.factories import make_release

Family = Callable[[random.Random], Attempt]

FAMILIES: dict[str, Family] = {
    "JSON, spoiled": malformed_bodies.spoiled_json,
    "JSON, odd values": malformed_bodies.odd_json,
    "forms, spoiled": malformed_bodies.spoiled_form,
    "forms, simple": malformed_bodies.spoiled_fields,
    "documents": malformed_bodies.odd_document,
    "heads": malformed_http.odd_head,
    "lengths": malformed_http.wrong_length,
    "chunks": malformed_http.wrong_chunks,
    "paths": malformed_http.odd_path,
    "methods": malformed_http.odd_method,
    "protocol": malformed_http.odd_protocol,
    "senders": malformed_http.odd_sender,
}

#: A 503 that says one of these is an answer; every other 5xx is a fault.
NOT_NOW = ("busy", "adzuna_keys_missing")

# What is said before there is a request to a route, whatever the route.
_NO_REQUEST = frozenset({"malformed_request", "head_too_slow", "head_too_large"})
_NO_CODE = "-"

# Where texts are meant to be: what moderators decided.
_FEEDBACK = "feedback.db*"

_AT_ONCE = 16
_PATIENCE_SECONDS = 0.25
_MOST_SECONDS = 20.0
_SHARE_OF_HTTPX = 0.3

MEBIBYTE = 1024 * 1024
#: What workers may have gained at the end over what they had when half was sent: caches fill.
MOST_GAIN = 32 * MEBIBYTE


@dataclass(frozen=True)
class Answer:
    """A status, the headers as they came, and the body."""

    status: int
    head: bytes
    body: bytes


@dataclass
class Outcome:
    """What came of it all."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    before: int = 0
    after: int = 0
    seconds: float = 0.0

    def table(self) -> str:
        """Return how each family was answered, as lines of text."""
        lines = []
        for family in FAMILIES:
            found = {said: count for (name, said), count in self.answers.items() if name == family}
            counts = ", ".join(f"{said}: {found[said]}" for said in sorted(found))
            lines.append(f"{family:18} {sum(found.values()):6}   {counts}")
        return "\n".join(lines)


class Fuzz:
    """Sends attempts to one server and judges what it answers.

    Parameters
    ----------
    port : int
    seed : int
        The same gives the same attempts.
    """

    def __init__(self, port: int, seed: int) -> None:
        self._port = port
        self._seed = seed
        address = f"http://127.0.0.1:{port}"
        self._paths: Mapping[str, Any] = httpx.get(
            f"{address}/docs.json", timeout=30, trust_env=False
        ).json()["paths"]
        self._client = httpx.AsyncClient(
            base_url=address, timeout=_MOST_SECONDS, trust_env=False, follow_redirects=False
        )
        self.outcome = Outcome()

    async def send(self, numbers: Iterable[int]) -> None:
        """Send the attempts of these numbers, some at a time."""
        waiting = iter(numbers)

        async def sender() -> None:
            for number in waiting:
                await self._send_one(number)

        await asyncio.gather(*(sender() for _ in range(_AT_ONCE)))

    async def aclose(self) -> None:
        """Close the connections that are kept."""
        await self._client.aclose()

    async def _send_one(self, number: int) -> None:
        rng = random.Random(f"{self._seed}/{number}")
        family = tuple(FAMILIES)[number % len(FAMILIES)]
        attempt = FAMILIES[family](rng)
        try:
            async with asyncio.timeout(_MOST_SECONDS):
                if attempt.raw is None and rng.random() < _SHARE_OF_HTTPX:
                    answers = [await self._by_httpx(attempt)]
                else:
                    answers = list(_answers(await self._by_socket(attempt), attempt.method))
        except TimeoutError:
            self._fault(number, family, attempt, "no answer and no end")
            return
        except (ConnectionError, httpx.TransportError):
            answers = []
        if not answers:
            self.outcome.answers[family, "closed"] += 1
        for answer in answers:
            self.outcome.answers[family, str(answer.status)] += 1
            if (reason := self._judge(attempt, answer)) is not None:
                self._fault(number, family, attempt, f"{reason}: {answer.body[:200]!r}")

    def _fault(self, number: int, family: str, attempt: Attempt, reason: str) -> None:
        sent = b"|".join(attempt.chunks())[:300]
        self.outcome.faults.append(f"{number} ({family}): {reason}\n    {sent!r}")

    async def _by_httpx(self, attempt: Attempt) -> Answer:
        headers = {name: value.encode() for name, value in attempt.headers.items()}
        answered = await self._client.request(
            attempt.method, attempt.path, headers=headers, content=attempt.body
        )
        head = b"\r\n".join(name + b": " + value for name, value in answered.headers.raw)
        return Answer(answered.status_code, head.lower(), answered.content)

    async def _by_socket(self, attempt: Attempt) -> bytes:
        """Return everything that the server sends until it closes the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        received = b""
        try:
            for chunk in attempt.chunks():
                writer.write(chunk)
                await writer.drain()
                await asyncio.sleep(attempt.pause)
            if attempt.hang_up:
                return b""
            if attempt.half_close:
                received = await _read_for(reader, _PATIENCE_SECONDS)
                writer.write_eof()
            return received + await reader.read(-1)
        except ConnectionError:
            return received
        finally:
            writer.close()

    def _judge(self, attempt: Attempt, answer: Answer) -> str | None:
        """Return what is wrong with an answer, None if nothing is."""
        if answer.status < 400:
            return None
        if CANARY.encode() in answer.head + answer.body.lower():
            return "the input is echoed"
        if b"content-type: application/json" not in answer.head:
            return "a refusal that is not JSON"
        code = _NO_CODE
        if answer.body:
            said = json.loads(answer.body)
            if set(said) != {"error", "detail", "request_id"}:
                return "a refusal of another shape"
            code = said["error"]
        if answer.status >= 500 and not (answer.status == 503 and code in NOT_NOW):
            return f"status {answer.status}"
        return self._undocumented(attempt, answer.status, code)

    def _undocumented(self, attempt: Attempt, status: int, code: str) -> str | None:
        operation = self._paths.get(attempt.path, {}).get(attempt.method.lower())
        if operation is None or code in _NO_REQUEST:
            return None
        described = operation["responses"].get(str(status))
        if described is None:
            return f"status {status} is not in the description"
        schema = described["content"]["application/json"]["schema"]
        if code not in schema["properties"]["error"]["enum"]:
            return f"code {code} is not in the description"
        return None


async def _read_for(reader: asyncio.StreamReader, seconds: float) -> bytes:
    received = b""
    try:
        async with asyncio.timeout(seconds):
            while piece := await reader.read(65_536):
                received += piece
    except TimeoutError:
        pass
    return received


def _answers(received: bytes, method: str) -> Iterator[Answer]:
    """Yield the answers on one connection; the last may have no end."""
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.[01] (\d{3})", head)
        assert status is not None, received[:200]
        length = re.search(rb"(?im)^content-length: *(\d+)", head)
        size = int(length[1]) if length is not None else len(rest)
        if int(status[1]) < 200 or (method == "HEAD" and rest[:1] != b"{"):
            size = 0
        if int(status[1]) >= 200 and len(rest) >= size:
            yield Answer(int(status[1]), head.lower(), rest[:size])
        received = rest[size:]


def leaks(folder: Path) -> list[str]:
    """Return the files below ``folder`` that hold something of what was sent."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.match(_FEEDBACK))
    return [str(path) for path in files if CANARY.encode() in path.read_bytes().lower()]


def fuzz(server: Server, requests: int, seed: int = 0) -> Outcome:
    """Send so many malformed requests to a server and return what came of them."""
    started = time.monotonic()
    master = psutil.Process(server.process.pid)
    workers = master.children()
    began = {worker.pid: worker.create_time() for worker in workers}

    async def main() -> Outcome:
        run = Fuzz(server.port, seed)
        outcome = run.outcome
        await run.send(range(requests // 2))
        outcome.before = sum(worker.memory_info().rss for worker in workers)
        await run.send(range(requests // 2, requests))
        await run.aclose()
        return outcome

    outcome = asyncio.run(main())
    ended = {worker.pid: worker.create_time() for worker in master.children()}
    if ended != began:
        outcome.faults.append(f"workers were {began} and are {ended}")
    else:
        outcome.after = sum(worker.memory_info().rss for worker in workers)
    if server.moderate("Hello there").status_code != 200:
        outcome.faults.append("it no longer answers")
    if "Traceback" in server.log:
        outcome.faults.append("there is a traceback in the log")
    outcome.faults += [f"the input is in {name}" for name in leaks(server.log_file.parent)]
    outcome.seconds = time.monotonic() - started
    return outcome


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        for kind in KINDS:
            make_release(folder / "releases" / kind, kind)
        hub = tiny_hub({kind: folder / "releases" / kind for kind in KINDS}, folder)
        chosen = {
            "CAREERLENS_HUB": str(hub),
            "CAREERLENS_LOG_LEVEL": "debug",
            "CAREERLENS_DATABASE_TIMEOUT_SECONDS": "20",
        }
        with serving(folder / "home", **chosen) as server:
            server.wait("/readyz")
            outcome = fuzz(server, args.requests, args.seed)
    gain = (outcome.after - outcome.before) / MEBIBYTE
    print(outcome.table())
    print(
        f"{args.requests} attempts in {outcome.seconds:.0f} s; memory of the workers "
        f"{outcome.before / MEBIBYTE:.0f} MiB after half, {outcome.after / MEBIBYTE:.0f} MiB at "
        f"the end ({gain:+.0f}); {len(outcome.faults)} faults"
    )
    for fault in outcome.faults[:50]:
        print(fault)
    sys.exit(bool(outcome.faults) or outcome.after - outcome.before > MOST_GAIN)


if __name__ == "__main__":
    main()

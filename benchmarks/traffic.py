"""Mixed traffic from the starter corpus: who asks for what, when, and what became of it."""

import asyncio
import csv
import itertools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from fpdf import FPDF

STARTER = Path(__file__).resolve().parent.parent / "data" / "starter"

#: Of a hundred requests, how many are of each route.
MIX = {
    "/moderate": 80,
    "/moderate/batch": 4,
    "/skills/extract": 5,
    "/resume/parse": 3,
    "/resume/analyze": 3,
    "/jobs/recommend": 3,
    "/feedback": 2,
}

#: Messages of one batch.
BATCH = 20

# Seconds between the requests of an only caller.
_PAUSE = 0.002

# Seconds to which asyncio rounds its timers up, and some.
_TICK = 0.0015

#: Seconds after which a request without an answer is lost.
PATIENCE = 40.0

JOB = "Backend developer. You know Python, PostgreSQL and Kafka well, and have five years of it."


@dataclass(frozen=True)
class Outcome:
    """One request.

    Attributes
    ----------
    due : float
        When it was to be sent, in seconds since the phase began.
    seconds : float
        From then until the whole answer was there: what the sender was late counts.
    status : int or None
        None if there was no answer.
    """

    route: str
    due: float
    seconds: float
    status: int | None


class Corpus:
    """Request bodies; every message is another one, so that no answer is kept from before."""

    def __init__(self) -> None:
        with (STARTER / "messages.csv").open(encoding="utf-8") as file:
            self._messages = [row["text"] for row in csv.DictReader(file)]
        resumes = yaml.safe_load((STARTER / "jobs" / "resumes.yaml").read_text("utf-8"))
        self._resumes = [resume["text"] for resume in resumes]
        self._files = [_pdf(text) for text in self._resumes]
        self._numbers = itertools.count()

    def message(self) -> str:
        """Return a message that was not there before."""
        return f"{random.choice(self._messages)} {next(self._numbers)}"

    def request(self, route: str) -> dict[str, Any]:
        """Return what aiohttp is to send to ``route``."""
        resume = f"{random.choice(self._resumes)}\n{next(self._numbers)}"
        if route == "/moderate":
            return {"json": {"text": self.message()}}
        if route == "/moderate/batch":
            return {"json": {"texts": [self.message() for _ in range(BATCH)]}}
        if route == "/feedback":
            return {"json": {"text": self.message(), "spam": True}}
        if route == "/resume/parse":
            form = aiohttp.FormData()
            form.add_field("file", random.choice(self._files), filename="resume.pdf")
            return {"data": form}
        if route == "/resume/analyze":
            return {"json": {"text": resume, "job_description": JOB}}
        return {"json": {"text": resume}}


class Traffic:
    """Sends requests and notes what becomes of them.

    Parameters
    ----------
    address : str
        Of the service.
    routes : mapping of str to int
        Weights.
    """

    def __init__(self, address: str, routes: dict[str, int], corpus: Corpus) -> None:
        self._address = address
        self._routes = routes
        self._corpus = corpus

    async def alone(self, requests: int, seconds: float) -> list[Outcome]:
        """Ask /moderate one after the other, as often as there is time for at most."""
        async with self._session() as session:
            phase = _Phase(session)
            while len(phase.outcomes) < requests and phase.now() < seconds:
                await phase.send("/moderate", self._corpus.request("/moderate"), phase.now())
                await asyncio.sleep(_PAUSE)
            return phase.outcomes

    async def in_turn(self, callers: int, seconds: float) -> list[Outcome]:
        """Let ``callers`` ask one thing after another, each waiting for its answer."""
        async with self._session() as session:
            phase = _Phase(session)
            choices = self._choices()

            async def ask() -> None:
                while phase.now() < seconds:
                    route = next(choices)
                    await phase.send(route, self._corpus.request(route), phase.now())

            await asyncio.gather(*(ask() for _ in range(callers)))
            return phase.outcomes

    async def at_rate(
        self, rate: float, seconds: float, every_second: Callable[[], None] = lambda: None
    ) -> list[Outcome]:
        """Send ``rate`` requests a second, at random moments, whatever becomes of them."""
        async with self._session() as session:
            phase = _Phase(session)
            choices = self._choices()
            sent: set[asyncio.Task[None]] = set()
            due, told = 0.0, 0.0
            while (due := due + random.expovariate(rate)) < seconds:
                route = next(choices)
                request = self._corpus.request(route)
                await phase.until(due)
                task = asyncio.create_task(phase.send(route, request, due))
                sent.add(task)
                task.add_done_callback(sent.discard)
                if due - told >= 1:
                    told = due
                    every_second()
            await asyncio.gather(*sent)  # those that are not done yet
            return phase.outcomes

    def _choices(self) -> Iterator[str]:
        routes, weights = list(self._routes), list(self._routes.values())
        while True:
            yield from random.choices(routes, weights, k=100)

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            self._address,
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=PATIENCE),
        )


@dataclass
class _Phase:
    session: aiohttp.ClientSession
    outcomes: list[Outcome] = field(default_factory=list)
    _start: float = field(default_factory=time.perf_counter)

    def now(self) -> float:
        return time.perf_counter() - self._start

    async def until(self, due: float) -> None:
        """Wait until then; the last moment turn by turn, as a timer is late by up to a tick."""
        while (left := due - self.now()) > 0:
            await asyncio.sleep(max(0.0, left - _TICK))

    async def send(self, route: str, request: dict[str, Any], due: float) -> None:
        status: int | None = None
        try:
            async with self.session.post(route, **request) as answered:
                await answered.read()
                status = answered.status
        except (aiohttp.ClientError, TimeoutError):
            pass
        self.outcomes.append(Outcome(route, due, self.now() - due, status))


def _pdf(text: str) -> bytes:
    page = FPDF(unit="pt")
    page.add_page()
    page.set_font("helvetica", size=10)
    page.multi_cell(0, 13, text.encode("latin-1", "replace").decode("latin-1"))
    return bytes(page.output())

"""Callers at once: each on a connection of its own, asking one thing after another, noting answers.

Nothing is judged while they ask: that would take the machine's time from the service.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import aiohttp

#: How many callers there are.
CALLERS = 16

#: Of so many requests, how many are of each kind.
MIX = {"/moderate": 92, "/moderate/batch": 2, "/skills/extract": 3, "/models": 3}

#: Texts of one batch: long enough to be scored slice by slice, in another thread.
BATCH = 12

_STAGGER = 0.1


@dataclass(frozen=True)
class Asked:
    """One request that was answered.

    Attributes
    ----------
    texts : tuple of int
        Numbers of the texts it had.
    spam : str or None
        The version of the spam model that gave the verdicts, if there are any.
    """

    path: str
    texts: tuple[int, ...]
    body: bytes
    seconds: float
    spam: str | None


@dataclass
class Caller:
    """One connection, and what came over it.

    Attributes
    ----------
    versions : list of str
        The spam versions that answered, in order, without repetitions.
    """

    number: int
    asked: list[Asked] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)


class Crowd:
    """The callers.

    Parameters
    ----------
    address : str
        Of the service.
    texts : sequence of str
    pause : float
        Seconds between an answer and the next request, at most.
    key : str, optional
        What opens the service.
    """

    def __init__(
        self, address: str, texts: Sequence[str], pause: float, key: str | None = None
    ) -> None:
        self.callers = [Caller(number) for number in range(CALLERS)]
        self.last_answer: dict[str, float] = {}
        self._address = address
        self._texts = texts
        self._pause = pause
        self._headers = {} if key is None else {"x-api-key": key}
        self._leave = asyncio.Event()

    @property
    def requests(self) -> int:
        """How many requests were sent and answered, or failed."""
        return sum(len(caller.asked) + len(caller.failures) for caller in self.callers)

    @property
    def asked(self) -> list[Asked]:
        """What was answered."""
        return [asked for caller in self.callers for asked in caller.asked]

    @property
    def failures(self) -> list[str]:
        """What went wrong."""
        return [failure for caller in self.callers for failure in caller.failures]

    async def ask(
        self, for_the_others: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        """Ask until :meth:`leave`; the second half of the callers come within a context."""
        try:
            async with asyncio.TaskGroup() as group:
                await self._come(group, self.callers[: CALLERS // 2])
                with for_the_others():
                    await self._come(group, self.callers[CALLERS // 2 :])
        finally:
            self.leave()

    async def _come(self, group: asyncio.TaskGroup, callers: Sequence[Caller]) -> None:
        for caller in callers:
            group.create_task(self._ask(caller))
            # A worker that finds several connections waiting takes all of them.
            await asyncio.sleep(_STAGGER)

    def leave(self) -> None:
        """Let every caller wait for the answer it is about to get, and end."""
        self._leave.set()

    async def until(self, requests: int) -> None:
        """Wait until so many requests were sent."""
        while self.requests < requests:
            await self._moment()

    async def until_all_see(self, version: str, seconds: float) -> None:
        """Wait until the last answer that each caller got is one of spam ``version``."""
        deadline = time.monotonic() + seconds
        while any(caller.versions[-1:] != [version] for caller in self.callers):
            if time.monotonic() > deadline:
                seen = Counter(caller.versions[-1] for caller in self.callers if caller.versions)
                raise TimeoutError(f"after {seconds:.0f} s the callers see {dict(seen)}")
            await self._moment()

    async def _moment(self) -> None:
        if self._leave.is_set():
            raise RuntimeError("the callers gave up")
        await asyncio.sleep(0.02)

    async def _ask(self, caller: Caller) -> None:
        chance = random.Random(caller.number)
        async with aiohttp.ClientSession(
            self._address,
            headers=self._headers,
            connector=aiohttp.TCPConnector(limit=1),
            timeout=aiohttp.ClientTimeout(total=30),
        ) as session:
            # The worker at the other end of this connection may be the last to load its models.
            while not await _is_ready(session):
                await self._moment()
            while not self._leave.is_set():
                [path] = chance.choices(list(MIX), list(MIX.values()))
                size = {"/models": 0, "/moderate/batch": BATCH}.get(path, 1)
                texts = tuple(chance.randrange(len(self._texts)) for _ in range(size))
                await self._send(session, caller, path, texts)
                await asyncio.sleep(chance.uniform(0, self._pause))

    async def _send(
        self, session: aiohttp.ClientSession, caller: Caller, path: str, texts: tuple[int, ...]
    ) -> None:
        started = time.perf_counter()
        try:
            async with session.request(
                "POST" if texts else "GET", path, json=self._payload(path, texts)
            ) as response:
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            caller.failures.append(f"{path}: {type(error).__name__} {error}")
            return
        seconds = time.perf_counter() - started
        if response.status != 200:
            caller.failures.append(f"{path}: {response.status} {body[:200]!r}")
            return
        versions = spam_versions(path, body)
        if len(versions) > 1:
            caller.failures.append(f"{path}: one answer of versions {sorted(versions)}")
            return
        spam = next(iter(versions), None)
        caller.asked.append(Asked(path, texts, body, seconds, spam))
        if spam is not None:
            self.last_answer[spam] = time.monotonic()
            if caller.versions[-1:] != [spam]:
                caller.versions.append(spam)

    def _payload(self, path: str, texts: tuple[int, ...]) -> dict[str, str | list[str]] | None:
        if path == "/moderate/batch":
            return {"texts": [self._texts[number] for number in texts]}
        return {"text": self._texts[texts[0]]} if texts else None


async def _is_ready(session: aiohttp.ClientSession) -> bool:
    async with session.get("/readyz") as response:
        await response.read()
        return response.status == 200


def spam_versions(path: str, body: bytes) -> set[str]:
    """Return the versions of the spam model that the verdicts of an answer name."""
    answer = json.loads(body)
    if path == "/moderate":
        return {answer["spam"]["version"]}
    if path == "/moderate/batch":
        return {verdict["spam"]["version"] for verdict in answer["results"]}
    return set()

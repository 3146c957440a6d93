"""Answers kept in Redis for all workers; one that fails or dawdles costs nothing but the hits."""

import asyncio
import contextlib
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from serving.logs import Log
from serving.redis_metrics import RedisMetrics

if TYPE_CHECKING:  # imported only where there is one, as it takes a while
    from redis.asyncio import Redis

#: Seconds for which an answer waits at most for what is kept: more would cost more than it spares.
WAIT_SECONDS = 0.05

#: Seconds for which Redis is left alone after it failed, doubled with each failure that follows.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0

#: Answers that wait to be written at most, and those written in one go, which look-ups wait for.
MAX_WAITING = 5_000
_WRITTEN_AT_ONCE = 100

_PREFIX = b"careerlens:answer:"
_SEAL_BYTES = 16


class SharedCache:
    """One connection to Redis, on which look-ups and writes of the moment travel together.

    While Redis fails, look-ups find nothing at once. It is tried again in the background, where no
    request waits for it.

    Parameters
    ----------
    address : str
        ``redis://``, ``rediss://`` or ``unix://``.
    timeout_seconds : float
        After which a call of Redis has failed; an answer never waits that long.
    seconds : float
        How long an answer is kept.
    secret : str
        What seals answers: with it, whoever can write to Redis can still forge none.
    metrics : RedisMetrics
    log : Log
    """

    def __init__(
        self,
        address: str,
        *,
        timeout_seconds: float,
        seconds: float,
        secret: str,
        metrics: RedisMetrics,
        log: Log,
    ) -> None:
        self._address = address
        self._timeout = timeout_seconds
        self._milliseconds = max(1, round(seconds * 1000))
        self._secret = hashlib.blake2b(b"seal" + secret.encode()).digest()
        self._metrics = metrics
        self._log = log
        self._asked: list[tuple[Sequence[bytes], asyncio.Future[list[bytes | None]]]] = []
        self._written: dict[bytes, bytes] = {}
        self._changed = asyncio.Event()
        self._courier: asyncio.Task[None] | None = None
        self._is_away = False

    async def get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return what is kept under ``keys``, None where nothing is; never wait for long."""
        self._start()
        nothing: list[bytes | None] = [None] * len(keys)
        if self._is_away:
            return nothing
        future: asyncio.Future[list[bytes | None]] = asyncio.get_running_loop().create_future()
        self._asked.append((keys, future))
        self._changed.set()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await future
        except TimeoutError:
            return nothing

    def put(self, answers: Mapping[bytes, bytes]) -> None:
        """Have answers written some time soon, if Redis is there and there is room."""
        if self._is_away:
            return
        for key, value in answers.items():
            if len(self._written) >= MAX_WAITING:
                break
            self._written[key] = value
        self._start()
        self._changed.set()

    async def stop(self) -> None:
        """Let go of the connection."""
        if self._courier is not None:
            self._courier.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._courier

    def _start(self) -> None:
        if self._courier is None or self._courier.done():  # done: of a fault, which was logged
            self._courier = asyncio.create_task(self._run())

    async def _run(self) -> None:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        client: Redis = Redis.from_url(
            self._address,
            socket_timeout=self._timeout,
            socket_connect_timeout=self._timeout,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                await self._carry(client)
        finally:
            await client.aclose()

    async def _carry(self, client: "Redis") -> None:
        """Take everything that waits to Redis and back; stay away for a while if that fails."""
        asked, self._asked = self._asked, []
        asked = [(keys, future) for keys, future in asked if not future.done()]
        some = list(self._written)[:_WRITTEN_AT_ONCE]
        written = {key: self._written.pop(key) for key in some}
        if self._written:
            self._changed.set()
        if not (asked or written):
            return
        started = time.monotonic()
        failure = await self._call(client, asked, written)
        if failure is None and time.monotonic() - started > WAIT_SECONDS:
            failure = "slow"
        if failure is not None:
            await self._stay_away(client, failure)

    async def _call(
        self,
        client: "Redis",
        asked: "Sequence[tuple[Sequence[bytes], asyncio.Future[list[bytes | None]]]]",
        written: Mapping[bytes, bytes],
    ) -> str | None:
        """Read and write in one round trip; return the name of what failed, if anything did."""
        from redis.exceptions import RedisError
        from redis.exceptions import TimeoutError as RedisTimeout

        keys = [_PREFIX + key for each, _ in asked for key in each]
        together = client.pipeline(transaction=False)
        if keys:
            together.mget(keys)
        for key, value in written.items():
            sealed = self._seal(key, value) + value
            together.set(_PREFIX + key, sealed, px=self._milliseconds)
        try:
            async with asyncio.timeout(self._timeout):
                results = await together.execute(raise_on_error=False)
        except (RedisError, OSError, ValueError) as error:  # the last: it does not speak as Redis
            self._give(asked, [None] * len(keys))
            return "slow" if isinstance(error, (TimeoutError, RedisTimeout)) else "error"
        if any(isinstance(result, RedisError) for result in results):  # full, or read-only
            self._metrics.count_failure("refused")
        found = results[0] if keys else []
        is_found = isinstance(found, list) and len(found) == len(keys)
        self._give(asked, found if is_found else [None] * len(keys))
        return None if is_found or isinstance(found, RedisError) else "error"

    def _give(
        self,
        asked: "Sequence[tuple[Sequence[bytes], asyncio.Future[list[bytes | None]]]]",
        values: Sequence[object],
    ) -> None:
        at = 0
        for keys, future in asked:
            part = values[at : at + len(keys)]
            at += len(keys)
            if not future.done():
                future.set_result([self._opened(*pair) for pair in zip(keys, part, strict=True)])

    async def _stay_away(self, client: "Redis", failure: str) -> None:
        """Find nothing from now on until Redis answers in time again."""
        self._is_away = True
        self._metrics.show_away(True)
        self._log.warning("cache without redis", reason=failure)
        self._give(self._asked, [None] * sum(len(keys) for keys, _ in self._asked))
        self._asked.clear()
        self._written.clear()
        pause = FIRST_PAUSE
        while True:
            self._metrics.count_failure(failure)
            await asyncio.sleep(pause)
            again = await self._probe(client)
            if again is None:
                break
            failure, pause = again, min(2 * pause, LONGEST_PAUSE)
        self._is_away = False
        self._metrics.show_away(False)
        self._log.info("cache with redis again")

    async def _probe(self, client: "Redis") -> str | None:
        """Return the name of what failed, if Redis does not answer, and in time, again."""
        from redis.exceptions import RedisError

        try:
            async with asyncio.timeout(self._timeout):
                await client.ping()  # over a new connection: what that takes does not count
                started = time.monotonic()
                await client.ping()
        except (RedisError, OSError, ValueError):  # a timeout is one too
            return "error"
        return None if time.monotonic() - started <= WAIT_SECONDS else "slow"

    def _seal(self, key: bytes, value: bytes) -> bytes:
        return hashlib.blake2b(key + value, key=self._secret, digest_size=_SEAL_BYTES).digest()

    def _opened(self, key: bytes, sealed: object) -> bytes | None:
        if sealed is None:
            return None
        if isinstance(sealed, bytes):
            value = sealed[_SEAL_BYTES:]
            if hmac.compare_digest(sealed[:_SEAL_BYTES], self._seal(key, value)):
                return value
        self._metrics.count_failure("damaged")
        return None

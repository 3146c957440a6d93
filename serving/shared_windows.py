"""What was spent of each limit, counted in Redis for all processes, as long as that answers."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import cast

from limits.aio.storage import RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeout

from serving.logs import Log
from serving.redis_metrics import RedisMetrics
from serving.windows import Quota, Window

#: Failures in a row after which Redis is left alone: one slow answer is none. Seconds until it is
#: asked again, in the background, doubled each time.
FAILURES_TO_LEAVE = 3
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0

_PREFIX = "careerlens:limits"

# What calls of Redis end in: a timeout is an OSError, and the last two are what becomes of answers
# that are none of Redis's.
_FAILURES = (RedisError, OSError, TypeError, ValueError)


# The library's script for one limit, for several: what is spent of one is spent of all, and one
# round trip says what is left. Its own way takes four, and five times as long (466 us against 107).
_SPEND = """
local cost = tonumber(ARGV[1])
local fits = 1
local found = {}
for i = 1, #KEYS / 2 do
    local previous, current = KEYS[2 * i - 1], KEYS[2 * i]
    local limit, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1]) * 1000
    local current_left = redis.call('pttl', current)
    if current_left > 0 and current_left < window then
        redis.call('rename', current, previous)
        redis.call('set', current, 0, 'PX', current_left + window)
    end
    local before = tonumber(redis.call('get', previous)) or 0
    local before_left = math.max(0, redis.call('pttl', previous))
    local now = tonumber(redis.call('get', current)) or 0
    if math.floor(before * before_left / window) + now + cost > limit then
        fits = 0
    end
    found[i] = {before, before_left, now}
end
for i = 1, #KEYS / 2 do
    local current, window = KEYS[2 * i], tonumber(ARGV[2 * i + 1]) * 1000
    if fits == 1 then
        if redis.call('exists', current) == 1 then
            redis.call('incrby', current, cost)
        else
            redis.call('set', current, cost, 'PX', window * 2)
        end
        found[i][3] = found[i][3] + cost
    end
    found[i][4] = math.max(0, redis.call('pttl', current) - window)
end
return {fits, found}
"""


class _Counters(RedisStorage):
    """The library's counters in Redis.

    Parameters
    ----------
    address : str
        ``redis://`` or ``rediss://``.
    timeout_seconds : float
    """

    def __init__(self, address: str, timeout_seconds: float) -> None:
        super().__init__(
            f"async+{address}",
            implementation="redispy",
            key_prefix=_PREFIX,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # it is passed on as it is
        )
        self._redis: Redis = cast("RedispyBridge", self.bridge).storage
        self._script = self._redis.register_script(_SPEND)

    async def spend(self, quotas: Sequence[Quota], cost: int) -> tuple[bool, list[Window]]:
        """Spend ``cost`` of all quotas, or of none; see :meth:`LocalWindows.spend`.

        Raises
        ------
        redis.RedisError, OSError
        TypeError, ValueError
            If what answers is no Redis, or not as it should be.
        """
        names: list[str] = []
        numbers: list[int] = [cost]
        for quota in quotas:
            names += (
                self.bridge.prefixed_key(self._previous_window_key(quota.key)),
                self.bridge.prefixed_key(self._current_window_key(quota.key)),
            )
            numbers += (quota.limit, quota.seconds)
        fits, found = await self._script(names, numbers)
        windows = [
            Window(quota, int(previous), previous_left / 1000, int(current), left / 1000)
            for quota, (previous, previous_left, current, left) in zip(quotas, found, strict=True)
        ]
        return bool(fits), windows

    async def ping(self) -> None:
        """Check that Redis answers; raises as :meth:`spend` does."""
        await self._redis.ping()

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._redis.aclose()


class SharedWindows:
    """Windows in Redis, as long as that answers in time.

    After a few failures in a row nothing is sent and nobody waits, until Redis answers again to
    what asks it in the background.

    Parameters
    ----------
    address : str
        ``redis://`` or ``rediss://``.
    timeout_seconds : float
    metrics : RedisMetrics
    log : Log
    """

    def __init__(
        self, address: str, timeout_seconds: float, metrics: RedisMetrics, log: Log
    ) -> None:
        self._counters = _Counters(address, timeout_seconds)
        self._timeout = timeout_seconds
        self._metrics = metrics
        self._log = log
        self._failures = 0
        self._return: asyncio.Task[None] | None = None

    async def spend(self, quotas: Sequence[Quota], cost: int) -> tuple[bool, list[Window]] | None:
        """Spend ``cost`` of all quotas, or of none; None if Redis is left alone or fails.

        Returns
        -------
        is_spent : bool
        windows : list of Window, as they are then
        """
        if self._return is not None:
            return None
        try:
            async with asyncio.timeout(self._timeout):
                found = await self._counters.spend(quotas, cost)
        except _FAILURES as error:
            is_slow = isinstance(error, (TimeoutError, RedisTimeout))
            self._fail("slow" if is_slow else "error")
            return None
        self._failures = 0
        return found

    async def aclose(self) -> None:
        """Let go of the connections."""
        if self._return is not None:
            self._return.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._return
        await self._counters.aclose()

    def _fail(self, reason: str) -> None:
        self._metrics.count_failure(reason)
        self._failures += 1
        if self._failures >= FAILURES_TO_LEAVE and self._return is None:
            self._metrics.show_away(True)
            self._log.warning("limits without redis", reason=reason)
            self._return = asyncio.create_task(self._come_back())

    async def _come_back(self) -> None:
        pause = FIRST_PAUSE
        while True:
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            with contextlib.suppress(*_FAILURES):
                async with asyncio.timeout(self._timeout):
                    await self._counters.ping()
                    break
        self._failures = 0
        self._return = None
        self._metrics.show_away(False)
        self._log.info("limits with redis again")

"""What callers may spend, counted in Redis for all workers; with a Redis that fails."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage

from serving.shared_windows import FAILURES_TO_LEAVE, _Counters
from serving.windows import Quota
from tests.faulty import FaultyProxy
from tests.services import require_redis
from tests.serving.guarded import Guarded, guarded, make_key

#: Counters of other tests in the same Redis are those of other keys.
ADDRESS_OFF = {"limit_address": "off", "limit_failures": "off"}


@pytest.fixture(scope="module")
def proxy() -> Iterator[FaultyProxy]:
    """What stands before a real Redis."""
    with FaultyProxy(redis.connection.parse_url(require_redis())["port"]) as proxy:
        yield proxy


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def key(path: Path) -> str:
    return make_key(path)


@pytest.fixture
def worker(path: Path, key: str, proxy: FaultyProxy) -> Iterator[Callable[..., Any]]:
    """Start a worker that counts in Redis."""
    del key

    def start(**chosen: Any) -> Any:
        return guarded(
            keys_file=path,
            redis_url=f"redis://127.0.0.1:{proxy.port}/0",
            redis_timeout_seconds=0.2,
            **ADDRESS_OFF | chosen,
        )

    yield start
    proxy.heal()


def test_workers_count_together(worker: Callable[..., Any], key: str) -> None:
    with worker(limit_moderate="5/minute") as one, worker(limit_moderate="5/minute") as other:
        answers = [front.moderate(key=key) for front in (one, other, one, other, one, other)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert '"moderate-minute";r=1;' in answers[3].headers["ratelimit"]
        assert 1 <= int(answers[5].headers["retry-after"]) <= 120


def test_what_does_not_fit_into_one_limit_is_spent_of_none(
    worker: Callable[..., Any], key: str
) -> None:
    with worker(limit_moderate="3/minute, 100/hour") as front:
        left = [front.moderate(key=key).headers["ratelimit"] for _ in range(5)]
    assert '"moderate-hour";r=97;' in left[4]


def test_the_counters_are_the_librarys_own() -> None:
    asyncio.run(compare_counters(parse("20/second"), steps=60))


async def compare_counters(item: RateLimitItem, steps: int) -> None:
    """Check that the library finds in Redis what we said was there."""
    ours = _Counters(require_redis(), 2.0)
    theirs = RedisStorage(
        f"async+{require_redis()}", implementation="redispy", key_prefix="careerlens:limits"
    )
    quota = Quota("x-second", item, item.key_for(f"test-{time.time_ns()}"))
    outcomes = Counter[bool]()
    try:
        for step in range(steps):
            is_spent, [window] = await ours.spend([quota], 1 + step % 3)
            outcomes[is_spent] += 1
            previous, _, current, left = await theirs.get_sliding_window(quota.key, quota.seconds)
            if left - quota.seconds <= window.left:  # else a new window began in between
                assert (window.previous, window.current) == (previous, current)
            await asyncio.sleep(0.03)
    finally:
        await ours.aclose()
        await theirs.bridge.storage.aclose()
    assert min(outcomes[True], outcomes[False]) > 0


FAULTS: dict[str, Callable[[FaultyProxy], None]] = {
    "stopped": FaultyProxy.refuse,
    "hanging": FaultyProxy.hang,
    "slow": lambda proxy: proxy.delay(0.5),
}


def spend_seconds(front: Guarded, key: str, status: int) -> float:
    started = time.perf_counter()
    assert front.moderate(key=key).status_code == status
    return time.perf_counter() - started


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize(("on_failure", "status"), [("open", 200), ("closed", 503)])
def test_a_redis_that_fails_opens_or_closes_at_no_cost_and_is_used_again(
    worker: Callable[..., Any],
    key: str,
    proxy: FaultyProxy,
    fault: Callable[[FaultyProxy], None],
    on_failure: str,
    status: int,
) -> None:
    with worker(limit_moderate="100/minute", limits_on_failure=on_failure) as front:
        assert front.moderate(key=key).status_code == 200
        fault(proxy)
        for _ in range(FAILURES_TO_LEAVE):
            spend_seconds(front, key, status)
        assert sum(spend_seconds(front, key, status) for _ in range(20)) < 1.0  # five time-outs
        assert front.counted("careerlens_limits_redis_away") == 1
        reasons = ("error", "slow")
        name = "careerlens_limits_redis_failures_total"
        assert sum(front.counted(name, reason=reason) for reason in reasons) == FAILURES_TO_LEAVE
        assert front.stream.getvalue().count("limits without redis") == 1
        if on_failure == "closed":
            refused = front.moderate(key=key)
            assert refused.json()["error"] == "limits_unavailable"
            assert refused.headers["retry-after"] == "1"

        proxy.heal()
        deadline = time.monotonic() + 10
        while front.counted("careerlens_limits_redis_away"):
            front("GET", "/livez")  # the loop turns while something is asked
            assert time.monotonic() < deadline
        told = front.moderate(key=key).headers["ratelimit"]
        # As Redis counted, with what was sent while it was slow if that arrived after all.
        assert 98 - FAILURES_TO_LEAVE <= int(re.findall(r"r=(\d+)", told)[0]) <= 98
        assert front.stream.getvalue().count("limits with redis again") == 1


def test_while_redis_is_away_an_open_service_still_counts_in_each_process(
    worker: Callable[..., Any], key: str, proxy: FaultyProxy
) -> None:
    proxy.refuse()
    with worker(limit_moderate="4/minute") as front:
        answers = [front.moderate(key=key).status_code for _ in range(6)]
    assert answers == [200] * 4 + [429] * 2


def test_one_slow_answer_is_not_taken_for_a_failing_redis(
    worker: Callable[..., Any], key: str, proxy: FaultyProxy
) -> None:
    with worker(limit_moderate="100/minute") as front:
        assert front.moderate(key=key).status_code == 200
        proxy.hang()
        assert front.moderate(key=key).status_code == 200
        proxy.heal()
        assert front.moderate(key=key).status_code == 200
        assert front.counted("careerlens_limits_redis_away") == 0


@pytest.mark.parametrize(
    "words", [b":5\r\n", b"*0\r\n", b"*2\r\n:1\r\n*0\r\n", b":no\r\n", b"?\r\n"]
)
def test_a_redis_that_answers_something_else_is_one_that_fails(
    words: bytes, worker: Callable[..., Any], key: str, proxy: FaultyProxy
) -> None:
    with worker(limit_moderate="1000/minute") as front:
        assert front.moderate(key=key).status_code == 200
        proxy.rave(words * 100)
        answers = [front.moderate(key=key) for _ in range(10)]
        assert {answer.status_code for answer in answers} == {200}
        assert front.counted("careerlens_limits_redis_failures_total", reason="error") >= 1

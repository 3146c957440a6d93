"""What callers may spend, counted in the process."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from prometheus_client import CollectorRegistry

from serving import windows
from serving.limits import LimitMetrics, Limits
from serving.settings import Settings
from serving.windows import LocalWindows, Quota, Window
from tests.serving.guarded import Guarded, guarded, make_key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def key(path: Path) -> str:
    return make_key(path)


def limited(path: Path, **limits: str) -> Any:
    return guarded(keys_file=path, **{f"limit_{name}": text for name, text in limits.items()})


def test_a_key_is_let_through_as_often_as_its_limit_says_and_told_what_is_left(
    path: Path, key: str
) -> None:
    with limited(path, moderate="3/minute", address="100/minute") as front:
        left = [front.moderate(key=key) for _ in range(3)]
        assert [answer.status_code for answer in left] == [200, 200, 200]
        assert left[0].headers["ratelimit-policy"] == (
            '"moderate-minute";q=3;w=60, "address-minute";q=100;w=60'
        )
        assert re.fullmatch(
            r'"moderate-minute";r=0;t=\d+, "address-minute";r=97;t=\d+',
            left[2].headers["ratelimit"],
        )
        refused = front.moderate(key=key)
        assert (refused.status_code, refused.json()["error"]) == (429, "rate_limited")
        assert "moderate-minute is spent: 3 in 60 seconds" in refused.json()["detail"]
        assert 1 <= int(refused.headers["retry-after"]) <= 120
        assert '"address-minute";r=97' in refused.headers["ratelimit"]  # a refusal costs nothing
        assert front.counted("careerlens_limit_refusals_total", limit="moderate-minute") == 1


def test_waiting_as_long_as_is_said_is_enough(path: Path, key: str) -> None:
    with limited(path, moderate="4/second") as front:
        while (answer := front.moderate(key=key)).status_code == 200:
            pass
        time.sleep(int(answer.headers["retry-after"]))
        assert front.moderate(key=key).status_code == 200


def test_each_key_and_each_scope_has_a_limit_of_its_own(path: Path, key: str) -> None:
    second = make_key(path)
    with limited(path, moderate="1/minute") as front:
        assert front.moderate(key=key).status_code == 200
        assert front.moderate(key=key).status_code == 429
        assert front.moderate(key=second).status_code == 200
        assert front("POST", "/document", key=key).status_code == 200


def test_an_address_has_a_limit_for_all_its_keys_and_scopes(path: Path, key: str) -> None:
    second = make_key(path)
    with limited(path, address="7/minute") as front:
        assert front("POST", "/document", key=key).status_code == 200
        assert front.moderate(key=second).status_code == 200
        assert front("GET", "/page").status_code == 200
        assert front.moderate(key=key).status_code == 429
        assert front("GET", "/livez").status_code == 200
        assert front.moderate(key=key, peer="192.0.2.1").status_code == 200


def test_addresses_of_one_ipv6_household_count_together(path: Path, key: str) -> None:
    with limited(path, address="1/minute") as front:
        assert front.moderate(key=key, peer="2001:db8:1:1::1").status_code == 200
        assert front.moderate(key=key, peer="2001:db8:1:1:ffff::2").status_code == 429
        assert front.moderate(key=key, peer="2001:db8:1:2::1").status_code == 200
        assert front.moderate(key=key, peer="192.0.2.1").status_code == 200
        assert front.moderate(key=key, peer="::ffff:192.0.2.1").status_code == 429


def test_a_batch_costs_what_is_in_it_or_nothing(path: Path, key: str) -> None:
    with limited(path, moderate="10/minute") as front:
        assert front("POST", "/batch", key=key, content=b"x" * 6).status_code == 200
        refused = front("POST", "/batch", key=key, content=b"x" * 6)
        assert refused.status_code == 429
        assert '"moderate-minute";r=3' in refused.headers["ratelimit"]  # 6, and 1 to be read
        assert front("POST", "/batch", key=key, content=b"x" * 3).status_code == 200


def test_what_never_fits_is_refused_as_too_large_and_not_to_be_tried_again(
    path: Path, key: str
) -> None:
    with limited(path, moderate="10/minute", resume="4/minute") as front:
        answered = front("POST", "/batch", key=key, content=b"x" * 11)
        assert (answered.status_code, answered.json()["error"]) == (413, "over_limit")
        assert "counts as 11" in answered.json()["detail"]
        assert "retry-after" not in answered.headers
        assert front("POST", "/document", key=key).status_code == 413
        assert front("POST", "/batch", key=key, content=b"x" * 9).status_code == 200


def test_several_limits_hold_together(path: Path, key: str) -> None:
    if (left := 60 - time.time() % 60) < 5:  # across two minutes one more would get through
        time.sleep(left)
    with limited(path, moderate="2/second, 3/minute") as front:
        answers = []
        for _ in range(4):
            answers.append(front.moderate(key=key))
            time.sleep(0.7)
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert "moderate-minute is spent" in answers[3].json()["detail"]


def test_bad_keys_are_limited_by_address_and_good_ones_are_not_shut_out(
    path: Path, key: str
) -> None:
    with limited(path, failures="2/minute") as front:
        answers = [front.moderate(key="cl_x"), front.moderate(), front.moderate(key="cl_x")]
        assert [answer.status_code for answer in answers] == [401, 401, 429]
        assert int(answers[2].headers["retry-after"]) > 0
        assert front.moderate(key=key).status_code == 200
        assert front.moderate(key="cl_x", peer="192.0.2.1").status_code == 401


def test_a_limit_can_be_off(path: Path, key: str) -> None:
    with limited(path, moderate="off", address="off") as front:
        answered = front.moderate(key=key)
        assert answered.status_code == 200
        assert "ratelimit" not in answered.headers


def test_without_keys_the_limits_alone_count_that_were_set() -> None:
    with guarded() as front:
        assert "ratelimit" not in front.moderate().headers
    with guarded(limit_moderate="1/minute") as front:
        assert front.moderate().status_code == 200
        assert front.moderate().status_code == 429


class TestProxies:
    """Behind a proxy the client counts, and nobody else can say who that is."""

    @pytest.fixture
    def front(self, path: Path, key: str) -> Iterator[Guarded]:
        del key
        with guarded(
            keys_file=path, limit_address="1/minute", trusted_proxies="10.0.0.0/8, 2001:db8::1"
        ) as front:
            yield front

    @staticmethod
    def spend(front: Guarded, key: str, peer: str, forwarded: str) -> int:
        headers = {"x-forwarded-for": forwarded}
        return front.moderate(key=key, peer=peer, headers=headers).status_code

    def test_clients_count_apart_and_what_they_claim_does_not(
        self, front: Guarded, key: str
    ) -> None:
        assert self.spend(front, key, "10.0.0.1", "192.0.2.1") == 200
        assert self.spend(front, key, "10.0.0.1", "192.0.2.2") == 200
        assert self.spend(front, key, "10.0.0.2", "198.51.100.7, 192.0.2.1") == 429
        assert self.spend(front, key, "2001:db8::1", "198.51.100.8, 192.0.2.1, 10.0.0.9") == 429
        assert self.spend(front, key, "10.0.0.1", "192.0.2.1:51234") == 429

    def test_nobody_else_is_believed(self, front: Guarded, key: str) -> None:
        assert self.spend(front, key, "192.0.2.5", "192.0.2.6") == 200
        assert self.spend(front, key, "192.0.2.5", "192.0.2.7") == 429
        assert self.spend(front, key, "192.0.2.6", "127.0.0.1") == 200

    @pytest.mark.parametrize("forwarded", ["", "unknown", "x" * 10_000, "192.0.2.1, _hidden"])
    def test_what_is_no_address_counts_as_the_proxy(
        self, front: Guarded, key: str, forwarded: str
    ) -> None:
        assert self.spend(front, key, "10.0.0.1", forwarded) == 200
        assert self.spend(front, key, "10.0.0.1", "") == 429

    def test_long_headers_are_read_and_not_kept(self, front: Guarded, key: str) -> None:
        hops = ", ".join(["198.51.100.7"] * 1_000)
        assert self.spend(front, key, "10.0.0.1", f"{hops}, 192.0.2.1") == 200
        assert self.spend(front, key, "10.0.0.1", f"{hops}, 192.0.2.1") == 429
        assert front.gate._addresses._remember.cache_info().currsize == 0

    def test_several_headers_are_one_list(self, front: Guarded) -> None:
        headers = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "10.0.0.3")]
        scope = {
            "client": ("10.0.0.1", 1),
            "headers": [(n.encode(), v.encode()) for n, v in headers],
        }
        assert str(front.gate._addresses.client(scope).address) == "192.0.2.1"


MINUTE = Quota("x-minute", parse("100/minute"), "x")

#: Seconds that floats hold exactly: by a hair, nobody is told to wait a second more.
EIGHTHS = st.integers(0, 480).map(lambda eighths: eighths / 8)


@settings(max_examples=300, deadline=None)
@given(
    previous=st.integers(0, 100),
    current=st.integers(0, 100),
    left=EIGHTHS,
    cost=st.integers(1, 100),
)
def test_the_wait_that_is_said_is_the_shortest_in_whole_seconds(
    previous: int, current: int, left: float, cost: int
) -> None:
    window = Window(MINUTE, previous, left, current, left)
    if window.fits(cost):
        return
    wait = window.wait(cost)
    assert later(window, wait).fits(cost)
    assert wait == 1 or not later(window, wait - 1).fits(cost)


@settings(deadline=None)
@given(previous=st.integers(0, 100), current=st.integers(0, 100), left=EIGHTHS)
def test_a_refusal_always_says_when_to_come_back(previous: int, current: int, left: float) -> None:
    limits = Limits(Settings(), True, None, LimitMetrics(CollectorRegistry()))
    refusal = limits.refuse([Window(MINUTE, previous, left, current, left)] * 2, 1)
    assert 1 <= refusal.retry_after <= 121


def later(window: Window, seconds: float) -> Window:
    """Return the window after some seconds in which nothing was spent."""
    left = window.left - seconds
    if left > 0:
        return window._replace(previous_left=left, left=left)
    return Window(MINUTE, window.current, max(0.0, left + 60), 0, max(0.0, left + 60))


def test_what_is_counted_is_what_the_library_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    ours, theirs = LocalWindows(), SlidingWindowCounterRateLimiter(MemoryStorage())
    quota = Quota("x-minute", parse("20/minute"), parse("20/minute").key_for("x"))
    for step in range(400):
        now += (step * 7 % 11) / 2
        cost = 1 + step % 3
        is_spent, [window] = ours.spend([quota], cost)
        assert is_spent == theirs.hit(quota.item, "x", cost=cost)
        assert window.remaining == theirs.get_window_stats(quota.item, "x").remaining


def test_many_addresses_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "MAX_COUNTERS", 100)
    counted = LocalWindows()
    for number in range(1_000):
        quota = Quota("x-minute", parse("5/minute"), f"x/{number}")
        assert counted.spend([quota], 1)[1][0].remaining == 4
    assert len(counted._counts) <= 100


def test_counts_that_are_over_make_room_before_they_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    counted = LocalWindows()
    always = Quota("x-second", parse("5/second"), "always")
    for number in range(1_000):
        now += 0.5
        counted.spend([always, Quota("x-second", parse("5/second"), f"x/{number}")], 1)
    assert len(counted._counts) < 10

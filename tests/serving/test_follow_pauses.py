"""How long a worker waits between two looks at the hub."""

import threading
import time

import pytest

from serving.follow import DELAYS, JITTER, LONGEST_ASKED, Follower, Found, Waits


def test_pauses_grow_while_the_hub_fails_and_differ_between_workers() -> None:
    waits = Waits(10.0)
    waits.after(Found("all"))

    def times() -> list[float]:
        return [waits.after(Found("failing")) / 10 for _ in range(5)]

    for _ in range(2):
        for took, meant in zip(times(), (1, 2, 4, 4, 4), strict=True):
            assert meant * (1 - JITTER) <= took <= meant * (1 + JITTER)
        assert len({waits.after(Found("all")) for _ in range(5)}) == 5


def test_a_hub_that_asks_for_a_pause_is_left_alone_for_it_within_reason() -> None:
    waits = Waits(10.0)
    assert 100 <= waits.after(Found("failing", 100.0)) <= 100 * (1 + JITTER)  # at the start too
    waits.after(Found("all"))
    assert 100 <= waits.after(Found("failing", 100.0)) <= 100 * (1 + JITTER)
    assert waits.after(Found("failing", 1e9)) <= LONGEST_ASKED * (1 + JITTER)
    assert waits.after(Found("failing", 1.0)) >= 40 * (1 - JITTER)  # never sooner than usual
    assert waits.after(Found("all")) <= 10 * (1 + JITTER)


def test_until_everything_is_loaded_the_first_looks_are_quick() -> None:
    waits = Waits(3600.0)
    assert tuple(waits.after(Found("some")) for _ in DELAYS) == DELAYS
    assert waits.after(Found("some")) > 1000
    assert Waits(3600.0).after(Found("all")) > 1000


def test_however_often_it_is_told_looks_keep_their_distance() -> None:
    looks: list[float] = []

    def look() -> Found:
        looks.append(time.monotonic())
        return Found("all")

    follower = Follower(look, 3600.0, None)
    follower.start()
    deadline = time.monotonic() + 1.2
    while time.monotonic() < deadline:
        follower.refresh()
        time.sleep(0.01)
    follower.stop()
    assert 2 <= len(looks) <= 4


def test_a_look_that_fails_is_not_the_last_and_who_waits_for_it_hears(
    caplog: pytest.LogCaptureFixture,
) -> None:
    looks: list[Found] = []

    def look() -> Found:
        looks.append(Found("all"))
        if len(looks) == 1:
            raise OSError("no space left on device")
        return looks[-1]

    follower = Follower(look, 3600.0, None)
    first = follower.refresh()
    follower.start()
    first.result(10)
    follower.refresh().result(10)
    follower.stop()
    assert len(looks) == 2
    assert "look failed: OSError at" in caplog.text
    assert "no space left" not in caplog.text


def test_a_follower_that_waits_for_the_hub_holds_nobody_up_when_it_is_stopped() -> None:
    asleep = threading.Event()

    def look() -> Found:
        asleep.wait(30)
        return Found("all")

    follower = Follower(look, 3600.0, None)
    follower.start()
    started = time.monotonic()
    follower.stop(0.1)
    assert time.monotonic() - started < 10
    asleep.set()

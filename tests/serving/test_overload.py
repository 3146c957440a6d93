"""Lines before work: bursts are served, a line that stands is held short, nothing is lost."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from serving import overload
from serving.errors import BusyError
from serving.exchange import Arrival, arrival
from serving.metrics import Metrics
from serving.overload import CROWD, Line, Messages

PIECE = 0.005


class Desk:
    """A line, and what became of those who stood in it."""

    def __init__(self, **options: Any) -> None:
        self.metrics = Metrics()
        chosen: dict[str, Any] = {"standing": 0.02, "longest": 5.0} | options
        self.line = Line("batches", metrics=self.metrics, **chosen)
        self.waits: list[tuple[float, float]] = []
        self.refused = 0

    async def ask(self, size: float = 1.0, **options: Any) -> None:
        entered = time.monotonic()
        try:
            with self.line.place("work", size, **options):
                async with self.line.turn("work", size, **options):
                    self.waits.append((entered, time.monotonic() - entered))
                    await asyncio.sleep(size * PIECE)
        except BusyError:
            self.refused += 1

    async def at_rate(self, times: float, seconds: float) -> None:
        """Ask ``times`` as often as there is time for."""
        sent, start = set(), time.monotonic()
        while time.monotonic() - start < seconds:
            sent.add(asyncio.create_task(self.ask()))
            await asyncio.sleep(PIECE / times)
        await asyncio.gather(*sent)


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(work())


def test_a_burst_is_served_in_full() -> None:
    desk = Desk()

    async def burst() -> None:
        await asyncio.gather(*(desk.ask(0.2) for _ in range(50)))

    run(burst)
    assert (len(desk.waits), desk.refused) == (50, 0)


def test_a_line_that_stands_is_held_short_and_the_work_goes_on() -> None:
    desk = Desk()
    run(lambda: desk.at_rate(3.0, 1.5))
    start = desk.waits[0][0]
    later = [wait for entered, wait in desk.waits if entered - start > 0.5]
    assert desk.refused > len(desk.waits) / 2
    assert len(later) > 0.5 / PIECE / 2  # of two hundred for which there was time
    assert sorted(later)[len(later) // 2] < 0.1  # without the bound it would be half a second
    counted = desk.metrics.registry.get_sample_value(
        "careerlens_turned_away_total", {"line": "batches"}
    )
    assert counted == desk.refused


@pytest.mark.parametrize(("callers", "refused"), [(16, False), (40, True)])
def test_callers_who_wait_for_their_answers_are_no_overload_unless_they_are_many(
    callers: int, refused: bool
) -> None:
    desk = Desk(crowd=16)

    async def caller() -> None:
        for _ in range(8):
            await desk.ask()

    async def all_of_them() -> None:
        await asyncio.gather(*(caller() for _ in range(callers)))

    run(all_of_them)
    assert max(wait for _, wait in desk.waits) > 3 * 0.02  # far longer than a line may stand
    assert (desk.refused > 0) is refused


def test_a_line_held_short_does_not_pass_for_one_that_is_gone() -> None:
    desk = Desk()

    async def busy() -> None:
        await desk.at_rate(3.0, 0.5)
        assert desk.line._stands
        await desk.at_rate(0.3, 0.3)
        assert desk.line._stands

    run(busy)


def test_once_it_is_calm_bursts_are_served_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overload, "CALM_INTERVAL", 0.1)
    desk = Desk()

    async def calm_down() -> None:
        await desk.at_rate(3.0, 0.5)
        await desk.at_rate(0.3, 0.3)
        refused = desk.refused
        await asyncio.gather(*(desk.ask(0.2) for _ in range(30)))
        assert desk.refused == refused

    run(calm_down)


def test_what_could_not_be_done_in_time_is_refused_at_once() -> None:
    desk = Desk(longest=0.5)

    async def flood() -> None:
        await desk.ask()  # what a piece takes is known from now on
        large = asyncio.create_task(desk.ask(150))
        await asyncio.sleep(0.01)
        started = time.monotonic()
        await desk.ask()
        assert desk.refused == 1
        assert time.monotonic() - started < 0.1
        large.cancel()

    run(flood)


def test_what_is_under_way_is_not_refused() -> None:
    desk = Desk(longest=0.01)

    async def go_on() -> None:
        await asyncio.gather(*(desk.ask(whole=False) for _ in range(20)))

    run(go_on)
    assert (len(desk.waits), desk.refused) == (20, 0)


def test_who_gives_up_leaves_the_line_as_it_was() -> None:
    desk = Desk()

    async def give_up() -> None:
        await desk.ask()
        first = asyncio.create_task(desk.ask(4))
        others = [asyncio.create_task(desk.ask()) for _ in range(5)]
        await asyncio.sleep(PIECE)
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await first
        assert (desk.line._ahead, desk.line._owed, desk.line._inside) == (0, 0, 0)
        await asyncio.wait_for(desk.ask(), 1)

    run(give_up)


class Loop:
    """An event loop that answers messages, each of which keeps it for a piece of time."""

    def __init__(self, standing: float = 0.02) -> None:
        self.messages = Messages(standing=standing, metrics=Metrics())
        self.waits: list[float] = []
        self.refused = 0

    def answer(self, arrived: float) -> None:
        try:
            self.messages.admit(Arrival(arrived, time.monotonic()))
        except BusyError:
            self.refused += 1
        else:
            self.waits.append(time.monotonic() - arrived)
            time.sleep(PIECE)

    def at_rate(self, times: float, seconds: float) -> None:
        """Answer, one after the other, what comes ``times`` as often as there is time for."""
        start, number = time.monotonic(), 0
        while (due := number * PIECE / times) < seconds:
            time.sleep(max(0.0, start + due - time.monotonic()))
            self.answer(start + due)
            number += 1


def test_messages_are_refused_while_the_loop_is_behind_and_the_others_wait_no_longer() -> None:
    loop = Loop()
    loop.at_rate(3.0, 1.5)
    later = loop.waits[len(loop.waits) // 2 :]
    assert loop.refused > len(loop.waits) / 2
    assert len(loop.waits) > 1.5 / PIECE / 2
    assert sorted(later)[len(later) // 2] < 0.03  # without the bound it would be half a second
    loop.at_rate(0.2, overload.CALM_INTERVAL + 0.5)  # caught up, and calm
    refused = loop.refused
    loop.at_rate(20.0, 15 * PIECE / 20)
    assert loop.refused == refused


@pytest.mark.parametrize(("callers", "refused"), [(CROWD, False), (3 * CROWD, True)])
def test_messages_of_callers_in_turn_are_no_overload_unless_they_are_many(
    callers: int, refused: bool
) -> None:
    loop = Loop()
    asked = [time.monotonic()] * callers
    for number in range(12 * callers):
        loop.answer(asked[number % callers])
        asked[number % callers] = time.monotonic()
    assert max(loop.waits) > 2 * 0.02
    assert (loop.refused > 0) is refused


def test_what_waits_for_redis_or_its_body_is_no_sign_of_a_loop_that_is_behind() -> None:
    loop = Loop()
    for _ in range(20 * CROWD):
        read = time.monotonic() - 1
        loop.messages.admit(Arrival(read, read))
        time.sleep(0.0005)


def test_work_gives_way_to_messages_but_is_not_forgotten() -> None:
    loop = Loop()
    work = Desk(behind=loop.messages, standing=60.0)

    async def both() -> None:
        pieces = [asyncio.create_task(work.ask()) for _ in range(200)]
        end = time.monotonic() + 0.6
        while time.monotonic() < end:
            loop.messages.admit(arrival())
            await asyncio.sleep(0.001)
        done = len(work.waits)
        await asyncio.sleep(0.3)
        alone = len(work.waits) - done
        for piece in pieces:
            piece.cancel()
        await asyncio.gather(*pieces, return_exceptions=True)
        assert 3 <= done < alone  # a fifth of the time, and then all of half as much

    run(both)


def test_giving_way_for_less_than_a_timer_can_wait_keeps_no_loop_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop, slept = Loop(), []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        time.sleep(seconds)

    monkeypatch.setattr(overload.asyncio, "sleep", sleep)
    loop.messages.admit(arrival())
    run(lambda: loop.messages.until_calm(0.0005))
    assert slept == [0.001]

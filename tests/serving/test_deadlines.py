"""One timer for all requests: who takes too long is ended, and nobody else."""

import asyncio

import pytest

from serving.deadlines import Deadlines


async def work(deadlines: Deadlines, seconds: float) -> str:
    task = deadlines.begin()
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        return "ended"
    finally:
        deadlines.end(task)
    return "done"


def test_each_gets_its_time_from_when_it_began() -> None:
    deadlines = Deadlines(0.2)

    async def several() -> list[str]:
        tasks = []
        for seconds in (0.02, 0.6, 0.15, 0.6):
            tasks.append(asyncio.create_task(work(deadlines, seconds)))
            await asyncio.sleep(0.07)
        return await asyncio.gather(*tasks)

    for _ in range(2):  # an event loop of its own each time
        started = asyncio.new_event_loop()
        assert started.run_until_complete(several()) == ["done", "ended", "done", "ended"]
        started.close()


def test_nobody_waits_longer_than_the_time() -> None:
    deadlines = Deadlines(0.1)

    async def how_long() -> float:
        await work(deadlines, 0.06)  # the timer is this one's
        begun = asyncio.get_running_loop().time()
        assert await asyncio.create_task(work(deadlines, 5)) == "ended"
        return asyncio.get_running_loop().time() - begun

    assert 0.09 < asyncio.run(how_long()) < 1.0


def test_what_goes_on_after_its_answer_is_left_alone() -> None:
    deadlines = Deadlines(0.05)

    async def goes_on() -> None:
        deadlines.end(deadlines.begin())
        await asyncio.sleep(0.2)

    asyncio.run(goes_on())


def test_a_time_is_of_a_task() -> None:
    async def outside() -> None:
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def begin() -> None:
            try:
                Deadlines(1.0).begin()
            except RuntimeError as error:
                failed.set_exception(error)

        asyncio.get_running_loop().call_soon(begin)
        await failed

    with pytest.raises(RuntimeError, match="only a task"):
        asyncio.run(outside())

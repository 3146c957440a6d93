"""Batches in the event loop: slice by slice, with everybody else in between."""

import asyncio
import itertools

import pytest

from serving.logs import open_log
from serving.moderation import INLINE_CHARS, Moderation, _slices
from serving.shadow import Shadow, ShadowMetrics
from tests.serving.caches import make_cache, make_lines, no_monitor
from tests.serving.following import Scene

LONG = "x" * (INLINE_CHARS + 1)


@pytest.mark.parametrize(
    "texts",
    [["a"], ["a" * INLINE_CHARS, "b"], ["a", LONG, "b", "c"], [LONG, LONG], ["word " * 30] * 40],
)
def test_a_slice_is_short_or_one_text(texts: list[str]) -> None:
    slices = [list(part) for part in _slices(texts)]
    assert list(itertools.chain(*slices)) == texts
    assert all(len(part) == 1 or sum(map(len, part)) <= INLINE_CHARS for part in slices)
    assert all(
        sum(map(len, one)) + len(next_one[0]) > INLINE_CHARS
        for one, next_one in itertools.pairwise(slices)
    )


def test_others_have_their_turn_between_the_slices_of_a_batch(scene: Scene) -> None:
    worker = scene.worker()
    shadow = Shadow(0.0, ShadowMetrics(worker.metrics.registry), None, open_log("error"))
    moderation = Moderation(
        worker.champions, worker.metrics, shadow, no_monitor(), make_cache(), make_lines()
    )
    texts = [f"You won a prize number {number}" for number in range(200)]

    async def count_turns() -> int:
        turns = 0
        asked = asyncio.create_task(moderation.verdicts(texts))
        while not asked.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert asyncio.run(count_turns()) >= len(list(_slices(texts)))

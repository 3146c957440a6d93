"""From texts to verdicts without holding up the event loop: what both doors call."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from serving.loader import Champions
from serving.metrics import Metrics
from serving.shadow import Shadow

if TYPE_CHECKING:
    from models.moderation import Moderator, Verdict

#: Characters up to which scoring in place costs less than the way to a thread and back.
INLINE_CHARS = 500

#: Characters of a batch that are scored in one go: a few hundredths of a second.
SLICE_CHARS = 5_000


class Moderation:
    """Scores texts with the champions: short ones in place, others in a thread, slice by slice.

    One thread: scoring holds the interpreter, so that more gain nothing. Whoever asks stands in
    line again for each slice, so that a long batch holds up nobody for longer than a slice, and one
    whose caller gave up is not scored to its end.
    """

    def __init__(self, champions: Champions, metrics: Metrics, shadow: Shadow) -> None:
        self._champions = champions
        self._metrics = metrics
        self._shadow = shadow
        # One message for each turn of the event loop: what costs nothing is not kept waiting by all
        # the messages that came with it.
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="scoring")

    async def verdicts(self, texts: Sequence[str]) -> "list[Verdict]":
        """Return the verdict on each text, in order, all by the same versions.

        Raises
        ------
        NotReadyError
            While a champion is missing.
        """
        moderator = self._champions.current().moderator()
        if sum(map(len, texts)) <= INLINE_CHARS:
            async with self._turn:
                verdicts = moderator.moderate(texts)
                await asyncio.sleep(0)
        else:
            verdicts = [
                verdict
                for part in _slices(texts)
                for verdict in await self._in_thread(moderator, part)
            ]
        for verdict in verdicts:
            self._metrics.count_verdict(verdict.action)
        self._shadow.sample(texts, verdicts)
        return verdicts

    async def _in_thread(self, moderator: "Moderator", texts: Sequence[str]) -> "list[Verdict]":
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, moderator.moderate, texts)


def _slices(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield ``texts`` in order, in parts of about ``SLICE_CHARS`` and at least one text."""
    start, size = 0, 0
    for position, text in enumerate(texts):
        size += len(text)
        if size >= SLICE_CHARS:
            yield texts[start : position + 1]
            start, size = position + 1, 0
    if start < len(texts):
        yield texts[start:]

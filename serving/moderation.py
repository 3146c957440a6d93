"""From texts to verdicts without holding up the event loop: what both doors call."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from serving.loader import Champions
from serving.metrics import Metrics

if TYPE_CHECKING:
    from models.moderation import Verdict

#: Characters up to which scoring in place costs less than the way to a thread and back.
INLINE_CHARS = 500


class Moderation:
    """Scores texts with the champions, long ones and batches in threads of its own.

    Two threads: scoring holds the interpreter, so that more gain nothing, and one would let a
    long batch hold up everybody behind it.
    """

    def __init__(self, champions: Champions, metrics: Metrics) -> None:
        self._champions = champions
        self._metrics = metrics
        # One message for each turn of the event loop: what costs nothing is not kept waiting by all
        # the messages that came with it.
        self._turn = asyncio.Lock()
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="scoring")

    async def verdicts(self, texts: Sequence[str]) -> "list[Verdict]":
        """Return the verdict on each text, in order.

        Raises
        ------
        NotReadyError
            While a champion is missing.
        """
        moderator = self._champions.moderator()
        if sum(map(len, texts)) <= INLINE_CHARS:
            async with self._turn:
                verdicts = moderator.moderate(texts)
                await asyncio.sleep(0)
        else:
            loop = asyncio.get_running_loop()
            verdicts = await loop.run_in_executor(self._threads, moderator.moderate, texts)
        for verdict in verdicts:
            self._metrics.count_verdict(verdict.action)
        return verdicts

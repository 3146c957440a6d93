"""From texts to verdicts without holding up the event loop: what both doors call."""

import asyncio
import contextlib
import functools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from serving.aside import give_way
from serving.cache import AnswerCache
from serving.exchange import arrival
from serving.loader import Champions
from serving.metrics import Metrics
from serving.monitor import Monitor
from serving.overload import Lines
from serving.shadow import Shadow
from serving.tracing import note_models, span

if TYPE_CHECKING:
    from models.moderation import Explanation, Moderator, ServedModel, Verdict

#: Characters that are scored in one go, in place: a fifth of a millisecond, which is less than the
#: way to a thread and back. What is longer and one text is scored in a thread, whole.
INLINE_CHARS = 500

#: Kept verdicts that are read in one go: a few tenths of a millisecond.
_READ_AT_ONCE = 32


@dataclass(frozen=True)
class Judged:
    """Verdicts, and how much of them was kept from before.

    Attributes
    ----------
    jsons : list of bytes
        The verdicts in JSON.
    cache_status : str or None
        For the answer's head.
    """

    verdicts: "list[Verdict]"
    jsons: list[bytes]
    cache_status: str | None


class Moderation:
    """Scores texts with the champions: short ones in place, slice by slice, long ones in a thread.

    One thread: scoring holds the interpreter, so that more gain nothing. Whoever asks stands in
    line again for each slice, so that a long batch holds up nobody for longer than a slice, and one
    whose caller gave up is not scored to its end.
    """

    def __init__(
        self,
        champions: Champions,
        metrics: Metrics,
        shadow: Shadow,
        monitor: Monitor,
        cache: AnswerCache,
        lines: Lines,
    ) -> None:
        self._champions = champions
        self._metrics = metrics
        self._shadow = shadow
        self._monitor = monitor
        self._cache = cache
        self._scope: tuple[Moderator | None, bytes] = (None, b"")
        self._messages = lines.messages
        self._batches = lines.batches
        self._thread = ThreadPoolExecutor(1, "scoring", initializer=give_way)

    async def verdicts(self, texts: Sequence[str]) -> Judged:
        """Return the verdict on each text, in order, all by the same versions.

        Raises
        ------
        NotReadyError
            While a champion is missing.
        """
        moderator = self._champions.current().moderator()
        keys = self._cache.keys(self._scope_of(moderator), [(text,) for text in texts])
        found = await self._cache.get("verdict", keys)
        kept = await _read(found.values)
        unknown, new_keys = texts, keys
        if kept:
            unknown = [text for at, text in enumerate(texts) if at not in kept]
            new_keys = [key for at, key in enumerate(keys) if at not in kept]
        verdicts = await self._scored(moderator, unknown)
        jsons = [_dump(verdict) for verdict in verdicts]
        if keys:
            self._cache.put("verdict", dict(zip(new_keys, jsons, strict=True)))
        for at, (verdict, answer) in kept.items():  # each to its place, the first one first
            verdicts.insert(at, verdict)
            jsons.insert(at, answer)
        self._count(moderator, verdicts)
        self._shadow.sample(texts, verdicts)
        self._monitor.sample(moderator, texts, verdicts)
        return Judged(verdicts, jsons, found.status)

    async def explanation(self, text: str) -> "Explanation":
        """Return why a text is scored as it is; no verdict waits for it longer than for a slice.

        Raises
        ------
        NotReadyError
            While a champion is missing.
        """
        moderator = self._champions.current().moderator()
        work, loop = "explanation", asyncio.get_running_loop()
        with self._batches.place(work, len(text)):
            async with self._batches.turn(work, len(text)):
                found = await loop.run_in_executor(self._thread, moderator.explain, text)
        note_models({"spam": found.spam.version, "toxicity": found.toxicity.version})
        return found

    async def _scored(self, moderator: "Moderator", texts: Sequence[str]) -> "list[Verdict]":
        size = sum(map(len, texts))
        if not texts:
            return []
        if size <= INLINE_CHARS:
            self._messages.admit(arrival())
            with span("score", messages=len(texts)):
                return moderator.moderate(texts)
        verdicts = []
        with self._batches.place("slice", size, piece=min(size, INLINE_CHARS)):
            for part in _slices(texts):
                chars = sum(map(len, part))
                async with self._batches.turn("slice", chars, whole=False):
                    if chars <= INLINE_CHARS:
                        with span("score", messages=len(part)):
                            verdicts += moderator.moderate(part)
                    else:
                        verdicts += await self._in_thread(moderator, part)
                await asyncio.sleep(0)  # whoever came meanwhile is answered first
        return verdicts

    def _scope_of(self, moderator: "Moderator") -> bytes:
        """Return what separates the verdicts of these models and thresholds from all others."""
        if self._scope[0] is not moderator:
            models = (moderator.spam, moderator.toxicity)
            facts = [_facts(model) for model in models]
            self._scope = (moderator, self._cache.scope("verdict", facts))
        return self._scope[1]

    async def _in_thread(self, moderator: "Moderator", texts: Sequence[str]) -> "list[Verdict]":
        loop = asyncio.get_running_loop()
        with span("score", messages=len(texts)):
            return await loop.run_in_executor(self._thread, moderator.moderate, texts)

    def _count(self, moderator: "Moderator", verdicts: "Sequence[Verdict]") -> None:
        """Count what was said, and note for the log which versions said it."""
        spam, toxicity = moderator.spam, moderator.toxicity
        self._metrics.count_messages([verdict.action for verdict in verdicts])
        self._metrics.count_verdicts(
            "spam",
            spam.version,
            [(said.spam.score, spam.action(said.spam.score)) for said in verdicts],
        )
        self._metrics.count_verdicts(
            "toxicity",
            toxicity.version,
            [(said.toxicity.score, toxicity.action(said.toxicity.score)) for said in verdicts],
        )
        note_models({"spam": spam.version, "toxicity": toxicity.version})


def _slices(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield ``texts`` in order, in parts of ``INLINE_CHARS`` at most, or of one text."""
    start, size = 0, 0
    for position, text in enumerate(texts):
        if size + len(text) > INLINE_CHARS and start < position:
            yield texts[start:position]
            start, size = position, 0
        size += len(text)
    yield texts[start:]


def _facts(model: "ServedModel") -> tuple[str, str, float, float]:
    """Return all of a model that decides its verdicts, beside the text."""
    return (
        model.version,
        model.bundle.digest,
        model.thresholds.review,
        model.thresholds.block,
    )


async def _read(values: Sequence[bytes | None]) -> "dict[int, tuple[Verdict, bytes]]":
    """Return the kept verdicts by their places, as JSON too; what cannot be read was not kept."""
    verdicts = {}
    for at, value in enumerate(values):
        if value is not None:
            with contextlib.suppress(ValidationError):  # Redis is not ours alone
                verdict = _verdict_type().validate_json(value)
                verdicts[at] = (verdict, _dump(verdict))
        if at % _READ_AT_ONCE == _READ_AT_ONCE - 1:
            await asyncio.sleep(0)
    return verdicts


def _dump(verdict: "Verdict") -> bytes:
    return _verdict_type().dump_json(verdict)


@functools.cache
def _verdict_type() -> "TypeAdapter[Verdict]":
    from models.moderation import Verdict

    return TypeAdapter(Verdict)

"""Answers kept for a while: in this process, and in Redis for all workers when there is one.

What is asked is never kept: an answer lies under a keyed hash of all that decides it, the versions
of the models and their thresholds included, so that another model never finds it.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry

from models.extract import MEBIBYTE
from serving.logs import Log
from serving.redis_metrics import RedisMetrics
from serving.settings import Settings
from serving.shared_cache import SharedCache
from serving.tallies import TalliedCounter
from serving.tracing import span

#: Raise this with every change of what an answer holds or how it comes about: Redis outlives us.
ANSWERS_FORMAT = 1

#: What an entry takes beside its value, by measurement: two dictionaries, the key and a pair.
_ENTRY_BYTES = 300

#: Longer answers are not kept: reading them again would hold up others.
_MAX_ANSWER_BYTES = 64 * 1024

Kind = Literal["verdict", "extract", "gap", "recommend"]

#: Answers that hold nothing of what was asked, but scores, places and names of the taxonomy. Those
#: of other kinds (reasons of a recommendation are words of the resume) stay in this process.
_SHARED: frozenset[Kind] = frozenset({"verdict", "extract", "gap"})


class CacheMetrics:
    """What is counted of kept answers; all label values are of fixed sets."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lookups = TalliedCounter(
            "careerlens_cache_lookups",
            "Answers looked for, by where they were found: in process, in Redis, or not.",
            ["kind", "outcome"],
            registry=registry,
        )

    def count(self, kind: Kind, outcome: str, answers: int) -> None:
        """Count answers that were found in the process, in Redis (``shared``), or missed."""
        if answers:
            self._lookups.count((kind, outcome), answers)


@dataclass(frozen=True)
class Found:
    """What was kept under the keys that were looked for, None where nothing was.

    Attributes
    ----------
    status : str or None
        How the answer says so in its head, after RFC 9211; None where nothing is kept at all.
    """

    values: Sequence[bytes | None]
    status: str | None


class _Near:
    """Answers by key, the least recently used of which go first; for one event loop.

    Not one of ``cachetools``, whose entries hold objects that the garbage collector walks: with
    those of a minute of traffic it keeps all messages waiting for tenths of a second. What is old
    goes as new ones come, and at the latest when it was not asked for as long again.
    """

    def __init__(self, max_bytes: int, seconds: float) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._kept: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0

    def get(self, key: bytes) -> bytes | None:
        """Return the answer under a key, None if there is none that is young enough."""
        found = self._kept.get(key)
        if found is None:
            return None
        if found[0] <= time.monotonic():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return found[1]

    def put(self, key: bytes, value: bytes) -> None:
        """Keep an answer in the place of those that are too old or too many."""
        if _size(value) > self._max_bytes:
            return
        now = time.monotonic()
        self._drop(key)
        self._kept[key] = (now + self._seconds, value)
        self._bytes += _size(value)
        for _ in range(2):
            oldest = next(iter(self._kept))
            if self._kept[oldest][0] > now:
                break
            self._drop(oldest)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: bytes) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._bytes -= _size(found[1])


class AnswerCache:
    """Keeps answers as bytes, which the garbage collector need not walk.

    Parameters
    ----------
    seconds : float
        How long an answer is kept; 0 keeps none.
    max_bytes : int
        Of the answers kept in this process; 0 keeps them in ``shared`` alone.
    secret : str
        Without it, whoever reads Redis can find out whether a message that they guess was sent.
    shared : SharedCache, optional
    metrics : CacheMetrics
    """

    def __init__(
        self,
        *,
        seconds: float,
        max_bytes: int,
        secret: str = "",
        shared: SharedCache | None = None,
        metrics: CacheMetrics,
    ) -> None:
        self._is_on = seconds > 0
        self._near = _Near(max_bytes, seconds)
        self._secret = hashlib.blake2b(secret.encode()).digest()
        self._shared = shared
        self._metrics = metrics

    def scope(self, kind: Kind, facts: Iterable[object]) -> bytes:
        """Return what separates answers of one kind, given by models of one sort, from all others.

        Parameters
        ----------
        facts : iterable
            Versions, digests, thresholds, options: all that decides beside the texts. Each is told
            apart by its ``repr``.
        """
        named = repr((ANSWERS_FORMAT, kind, *facts)).encode()
        return hashlib.blake2b(named, key=self._secret, digest_size=32).digest()

    def keys(self, scope: bytes, questions: Iterable[Sequence[str]]) -> list[bytes]:
        """Return under what the answer to each question lies; none if nothing is kept.

        The texts count as they were sent. Two that are alike once normalised have different keys:
        places in an answer are those of the text that was sent.
        """
        return [_key(scope, texts) for texts in questions] if self._is_on else []

    async def get(self, kind: Kind, keys: Sequence[bytes]) -> Found:
        """Return what is kept under ``keys``."""
        if not keys:
            return Found([], None)
        values = [self._near.get(key) for key in keys]
        far = 0
        missing = [at for at, value in enumerate(values) if value is None]
        near = len(values) - len(missing)
        if missing and self._shared is not None and kind in _SHARED:
            with span("cache", kind=kind):
                answers = await self._shared.get([keys[at] for at in missing])
            for at, value in zip(missing, answers, strict=True):
                if value is not None:
                    values[at] = value
                    self._near.put(keys[at], value)
                    far += 1
        missed = len(values) - near - far
        for outcome, answers_of_it in (("local", near), ("shared", far), ("miss", missed)):
            self._metrics.count(kind, outcome, answers_of_it)
        return Found(values, _status(near, far, missed))

    def put(self, kind: Kind, answers: Mapping[bytes, bytes]) -> None:
        """Keep answers under their keys; nothing is waited for."""
        if not self._is_on:
            return
        short = {key: each for key, each in answers.items() if len(each) <= _MAX_ANSWER_BYTES}
        for key, value in short.items():
            self._near.put(key, value)
        if self._shared is not None and kind in _SHARED:
            self._shared.put(short)

    async def stop(self) -> None:
        """Let go of Redis."""
        if self._shared is not None:
            await self._shared.stop()


def open_cache(settings: Settings, registry: CollectorRegistry, log: Log) -> AnswerCache:
    """Return the cache that the operator chose."""
    secret = settings.answer_cache_secret
    word = "" if secret is None else secret.get_secret_value()
    shared = None
    if settings.redis_url is not None and settings.answer_cache_seconds > 0:
        shared = SharedCache(
            settings.redis_url.get_secret_value(),
            timeout_seconds=settings.redis_timeout_seconds,
            seconds=settings.answer_cache_seconds,
            secret=word,
            metrics=RedisMetrics(registry, "cache"),
            log=log,
        )
    return AnswerCache(
        seconds=settings.answer_cache_seconds,
        max_bytes=settings.answer_cache_mib * MEBIBYTE,
        secret=word,
        shared=shared,
        metrics=CacheMetrics(registry),
    )


def _size(value: bytes) -> int:
    return len(value) + _ENTRY_BYTES


def _key(scope: bytes, texts: Sequence[str]) -> bytes:
    digest = hashlib.blake2b(key=scope, digest_size=20)
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))  # where one text ends and the next begins
        digest.update(encoded)
    return digest.digest()


def _status(near: int, far: int, missed: int) -> str:
    """Return the value of Cache-Status for one answer made of so many kept ones and new ones."""
    if not missed:
        return "careerlens; hit; detail=" + ("shared" if far else "local")
    if near + far:
        return f'careerlens; fwd=partial; detail="{near + far} of {near + far + missed}"'
    return "careerlens; fwd=miss"

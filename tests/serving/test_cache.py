"""Kept answers: given again only where they are the same, and never at the cost of an answer."""

import asyncio
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import redis
from prometheus_client import CollectorRegistry
from pydantic_core import to_json

from models.bundle import load_bundle
from models.kinds import FORMATS
from models.manifest import Thresholds
from models.moderation import Moderator, ServedModel
from serving import shared_cache
from serving.cache import AnswerCache, Found
from serving.logs import open_log
from serving.metrics import Metrics
from serving.moderation import Judged, Moderation
from serving.shadow import Shadow, ShadowMetrics
from tests.faulty import FaultyProxy
from tests.services import require_redis
from tests.serving.caches import make_cache, make_lines, no_monitor
from tests.serving.conftest import InProcess
from tests.serving.job_champions import open_desk

TOXIC = "You are a stupid idiot and everybody knows it"
CANARY = "canary-7f3a"


def ask(cache: AnswerCache, *texts: str, facts: Sequence[object] = ("v1",)) -> Found:
    """Look for verdicts on ``texts``, and keep new ones where there are none."""
    return asyncio.run(look(cache, *texts, facts=facts))


async def look(cache: AnswerCache, *texts: str, facts: Sequence[object] = ("v1",)) -> Found:
    keys = cache.keys(cache.scope("verdict", facts), [(text,) for text in texts])
    found = await cache.get("verdict", keys)
    cache.put("verdict", {key: text.encode() for key, text in zip(keys, texts, strict=bool(keys))})
    return found


class TestInProcess:
    """Without Redis."""

    def test_the_same_question_is_a_hit_and_a_batch_may_be_one_in_part(self) -> None:
        registry = CollectorRegistry()
        cache = make_cache(registry)
        assert ask(cache, "a").status == "careerlens; fwd=miss"
        assert ask(cache, "a") == Found([b"a"], "careerlens; hit; detail=local")
        partial = ask(cache, "b", "a", "c")
        assert partial == Found([None, b"a", None], 'careerlens; fwd=partial; detail="1 of 3"')
        counted = {
            outcome: registry.get_sample_value(
                "careerlens_cache_lookups_total", {"kind": "verdict", "outcome": outcome}
            )
            for outcome in ("local", "miss")
        }
        assert counted == {"local": 2.0, "miss": 3.0}

    def test_anything_that_decides_an_answer_parts_it_from_others(self) -> None:
        cache = make_cache()
        scopes = [
            cache.scope("extract", ("v1", "digest", 0.5)),
            cache.scope("extract", ("v2", "digest", 0.5)),
            cache.scope("extract", ("v1", "other", 0.5)),
            cache.scope("extract", ("v1", "digest", 0.6)),
            cache.scope("gap", ("v1", "digest", 0.5)),
            make_cache(answer_cache_secret="another").scope("extract", ("v1", "digest", 0.5)),
        ]
        texts = [("ab", "c"), ("a", "bc"), ("abc",), ("AB", "c"), ("ab ", "c"), ("\ud800",)]
        keys = [key for scope in scopes for key in cache.keys(scope, texts)]
        assert len(set(keys)) == len(scopes) * len(texts)

    def test_memory_is_bounded_and_the_latest_stay(self) -> None:
        cache = make_cache(answer_cache_mib=1)
        size = 10_000
        for number in range(300):
            ask(cache, f"{number:0{size}}")
        texts = [(f"{number:0{size}}",) for number in range(300)]
        found = asyncio.run(
            cache.get("verdict", cache.keys(cache.scope("verdict", ("v1",)), texts))
        )
        kept = [number for number, value in enumerate(found.values) if value is not None]
        assert 0 < len(kept) <= 2**20 // size
        assert kept == list(range(300 - len(kept), 300))

    def test_what_is_too_long_is_not_kept(self) -> None:
        cache = make_cache()
        for _ in range(2):
            assert ask(cache, "x" * 70_000).values == [None]

    def test_an_answer_is_forgotten_in_time(self) -> None:
        cache = make_cache(answer_cache_seconds=0.05)
        ask(cache, "a")
        time.sleep(0.1)
        assert ask(cache, "a").values == [None]

    def test_switched_off_nothing_is_kept_and_nothing_said(self) -> None:
        cache = make_cache(answer_cache_seconds=0)
        for _ in range(2):
            assert ask(cache, "a") == Found([], None)


class TestVerdicts:
    """What callers of moderation get."""

    @pytest.fixture
    def models(self, tiny_bundles: dict[str, Any]) -> dict[str, ServedModel]:
        return {
            kind: ServedModel(loaded, "v1", Thresholds(review=0.5, block=0.9))
            for kind in ("spam", "toxicity")
            for loaded in [load_bundle(tiny_bundles[kind] / "bundle", FORMATS[kind])]
        }

    def test_kept_verdicts_are_the_same_to_the_last_bit_and_counted_as_others(
        self, models: dict[str, ServedModel]
    ) -> None:
        texts = [TOXIC, "You won a prize", TOXIC.upper(), "", "é 😀 idiot"] * 20
        moderator = Moderator(models["spam"], models["toxicity"])
        standing = Standing(moderator)
        for expected in ("fwd=miss", "hit"):
            judged = standing.ask(texts)
            assert judged.verdicts == moderator.moderate(texts)
            assert judged.cache_status is not None
            assert expected in judged.cache_status
        counted = [
            standing.metrics.registry.get_sample_value(
                "careerlens_messages_total", {"action": action}
            )
            for action in ("allow", "review", "block")
        ]
        assert sum(each or 0 for each in counted) == 2 * len(texts)

    def test_texts_alike_once_normalised_keep_their_own_places(
        self, models: dict[str, ServedModel]
    ) -> None:
        standing = Standing(Moderator(models["spam"], models["toxicity"]))
        plain, spaced = "you idiot", "you   idiot"
        standing.ask([plain])
        [verdict] = standing.ask([spaced]).verdicts
        [span] = [span for span in verdict.toxicity.spans if span.end == len(spaced)]
        assert spaced[span.start : span.end] == "idiot"

    def test_another_version_or_threshold_never_gives_an_old_verdict(
        self, models: dict[str, ServedModel]
    ) -> None:
        standing = Standing(Moderator(models["spam"], models["toxicity"]))
        [first] = standing.ask([TOXIC]).verdicts
        spam = models["spam"]
        newer = ServedModel(spam.bundle, "v2", spam.thresholds)
        strict = ServedModel(spam.bundle, "v1", Thresholds(review=0.0, block=0.0))
        for other in (newer, strict):
            standing.moderator = Moderator(other, models["toxicity"])
            judged = standing.ask([TOXIC])
            assert judged.cache_status == "careerlens; fwd=miss"
            assert judged.verdicts == standing.moderator.moderate([TOXIC])
            assert judged.verdicts != [first]
        standing.moderator = Moderator(spam, models["toxicity"])
        hit = "careerlens; hit; detail=local"
        assert standing.ask([TOXIC]) == Judged([first], [to_json(first)], hit)

    def test_what_redis_should_not_hold_is_judged_anew(
        self, models: dict[str, ServedModel]
    ) -> None:
        standing = Standing(Moderator(models["spam"], models["toxicity"]))
        keys = standing.moderation._cache.keys(
            standing.moderation._scope_of(standing.moderator), [(TOXIC,)]
        )
        standing.moderation._cache.put("verdict", {keys[0]: b'{"action": "allow"}'})
        assert standing.ask([TOXIC]).verdicts == standing.moderator.moderate([TOXIC])


class Standing:
    """Moderation by a moderator that a test changes."""

    def __init__(self, moderator: Moderator) -> None:
        self.moderator = moderator
        self.metrics = Metrics()
        shadow = Shadow(0.0, ShadowMetrics(CollectorRegistry()), None, open_log("error"))
        standing: Any = self
        self.moderation = Moderation(
            standing, self.metrics, shadow, no_monitor(), make_cache(), make_lines()
        )

    def current(self) -> Any:
        found = self.moderator

        class Snapshot:
            def moderator(self) -> Moderator:
                return found

        return Snapshot()

    def ask(self, texts: Sequence[str]) -> Judged:
        return asyncio.run(self.moderation.verdicts(texts))


class TestOverHttp:
    """The head of the answer says where it is from; its body is the same but for the id."""

    def test_a_hit_is_the_same_answer_under_the_callers_own_id(self, service: InProcess) -> None:
        text = f"{TOXIC} {uuid.uuid4()}"
        first, second = service.moderate(text), service.moderate(text)
        assert first.headers["cache-status"] == "careerlens; fwd=miss"
        assert second.headers["cache-status"] == "careerlens; hit; detail=local"
        ids = [answered.json()["request_id"] for answered in (first, second)]
        assert ids == [answered.headers["x-request-id"] for answered in (first, second)]
        assert len(set(ids)) == 2
        assert first.json() | {"request_id": ""} == second.json() | {"request_id": ""}
        batch = service.request("POST", "/moderate/batch", json={"texts": [text, text + "!"]})
        assert batch.headers["cache-status"] == 'careerlens; fwd=partial; detail="1 of 2"'

    @pytest.mark.parametrize(
        ("path", "asked", "other"),
        [
            ("/skills/extract", {"text": "Python and Django"}, {"text": "Python and Flask"}),
            (
                "/skills/gap",
                {"text": "Python", "job_description": "Python and Kafka"},
                {"text": "Python and Kafka", "job_description": "Python"},
            ),
            (
                "/jobs/recommend",
                {"text": "Python developer", "top_k": 2},
                {"text": "Python developer", "top_k": 3},
            ),
        ],
    )
    def test_answers_about_jobs_are_kept(
        self, path: str, asked: dict[str, Any], other: dict[str, Any]
    ) -> None:
        with open_desk() as desk:
            first, again, another = (desk.post(path, json=each) for each in (asked, asked, other))
            assert [answered.headers["cache-status"] for answered in (first, again, another)] == [
                "careerlens; fwd=miss",
                "careerlens; hit; detail=local",
                "careerlens; fwd=miss",
            ]
            assert first.json() | {"request_id": ""} == again.json() | {"request_id": ""}
            assert first.json()["request_id"] != again.json()["request_id"]

    def test_a_resume_read_whole_is_not_kept(self) -> None:
        with open_desk() as desk:
            for path, more in (
                ("/resume/parse", {}),
                ("/resume/analyze", {"job_description": "x"}),
            ):
                answered = desk.post(path, json={"text": "Jane Doe\nPython"} | more)
                assert answered.status_code == 200
                assert "cache-status" not in answered.headers


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """What stands before a real Redis."""
    monkeypatch.setattr(shared_cache, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(shared_cache, "LONGEST_PAUSE", 0.1)
    monkeypatch.setattr(shared_cache, "WAIT_SECONDS", 0.2)  # of a machine that does other things
    address = redis.connection.parse_url(require_redis())
    with FaultyProxy(address["port"]) as opened:
        yield opened


class Worker:
    """A worker that keeps its answers in Redis alone, with what it counted."""

    def __init__(self, proxy: FaultyProxy, secret: str) -> None:
        self.registry = CollectorRegistry()
        self.cache = make_cache(
            self.registry,
            f"redis://127.0.0.1:{proxy.port}/0",
            answer_cache_mib=0,
            answer_cache_seconds=60,
            answer_cache_secret=secret,
            redis_timeout_seconds=0.5,
        )

    async def look(self, *texts: str) -> list[bytes | None]:
        return list((await look(self.cache, *texts)).values)

    async def until_found(self, *texts: str) -> None:
        deadline = time.monotonic() + 10
        while None in await self.look(*texts):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)

    def failures(self, reason: str) -> float:
        name = "careerlens_cache_redis_failures_total"
        return self.registry.get_sample_value(name, {"reason": reason}) or 0.0


class TestRedis:
    """With a Redis that fails in every way it can."""

    @pytest.fixture
    def secret(self) -> str:
        return uuid.uuid4().hex

    def test_workers_share_answers_and_redis_learns_nothing(
        self, proxy: FaultyProxy, secret: str
    ) -> None:
        async def main() -> None:
            one, other = Worker(proxy, secret), Worker(proxy, secret)
            assert await one.look(CANARY, "b") == [None, None]
            await other.until_found(CANARY, "b")
            assert await other.look("b", "c", CANARY) == [b"b", None, CANARY.encode()]
            foreign = Worker(proxy, secret + "x")
            assert await foreign.look("b") == [None]
            recommended = one.cache.keys(one.cache.scope("recommend", ()), [("mine",)])
            one.cache.put("recommend", {recommended[0]: b"words of a resume"})
            await one.until_found("d")  # written after it
            assert (await other.cache.get("recommend", recommended)).values == [None]
            for worker in (one, other, foreign):
                await worker.cache.stop()

        asyncio.run(main())
        with redis.Redis(port=redis.connection.parse_url(require_redis())["port"]) as client:
            kept = list(client.scan_iter(match="careerlens:answer:*", count=1000))
            assert kept
            assert all(CANARY.encode() not in key for key in kept)
            assert all(0 < client.pttl(key) <= 3_600_000 for key in kept if client.exists(key))

    def test_a_forged_or_damaged_answer_is_not_taken(self, proxy: FaultyProxy, secret: str) -> None:
        async def main() -> None:
            worker = Worker(proxy, secret)
            await worker.until_found("a", "b")
            keys = worker.cache.keys(worker.cache.scope("verdict", ("v1",)), [("a",), ("b",)])
            names = [b"careerlens:answer:" + key for key in keys]
            with redis.Redis(port=proxy.port) as client:
                given: Any = client.get(names[0])
                client.set(names[1], given, px=10_000)  # another's answer, sealed for its own key
                client.set(names[0], given[:-1] + b"x", px=10_000)
            assert (await worker.cache.get("verdict", keys)).values == [None, None]
            assert worker.failures("damaged") == 2
            await worker.cache.stop()

        asyncio.run(main())

    @pytest.mark.parametrize("how", ["refuse", "hang", "delay", "cut"])
    def test_a_redis_that_fails_costs_nothing_but_the_hits_and_is_used_again(
        self, how: str, proxy: FaultyProxy, secret: str
    ) -> None:
        orders = {"refuse": proxy.refuse, "hang": proxy.hang, "cut": proxy.cut}

        async def main() -> None:
            worker = Worker(proxy, secret)
            await worker.until_found("a")
            if how == "delay":
                proxy.delay(0.3)
            else:
                orders[how]()
            started = time.monotonic()
            for number in range(200):
                await worker.look(f"{number}")
                await asyncio.sleep(0)
            assert time.monotonic() - started < 5  # each of them waiting would take 40 s
            if how != "cut":  # a new connection is made at once, maybe with nobody noticing
                assert await worker.look("a") == [None]
                assert worker.failures("error") + worker.failures("slow") >= 1
            proxy.heal()
            await worker.until_found("a", "after")
            await worker.cache.stop()

        asyncio.run(main())

    @pytest.mark.parametrize("words", [b":5\r\n", b"*0\r\n", b"*1\r\n:1\r\n", b":no\r\n", b"?\r\n"])
    def test_a_redis_that_answers_something_else_is_one_that_fails(
        self, words: bytes, proxy: FaultyProxy, secret: str
    ) -> None:
        async def main() -> None:
            worker = Worker(proxy, secret)
            await worker.until_found("a")
            proxy.rave(words * 100)
            started = time.monotonic()
            for number in range(200):
                assert await worker.look(f"{number}") == [None]
                await asyncio.sleep(0)
            assert time.monotonic() - started < 5
            proxy.heal()
            proxy.cut()
            await worker.until_found("a", "after")
            await worker.cache.stop()

        asyncio.run(main())

    def test_a_redis_that_is_away_from_the_start_is_used_once_it_is_there(
        self, proxy: FaultyProxy, secret: str
    ) -> None:
        async def main() -> None:
            proxy.refuse()
            worker = Worker(proxy, secret)
            assert await worker.look("a") == [None]
            proxy.heal()
            await worker.until_found("a")
            await worker.cache.stop()

        asyncio.run(main())

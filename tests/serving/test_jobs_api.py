"""The client of Adzuna against a server on this machine that answers like it."""

import asyncio
import gc
import io
import json
import logging
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest

from serving.jobs_api import MAX_ANSWER_BYTES, LiveJobs
from serving.listings import Listing, LiveListings, LiveQuery
from serving.settings import AdzunaKeys
from serving.upstream import ListingsUnavailableError
from tests.adzuna import (
    APP_ID,
    APP_KEY,
    ERROR_PAGE,
    HTML,
    JSON,
    Answer,
    StandIn,
    found,
    result,
    stand_in,
)
from tests.serving.live import PYTHON, Clock, keys_of, refused, retry_after, run, search


@pytest.fixture
def adzuna() -> Iterator[StandIn]:
    with stand_in() as served:
        yield served


def test_a_search_is_asked_in_adzunas_words(adzuna: StandIn) -> None:
    query = LiveQuery(
        what="  c++  developer ",
        where="São Paulo",
        country="BR",
        distance=15,
        page=3,
        results_per_page=7,
        max_days_old=5,
        salary_min=1000,
        salary_max=1000,
        full_time=True,
        permanent=True,
        category="it-jobs",
        company="Wayne & Sons",
    )
    assert len(search(adzuna, query).listings) == 7
    [call] = adzuna.calls
    assert call.path == "/v1/api/jobs/br/search/3"
    assert call.params == {
        "app_id": APP_ID,
        "app_key": APP_KEY,
        "content-type": "application/json",
        "what": "c++ developer",
        "where": "São Paulo",
        "distance": "15",
        "results_per_page": "7",
        "sort_by": "date",
        "max_days_old": "5",
        "salary_min": "1000",
        "salary_max": "1000",
        "full_time": "1",
        "permanent": "1",
        "category": "it-jobs",
        "company": "Wayne & Sons",
    }


def test_the_newest_come_first_unless_asked_otherwise_and_nothing_else_is_sent(
    adzuna: StandIn,
) -> None:
    search(adzuna)
    sent = adzuna.calls[0].params.keys() - {"app_id", "app_key", "content-type"}
    assert sent == {"what", "sort_by", "results_per_page"}
    assert adzuna.calls[0].params["sort_by"] == "date"


HUGE = b'{"results": [' + b" " * MAX_ANSWER_BYTES + b"]}"


@pytest.mark.parametrize(
    ("answer", "code", "calls"),
    [
        (Answer(500, b"{}"), "adzuna_down", 3),
        (Answer(503, b"<html>maintenance</html>", HTML), "adzuna_down", 3),
        (Answer(400, ERROR_PAGE, HTML), "adzuna_refused", 1),
        (Answer(404, ERROR_PAGE, HTML), "adzuna_refused", 1),
        (Answer(410, b"", JSON), "adzuna_refused", 1),
        (Answer(302, b"", HTML, {"Location": "http://127.0.0.1:9/"}), "adzuna_refused", 1),
        (Answer(401, b"{}"), "adzuna_keys_refused", 1),
        (Answer(403, ERROR_PAGE, HTML), "adzuna_keys_refused", 1),
        (Answer(429, b"{}"), "adzuna_quota_spent", 1),
        (Answer(200, ERROR_PAGE, HTML), "adzuna_down", 1),
        (Answer(200, b'{"results": []}', ""), "adzuna_down", 1),
        (Answer(200, b'{"results": ['), "adzuna_down", 1),
        (Answer(200, b'{"results": {}}'), "adzuna_down", 1),
        (Answer(200, b"[]"), "adzuna_down", 1),
        (Answer(200, b""), "adzuna_down", 1),
        (Answer(200, b"\xff\xfe\xfa"), "adzuna_down", 1),
        (Answer(200, b"[" * 200_000), "adzuna_down", 1),
        (Answer(200, b"1" * 5_000), "adzuna_down", 1),
        (Answer(200, HUGE), "adzuna_down", 1),
        (Answer(200, b"x", JSON, {"Content-Encoding": "gzip"}), "adzuna_down", 1),
        (Answer(200, b'{"results": [', declared=500), "adzuna_down", 1),
    ],
)
def test_an_answer_of_no_use_is_a_503_and_only_5xx_is_asked_again(
    adzuna: StandIn, answer: Answer, code: str, calls: int
) -> None:
    adzuna.then(*[answer] * 3)
    error = run(adzuna, refused)
    assert (error.code, len(adzuna.calls)) == (code, calls)
    assert retry_after(error) >= 1
    assert "<" not in error.detail


def test_a_search_that_fails_twice_and_then_works_is_answered(adzuna: StandIn) -> None:
    adzuna.then(Answer(502), Answer(500))
    assert len(search(adzuna).listings) == 20
    assert len(adzuna.calls) == 3


def test_tries_are_spaced(adzuna: StandIn) -> None:
    adzuna.then(Answer(502))
    started = time.monotonic()
    search(adzuna, spaced=True)
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(
    "slow", [Answer(delay=5.0), Answer(body=b'{"results": []}', pause=0.05)], ids=["head", "body"]
)
def test_a_slow_answer_is_given_up_in_time_and_asked_again(adzuna: StandIn, slow: Answer) -> None:
    adzuna.then(slow, slow)
    started = time.monotonic()
    assert len(search(adzuna, adzuna_timeout_seconds=0.25).listings) == 20
    assert len(adzuna.calls) == 3
    assert time.monotonic() - started < 1.5


def test_silence_to_the_end_is_a_503(adzuna: StandIn) -> None:
    adzuna.then(*[Answer(delay=5.0)] * 2)
    error = run(adzuna, refused, adzuna_timeout_seconds=0.1, adzuna_tries=2)
    assert (error.code, len(adzuna.calls)) == ("adzuna_down", 2)


def test_nobody_listening_is_a_503() -> None:
    with stand_in() as gone:
        pass
    assert run(gone, refused).code == "adzuna_down"


def test_the_same_search_in_other_spelling_is_answered_without_a_call(adzuna: StandIn) -> None:
    same = [
        LiveQuery(what="Python Developer", country="gb"),
        LiveQuery(what=" python  developer ", country="GB", where="", page=1, distance=70),
        LiveQuery(what="PYTHON DEVELOPER", sort_by="date", part_time=False),
    ]

    async def work(jobs: LiveJobs) -> None:
        first, *others = [await jobs.search(query) for query in same]
        assert all(other == first for other in others)

    run(adzuna, work)
    assert len(adzuna.calls) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"what": "java"},
        {"page": 2},
        {"country": "us"},
        {"where": "Leeds"},
        {"full_time": True},
        {"results_per_page": 5},
        {"sort_by": "salary"},
    ],
)
def test_another_search_is_asked_anew(adzuna: StandIn, other: dict[str, Any]) -> None:
    async def work(jobs: LiveJobs) -> None:
        await jobs.search(PYTHON)
        await jobs.search(LiveQuery(**{"what": "python"} | other))

    run(adzuna, work)
    assert len(adzuna.calls) == 2


def test_an_answer_is_kept_for_its_time_and_a_failure_not_at_all(adzuna: StandIn) -> None:
    clock = Clock()
    adzuna.then(Answer(400, ERROR_PAGE, HTML))

    async def work(jobs: LiveJobs) -> None:
        await refused(jobs)
        for seconds, calls in ((0.0, 2), (59.0, 2), (2.0, 3)):
            clock.now += seconds
            await jobs.search(PYTHON)
            assert len(adzuna.calls) == calls

    run(adzuna, work, clock=clock, adzuna_cache_seconds=60.0)


def test_identical_searches_at_once_make_one_call(adzuna: StandIn) -> None:
    adzuna.then(Answer(500, delay=0.1), found(result(1)))

    async def work(jobs: LiveJobs) -> list[LiveListings]:
        return await asyncio.gather(*(jobs.search(PYTHON) for _ in range(20)))

    answered = run(adzuna, work)
    assert all(one == answered[0] for one in answered)
    assert len(adzuna.calls) == 2  # the one that failed, and its second try


def test_identical_searches_at_once_share_a_failure(adzuna: StandIn) -> None:
    adzuna.then(Answer(400, ERROR_PAGE, HTML, delay=0.1))

    async def work(jobs: LiveJobs) -> list[ListingsUnavailableError]:
        return await asyncio.gather(*(refused(jobs) for _ in range(5)))

    assert {error.code for error in run(adzuna, work)} == {"adzuna_refused"}
    assert len(adzuna.calls) == 1


def test_whoever_asked_first_may_leave_and_the_others_are_answered(adzuna: StandIn) -> None:
    adzuna.then(replace(found(result(1)), delay=0.2))

    async def work(jobs: LiveJobs) -> LiveListings:
        first = asyncio.create_task(jobs.search(PYTHON))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(jobs.search(PYTHON))
        await asyncio.sleep(0.05)
        first.cancel()
        return await second

    assert len(run(adzuna, work).listings) == 1
    assert len(adzuna.calls) == 1


def test_a_failure_that_nobody_waits_for_any_more_makes_no_noise(
    adzuna: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    adzuna.then(Answer(400, ERROR_PAGE, HTML, delay=0.1))

    async def work(jobs: LiveJobs) -> None:
        asked = asyncio.create_task(jobs.search(PYTHON))
        await asyncio.sleep(0.05)
        asked.cancel()
        await asyncio.sleep(0.2)
        gc.collect()

    run(adzuna, work)
    assert caplog.records == []


def test_closing_while_adzuna_is_asked_leaves_nothing_running(adzuna: StandIn) -> None:
    adzuna.then(Answer(delay=5.0))

    async def work(jobs: LiveJobs) -> float:
        asked = asyncio.create_task(jobs.search(PYTHON))
        await asyncio.sleep(0.05)
        started = time.monotonic()
        await jobs.aclose()
        await asyncio.gather(asked, return_exceptions=True)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return time.monotonic() - started

    assert run(adzuna, work) < 1.0


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        (keys_of(), "ADZUNA_APP_ID and ADZUNA_APP_KEY"),
        (keys_of(app_id=APP_ID), "set ADZUNA_APP_KEY"),
    ],
)
def test_without_keys_the_variables_to_set_are_named_and_nothing_is_sent(
    adzuna: StandIn, keys: AdzunaKeys, named: str
) -> None:
    error = run(adzuna, refused, keys=keys)
    assert error.code == "adzuna_keys_missing"
    assert named in error.detail
    assert adzuna.calls == []


def test_wrong_keys_are_said_to_be_refused(adzuna: StandIn) -> None:
    error = run(adzuna, refused, keys=keys_of(app_id=APP_ID, app_key="another"))
    assert error.code == "adzuna_keys_refused"
    assert "ADZUNA_APP_KEY" in error.detail


def test_a_resume_scores_the_listings_in_their_order_and_the_kept_answer_stays_without(
    adzuna: StandIn,
) -> None:
    adzuna.then(found(result(1), result(2), result(3)))

    async def work(jobs: LiveJobs) -> None:
        async def score(found: Sequence[Listing]) -> list[float]:
            return [len(one.id) + 0.5 for one in found]

        scored = await jobs.search(PYTHON, score)
        assert [listing.score for listing in scored.listings] == [10.5, 10.5, 10.5]
        assert [listing.id[-1] for listing in scored.listings] == ["1", "2", "3"]
        plain = await jobs.search(PYTHON)
        assert [listing.score for listing in plain.listings] == [None, None, None]

    run(adzuna, work)
    assert len(adzuna.calls) == 1


def test_a_page_without_listings_is_not_scored(adzuna: StandIn) -> None:
    adzuna.then(found())

    async def score(_: Sequence[Listing]) -> list[float]:
        raise AssertionError

    assert run(adzuna, lambda jobs: jobs.search(PYTHON, score)).listings == ()


ECHO = {"Location": f"https://elsewhere.example/?app_key={APP_KEY}", "X-Echo": APP_KEY}


@pytest.mark.parametrize(
    "answer",
    [
        found(result(1)),
        Answer(302, b"", HTML, ECHO),
        Answer(401, json.dumps({"display": APP_KEY}).encode(), JSON, ECHO),
        Answer(200, b'{"results": ', JSON, ECHO),
        Answer(500, APP_KEY.encode(), HTML, ECHO),
        Answer(delay=5.0),
        Answer(200, b"x", declared=9),
    ],
    ids=["fine", "redirect", "401", "malformed", "500", "slow", "broken off"],
)
def test_no_log_error_or_repr_tells_a_key_or_the_search(
    adzuna: StandIn, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    stream, canary_search = io.StringIO(), LiveQuery(what="canarysearch")
    adzuna.then(answer)

    async def work(jobs: LiveJobs) -> list[str]:
        [error] = await asyncio.gather(jobs.search(canary_search), return_exceptions=True)
        told = [repr(jobs), repr(vars(jobs)), *map(repr, jobs._answers)]
        if isinstance(error, ListingsUnavailableError):
            assert error.__context__ is None or error.__suppress_context__
            trace = traceback.TracebackException.from_exception(error, capture_locals=True)
            told += [repr(error), repr(vars(error)), repr(error.headers()), *trace.format()]
        return told

    for name in ("root", "httpx", "httpcore", "httpcore.connection", "httpcore.http11"):
        caplog.set_level(logging.DEBUG, name)
    told = run(adzuna, work, stream=stream, adzuna_timeout_seconds=0.2, adzuna_tries=1)
    assert adzuna.calls[0].params["app_key"] == APP_KEY
    logged = stream.getvalue() + caplog.text
    assert '"event":"adzuna"' in logged
    assert "canarysearch" not in logged
    assert APP_KEY not in logged + "".join(told)


def test_what_httpx_knows_of_a_request_has_no_key(adzuna: StandIn) -> None:
    known: list[str] = []

    async def note(response: httpx.Response) -> None:
        known.extend([str(response.url), str(response.request.url), repr(response.request)])

    async def work(jobs: LiveJobs) -> None:
        jobs._client.event_hooks = {"response": [note]}
        await jobs.search(PYTHON)

    run(adzuna, work)
    assert known[0].startswith(adzuna.url)
    assert not any(APP_KEY in told or APP_ID in told for told in known)
    assert adzuna.calls[0].params["app_key"] == APP_KEY


def test_the_silence_is_for_our_calls_alone(
    adzuna: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    search(adzuna)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").info("another client's line")
    logging.getLogger("httpcore.http11").debug("another client's line")
    assert len(caplog.records) == 2


def test_the_environment_does_not_say_where_keys_go(
    adzuna: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert search(adzuna).listings

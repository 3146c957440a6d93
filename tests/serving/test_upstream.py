"""The quota, the pause after a 429, and the circuit, through the client."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from serving.jobs_api import LiveJobs
from serving.listings import LiveQuery
from serving.settings import Settings
from serving.upstream import FAILURES_TO_OPEN, OPEN_SECONDS
from tests.adzuna import ERROR_PAGE, HTML, Answer, StandIn, found, result, stand_in
from tests.serving.live import PYTHON, Clock, refused, retry_after, run


@pytest.fixture
def adzuna() -> Iterator[StandIn]:
    with stand_in() as served:
        yield served


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": "9" * 400}, 86_400),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "soon"}, 60),
        ({}, 60),
    ],
)
def test_after_a_429_nothing_is_sent_until_the_time_it_names(
    adzuna: StandIn, header: dict[str, str], seconds: int
) -> None:
    clock = Clock()
    adzuna.then(Answer(429, b"{}", headers=header))

    async def work(jobs: LiveJobs) -> None:
        assert retry_after(await refused(jobs)) == seconds
        clock.now += seconds - 0.5
        assert (await refused(jobs, LiveQuery(what="other"))).code == "adzuna_quota_spent"
        assert len(adzuna.calls) == 1
        clock.now += 1
        await jobs.search(PYTHON)
        assert len(adzuna.calls) == 2

    run(adzuna, work, clock=clock)


def test_a_429_may_name_a_date(adzuna: StandIn) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    adzuna.then(Answer(429, b"{}", headers={"Retry-After": date}))
    assert 3500 <= retry_after(run(adzuna, refused)) <= 3600


def test_when_the_budget_is_spent_nothing_is_sent_and_what_is_kept_is_still_given(
    adzuna: StandIn,
) -> None:
    async def work(jobs: LiveJobs) -> None:
        for word in ("one", "two"):
            await jobs.search(LiveQuery(what=word))
        error = await refused(jobs, LiveQuery(what="three"))
        assert error.code == "adzuna_quota_spent"
        assert 3500 <= retry_after(error) <= 3600
        assert (await jobs.search(LiveQuery(what="one"))).listings

    run(adzuna, work, adzuna_budget="2/minute,2/hour")
    assert len(adzuna.calls) == 2


def test_each_try_is_paid_from_the_budget(adzuna: StandIn) -> None:
    adzuna.then(*[Answer(500)] * 3)
    assert run(adzuna, refused, adzuna_budget="2/day").code == "adzuna_quota_spent"
    assert len(adzuna.calls) == 2


def test_the_default_budget_is_the_free_quota() -> None:
    assert Settings().adzuna_budget == "25/minute,250/day,1000/7day,2500/month"


def other_queries() -> Iterator[LiveQuery]:
    return (LiveQuery(what=f"word {number}") for number in range(1000))


async def break_circuit(jobs: LiveJobs, adzuna: StandIn, queries: Iterator[LiveQuery]) -> None:
    adzuna.then(*[Answer(500)] * FAILURES_TO_OPEN)
    for _ in range(FAILURES_TO_OPEN):
        await refused(jobs, next(queries))


def test_after_failures_in_a_row_nothing_is_sent_for_a_while_then_one_probe_decides(
    adzuna: StandIn,
) -> None:
    clock, queries = Clock(), other_queries()

    async def work(jobs: LiveJobs) -> None:
        await jobs.search(PYTHON)
        await break_circuit(jobs, adzuna, queries)
        calls = len(adzuna.calls)

        clock.now += OPEN_SECONDS - 10
        assert retry_after(await refused(jobs, next(queries))) == 10
        assert (await jobs.search(PYTHON)).listings  # kept from before
        assert len(adzuna.calls) == calls

        clock.now += 10
        adzuna.then(Answer(500))
        await refused(jobs, next(queries))
        assert len(adzuna.calls) == calls + 1
        assert retry_after(await refused(jobs, next(queries))) == OPEN_SECONDS
        assert len(adzuna.calls) == calls + 1

        clock.now += OPEN_SECONDS
        for _ in range(3):
            assert (await jobs.search(next(queries))).listings
        assert len(adzuna.calls) == calls + 4

    run(adzuna, work, clock=clock, adzuna_tries=1)


def test_a_circuit_that_opens_between_two_tries_ends_them(adzuna: StandIn) -> None:
    adzuna.then(*[Answer(500)] * 100)

    async def work(jobs: LiveJobs) -> None:
        queries = other_queries()
        errors = [await refused(jobs, next(queries)) for _ in range(3)]
        assert [error.reason for error in errors] == ["status 500", "status 500", "adzuna_down"]

    run(adzuna, work, adzuna_tries=3)
    assert len(adzuna.calls) == FAILURES_TO_OPEN


def test_while_one_probe_is_out_no_other_call_is_made(adzuna: StandIn) -> None:
    clock, queries = Clock(), other_queries()

    async def work(jobs: LiveJobs) -> None:
        await break_circuit(jobs, adzuna, queries)
        clock.now += OPEN_SECONDS
        adzuna.then(replace(found(result(1)), delay=0.1))
        probe = asyncio.create_task(jobs.search(next(queries)))
        await asyncio.sleep(0.05)
        await refused(jobs, next(queries))
        assert len(adzuna.calls) == FAILURES_TO_OPEN + 1
        assert (await probe).listings

    run(adzuna, work, clock=clock, adzuna_tries=1)


def test_a_probe_that_tells_nothing_leaves_the_way_to_the_next(adzuna: StandIn) -> None:
    clock, queries = Clock(), other_queries()

    async def work(jobs: LiveJobs) -> None:
        await break_circuit(jobs, adzuna, queries)
        clock.now += OPEN_SECONDS
        adzuna.then(Answer(400, ERROR_PAGE, HTML))
        assert (await refused(jobs, next(queries))).code == "adzuna_refused"
        assert (await jobs.search(next(queries))).listings

    run(adzuna, work, clock=clock, adzuna_tries=1)


def test_failures_with_a_success_between_them_open_nothing(adzuna: StandIn) -> None:
    queries = other_queries()

    async def work(jobs: LiveJobs) -> None:
        for _ in range(FAILURES_TO_OPEN):
            adzuna.then(Answer(500))
            await refused(jobs, next(queries))
            await jobs.search(next(queries))

    run(adzuna, work, adzuna_tries=1)

"""Running a client of Adzuna against the stand-in."""

import asyncio
import io
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import stamina
from pydantic import SecretStr

from serving.jobs_api import LiveJobs
from serving.listings import LiveListings, LiveQuery
from serving.logs import open_log
from serving.settings import AdzunaKeys, Settings
from serving.upstream import ListingsUnavailableError
from tests.adzuna import APP_ID, APP_KEY, StandIn


def keys_of(**words: str) -> AdzunaKeys:
    """Return keys that owe nothing to the environment."""
    return AdzunaKeys.model_construct(**{name: SecretStr(word) for name, word in words.items()})


KEYS = keys_of(app_id=APP_ID, app_key=APP_KEY)
PYTHON = LiveQuery(what="python")

Work = Callable[[LiveJobs], Awaitable[Any]]


class Clock:
    """A clock that stands still until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def run(
    adzuna: StandIn,
    work: Work,
    *,
    keys: AdzunaKeys = KEYS,
    clock: Callable[[], float] = time.monotonic,
    stream: io.StringIO | None = None,
    spaced: bool = False,
    **settings: Any,
) -> Any:
    """Return what ``work`` makes of a client of the stand-in, without waits unless ``spaced``."""

    async def main() -> Any:
        chosen = Settings(adzuna_url=adzuna.url, **{"adzuna_timeout_seconds": 2.0} | settings)
        jobs = LiveJobs(chosen, keys, open_log("debug", stream or io.StringIO()), clock)
        try:
            return await work(jobs)
        finally:
            await jobs.aclose()

    with stamina.set_testing(not spaced, attempts=10, cap=True):
        return asyncio.run(main())


def search(adzuna: StandIn, query: LiveQuery = PYTHON, **options: Any) -> LiveListings:
    return run(adzuna, lambda jobs: jobs.search(query), **options)


async def refused(jobs: LiveJobs, query: LiveQuery = PYTHON) -> ListingsUnavailableError:
    with pytest.raises(ListingsUnavailableError) as caught:
        await jobs.search(query)
    assert caught.value.status == 503
    return caught.value


def retry_after(error: ListingsUnavailableError) -> int:
    return int(dict(error.headers())["retry-after"])

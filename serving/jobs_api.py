"""The client of Adzuna's job search: within its quota, patient, and never telling its keys.

A search is answered from the cache, or joins the same search under way, or calls Adzuna through
the circuit and the budget, again after 5xx and silence alone.
"""

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx
import stamina
from cachetools import TTLCache

from serving.listings import Listing, LiveListings, LiveQuery, read_answer
from serving.logs import Log
from serving.settings import AdzunaKeys, Settings
from serving.tracing import span
from serving.upstream import (
    AdzunaDownError,
    Budget,
    Circuit,
    Clock,
    ListingsUnavailableError,
    quota_spent,
)

#: Largest answer that is read; one of fifty listings has about a tenth of it.
MAX_ANSWER_BYTES = 2 * 1024 * 1024
MAX_CACHED_ANSWERS = 512

#: Seconds to stay away after a 429 that does not say how long, and at most when it does.
QUIET_SECONDS = 60.0
MAX_QUIET_SECONDS = 86_400.0

#: Seconds until asking again makes sense when only a person can mend it.
REFUSED_SECONDS = 300.0

# Retries are in our own log line. stamina's hooks would write to structlog's default output, and
# count in a registry that nobody reads.
stamina.instrumentation.set_on_retry_hooks([])

Score = Callable[[Sequence[Listing]], Awaitable[Sequence[float]]]
_Search = tuple[tuple[str, str], ...]

_calling: ContextVar[bool] = ContextVar("calling", default=False)


def _outside_calls(_: logging.LogRecord) -> bool:
    return not _calling.get()


# At INFO httpx logs addresses, and at DEBUG httpcore logs heads of answers, in which a server may
# repeat what it was asked. A level would not do: whoever debugs another client lowers it.
for _name in ("httpx", "httpcore.connection", "httpcore.http11"):
    logging.getLogger(_name).addFilter(_outside_calls)


class LiveJobs:
    """Searches Adzuna for the service; one for each process, on one event loop.

    Parameters
    ----------
    settings : Settings
    keys : AdzunaKeys
    log : Log
    clock : callable, optional
        Seconds, for the cache, the circuit and the pause after a 429.
    """

    def __init__(
        self, settings: Settings, keys: AdzunaKeys, log: Log, clock: Clock = time.monotonic
    ) -> None:
        self._missing = keys.missing()
        self._log = log
        self._clock = clock
        self._seconds = settings.adzuna_timeout_seconds
        self._circuit = Circuit(clock)
        self._budget = Budget(settings.adzuna_budget, clock)
        self._answers: TTLCache[_Search, LiveListings] = TTLCache(
            MAX_CACHED_ANSWERS, settings.adzuna_cache_seconds, timer=clock
        )
        self._under_way: dict[_Search, asyncio.Task[LiveListings]] = {}
        self._again = stamina.AsyncRetryingCaller(
            attempts=settings.adzuna_tries,
            timeout=None,
            wait_initial=0.2,
            wait_max=2.0,
            wait_jitter=0.2,
        ).on(self._worth_another_try)
        self._client = httpx.AsyncClient(
            base_url=settings.adzuna_url,
            transport=_KeyedTransport(keys),
            timeout=self._seconds,
            # Unpacked on the way in, a small answer could fill the memory before it is measured.
            headers={"accept": "application/json", "accept-encoding": "identity"},
            trust_env=False,
        )

    async def search(self, query: LiveQuery, score: Score | None = None) -> LiveListings:
        """Return one page of listings, in Adzuna's order.

        Parameters
        ----------
        query : LiveQuery
        score : callable, optional
            From listings to as many numbers; without it there are no scores.

        Raises
        ------
        ListingsUnavailableError
            If the keys are missing or refused, the quota is spent, or Adzuna is down.
        """
        if self._missing:
            raise ListingsUnavailableError(
                f"live listings need keys: set {' and '.join(self._missing)} (free at "
                "https://developer.adzuna.com) and start the service again",
                "adzuna_keys_missing",
            )
        found = await self._find(query)
        if score is None or not found.listings:
            return found
        scores = await score(found.listings)
        scored = tuple(
            listing.model_copy(update={"score": float(value)})
            for listing, value in zip(found.listings, scores, strict=True)
        )
        return found.model_copy(update={"listings": scored})

    async def aclose(self) -> None:
        """Give up what is under way and close the connections."""
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        await self._client.aclose()

    async def _find(self, query: LiveQuery) -> LiveListings:
        search = _identity(query)
        kept = self._answers.get(search)
        if kept is not None:
            return kept
        task = self._under_way.get(search)
        if task is None:
            task = asyncio.create_task(self._again(self._call, query))
            self._under_way[search] = task
            task.add_done_callback(functools.partial(self._finished, search))
        # Whoever asked first may leave; the others, and the cache, still get the answer.
        return await asyncio.shield(task)

    def _finished(self, search: _Search, task: asyncio.Task[LiveListings]) -> None:
        del self._under_way[search]
        if not task.cancelled() and task.exception() is None:
            self._answers[search] = task.result()

    def _worth_another_try(self, error: Exception) -> bool:
        return isinstance(error, AdzunaDownError) and error.passing and not self._circuit.open

    async def _call(self, query: LiveQuery) -> LiveListings:
        """Ask once, and log it without a word of the search."""
        started = self._clock()
        try:
            with self._circuit.call():
                await self._budget.spend()
                with span("adzuna", country=query.country):
                    found = await self._exchange(query)
        except ListingsUnavailableError as error:
            self._log.warning("adzuna", outcome=error.reason, country=query.country)
            raise
        self._log.info(
            "adzuna",
            outcome="answered",
            country=query.country,
            listings=len(found.listings),
            dropped=found.dropped,
            ms=round((self._clock() - started) * 1000, 3),
        )
        return found

    async def _exchange(self, query: LiveQuery) -> LiveListings:
        token = _calling.set(True)
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._client.stream("GET", query.path(), params=query.params()) as response,
            ):
                if response.status_code != 200:
                    raise self._refusal(response)
                return await _read_page(response, query.page)
        except (TimeoutError, httpx.TimeoutException):
            failure = AdzunaDownError("timeout", passing=True)
        except httpx.HTTPError as error:
            failure = AdzunaDownError(type(error).__name__)
        finally:
            _calling.reset(token)
        raise failure  # out here, so that no error that knows the request is its context

    def _refusal(self, response: httpx.Response) -> ListingsUnavailableError:
        status = response.status_code
        if status == 429:
            seconds = _pause(response.headers.get("retry-after", ""))
            self._budget.close(seconds)
            return quota_spent(seconds)
        if status >= 500:
            return AdzunaDownError(f"status {status}", passing=True)
        if status in (401, 403):
            return ListingsUnavailableError(
                "Adzuna refuses the keys: ADZUNA_APP_ID and ADZUNA_APP_KEY must be of one account",
                "adzuna_keys_refused",
                REFUSED_SECONDS,
            )
        return ListingsUnavailableError(
            f"Adzuna refused this search with status {status}; try it with fewer filters",
            "adzuna_refused",
            REFUSED_SECONDS,
        )


class _KeyedTransport(httpx.AsyncBaseTransport):
    """Adds the keys on the way out, so that no request or error that others see has them."""

    def __init__(self, keys: AdzunaKeys) -> None:
        self._keys = keys
        # It reads all certificates, and the start waits for that: nothing is sent without keys.
        self._transport = (
            None
            if keys.missing()
            else httpx.AsyncHTTPTransport(trust_env=False, limits=httpx.Limits(max_connections=10))
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        keyed = httpx.Request(
            request.method,
            request.url.copy_merge_params(self._keys.query()),
            headers=request.headers,
            extensions=request.extensions,
        )
        assert self._transport is not None  # without keys a search ends before it gets here
        return await self._transport.handle_async_request(keyed)

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()


def _identity(query: LiveQuery) -> _Search:
    """Return what makes two searches the same; the keys are no part of it."""
    params = {name: value.casefold() for name, value in query.params().items()}
    return (("path", query.path()), *sorted(params.items()))


async def _read_page(response: httpx.Response, page: int) -> LiveListings:
    """Return the listings of an answer of status 200, which may be anything all the same."""
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise AdzunaDownError("not JSON")
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise AdzunaDownError("compressed")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise AdzunaDownError("too large")
    try:
        return read_answer(bytes(body), page)
    except ValueError:
        raise AdzunaDownError("malformed") from None


def _pause(retry_after: str) -> float:
    """Return the seconds that a Retry-After header, a number or a date, asks for."""
    seconds = QUIET_SECONDS
    if retry_after.isascii() and retry_after.isdecimal():
        seconds = float(retry_after)
    elif retry_after:
        try:
            until = parsedate_to_datetime(retry_after)
            seconds = until.replace(tzinfo=until.tzinfo or UTC).timestamp() - time.time()
        except (ValueError, OverflowError):
            pass
    return min(max(seconds, 1.0), MAX_QUIET_SECONDS)

"""Rate limits: what each key and each address may spend, and what they are told of it."""

import functools
from collections.abc import MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from limits import RateLimitItem, parse_many
from prometheus_client import CollectorRegistry, Counter

from serving.callers import SCOPES, Access, Caller
from serving.errors import LimitedError, LimitsAwayError, TooLargeError
from serving.settings import Settings
from serving.windows import LocalWindows, Quota, Window

if TYPE_CHECKING:  # imported only where there is a Redis, as it takes a while
    from serving.shared_windows import SharedWindows

#: What an address may spend in all, and how often it may come with a key that is none.
ADDRESS = "address"
FAILURES = "failures"

# Accounts that are kept ready; others are made again.
_MAX_READY = 10_000


class LimitMetrics:
    """What is counted of limits; all label values are of fixed sets."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._refusals = Counter(
            "careerlens_limit_refusals",
            "Requests refused because a limit was spent.",
            ["limit"],
            registry=registry,
        )

    def count_refusal(self, limit: str) -> None:
        """Count one request that was refused for the limit of this name."""
        self._refusals.labels(limit).inc()


@dataclass(frozen=True)
class Account:
    """The limits that one caller's requests of one kind spend, as a header tells them too."""

    quotas: tuple[Quota, ...]
    policy: bytes


class Limits:
    """What there is to spend, and where it is counted.

    Parameters
    ----------
    settings : Settings
    has_keys : bool
        Without keys the limits alone count that the operator has set, and not the defaults: only
        this machine is answered then.
    shared : SharedWindows, optional
    metrics : LimitMetrics
    """

    def __init__(
        self,
        settings: Settings,
        has_keys: bool,
        shared: "SharedWindows | None",
        metrics: LimitMetrics,
    ) -> None:
        self._items = {
            name: parse_many(text)
            for name in (*SCOPES, ADDRESS, FAILURES)
            if (text := getattr(settings, f"limit_{name}")) != "off"
            and (has_keys or f"limit_{name}" in settings.model_fields_set)
        }
        self._closes = settings.limits_on_failure == "closed"
        self._shared = shared
        self._local = LocalWindows()
        self._metrics = metrics
        self._account = functools.lru_cache(_MAX_READY)(self._open)

    def meter(
        self,
        caller: Caller,
        scope: Access | Literal["any"] | None,
        address: str,
        headers: MutableMapping[bytes, bytes],
    ) -> "Meter":
        """Return what counts one request of a caller; ``headers`` will tell how much is left."""
        of_key = ((scope, caller.key_id),) if scope in SCOPES else ()
        return Meter(self, self._account((*of_key, (ADDRESS, address))), headers)

    def failures(self, address: str, headers: MutableMapping[bytes, bytes]) -> "Meter":
        """Return what counts one key that is none."""
        return Meter(self, self._account(((FAILURES, address),)), headers)

    async def aclose(self) -> None:
        """Let go of Redis."""
        if self._shared is not None:
            await self._shared.aclose()

    async def spend(self, account: Account, cost: int) -> tuple[bool, list[Window]]:
        """Spend ``cost`` of every quota, or of none when it does not fit into one.

        Returns
        -------
        is_spent : bool
        windows : list of Window, as they are then

        Raises
        ------
        LimitsAwayError
            If Redis fails, and the limits close then.
        """
        if self._shared is not None:
            found = await self._shared.spend(account.quotas, cost)
            if found is not None:
                return found
            if self._closes:
                raise LimitsAwayError("requests cannot be counted at present; try again soon")
        return self._local.spend(account.quotas, cost)

    def refuse(self, windows: list[Window], cost: int) -> LimitedError:
        """Count a refusal, and return what the caller is told."""
        # Redis reckons in other units: where it says no by a hair, all may seem to fit here.
        window = max(windows, key=lambda window: (not window.fits(cost), window.wait(cost)))
        quota, seconds = window.quota, window.wait(cost)
        self._metrics.count_refusal(quota.name)
        return LimitedError(
            f"the limit {quota.name} is spent: {quota.limit:,} in {quota.seconds:,} seconds; "
            f"try again in {seconds:,}",
            seconds,
        )

    def _open(self, holders: tuple[tuple[str, str], ...]) -> Account:
        quotas = tuple(
            Quota(_name(name, item), item, item.key_for(name, who))
            for name, who in holders
            for item in self._items.get(name, ())
        )
        policy = ", ".join(f'"{each.name}";q={each.limit};w={each.seconds}' for each in quotas)
        return Account(quotas, policy.encode())


class Meter:
    """Counts what one request costs, and has the answer say what is left.

    The headers are those of draft-ietf-httpapi-ratelimit-headers-10: RateLimit-Policy names the
    limits with quota and window, and RateLimit tells what remains until the running window ends.
    """

    def __init__(
        self, limits: Limits, account: Account, headers: MutableMapping[bytes, bytes]
    ) -> None:
        self._limits = limits
        self._account = account
        self._headers = headers
        self._spent = 0

    async def charge(self, cost: int) -> None:
        """Count ``cost`` more.

        Raises
        ------
        LimitedError
            If so much is not left now.
        TooLargeError
            If so much is never left.
        LimitsAwayError
        """
        if not self._account.quotas:
            return
        for quota in self._account.quotas:
            if self._spent + cost > quota.limit:
                raise TooLargeError(
                    f"the request counts as {self._spent + cost:,}, and the limit {quota.name} "
                    f"lets through {quota.limit:,} in {quota.seconds:,} seconds: send less at a "
                    "time",
                    "over_limit",
                )
        is_spent, windows = await self._limits.spend(self._account, cost)
        self._headers[b"ratelimit-policy"] = self._account.policy
        self._headers[b"ratelimit"] = b", ".join(
            [
                b"%b;r=%d;t=%d" % (each.quota.title, each.remaining, max(0, each.left) + 1)
                for each in windows
            ]
        )
        if not is_spent:
            raise self._limits.refuse(windows, cost)
        self._spent += cost


#: What counts the request being answered; the front sets it.
current_meter: ContextVar[Meter | None] = ContextVar("meter", default=None)


async def charge(cost: int) -> None:
    """Count what turns out to be in the request being answered, beside what its route costs.

    Raises
    ------
    LimitedError, TooLargeError, LimitsAwayError
        As :meth:`Meter.charge` does.
    """
    meter = current_meter.get()
    if meter is not None and cost > 0:
        await meter.charge(cost)


def _name(name: str, item: RateLimitItem) -> str:
    """Return what a limit is called: ``moderate-minute``, ``jobs-7day``."""
    many = "" if item.multiples == 1 else item.multiples
    return f"{name}-{many}{item.GRANULARITY.name}"

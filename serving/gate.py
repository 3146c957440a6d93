"""Who comes in: the caller of each request, by its key, and what that may do and spend."""

from collections.abc import Mapping, MutableMapping
from ipaddress import ip_network
from typing import Literal

from prometheus_client import CollectorRegistry, Counter

from serving.addresses import Address, Addresses, Client, is_loopback_host
from serving.callers import ANYBODY, STRANGER, Access, current_caller
from serving.errors import ForbiddenError, UnauthorizedError
from serving.exchange import Scope
from serving.key_ring import KeyMetrics, KeyRing
from serving.limits import LimitMetrics, Limits, current_meter
from serving.logs import Log
from serving.redis_metrics import RedisMetrics
from serving.setting_error import SettingsError
from serving.settings import Settings

_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

_HOW_TO_GET_KEYS = (
    "make API keys with `python -m serving.keys create` and start the service with "
    "CAREERLENS_KEYS_FILE"
)


class GateMetrics:
    """What is counted of callers; all label values are of fixed sets."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._refusals = Counter(
            "careerlens_caller_refusals",
            "Requests refused for who sent them.",
            ["reason"],
            registry=registry,
        )

    def count_refusal(self, reason: str) -> None:
        """Count one refusal: ``missing_key``, ``invalid_key``, ``scope`` or ``not_local``."""
        self._refusals.labels(reason).inc()


class Gate:
    """Lets requests in.

    Parameters
    ----------
    ring : KeyRing, optional
        Without one, whoever is on this machine may do everything, and nobody else anything.
    addresses : Addresses
    limits : Limits
    metrics : GateMetrics
    """

    def __init__(
        self, ring: KeyRing | None, addresses: Addresses, limits: Limits, metrics: GateMetrics
    ) -> None:
        self._ring = ring
        self._addresses = addresses
        self._limits = limits
        self._metrics = metrics

    async def admit(
        self,
        access: Access | Literal["any"] | None,
        cost: int,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        answer_headers: MutableMapping[bytes, bytes],
    ) -> None:
        """Let a request in: set the current caller and meter, and charge what the route costs.

        Raises
        ------
        UnauthorizedError, ForbiddenError, LimitedError, TooLargeError, LimitsAwayError
        """
        client = self._addresses.client(scope)
        if self._ring is None:
            self._require_this_machine(client.address, headers)
            caller = ANYBODY
        elif access is None:
            caller = STRANGER
        else:
            token = _token(headers)
            found = None if token is None else self._ring.find(token)
            if found is None:
                raise await self._unknown(token, client, answer_headers)
            caller = found
            if access != "any" and access not in caller.scopes:
                self._metrics.count_refusal("scope")
                raise ForbiddenError(f"this key has no scope {access}", "missing_scope")
        current_caller.set(caller)
        meter = self._limits.meter(caller, access, client.household, answer_headers)
        current_meter.set(meter)
        if cost > 0:
            await meter.charge(cost)

    def start(self) -> None:
        """Follow the keys."""
        if self._ring is not None:
            self._ring.start()

    async def stop(self) -> None:
        """Leave nothing running."""
        if self._ring is not None:
            self._ring.stop()
        await self._limits.aclose()

    async def _unknown(
        self,
        token: str | None,
        client: Client,
        answer_headers: MutableMapping[bytes, bytes],
    ) -> UnauthorizedError:
        """Count a request without a key, or with one that is none; return what it is told."""
        if token is None:
            self._metrics.count_refusal("missing_key")
            refusal = UnauthorizedError(
                "this needs an API key: send Authorization: Bearer KEY, or X-API-Key: KEY",
                "missing_key",
            )
        else:
            self._metrics.count_refusal("invalid_key")
            refusal = UnauthorizedError("the API key is unknown, expired or revoked")
        # Those alone are counted, not keys that are good: nobody guesses one, and whoever tries
        # must not be able to lock out others behind the same address.
        await self._limits.failures(client.household, answer_headers).charge(1)
        return refusal

    def _require_this_machine(
        self, address: Address | None, headers: Mapping[bytes, bytes]
    ) -> None:
        # The name too: a page from anywhere can have its own name lead a browser here.
        is_here = address is not None and address.is_loopback
        if not (is_here and is_loopback_host(headers.get(b"host", b""))):
            self._metrics.count_refusal("not_local")
            raise ForbiddenError(
                "without API keys the service answers this machine alone, as localhost; "
                + _HOW_TO_GET_KEYS,
                "no_keys",
            )


def open_gate(settings: Settings, registry: CollectorRegistry, log: Log) -> Gate:
    """Return the gate that an operator has chosen.

    Raises
    ------
    SettingsError
        If there must be keys and are none.
    """
    ring, proxies, shared = None, settings.trusted_proxies, None
    if settings.keys_file is not None:
        ring = KeyRing(settings.keys_file, KeyMetrics(registry), log)
    elif settings.env == "production":
        raise SettingsError(f"CAREERLENS_ENV=production needs keys: {_HOW_TO_GET_KEYS}")
    else:
        proxies += _LOOPBACK  # whom a proxy on this machine speaks for is not on this machine
    if settings.redis_url is not None:
        from serving.shared_windows import SharedWindows

        shared = SharedWindows(
            settings.redis_url.get_secret_value(),
            settings.redis_timeout_seconds,
            RedisMetrics(registry, "limits"),
            log,
        )
    limits = Limits(settings, ring is not None, shared, LimitMetrics(registry))
    return Gate(ring, Addresses(proxies), limits, GateMetrics(registry))


def _token(headers: Mapping[bytes, bytes]) -> str | None:
    """Return the key that was sent, if one was."""
    scheme, _, word = headers.get(b"authorization", b"").strip().partition(b" ")
    sent = word.strip() if scheme.lower() == b"bearer" else headers.get(b"x-api-key", b"").strip()
    return sent.decode("latin-1") if sent else None

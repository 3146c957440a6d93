"""Where a request comes from: the client's address, past the proxies that are trusted."""

import functools
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from serving.exchange import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_FORWARDED = b"x-forwarded-for"

# Longer ones, which anybody can send, are read and not remembered.
_LONGEST_REMEMBERED = 256

# One subscriber has a whole /64, and could count as another one with each request.
_V6_PREFIX = 64


class Client(NamedTuple):
    """Who sent a request.

    Attributes
    ----------
    address : IPv4Address, IPv6Address or None
        None if the connection has none, as on a socket file.
    household : str
        What limits count as one client.
    """

    address: Address | None
    household: str


_NOBODY = Client(None, str(None))


class Addresses:
    """Tells the client of a request.

    The header X-Forwarded-For alone is read, from its right end: what trusted proxies wrote, and no
    further. Forwarded (RFC 7239) is not: a proxy that writes one of the two passes on the other as
    the client sent it, and one can tell from neither which it is.

    Parameters
    ----------
    proxies : tuple of networks
        Whose word counts; nobody else's does.
    """

    def __init__(self, proxies: tuple[Network, ...]) -> None:
        self._find = functools.partial(_client, proxies=proxies)
        # The same few clients come again and again, and parsing takes longer than all the rest.
        self._remember = functools.lru_cache(4096)(self._find)

    def client(self, scope: Scope) -> Client:
        """Return who sent a request."""
        peer = scope.get("client")
        if not peer:
            return _NOBODY
        headers = scope["headers"]
        forwarded = b",".join([value for name, value in headers if name == _FORWARDED])
        find = self._remember if len(forwarded) <= _LONGEST_REMEMBERED else self._find
        return find(peer[0], forwarded)


def _client(peer: str, forwarded: bytes, *, proxies: tuple[Network, ...]) -> Client:
    address = _parse(peer)
    while address is not None and forwarded and any(address in proxy for proxy in proxies):
        forwarded, _, last = forwarded.rpartition(b",")
        hop = _parse(last.decode("latin-1"))
        if hop is None:  # not what a proxy writes: the proxy itself is the last that is known
            break
        address = hop
    return Client(address, _household(address))


def _parse(word: str) -> Address | None:
    """Return an address, which may have a port."""
    word = word.strip()
    if word.startswith("["):
        word = word[1:].partition("]")[0]
    elif word.count(":") == 1:
        word = word.partition(":")[0]
    try:
        address = ip_address(word)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _household(address: Address | None) -> str:
    """Return what limits count as one client."""
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), _V6_PREFIX), strict=False))
    return str(address)


@functools.lru_cache(256)
def is_loopback_host(host: bytes) -> bool:
    """Return whether the header Host names this machine by a name that only this machine has."""
    name = host.decode("latin-1").strip().lower()
    address = _parse(name)
    if address is not None:
        return address.is_loopback or address.is_unspecified  # as `--host 0.0.0.0` is called
    name = name.partition(":")[0]
    return name in ("", "localhost") or name.endswith(".localhost")

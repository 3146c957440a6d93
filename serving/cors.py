"""Which pages of other origins may call (the Fetch standard's CORS)."""

from collections.abc import Collection, Mapping, MutableMapping

from serving.errors import ForbiddenError

_MAX_AGE_SECONDS = 600
_SENT = b"authorization, content-type, idempotency-key, x-api-key, x-request-id"
_SHOWN = b"x-request-id, cache-status, ratelimit, ratelimit-policy, retry-after"


class Cors:
    """Answers browsers that ask for a page of another origin.

    No cookies count here and no credentials of the browser are allowed: a page sends its key as
    any other caller does.

    Parameters
    ----------
    origins : tuple of str
        Of the pages that may call, such as ``https://jobs.example``.
    """

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)

    def asks_first(self, method: str, headers: Mapping[bytes, bytes]) -> bool:
        """Return whether a request is a browser's question before the real one."""
        return (
            method == "OPTIONS"
            and b"access-control-request-method" in headers
            and bool(self._origins)
        )

    def mark(
        self, headers: Mapping[bytes, bytes], answer_headers: MutableMapping[bytes, bytes]
    ) -> None:
        """Let the page that called read the answer, if it is one of those."""
        if not self._origins:
            return
        answer_headers[b"vary"] = b"origin"
        origin = headers.get(b"origin")
        if origin in self._origins:
            answer_headers[b"access-control-allow-origin"] = origin
            answer_headers[b"access-control-expose-headers"] = _SHOWN

    def allow(
        self,
        methods: Collection[str],
        headers: Mapping[bytes, bytes],
        answer_headers: MutableMapping[bytes, bytes],
    ) -> None:
        """Say what the page may send to a path with these methods.

        Raises
        ------
        ForbiddenError
            If it is none of those.
        """
        if headers.get(b"origin") not in self._origins:
            raise ForbiddenError("pages of this origin may not call", "origin_not_allowed")
        answer_headers[b"access-control-allow-methods"] = ", ".join(methods).encode()
        answer_headers[b"access-control-allow-headers"] = _SENT
        answer_headers[b"access-control-max-age"] = str(_MAX_AGE_SECONDS).encode()

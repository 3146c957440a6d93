"""Every way to say no, as one tree; each is one answer in the one error shape.

RequestError                 500 internal_error
├── InvalidInputError        400 the body breaks a rule
├── UnauthorizedError        401 with WWW-Authenticate: no key, or none that opens anything
├── ForbiddenError           403 the key may not do this, or whoever calls may not
├── UnknownRouteError        404
├── WrongMethodError         405 with Allow
├── TooLargeError            413 the body, a text, a batch or a document
├── LimitedError             429 with Retry-After: a rate limit is spent
├── LimitsAwayError          503 with Retry-After: requests cannot be counted
├── WrongContentTypeError    415 the body or a document
├── UnreadableDocumentError  422
├── BusyError                503 with Retry-After: too much at a time
├── ListingsUnavailableError 503, see upstream.py
└── NotReadyError            503 with Retry-After: no models yet
    └── OverdueError         503 with Retry-After: not answered in time
"""

from collections.abc import Iterable


class RequestError(Exception):
    """A request that is refused or failed.

    Parameters
    ----------
    detail : str
        A sentence for the caller; never a part of the input.
    code : str, optional
        A short name for programs; the class has a default.
    """

    status = 500
    code = "internal_error"

    def __init__(self, detail: str, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code

    def headers(self) -> list[tuple[str, str]]:
        """Return what the answer's head says beside the usual."""
        return []


class InvalidInputError(RequestError):
    """The body is not what the route takes."""

    status = 400
    code = "invalid_input"


class UnauthorizedError(RequestError):
    """The request has no key, or one that opens nothing."""

    status = 401
    code = "invalid_key"

    def headers(self) -> list[tuple[str, str]]:
        """Return WWW-Authenticate (RFC 6750)."""
        fault = ', error="invalid_token"' if self.code == "invalid_key" else ""
        return [("www-authenticate", f'Bearer realm="careerlens"{fault}')]


class ForbiddenError(RequestError):
    """Who calls is known, and may not do this."""

    status = 403
    code = "forbidden"


class UnknownRouteError(RequestError):
    """There is no such path."""

    status = 404
    code = "not_found"


class WrongMethodError(RequestError):
    """The path is there, for other methods."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = ", ".join(sorted(allowed))
        super().__init__(f"this path takes {self.allowed}")

    def headers(self) -> list[tuple[str, str]]:
        """Return Allow."""
        return [("allow", self.allowed)]


class TooLargeError(RequestError):
    """The body, a text, a batch or a document is over its limit."""

    status = 413
    code = "body_too_large"


class LimitedError(RequestError):
    """A rate limit is spent."""

    status = 429
    code = "rate_limited"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after

    def headers(self) -> list[tuple[str, str]]:
        """Return Retry-After."""
        return [("retry-after", str(self.retry_after))]


class LimitsAwayError(RequestError):
    """Redis fails, and the operator wants no request that is not counted."""

    status = 503
    code = "limits_unavailable"

    def headers(self) -> list[tuple[str, str]]:
        """Return Retry-After."""
        return [("retry-after", "1")]


class WrongContentTypeError(RequestError):
    """The body, or a document in it, is of a type or coding the route does not take."""

    status = 415
    code = "unsupported_media_type"


class UnreadableDocumentError(RequestError):
    """A document was uploaded and cannot be turned into text."""

    status = 422
    code = "unreadable_document"


class BusyError(RequestError):
    """As much as may be under way at a time is under way."""

    status = 503
    code = "busy"

    def headers(self) -> list[tuple[str, str]]:
        """Return Retry-After."""
        return [("retry-after", "2")]


class NotReadyError(RequestError):
    """The models are not loaded."""

    status = 503
    code = "not_ready"

    def headers(self) -> list[tuple[str, str]]:
        """Return Retry-After."""
        return [("retry-after", "5")]


class OverdueError(NotReadyError):
    """The answer took longer than the service allows."""

    code = "timeout"

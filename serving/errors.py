"""Every way to say no, as one tree; each is one answer in the one error shape.

RequestError                 500 internal_error
├── InvalidInputError        400 the body breaks a rule
├── UnknownRouteError        404
├── WrongMethodError         405 with Allow
├── TooLargeError            413 the body, a text, a batch or a document
├── WrongContentTypeError    415 the body or a document
├── UnreadableDocumentError  422
├── BusyError                503 with Retry-After: too much at a time
├── ListingsUnavailableError 503, see upstream.py
└── NotReadyError            503 with Retry-After: no models yet
    └── OverdueError         503 with Retry-After: not answered in time

SettingsError                a variable has a wrong value: the service does not start
"""

from collections.abc import Iterable

from bentoml.exceptions import BentoMLConfigException


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


class SettingsError(BentoMLConfigException):  # type: ignore[misc]
    """A variable has a wrong value; ``bentoml serve`` shows the sentence and stops."""

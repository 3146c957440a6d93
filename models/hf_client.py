"""How this project speaks to the Hugging Face Hub: in time, bounded, and never telling the token.

``huggingface_hub`` makes every call. What it leaves open is settled here: how long to wait, what
is worth another try, and which :class:`models.errors.HubError` a failure is.
"""

import logging
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from json import JSONDecodeError
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
import stamina
from huggingface_hub import HfApi, constants, set_client_factory
from huggingface_hub.errors import (
    DeviceCodeError,
    FileMetadataError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    OIDCError,
)
from huggingface_hub.utils._http import hf_request_event_hook, parse_ratelimit_headers
from huggingface_hub.utils.tqdm import disable_progress_bars

from models.errors import (
    ConflictError,
    HubAccessError,
    HubError,
    HubUnavailableError,
    UnknownRevisionError,
)

T = TypeVar("T")

#: Seconds to connect, and between two signs of life of a connection.
CONNECT_SECONDS = 5.0
SILENT_SECONDS = 30.0

#: Most tries of one call, and the longest pause that the Hub may ask for between two of them.
TRIES = 3
LONGEST_PAUSE = 30.0

_PASSING = {408, 429}  # and every 5xx

_TOKEN = re.compile(r"\b(?:hf|api_org)_\w{8,}")

# Said by huggingface_hub of its own uploads, and of files that a release may well hold.
_NOT_FOR_US = (
    ("Use 'content=<...>' to upload raw bytes", DeprecationWarning),
    ("It seems that you are about to commit a data file", UserWarning),
)

# Warnings are switched off for a whole process, so its threads commit in turn.
_COMMITTING = threading.Lock()

# Retries end in an answer or an error that says all. stamina's hooks would write each of them to
# structlog's default output.
stamina.instrumentation.set_on_retry_hooks([])


class _PassingError(Exception):
    """The Hub did not answer, or said that it cannot now."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class _Client(httpx2.Client):
    """The client below huggingface_hub.

    By itself huggingface_hub waits for ever for most answers, and where it tries again it sleeps
    as long as the Hub asks, in its own loop. Raised from here, a failure reaches our loop at once.
    """

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        limits = request.extensions.get("timeout", {})
        if limits.get("read") is None:  # some calls ask for no limit, which is no answer either
            request.extensions["timeout"] = self.timeout.as_dict()
        try:
            response = super().send(request, **options)
        except httpx2.LocalProtocolError:  # quotes the header, and so the token
            raise HubAccessError(
                "HF_TOKEN holds characters that no token has: copy it again"
            ) from None
        except httpx2.TimeoutException as error:
            raise _PassingError("it did not answer in time") from error
        except httpx2.TransportError as error:
            raise _PassingError(f"the connection failed: {error}") from error
        if response.status_code in _PASSING or response.status_code >= 500:
            response.close()
            raise _PassingError(
                f"it answered {response.status_code} {response.reason_phrase}", _pause(response)
            )
        return response


def _new_client() -> httpx2.Client:
    return _Client(
        event_hooks={"request": [hf_request_event_hook]},
        follow_redirects=True,
        timeout=httpx2.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS),
    )


def _pause(response: httpx2.Response) -> float | None:
    """Return the seconds that an answer asks to wait."""
    limit = parse_ratelimit_headers(response.headers)
    if limit is not None and limit.remaining == 0:
        return float(limit.reset_in_seconds)
    text = response.headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


set_client_factory(_new_client)
if "HF_HUB_DISABLE_TELEMETRY" not in os.environ:
    constants.HF_HUB_DISABLE_TELEMETRY = True
if constants.HF_HUB_DISABLE_PROGRESS_BARS is None:
    disable_progress_bars()
if "HF_HUB_VERBOSITY" not in os.environ and not constants.HF_DEBUG:
    # Its warnings show the signed addresses of large files. What matters is in our errors.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


class Client:
    """Asks the Hub; every failure is a :class:`models.errors.HubError`.

    Parameters
    ----------
    endpoint : str
        Where the Hub is.
    """

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise HubError(
                "HF_ENDPOINT is not the address of a hub: it reads https://HOST, with no name or "
                "password in it (HF_TOKEN has the token)"
            )
        self.endpoint = endpoint
        self._api = HfApi(endpoint=endpoint)

    def ask(
        self,
        call: Callable[[HfApi], T],
        repo: str,
        revision: str | None = None,
        again: tuple[type[HubError], ...] = (),
    ) -> T:
        """Return what ``call`` returns, after as many tries as it takes, or as there are.

        Parameters
        ----------
        call : callable
            Must be safe to repeat; a commit is not.
        again : tuple of exception types
            What else is worth another try.
        """
        for attempt in trying(HubUnavailableError, *again):
            with attempt, self._explained(repo, revision):
                return call(self._api)
        raise AssertionError("the last try returns or raises")

    def commit(self, call: Callable[[HfApi], T], repo: str, branch: str) -> T:
        """Return what ``call``, which makes a commit, returns; a single try."""
        with _COMMITTING, self._explained(repo, branch), warnings.catch_warnings():
            for message, category in _NOT_FOR_US:
                warnings.filterwarnings("ignore", re.escape(message), category)
            return call(self._api)

    @contextmanager
    def _explained(self, repo: str, revision: str | None) -> Iterator[None]:
        """Turn whatever goes wrong within into a HubError that says where, and what to do."""
        place = f"{repo} on {self.endpoint}" + (f" at {revision}" if revision else "")
        try:
            yield
        except HubError:
            raise
        except UnicodeEncodeError:  # holds the token
            raise HubAccessError(
                "HF_TOKEN holds characters that no token has: copy it again"
            ) from None
        except _KNOWN as error:
            raise explain(_root(error), place) from error


def trying(*on: type[HubError], tries: int = TRIES) -> Iterator[stamina.Attempt]:
    """Yield tries of something that may be repeated, while it fails by one of the errors ``on``."""

    def again(error: Exception) -> bool | float:
        if not isinstance(error, on) or constants.is_offline_mode():
            return False
        pause = error.retry_after if isinstance(error, HubUnavailableError) else None
        if pause is None:
            return True
        return pause if pause <= LONGEST_PAUSE else False

    return iter(
        stamina.retry_context(
            on=again, attempts=tries, timeout=None, wait_initial=0.3, wait_max=5.0, wait_jitter=0.5
        )
    )


# What huggingface_hub is known to let out. A RuntimeError is its wrapper around a failed upload,
# or hf_xet's; a ValueError an answer it cannot read, or metadata the Hub refuses; a KeyError an
# answer of something that is no Hub.
_KNOWN = (
    _PassingError,
    httpx2.HTTPError,
    OIDCError,
    DeviceCodeError,
    OSError,
    RuntimeError,
    ValueError,
    KeyError,
    TypeError,
)


def _root(error: BaseException) -> BaseException:
    """Return the failure that huggingface_hub put into words of its own, if it did."""
    while isinstance(error, RuntimeError | LocalEntryNotFoundError) and error.__cause__:
        error = error.__cause__
    return error


def explain(error: BaseException, place: str) -> HubError:
    """Return the failure of a call about ``place`` as what it means and what to do."""
    if isinstance(error, HubError):
        return error
    if isinstance(error, OfflineModeIsEnabled):
        return HubUnavailableError(
            f"{place} is not asked: HF_HUB_OFFLINE is set; unset it, or name a commit that is in "
            "the cache"
        )
    if isinstance(error, _PassingError):
        later = "" if error.retry_after is None else f" in {error.retry_after:.0f} s"
        return HubUnavailableError(
            f"{place} is out of reach, {_safe(error)}: try again{later or ' later'}, and check "
            "HF_ENDPOINT and the network if it stays so",
            error.retry_after,
        )
    if isinstance(error, HfHubHTTPError):
        return _explain_answer(error, place)
    # hf_xet's error of this kind names no file; that of a folder that is not writable does.
    unnamed = isinstance(error, PermissionError) and error.filename is None
    if unnamed or isinstance(error, OIDCError | DeviceCodeError):
        return HubAccessError(f"{place} does not accept the login: {_safe(error)}")
    if isinstance(error, httpx2.HTTPError | ConnectionError | TimeoutError | RuntimeError):
        return HubUnavailableError(
            f"{place}: the transfer broke off ({_safe(error)}): try again; where only plain HTTPS "
            "gets through, set HF_HUB_DISABLE_XET=1"
        )
    if isinstance(error, FileMetadataError | JSONDecodeError | KeyError | TypeError):
        return HubError(
            f"{place} does not answer as a Hugging Face Hub does ({type(error).__name__}): check "
            "HF_ENDPOINT, and whether a proxy or a login page stands in between"
        )
    return HubError(f"{place}: {_safe(error)}")


def _explain_answer(error: HfHubHTTPError, place: str) -> HubError:
    status = error.response.status_code
    said = _safe(error.server_message or error.response.reason_phrase)
    if status == 401:
        sent = "authorization" in error.response.request.headers
        token = "does not accept HF_TOKEN" if sent else "asks for a token"
        return HubAccessError(
            f"{place} is private, not there, or {token} (401: {said}): set HF_TOKEN, or log in "
            "with `hf auth login`, as somebody who may see it"
        )
    if status == 403:
        return HubAccessError(
            f"{place}: the token in HF_TOKEN may not do this (403: {said}): use one that may "
            "read, and to publish or promote one that may write, in that namespace"
        )
    if status == 404:
        return UnknownRevisionError(
            f"{place} is not there, or not for the token in HF_TOKEN (404: {said}): publish a "
            "version with `python -m pipelines.publish`, or set CAREERLENS_HUB and "
            "CAREERLENS_NAMESPACE to the models you mean"
        )
    if status in (409, 412):
        return ConflictError(
            f"{place} was changed by somebody else meanwhile ({status}: {said}): look at what is "
            "there now, then run the command again"
        )
    return HubError(f"{place}: refused ({status}: {said})")


def _safe(text: object) -> str:
    """Return ``text`` on one line, at a length for reading, without a token."""
    line = " ".join(str(text).split())
    if token := os.environ.get("HF_TOKEN"):
        line = line.replace(token, "HF_TOKEN")
    return _TOKEN.sub("HF_TOKEN", line)[:300]

"""The keys that open the service now: the file's, followed while requests are answered."""

import hmac
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter

from serving.callers import Caller
from serving.key_file import Key, KeyFileError, hash_secret, read_keys, split_token
from serving.logs import Log
from serving.setting_error import SettingsError

#: Seconds between two looks at the file.
LOOK_SECONDS = 0.5

#: What the secrets of unknown keys are compared with, so that they take as long as wrong ones.
_OF_NOBODY = hash_secret("")


class KeyMetrics:
    """What is counted of the file of keys."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._read = Counter(
            "careerlens_keys_reads",
            "Times that a changed file of keys was read by a worker, by the outcome.",
            ["outcome"],
            registry=registry,
        )

    def count_read(self, outcome: str) -> None:
        """Count one read: ``taken``, or ``refused`` when the keys from before stay."""
        self._read.labels(outcome).inc()


@dataclass(frozen=True)
class _Opener:
    sha256: str
    expires: float
    caller: Caller


class KeyRing:
    """Tells who sends a key.

    A thread looks at the file; a changed one takes the place of the old one in one assignment. One
    that is away or broken leaves the keys as they were, and is said in the log once.

    Parameters
    ----------
    path : Path
    metrics : KeyMetrics
    log : Log

    Raises
    ------
    SettingsError
        If the file cannot be read at the start, or has no key.
    """

    def __init__(self, path: Path, metrics: KeyMetrics, log: Log) -> None:
        self._path = path
        self._metrics = metrics
        self._log = log
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen = self._look()
        try:
            keys = read_keys(path)
        except KeyFileError as error:
            raise SettingsError(f"CAREERLENS_KEYS_FILE: {error}; {_REMEDY}") from None
        if not keys:
            raise SettingsError(f"CAREERLENS_KEYS_FILE: {path} has no key; {_REMEDY}")
        self._openers = _openers(keys)

    def find(self, token: str) -> Caller | None:
        """Return who sends this key, or None if it opens nothing.

        It takes as long for a wrong secret as for an unknown id.
        """
        key_id, secret = split_token(token)
        opener = self._openers.get(key_id)
        expected = _OF_NOBODY if opener is None else opener.sha256
        is_right = hmac.compare_digest(hash_secret(secret), expected)
        if opener is None or not is_right or opener.expires <= time.time():
            return None
        return opener.caller

    def start(self) -> None:
        """Follow the file from now on."""
        self._thread = threading.Thread(target=self._follow, name="keys", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Follow no more."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _follow(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            self.refresh()

    def refresh(self) -> None:
        """Take over the file if it has changed."""
        seen = self._look()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            keys = read_keys(self._path)
        except KeyFileError as error:
            self._metrics.count_read("refused")
            self._log.error("keys not read", error=str(error))
            return
        self._openers = _openers(keys)
        self._metrics.count_read("taken")
        self._log.info("keys read", active=len(self._openers))

    def _look(self) -> tuple[int, ...]:
        """Return what differs whenever the file was replaced or written."""
        try:
            found = self._path.stat()
        except OSError as error:
            return (error.errno or 0,)
        return found.st_mtime_ns, found.st_ino, found.st_size


_REMEDY = "make one with: python -m serving.keys create NAME --scopes moderate"


def _openers(keys: tuple[Key, ...]) -> Mapping[str, _Opener]:
    now = datetime.now(UTC)
    return {
        key.id: _Opener(
            key.sha256,
            float("inf") if key.expires is None else key.expires.timestamp(),
            Caller(key.name, key.id, key.scopes),
        )
        for key in keys
        if key.state(now) == "active"
    }

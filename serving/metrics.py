"""Prometheus metrics over all workers, with bounded label values."""

import os
import platform
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Literal

from bentoml import server_context

from serving.folder import FOLDER_VARIABLE, shared_folder

# BentoML gives every service of a user one folder, emptied whenever another one starts. Ours must
# be chosen before prometheus_client opens its first file.
if FOLDER_VARIABLE in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = os.environ[FOLDER_VARIABLE]

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Metric,
    generate_latest,
)
from prometheus_client.core import InfoMetricFamily

from serving.scrape import bound_versions, read_processes, read_workers
from serving.tallies import TalliedCounter, TalliedHistogram, write_tallies

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: Bytes that each file of counts has from the start: what all labels need together, and more.
_ROOM = 512 * 1024

# Sorts of counts, as prometheus_client names their files.
_SORTS = (
    "counter",
    "histogram",
    *(f"gauge_live{most}" for most in ("sum", "max", "min", "mostrecent")),
)

#: What requests wait in line for.
Line = Literal["messages", "batches", "documents", "resumes"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_WAITS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SCORES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


def _take_room(folder: Path, pid: int) -> None:
    """Make the files of one worker with all the room they need.

    They are mapped, and counting into one that the disk has no room for ends the process at once.

    Raises
    ------
    OSError
        If the disk is full already.
    """
    for sort in _SORTS:
        with (folder / f"{sort}_{pid}.db").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, _ROOM)


class Metrics:
    """What the service counts.

    Attributes
    ----------
    registry : CollectorRegistry
        For those who count for themselves.
    """

    def __init__(self) -> None:
        folder = shared_folder()
        if folder is not None:
            _take_room(folder, os.getpid())
        self.registry = CollectorRegistry()
        self._requests = TalliedCounter(
            "careerlens_requests",
            "Requests answered.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._seconds = TalliedHistogram(
            "careerlens_request_seconds",
            "Time from the first byte to the last.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._messages = TalliedCounter(
            "careerlens_messages",
            "Messages judged, by the action: the worst that any model says.",
            ["action"],
            registry=self.registry,
        )
        self._verdicts = TalliedCounter(
            "careerlens_verdicts",
            "What each version said of messages, by the action at its own thresholds.",
            ["kind", "version", "action"],
            registry=self.registry,
        )
        self._scores = TalliedHistogram(
            "careerlens_score",
            "Scores that the models gave.",
            ["kind"],
            buckets=_SCORES,
            registry=self.registry,
        )
        self._waiting = Gauge(
            "careerlens_waiting",
            "Requests that stand in line now.",
            ["line"],
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self._waits = TalliedHistogram(
            "careerlens_wait_seconds",
            "Time that requests stood in line.",
            ["line"],
            buckets=_WAITS,
            registry=self.registry,
        )
        self._turned_away = Counter(
            "careerlens_turned_away",
            "Requests that were refused, as their line was too long.",
            ["line"],
            registry=self.registry,
        )
        self._documents = Counter(
            "careerlens_documents",
            "Uploaded documents, by what they turned out to be.",
            ["outcome"],
            registry=self.registry,
        )
        self._workshop_ends = Counter(
            "careerlens_workshop_ends",
            "Processes beside a worker that ended while they were needed, and were started anew.",
            registry=self.registry,
        )
        self._models = Gauge(
            "careerlens_model_info",
            "1 for each model that answers, in any worker.",
            ["kind", "version", "digest"],
            multiprocess_mode="livemax",
            registry=self.registry,
        )
        self._swaps = Counter(
            "careerlens_model_swaps",
            "Models that took the place of another, in one worker each.",
            ["kind"],
            registry=self.registry,
        )
        self._refusals = Counter(
            "careerlens_model_refusals",
            "Releases that were not let in, once for each commit and worker, by the reason.",
            ["kind", "reason"],
            registry=self.registry,
        )
        self._hub_failures = Counter(
            "careerlens_hub_failures",
            "Looks at the hub that did not end in a version that shall answer, by the reason.",
            ["kind", "reason"],
            registry=self.registry,
        )
        self._hub_answered = Gauge(
            "careerlens_hub_answered_timestamp_seconds",
            "When the hub last said which version shall answer; never of a model that is pinned.",
            ["kind"],
            multiprocess_mode="livemostrecent",
            registry=self.registry,
        )
        self._created = Gauge(
            "careerlens_model_created_timestamp_seconds",
            "When the version that answers was registered; of the oldest, if workers differ.",
            ["kind"],
            multiprocess_mode="livemin",
            registry=self.registry,
        )
        self._stale = Gauge(
            "careerlens_model_stale",
            "1 if what answers in any worker may not be what the hub says shall.",
            ["kind"],
            multiprocess_mode="livemax",
            registry=self.registry,
        )

    def count_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request; ``route`` and ``method`` are of a fixed set."""
        self._requests.count((route, method, str(status)))
        self._seconds.note((route,), seconds)

    def count_messages(self, actions: Iterable[str]) -> None:
        """Count the actions on the messages of one request."""
        for action in actions:
            self._messages.count((action,))

    def count_verdicts(
        self, kind: str, version: str, verdicts: Iterable[tuple[float, str]]
    ) -> None:
        """Count what one version said of the messages of one request: scores and actions."""
        for score, action in verdicts:
            self._scores.note((kind,), score)
            self._verdicts.count((kind, version, action))

    def count_wait(self, line: Line, seconds: float) -> None:
        """Count a request whose turn has come, after so long."""
        self._waits.note((line,), seconds)

    @contextmanager
    def waiting(self, line: Line) -> Iterator[None]:
        """Count a request as standing in line until the block ends."""
        gauge = self._waiting.labels(line)
        gauge.inc()
        started = time.perf_counter()
        try:
            yield
        finally:
            gauge.dec()
            self.count_wait(line, time.perf_counter() - started)

    def count_turned_away(self, line: Line) -> None:
        """Count one request that was refused, as its line was too long."""
        self._turned_away.labels(line).inc()

    def count_document(self, outcome: str) -> None:
        """Count one document: its kind, or the code of the error that it got."""
        self._documents.labels(outcome).inc()

    def count_workshop_end(self) -> None:
        """Count one process beside a worker that ended while it was needed."""
        self._workshop_ends.inc()

    def show_model(self, kind: str, version: str, digest: str, created: str) -> None:
        """Show a model as the one that answers; ``created`` as its release says."""
        self._models.labels(kind, version, digest[:12]).set(1)
        with suppress(ValueError):  # a release may say anything
            seconds = datetime.fromisoformat(created).timestamp()
            self._created.labels(kind).set(seconds)

    def show_stale(self, kind: str, stale: bool) -> None:
        """Show whether what answers may not be what the hub says shall."""
        self._stale.labels(kind).set(stale)

    def hide_model(self, kind: str, version: str, digest: str) -> None:
        """Show a model as one that no longer answers."""
        self._models.labels(kind, version, digest[:12]).set(0)

    def count_swap(self, kind: str) -> None:
        """Count one model that took the place of another."""
        self._swaps.labels(kind).inc()

    def count_refusal(self, kind: str, reason: str) -> None:
        """Count one release that was not let in; ``reason`` is of a fixed set."""
        self._refusals.labels(kind, reason).inc()

    def count_hub_failure(self, kind: str, reason: str) -> None:
        """Count one look that the hub did not answer; ``reason`` is of a fixed set."""
        self._hub_failures.labels(kind, reason).inc()

    def show_hub_answered(self, kind: str) -> None:
        """Show that the hub answered just now."""
        self._hub_answered.labels(kind).set(time.time())

    def render(self) -> bytes:
        """Return the text that Prometheus reads, of all workers together."""
        write_tallies()
        return generate_latest(self)

    def collect(self) -> Iterator[Metric]:
        """Yield everything there is to read, as a registry does."""
        folder = shared_folder()
        counted = self.registry.collect() if folder is None else read_workers(folder)
        yield from bound_versions(counted)
        yield from read_processes(folder)
        build = {"bento": server_context.bento_version, "python": platform.python_version()}
        yield InfoMetricFamily("careerlens_build", "What is running.", build)

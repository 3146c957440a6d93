"""Prometheus metrics over all workers, with bounded label values."""

import atexit
import os
import shutil
import tempfile
import time
from pathlib import Path

#: Where this service's workers keep their counts; set by the process that starts them.
FOLDER_VARIABLE = "CAREERLENS_METRICS_FOLDER"

# BentoML gives every service of a user one folder, emptied whenever another one starts. Ours must
# be chosen before prometheus_client opens its first file.
if FOLDER_VARIABLE in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = os.environ[FOLDER_VARIABLE]

from prometheus_client import (  # noqa: E402
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector  # noqa: E402

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def share_folder() -> None:
    """Make the folder that the workers about to be started count in."""
    folder = tempfile.mkdtemp(prefix="careerlens-metrics-")
    os.environ[FOLDER_VARIABLE] = folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


def shared_folder() -> Path | None:
    """Return the folder that all workers of this service share, if it was made."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return None if folder is None else Path(folder)


class Metrics:
    """What the service counts.

    Attributes
    ----------
    registry : CollectorRegistry
        For those who count for themselves.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "careerlens_requests",
            "Requests answered.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "careerlens_request_seconds",
            "Time from the first byte to the last.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._verdicts = Counter(
            "careerlens_verdicts", "Messages judged.", ["action"], registry=self.registry
        )
        self._documents = Counter(
            "careerlens_documents",
            "Uploaded documents, by what they turned out to be.",
            ["outcome"],
            registry=self.registry,
        )
        self._models = Gauge(
            "careerlens_model_info",
            "1 for each model that answers, 0 for one that did.",
            ["kind", "version", "digest"],
            multiprocess_mode="mostrecent",
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
        self._hub_answered = Gauge(
            "careerlens_hub_answered_timestamp_seconds",
            "When the hub last said which version shall answer.",
            multiprocess_mode="mostrecent",
            registry=self.registry,
        )

    def count_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request; ``route`` and ``method`` are of a fixed set."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_verdict(self, action: str) -> None:
        """Count one verdict."""
        self._verdicts.labels(action).inc()

    def count_document(self, outcome: str) -> None:
        """Count one document: its kind, or the code of the error that it got."""
        self._documents.labels(outcome).inc()

    def show_model(self, kind: str, version: str, digest: str) -> None:
        """Show a model as the one that answers."""
        self._models.labels(kind, version, digest[:12]).set(1)

    def hide_model(self, kind: str, version: str, digest: str) -> None:
        """Show a model as one that no longer answers."""
        self._models.labels(kind, version, digest[:12]).set(0)

    def count_swap(self, kind: str) -> None:
        """Count one model that took the place of another."""
        self._swaps.labels(kind).inc()

    def count_refusal(self, kind: str, reason: str) -> None:
        """Count one release that was not let in; ``reason`` is of a fixed set."""
        self._refusals.labels(kind, reason).inc()

    def show_hub_answered(self) -> None:
        """Show that the hub answered just now."""
        self._hub_answered.set(time.time())

    def render(self) -> bytes:
        """Return the text that Prometheus reads, summed over all workers."""
        folder = shared_folder()
        if folder is None:
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
        return generate_latest(registry)

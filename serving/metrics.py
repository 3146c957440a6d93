"""Prometheus metrics over all workers, with bounded label values."""

import atexit
import os
import shutil
import tempfile

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


class Metrics:
    """What the service counts."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "careerlens_requests",
            "Requests answered.",
            ["route", "method", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "careerlens_request_seconds",
            "Time from the first byte to the last.",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._verdicts = Counter(
            "careerlens_verdicts", "Messages judged.", ["action"], registry=self._registry
        )
        self._documents = Counter(
            "careerlens_documents",
            "Uploaded documents, by what they turned out to be.",
            ["outcome"],
            registry=self._registry,
        )
        self._models = Gauge(
            "careerlens_model_info",
            "1 for each model that answers.",
            ["kind", "version", "digest"],
            multiprocess_mode="mostrecent",
            registry=self._registry,
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

    def render(self) -> bytes:
        """Return the text that Prometheus reads, summed over all workers."""
        folder = os.environ.get(FOLDER_VARIABLE)
        if folder is None:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

"""The log of predictions: what was said of a share of the messages, for drift to be told by it.

It goes through ``bentoml.monitor``, after the answer and in a thread; docs/monitoring.md has the
format, which ``pipelines.drift`` reads.
"""

import contextvars
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter

from models.manifest import Kind
from serving.aside import Aside
from serving.exchange import request_id
from serving.line_file import LineFile
from serving.logs import Log
from serving.settings import Settings

if TYPE_CHECKING:  # scikit-learn takes a second to import: the thread pays
    from models.moderation import Moderator, ServedModel, SpamVerdict, Verdict

#: The file in the folder; ``<name>.1`` to ``<name>.9`` are the parts before: half a gigabyte.
FILE = "predictions.jsonl"
PARTS = 9

#: Messages that wait at most: 20 MB of the longest.
QUEUE_SIZE = 2_000

#: Characters that are looked at in one go.
SLICE_CHARS = 4_000

#: What a line says, as BentoML wants to be told: a feature or a prediction, a number or a category.
COLUMNS: Mapping[str, tuple[str, str]] = {
    "time": ("feature", "categorical"),
    "request_id": ("feature", "categorical"),
    "kind": ("feature", "categorical"),
    "version": ("feature", "categorical"),
    "digest": ("feature", "categorical"),
    "chars": ("feature", "numerical"),
    "unknown": ("feature", "numerical"),
    "other_script": ("feature", "numerical"),
    "review": ("feature", "numerical"),
    "block": ("feature", "numerical"),
    "score": ("prediction", "numerical"),
    "flagged": ("prediction", "categorical"),
    "action": ("prediction", "categorical"),
}

#: Only where the operator wants it.
TEXT_COLUMN: Mapping[str, tuple[str, str]] = {"text": ("feature", "categorical")}


class MonitorMetrics:
    """What is counted of the log."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._predictions = Counter(
            "careerlens_prediction_log",
            "Messages chosen for the log of predictions, by whether they came to be in it.",
            ["outcome"],
            registry=registry,
        )
        for outcome in ("written", "dropped"):  # so that the first growth is seen to be one
            self._predictions.labels(outcome)

    def count(self, outcome: str, messages: int) -> None:
        """Count messages as ``written`` or ``dropped``."""
        if messages:
            self._predictions.labels(outcome).inc(messages)


@dataclass(frozen=True)
class _Judged:
    """A message, what was said of it, and by whom."""

    time: str
    request_id: str
    text: str
    verdict: "Verdict"
    moderator: "Moderator"


class Monitor:
    """Writes a share of the verdicts to the log.

    Parameters
    ----------
    share : float
        Of the messages, from 0 to 1; 0 does nothing.
    folder : Path or None
        Made when the first line is written.
    with_text : bool
        Whether the message itself is written too.
    metrics : MonitorMetrics
    log : Log
    """

    def __init__(
        self,
        share: float,
        folder: Path | None,
        with_text: bool,
        metrics: MonitorMetrics,
        log: Log,
    ) -> None:
        self._share = 0.0 if folder is None else share
        self._folder = folder or Path()
        self._columns = {**COLUMNS, **(TEXT_COLUMN if with_text else {})}
        self._metrics = metrics
        self._file = LineFile(self._folder / FILE, parts=PARTS)
        self._aside: Aside[_Judged] = Aside(
            "prediction log",
            self._write,
            lambda messages: metrics.count("dropped", messages),
            log,
            size=QUEUE_SIZE,
            slice_chars=SLICE_CHARS,
        )

    def sample(
        self, moderator: "Moderator", texts: Sequence[str], verdicts: "Sequence[Verdict]"
    ) -> None:
        """Put the chosen ones of ``texts`` in line; never wait."""
        if not self._share:
            return
        # By chance, and not by the text as in shadow: the log shall look as the traffic does, and
        # hold nothing that was made of a text.
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        chosen = [
            _Judged(now, request_id(), text, verdict, moderator)
            for text, verdict in zip(texts, verdicts, strict=True)
            if random.random() < self._share
        ]
        if chosen:
            self._aside.put(chosen)

    def stop(self) -> None:
        """Write no more."""
        self._aside.stop()

    def _write(self, part: list[_Judged]) -> None:
        rows = [row for judged in part for row in _rows(judged)]
        self._folder.mkdir(parents=True, exist_ok=True)
        # BentoML keeps what is being recorded in the context, where a failure would leave it.
        contextvars.copy_context().run(self._record, rows)
        self._metrics.count("written", len(part))

    def _record(self, rows: Sequence[Mapping[str, Any]]) -> None:
        import bentoml  # its monitoring takes a while to import: the thread pays

        from serving.prediction_file import PredictionFile

        options = {"file": self._file, "columns": self._columns}
        # BentoML keeps monitors by name for as long as the process lives.
        name = f"careerlens {self._folder}"
        with bentoml.monitor(name, monitor_class=PredictionFile, monitor_options=options) as record:
            for column, (role, sort) in self._columns.items():
                record.log_batch([row[column] for row in rows], column, role, sort)


def open_monitor(settings: Settings, registry: CollectorRegistry, log: Log) -> Monitor:
    """Return the log of predictions that the operator chose."""
    return Monitor(
        settings.prediction_share,
        settings.prediction_log,
        settings.prediction_text,
        MonitorMetrics(registry),
        log,
    )


def _rows(judged: _Judged) -> Iterator[dict[str, Any]]:
    """Yield the lines of one message, one for each model."""
    verdict, moderator = judged.verdict, judged.moderator
    yield _row(judged, "spam", moderator.spam, verdict.spam)
    yield _row(judged, "toxicity", moderator.toxicity, verdict.toxicity)


def _row(judged: _Judged, kind: Kind, model: "ServedModel", said: "SpamVerdict") -> dict[str, Any]:
    return {
        "time": judged.time,
        "request_id": judged.request_id,
        "kind": kind,
        "version": said.version,
        "digest": said.digest,
        **vars(judged.moderator.traits(kind, judged.text)),
        "review": model.thresholds.review,
        "block": model.thresholds.block,
        "score": said.score,
        "flagged": said.flagged,
        "action": model.action(said.score),
        "text": judged.text,
    }

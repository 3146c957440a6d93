"""Candidates beside the champions: scored on a share of the messages, answering none."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from models.manifest import Kind
from serving.aside import Aside
from serving.line_file import LineFile
from serving.logs import Log

if TYPE_CHECKING:  # scikit-learn takes a second to import: the follower's thread pays
    from models.moderation import ServedModel, SpamVerdict, Verdict

#: Messages that wait at most, one for each candidate that shall score it: 20 MB of the longest.
QUEUE_SIZE = 1_000

#: Characters that are scored in one go: scoring holds the interpreter, which answers need.
SLICE_CHARS = 2_000

_SHIFTS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class ShadowMetrics:
    """What is counted of candidates; all label values are of fixed sets."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._answers = Counter(
            "careerlens_shadow_answers",
            "Messages that a candidate scored too, by whether both flag alike.",
            ["kind", "outcome"],
            registry=registry,
        )
        self._dropped = Counter(
            "careerlens_shadow_dropped",
            "Messages chosen for a candidate that it did not score, or that could not be logged.",
            registry=registry,
        )
        self._shift = Histogram(
            "careerlens_shadow_shift",
            "Distance of the candidate's score from the champion's.",
            ["kind"],
            buckets=_SHIFTS,
            registry=registry,
        )

    def count_answer(self, kind: Kind, agrees: bool, shift: float) -> None:
        """Count one message that both scored."""
        self._answers.labels(kind, "agree" if agrees else "disagree").inc()
        self._shift.labels(kind).observe(shift)

    def count_dropped(self, messages: int) -> None:
        """Count messages that were chosen and lost."""
        self._dropped.inc(messages)


@dataclass(frozen=True)
class _Waiting:
    """A message that a candidate shall score, with what the champion said."""

    kind: Kind
    challenger: "ServedModel"
    text: str
    sha256: str
    verdict: "SpamVerdict"


class Shadow:
    """Scores a share of the messages with the candidates, in a thread, after they are answered.

    Parameters
    ----------
    share : float
        Of the distinct messages, from 0 to 1; 0 does nothing.
    metrics : ShadowMetrics
    path : Path, optional
        Where each comparison is written, without the text.
    log : Log
    """

    def __init__(self, share: float, metrics: ShadowMetrics, path: Path | None, log: Log) -> None:
        self._bound = int(share * 2**64)
        self._metrics = metrics
        self._file = None if path is None else LineFile(path)
        self._challengers: Mapping[Kind, ServedModel] = {}
        self._aside: Aside[_Waiting] = Aside(
            "shadow",
            lambda part: self._score(part),
            metrics.count_dropped,
            log,
            size=QUEUE_SIZE,
            slice_chars=SLICE_CHARS,
            together=lambda one, other: one.challenger is other.challenger,
        )

    def show(self, kind: Kind, model: "ServedModel | None") -> None:
        """Score with ``model`` from now on, or not at all; what waits for another one is dropped.

        Parameters
        ----------
        kind : {"spam", "toxicity"}
        model : ServedModel or None
        """
        if self._bound == 0:
            return
        others = {name: each for name, each in self._challengers.items() if name != kind}
        self._challengers = others if model is None else {**others, kind: model}
        self._aside.drop(lambda each: each.kind == kind)

    def sample(self, texts: Sequence[str], verdicts: "Sequence[Verdict]") -> None:
        """Put the chosen ones of ``texts`` in line; never wait and never raise."""
        if not self._challengers:
            return
        try:
            for text, verdict in zip(texts, verdicts, strict=True):
                self._choose(text, verdict)
        except Exception as error:  # the answer is ready: nothing here may spoil it
            self._aside.report(error)

    def stop(self) -> None:
        """Score no more."""
        self._aside.stop()

    def _choose(self, text: str, verdict: "Verdict") -> None:
        # By the hash of the text, not by chance: a text sent a thousand times is chosen as likely
        # as one sent once, by every worker alike. By chance it would be all but sure to be in the
        # log, and figures over distinct texts would speak of what is sent often.
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass"))
        if int.from_bytes(digest.digest()[:8], "big") >= self._bound:
            return
        said = {"spam": verdict.spam, "toxicity": verdict.toxicity}
        self._aside.put(
            [
                _Waiting(kind, challenger, text, digest.hexdigest(), said[kind])
                for kind, challenger in self._challengers.items()
            ]
        )

    def _score(self, part: list[_Waiting]) -> None:
        kind, challenger = part[0].kind, part[0].challenger
        [heads] = challenger.scorer.scores([each.text for each in part])
        if self._challengers.get(kind) is not challenger:  # taken away meanwhile
            self._metrics.count_dropped(len(part))
            return
        rows = [_row(each, float(score)) for each, score in zip(part, heads[:, 0], strict=True)]
        if self._file is not None:
            self._file.append(rows)
        for row in rows:
            champion, candidate = row["champion"], row["challenger"]
            self._metrics.count_answer(
                kind,
                champion["flagged"] == candidate["flagged"],
                abs(candidate["score"] - champion["score"]),
            )


def _row(waiting: _Waiting, score: float) -> dict[str, Any]:
    """Return what the log says of one message."""
    verdict, challenger = waiting.verdict, waiting.challenger
    return {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "kind": waiting.kind,
        "champion": {
            "version": verdict.version,
            "digest": verdict.digest,
            "score": verdict.score,
            "flagged": verdict.flagged,
        },
        "challenger": {
            "version": challenger.version,
            "digest": challenger.bundle.digest,
            "score": score,
            "flagged": score >= challenger.thresholds.review,
        },
        "sha256": waiting.sha256,
    }

"""What is on record of the models: versions, figures, promotions, comparisons and drift."""

import asyncio
import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from prometheus_client import Metric
from pydantic import BaseModel, ValidationError

from models.errors import CareerlensError, HubUnavailableError, UnknownRevisionError
from models.hub import CHALLENGER, MAIN, open_hub, repo_id
from models.manifest import KINDS, Kind
from models.published import newest_promotions, read_metrics
from serving.exchange import Body, Reply, json_reply
from serving.loader import Champions
from serving.metrics import Metrics
from serving.record_schemas import (
    NEWEST,
    ComparisonAnswer,
    DriftAnswer,
    PromotionAnswer,
    RecordAnswer,
    RecordedVersionAnswer,
    Role,
    ShadowAnswer,
    evaluation_of,
    promotion_of,
)
from serving.reports import describe_failure
from serving.settings import Settings
from serving.snapshot import Snapshot

#: Seconds for which what was collected stands: the hub is asked for it no more often, and then for
#: what its branches are at; what is at a commit never changes.
FRESH_SECONDS = 10.0

#: Where the commands write below CAREERLENS_REPORTS.
DRIFT_FILE = "drift/report.json"
COMPARISON_FILE = "compare/{kind}/comparison.json"

#: Most bytes of one of their files.
MAX_REPORT_BYTES = 1024 * 1024

#: What the hub said of a commit, by the question, the repository and the commit.
Known = dict[tuple[str, str, str], Any]

_ROLES: Mapping[str, Role] = {MAIN: "champion", CHALLENGER: "challenger"}

_T = TypeVar("_T")
_Shape = TypeVar("_Shape", bound=BaseModel)


class ReportError(CareerlensError):
    """What a command wrote cannot be shown; the message says why."""


class Records:
    """Answers GET /models/record, which is collected in a thread, once however many ask."""

    def __init__(self, settings: Settings, champions: Champions, metrics: Metrics) -> None:
        self._settings = settings
        self._champions = champions
        self._metrics = metrics
        self._known: Known = {}
        self._made: tuple[float, Snapshot, dict[str, Any]] | None = None
        self._making: asyncio.Task[dict[str, Any]] | None = None

    async def answer(self, _: Body) -> Reply:
        """Answer GET /models/record."""
        if self._made is not None:
            made, of, content = self._made
            is_fresh = time.monotonic() - made < FRESH_SECONDS
            if is_fresh and of is self._champions.current():
                return json_reply(content)
        if self._making is None or self._making.done():
            self._making = asyncio.create_task(self._make())
        # Whoever gives up ends nothing: the next caller finds what was collected.
        return json_reply(await asyncio.shield(self._making))

    async def _make(self) -> dict[str, Any]:
        snapshot = self._champions.current()
        collector = _Collector(self._settings, snapshot, self._metrics, self._known)
        content = await asyncio.to_thread(collector.collect)
        self._known = collector.found
        self._made = (time.monotonic(), snapshot, content)
        return content


class _Collector:
    """Collects once. What cannot be had is left out, and a note says why.

    What answers messages is left alone: the figures of the champion are in memory with it, and
    those of a challenger come from the hub without its model.

    Parameters
    ----------
    known : dict
        What the hub said the last time, by the commit it said it of.
    """

    def __init__(
        self, settings: Settings, snapshot: Snapshot, metrics: Metrics, known: Known
    ) -> None:
        self._settings = settings
        self._snapshot = snapshot
        self._metrics = metrics
        self._hub = open_hub(settings.hub)
        self._away = False
        self._known = known
        self.found: Known = {}

    def collect(self) -> dict[str, Any]:
        """Return the answer but for the request's id."""
        notes: list[str] = []
        drift = _try(notes, partial(self._report, DRIFT_FILE, DriftAnswer))
        shadow = _shadow(self._metrics.collect())
        return {
            "models": [self._record(kind, shadow.get(kind)) for kind in KINDS],
            "drift": drift,
            "notes": notes,
        }

    def _record(self, kind: Kind, shadow: ShadowAnswer | None) -> RecordAnswer:
        notes: list[str] = []
        repo = repo_id(self._settings.namespace, kind)
        file = COMPARISON_FILE.format(kind=kind)
        heads = {
            branch: commit
            for branch in _ROLES
            if (commit := self._ask(notes, partial(self._hub.resolve, repo, branch))) is not None
        }
        return RecordAnswer(
            name=f"careerlens-{kind}",
            kind=kind,
            versions=list(self._versions(kind, repo, heads, notes)),
            promotions=list(self._promotions(repo, heads.get(MAIN), notes)),
            comparison=_try(notes, partial(self._report, file, ComparisonAnswer)),
            shadow=shadow,
            notes=notes,
        )

    def _promotions(
        self, repo: str, commit: str | None, notes: list[str]
    ) -> Iterator[PromotionAnswer]:
        if commit is None:
            return
        question = partial(newest_promotions, self._hub, repo, commit, NEWEST)
        promotions = self._of_commit(notes, "promotions", repo, commit, question)
        for promotion in promotions or ():
            shown = _try(notes, partial(promotion_of, promotion))
            if shown is not None:
                yield shown

    def _versions(
        self, kind: Kind, repo: str, heads: Mapping[str, str], notes: list[str]
    ) -> Iterator[RecordedVersionAnswer]:
        """Yield what answers, then champion and challenger where they are others."""
        seen = set()
        loaded = self._snapshot.models.get(kind)
        if loaded is not None:
            seen.add(loaded.bundle.digest)
            yield RecordedVersionAnswer(
                role="champion" if self._settings.pin(kind) is None else "pinned",
                answers=True,
                version=loaded.version,
                digest=loaded.bundle.digest,
                commit=loaded.commit,
                created=loaded.created,
                evaluation=_try(notes, partial(evaluation_of, loaded.bundle.metrics)),
            )
        for branch, commit in heads.items():
            about = partial(self._hub.release, repo, commit)
            release = self._of_commit(notes, "release", repo, commit, about)
            if release is None or release.digest in seen:
                continue
            seen.add(release.digest)
            figures = partial(read_metrics, self._hub, repo, commit, release)
            metrics = self._of_commit(notes, "metrics", repo, commit, figures)
            evaluation = None
            if metrics is not None:
                evaluation = _try(notes, partial(evaluation_of, metrics))
            yield RecordedVersionAnswer(
                role=_ROLES[branch],
                answers=False,
                version=release.tag,
                digest=release.digest,
                commit=commit,
                created=release.created,
                evaluation=evaluation,
            )

    def _of_commit(
        self, notes: list[str], what: str, repo: str, commit: str, question: Callable[[], _T]
    ) -> _T | None:
        """Return what the hub answers about a commit, which is asked once."""
        key = (what, repo, commit)
        answer: _T | None = self._known.get(key)
        if answer is None:
            answer = self._ask(notes, question)
        if answer is not None:
            self.found[key] = answer
        return answer

    def _ask(self, notes: list[str], question: Callable[[], _T]) -> _T | None:
        """Return what the hub answers; one that is away is not asked again."""
        if self._away:
            return None
        try:
            return _try(notes, question)
        except HubUnavailableError as error:
            self._away = True
            notes.append(describe_failure(error).sentence)
            return None

    def _report(self, name: str, shape: type[_Shape]) -> _Shape | None:
        """Return what a command wrote, None if no folder is chosen or it wrote nothing yet."""
        if self._settings.reports is None:
            return None
        path = self._settings.reports / name
        try:
            with path.open("rb") as file:
                content = file.read(MAX_REPORT_BYTES + 1)
                written = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ReportError(f"{name} cannot be read ({error.strerror})") from None
        if len(content) > MAX_REPORT_BYTES:
            raise ReportError(f"{name} has more than {MAX_REPORT_BYTES:,} bytes")
        try:
            return shape.model_validate({**json.loads(content), "written": written})
        except (ValueError, TypeError, RecursionError):  # pydantic's error is a ValueError too
            raise ReportError(f"{name} is no report of this Careerlens: write it anew") from None


def _try(notes: list[str], call: Callable[[], _T]) -> _T | None:
    """Return what ``call`` does, or note why it does not."""
    try:
        return call()
    except UnknownRevisionError:  # which is an answer too: nothing there yet
        return None
    except HubUnavailableError:
        raise
    except ValidationError:
        notes.append("figures or promotions are not in the shape that this Careerlens knows")
    except CareerlensError as error:
        notes.append(describe_failure(error).sentence)
    return None


def _shadow(metrics: Iterable[Metric]) -> dict[str, ShadowAnswer]:
    """Return by kind what was counted of candidates, by all workers together."""
    counts: Counter[tuple[str, str]] = Counter()
    shifts: dict[str, float] = defaultdict(float)
    for sample in (sample for metric in metrics for sample in metric.samples):
        if sample.name == "careerlens_shadow_answers_total":
            counts[sample.labels["kind"], sample.labels["outcome"]] += int(sample.value)
        elif sample.name == "careerlens_shadow_shift_sum":
            shifts[sample.labels["kind"]] += sample.value
    return {
        kind: ShadowAnswer(
            agree=counts[kind, "agree"],
            disagree=counts[kind, "disagree"],
            mean_shift=shifts[kind] / (counts[kind, "agree"] + counts[kind, "disagree"]),
        )
        for kind in {kind for (kind, _), count in counts.items() if count}
    }

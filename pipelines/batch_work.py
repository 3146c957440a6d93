"""What a worker does with a partition: read its rows, score them, and write what they came to.

Everything here runs in the worker's process, which fetches, verifies and loads each model once.
"""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Literal

import pyarrow as pa

from models.bundle import Bundle, load_bundle
from models.compiled_bundle import load_text_bundle
from models.formats import format_of
from models.hub import open_hub
from models.labels import HEADS
from models.limits import DOCUMENT_CHARS, MESSAGE_CHARS, TOP_JOBS, TOP_ROLES
from models.manifest import Kind
from models.matching import JobIndex
from models.moderation import Moderator, ServedModel, Verdict
from models.skill_model import SkillModel
from models.text_scorers import TextModel
from pipelines.batch_files import Format, Part, write_table
from pipelines.batch_input import Layout, Partition, Row, rows_of
from pipelines.champions import hub_cache

Answer = dict[str, Any]

Task = Literal["moderation", "skills", "recommend"]

#: The models that a task needs.
KINDS_OF: dict[Task, tuple[Kind, ...]] = {
    "moderation": ("spam", "toxicity"),
    "skills": ("skills",),
    "recommend": ("skills", "matching"),
}

#: Longest text in characters (code points): as the service takes them.
MAX_CHARS: dict[Task, int] = {
    "moderation": MESSAGE_CHARS,
    "skills": DOCUMENT_CHARS,
    "recommend": DOCUMENT_CHARS,
}

_SPANS = pa.list_(pa.struct({"start": pa.int64(), "end": pa.int64(), "weight": pa.float64()}))
_PLACES = pa.list_(pa.struct({"start": pa.int64(), "end": pa.int64()}))
_SKILLS = pa.list_(
    pa.struct(
        {"name": pa.string(), "category": pa.string(), "stated": pa.bool_(), "spans": _PLACES}
    )
)
_JOBS = pa.list_(
    pa.struct(
        {
            **dict.fromkeys(("id", "title", "company", "location", "url"), pa.string()),
            "remote": pa.bool_(),
            "score": pa.float64(),
            "missing_skills": pa.list_(pa.string()),
        }
    )
)
_ROLES = pa.list_(pa.struct({"title": pa.string(), "score": pa.float64()}))

_ANSWERS: dict[Task, dict[str, pa.DataType]] = {
    "moderation": {
        "action": pa.string(),
        "language": pa.string(),
        "language_supported": pa.bool_(),
        "spam_score": pa.float64(),
        "spam_flagged": pa.bool_(),
        "toxicity_score": pa.float64(),
        "toxicity_flagged": pa.bool_(),
        **{f"toxicity_{name}": pa.float64() for name in HEADS["toxicity"][1:]},
        "toxicity_spans": _SPANS,
    },
    "skills": {"skills": _SKILLS},
    "recommend": {"jobs": _JOBS, "similar_roles": _ROLES},
}

_lock = threading.Lock()


@dataclass(frozen=True)
class Pinned:
    """One version of one model: the commit that a batch is scored with, and no other."""

    kind: Kind
    repo: str
    commit: str
    version: str
    digest: str


@dataclass(frozen=True)
class Job:
    """What is done to every partition of a batch.

    Attributes
    ----------
    hub : str
        Address of the hub, for the workers.
    models : tuple of Pinned
    layout : Layout
    form : {"csv", "jsonl", "parquet"}
        Of the output.
    compressed : bool
    """

    task: Task
    hub: str
    models: tuple[Pinned, ...]
    layout: Layout
    form: Format
    compressed: bool

    @property
    def columns(self) -> dict[str, pa.DataType]:
        """The columns of the output and their types, as Parquet has them."""
        key = {} if self.layout.key is None else {"id": pa.string()}
        named = dict.fromkeys(self.names, pa.string())
        return {"row": pa.int64()} | key | _ANSWERS[self.task] | named

    @property
    def names(self) -> dict[str, str]:
        """What every row says of the models that scored it."""
        return {
            f"{model.kind}_{fact}": getattr(model, fact)
            for model in self.models
            for fact in ("version", "digest")
        }


@dataclass(frozen=True)
class Scored:
    """What a partition came to: its part of the output, and of the file of faults."""

    part: Part
    width: int
    content: bytes
    errors: bytes


def score_partition(job: Job, partition: Partition) -> Scored:
    """Return a partition's rows scored, and those that cannot be with the reason."""
    answer = _load(job.task, job.hub, job.models)
    good: list[tuple[Answer, str]] = []
    faults: list[Answer] = []
    for number, row in enumerate(rows_of(partition, job.layout), partition.first):
        place = {"row": number} | ({} if job.layout.key is None else {"id": _as_text(row.key)})
        if (fault := _fault(row, job)) is not None:
            faults.append(place | {"reason": fault})
        else:
            good.append((place, row.text))
    named = job.names
    rows: list[Answer] = []
    for (place, _), found in zip(good, _answers(answer, [text for _, text in good]), strict=True):
        if isinstance(found, Exception):
            faults.append(place | {"reason": f"cannot be scored: {type(found).__name__}"})
        else:
            rows.append(place | found | named)
    faults.sort(key=lambda fault: fault["row"])
    return Scored(
        part=Part(partition.number, partition.digest, len(rows), len(faults)),
        width=partition.width,
        content=write_table(rows, job.columns, job.form, job.compressed),
        errors=write_table(faults, job.columns, "jsonl", compressed=False),
    )


def _fault(row: Row, job: Job) -> str | None:
    """Return why a row cannot be scored: the service would not take it either."""
    if row.fault is not None:
        return row.fault
    name, text, most = job.layout.text, row.text, MAX_CHARS[job.task]
    if text is None:
        return f"{name} is missing"
    if not isinstance(text, str):
        return f"{name} is no string but {type(text).__name__}"
    if len(text) > most:
        return f"{name} has {len(text):,} characters, more than {most:,}"
    if not text.strip():
        return f"{name} is empty"
    if "\0" in text:
        return f"{name} holds the character NUL"
    if not text.isascii() and _holds_surrogate(text):
        return f"{name} is not UTF-8"
    return None


def _holds_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _as_text(key: Any) -> str | None:
    """Return an id as the output has it: a string, whatever it is in the input."""
    if key is None or isinstance(key, str):
        return key and key.encode("utf-8", "replace").decode()
    return json.dumps(key, ensure_ascii=True, default=str)


def _answers(
    answer: Callable[[Sequence[str]], list[Answer]], texts: Sequence[str]
) -> list[Answer | Exception]:
    """Return the answer on each text; on one that nobody foresaw, what it led to."""
    try:
        return list(answer(texts))
    except Exception as error:  # the job's edge: one row shall not end it, whatever it is
        if len(texts) == 1:
            return [error]
    return [found for text in texts for found in _answers(answer, [text])]


def _load(
    task: Task, hub: str, models: tuple[Pinned, ...]
) -> Callable[[Sequence[str]], list[Answer]]:
    with _lock:  # the threads of a worker wait for the first
        return _loaded(task, hub, models)


@lru_cache(maxsize=1)
def _loaded(
    task: Task, hub: str, models: tuple[Pinned, ...]
) -> Callable[[Sequence[str]], list[Answer]]:
    """Return what answers, from bundles that were fetched and verified."""
    bundles: dict[Kind, Bundle[Any]] = {}
    for pinned in models:
        fetched = open_hub(hub).fetch(pinned.repo, pinned.commit, hub_cache())
        folder = fetched.path / "bundle"
        bundles[pinned.kind] = (
            load_text_bundle(folder, pinned.kind, pinned.digest)
            if pinned.kind in HEADS
            else load_bundle(folder, format_of(pinned.kind), pinned.digest)
        )
    if task == "moderation":
        moderator = Moderator(*(_served(bundles[pinned.kind], pinned) for pinned in models))
        return lambda texts: [_verdict(verdict) for verdict in moderator.moderate(texts)]
    model: SkillModel = bundles["skills"].model
    if task == "skills":
        return lambda texts: [_skills(model, text) for text in texts]
    index: JobIndex = bundles["matching"].model
    return lambda texts: [_recommended(model, index, text) for text in texts]


def _served(bundle: Bundle[TextModel], pinned: Pinned) -> ServedModel:
    assert bundle.manifest.thresholds is not None  # a text model's bundle does not load without
    return ServedModel(bundle, pinned.version, bundle.manifest.thresholds)


def _verdict(verdict: Verdict) -> Answer:
    spam, toxicity = verdict.spam, verdict.toxicity
    return {
        "action": verdict.action,
        "language": verdict.language.code,
        "language_supported": verdict.language.supported,
        "spam_score": spam.score,
        "spam_flagged": spam.flagged,
        "toxicity_score": toxicity.score,
        "toxicity_flagged": toxicity.flagged,
        **{f"toxicity_{name}": score for name, score in toxicity.categories.items()},
        "toxicity_spans": [asdict(span) for span in toxicity.spans],
    }


def _skills(model: SkillModel, text: str) -> Answer:
    return {
        "skills": [
            {
                "name": hit.name,
                "category": hit.category,
                "stated": hit.stated,
                "spans": [{"start": start, "end": end} for start, end in hit.spans],
            }
            for hit in model.extract(text)
        ]
    }


def _recommended(model: SkillModel, index: JobIndex, text: str) -> Answer:
    hits = model.matcher.extract(text)  # as the postings were read
    facts = ("id", "title", "company", "location", "url", "remote")
    return {
        "jobs": [
            {
                **{name: getattr(job.posting, name) for name in facts},
                "score": job.score,
                "missing_skills": [name for name, _ in job.missing],
            }
            for job in index.recommend(text, hits, TOP_JOBS)
        ],
        "similar_roles": [asdict(role) for role in index.similar_roles(text, hits, TOP_ROLES)],
    }

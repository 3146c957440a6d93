"""What data exists (data/sources.yaml), which of it is used, and what ingest brought."""

from collections.abc import Sequence, Set
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.errors import CareerlensError
from models.params import Corpus
from pipelines.stage import read_json, write_json

#: ``moderation`` sources carry a label for each of the two text models.
Task = Literal["spam", "toxicity", "moderation", "skills", "jobs"]
TEXT_TASKS: tuple[Task, ...] = ("spam", "toxicity", "moderation")
JOB_TASKS: tuple[Task, ...] = ("skills", "jobs")
Role = Literal["train", "evaluation"]

#: A name is one component of a path below data/raw, so it must not lead anywhere else.
Name = Annotated[str, Field(pattern=r"^\w[\w. -]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

INDEX = "sources.json"

#: The source that moderators write; it is of every corpus, once there is something in its file.
FEEDBACK = "feedback"

RESERVED = "reserved.txt"


class SourcesError(CareerlensError):
    """data/sources.yaml is unreadable or wrong, or leaves nothing to train on."""


class _Declaration(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DeclaredFile(_Declaration):
    """One file of a source; address and digest are absent where git versions the file.

    ``folder`` is where a file of the starter corpus lies, if not in data/starter itself;
    ``versioned`` says that a file of another corpus lies there too.
    """

    role: Role
    versioned: bool = False
    folder: Name | None = None
    url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    sha256: Sha256 | None = None
    bytes: Annotated[int, Field(gt=0)] | None = None


class Source(_Declaration):
    """One dataset: where it is, under which licence, and who can read it.

    Those of corpus ``any`` are of both, where their file is: the operator's own.
    """

    corpus: Corpus | Literal["any"]
    task: Task
    licence: str
    about: str
    reader: str
    files: Annotated[dict[Name, DeclaredFile], Field(min_length=1)]

    @model_validator(mode="after")
    def _public_files_are_pinned(self) -> "Source":
        if self.corpus == "public":
            for name, file in self.files.items():
                if file.versioned:
                    continue
                if file.url is None or file.sha256 is None or file.bytes is None:
                    raise ValueError(f"{name} needs url, sha256 and bytes")
        return self


class ReservedList(_Declaration):
    """The list of hashed texts that must stay out of training; it comes with the mirror."""

    sha256: Sha256


class Catalogue(_Declaration):
    """The whole of data/sources.yaml, sources in the order of their precedence."""

    reserved: ReservedList
    sources: dict[Name, Source]


class Choice(_Declaration):
    """The sources of one run, and the licences of those left out."""

    corpus: Corpus
    sources: dict[str, Source]
    left_out: dict[str, str]


class RawFile(_Declaration):
    """A file in data/raw."""

    role: Role
    sha256: Sha256
    bytes: int


class RawSource(_Declaration):
    """A source in data/raw."""

    task: Task
    licence: str
    reader: str
    files: dict[str, RawFile]


class RawReserved(_Declaration):
    """The reserved list in data/raw: its digest and how many hashes it holds."""

    sha256: Sha256
    count: int


class RawIndex(_Declaration):
    """data/raw/sources.json: what ingest brought; ``order`` is that of data/sources.yaml."""

    corpus: Corpus
    order: tuple[str, ...]
    sources: dict[str, RawSource]
    left_out: dict[str, str]
    reserved: RawReserved | None

    def of_tasks(self, *tasks: Task) -> "RawIndex":
        """Return the index with the sources of ``tasks`` alone."""
        sources = {name: source for name, source in self.sources.items() if source.task in tasks}
        order = tuple(name for name in self.order if name in sources)
        return self.model_copy(update={"order": order, "sources": sources})


def load_catalogue(path: Path) -> Catalogue:
    """Read and check data/sources.yaml.

    Raises
    ------
    SourcesError
        If the file is absent, is not YAML, or has a missing, unknown or wrong key.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise SourcesError(f"{path} cannot be read: {error}") from error
    try:
        return Catalogue.model_validate(content)
    except ValidationError as error:
        raise SourcesError(f"{path}: {_faults(error)}") from error


def choose_sources(
    catalogue: Catalogue,
    corpus: Corpus,
    exclude_licences: Sequence[str],
    present: Set[str] = frozenset(),
) -> Choice:
    """Return the sources of ``corpus`` whose licence contains none of ``exclude_licences``.

    Parameters
    ----------
    present : set of str
        Sources of corpus ``any`` that have rows; the others are passed over.

    Raises
    ------
    SourcesError
        If no file of role train is left for spam, for toxicity or for jobs. Skills need none:
        the taxonomy is there without sources.
    """
    excluded = [words.casefold() for words in exclude_licences]
    kept: dict[str, Source] = {}
    left_out: dict[str, str] = {}
    for name, source in catalogue.sources.items():
        if source.corpus != corpus and name not in present:
            continue
        if any(words in source.licence.casefold() for words in excluded):
            left_out[name] = source.licence
        else:
            kept[name] = source
    for task in ("spam", "toxicity", "jobs"):
        if not any(_trains(source, task) for source in kept.values()):
            raise SourcesError(
                f"no source of corpus {corpus} is left to train {task} on: data.exclude_licences "
                f"{list(exclude_licences)} leaves out {sorted(left_out) or 'nothing'}; "
                "exclude less, or declare another source in data/sources.yaml"
            )
    return Choice(corpus=corpus, sources=kept, left_out=left_out)


def read_index(raw: Path) -> RawIndex:
    """Return what ``raw``/sources.json says.

    Raises
    ------
    SourcesError
        If it is absent or not as ingest writes it.
    """
    path = raw / INDEX
    try:
        return RawIndex.model_validate(read_json(path))
    except (OSError, ValueError) as error:
        reason = _faults(error) if isinstance(error, ValidationError) else str(error)
        raise SourcesError(f"{path}: {reason}; run `dvc repro ingest`") from error


def write_index(index: RawIndex, raw: Path) -> None:
    """Write ``raw``/sources.json."""
    write_json(index.model_dump(mode="json"), raw / INDEX)


def read_reserved(path: Path) -> frozenset[str]:
    """Return the hashes listed at ``path``, see :func:`models.text.reserved_key`."""
    lines = path.read_text(encoding="ascii").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _trains(source: Source, task: str) -> bool:
    tasks = ("spam", "toxicity") if source.task == "moderation" else (source.task,)
    return task in tasks and any(file.role == "train" for file in source.files.values())


def _faults(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)
    )

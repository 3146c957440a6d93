"""Turn the raw sources of skills and jobs into clean tables; count what drops out."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.errors import CareerlensError
from models.params import load_params
from models.postings import Posting, dump_postings
from models.text import group_key, reserved_key
from pipelines.entry import entry_point
from pipelines.job_readers import POSTING_READERS, RESUME_READERS, Draft
from pipelines.raw_files import RawReadError, Tables, read_raw
from pipelines.remote import is_remote
from pipelines.repair import mask
from pipelines.sampling import sample_rank
from pipelines.skill_readers import PHRASE_READERS, SENTENCE_READERS, TITLE_READERS
from pipelines.sources import JOB_TASKS, RESERVED, RawIndex, read_index, read_reserved
from pipelines.stage import parse_args, write_json, write_lines

# "C#" and "C++" are two skills, so these signs are no punctuation.
_WORDS = re.compile(r"[\w+#]+")


class CleanJobsError(CareerlensError):
    """Cleaning leaves no posting."""


@dataclass
class Row:
    """One row of a clean table.

    Attributes
    ----------
    part : str
        The source, or the set, under which it is counted.
    content : dict or Posting
        What the table holds; None in a row that was dropped before it was made.
    text : str
        What it is compared with other rows by.
    dropped : str
        Why it cannot be used, or "".
    """

    part: str
    content: Any
    text: str
    dropped: str = ""


Key = Callable[[Row], str]


def posting_rows(source: str, drafts: Iterable[Draft]) -> Iterator[Row]:
    """Yield a masked posting for each draft; those that say nothing are dropped."""
    for number, draft in enumerate(drafts, start=1):
        skills = tuple(map(mask, draft.get("skills", ())))
        description = mask(draft.get("description") or "") or None
        if not draft["title"]:
            yield Row(source, None, "", "no_title")
        elif not description and not skills:
            yield Row(source, None, "", "no_text")
        else:
            masked = {"title": mask(draft["title"]), "description": description, "skills": skills}
            yield _posting_row(source, {"id": f"{source}-{number}", **draft, **masked})


def _posting_row(source: str, fields: Draft) -> Row:
    try:
        posting = Posting.model_validate({**fields, "source": source})
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        raise RawReadError(f"{fields['id']}: {faults[0]['loc']}: {faults[0]['msg']}") from error
    if posting.remote is None:
        remote = is_remote(posting.title, posting.location or "", posting.text)
        posting = posting.model_copy(update={"remote": remote})
    return Row(source, posting, posting.text)


def title_rows(source: str, titles: Iterable[str]) -> Iterator[Row]:
    """Yield names of occupations."""
    for title in titles:
        yield Row(source, {"title": title, "source": source}, title, "" if title else "no_title")


def resume_rows(_source: str, resumes: Iterable[dict[str, Any]]) -> Iterator[Row]:
    """Yield masked resumes, which are scored only."""
    for resume in resumes:
        text = mask(resume["text"])
        dropped = "" if text else "no_text"
        yield Row(resume["set"], resume | {"text": text}, text, dropped)


def sentence_rows(source: str, sentences: Iterable[dict[str, Any]]) -> Iterator[Row]:
    """Yield tagged sentences."""
    for sentence in sentences:
        content = {"set": sentence["set"], "source": source, **sentence}
        yield Row(sentence["set"], content, " ".join(sentence["tokens"]))


def phrase_rows(source: str, phrases: Iterable[dict[str, Any]]) -> Iterator[Row]:
    """Yield names of skills."""
    for phrase in phrases:
        dropped = "" if phrase["name"] else "no_name"
        yield Row(source, {**phrase, "source": source}, phrase["name"], dropped)


#: Table to the readers of the sources that it has rows of, and what makes rows of their yield.
_MADE_OF: Mapping[str, tuple[Mapping[str, Callable[[Tables], Iterator[Any]]], Any]] = {
    "postings": (POSTING_READERS, posting_rows),
    "titles": (TITLE_READERS, title_rows),
    "resumes": (RESUME_READERS, resume_rows),
    "sentences": (SENTENCE_READERS, sentence_rows),
    "phrases": (PHRASE_READERS, phrase_rows),
}
TABLES = tuple(_MADE_OF)


def read_rows(index: RawIndex, raw: Path) -> dict[str, list[Row]]:
    """Return the rows of each table, from the sources of ``index`` in their order.

    Raises
    ------
    RawReadError
        If a source cannot be read, by its name.
    """
    tables: dict[str, list[Row]] = {name: [] for name in TABLES}
    for source in index.order:
        reader = index.sources[source].reader
        try:
            files = read_raw(reader, raw / source)
            for name, (readers, rows_of) in _MADE_OF.items():
                if reader in readers:
                    tables[name] += rows_of(source, readers[reader](files))
        except RawReadError as error:
            raise RawReadError(f"cannot read source {source}: {error}") from error
    return tables


def clean(tables: Mapping[str, Sequence[Row]], reserved: Set[str], sample: int | None) -> None:
    """Mark in ``tables``, as of :func:`read_rows`, the rows not to be used.

    Parameters
    ----------
    reserved : set of str
        Hashes of texts that must not be trained on, see :func:`models.text.reserved_key`.
    sample : int or None
        Keep at most this many rows of each part.
    """
    sentences = tables["sentences"]
    scored = [*tables["resumes"], *(row for row in sentences if row.part != "train")]
    equal = {folded(row.text) for row in scored}
    near = {group_key(row.text) for row in scored}
    for row in (*tables["postings"], *(row for row in sentences if row.part == "train")):
        _drop(row, "reserved", reserved_key(row.text) in reserved)
        _drop(row, "in_evaluation", folded(row.text) in equal)
        _drop(row, "near_evaluation", group_key(row.text) in near)
    # A posting that says the same in another place is the same job to the index; a phrase is
    # looked for in the sources that params.yaml chooses, so each of them keeps its own.
    _drop_repeated(tables["postings"], lambda row: folded(row.text))
    _drop_repeated(tables["resumes"], lambda row: folded(row.text))
    _drop_repeated(tables["titles"], lambda row: row.text.casefold())
    _drop_repeated(tables["phrases"], lambda row: f"{row.part}: {row.text.casefold()}")
    if sample is not None:
        for name in ("postings", "titles", "resumes", "phrases"):
            _drop_unsampled(tables[name], lambda row: folded(row.text), sample)
        _drop_unsampled(sentences, lambda row: str(row.content["posting"]), sample)


def folded(text: str) -> str:
    """Return ``text`` without case and punctuation."""
    return " ".join(_WORDS.findall(text.casefold()))


def _drop(row: Row, reason: str, fault: bool) -> None:
    if fault and not row.dropped:
        row.dropped = reason


def _drop_repeated(rows: Iterable[Row], key: Key) -> None:
    seen: set[str] = set()
    for row in _used(rows):
        name = key(row)
        _drop(row, "duplicate", name in seen)
        seen.add(name)


def _drop_unsampled(rows: Iterable[Row], key: Key, size: int) -> None:
    """Leave the ``size`` rows of each part whose keys have the least hash, first come first."""
    parts: dict[str, list[Row]] = {}
    for row in _used(rows):
        parts.setdefault(row.part, []).append(row)
    for some in parts.values():
        for row in sorted(some, key=lambda row: sample_rank(key(row)))[size:]:
            _drop(row, "not_sampled", True)


def _used(rows: Iterable[Row]) -> Iterator[Row]:
    return (row for row in rows if not row.dropped)


def report(tables: Mapping[str, Sequence[Row]], index: RawIndex) -> dict[str, Any]:
    """Return where the rows came from, and how many were read, dropped by reason, and kept."""
    described = index.model_dump(mode="json")
    for source in described["sources"].values():
        source["files"] = {name: file["sha256"] for name, file in source["files"].items()}
    return {
        "corpus": index.corpus,
        "sources": described["sources"],
        "left_out": index.left_out,
        "reserved": described["reserved"],
        "tables": {
            name: {part: _counts([row for row in rows if row.part == part]) for part in parts}
            for name, rows in tables.items()
            if (parts := list(dict.fromkeys(row.part for row in rows)))
        },
    }


def _counts(rows: Sequence[Row]) -> dict[str, Any]:
    kept = list(_used(rows))
    dropped = Counter(row.dropped for row in rows if row.dropped)
    labels = (row.content.get("category") for row in kept if isinstance(row.content, dict))
    return {
        "read": len(rows),
        "dropped": dict(dropped),
        "kept": len(kept),
        "labels": dict(Counter(label for label in labels if label)),
    }


@entry_point
def main() -> None:
    """Run the stage.

    The report of validate_raw is named only so that DVC runs that stage first.

    Raises
    ------
    CleanJobsError
        If no posting is left.
    """
    args = parse_args(__doc__, inputs=["raw", "validated"], outputs=[*TABLES, "report"])
    index = read_index(args.raw).of_tasks(*JOB_TASKS)
    reserved = read_reserved(args.raw / RESERVED) if index.reserved else frozenset()
    tables = read_rows(index, args.raw)
    clean(tables, reserved, load_params().data.sample)
    write_json(report(tables, index), args.report)
    kept = {name: [row.content for row in _used(rows)] for name, rows in tables.items()}
    if not kept["postings"]:
        raise CleanJobsError(f"no posting is left; {args.report} counts what was dropped and why")
    args.postings.write_bytes(dump_postings(kept.pop("postings")))
    for name, contents in kept.items():
        write_lines(contents, getattr(args, name))


if __name__ == "__main__":
    main()

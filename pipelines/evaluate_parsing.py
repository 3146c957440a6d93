"""Measure how much of resumes with known content is read from their files, field by field."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from models.documents import DocumentReader
from models.extract import Document
from models.params import EvaluateParams, load_params
from models.resume import Resume, parse_resume
from models.skill_model import load_skill_model
from models.skills import SkillHit
from pipelines.entry import entry_point
from pipelines.intervals import Rows, bootstrap, plain
from pipelines.resume_files import Known, ResumeFiles, build_file, read_resume_files
from pipelines.stage import parse_args, read_contents, write_json

#: Years of work are right in sense, and as written, when they are this close.
YEARS_CLOSE = 0.5
YEARS_EXACT = 0.1

Extract = Callable[[str], Sequence[SkillHit]]

#: One entry of a field: the names of its parts to their values; a value by itself is called "".
Record = Mapping[str, str | None]

_ENTRIES = {
    "experience": ("title", "organisation", "start", "end"),
    "education": ("degree", "field", "institution", "start", "end", "grade"),
    "languages": ("language", "level"),
    "certifications": ("name", "date"),
}
_ADDRESS = re.compile(r"^(?:https?://)?(?:www\.)?|/$", re.IGNORECASE)


class Count(NamedTuple):
    """How often a field was expected and found, and how often rightly: in sense, and as written.

    Sense leaves out case, punctuation and how an address begins.
    """

    expected: int
    found: int
    normalised: int
    exact: int


def compare(known: Known, text: str, parsed: Resume) -> dict[str, Count]:
    """Return the counts of every field of one resume.

    Skills are those the resume lists: what it names elsewhere is right too, and is not counted.

    Parameters
    ----------
    text : str
        What ``parsed`` was read from.
    """
    said, read = _said(known), _read(parsed)
    counts: dict[str, Count] = {}
    for field, records in said.items():
        pairs = list(_pairs(records, read[field]))
        for part in _ENTRIES.get(field, ("",)):
            name = f"{field}.{part}" if part else field
            counts[name] = _count((a.get(part), b.get(part)) for a, b in pairs)
    written = {
        text[start:end] for skill in parsed.skills if skill.stated for start, end in skill.spans
    }
    senses = {_sense(skill) for skill in written}
    counts["skills"] = Count(
        expected=len(known.skills),
        found=len(known.skills),
        normalised=sum(_sense(skill) in senses for skill in known.skills),
        exact=sum(skill in written for skill in known.skills),
    )
    counts["years"] = _years(known.years, parsed.years_experience)
    return counts


def measure(files: ResumeFiles, extract: Extract) -> dict[str, dict[str, Count]]:
    """Return the counts of each resume, read from its file as the service reads one."""
    with DocumentReader(workers=1) as reader:
        documents = {resume.id: reader.read(build_file(resume)) for resume in files.resumes}

    def parse(document: Document) -> Resume:
        return parse_resume(document.text, extract, today=files.today, links=document.links)

    return {
        resume.id: compare(resume.known, documents[resume.id].text, parse(documents[resume.id]))
        for resume in files.resumes
    }


def evaluate(
    files: ResumeFiles, counts: Mapping[str, Mapping[str, Count]], params: EvaluateParams
) -> dict[str, Any]:
    """Return the accuracy over all, by format, by field and by file.

    It is 1 if everything was found and nothing else was: twice what is right over what was
    expected and what was found.
    """
    totals = {name: _total(fields.values()) for name, fields in counts.items()}
    formats = {resume.id: resume.format for resume in files.resumes}
    fields: dict[str, list[Count]] = {}
    for counted in counts.values():
        for field, count in counted.items():
            fields.setdefault(field, []).append(count)
    return {
        "model": "parsing",
        "rows": len(counts),
        "headline": _figures(totals.values(), params),
        "slices": {
            f"format/{wanted}": {
                "rows": list(formats.values()).count(wanted),
                **_figures((totals[name] for name in counts if formats[name] == wanted), params),
            }
            for wanted in sorted(set(formats.values()))
        },
        "fields": {
            field: {**total._asdict(), "accuracy": _accuracy(total)}
            for field, each in fields.items()
            if (total := _total(each)).expected + total.found
        },
        "files": {name: _accuracy(total) for name, total in totals.items()},
    }


def _said(known: Known) -> dict[str, list[Record]]:
    return {
        "name": [{"": known.name}],
        "emails": [{"": email} for email in known.emails],
        "phones": [{"": phone} for phone in known.phones],
        "links": [{"": link} for link in known.links],
        "location": [{"": known.location}],
        **{
            field: [
                {part: getattr(entry, part) for part in parts} for entry in getattr(known, field)
            ]
            for field, parts in _ENTRIES.items()
        },
    }


def _read(parsed: Resume) -> dict[str, list[Record]]:
    answer = parsed.as_dict()
    contact = answer["contact"]
    return {
        "name": [{"": contact["name"]}],
        "emails": [{"": email} for email in contact["emails"]],
        "phones": [{"": phone["e164"] or phone["raw"]} for phone in contact["phones"]],
        "links": [{"": link["url"]} for link in contact["links"]],
        "location": [{"": contact["location"]}],
        **{
            field: [{part: entry[part] for part in parts} for entry in answer[field]]
            for field, parts in _ENTRIES.items()
        },
    }


def _pairs(said: Sequence[Record], read: Sequence[Record]) -> Iterator[tuple[Record, Record]]:
    """Yield each entry said with the one read that agrees best, and those left over with none."""
    ranked = sorted(
        (-_agreement(said[i], read[j]), abs(i - j), i, j)
        for i in range(len(said))
        for j in range(len(read))
    )
    partners: dict[int, int] = {}
    for agreement, _, i, j in ranked:
        if agreement and i not in partners and j not in partners.values():
            partners[i] = j
    for i, record in enumerate(said):
        yield record, read[partners[i]] if i in partners else {}
    for j, record in enumerate(read):
        if j not in partners.values():
            yield {}, record


def _agreement(said: Record, read: Record) -> int:
    return sum(value is not None and _same(value, read.get(part)) for part, value in said.items())


def _count(pairs: Iterable[tuple[str | None, str | None]]) -> Count:
    counted = list(pairs)
    return Count(
        expected=sum(said is not None for said, _ in counted),
        found=sum(read is not None for _, read in counted),
        normalised=sum(said is not None and _same(said, read) for said, read in counted),
        exact=sum(said is not None and said == read for said, read in counted),
    )


def _years(said: float, read: float | None) -> Count:
    off = float("inf") if read is None else abs(said - read)
    # Sums of tenths are not exact.
    return Count(
        1, int(read is not None), int(off <= YEARS_CLOSE + 1e-9), int(off <= YEARS_EXACT + 1e-9)
    )


def _same(said: str, read: str | None) -> bool:
    return read is not None and _sense(said) == _sense(read)


def _sense(value: str) -> str:
    folded = unicodedata.normalize("NFKC", _ADDRESS.sub("", value)).casefold()
    return " ".join(re.findall(r"[\w+#]+", folded))


def _total(counts: Iterable[Count]) -> Count:
    return Count(*(sum(column) for column in zip(*counts, strict=True)))


def _accuracy(count: Count) -> dict[str, float]:
    both = count.expected + count.found
    return {
        name: round(2 * right / both, 6)
        for name, right in (("normalised", count.normalised), ("exact", count.exact))
    }


def _figures(totals: Iterable[Count], params: EvaluateParams) -> dict[str, Any]:
    rows = np.array([*totals], dtype=np.float64)

    def share_of(column: int) -> Callable[[Rows], Rows]:
        def share(drawn: Rows) -> Rows:
            sums = drawn.sum(axis=1)
            return np.asarray(2.0 * sums[:, column] / (sums[:, 0] + sums[:, 1]))

        return share

    return plain(
        {
            name: bootstrap(rows, share_of(Count._fields.index(name)), params)
            for name in ("normalised", "exact")
        }
    )


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(__doc__, inputs=["resumes", "skills"], outputs=["metrics"])
    files = read_resume_files(args.resumes)
    skills = load_skill_model(read_contents(args.skills), str(args.skills))
    metrics = evaluate(files, measure(files, skills.extract), load_params().evaluate)
    write_json(metrics, args.metrics)
    headline = metrics["headline"]
    print(
        f"parsing: {metrics['rows']} files, "
        + ", ".join(f"{name} {figure['value']:.3f}" for name, figure in headline.items())
    )


if __name__ == "__main__":
    main()

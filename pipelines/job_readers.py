"""Turn the tables of each source of jobs into postings and resumes, tidied but not yet chosen."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pipelines.raw_files import RawReadError, Tables, column_of
from pipelines.repair import tidy, tidy_line

#: The fields of a :class:`models.postings.Posting` that a source has; ``title`` may be "".
Draft = dict[str, Any]

_SKILL_BREAK = re.compile(r"[,;](?![^()]*\))")

# What stands in the cell for skills of dice_jobs and is none: a pointer to the description, which
# the sample does not have, or the terms of employment.
_NO_SKILL = re.compile(
    r"\W*"
    r"|null|n/?a|#name\?"
    r"|\W*(?:please |as )?(?:see|refer(?: to)?|per)\b.{0,40}"
    r"\b(?:descriptions?|overview|below|jd|ad|details|required skills)\b.{0,60}"
    r"|telecommuting not available travel not required"
    r"|(?:full|part)[- ]?time|permanent|direct hire|third party|w2 only"
    r"|contract(?: to hire)?|(?:contract|c2h) (?:corp-to-corp|independent|w2)",
    re.IGNORECASE,
)

_YEARS = re.compile(r"(\d{1,2}) - (-?\d{1,2}) yrs")


def read_dice_jobs(tables: Tables) -> Iterator[Draft]:
    """Title, skills and years are all there is."""
    file = "dice_com-job_us_sample.csv"
    columns = ("Designation", "Required Skills", "Max Exp (in months)")
    for title, skills, years in _rows(tables, file, *columns):
        yield {
            "title": tidy_line(title),
            "skills": listed_skills(tidy_line(skills)),
            "years": asked_years(years),
        }


def listed_skills(cell: str) -> tuple[str, ...]:
    """Return the skills that a cell lists, each once, in whatever case.

    Commas within parentheses divide nothing. What only points to the description is no skill.
    """
    found: dict[str, str] = {}
    for part in _SKILL_BREAK.split(cell):
        skill = part.strip()
        if not _NO_SKILL.fullmatch(skill):
            found.setdefault(skill.casefold(), skill)
    return tuple(found.values())


def asked_years(cell: str) -> tuple[float, float | None] | None:
    """Return the least and the most years of experience; "0 - 0 yrs" says nothing.

    Raises
    ------
    RawReadError
        If the cell is of another form.
    """
    if cell in ("", "Not Mentioned"):
        return None
    found = _YEARS.fullmatch(cell)
    if not found:
        raise RawReadError(f"experience {cell!r}; expected '2 - 5 yrs' or 'Not Mentioned'")
    least, most = int(found[1]), int(found[2])
    if most <= 0:
        return (float(least), None) if least else None
    return float(least), float(most)


_GOOGLE_SECTIONS = {
    "Responsibilities": "Responsibilities",
    "Minimum Qualifications": "Minimum qualifications",
    "Preferred Qualifications": "Preferred qualifications",
}


def read_google_jobs(tables: Tables) -> Iterator[Draft]:
    """Join the three texts to one description, each under its heading."""
    columns = ("Title", "Company", "Location", *_GOOGLE_SECTIONS)
    for title, company, location, *texts in _rows(tables, "job_skills.csv", *columns):
        sections = zip(_GOOGLE_SECTIONS.values(), map(tidy, texts), strict=True)
        yield {
            "title": tidy_line(title),
            "company": tidy_line(company) or None,
            "location": tidy_line(location) or None,
            "description": "\n\n".join(f"{head}:\n{text}" for head, text in sections if text)
            or None,
        }


def read_glassdoor_jobs(tables: Tables) -> Iterator[Draft]:
    """Leave out a company's rating, which is the second line of its name."""
    columns = ("Job Title", "Company Name", "Location", "Job Description")
    for title, company, location, text in _rows(tables, "glassdoor_jobs.csv", *columns):
        yield {
            "title": tidy_line(title),
            "company": _known(company.partition("\n")[0]),
            "location": _known(location),
            "description": tidy(text) or None,
        }


def read_starter_postings(tables: Tables) -> Iterator[Draft]:
    """They are written as postings already, ids included."""
    table = tables["postings.jsonl"]
    for number, cells in enumerate(table.to_dict("records"), start=1):
        draft: Draft = {str(field): cell for field, cell in cells.items() if cell}
        try:
            draft |= {field: json.loads(draft[field]) for field in ("remote", "skills")}
        except (KeyError, ValueError) as error:
            raise RawReadError(f"postings.jsonl: record {number}: {error!r}") from error
        yield draft


def read_starter_resumes(tables: Tables) -> Iterator[dict[str, Any]]:
    """Their category is the family of occupations."""
    columns = ("id", "family", "years", "text")
    for name, family, years, text in _rows(tables, "resumes.yaml", *columns):
        if not years.isdecimal():
            raise RawReadError(f"resumes.yaml: {name}: years {years!r} is no number")
        yield {
            "id": name,
            "set": "starter_resumes",
            "category": family,
            "text": tidy(text),
            "years": int(years),
        }


def read_resume_categories(tables: Tables) -> Iterator[dict[str, Any]]:
    """One occupation is the category; most texts stand there several times."""
    file = "UpdatedResumeDataSet.csv"
    tidied = {text: tidy(text) for text in column_of(tables, file, "Resume").unique()}
    rows = _rows(tables, file, "Category", "Resume")
    for number, (category, text) in enumerate(rows, start=1):
        yield {
            "id": f"resume_categories-{number}",
            "set": "resume_categories",
            "category": tidy_line(category),
            "text": tidied[text],
            "years": None,
        }


POSTING_READERS: Mapping[str, Callable[[Tables], Iterator[Draft]]] = {
    "starter_jobs": read_starter_postings,
    "dice_jobs": read_dice_jobs,
    "google_jobs": read_google_jobs,
    "glassdoor_jobs": read_glassdoor_jobs,
}

RESUME_READERS: Mapping[str, Callable[[Tables], Iterator[dict[str, Any]]]] = {
    "starter_jobs": read_starter_resumes,
    "resume_categories": read_resume_categories,
}


def _rows(tables: Tables, file: str, *columns: str) -> Iterator[tuple[str, ...]]:
    return zip(*(column_of(tables, file, column) for column in columns), strict=True)


def _known(cell: str) -> str | None:
    """Return ``cell`` on one line, None for what glassdoor_jobs writes when it does not know."""
    text = tidy_line(cell)
    return None if text in ("", "-1") else text

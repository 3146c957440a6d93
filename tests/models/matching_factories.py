"""A small reader of skills, the starter corpus, and an index of it, for the tests of matching."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from models.job_space import Hit
from models.matching import (
    Compatibility,
    JobIndex,
    Posting,
    build_index,
    compatibility,
    load_postings,
)
from models.params import IndexParams

STARTER = Path("data/starter")


@dataclass(frozen=True)
class Found:
    name: str
    spans: tuple[tuple[int, int], ...]
    stated: bool = True


class ListReader:
    """Finds the names it was given, as whole words in any case."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = {name.lower(): name for name in names}
        longest_first = sorted(self.names, key=lambda name: (-len(name), name))
        alternatives = "|".join(map(re.escape, longest_first))
        self.pattern = re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE)

    def extract(self, text: str) -> list[Found]:
        spans: dict[str, list[tuple[int, int]]] = {}
        for match in self.pattern.finditer(text):
            spans.setdefault(self.names[match[0].lower()], []).append(match.span())
        return [Found(name, tuple(where)) for name, where in spans.items()]


def stress(_text: str, hits: Sequence[Hit]) -> Mapping[str, float]:
    """The first skill named is stressed most."""
    return {hit.name: 0.9 - 0.01 * place for place, hit in enumerate(hits)}


@cache
def starter_postings() -> tuple[Posting, ...]:
    return tuple(load_postings(STARTER / "postings.jsonl"))


@cache
def starter_resumes() -> tuple[dict[str, Any], ...]:
    return tuple(yaml.safe_load((STARTER / "jobs" / "resumes.yaml").read_text("utf-8")))


@cache
def starter_reader() -> ListReader:
    return ListReader(sorted({skill for job in starter_postings() for skill in job.skills}))


@cache
def starter_index() -> JobIndex:
    titles = (
        "Staff Nurse",
        "Data Scientist",
        "Wire Drawer",
        "Site Foreman",
        "Senior Data Scientist",
    )
    params = IndexParams(min_df=1)
    return build_index(starter_postings(), starter_reader(), stress, titles, params)


def compare(resume: str, job: str, years: float | None = None) -> Compatibility:
    """Score a resume against a job with the starter index and reader."""
    reader = starter_reader()
    job_hits = reader.extract(job)
    return compatibility(
        starter_index().space,
        resume,
        reader.extract(resume),
        job,
        stress(job, job_hits),
        years,
        job_hits,
    )

"""The questions that the job index is asked when it is evaluated, each with its right answers."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import CareerlensError
from models.job_terms import role_words
from models.matching import Posting
from pipelines.retrieval import TOP_K, Question
from pipelines.split import side_of

Share = Annotated[float, Field(ge=0.0, le=1.0)]

#: The set of real resumes whose categories data/retrieval/categories.yaml answers.
CATEGORY_SET = "resume_categories"

#: Of the postings of one title, one in so many becomes a question; ``TOP_K`` must be left.
_ONE_IN = 3
_LEAST_OF_TITLE = TOP_K * _ONE_IN // (_ONE_IN - 1)
#: Shorter lists of skills say too little ("see job description").
_LEAST_SKILLS = 3


class CategoriesError(CareerlensError):
    """The table of categories cannot be read."""


class Category(BaseModel):
    """Which titles answer the resumes of one category.

    Attributes
    ----------
    title : re.Pattern
        Searched in the lower-cased title of a posting.
    prevalence, baseline : float
        What a random order and plain TF-IDF reached when they were first measured.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    category: str
    title: re.Pattern[str]
    prevalence: Share
    baseline: Share


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    categories: Annotated[tuple[Category, ...], Field(min_length=1)]


def read_categories(path: Path) -> tuple[Category, ...]:
    """Return the categories of the YAML file at ``path``.

    Raises
    ------
    CategoriesError
        If the file cannot be read, or an entry lacks something.
    """
    try:
        return _Table.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))).categories
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise CategoriesError(f"{path} cannot be read: {error}") from error


def resumes_digest(resumes: Iterable[Mapping[str, Any]]) -> str:
    """Return the sha256 over the resumes that an index may be asked about."""
    digest = hashlib.sha256()
    for resume in resumes:
        digest.update(json.dumps(resume, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def category_questions(
    resumes: Iterable[Mapping[str, Any]],
    postings: Sequence[Posting],
    categories: Iterable[Category],
) -> list[Question]:
    """Return one question for each resume of ``CATEGORY_SET`` whose category has an entry."""
    answers = {
        entry.category: frozenset(
            posting.id for posting in postings if entry.title.search(posting.title.lower())
        )
        for entry in categories
    }
    return [
        Question(resume["category"], resume["text"], answers[resume["category"]])
        for resume in resumes
        if resume["set"] == CATEGORY_SET and resume["category"] in answers
    ]


def family_questions(
    resumes: Iterable[Mapping[str, Any]], postings: Sequence[Posting]
) -> list[Question]:
    """Return one question for each resume whose category is a family of postings."""
    families: dict[str, set[str]] = {}
    for posting in postings:
        if posting.family is not None:
            families.setdefault(posting.family, set()).add(posting.id)
    return [
        Question(resume["category"], resume["text"], frozenset(families[resume["category"]]))
        for resume in resumes
        if resume["set"] != CATEGORY_SET and resume["category"] in families
    ]


def title_questions(postings: Sequence[Posting]) -> tuple[list[Question], list[Posting]]:
    """Return questions made of listed skills alone, and the postings left to find.

    The answers to a question are the other postings whose title, without rank and place, is that
    of the posting the skills were taken from. Only titles on the side "test" of the split are
    asked for, and the postings that ask are not among those to be found.
    """
    titles = {posting.id: " ".join(role_words(posting.title)) for posting in postings}
    listed: dict[str, list[Posting]] = {}
    for posting in postings:
        if len(posting.skills) >= _LEAST_SKILLS and titles[posting.id]:
            listed.setdefault(titles[posting.id], []).append(posting)
    asking = [
        posting
        for title, same in listed.items()
        if len(same) >= _LEAST_OF_TITLE and side_of(f"title {title}") == "test"
        for posting in same[::_ONE_IN]
    ]
    away = {posting.id for posting in asking}
    left = [posting for posting in postings if posting.id not in away]
    answers: dict[str, set[str]] = {}
    for posting in left:
        answers.setdefault(titles[posting.id], set()).add(posting.id)
    questions = [
        Question(
            titles[posting.id], ", ".join(posting.skills), frozenset(answers[titles[posting.id]])
        )
        for posting in asking
    ]
    return questions, left

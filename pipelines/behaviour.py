"""The behaviour suite: what a model of each kind must do, whatever its figures are.

``data/behaviour/<kind>.yaml`` holds the cases: the least that must be right (minimum), what must
change nothing (invariance), and what must change an answer one way (direction); of text models
also what must not change a verdict (robustness), and kinds of abuse to tell apart (categories).

References
----------
Ribeiro et al. 2020, "Beyond accuracy: behavioral testing of NLP models with CheckList".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import Field, ValidationError

from models.errors import CareerlensError
from models.manifest import Kind, Thresholds
from pipelines.behaviour_cases import Case
from pipelines.behaviour_text import (
    CategoryTold,
    Judge,
    SameScore,
    SameVerdict,
    ScoreChange,
    Verdict,
)

if TYPE_CHECKING:
    from models.matching import JobIndex
    from models.skill_model import SkillModel

FOLDER = Path("data/behaviour")

#: Postings that are looked at.
TOP_K = 10

Texts = Annotated[tuple[str, ...], Field(min_length=2)]


class BehaviourError(CareerlensError):
    """The cases of a kind cannot be read."""


@dataclass(frozen=True)
class Failure:
    """A case that a model does not meet, and what it did instead."""

    case: str
    what: str

    def __str__(self) -> str:
        return f"{self.case}: {self.what}"


class SkillsFound(Case["SkillModel"]):
    """Skills that must be found in a text, and skills that must not."""

    text: str
    finds: tuple[str, ...]
    spares: tuple[str, ...]

    def fault(self, model: "SkillModel") -> str | None:
        """Return the skills that are missing, and those that are there."""
        return _differences(set(self.finds), _names(model, self.text), set(self.spares))


class SameSkills(Case["SkillModel"]):
    """Texts in which the same skills are found, and at least one."""

    texts: Texts

    def fault(self, model: "SkillModel") -> str | None:
        """Return how the first text that differs does."""
        first, *others = (_names(model, text) for text in self.texts)
        if not first:
            return "nothing is found"
        for text, names in zip(self.texts[1:], others, strict=True):
            if fault := _differences(first, names, names - first):
                return f"{text!r}: {fault}"
        return None


class SkillsBrought(Case["SkillModel"]):
    """Words that bring skills and take none away."""

    text: str
    added: str
    brings: tuple[str, ...]

    def fault(self, model: "SkillModel") -> str | None:
        """Return the skills that did not come, or went."""
        before = _names(model, self.text)
        if known := before & set(self.brings):
            return f"{', '.join(sorted(known))} is there before"
        after = _names(model, f"{self.text} {self.added}")
        return _differences(before | set(self.brings), after, set())


class TitlesFound(Case["JobIndex"]):
    """How many of the first postings for a text must have a title."""

    text: str
    title: re.Pattern[str]
    least: Annotated[int, Field(ge=1, le=TOP_K)]

    def fault(self, model: "JobIndex") -> str | None:
        """Return the titles found if they are too few."""
        titles = [job.posting.title for job in model.recommend(self.text, (), TOP_K)]
        found = [title for title in titles if self.title.search(title.lower())]
        if len(found) >= self.least:
            return None
        return f"{len(found)} of {self.least} titles fit; found: {', '.join(titles) or 'nothing'}"


class SamePostings(Case["JobIndex"]):
    """Texts that are answered alike."""

    texts: Texts
    shared: Annotated[int, Field(ge=1, le=TOP_K)]

    def fault(self, model: "JobIndex") -> str | None:
        """Return how few postings the first text that differs shares."""
        first, *others = (
            {job.posting.id for job in model.recommend(text, (), TOP_K)} for text in self.texts
        )
        for text, found in zip(self.texts[1:], others, strict=True):
            if len(first & found) < self.shared:
                return f"{text!r} shares {len(first & found)} postings of {TOP_K}"
        return None


class PostingsRaised(Case["JobIndex"]):
    """Words that must raise the best score of the postings with a title."""

    text: str
    added: str
    title: re.Pattern[str]

    def fault(self, model: "JobIndex") -> str | None:
        """Return the two scores if they do not rise, or that no posting has such a title."""
        rows = [
            row
            for row, entry in enumerate(model.entries)
            if self.title.search(entry.posting.title.lower())
        ]
        if not rows:
            return "no posting has such a title"
        before, after = (
            float(model.scores(model.space.encode(text, ()))[rows].max())
            for text in (self.text, f"{self.text} {self.added}")
        )
        return None if after > before else f"the best score goes from {before:.4f} to {after:.4f}"


_TEXT_CASES: Mapping[str, type[Case[Any]]] = {
    "minimum": Verdict,
    "invariance": SameScore,
    "robustness": SameVerdict,
    "direction": ScoreChange,
}

#: The classes of a kind's cases, by the section of its file.
CASES: Mapping[Kind, Mapping[str, type[Case[Any]]]] = {
    "spam": _TEXT_CASES,
    "toxicity": {**_TEXT_CASES, "categories": CategoryTold},
    "skills": {"minimum": SkillsFound, "invariance": SameSkills, "direction": SkillsBrought},
    "matching": {"minimum": TitlesFound, "invariance": SamePostings, "direction": PostingsRaised},
}


def read_suite(kind: Kind, folder: Path = FOLDER) -> list[Case[Any]]:
    """Return the cases of ``folder/<kind>.yaml``; every section has some, and ids are unique.

    Raises
    ------
    BehaviourError
        If the file cannot be read, or is not so.
    """
    path = folder / f"{kind}.yaml"
    classes = CASES[kind]
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or set(content) != set(classes):
            raise BehaviourError(f"{path} must have the sections {', '.join(classes)}")
        cases = [classes[name].model_validate(case) for name in classes for case in content[name]]
    except (OSError, yaml.YAMLError, ValidationError, TypeError) as error:
        raise BehaviourError(f"{path} cannot be read: {error}") from error
    if len({case.id for case in cases}) < len(cases) or not all(content.values()):
        raise BehaviourError(f"{path} has a section without cases, or two cases of one id")
    return cases


def run_suite(
    kind: Kind, model: Any, thresholds: Thresholds | None, corpus: str, folder: Path = FOLDER
) -> list[Failure]:
    """Return the cases that ``model`` does not meet, without those its corpus is excused from.

    Parameters
    ----------
    model
        What the kind's bundle holds.
    thresholds : Thresholds or None
        Of a text model.
    corpus : str
        What the model was trained on.

    Raises
    ------
    BehaviourError
        If the cases cannot be read.
    """
    judged = model if thresholds is None else Judge(model, thresholds)
    asked = (case for case in read_suite(kind, folder) if corpus not in case.known_weak)
    found = ((case, case.fault(judged)) for case in asked)
    return [Failure(case.id, fault) for case, fault in found if fault is not None]


def _names(model: "SkillModel", text: str) -> set[str]:
    return {hit.name for hit in model.extract(text)}


def _differences(wanted: set[str], found: set[str], unwanted: set[str]) -> str | None:
    missing, extra = sorted(wanted - found), sorted(unwanted & found)
    parts = [f"misses {', '.join(missing)}"] * bool(missing)
    parts += [f"finds {', '.join(extra)}"] * bool(extra)
    return " and ".join(parts) or None

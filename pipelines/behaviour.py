"""The behaviour suite: what a model of each kind must do, whatever its figures are.

``data/behaviour/<kind>.yaml`` holds the cases: the least that must be right (minimum), what must
change nothing (invariance), and what must change an answer one way (direction).

References
----------
Ribeiro et al. 2020, "Beyond accuracy: behavioral testing of NLP models with CheckList".
"""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sklearn.pipeline import Pipeline

from models.errors import CareerlensError
from models.manifest import Kind, Thresholds
from models.params import Corpus
from models.scoring import score_texts

if TYPE_CHECKING:
    from models.matching import JobIndex
    from models.skill_model import SkillModel

FOLDER = Path("data/behaviour")

#: Postings that are looked at.
TOP_K = 10

_HOMOGLYPHS = str.maketrans("aeo", "аео")

Disguise = Literal["capitals", "homoglyphs", "zero-width", "fullwidth", "decomposed", "spaces"]

#: Spellings that normalisation undoes.
DISGUISES: Mapping[Disguise, Callable[[str], str]] = {
    "capitals": str.upper,
    "homoglyphs": lambda text: text.translate(_HOMOGLYPHS),
    "zero-width": "\u200b".join,
    "fullwidth": lambda text: re.sub("[A-Za-z]", lambda at: chr(ord(at[0]) + 0xFEE0), text),
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "spaces": lambda text: f"   {text.replace(' ', '   ')}\n\n",
}

M = TypeVar("M")
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


@dataclass(frozen=True)
class Judge:
    """A text model with the thresholds that its scores are held against."""

    pipeline: Pipeline
    thresholds: Thresholds

    def scores(self, *texts: str) -> list[float]:
        """Return the main score of each text."""
        return [float(score) for score in score_texts(self.pipeline, texts)[:, 0]]


class Case(BaseModel, ABC, Generic[M]):
    """One thing that a model must do.

    Attributes
    ----------
    known_weak : dict of corpus to str
        Why models of a corpus are excused.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    known_weak: dict[Corpus, Annotated[str, Field(min_length=1)]] = {}

    @abstractmethod
    def fault(self, model: M) -> str | None:
        """Return what ``model`` does wrong, or None."""


class Verdict(Case[Judge]):
    """A message that must be flagged, or must pass."""

    text: str
    flagged: bool

    def fault(self, model: Judge) -> str | None:
        """Return the score if it is on the wrong side of the review threshold."""
        (score,) = model.scores(self.text)
        if (score >= model.thresholds.review) == self.flagged:
            return None
        verb = "passes" if self.flagged else "is flagged"
        return f"{verb} at {score:.3f}, review begins at {model.thresholds.review:.3f}"


class SameScore(Case[Judge]):
    """Messages that score the same, each also in its disguises."""

    texts: Annotated[tuple[str, ...], Field(min_length=1)]
    disguises: tuple[Disguise, ...] = ()
    within: Annotated[float, Field(ge=0.0, le=1.0)]

    @model_validator(mode="after")
    def _compares_something(self) -> Self:
        if len(self.texts) + len(self.disguises) < 2:
            raise ValueError("one text without disguises has nothing to be compared with")
        return self

    def fault(self, model: Judge) -> str | None:
        """Return how far apart the scores are."""
        disguised = [DISGUISES[name](text) for text in self.texts for name in self.disguises]
        scores = dict(zip(texts := [*self.texts, *disguised], model.scores(*texts), strict=True))
        low, high = min(texts, key=scores.__getitem__), max(texts, key=scores.__getitem__)
        if scores[high] - scores[low] <= self.within:
            return None
        return f"{low!r} scores {scores[low]:.4f} and {high!r} {scores[high]:.4f}"


class ScoreChange(Case[Judge]):
    """Words that must raise or lower the score."""

    text: str
    added: str
    change: Literal["raises", "lowers"]

    def fault(self, model: Judge) -> str | None:
        """Return the two scores if they change the wrong way."""
        before, after = model.scores(self.text, f"{self.text} {self.added}")
        if after > before if self.change == "raises" else after < before:
            return None
        return f"the score goes from {before:.4f} to {after:.4f}"


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


#: The classes of a kind's cases, by the section of its file.
CASES: Mapping[Kind, Mapping[str, type[Case[Any]]]] = {
    "spam": {"minimum": Verdict, "invariance": SameScore, "direction": ScoreChange},
    "toxicity": {"minimum": Verdict, "invariance": SameScore, "direction": ScoreChange},
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

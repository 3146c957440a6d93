"""The behaviour suite of the text models: verdicts, scores that stay, and scores that move."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from sklearn.pipeline import Pipeline

from models.labels import TOXICITY_CATEGORIES
from models.manifest import Thresholds
from models.scoring import score_texts
from pipelines.behaviour_cases import Case

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

_NAMES = ("Anna", "Mohammed", "Wei", "Chidi", "Fatima", "Juan", "Siobhan", "Priya")
_LONG_WORD = re.compile(r"[A-Za-z]{6,}")

Edit = Literal["greeting", "thanks", "emoji", "typos", "names", "capitals", "no marks"]

#: Changes that say nothing else.
EDITS: Mapping[Edit, Callable[[str], Sequence[str]]] = {
    "greeting": lambda text: [f"Hello, I hope you are well. {text}"],
    "thanks": lambda text: [
        f"{text}, thank you",
        f"{text} Many thanks in advance and have a nice day!",
    ],
    "emoji": lambda text: [f"{text} 🙂", f"👋 {text} 🙏🎉"],
    "typos": lambda text: [_LONG_WORD.sub(_swapped, text)],
    "names": lambda text: [f"{name}, {text}" for name in _NAMES],
    "capitals": lambda text: [text.lower(), text.upper(), text.title()],
    "no marks": lambda text: [re.sub(r"[^\w\s]", "", text)],
}


def _swapped(word: re.Match[str]) -> str:
    """Return a word with two letters in its middle the other way round."""
    at = len(word[0]) // 2
    return word[0][: at - 1] + word[0][at] + word[0][at - 1] + word[0][at + 1 :]


Category = Literal["insult", "threat", "obscene", "identity_attack"]


@dataclass(frozen=True)
class Judge:
    """A text model with the thresholds that its scores are held against."""

    pipeline: Pipeline
    thresholds: Thresholds

    def scores(self, *texts: str, category: str | None = None) -> list[float]:
        """Return the score of each text: of one category of toxicity, or the main one."""
        head = 0 if category is None else 1 + TOXICITY_CATEGORIES.index(category)
        return [float(score) for score in score_texts(self.pipeline, texts)[:, head]]

    def flags(self, score: float) -> bool:
        """Return whether a message of this main score is flagged."""
        return score >= self.thresholds.review


class Verdict(Case[Judge]):
    """A message that must be flagged, or must pass."""

    text: str
    flagged: bool

    def fault(self, model: Judge) -> str | None:
        """Return the score if it is on the wrong side of the review threshold."""
        (score,) = model.scores(self.text)
        return _wrong_verdict(model, score, self.flagged)


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


class SameVerdict(Case[Judge]):
    """A message that is flagged, or passes, and so however it is edited."""

    text: str
    flagged: bool
    edits: Annotated[tuple[Edit, ...], Field(min_length=1)]

    def fault(self, model: Judge) -> str | None:
        """Return the first edit whose score is on the wrong side of the review threshold."""
        edited = [text for edit in self.edits for text in EDITS[edit](self.text)]
        texts = [self.text, *edited]
        for text, score in zip(texts, model.scores(*texts), strict=True):
            if fault := _wrong_verdict(model, score, self.flagged):
                return f"{text!r} {fault}"
        return None


class CategoryTold(Case[Judge]):
    """A message that scores higher in its category than messages which are not of it."""

    text: str
    category: Category
    above: Annotated[tuple[str, ...], Field(min_length=1)]

    def fault(self, model: Judge) -> str | None:
        """Return the message that scores as high."""
        own, *others = model.scores(self.text, *self.above, category=self.category)
        for text, score in zip(self.above, others, strict=True):
            if score >= own:
                return f"{self.category} is {own:.4f}, and {score:.4f} for {text!r}"
        return None


class ScoreChange(Case[Judge]):
    """Words that must raise or lower the score, of a category if one is given."""

    text: str
    added: str
    change: Literal["raises", "lowers"]
    category: Category | None = None

    def fault(self, model: Judge) -> str | None:
        """Return the two scores if they change the wrong way."""
        texts = self.text, f"{self.text} {self.added}"
        before, after = model.scores(*texts, category=self.category)
        if after > before if self.change == "raises" else after < before:
            return None
        return f"the score goes from {before:.4f} to {after:.4f}"


def _wrong_verdict(model: Judge, score: float, flagged: bool) -> str | None:
    if model.flags(score) == flagged:
        return None
    verb = "passes" if flagged else "is flagged"
    return f"{verb} at {score:.3f}, review begins at {model.thresholds.review:.3f}"

"""The tagger as files of a bundle: what it has learnt, as plain numbers."""

import json
from collections.abc import Mapping

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from models.errors import FormatError
from models.skill_matcher import SkillMatcher
from models.tagger import Tagger
from models.tagger_chain import ALONE, BEGIN, END, INSIDE, NEVER, OUTSIDE, TAGS
from models.tagger_net import LINES, OUT, REACH, Learnt
from models.tagger_text import LABELS
from models.word_classes import Company

TAGGER_FILES = ("tagger.json", "tagger.weights")

_DESCRIPTION_FILE, _WEIGHTS_FILE = TAGGER_FILES
_FORMAT = 3
_WEIGHT = np.dtype("<f4")
_VECTOR = np.dtype("<f2")


class _Description(BaseModel):
    """All of a tagger but its vectors and weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    threshold: float
    words: tuple[str, ...]
    classes: tuple[tuple[int, ...], ...]
    dimensions: int
    units: int
    own: tuple[str, ...]
    company: tuple[str, ...]
    transitions: tuple[tuple[tuple[float, ...], ...], ...]

    def shapes(self) -> dict[str, tuple[int, int]]:
        """Return the shapes of the parts of what has been learnt, in the order of the file."""
        out = OUT[0] * OUT[1]
        return {
            "own": (len(self.own), out),
            "company": (len(self.company), out),
            "features": (len(self.own), self.units),
            "around": ((2 * REACH + 1) * self.dimensions, self.units),
            "lines": (LINES * self.dimensions, self.units),
            "output": (self.units, out),
        }


def dump_tagger(tagger: Tagger) -> dict[str, bytes]:
    """Return the files of ``tagger`` by name; equal bytes for equal taggers."""
    learnt, company = tagger.learnt, tagger.company
    own, around = tagger.features
    described = _Description(
        format=_FORMAT,
        threshold=tagger.threshold,
        words=tuple(company.classes),
        classes=tuple(company.classes.values()),
        dimensions=company.vectors.shape[1],
        units=len(learnt.output),
        own=tuple(own),
        company=tuple(around),
        transitions=learnt.transitions.tolist(),
    )
    parts = [getattr(learnt, name).astype(_WEIGHT) for name in described.shapes()]
    return {
        _DESCRIPTION_FILE: json.dumps(described.model_dump(), separators=(",", ":")).encode(
            "ascii"
        ),
        _WEIGHTS_FILE: b"".join(
            [company.vectors.astype(_VECTOR).tobytes(), *(part.tobytes() for part in parts)]
        ),
    }


def load_tagger(contents: Mapping[str, bytes], matcher: SkillMatcher, place: str) -> Tagger:
    """Return the tagger in ``contents``, the files that :func:`dump_tagger` returned.

    Parameters
    ----------
    matcher : SkillMatcher
        The one that the tagger was fitted with.
    place : str
        Where the files were read, for errors.

    Raises
    ------
    FormatError
        If a file is missing or unreadable, or the two do not belong together.
    """
    try:
        described = _Description.model_validate_json(contents[_DESCRIPTION_FILE])
        if described.format != _FORMAT:
            raise ValueError(f"its format is {described.format}, and this code reads {_FORMAT}")
        if not 0.0 < described.threshold < 1.0:
            raise ValueError(f"the threshold {described.threshold} is no probability")
        numbers = _Numbers(contents[_WEIGHTS_FILE])
        company = _checked_company(described, numbers)
        learnt = _checked_learnt(described, numbers)
        numbers.end()
    except KeyError as error:
        raise FormatError(f"{place} has no {error.args[0]}") from error
    except (ValidationError, ValueError) as error:
        raise FormatError(f"{place} holds no tagger that can be read: {error}") from error
    features = described.own, described.company
    return Tagger(matcher, company, features, learnt, described.threshold)


class _Numbers:
    """The arrays of a file, one after the other."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    def take(self, shape: tuple[int, int], kind: np.dtype) -> np.ndarray:
        """Return the next array."""
        if min(shape) < 0:
            raise ValueError(f"no array has the shape {shape}")
        size = shape[0] * shape[1]
        end = self._place + size * kind.itemsize
        if end > len(self._content):
            raise ValueError("weights are missing")
        found = np.frombuffer(self._content, kind, size, self._place).reshape(shape)
        if not np.isfinite(found).all():
            raise ValueError("a weight is no finite number")
        self._place = end
        return found

    def end(self) -> None:
        """Raise ValueError if there is more."""
        if self._place < len(self._content):
            raise ValueError("there are more weights than it has a use for")


def _checked_company(described: _Description, numbers: _Numbers) -> Company:
    if len({len(each) for each in described.classes}) > 1:
        raise ValueError("some words have more classes than others")
    classes = dict(zip(described.words, described.classes, strict=True))
    if len(classes) < len(described.words):
        raise ValueError("a word is there twice")
    return Company(classes, numbers.take((len(classes), described.dimensions), _VECTOR))


def _checked_learnt(described: _Description, numbers: _Numbers) -> Learnt:
    for names in (described.own, described.company):
        if len(set(names)) < len(names):
            raise ValueError("a feature is there twice")
    transitions = np.array(described.transitions, dtype=np.float64)
    if transitions.shape != (len(LABELS), len(TAGS) + 1, len(TAGS)):
        raise ValueError(f"transitions have the shape {transitions.shape}")
    if not np.isfinite(transitions).all():
        raise ValueError("a transition is no finite number")
    outside, within = [OUTSIDE, END, ALONE, len(TAGS)], [BEGIN, INSIDE]
    if (transitions[:, outside, OUTSIDE] <= NEVER).any() or (
        transitions[:, within, END] <= NEVER
    ).any():
        raise ValueError("a chain can never leave a span")
    parts = {name: numbers.take(shape, _WEIGHT) for name, shape in described.shapes().items()}
    return Learnt(**parts, transitions=transitions)

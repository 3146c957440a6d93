"""Words of a message: what each has to do with its score, and which of them to show."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: No more words than these are shown, the heaviest ones.
MAX_SPANS = 50

#: Without a rule: the least share of what the heaviest word carries.
_SHARE = 0.2

# Marks around a word that are no part of it; others may spell it, as in "a$$".
_AROUND = ".,;:!?\"'“”‘’()[]…-"


@dataclass(frozen=True)
class Span:
    """A stretch of the raw text, in code points, and its additive part of the logit."""

    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class Word(Span):
    """A run of non-space characters of the normalised text, ``form``, and where it was read."""

    form: str


@dataclass(frozen=True)
class SpanRule:
    """Which words are shown, by their log-odds of being marked by people.

    Attributes
    ----------
    least : float
        Those of at least these log-odds, and the first of a message in any case.
    gap : float
        But none that lies farther behind the first.
    """

    least: float
    gap: float


def shown_words(
    words: Sequence[Word], text: str, odds: np.ndarray | None, rule: SpanRule | None
) -> list[Span]:
    """Return the words for which a message was flagged, in the order of the text.

    Parameters
    ----------
    words : sequence of Word
        All there are.
    text : str
        Raw text.
    odds : ndarray of float64, shape (n_words,), optional
        The log-odds of each word alone. Without, the words that carry the most are shown.
    rule : SpanRule, optional
        Goes with ``odds``.
    """
    if not words:
        return []
    if odds is None or rule is None:
        numbers = carrying(np.array([word.weight for word in words]))
    else:
        numbers = marked(odds, rule)
    return bare_words([words[number] for number in numbers.tolist()], text)


def carrying(weights: np.ndarray) -> np.ndarray:
    """Return the numbers of the words that carry the most, by what all of them carry."""
    return np.flatnonzero((weights > 0) & (weights >= _SHARE * weights.max()))


def marked(odds: np.ndarray, rule: SpanRule) -> np.ndarray:
    """Return the numbers of the words to show, by the log-odds of all of them; one at least."""
    first = odds.max()
    return np.flatnonzero((odds >= max(rule.least, first - rule.gap)) | (odds == first))


def bare_words(shown: Sequence[Span], text: str) -> list[Span]:
    """Return words without the marks around them: the heaviest, if there are too many."""
    if len(shown) > MAX_SPANS:
        shown = sorted(shown, key=lambda word: word.weight, reverse=True)[:MAX_SPANS]
        shown.sort(key=lambda word: word.start)
    return [_bare(word, text) for word in shown]


def heaviest_words(words: Sequence[Word], text: str) -> list[Span]:
    """Return the words that carry the most, for or against, in the order of the text."""
    carrying = sorted((word for word in words if word.weight), key=lambda word: -abs(word.weight))
    return [
        _bare(word, text)
        for word in sorted(carrying[:MAX_SPANS], key=lambda word: (word.start, word.end))
    ]


def _bare(word: Span, text: str) -> Span:
    """Return a word without the marks around it, where anything else is left."""
    raw = text[word.start : word.end]
    bare = raw.strip(_AROUND) or raw
    start = word.start + raw.index(bare)
    return Span(start, start + len(bare), word.weight)

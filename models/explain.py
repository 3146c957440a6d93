"""Which words of a message carried its score: exact additive parts of the linear model."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.pipeline import Pipeline

from models.scoring import linear_weights
from models.text import Normalised, normalise_with_offsets
from models.tfidf import TOKEN_PATTERN, PackedTfidfVectorizer

_WORD = re.compile(TOKEN_PATTERN)
_CHUNK = re.compile(r"\S+")


@dataclass(frozen=True)
class Span:
    """A stretch of the raw text, in code points, and its additive part of the logit."""

    start: int
    end: int
    weight: float


def word_contributions(pipeline: Pipeline, text: str) -> tuple[list[Span], float]:
    """Return every word's part of the main head's logit.

    Each n-gram's contribution (tf-idf value times weight) is shared out evenly over the places
    where it stands and the words it covers there.

    Parameters
    ----------
    pipeline : Pipeline
        A packaged text model.
    text : str
        Raw text.

    Returns
    -------
    spans : list of Span
        One for each run of non-space characters of the normalised text, in order.
    intercept : float
        What no word carries: the weights of ``spans`` plus ``intercept`` are the logit.
    """
    weights, intercept = linear_weights(pipeline)
    origin = normalise_with_offsets(text, pipeline["normalise"].rules)
    chunks = [match.span() for match in _CHUNK.finditer(origin.text)]
    if not chunks:
        return [], intercept
    chunk_of = np.empty(len(origin.text), dtype=np.int32)
    for index, (start, end) in enumerate(chunks):
        chunk_of[start:end] = index

    parts = np.zeros(len(chunks))
    offset = 0
    for _, vectoriser in pipeline["tfidf"].transformer_list:
        row = vectoriser.transform([origin.text])
        values = dict(zip(row.indices, row.data * weights[offset + row.indices], strict=True))
        places = _places(vectoriser, origin.text)
        for index, covered in places.items():
            for start, end in covered:
                words = np.unique(chunk_of[_letters(origin.text, start, end)])
                parts[words] += values[index] / len(covered) / len(words)
        offset += len(vectoriser.vocabulary_)
    return [
        Span(*_raw_span(origin, start, end), float(part))
        for (start, end), part in zip(chunks, parts, strict=True)
    ], intercept


def _letters(text: str, start: int, end: int) -> list[int]:
    return [at for at in range(start, end) if text[at] != " "]


def _raw_span(origin: Normalised, start: int, end: int) -> tuple[int, int]:
    return int(origin.starts[start]), int(origin.ends[end - 1])


def _places(vectoriser: PackedTfidfVectorizer, text: str) -> dict[int, list[tuple[int, int]]]:
    """Return where each known n-gram stands in normalised ``text``, by index in the vocabulary."""
    found = _word_ngrams if vectoriser.analyzer == "word" else _char_wb_ngrams
    places: dict[int, list[tuple[int, int]]] = {}
    for term, start, end in found(text, vectoriser.ngram_range):
        index = vectoriser.vocabulary_.get(term)
        if index is not None:
            places.setdefault(index, []).append((start, end))
    return places


def _word_ngrams(text: str, lengths: tuple[int, int]) -> Iterator[tuple[str, int, int]]:
    tokens = [(match.group(), *match.span()) for match in _WORD.finditer(text)]
    for length in range(lengths[0], lengths[1] + 1):
        for first in range(len(tokens) - length + 1):
            gram = tokens[first : first + length]
            yield " ".join(token for token, _, _ in gram), gram[0][1], gram[-1][2]


def _char_wb_ngrams(text: str, lengths: tuple[int, int]) -> Iterator[tuple[str, int, int]]:
    """Follow scikit-learn's ``char_wb``: every word padded with one space on either side."""
    for match in _CHUNK.finditer(text):
        padded = f" {match.group()} "
        base = match.start() - 1
        for length in range(lengths[0], lengths[1] + 1):
            last = max(0, len(padded) - length)
            for first in range(last + 1):
                start, end = base + first, base + min(first + length, len(padded))
                yield (
                    padded[first : first + length],
                    max(start, match.start()),
                    min(end, match.end()),
                )
            if last == 0:  # a word shorter than the n-gram counts once, whole
                break

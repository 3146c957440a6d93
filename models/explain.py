"""Which words of a message carried its score: exact additive parts of the linear model."""

import re
from collections.abc import Iterator, Sequence

from sklearn.pipeline import Pipeline

from models.scoring import linear_weights
from models.spans import Span, Word, shown_words
from models.text import Normalised
from models.tfidf import TOKEN_PATTERN, PackedTfidfVectorizer

_WORD = re.compile(TOKEN_PATTERN)
_CHUNK = re.compile(r"\S+")


def word_contributions(pipeline: Pipeline, text: str) -> tuple[list[Word], float]:
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
    words : list of Word
        In order.
    intercept : float
        What no word carries: the weights of ``words`` plus ``intercept`` are the logit.
    """
    weights, intercept = linear_weights(pipeline)
    origin = pipeline["normalise"].trace(text)
    bounds = [match.span() for match in _CHUNK.finditer(origin.text)]
    chunks = [origin.text[start:end] for start, end in bounds]
    parts = [0.0] * len(chunks)
    offset = 0
    for _, vectoriser in pipeline["tfidf"].transformer_list:
        row = vectoriser.transform([origin.text])
        values = row.data * weights[offset + row.indices]
        places = _places(vectoriser, chunks)
        for index, value in zip(row.indices.tolist(), values.tolist(), strict=True):
            covered = places[index]
            for words in covered:
                for word in words:
                    parts[word] += value / len(covered) / len(words)
        offset += len(vectoriser.vocabulary_)
    return [
        Word(*_raw_span(origin, start, end), part, chunk)
        for (start, end), part, chunk in zip(bounds, parts, chunks, strict=True)
    ], intercept


def toxic_spans(pipeline: Pipeline, text: str) -> list[Span]:
    """Return the words for which a packaged toxicity model flags a raw text, if it does."""
    words, _ = word_contributions(pipeline, text)
    head = pipeline[-1].span_head_
    if head is None or not words:
        return shown_words(words, text, None, None)
    features = pipeline["tfidf"].transform([word.form for word in words])
    return shown_words(words, text, head.decision_function(features), head.rule)


def _raw_span(origin: Normalised, start: int, end: int) -> tuple[int, int]:
    return int(origin.starts[start]), int(origin.ends[end - 1])


def _places(
    vectoriser: PackedTfidfVectorizer, chunks: Sequence[str]
) -> dict[int, list[tuple[int, ...]]]:
    """Return the positions of the words that each known n-gram covers, place by place.

    Parameters
    ----------
    chunks : sequence of str
        The words of the normalised text, as white space divides it.
    """
    found = _word_ngrams if vectoriser.analyzer == "word" else _char_wb_ngrams
    places: dict[int, list[tuple[int, ...]]] = {}
    for term, words in found(chunks, vectoriser.ngram_range):
        index = vectoriser.vocabulary_.get(term)
        if index is not None:
            places.setdefault(index, []).append(words)
    return places


def _word_ngrams(
    chunks: Sequence[str], lengths: tuple[int, int]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    tokens = [
        (token, position) for position, chunk in enumerate(chunks) for token in _WORD.findall(chunk)
    ]
    for length in range(lengths[0], lengths[1] + 1):
        for first in range(len(tokens) - length + 1):
            gram = tokens[first : first + length]
            words = dict.fromkeys(position for _, position in gram)
            yield " ".join(token for token, _ in gram), tuple(words)


def _char_wb_ngrams(
    chunks: Sequence[str], lengths: tuple[int, int]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Follow scikit-learn's ``char_wb``: every word padded with one space on either side."""
    for position, chunk in enumerate(chunks):
        padded = f" {chunk} "
        for length in range(lengths[0], lengths[1] + 1):
            last = max(0, len(padded) - length)
            for first in range(last + 1):
                yield padded[first : first + length], (position,)
            if last == 0:  # a word shorter than the n-gram counts once, whole
                break

"""Texts to scores and words, by compiled code: one pass over each text for several models."""

import threading
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from models.compiled import Block, CompiledModel
from models.fast_cleaning import cleaning_of, trace_text
from models.ngram_scoring import count_unknown, score, share_out, weigh_words
from models.ngram_table import build_table
from models.params import NormaliseParams
from models.respell import Lexicon
from models.spans import Span, SpanRule, Word, bare_words, marked, shown_words
from models.text import MAX_CHARS, fold, fold_with_offsets


class FastScorer:
    """Scores texts as the pipelines of ``models`` do.

    Parameters
    ----------
    models : sequence of CompiledModel
    """

    def __init__(self, models: Sequence[CompiledModel]) -> None:
        self._models = models
        self._known = cleaning_of([(model.rules, model.lexicon) for model in models])
        self._table = build_table(models)
        self._own = threading.local()
        ends = np.cumsum([0, *(len(model.intercepts) for model in models)])
        self._width = int(ends[-1])
        # The last head of a model with a span rule is the one for words, and no score of a text.
        self._heads = [
            slice(first, last - (model.span_rule is not None))
            for model, (first, last) in zip(models, pairwise(ends.tolist()), strict=True)
        ]

    def scores(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return each model's scores of raw texts: shape (n_texts, n_heads)."""
        # What is ASCII is folded by the kernel.
        folded = [text[:MAX_CHARS] if text.isascii() else fold(text) for text in texts]
        scores = np.empty((len(texts), self._width))
        codes = codes_of("".join(folded))
        score(self._known, self._table, codes, _stops(folded), self._counts(), scores)
        return [scores[:, heads] for heads in self._heads]

    def words(self, model: int, text: str) -> list[Word]:
        """Return every word's part of the main head's logit of one model."""
        traced = self._traced(model, text)
        return _words(*traced, *self._shared_out(model, traced[0]))

    def intercept(self, model: int) -> float:
        """Return what the main head's logit of one model is before any word."""
        return float(self._models[model].intercepts[0])

    def shown(self, model: int, text: str) -> list[Span]:
        """Return the words to show of a text that one model flags."""
        rule = self._models[model].span_rule
        if rule is None:
            return shown_words(self.words(model, text), text, None, None)
        traced = self._traced(model, text)
        bounds, parts = self._shared_out(model, traced[0])
        if not len(bounds):
            return []
        odds = np.empty((len(bounds), self._width))
        weigh_words(self._table, traced[0], bounds, self._counts(), odds)
        numbers = marked(odds[:, self._heads[model].stop], rule)
        return bare_words(_words(*traced, bounds[numbers], parts[numbers]), text)

    def unknown_share(self, model: int, text: str) -> float:
        """Return the share of a text's words that one model has no term of."""
        codes = self._traced(model, text)[0]
        words, unknown = count_unknown(self._table, codes, model, self._counts())
        return unknown / words if words else 0.0

    def _shared_out(self, model: int, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where each word of a cleaned text is, and its part of the main head's logit."""
        bounds = np.empty(len(codes) + 1, np.int64)
        parts = np.empty(len(codes) // 2 + 1)
        head = self._heads[model].start
        words = share_out(self._table, codes, head, self._counts(), bounds, parts)
        return bounds[: 2 * words].reshape(words, 2), parts[:words]

    def _counts(self) -> np.ndarray:
        """Return this thread's counts, which are all 0 whenever no kernel runs in it."""
        counts: np.ndarray | None = getattr(self._own, "counts", None)
        if counts is None:
            counts = self._own.counts = np.zeros(len(self._table.records), np.int32)
        return counts

    def _traced(self, model: int, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the code points of a text as a model reads it, and where each was read."""
        if text.isascii():  # where every character is folded to one
            cleaned, origins = trace_text(self._known, model, codes_of(text[:MAX_CHARS]))
            return cleaned, origins[:, 0], origins[:, 1]
        found = fold_with_offsets(text)
        cleaned, origins = trace_text(self._known, model, codes_of(found.text))
        return cleaned, found.starts[origins[:, 0]], found.ends[origins[:, 1] - 1]


def _words(
    codes: np.ndarray, starts: np.ndarray, ends: np.ndarray, bounds: np.ndarray, parts: np.ndarray
) -> list[Word]:
    """Return words of a cleaned text, of which it is known where each character was read."""
    normalised = codes.tobytes().decode("utf-32-le", "surrogatepass")
    return [
        Word(start, end, part, normalised[first:last])
        for start, end, part, (first, last) in zip(
            starts[bounds[:, 0]].tolist(),
            ends[bounds[:, 1] - 1].tolist(),
            parts.tolist(),
            bounds.tolist(),
            strict=True,
        )
    ]


def _stops(texts: Sequence[str]) -> np.ndarray:
    return np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))


def codes_of(text: str) -> np.ndarray:
    """Return the code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).copy()


def exercise() -> None:
    """Use every kernel once, which compiles it."""
    block = Block("a\na b\n b", (1, 2), np.ones(3), np.ones((2, 3)))
    rules = NormaliseParams(tokens=True, respell=True, identity=True)
    model = CompiledModel(
        *(rules, Lexicon({"words": 3}), block, block, True, np.zeros(2)), SpanRule(0.0, 1.0)
    )
    scorer = FastScorer([model, model])
    scorer.scores(["a b"])
    scorer.shown(0, "a b")
    scorer.unknown_share(0, "a b")

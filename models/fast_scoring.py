"""Texts to scores and words, by compiled code: one pass over each text for several models."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from models.cleaning_layout import GROWTH
from models.compiled import Block, CompiledModel
from models.fast_cleaning import cleaning_of, trace_text
from models.fast_room import FastRoom
from models.ngram_scoring import count_unknown, score, share_out
from models.ngram_table import build_table
from models.params import NormaliseParams
from models.respell import Lexicon
from models.spans import MAX_SPANS, Span, SpanRule, Word, bare_words, carrying, marked


class FastScorer:
    """Scores texts as the pipelines of ``models`` do.

    Parameters
    ----------
    models : sequence of CompiledModel
    """

    def __init__(self, models: Sequence[CompiledModel]) -> None:
        self._models = models
        known = cleaning_of([(model.rules, model.lexicon) for model in models])
        self._room = FastRoom(known, build_table(models))
        ends = np.cumsum([0, *(len(model.intercepts) for model in models)])
        self._width = int(ends[-1])
        # The last head of a model with a span rule is the one for words, and no score of a text.
        self._heads = [
            slice(first, last - (model.span_rule is not None))
            for model, (first, last) in zip(models, pairwise(ends.tolist()), strict=True)
        ]

    def scores(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return each model's scores of raw texts: shape (n_texts, n_heads)."""
        codes, lengths, _ = self._room.take_in(texts)
        scores = np.empty((len(texts), self._width))
        score(self._room.places, codes, lengths, scores)
        return [scores[:, heads] for heads in self._heads]

    def words(self, model: int, text: str) -> list[Word]:
        """Return every word's part of the main head's logit of one model."""
        bounds, parts, _ = self._shared_out(model, text, marking=False)
        cleaned, _ = trace_text(self._room, model, text)
        return [
            Word(start, end, part, cleaned[first:last])
            for (start, end, first, last), part in zip(bounds.tolist(), parts.tolist(), strict=True)
        ]

    def intercept(self, model: int) -> float:
        """Return what the main head's logit of one model is before any word."""
        return float(self._models[model].intercepts[0])

    def shown(self, model: int, text: str) -> list[Span]:
        """Return the words to show of a text that one model flags."""
        rule = self._models[model].span_rule
        bounds, parts, odds = self._shared_out(model, text, marking=rule is not None)
        if not len(bounds):
            return []
        numbers = carrying(parts) if rule is None else marked(odds, rule)
        if len(numbers) > MAX_SPANS:  # as bare_words has it, and without making all of them
            heaviest = numbers[np.argsort(-parts[numbers], kind="stable")[:MAX_SPANS]]
            numbers = heaviest[np.argsort(bounds[heaviest, 0], kind="stable")]
        places = zip(bounds[numbers].tolist(), parts[numbers].tolist(), strict=True)
        return bare_words([Span(start, end, part) for (start, end, *_), part in places], text)

    def unknown_share(self, model: int, text: str) -> float:
        """Return the share of a text's words that one model has no term of."""
        codes, _, _ = self._room.take_in([text])
        words, unknown = count_unknown(self._room.places, model, codes)
        return unknown / words if words else 0.0

    def _shared_out(
        self, model: int, text: str, marking: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return where each word of a text is, and its part of the main head's logit.

        And its logarithmic odds by itself, if ``marking``.
        """
        codes, _, folded = self._room.take_in([text])
        most = (GROWTH * folded + 16) // 2  # each is followed by a space
        bounds, parts, odds = np.empty((most, 4), np.int32), np.empty(most), np.empty(most)
        heads = self._heads[model]
        words = share_out(
            *(self._room.places, model, heads.start, heads.stop if marking else -1, codes),
            *(bounds, parts, odds),
        )
        return bounds[:words], parts[:words], odds[:words]


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
    scorer.words(0, "é")
    scorer.unknown_share(0, "a b")

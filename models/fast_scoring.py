"""Texts to scores and words, by compiled code: one pass over each text for several models."""

import itertools
from collections.abc import Sequence

import numpy as np

from models.compiled import Block, CompiledModel
from models.ngram_scoring import count_unknown, score, share_out
from models.ngram_table import build_table
from models.spans import Span, Word, shown_words
from models.text import PLAIN, normalise, normalise_with_offsets


class FastScorer:
    """Scores texts as the pipelines of ``models`` do.

    Parameters
    ----------
    models : sequence of CompiledModel
    """

    def __init__(self, models: Sequence[CompiledModel]) -> None:
        self._models = models
        self._table = build_table(models)
        ends = np.cumsum([0, *(len(model.intercepts) for model in models)])
        self._width = int(ends[-1])
        # The last head of a model with a span rule is the one for words, and no score of a text.
        self._heads = [
            slice(first, last - (model.span_rule is not None))
            for model, (first, last) in zip(models, itertools.pairwise(ends.tolist()), strict=True)
        ]

    def scores(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return each model's scores of raw texts: shape (n_texts, n_heads)."""
        first = self._models[0]
        normalised = [normalise(text, first.rules, first.lexicon) for text in texts]
        rows = [np.arange(len(texts))]
        for model in self._models[1:]:
            own = rows[0].copy()
            if model.rules != first.rules:
                for at, text in enumerate(texts):
                    other = normalise(text, model.rules, model.lexicon)
                    if other != normalised[at]:
                        own[at] = len(normalised)
                        normalised.append(other)
            rows.append(own)
        scores = np.empty((len(normalised), self._width))
        score(self._table, _codes("".join(normalised)), _ends(normalised), scores)
        return [scores[own, heads] for own, heads in zip(rows, self._heads, strict=True)]

    def words(self, model: int, text: str) -> list[Word]:
        """Return every word's part of the main head's logit of one model."""
        cleaning = self._models[model]
        origin = normalise_with_offsets(text, cleaning.rules, cleaning.lexicon)
        bounds = np.empty(len(origin.text) + 1, np.int64)
        parts = np.empty(len(origin.text) // 2 + 1)
        codes = _codes(origin.text)
        words = share_out(self._table, codes, self._heads[model].start, bounds, parts)
        firsts, lasts = bounds[0 : 2 * words : 2], bounds[1 : 2 * words : 2]
        forms = [origin.text[first:last] for first, last in zip(firsts, lasts, strict=True)]
        starts, ends = origin.starts[firsts].tolist(), origin.ends[lasts - 1].tolist()
        return list(map(Word, starts, ends, parts[:words].tolist(), forms))

    def shown(self, model: int, text: str) -> list[Span]:
        """Return the words to show of a text that one model flags."""
        words, rule = self.words(model, text), self._models[model].span_rule
        if rule is None:
            return shown_words(words, text, None, None)
        forms = [word.form for word in words]
        scores = np.empty((len(forms), self._width))
        score(self._table, _codes("".join(forms)), _ends(forms), scores)
        marked = scores[:, self._heads[model].stop]
        with np.errstate(divide="ignore"):  # a word may be as good as certain
            return shown_words(words, text, np.log(marked) - np.log1p(-marked), rule)

    def unknown_share(self, model: int, text: str) -> float:
        """Return the share of a text's words that one model has no term of."""
        cleaning = self._models[model]
        codes = _codes(normalise(text, cleaning.rules, cleaning.lexicon))
        words, unknown = count_unknown(self._table, codes, model)
        return unknown / words if words else 0.0


def exercise() -> None:
    """Use every kernel once, which compiles it."""
    block = Block("a\na b\n b", (1, 2), np.ones(3), np.ones((1, 3)))
    model = CompiledModel(PLAIN, None, block, block, True, np.zeros(1))
    scorer = FastScorer([model])
    scorer.scores(["a b"])
    scorer.words(0, "a b")
    scorer.unknown_share(0, "a b")


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _ends(texts: Sequence[str]) -> np.ndarray:
    return np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))

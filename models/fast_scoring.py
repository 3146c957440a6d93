"""Texts to scores and words, by compiled code: one pass over each text for several models."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np

from models.compiled import Block, CompiledModel
from models.fast_cleaning import FastCleaner, room_for
from models.ngram_scoring import count_unknown, score, share_out, tell_apart
from models.ngram_table import build_table
from models.params import NormaliseParams
from models.respell import Lexicon
from models.spans import Span, SpanRule, Word, shown_words
from models.text import fold, normalise, normalise_with_offsets


class FastScorer:
    """Scores texts as the pipelines of ``models`` do.

    Parameters
    ----------
    models : sequence of CompiledModel
    """

    def __init__(self, models: Sequence[CompiledModel]) -> None:
        self._models = models
        self._cleaners = [FastCleaner(model.rules, model.lexicon) for model in models]
        self._table = build_table(models)
        ends = np.cumsum([0, *(len(model.intercepts) for model in models)])
        self._width = int(ends[-1])
        # The last head of a model with a span rule is the one for words, and no score of a text.
        self._heads = [
            slice(first, last - (model.span_rule is not None))
            for model, (first, last) in zip(models, pairwise(ends.tolist()), strict=True)
        ]

    def scores(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return each model's scores of raw texts: shape (n_texts, n_heads)."""
        codes, bounds = self._cleaned(texts)
        rows = np.empty((len(self._models), len(texts)), np.int64)
        different = tell_apart(codes, bounds, rows)
        scores = np.empty((different, self._width))
        score(self._table, codes, bounds[:different], True, scores)
        return [
            scores.take(own, axis=0)[:, heads] for own, heads in zip(rows, self._heads, strict=True)
        ]

    def words(self, model: int, text: str) -> list[Word]:
        """Return every word's part of the main head's logit of one model."""
        codes, starts, ends = self._traced(model, text)
        bounds, parts = self._shared_out(model, codes)
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

    def intercept(self, model: int) -> float:
        """Return what the main head's logit of one model is before any word."""
        return float(self._models[model].intercepts[0])

    def shown(self, model: int, text: str) -> list[Span]:
        """Return the words to show of a text that one model flags."""
        words, rule = self.words(model, text), self._models[model].span_rule
        if rule is None:
            return shown_words(words, text, None, None)
        stops = _stops([word.form for word in words])
        bounds = np.column_stack([np.concatenate([np.zeros(1, np.int64), stops])[:-1], stops])
        odds = np.empty((len(words), self._width))
        codes = codes_of("".join(word.form for word in words))
        score(self._table, codes, bounds, False, odds)
        return shown_words(words, text, odds[:, self._heads[model].stop], rule)

    def unknown_share(self, model: int, text: str) -> float:
        """Return the share of a text's words that one model has no term of."""
        words, unknown = count_unknown(self._table, self._traced(model, text)[0], model)
        return unknown / words if words else 0.0

    def _shared_out(self, model: int, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where each word of a cleaned text is, and its part of the main head's logit."""
        bounds = np.empty(len(codes) + 1, np.int64)
        parts = np.empty(len(codes) // 2 + 1)
        words = share_out(self._table, codes, self._heads[model].start, bounds, parts)
        return bounds[: 2 * words].reshape(words, 2), parts[:words]

    def _cleaned(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the code points of texts as each model reads them, and where each of them is.

        All texts of the first model come first, then those of the second one.
        """
        folded = [fold(text) for text in texts]
        raw, ends = codes_of("".join(folded)), _stops(folded)
        room, count = len(self._models) * room_for(raw, ends), len(texts)
        cleaned, origins = np.empty(room, np.uint32), np.empty((room, 2), np.int32)
        bounds = np.empty((len(self._models) * count, 2), np.int64)
        kept = left = 0
        for number, cleaner in enumerate(self._cleaners):
            own = bounds[number * count : (number + 1) * count]
            kept, missed = cleaner.clean_into(raw, ends, kept, cleaned, origins, own)
            left += missed
        codes = cleaned[:kept]
        return (self._with_rest(texts, codes, bounds) if left else codes), bounds

    def _with_rest(self, texts: Sequence[str], codes: np.ndarray, bounds: np.ndarray) -> np.ndarray:
        """Add what compiled code has left, and note where it is."""
        rows = np.flatnonzero(bounds[:, 0] < 0)
        cleaned = []
        for row in rows.tolist():
            number, at = divmod(row, len(texts))
            model = self._models[number]
            cleaned.append(normalise(texts[at], model.rules, model.lexicon))
        stops = len(codes) + _stops(cleaned)
        bounds[rows, 1] = stops
        bounds[rows, 0] = stops - list(map(len, cleaned))
        return np.concatenate([codes, codes_of("".join(cleaned))])

    def _traced(self, model: int, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the code points of a text as a model reads it, and where each was read."""
        if text.isascii():  # where every character is folded to one
            raw = codes_of(fold(text))
            cleaned, origins, bounds = self._cleaners[model].clean(raw, np.array([len(raw)]))
            first, last = bounds[0]
            if first >= 0:
                return cleaned[first:last], origins[first:last, 0], origins[first:last, 1]
        rules, lexicon = self._models[model].rules, self._models[model].lexicon
        found = normalise_with_offsets(text, rules, lexicon)
        return codes_of(found.text), found.starts, found.ends


def _stops(texts: Sequence[str]) -> np.ndarray:
    return np.array(list(accumulate(map(len, texts))), np.int64)


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

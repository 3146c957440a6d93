"""Loaded text models as what scores texts: by compiled code, or by scikit-learn."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, Union

import numpy as np

from models.compiled import CompiledModel
from models.errors import NotCompilableError
from models.spans import Span, Word

if TYPE_CHECKING:  # it takes a second to import, and compiled models do without
    from sklearn.pipeline import Pipeline

TextModel = Union[CompiledModel, "Pipeline"]


class Scorer(Protocol):
    """Scores texts with one or more models, which go by their number."""

    def scores(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return each model's scores of raw texts: shape (n_texts, n_heads)."""

    def words(self, model: int, text: str) -> list[Word]:
        """Return every word's part of the main head's logit of one model."""

    def intercept(self, model: int) -> float:
        """Return what the main head's logit of one model is before any word."""

    def shown(self, model: int, text: str) -> list[Span]:
        """Return the words to show of a text that one model flags."""

    def unknown_share(self, model: int, text: str) -> float:
        """Return the share of a text's words that one model has no term of."""


class PipelineScorer:
    """One model, scored by scikit-learn.

    Parameters
    ----------
    pipeline : Pipeline
        A packaged text model, raw text in.
    """

    def __init__(self, pipeline: "Pipeline") -> None:
        self._pipeline = pipeline

    def scores(self, texts: Sequence[str]) -> list[np.ndarray]:
        """As :class:`Scorer` has it."""
        from models.scoring import score_texts

        return [score_texts(self._pipeline, texts)]

    def words(self, model: int, text: str) -> list[Word]:  # noqa: ARG002
        """As :class:`Scorer` has it."""
        from models.explain import word_contributions

        return word_contributions(self._pipeline, text)[0]

    def intercept(self, model: int) -> float:  # noqa: ARG002
        """As :class:`Scorer` has it."""
        from models.scoring import linear_weights

        return linear_weights(self._pipeline)[1]

    def shown(self, model: int, text: str) -> list[Span]:  # noqa: ARG002
        """As :class:`Scorer` has it."""
        from models.explain import toxic_spans

        return toxic_spans(self._pipeline, text)

    def unknown_share(self, model: int, text: str) -> float:  # noqa: ARG002
        """As :class:`Scorer` has it."""
        from models.traits import unknown_share

        return unknown_share(self._pipeline, text)


class Apart:
    """Several models, each scored by itself.

    Parameters
    ----------
    scorers : sequence of Scorer
        Each of one model.
    """

    def __init__(self, scorers: Sequence[Scorer]) -> None:
        self._scorers = scorers

    def scores(self, texts: Sequence[str]) -> list[np.ndarray]:
        """As :class:`Scorer` has it."""
        return [scores for scorer in self._scorers for scores in scorer.scores(texts)]

    def words(self, model: int, text: str) -> list[Word]:
        """As :class:`Scorer` has it."""
        return self._scorers[model].words(0, text)

    def intercept(self, model: int) -> float:
        """As :class:`Scorer` has it."""
        return self._scorers[model].intercept(0)

    def shown(self, model: int, text: str) -> list[Span]:
        """As :class:`Scorer` has it."""
        return self._scorers[model].shown(0, text)

    def unknown_share(self, model: int, text: str) -> float:
        """As :class:`Scorer` has it."""
        return self._scorers[model].unknown_share(0, text)


def open_scorer(models: Sequence[TextModel]) -> Scorer:
    """Return what scores texts with ``models``: in one pass where all of them are compiled."""
    compiled = [model for model in models if isinstance(model, CompiledModel)]
    if len(models) > 1 and len(compiled) == len(models):
        with suppress(NotCompilableError):  # each by itself can be
            return _fast(compiled)
    return Apart(
        [
            _fast([model]) if isinstance(model, CompiledModel) else PipelineScorer(model)
            for model in models
        ]
    )


def _fast(models: Sequence[CompiledModel]) -> Scorer:
    from models.fast_scoring import FastScorer  # numba takes half a second to import

    return FastScorer(models)

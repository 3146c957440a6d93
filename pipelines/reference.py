"""What a model saw when it was made, for its traffic to be compared with: in its bundle.

Of the validation rows: on the training rows a model is surer of itself than it will ever be again,
so that fresh messages would seem to have drifted whatever they are.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sklearn.pipeline import Pipeline

from models.errors import CareerlensError
from models.manifest import REFERENCE_FILE
from models.scoring import score_texts
from models.traits import text_traits

#: Points that are kept of a distribution: evenly spaced among the sorted rows.
POINTS = 1_000

#: Digits that are kept. Both sides are rounded: many scores differ from 0 or 1 by less than this.
DIGITS = 5

#: The figures of a message whose distributions are compared.
Figure = Literal["score", "chars", "unknown", "other_script"]
FIGURES: tuple[Figure, ...] = get_args(Figure)


class NoReferenceError(CareerlensError):
    """The reference is missing or cannot be read."""


class Reference(BaseModel):
    """Distributions of the figures of many messages, without any message.

    Attributes
    ----------
    format : int
    rows : int
        Messages they are of.
    points : dict of str to tuple of float
        By figure: sorted, at most ``POINTS``, each column by itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    rows: Annotated[int, Field(ge=1)]
    points: dict[Figure, Annotated[tuple[float, ...], Field(min_length=1)]]


def make_reference(pipeline: Pipeline, texts: Sequence[str]) -> Reference:
    """Return the reference of a packaged text model on ``texts``, its validation rows."""
    scores = score_texts(pipeline, texts)[:, 0]
    traits = [text_traits(pipeline, text) for text in texts]
    return condense(
        {"score": float(score), **vars(each)} for score, each in zip(scores, traits, strict=True)
    )


def condense(rows: Iterable[dict[str, Any]]) -> Reference:
    """Return the distributions of ``rows``, which have all of ``FIGURES``."""
    rows = list(rows)
    columns = {name: _spread(np.array([row[name] for row in rows], float)) for name in FIGURES}
    return Reference(rows=len(rows), points=columns)


def read_reference(bundle: Path) -> Reference:
    """Return the reference in the folder ``bundle``.

    Raises
    ------
    NoReferenceError
        If there is none, as in bundles made before there was such a thing.
    """
    path = bundle / REFERENCE_FILE
    try:
        return Reference.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise NoReferenceError(
            f"{path} is missing: the version was packaged without; train and release it anew, or "
            "compare with an earlier log (--reference)"
        ) from None
    except ValidationError as error:
        raise NoReferenceError(f"{path} is no reference: {error}") from error


def _spread(values: np.ndarray) -> tuple[float, ...]:
    places = np.linspace(0, len(values) - 1, min(POINTS, len(values))).round().astype(int)
    return tuple(np.sort(values)[places].round(DIGITS).tolist())

"""Messages that are hard for models of words: what a model gets wrong of them its card tells."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from sklearn.pipeline import Pipeline

from models.errors import CareerlensError
from models.scoring import score_texts


class LimitsError(CareerlensError):
    """The file of hard messages cannot be read."""


class Limit(BaseModel):
    """One hard message, whether it should be flagged, and what makes it hard."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    flagged: bool
    about: str


def read_limits(path: Path, model: str) -> list[Limit]:
    """Return the hard messages of a text model.

    Raises
    ------
    LimitsError
        If the file cannot be read, or has none for this model.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        limits = TypeAdapter(dict[str, list[Limit]]).validate_python(content)
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise LimitsError(f"{path} cannot be read: {error}") from error
    if not limits.get(model):
        raise LimitsError(f"{path} has no messages for {model}: add some")
    return limits[model]


def try_limits(pipeline: Pipeline, review: float, limits: list[Limit]) -> list[dict[str, Any]]:
    """Return each hard message with its score and whether the model decides it right."""
    scores = score_texts(pipeline, [limit.text for limit in limits])[:, 0]
    return [
        {
            **limit.model_dump(),
            "score": round(float(score), 6),
            "right": bool((score >= review) == limit.flagged),
        }
        for limit, score in zip(limits, scores, strict=True)
    ]

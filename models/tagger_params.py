"""How the tagger of skill phrases is learnt, as a section of params.yaml."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class TaggerParams(BaseModel):
    """How the tagger is learnt, and from which probability on it marks a span.

    Attributes
    ----------
    c1, c2 : float
        Weights of the L1 and the L2 norm.
    max_iterations : int
        Most steps of L-BFGS.
    min_freq : int
        A feature counts if so many words of the training texts have it.
    word_classes : tuple of int
        Numbers of classes that words are sorted into by each kind of company they keep, coarse to
        fine; none without any.
    word_min_count : int
        Rarer words belong to no class.
    threshold : float
        Least probability of a span, with exactly these ends, that is worth marking.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    c1: Annotated[float, Field(ge=0.0)] = 0.1
    c2: Annotated[float, Field(ge=0.0)] = 2.0
    max_iterations: Annotated[int, Field(ge=1)] = 100
    min_freq: Annotated[int, Field(ge=1)] = 1
    word_classes: tuple[Annotated[int, Field(ge=2)], ...] = (50, 200, 1000)
    word_min_count: Annotated[int, Field(ge=1)] = 3
    threshold: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.18

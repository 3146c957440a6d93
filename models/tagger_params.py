"""How the tagger of skill phrases is learnt, as a section of params.yaml."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class TaggerParams(BaseModel):
    """How the tagger is learnt, and from which probability on it marks a span.

    Attributes
    ----------
    passes : int
        How often the weights of features go over the training texts.
    nets : int
        How many hidden layers are learnt, each beginning elsewhere.
    units : int
        Units of each.
    net_passes : int
        How often each goes over the training texts.
    net_share : float
        How much the hidden layers say beside the weights of features, of 1.
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

    passes: Annotated[int, Field(ge=1)] = 6
    nets: Annotated[int, Field(ge=1)] = 2
    units: Annotated[int, Field(ge=1)] = 64
    net_passes: Annotated[int, Field(ge=1)] = 20
    net_share: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.6
    min_freq: Annotated[int, Field(ge=1)] = 2
    word_classes: tuple[Annotated[int, Field(ge=2)], ...] = (50, 200, 1000)
    word_min_count: Annotated[int, Field(ge=1)] = 3
    threshold: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.15

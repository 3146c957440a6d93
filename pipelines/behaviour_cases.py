"""What a case of the behaviour suite is: one thing that a model must do."""

from abc import ABC, abstractmethod
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from models.params import Corpus

M = TypeVar("M")


class Case(BaseModel, ABC, Generic[M]):
    """One thing that a model must do.

    Attributes
    ----------
    known_weak : dict of corpus to str
        Why models of a corpus are excused.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    known_weak: dict[Corpus, Annotated[str, Field(min_length=1)]] = {}

    @abstractmethod
    def fault(self, model: M) -> str | None:
        """Return what ``model`` does wrong, or None."""

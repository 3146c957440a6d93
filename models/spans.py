"""A stretch of a message, and what it has to do with its score."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A stretch of the raw text, in code points, and its additive part of the logit."""

    start: int
    end: int
    weight: float

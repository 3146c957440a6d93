"""Short stretches of long messages, so that much clean text cannot hide a little of the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Words of a passage, and of the way from one to the next.
WORDS, STEP = 6, 3


@dataclass(frozen=True)
class Passages:
    """The passages of messages that are longer than one.

    Attributes
    ----------
    texts : list of str
    owners : ndarray of int, shape (n_passages,)
        The number of the message each is of.
    words : ndarray of int, shape (n_passages, 2)
        Which of its words: the first, and the one after the last.
    """

    texts: list[str]
    owners: NDArray[np.int64]
    words: NDArray[np.int64]


def cut(normalised: Sequence[str]) -> Passages:
    """Return the passages of the messages; one of at most ``WORDS`` words has none."""
    texts: list[str] = []
    owners: list[int] = []
    bounds: list[tuple[int, int]] = []
    for owner, text in enumerate(normalised):
        words = text.split()
        if len(words) <= WORDS:
            continue
        for first in range(0, len(words) - WORDS + STEP, STEP):
            last = min(first + WORDS, len(words))
            texts.append(" ".join(words[first:last]))
            owners.append(owner)
            bounds.append((first, last))
    return Passages(
        texts,
        np.array(owners, dtype=np.int64),
        np.array(bounds, dtype=np.int64).reshape(-1, 2),
    )

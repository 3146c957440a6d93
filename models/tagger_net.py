"""What the tagger has learnt, and the weights of tags that it gives to words by it.

Two readings of a text are pooled. A weight for each feature knows the words that people marked, and
by them, word by word, where a phrase ends. A hidden layer knows words by their vectors, hence also
those that nobody marked, and sees the lines around.

References
----------
Collobert et al. 2011, "Natural language processing (almost) from scratch": a hidden layer over a
window of word vectors. Smith, Cohn and Osborne 2005, "Logarithmic opinion pools for conditional
random fields": chains whose weights are averaged are better than each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from models.tagger_chain import TAGS
from models.tagger_features import ReadSentence, folded
from models.tagger_text import LABELS

#: How many words on either side the hidden layer looks at, and how many lines in all.
REACH, LINES = 2, 3

#: Weights of one word.
OUT = (len(LABELS), len(TAGS))

# Means of words that have little in common are short.
_LINE_SCALE = 3.0


class Seen(NamedTuple):
    """Sentences as they are scored, word after word.

    Attributes
    ----------
    own, company : csr_matrix of float32, shape (n_words, n_features)
        See :class:`models.tagger_features.ReadSentence`.
    vectors : ndarray of float32, shape (n_words, n_dimensions)
        What each word is like; 0 where nobody knows.
    lines : ndarray of float32, shape (n_sentences, LINES * n_dimensions)
        What the sentence, the one before and the one after are about.
    lengths : ndarray of int, shape (n_sentences,)
    """

    own: csr_matrix
    company: csr_matrix
    vectors: np.ndarray
    lines: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True)
class Learnt:
    """Weights of features, a hidden layer of rectified units, and transitions.

    Attributes
    ----------
    own, company : ndarray of float32, shape (n_features, n_labels * n_tags)
        Weights of the features.
    features : ndarray of float32, shape (n_own_features, n_units)
    around : ndarray of float32, shape ((2 * REACH + 1) * n_dimensions, n_units)
    lines : ndarray of float32, shape (LINES * n_dimensions, n_units)
    output : ndarray of float32, shape (n_units, n_labels * n_tags)
    transitions : ndarray of float64, shape (n_labels, n_tags + 1, n_tags)
        See :func:`models.tagger_chain.believe`.
    """

    own: np.ndarray
    company: np.ndarray
    features: np.ndarray
    around: np.ndarray
    lines: np.ndarray
    output: np.ndarray
    transitions: np.ndarray

    def scores(self, seen: Seen) -> np.ndarray:
        """Return the weights of tags, shape (n_words, n_labels, n_tags)."""
        units = activity(seen, self.features, self.around, self.lines)
        found = seen.own @ self.own + seen.company @ self.company
        found += np.maximum(units, 0.0) @ self.output
        return np.asarray(found, dtype=np.float64).reshape(-1, *OUT)


def see(
    read: Sequence[ReadSentence],
    sizes: tuple[int, int],
    row_of: Mapping[str, int],
    vectors: np.ndarray,
) -> Seen:
    """Return the sentences of one text, at least one, as they are scored.

    Parameters
    ----------
    sizes : tuple of int
        How many features there are of words by themselves, and of their company.
    row_of : mapping of str to int
        Rows of ``vectors`` by folded word; row 0 is of all other words.
    vectors : ndarray of float32, shape (n_known_words + 1, n_dimensions)
    """
    lengths = np.array([len(sentence.words.words) for sentence in read])
    rows = [row_of.get(folded(word), 0) for sentence in read for word in sentence.words.words]
    own = matrix([row for sentence in read for row in sentence.own], sizes[0])
    company = matrix([row for sentence in read for row in sentence.company], sizes[1])
    of_words = vectors[rows]
    means = np.add.reduceat(of_words, np.cumsum(lengths) - lengths) / lengths[:, None]
    nothing = np.zeros_like(means[:1])
    lines = [means, np.concatenate([nothing, means[:-1]]), np.concatenate([means[1:], nothing])]
    scaled = np.concatenate(lines, axis=1) * _LINE_SCALE
    return Seen(own, company, of_words, scaled.astype(np.float32), lengths)


def matrix(rows: Sequence[Sequence[int]], size: int) -> csr_matrix:
    """Return which of ``size`` features each word has."""
    ends = np.cumsum([0, *map(len, rows)])
    columns = np.fromiter(chain.from_iterable(rows), np.int32, count=ends[-1])
    ones = np.ones(len(columns), dtype=np.float32)
    return csr_matrix((ones, columns, ends), shape=(len(rows), size))


def activity(seen: Seen, features: np.ndarray, around: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Return what goes into each unit of a hidden layer, shape (n_words, n_units)."""
    of_lines = np.repeat(seen.lines @ lines, seen.lengths, axis=0)
    return np.asarray(seen.own @ features + window(seen) @ around + of_lines)


def window(seen: Seen) -> np.ndarray:
    """Return each word's vector between those of its neighbours in the sentence."""
    size = len(seen.vectors)
    ends = np.repeat(np.cumsum(seen.lengths), seen.lengths)[:, None]
    starts = ends - np.repeat(seen.lengths, seen.lengths)[:, None]
    at = np.arange(size)[:, None] + np.arange(-REACH, REACH + 1)
    # What is outside of the sentence is the row behind all: nothing.
    at[(at < starts) | (at >= ends)] = size
    padded = np.concatenate([seen.vectors, np.zeros_like(seen.vectors[:1])])
    return np.asarray(padded[at].reshape(size, -1))

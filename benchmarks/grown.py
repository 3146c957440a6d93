"""Grow the postings of an index to as many as one likes, always the same for the same seed.

A grown posting is made of a real one with running text, drawn at random: it has its title, and
lines drawn from it and from the postings most like it, as many as make 200 words. It is weighed in
the space of the index exactly as the text of those lines under that title would be. So words and
their company are those of real postings; as no new words appear, every list of postings grows in
step with their number, which is the worst case for a search.
"""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_matrix, vstack

from models.job_index import JobIndex
from models.job_space import unit
from models.job_terms import raw_words, terms

#: Words of a grown posting, and how many postings the lines of one come from.
WORDS = 200
_COMPANY = 16

# Shorter descriptions are no running text.
_LEAST_WORDS = 30
# Lines drawn before the first that is one too many is looked for.
_DRAWN = 96
_AT_ONCE = 50_000


class Grower:
    """Grows the postings of an index.

    Parameters
    ----------
    index : JobIndex
        At least one of its postings has running text.
    """

    def __init__(self, index: JobIndex) -> None:
        self._space = index.space
        told = [
            (row, entry.posting)
            for row, entry in enumerate(index.entries)
            if len(raw_words(entry.posting.description or "")) >= _LEAST_WORDS
        ]
        matrix = index.matrix[[row for row, _ in told]]
        likeness = (matrix @ matrix.T).toarray()
        self._company = np.argsort(-likeness, axis=1, kind="stable")[:, :_COMPANY]
        self._roles = self._space.title_rows(posting.title for _, posting in told)
        lines = [
            [line for line in (posting.description or "").split("\n") if raw_words(line)]
            for _, posting in told
        ]
        self._firsts = np.cumsum([0, *(len(of_one) for of_one in lines)])
        every = [line for of_one in lines for line in of_one]
        self._words = np.array([len(raw_words(line)) for line in every])
        self._lines = self._count(every)

    def grow(self, n_postings: int, seed: int) -> csr_matrix:
        """Return so many postings, shape (n_postings, n_features), float32, rows of unit length."""
        return csr_matrix(vstack(list(self._grow(n_postings, seed)), format="csr"))

    def _grow(self, n_postings: int, seed: int) -> Iterator[csr_matrix]:
        rng = np.random.default_rng(seed)
        for first in range(0, n_postings, _AT_ONCE):
            size = min(_AT_ONCE, n_postings - first)
            model = rng.integers(0, len(self._company), size)
            source = self._company[
                model[:, np.newaxis], rng.integers(0, self._company.shape[1], (size, _DRAWN))
            ]
            start, end = self._firsts[source], self._firsts[source + 1]
            drawn = start + (rng.random(source.shape) * (end - start)).astype(np.int64)
            words = self._words[drawn]
            taken = np.cumsum(words, axis=1) - words < WORDS
            pointers = np.concatenate(([0], np.cumsum(taken.sum(axis=1))))
            ones = np.ones(pointers[-1], dtype=np.float32)
            picked = csr_matrix(
                (ones, drawn[taken].astype(np.int32), pointers), shape=(size, len(self._words))
            )
            counted = csr_matrix(picked @ self._lines)
            counted.sort_indices()
            weights = self._space.weights[counted.indices]
            counted.data = (1.0 + np.log(counted.data)) * weights
            yield self._space.join(unit(counted), self._roles[model])

    def _count(self, lines: list[str]) -> csr_matrix:
        """Return how often each line has each term."""
        columns = self._space.term_columns
        counts = [
            {columns[term]: count for term, count in terms(line).items() if term in columns}
            for line in lines
        ]
        return csr_matrix(
            (
                np.array([count for line in counts for count in line.values()], dtype=np.float32),
                np.array([column for line in counts for column in line], dtype=np.int32),
                np.cumsum([0, *(len(line) for line in counts)]),
            ),
            shape=(len(lines), self._space.n_text),
        )

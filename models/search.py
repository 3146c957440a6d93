"""The exact best postings for a query, most of them never looked at.

Postings are put in an order in which neighbours are alike, and cut into blocks. Of each term a
block keeps the largest weight, so that the sum over a query's terms is an upper bound of the score
of every posting in it: blocks whose bound is below the least of the best so far are left out. In
the others each posting gets an upper bound of its own, from weights rounded up to a few levels;
only what that leaves is scored, exactly.

References
----------
Turtle and Flood 1995, "Query evaluation: strategies and optimizations" (upper bounds of terms);
Ding and Suel 2011, "Faster top-k document retrieval using block-max indexes"; Dhulipala et al.
2016, "Compressing graphs and indexes with recursive graph bisection" (the order).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.ranking import best
from models.search_kernels import search

Floats = NDArray[np.float32]

# A query of more terms leaves too little room for whole numbers; it is a book and no resume.
_MOST_TERMS = 1_000
# So few postings are scored one by one.
_FEW = 4_096


@dataclass(frozen=True, eq=False)
class Search:
    """Postings, ready to be searched.

    Attributes
    ----------
    rows : csr_matrix of float32, shape (n_postings, n_features)
        No weight is negative; the columns of each row ascend.
    pointers : ndarray of int64, shape (n_postings + 1,)
    columns : ndarray of uint32
        Those of ``rows``, in the types that are compiled for.
    order : ndarray of uint32, shape (n_postings,)
        Which posting is at each place.
    frequencies : ndarray of int64, shape (n_features,)
        How many postings have each term, at least 1.
    steps : ndarray of float32, shape (n_features,)
        What one level of a term weighs.
    starts : ndarray of int64, shape (n_chunks, n_features)
        Where the levels of a term in a chunk begin, in ``places`` and ``levels``; of a term that is
        dense there, which row of ``dense`` they are.
    counts : ndarray of int32, shape (n_chunks, n_features)
        How many they are, or -1 if the term is dense.
    places : ndarray of uint16
    levels : ndarray of uint8, shape of places
    dense : ndarray of uint8
        For each chunk, for each of its blocks, for each dense term, the levels at all places.
    dense_starts : ndarray of int64, shape (n_chunks + 1,)
        Where each chunk begins in ``dense``.
    block_starts : ndarray of int64, shape (n_features + 1,)
        Where the blocks of each term begin.
    blocks : ndarray of uint32
    peaks : ndarray of uint8, shape of blocks
        The largest level of the term in the block.
    """

    rows: csr_matrix
    pointers: NDArray[np.int64]
    columns: NDArray[np.uint32]
    order: NDArray[np.uint32]
    frequencies: NDArray[np.int64]
    steps: Floats
    starts: NDArray[np.int64]
    counts: NDArray[np.int32]
    places: NDArray[np.uint16]
    levels: NDArray[np.uint8]
    dense: NDArray[np.uint8]
    dense_starts: NDArray[np.int64]
    block_starts: NDArray[np.int64]
    blocks: NDArray[np.uint32]
    peaks: NDArray[np.uint8]

    def top(
        self, query: csr_matrix, top_k: int, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], Floats]:
        """Return the ``top_k`` postings of largest positive score, best first.

        Parameters
        ----------
        query : csr_matrix of float32, shape (1, n_features), without negative weights
        allowed : ndarray of bool, shape (n_postings,), optional
            Others are left out.

        Returns
        -------
        indices : ndarray of int64, at most ``top_k``; ties by lower index
        scores : ndarray of float32
            To the last digit what multiplying the sparse matrices gives.
        """
        top_k = min(top_k, len(self.order))
        candidates = None if allowed is None else np.flatnonzero(allowed)
        if top_k < 1 or (candidates is not None and len(candidates) == 0):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        if candidates is not None and len(candidates) <= _FEW:
            return self._one_by_one(query, top_k, candidates)
        if query.nnz > _MOST_TERMS:
            return self._one_by_one(query, top_k, candidates)
        rows, scores, _ = self.counted(query, top_k, allowed)
        return rows, scores

    def counted(
        self, query: csr_matrix, top_k: int, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
        """Return what :meth:`top` does, and how many blocks and postings it took to find it."""
        is_open = np.zeros(0, dtype=np.bool_) if allowed is None else allowed[self.order]
        found: tuple[NDArray[np.int64], Floats, NDArray[np.int64]] = search(
            query.indices.astype(np.int32, copy=False),
            query.data,
            top_k,
            self.pointers,
            self.columns,
            self.rows.data,
            self.order,
            self.frequencies,
            self.steps,
            self.starts,
            self.counts,
            self.places,
            self.levels,
            self.dense,
            self.dense_starts,
            self.block_starts,
            self.blocks,
            self.peaks,
            is_open,
        )
        return found

    def _one_by_one(
        self, query: csr_matrix, top_k: int, candidates: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.int64], Floats]:
        rows = self.rows if candidates is None else self.rows[candidates]
        scores = rows @ query.toarray().ravel()
        found = best(scores, top_k)
        return (found if candidates is None else candidates[found]), scores[found]

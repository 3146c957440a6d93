"""Prepare postings for :mod:`models.search`: put like beside like, and round weights up."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.search import Search
from models.search_kernels import BLOCK, CHUNK, LEVELS

Floats = NDArray[np.float32]

# A term that so large a part of a chunk has is kept as a column, without places.
_DENSE = 0.25

# From so many postings, in so many rounds, is learnt what tells two halves from each other.
_SAMPLE = 2_048
_ROUNDS = 3

# Rows copied at once.
_ROWS = 1 << 15


class _Chunk(NamedTuple):
    """What :class:`models.search.Search` has of one chunk; starts count from the chunk's own."""

    starts: NDArray[np.int64]
    counts: NDArray[np.int32]
    places: NDArray[np.uint16]
    levels: NDArray[np.uint8]
    dense: NDArray[np.uint8]
    terms_of_blocks: NDArray[np.int32]
    blocks: NDArray[np.uint32]
    peaks: NDArray[np.uint8]


def build_search(rows: csr_matrix) -> Search:
    """Return ``rows`` ready to be searched.

    Parameters
    ----------
    rows : csr_matrix of float32, shape (n_postings, n_features)
        At least one; no weight is negative.
    """
    rows.sort_indices()
    order = _alike(rows)
    steps = _largest(rows) / np.float32(LEVELS)
    chunks = list(_chunks(rows, order, steps))
    starts = np.stack([chunk.starts for chunk in chunks])
    counts = np.stack([chunk.counts for chunk in chunks])
    n_sparse = np.cumsum([0, *(len(chunk.places) for chunk in chunks[:-1])])
    starts += np.where(counts < 0, 0, n_sparse[:, np.newaxis])
    terms_of_blocks = np.concatenate([chunk.terms_of_blocks for chunk in chunks])
    by_term = np.argsort(terms_of_blocks, kind="stable")
    return Search(
        rows=rows,
        pointers=rows.indptr.astype(np.int64),
        columns=rows.indices.astype(np.int32, copy=False).view(np.uint32),
        order=order.astype(np.uint32),
        frequencies=np.maximum(np.bincount(rows.indices, minlength=rows.shape[1]), 1),
        steps=steps,
        starts=starts,
        counts=counts,
        places=np.concatenate([chunk.places for chunk in chunks]),
        levels=np.concatenate([chunk.levels for chunk in chunks]),
        dense=np.concatenate([chunk.dense for chunk in chunks]),
        dense_starts=np.cumsum([0, *(len(chunk.dense) for chunk in chunks)]),
        block_starts=np.searchsorted(terms_of_blocks[by_term], np.arange(rows.shape[1] + 1)).astype(
            np.int64
        ),
        blocks=np.concatenate([chunk.blocks for chunk in chunks])[by_term],
        peaks=np.concatenate([chunk.peaks for chunk in chunks])[by_term],
    )


def _alike(rows: csr_matrix) -> NDArray[np.int64]:
    """Return an order of ``rows`` in which like stands beside like, by halving again and again."""
    order = np.arange(rows.shape[0])
    waiting = [(0, len(order))]
    while waiting:
        first, last = waiting.pop()
        n_blocks = -(-(last - first) // BLOCK)
        if n_blocks < 2:
            continue
        part = order[first:last]
        keys = _keys(rows, part, _direction(rows, part))
        order[first:last] = part[np.argsort(keys, kind="stable")]
        middle = first + n_blocks // 2 * BLOCK
        waiting += [(first, middle), (middle, last)]
    return order


def _direction(rows: csr_matrix, part: NDArray[np.int64]) -> Floats:
    """Return the difference of the middles of two halves of ``part``, found as k-means does."""
    sample = rows[part[:: -(-len(part) // _SAMPLE)]]
    one = sample[[len(part) // 3 % sample.shape[0]]].toarray().ravel()
    other = sample[[int((sample @ one).argmin())]].toarray().ravel()
    direction: Floats = one - other
    for _ in range(_ROUNDS):
        keys = sample @ direction
        sides = np.where(keys > np.median(keys), 1.0, -1.0).astype(np.float32)
        direction = sides @ sample
    return direction


def _keys(rows: csr_matrix, part: NDArray[np.int64], direction: Floats) -> Floats:
    pieces = (part[start : start + _ROWS] for start in range(0, len(part), _ROWS))
    return np.concatenate([rows[piece] @ direction for piece in pieces])


def _largest(rows: csr_matrix) -> Floats:
    largest = np.zeros(rows.shape[1], dtype=np.float32)
    np.maximum.at(largest, rows.indices, rows.data)
    return largest


def _chunks(rows: csr_matrix, order: NDArray[np.int64], steps: Floats) -> Iterator[_Chunk]:
    for first in range(0, len(order), CHUNK):
        by_term = rows[order[first : first + CHUNK]].T.tocsr()
        by_term.sort_indices()
        yield _chunk(by_term, first // BLOCK, steps)


def _chunk(by_term: csr_matrix, first_block: int, steps: Floats) -> _Chunk:
    """Return the chunk with ``by_term``, shape (n_features, n_places), ascending places."""
    n_postings = np.diff(by_term.indptr)
    terms = np.repeat(np.arange(by_term.shape[0], dtype=np.int32), n_postings)
    levels = np.minimum(np.ceil(by_term.data / steps[terms]), LEVELS).astype(np.uint8)
    is_dense = n_postings >= _DENSE * by_term.shape[1]
    of_dense = is_dense[terms]
    row_of_dense = np.cumsum(is_dense) - 1
    dense = np.zeros((CHUNK // BLOCK, int(is_dense.sum()), BLOCK), dtype=np.uint8)
    block, place = np.divmod(by_term.indices[of_dense], BLOCK)
    dense[block, row_of_dense[terms[of_dense]], place] = levels[of_dense]
    counts = np.where(is_dense, -1, n_postings).astype(np.int32)
    ends = np.cumsum(np.maximum(counts, 0), dtype=np.int64)
    blocks = by_term.indices // BLOCK
    heads = np.flatnonzero((np.diff(terms, prepend=-1) != 0) | (np.diff(blocks, prepend=-1) != 0))
    return _Chunk(
        starts=np.where(is_dense, row_of_dense, ends - np.maximum(counts, 0)),
        counts=counts,
        places=by_term.indices[~of_dense].astype(np.uint16),
        levels=levels[~of_dense],
        dense=dense.ravel(),
        terms_of_blocks=terms[heads],
        blocks=(first_block + blocks[heads]).astype(np.uint32),
        peaks=np.maximum.reduceat(levels, heads) if len(heads) else levels[:0],
    )


def exercise() -> None:
    """Use every kernel of the search, so that it is compiled."""
    rows = csr_matrix(np.eye(2, dtype=np.float32))
    build_search(rows).counted(rows[[0]], 1)

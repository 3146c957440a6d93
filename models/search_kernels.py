"""The compiled part of :mod:`models.search`: what may be among the best, and exact scores.

Everything that is compared with a bound is a whole number: a posting's *sum* is an upper bound of
its score in units chosen for the query, so large that no sum passes 65,535.
"""

import numpy as np
from numpy.typing import NDArray

from models.native import kernel

Floats = NDArray[np.float32]

#: Postings of a chunk: their places in it fit 16 bits, and their sums the second-level cache.
CHUNK = 1 << 16
#: Postings of a block: what is left out together.
BLOCK = 1 << 10
#: Weights are rounded up to so many levels of their term's largest one.
LEVELS = 40

# Blocks that come before all others.
_FIRST = 2
# What may be left out of the sums, as a part of the least of the best scores.
_MINOR = 0.2
# The part of a block that is looked through only if the largest of its sums is large enough.
_STRETCH = 1 << 8
# Rounding of float32, over a thousand terms, on both sides of a comparison.
_SLACK = 2e-4


@kernel
def search(
    terms: NDArray[np.int32],
    weights: Floats,
    top_k: int,
    pointers: NDArray[np.int64],
    columns: NDArray[np.uint32],
    data: Floats,
    order: NDArray[np.uint32],
    frequencies: NDArray[np.int64],
    steps: Floats,
    starts: NDArray[np.int64],
    counts: NDArray[np.int32],
    places: NDArray[np.uint16],
    levels: NDArray[np.uint8],
    dense: NDArray[np.uint8],
    dense_starts: NDArray[np.int64],
    block_starts: NDArray[np.int64],
    blocks: NDArray[np.uint32],
    peaks: NDArray[np.uint8],
    is_open: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Return the best postings and their scores, as :meth:`models.search.Search.top` has it.

    Parameters
    ----------
    terms, weights
        The query.
    is_open : ndarray of bool, shape (n_postings,) or (0,)
        Which places may be found; empty if all may.

    Returns
    -------
    rows : ndarray of int64
    scores : ndarray of float32
    counted : ndarray of int64, shape (2,)
        How many blocks were looked at, and how many postings were scored.
    """
    n_postings = len(order)
    query = np.zeros(len(steps), dtype=np.float32)
    query[terms] = weights
    bounds = _bounds(terms, weights, n_postings, steps, block_starts, blocks, peaks)
    if len(is_open):
        for block in range(len(bounds)):
            if not is_open[block * BLOCK : (block + 1) * BLOCK].any():
                bounds[block] = 0.0
    factors, unit = _factors(terms, weights, steps, bounds.max())
    rows = np.empty(top_k, dtype=np.int64)
    scores = np.zeros(top_k, dtype=np.float32)
    found = 0
    counted = np.zeros(2, dtype=np.int64)
    sums = np.empty(CHUNK, dtype=np.uint16)
    chosen = np.empty(CHUNK // BLOCK, dtype=np.int64)

    # The most promising blocks, one by one: what is found there rules out most others.
    tried = 0
    while found < top_k or tried < _FIRST:
        chosen[0] = bounds.argmax()
        if bounds[chosen[0]] <= 0.0:
            return rows[:found], scores[:found], counted
        bounds[chosen[0]] = 0.0
        tried += 1
        chunk = chosen[0] * BLOCK // CHUNK
        _sum_up(
            sums, chosen[:1], n_postings, terms, factors, starts[chunk], counts[chunk], places,
            levels, dense[dense_starts[chunk] : dense_starts[chunk + 1]], is_open,
        )  # fmt: skip
        part = sums[chosen[0] * BLOCK % CHUNK :][: min(BLOCK, n_postings - chosen[0] * BLOCK)]
        likely = _likely(part, top_k)
        for low, high in ((likely, 1 << 16), (1, likely)):
            found, n_scored = _score(
                part, low, high, order[chosen[0] * BLOCK :], np.float32(0.0), unit, query, pointers,
                columns, data, rows, scores, found,
            )  # fmt: skip
            counted[1] += n_scored
        counted[0] += 1

    # In the others, what adds little to any score is left out of the sums, and added to the bound.
    floor = scores[top_k - 1] * np.float32(1.0 - _SLACK)
    is_minor = _minor(weights * steps[terms] * LEVELS, frequencies[terms], _MINOR * floor)
    minor = _bounds(
        terms[is_minor], weights[is_minor], n_postings, steps, block_starts, blocks, peaks
    )
    terms = terms[~is_minor]
    factors = factors[~is_minor]
    for chunk in range(len(starts)):
        n_chosen = 0
        floor = scores[top_k - 1] * np.float32(1.0 - _SLACK)
        for block in range(
            chunk * (CHUNK // BLOCK), min((chunk + 1) * (CHUNK // BLOCK), len(bounds))
        ):
            if bounds[block] > 0.0 and bounds[block] >= floor:
                chosen[n_chosen] = block
                n_chosen += 1
        if n_chosen == 0:
            continue
        _sum_up(
            sums, chosen[:n_chosen], n_postings, terms, factors, starts[chunk], counts[chunk],
            places, levels, dense[dense_starts[chunk] : dense_starts[chunk + 1]], is_open,
        )  # fmt: skip
        for block in chosen[:n_chosen]:
            part = sums[block * BLOCK % CHUNK :][: min(BLOCK, n_postings - block * BLOCK)]
            found, n_scored = _score(
                part, 1, 1 << 16, order[block * BLOCK :], minor[block], unit, query, pointers,
                columns, data, rows, scores, found,
            )  # fmt: skip
            counted[1] += n_scored
        counted[0] += n_chosen
    return rows[:found], scores[:found], counted


@kernel
def _score(
    sums: NDArray[np.uint16],
    low: int,
    high: int,
    order: NDArray[np.uint32],
    minor: np.float32,
    unit: np.float32,
    query: Floats,
    pointers: NDArray[np.int64],
    columns: NDArray[np.uint32],
    data: Floats,
    rows: NDArray[np.int64],
    scores: Floats,
    found: int,
) -> tuple[int, int]:
    """Score the postings with sums in [low, high) that may be among the best, and put them there.

    Parameters
    ----------
    minor : float
        Upper bound of what the sums do not have.

    Returns
    -------
    found : int
    n_scored : int
    """
    n_scored = 0
    least = max(low, _least(scores, minor, unit))
    for start in range(0, len(sums), _STRETCH):
        stretch = sums[start : start + _STRETCH]
        if _largest(stretch) < least:
            continue
        for place in range(len(stretch)):
            total = np.int64(stretch[place])
            if total < least or total >= high:
                continue
            row = order[start + place]
            score = np.float32(0.0)
            for entry in range(pointers[row], pointers[row + 1]):
                score += query[columns[entry]] * data[entry]
            n_scored += 1
            if score > 0.0:
                found = _insert(rows, scores, found, np.int64(row), score)
                least = max(low, _least(scores, minor, unit))
    return found, n_scored


@kernel
def _least(scores: Floats, minor: np.float32, unit: np.float32) -> int:
    """Return the least sum with which a posting may be among the best."""
    floor = scores[-1] * np.float32(1.0 - _SLACK) - minor * np.float32(1.0 + _SLACK)
    return max(1, int(np.floor(floor / unit)))


@kernel
def _minor(most: Floats, frequencies: NDArray[np.int64], room: float) -> NDArray[np.bool_]:
    """Return which terms to leave out, those first that add the least for each posting.

    Parameters
    ----------
    most : ndarray of float32
        The most that each term adds to a score.
    room : float
        The most that all those left out may add.
    """
    is_minor = np.zeros(len(most), dtype=np.bool_)
    for x in np.argsort(most / frequencies):
        room -= most[x]
        if room < 0.0:
            break
        is_minor[x] = True
    return is_minor


@kernel
def _bounds(
    terms: NDArray[np.int32],
    weights: Floats,
    n_postings: int,
    steps: Floats,
    block_starts: NDArray[np.int64],
    blocks: NDArray[np.uint32],
    peaks: NDArray[np.uint8],
) -> Floats:
    """Return the most that the terms add to the score of any posting, for each block."""
    bounds = np.zeros((n_postings + BLOCK - 1) // BLOCK, dtype=np.float32)
    for x in range(len(terms)):
        first = block_starts[terms[x]]
        last = block_starts[terms[x] + 1]
        _add_peaks(bounds, blocks[first:last], peaks[first:last], weights[x] * steps[terms[x]])
    return bounds


@kernel
def _add_peaks(
    bounds: Floats, blocks: NDArray[np.uint32], peaks: NDArray[np.uint8], factor: float
) -> None:
    for x in range(len(blocks)):
        bounds[blocks[x]] += np.float32(peaks[x]) * factor


@kernel
def _factors(
    terms: NDArray[np.int32], weights: Floats, steps: Floats, largest: float
) -> tuple[NDArray[np.uint16], np.float32]:
    """Return what a level of each term adds to a sum, rounded up, and the unit of sums.

    No sum passes the bound of its block but by what rounding adds, at most one a level.
    """
    room = np.float32(65_535 - len(terms) * LEVELS)
    unit = np.float32(largest * (1.0 + _SLACK) / room)
    factors = np.empty(len(terms), dtype=np.uint16)
    for x in range(len(terms)):
        factors[x] = np.uint16(np.ceil(weights[x] * steps[terms[x]] / unit)) if unit > 0.0 else 0
    return factors, unit


@kernel
def _sum_up(
    sums: NDArray[np.uint16],
    chosen: NDArray[np.int64],
    n_postings: int,
    terms: NDArray[np.int32],
    factors: NDArray[np.uint16],
    starts: NDArray[np.int64],
    counts: NDArray[np.int32],
    places: NDArray[np.uint16],
    levels: NDArray[np.uint8],
    dense: NDArray[np.uint8],
    is_open: NDArray[np.bool_],
) -> None:
    """Set the sums of the postings in the chosen blocks of a chunk; others are left anyhow."""
    first = chosen[0] * BLOCK // CHUNK * CHUNK
    n_dense = len(dense) // CHUNK
    for block in chosen:
        low = block * BLOCK - first
        tile = sums[low : low + BLOCK]
        tile[:] = 0
        rows = dense[low * n_dense : (low + BLOCK) * n_dense]
        for x in range(len(terms)):
            if counts[terms[x]] < 0:
                row = starts[terms[x]] * BLOCK
                _add_dense(tile, rows[row : row + BLOCK], factors[x])
    is_most = 2 * len(chosen) * BLOCK > min(CHUNK, n_postings - first)
    for x in range(len(terms)):
        count = counts[terms[x]]
        if count <= 0:
            continue
        start = starts[terms[x]]
        run = places[start : start + count]
        of_run = levels[start : start + count]
        if is_most:
            _add_sparse(sums, run, of_run, factors[x])
            continue
        begin = 0
        for block in chosen:
            begin = _find(run, begin, block * BLOCK - first)
            end = _find(run, begin, (block + 1) * BLOCK - first)
            _add_sparse(sums, run[begin:end], of_run[begin:end], factors[x])
            begin = end
    if len(is_open):
        for block in chosen:
            for place in range(block * BLOCK, min((block + 1) * BLOCK, n_postings)):
                if not is_open[place]:
                    sums[place - first] = 0


@kernel
def _add_dense(sums: NDArray[np.uint16], levels: NDArray[np.uint8], factor: int) -> None:
    for x in range(len(sums)):
        sums[x] += np.uint16(levels[x]) * factor


@kernel
def _add_sparse(
    sums: NDArray[np.uint16], places: NDArray[np.uint16], levels: NDArray[np.uint8], factor: int
) -> None:
    for x in range(len(places)):
        sums[places[x]] += np.uint16(levels[x]) * factor


@kernel
def _find(places: NDArray[np.uint16], first: int, place: int) -> int:
    """Return the index of the first of the ascending ``places`` that is not below ``place``."""
    last = len(places)
    while first < last:
        middle = (first + last) // 2
        if places[middle] < place:
            first = middle + 1
        else:
            last = middle
    return first


@kernel
def _largest(sums: NDArray[np.uint16]) -> np.uint16:
    largest = np.uint16(0)
    for x in range(len(sums)):
        largest = max(largest, sums[x])
    return largest


@kernel
def _likely(sums: NDArray[np.uint16], top_k: int) -> int:
    """Return a sum that about ``top_k`` of them reach."""
    histogram = np.zeros(256, dtype=np.int64)
    for total in sums:
        histogram[total >> 8] += 1
    reached = 0
    for high in range(255, 0, -1):
        reached += histogram[high]
        if reached >= top_k:
            return high << 8
    return 1


@kernel
def _insert(
    rows: NDArray[np.int64], scores: Floats, found: int, row: np.int64, score: np.float32
) -> int:
    """Put a posting in its place among the best so far; return how many there are."""
    top_k = len(rows)
    if found == top_k:
        last = top_k - 1
        if score < scores[last] or (score == scores[last] and row > rows[last]):
            return found
        found -= 1
    place = found
    while place > 0 and (
        scores[place - 1] < score or (scores[place - 1] == score and rows[place - 1] > row)
    ):
        scores[place] = scores[place - 1]
        rows[place] = rows[place - 1]
        place -= 1
    scores[place] = score
    rows[place] = row
    return found + 1

"""Kernels that number what is in the table of :mod:`models.ngram_table`, when it is built."""

import numpy as np

from models.native import Number, kernel, leaf
from models.ngram_finding import find_noted, hash_symbols, insert, key_of, note_keys, place_of_token
from models.ngram_layout import CLASS_BITS, TIMES_BITS, Notes, Table
from models.ngram_scoring import weigh


@leaf
def number_tokens(
    entries: np.ndarray,
    symbols: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
    numbers: np.ndarray,
    token_bounds: np.ndarray,
    token_symbols: np.ndarray,
) -> Number:
    """Give every word its number, in the order of first sight; return how many differ.

    Parameters
    ----------
    entries : ndarray of uint64, shape (n, 2)
        An empty table.
    symbols : ndarray of uint32
    starts, stops : ndarray of int64, shape (n_words,)
        Where each word is in ``symbols``.
    numbers : ndarray of int64, shape (n_words,)
        Becomes their numbers.
    token_bounds, token_symbols : ndarray of int64 and uint32
        Become those of the :class:`Table`.
    """
    n_tokens = 0
    token_bounds[0] = 0
    for word in range(len(starts)):
        start, stop = starts[word], stops[word]
        digest = hash_symbols(symbols, start, stop)
        at = place_of_token(entries, token_bounds, token_symbols, symbols, start, stop, digest)
        if entries[at, 0] == np.uint64(0):
            n_tokens += 1
            entries[at, 0] = digest
            entries[at, 1] = np.uint64(n_tokens)
            first = token_bounds[n_tokens - 1]
            token_bounds[n_tokens] = first + stop - start
            for offset in range(stop - start):
                token_symbols[first + offset] = symbols[start + offset]
        numbers[word] = np.int64(entries[at, 1])
    return n_tokens


@leaf
def number_terms(
    entries: np.ndarray,
    digits: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
    radix: np.uint64,
    first_uid: Number,
    uids: np.ndarray,
    origins: np.ndarray,
) -> Number:
    """Give every term its uid, equal ones the same; return the next free uid, -1 on a collision.

    Parameters
    ----------
    entries : ndarray of uint64, shape (n, 2)
        An empty table.
    digits : ndarray of uint32 or int64
        Symbols, or numbers of tokens.
    starts, stops : ndarray of int64, shape (n_terms,)
    uids : ndarray of int64, shape (n_terms,)
        Becomes the uid of each.
    origins : ndarray of int64, shape (n_terms,)
        Becomes for each uid, from ``first_uid`` on, a term that it stands for.
    """
    next_uid = first_uid
    for term in range(len(starts)):
        start, stop = starts[term], stops[term]
        key = key_of(digits, start, stop, radix)
        if key == np.uint64(0):
            return -1
        uid = insert(entries, key, next_uid + 1) - 1
        if uid == next_uid:
            origins[uid - first_uid] = term
            next_uid += 1
        else:
            known = origins[uid - first_uid]
            if stops[known] - starts[known] != stop - start:
                return -1
            for offset in range(stop - start):
                if digits[starts[known] + offset] != digits[start + offset]:
                    return -1
        uids[term] = uid
    return next_uid


@kernel
def memorise(
    table: Table, notes: Notes, bounds: np.ndarray, memo: np.ndarray, sums: np.ndarray
) -> Number:
    """Note the character n-grams that every token has when it is alone between two spaces.

    Parameters
    ----------
    table : Table
        Without its memo.
    notes : Notes
        With room for the longest token between two spaces.
    bounds, memo, sums : ndarray
        Become ``memo_bounds``, ``memo`` and ``memo_sums``.

    Returns
    -------
    int
        How many entries ``memo`` has.
    """
    space = np.uint32(table.symbols[32] >> CLASS_BITS)
    size = 0
    bounds[:2] = 0
    sums[:] = 0.0
    for token in range(1, len(table.token_bounds)):
        first, last = table.token_bounds[token - 1], table.token_bounds[token]
        length = last - first
        notes.laid[0], notes.laid[length + 1] = space, space
        notes.laid[1 : length + 1] = table.token_symbols[first:last]
        bounds[token, 0] = size
        is_kept = length < 1 << TIMES_BITS
        if is_kept and length + 1 >= table.lengths[0]:
            n_keys = note_keys(table, notes, 0, length + 1, 0, 0, 0)
            size = note_sums(table, notes, n_keys, memo, size, sums[token, 0])
        bounds[token, 1] = size
        sums[token, 1] = sums[token, 0]
        if is_kept:
            n_keys = note_keys(table, notes, 0, length + 2, length + 1, 0, 0)
            size = note_sums(table, notes, n_keys, memo, size, sums[token, 1])
        bounds[token + 1] = size
    return size


@leaf
def note_sums(
    table: Table, notes: Notes, n_keys: Number, memo: np.ndarray, size: Number, sums: np.ndarray
) -> Number:
    """Append the n-grams under the noted keys to ``memo``, and add them up; return its length."""
    n_found = find_noted(table.chars, notes, 0, n_keys)
    counts = notes.counts
    n_models = len(sums) - len(table.head_models)
    for at in range(n_found):
        counts[notes.uids[at]] += 1
    for at in range(n_found):
        uid = notes.uids[at]
        count = counts[uid]
        if count == 0:  # it stood before, too
            continue
        counts[uid] = 0
        memo[size] = np.uint32(uid) << TIMES_BITS | np.uint32(count)
        size += 1
        weight = weigh(table, count)
        for column in range(len(sums)):
            power = weight * weight if column < n_models else weight
            sums[column] += table.records[uid, column] * power
    return size

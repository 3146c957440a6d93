"""What the kernels of n-grams work on: the table of known ones, and notes on one text."""

from functools import cache
from typing import NamedTuple

import numpy as np

from models.native import Number, kernel, leaf

#: What a code point is to the pattern of words: white space, part of a word, a mark of its own.
SPACE, WORD, MARK = 0, 1, 2

#: How symbols are packed with these classes.
CLASS_BITS = 2

#: How uids are packed with how often they are in a word.
TIMES_BITS = 8


@cache
def character_classes() -> np.ndarray:
    """Return for every code point whether it is white space, part of a word or a mark."""
    chars = np.arange(0x110000, dtype=np.uint32).view("U1")
    classes = np.full(len(chars), MARK, np.uint32)
    classes[np.strings.isalnum(chars)] = WORD
    classes[ord("_")] = WORD
    classes[np.strings.isspace(chars)] = SPACE
    return classes


class Table(NamedTuple):
    """The n-grams that models know, and what each adds to their sums.

    A *symbol* is the number of a character in the alphabet of the known n-grams, from 1 on; 0 is
    every other character. A *uid* is the row of an n-gram in ``records``; frequent ones come first,
    so that what is often needed lies close together.

    Attributes
    ----------
    symbols : ndarray of uint32, shape (0x110000,)
        For each code point its symbol and class.
    chars, grams : ndarray of uint64, shape (n, 2)
        Open-addressing tables of the character n-grams, and of n-grams of two words and more: key
        and uid + 1. A key is the number whose digits are the symbols, or the numbers of the tokens;
        0 where there is none.
    tokens : ndarray of uint64, shape (n, 2)
        Open-addressing table of all single words: a hash of the symbols, and a number from 1 on.
    token_bounds : ndarray of int64, shape (n_tokens + 1,)
        Token ``i`` has the symbols ``[token_bounds[i - 1], token_bounds[i])`` of ``token_symbols``.
    token_symbols : ndarray of uint32
    token_uids : ndarray of int32, shape (n_tokens + 1,)
        -1 where the word alone is no known n-gram.
    memo_bounds : ndarray of int64, shape (n_tokens + 2, 2)
        Token ``i`` between two spaces has the character n-grams
        ``[memo_bounds[i, 0], memo_bounds[i + 1, 0])`` of ``memo``, those with the second space from
        ``memo_bounds[i, 1]`` on.
    memo : ndarray of uint32
        Uids, and in the last ``TIMES_BITS`` how often each is in the word.
    memo_sums : ndarray of float64, shape (n_tokens + 1, 2, n_models + n_heads)
        What these n-grams add up to, without those with the second space and with them.
    records : ndarray of float64, shape (n_uids, n_models + n_heads)
        For each model the square of the idf; for each head the idf times the weight.
    head_models : ndarray of int64, shape (n_heads,)
        The model that each head is of.
    intercepts : ndarray of float64, shape (n_heads,)
    term_weights : ndarray of float64
        What a term counts by how often it is there.
    sublinear : ndarray of bool, shape (1,)
        Whether that is by the logarithm, beyond the end of ``term_weights``.
    radixes : ndarray of uint64, shape (2,)
        The bases of the keys of character and of word n-grams.
    lengths : ndarray of int64, shape (4,)
        Least and greatest length of character n-grams, and of word n-grams.
    """

    symbols: np.ndarray
    chars: np.ndarray
    grams: np.ndarray
    tokens: np.ndarray
    token_bounds: np.ndarray
    token_symbols: np.ndarray
    token_uids: np.ndarray
    memo_bounds: np.ndarray
    memo: np.ndarray
    memo_sums: np.ndarray
    records: np.ndarray
    head_models: np.ndarray
    intercepts: np.ndarray
    term_weights: np.ndarray
    sublinear: np.ndarray
    radixes: np.ndarray
    lengths: np.ndarray


class Notes(NamedTuple):
    """Room for what is found in one text.

    Attributes
    ----------
    laid, classes : ndarray of uint32 and uint8
        The text as symbols, with a space before and after it, and their classes.
    uids : ndarray of int32
        The n-grams found.
    times : ndarray of int32
        How often each was found there; negative if the sums have it from a word's memo.
    owners : ndarray of int32
        The chunk (what is between two spaces) of a character n-gram, the first token of a word
        n-gram.
    spreads : ndarray of int32
        How many tokens a word n-gram has.
    tokens, token_chunks : ndarray of int64 and int32
        The number of each token, and the chunk that it is in.
    token_places : ndarray of int32, shape (n, 2)
        Where each token begins and ends in ``laid``.
    bounds : ndarray of int64
        Where each chunk begins and ends in the text, alternately.
    keys : ndarray of uint64
        What is about to be looked up.
    met : ndarray of uint64
        What the table has in the first place of each.
    counts : ndarray of int32, shape (n_uids,)
        How often each n-gram was found so far; all 0 between two blocks.
    rows, owed : ndarray of int32 and float64, shapes (n,) and (n, 2)
        The uids of which the sums lack something, and what of weight and square.
    sums : ndarray of float64, shape (n_models + n_heads,)
    """

    laid: np.ndarray
    classes: np.ndarray
    uids: np.ndarray
    times: np.ndarray
    owners: np.ndarray
    spreads: np.ndarray
    tokens: np.ndarray
    token_chunks: np.ndarray
    token_places: np.ndarray
    bounds: np.ndarray
    keys: np.ndarray
    met: np.ndarray
    counts: np.ndarray
    rows: np.ndarray
    owed: np.ndarray
    sums: np.ndarray


@kernel
def room_for(table: Table, longest: Number, counts: np.ndarray) -> Notes:
    """Return the room that texts of at most ``longest`` characters take.

    ``counts`` is that of the notes, all 0: it grows with the table, and is therefore kept.
    """
    size = longest + 2
    chunks = size // 2 + 1
    found = (size + 2 * chunks) * (table.lengths[1] - table.lengths[0] + 1)
    found += size * (table.lengths[3] - table.lengths[2] + 1)
    return Notes(
        np.empty(size, np.uint32),
        np.empty(size, np.uint8),
        np.empty(found, np.int32),
        np.empty(found, np.int32),
        np.empty(found, np.int32),
        np.empty(found, np.int32),
        np.empty(size, np.int64),
        np.empty(size, np.int32),
        np.empty((size, 2), np.int32),
        np.empty(2 * chunks, np.int64),
        np.empty(found, np.uint64),
        np.empty(found, np.uint64),
        counts,
        np.empty(found, np.int32),
        np.empty((found, 2), np.float64),
        np.empty(table.records.shape[1], np.float64),
    )


@leaf
def lay_out(table: Table, codes: np.ndarray, start: Number, stop: Number, notes: Notes) -> Number:
    """Write the symbols and classes of a text; return how many there are with both spaces."""
    laid, classes = notes.laid, notes.classes
    space = np.uint32(table.symbols[32] >> CLASS_BITS)
    laid[0], classes[0] = space, SPACE
    for at in range(start, stop):
        packed = table.symbols[codes[at]]
        laid[at - start + 1] = packed >> CLASS_BITS
        classes[at - start + 1] = packed & np.uint32(3)
    end = stop - start + 1
    laid[end], classes[end] = space, SPACE
    return end + 1

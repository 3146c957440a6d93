"""What the kernels of n-grams work on: the table of known ones, and notes on one text."""

from functools import cache
from typing import NamedTuple

import numpy as np

from models.native import Number, cube_at, grid_at, leaf, line_at, opener, room_of

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
    sublinear : ndarray of uint8, shape (1,)
        1 if that is by the logarithm, beyond the end of ``term_weights``.
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
        How often each was found there.
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
    kinds, firsts, repeats, slots : ndarray of int32
        Of each chunk its kind; of each kind its first chunk and how often it is there; and an
        open-addressing table of the kinds. See :mod:`models.ngram_repeats`.
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
    kinds: np.ndarray
    firsts: np.ndarray
    repeats: np.ndarray
    slots: np.ndarray
    sums: np.ndarray


def notes_for(table: Table, longest: int, counts: np.ndarray) -> Notes:
    """Return the room that cleaned texts of at most ``longest`` characters take.

    ``counts`` is that of the notes, all 0.
    """
    size = longest + 2
    chunks = size // 2 + 1
    least, most, least_words, most_words = table.lengths.tolist()
    found = (size + 2 * chunks) * (most - least + 1) + size * (most_words - least_words + 1)
    return Notes(
        laid=room_of(size, np.uint32),
        classes=room_of(size, np.uint8),
        uids=room_of(found, np.int32),
        times=room_of(found, np.int32),
        owners=room_of(found, np.int32),
        spreads=room_of(found, np.int32),
        tokens=room_of(size, np.int64),
        token_chunks=room_of(size, np.int32),
        token_places=room_of((size, 2), np.int32),
        bounds=room_of(2 * chunks, np.int64),
        keys=room_of(found, np.uint64),
        met=room_of(found, np.uint64),
        counts=counts,
        rows=room_of(found, np.int32),
        owed=room_of((found, 2), np.float64),
        kinds=room_of(chunks, np.int32),
        firsts=room_of(chunks, np.int32),
        repeats=room_of(chunks, np.int32),
        slots=room_of(4 * chunks, np.int32),
        sums=np.empty(table.records.shape[1]),
    )


@opener
def table_at(places: np.ndarray) -> Table:
    """Return the table of which ``places`` tells, for kernels."""
    return Table(
        line_at(places, 0, np.uint32),
        grid_at(places, 1, np.uint64),
        grid_at(places, 2, np.uint64),
        grid_at(places, 3, np.uint64),
        line_at(places, 4, np.int64),
        line_at(places, 5, np.uint32),
        line_at(places, 6, np.int32),
        grid_at(places, 7, np.int64),
        line_at(places, 8, np.uint32),
        cube_at(places, 9, np.float64),
        grid_at(places, 10, np.float64),
        line_at(places, 11, np.int64),
        line_at(places, 12, np.float64),
        line_at(places, 13, np.float64),
        line_at(places, 14, np.uint8),
        line_at(places, 15, np.uint64),
        line_at(places, 16, np.int64),
    )


@opener
def notes_at(places: np.ndarray) -> Notes:
    """Return the notes of which ``places`` tells, for kernels."""
    return Notes(
        line_at(places, 0, np.uint32),
        line_at(places, 1, np.uint8),
        line_at(places, 2, np.int32),
        line_at(places, 3, np.int32),
        line_at(places, 4, np.int32),
        line_at(places, 5, np.int32),
        line_at(places, 6, np.int64),
        line_at(places, 7, np.int32),
        grid_at(places, 8, np.int32),
        line_at(places, 9, np.int64),
        line_at(places, 10, np.uint64),
        line_at(places, 11, np.uint64),
        line_at(places, 12, np.int32),
        line_at(places, 13, np.int32),
        grid_at(places, 14, np.float64),
        line_at(places, 15, np.int32),
        line_at(places, 16, np.int32),
        line_at(places, 17, np.int32),
        line_at(places, 18, np.int32),
        line_at(places, 19, np.float64),
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

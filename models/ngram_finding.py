"""The n-grams of normalised texts, found as scikit-learn does, in compiled code.

Every function here is a kernel: plain loops over arrays, linear in the length of the text.
"""

import numpy as np

from models.native import Number, leaf
from models.ngram_layout import SPACE, TIMES_BITS, WORD, Notes, Table

_FIBONACCI = np.uint64(0x9E3779B97F4A7C15)

#: Of the hashes of words: where they begin, and what they are multiplied by.
BASIS, FNV = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


@leaf
def home(key: np.uint64, mask: np.uint64) -> Number:
    """Return where a key is looked for first."""
    mixed = key * _FIBONACCI
    return np.int64((mixed ^ (mixed >> np.uint64(32))) & mask)


@leaf
def find_all(entries: np.ndarray, keys: np.ndarray, met: np.ndarray, n_keys: Number) -> None:
    """Put what an open-addressing table has under each key into ``met``; 0 where it has nothing.

    All first places are read in a loop of its own: the memory then serves many at a time, where
    comparing each before the next is read would wait for every one.
    """
    mask = np.uint64(len(entries) - 1)
    for number in range(n_keys):
        met[number] = entries[home(keys[number], mask), 0]
    for number in range(n_keys):
        key = keys[number]
        at = home(key, mask)
        found = met[number]
        while found != key and found != np.uint64(0):
            at = (at + 1) & np.int64(mask)
            found = entries[at, 0]
        met[number] = entries[at, 1]


@leaf
def insert(entries: np.ndarray, key: np.uint64, value: Number) -> Number:
    """Put ``key`` into a table with room for it, and return its value: the one it had, if any."""
    mask = np.uint64(len(entries) - 1)
    at = home(key, mask)
    while entries[at, 0] != np.uint64(0):
        if entries[at, 0] == key:
            return np.int64(entries[at, 1])
        at = (at + 1) & np.int64(mask)
    entries[at, 0] = key
    entries[at, 1] = np.uint64(value)
    return np.int64(value)


@leaf
def key_of(digits: np.ndarray, start: Number, stop: Number, radix: np.uint64) -> np.uint64:
    """Return the number with the digits ``digits[start:stop]``, modulo 2^64."""
    key = np.uint64(0)
    for at in range(start, stop):
        key = key * radix + np.uint64(digits[at])
    return key


@leaf
def hash_symbols(symbols: np.ndarray, start: Number, stop: Number) -> np.uint64:
    """Return a hash of a word that is never 0."""
    digest = BASIS
    for at in range(start, stop):
        digest = (digest ^ np.uint64(symbols[at])) * FNV
    return digest | np.uint64(1)


@leaf
def place_of_token(
    entries: np.ndarray,
    token_bounds: np.ndarray,
    token_symbols: np.ndarray,
    symbols: np.ndarray,
    start: Number,
    stop: Number,
    digest: np.uint64,
) -> Number:
    """Return where the table has the word ``symbols[start:stop]``, or would have it."""
    mask = np.uint64(len(entries) - 1)
    at = home(digest, mask)
    while entries[at, 0] != np.uint64(0):
        if entries[at, 0] == digest:
            number = np.int64(entries[at, 1])
            first = token_bounds[number - 1]
            if token_bounds[number] - first == stop - start:
                offset = 0
                while (
                    offset < stop - start
                    and token_symbols[first + offset] == symbols[start + offset]
                ):
                    offset += 1
                if offset == stop - start:
                    break
        at = (at + 1) & np.int64(mask)
    return at


@leaf
def divide(notes: Notes, size: Number) -> tuple[Number, Number]:
    """Find the chunks and tokens of a text that was laid out; return how many of each."""
    classes = notes.classes
    n_tokens = 0
    n_chunks = 0
    at = 0
    while at < size:
        if classes[at] == SPACE:
            at += 1
            continue
        notes.bounds[2 * n_chunks] = at - 1
        while classes[at] != SPACE:
            stop = at + 1
            if classes[at] == WORD:
                while classes[stop] == WORD:
                    stop += 1
            notes.token_places[n_tokens, 0], notes.token_places[n_tokens, 1] = at, stop
            notes.token_chunks[n_tokens] = n_chunks
            notes.keys[n_tokens] = hash_symbols(notes.laid, at, stop)
            n_tokens += 1
            at = stop
        notes.bounds[2 * n_chunks + 1] = at - 1
        n_chunks += 1
    return n_chunks, n_tokens


@leaf
def find_tokens(table: Table, notes: Notes, n_tokens: Number) -> None:
    """Find the number of each token, 0 if it is none of the table's."""
    mask = np.uint64(len(table.tokens) - 1)
    for token in range(n_tokens):  # as in find_all
        notes.tokens[token] = np.int64(table.tokens[home(notes.keys[token], mask), 1])
    for token in range(n_tokens):
        notes.met[token] = np.uint64(table.token_bounds[notes.tokens[token]])
    for token in range(n_tokens):
        start, stop = notes.token_places[token]
        at = place_of_token(
            *(table.tokens, table.token_bounds, table.token_symbols),
            *(notes.laid, start, stop, notes.keys[token]),
        )
        notes.tokens[token] = np.int64(table.tokens[at, 1])


@leaf
def note_keys(
    table: Table,
    notes: Notes,
    first: Number,
    last: Number,
    least_end: Number,
    chunk: Number,
    n_keys: Number,
) -> Number:
    """Note the keys of the character n-grams of a chunk with its two spaces.

    Of those alone that end behind ``least_end``.
    """
    laid = notes.laid
    least, most = table.lengths[0], table.lengths[1]
    radix = table.radixes[0]
    if last - first < least:  # a word shorter than the n-gram counts once, whole
        least = last - first
    for start in range(max(first, least_end - most + 1), last - least + 1):
        key = np.uint64(0)
        for at in range(start, min(start + most, last)):
            symbol = laid[at]
            if symbol == np.uint32(0):
                break
            key = key * radix + np.uint64(symbol)
            if at - start + 1 >= least and at >= least_end:
                notes.keys[n_keys] = key
                notes.owners[n_keys] = chunk
                n_keys += 1
    return n_keys


@leaf
def find_noted(entries: np.ndarray, notes: Notes, first: Number, n_keys: Number) -> Number:
    """Look the noted keys up, and note the n-grams found from place ``first`` on.

    The owners and spreads of the keys are in their places already, from ``first`` on.
    """
    keys, met = notes.keys, notes.met
    find_all(entries, keys, met, n_keys)
    n_found = first
    for number in range(n_keys):
        notes.uids[n_found] = np.int64(met[number]) - 1
        notes.times[n_found] = 1
        notes.owners[n_found] = notes.owners[first + number]
        notes.spreads[n_found] = notes.spreads[first + number]
        n_found += met[number] != np.uint64(0)
    return n_found


@leaf
def recall_chars(
    table: Table, notes: Notes, token: Number, is_whole: Number, chunk: Number, n_found: Number
) -> Number:
    """Note the character n-grams of a known word with which a chunk begins, or which it is."""
    for at in range(table.memo_bounds[token, 0], end_of_memo(table, token, is_whole)):
        entry = table.memo[at]
        notes.uids[n_found] = entry >> TIMES_BITS
        notes.times[n_found] = entry & np.uint32((1 << TIMES_BITS) - 1)
        notes.owners[n_found] = chunk
        n_found += 1
    return n_found


@leaf
def end_of_memo(table: Table, token: Number, is_whole: Number) -> Number:
    """Return where the memo of a known word ends, if it is all of a chunk or its beginning."""
    return table.memo_bounds[token + 1, 0] if is_whole else table.memo_bounds[token, 1]


@leaf
def note_chunk(
    table: Table, notes: Notes, first: Number, n_tokens: Number, n_keys: Number
) -> tuple[Number, Number, Number]:
    """Note the keys of the character n-grams of the chunk that begins with token ``first``.

    Of those alone that no memo has.

    Returns
    -------
    end : int
        The token with which the next chunk begins.
    known : int
        The known word of which the memo has the others; 0 if there is none.
    n_keys : int
        How many keys are noted then.
    """
    chunk = notes.token_chunks[first]
    end = first + 1
    while end < n_tokens and notes.token_chunks[end] == chunk:
        end += 1
    start, stop = notes.bounds[2 * chunk], notes.bounds[2 * chunk + 1] + 2
    known = notes.tokens[first]
    if not is_memorised(table, known):
        return end, np.int64(0), note_keys(table, notes, start, stop, start, chunk, n_keys)
    if end - first > 1:
        behind = np.int64(notes.token_places[first, 1])
        n_keys = note_keys(table, notes, start, stop, behind, chunk, n_keys)
    return end, known, n_keys


@leaf
def find_chars(
    table: Table, notes: Notes, begin: Number, n_tokens: Number, enough: Number
) -> tuple[Number, Number]:
    """Note the character n-grams of the chunks from a token on, until there are ``enough``.

    Returns
    -------
    n_found, end : int
        How many were noted, and the token before which this ended.
    """
    n_keys, n_known = 0, 0
    end = begin
    while end < n_tokens and n_keys + n_known < enough:
        end, known, n_keys = note_chunk(table, notes, end, n_tokens, n_keys)
        n_known += table.memo_bounds[known + 1, 0] - table.memo_bounds[known, 0]
    n_found = find_noted(table.chars, notes, 0, n_keys)
    before = -1
    for token in range(begin, end):
        chunk = notes.token_chunks[token]
        if chunk != before and is_memorised(table, notes.tokens[token]):
            is_whole = token + 1 == n_tokens or notes.token_chunks[token + 1] != chunk
            n_found = recall_chars(table, notes, notes.tokens[token], is_whole, chunk, n_found)
        before = chunk
    return n_found, end


@leaf
def is_memorised(table: Table, token: Number) -> Number:
    """Whether the memo has the character n-grams of a word."""
    return table.memo_bounds[token, 0] < table.memo_bounds[token + 1, 0]


@leaf
def find_words(table: Table, notes: Notes, n_tokens: Number, n_found: Number) -> Number:
    """Note the word n-grams of a text, from place ``n_found`` on."""
    tokens = notes.tokens
    least, most = table.lengths[2], table.lengths[3]
    radix = table.radixes[1]
    if least == 1:
        for token in range(n_tokens):
            notes.uids[n_found] = table.token_uids[tokens[token]]
            notes.times[n_found] = 1
            notes.owners[n_found] = token
            notes.spreads[n_found] = 1
            n_found += notes.uids[n_found] >= 0
    n_keys = 0
    for first in range(n_tokens):
        key = np.uint64(0)
        for at in range(first, min(first + most, n_tokens)):
            if tokens[at] == 0:
                break
            key = key * radix + np.uint64(tokens[at])
            length = at - first + 1
            if length >= max(least, 2):
                notes.keys[n_keys] = key
                notes.owners[n_found + n_keys] = first
                notes.spreads[n_found + n_keys] = length
                n_keys += 1
    return find_noted(table.grams, notes, n_found, n_keys)

"""Texts in which words come again: what depends on a word alone is done once for each.

A chunk is what stands between two spaces; chunks of one *kind* have the same characters.
"""

import numpy as np

from models.native import Number, leaf
from models.ngram_finding import hash_symbols, home
from models.ngram_layout import Notes

# So many places are looked at for a chunk before it passes for one that was not there yet: texts
# made to fill them take no longer, and only gain less.
_TRIES = 16


@leaf
def is_same(notes: Notes, one: Number, other: Number) -> Number:
    """Whether two chunks have the same characters, as far as they are known, and of one class."""
    start, begin = notes.bounds[2 * one] + 1, notes.bounds[2 * other] + 1
    size = notes.bounds[2 * one + 1] + 1 - start
    if notes.bounds[2 * other + 1] + 1 - begin != size:
        return False
    for at in range(size):
        if notes.laid[start + at] != notes.laid[begin + at]:
            return False
        if notes.classes[start + at] != notes.classes[begin + at]:
            return False
    return True


@leaf
def find_kinds(notes: Notes, n_chunks: Number) -> Number:
    """Give the kinds of chunks numbers, in the order of first sight; return how many there are."""
    slots, kinds, firsts, repeats = notes.slots, notes.kinds, notes.firsts, notes.repeats
    n_slots = 2
    while n_slots < 2 * n_chunks:
        n_slots *= 2
    for slot in range(n_slots):
        slots[slot] = -1
    mask = np.uint64(n_slots - 1)
    n_kinds = 0
    for chunk in range(n_chunks):
        start, stop = notes.bounds[2 * chunk] + 1, notes.bounds[2 * chunk + 1] + 1
        at = home(hash_symbols(notes.laid, start, stop), mask)
        tries = 0
        while tries < _TRIES and slots[at] >= 0 and not is_same(notes, firsts[slots[at]], chunk):
            at = (at + 1) & np.int64(mask)
            tries += 1
        if tries == _TRIES or slots[at] < 0:
            if tries < _TRIES:
                slots[at] = n_kinds
            firsts[n_kinds], repeats[n_kinds] = chunk, 0
            kinds[chunk] = n_kinds
            n_kinds += 1
        else:
            kinds[chunk] = slots[at]
        repeats[kinds[chunk]] += 1
    return n_kinds


@leaf
def keep_firsts(notes: Notes, n_tokens: Number, n_kinds: Number) -> Number:
    """Leave the first chunk of each kind alone, under its number; return how many tokens it has."""
    kept = 0
    for token in range(n_tokens):
        kind = notes.kinds[notes.token_chunks[token]]
        if notes.firsts[kind] != notes.token_chunks[token]:
            continue
        notes.tokens[kept] = notes.tokens[token]
        notes.token_places[kept, 0] = notes.token_places[token, 0]
        notes.token_places[kept, 1] = notes.token_places[token, 1]
        notes.token_chunks[kept] = kind
        kept += 1
    for kind in range(n_kinds):
        first = notes.firsts[kind]
        notes.bounds[2 * kind] = notes.bounds[2 * first]
        notes.bounds[2 * kind + 1] = notes.bounds[2 * first + 1]
    return kept


@leaf
def count_words(notes: Notes, n_found: Number) -> Number:
    """Count the word n-grams found, and note in ``rows`` which there are; return how many."""
    n_counted = 0
    for at in range(n_found):
        uid = notes.uids[at]
        notes.rows[n_counted] = uid
        n_counted += notes.counts[uid] == 0
        notes.counts[uid] += 1
    return n_counted


@leaf
def count_chars(notes: Notes, n_found: Number, n_counted: Number) -> Number:
    """Count the character n-grams found, as often as their chunks are there.

    ``rows`` has ``n_counted`` already; returns how many it has then.
    """
    for at in range(n_found):
        uid = notes.uids[at]
        notes.rows[n_counted] = uid
        n_counted += notes.counts[uid] == 0
        notes.counts[uid] += notes.times[at] * notes.repeats[notes.owners[at]]
    return n_counted

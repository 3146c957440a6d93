"""Letters that were set apart as the words that they make up, in compiled code.

Everything here does what its like in :mod:`models.respell` does, with sums in the same order.
"""

import numpy as np

from models.cleaning_layout import LETTER, Cleaning, Room, number_of
from models.native import Number, leaf
from models.ngram_finding import BASIS, FNV, place_of_token
from models.respell import LONGEST, LONGEST_RUN, STRAY


@leaf
def log_of(known: Cleaning, way: Number, codes: np.ndarray, start: Number, stop: Number) -> Number:
    """Return the log-probability of a word; above 0 if the lexicon has not got it."""
    return known.word_logs[number_of(known.words, codes, start, stop), way]


@leaf
def is_small_letter(code: Number) -> Number:
    """Whether a character is one of "a" to "z"."""
    return 97 <= code <= 122


@leaf
def divide(
    known: Cleaning,
    way: Number,
    codes: np.ndarray,
    first: Number,
    last: Number,
    room: Room,
    kept: Number,
) -> Number:
    """Append a run of letters to ``room.meant``, divided into words; return how long that is."""
    size = last - first
    n_words = 0
    if size <= LONGEST_RUN and log_of(known, way, codes, first, last) > 0.0:
        n_words = find_words(known, way, codes, first, size, room)
    if n_words == 0:
        for at in range(first, last):
            room.meant[kept] = codes[at]
            kept += 1
        return kept
    stop = kept + size + n_words - 1
    to = stop
    end = size
    while end > 0:
        start = np.int64(room.begins[end])
        for at in range(end - 1, start - 1, -1):
            to -= 1
            room.meant[to] = codes[first + at]
        if start > 0:
            to -= 1
            room.meant[to] = np.uint32(32)
        end = start
    return stop


@leaf
def find_words(
    known: Cleaning, way: Number, codes: np.ndarray, first: Number, size: Number, room: Room
) -> Number:
    """Find the likeliest words of a run; return how many they are, 0 if they are none.

    ``room.begins`` becomes where the word that ends at each place begins.
    """
    best, begins, words = room.best, room.begins, known.words
    best[0] = 0.0
    best[1 : size + 1] = -np.inf
    for start in range(size):
        digest = BASIS
        for end in range(start + 1, min(size, start + LONGEST) + 1):
            digest = (digest ^ np.uint64(codes[first + end - 1])) * FNV
            at = place_of_token(
                *(words.entries, words.bounds, words.codes, codes),
                *(first + start, first + end, digest | np.uint64(1)),
            )
            log = known.word_logs[np.int64(words.entries[at, 1]), way]
            if log <= 0.0:
                score = best[start] + log
            elif end - start == 1:
                score = best[start] + (known.unseen[way] - 1) - STRAY
            else:
                continue
            if score > best[end]:
                best[end], begins[end] = score, start
    n_words, strays = 0, 0
    to = size
    while to > 0:
        begin = np.int64(begins[to])
        code = codes[first + begin]
        n_words += 1
        strays += to - begin == 1 and code != 97 and code != 105 and code != 117
        to = begin
    return 0 if strays * 4 > n_words else n_words


@leaf
def divided(known: Cleaning, way: Number, size: Number, room: Room) -> Number:
    """Write the words of ``room.letters``; return their length, -1 if too few are letters."""
    letters = 0
    for at in range(size):
        letters += (known.traits[room.letters[at]] & LETTER) != 0
    if 2 * letters < max(4, size):
        return -1
    kept = 0
    at = 0
    while at < size:
        end = at
        while end < size and is_small_letter(room.letters[end]):
            end += 1
        if end > at:
            kept = divide(known, way, room.letters, at, end, room, kept)
            at = end
        else:
            room.meant[kept] = room.letters[at]
            kept += 1
            at += 1
    return kept

"""Whether a text may hold a disguised word, in compiled code: never wrongly not.

What :mod:`models.respell` would leave as it is need not go through it.
"""

import numpy as np

from models.cleaning_layout import (
    CLOSING,
    LEET,
    LETTER,
    OPENING,
    PARTING,
    Cleaning,
    is_mark,
    word_at,
)
from models.native import Number, leaf
from models.ngram_layout import SPACE

# Sums are compared with a hair less, since they may be added up in another order.
_GAIN_OVER_SPACE, _GAIN_OVER_MARK = 5.0 - 1e-6, 1.0 - 1e-6
_FNV = np.uint64(0x100000001B3)


@leaf
def holds(hashes: np.ndarray, digest: np.uint64) -> Number:
    """Whether a set has a hash."""
    mask = np.int64(len(hashes) - 1)
    at = np.int64(digest >> np.uint64(20)) & mask
    while hashes[at] != np.uint64(0):
        if hashes[at] == digest:
            return True
        at = (at + 1) & mask
    return False


@leaf
def put(hashes: np.ndarray, digest: np.uint64) -> None:
    """Put a hash into a set with room for it."""
    mask = np.int64(len(hashes) - 1)
    at = np.int64(digest >> np.uint64(20)) & mask
    while hashes[at] != np.uint64(0) and hashes[at] != digest:
        at = (at + 1) & mask
    hashes[at] = digest


@leaf
def spelling_hash(known: Cleaning, codes: np.ndarray, start: Number, stop: Number) -> np.uint64:
    """Return a hash of a word's spelling, as :mod:`models.respell` spells."""
    digest = np.uint64(0xCBF29CE484222325)
    last = np.uint64(0)
    for at in range(start, stop):
        code = np.uint64(codes[at])
        if code < 128:
            code = np.uint64(known.spelled[codes[at]])
        if code != last and code != 0:
            digest = (digest ^ code) * _FNV
            last = code
    return digest | np.uint64(1)


@leaf
def is_vowel(code: Number) -> Number:
    """Whether a character is one of the five vowels."""
    return code == 97 or code == 101 or code == 105 or code == 111 or code == 117


@leaf
def skeleton_hash(codes: np.ndarray, start: Number, stop: Number) -> np.uint64:
    """Return a hash of a word without the vowels after its first letter."""
    digest = np.uint64(0xCBF29CE484222325)
    for at in range(start, stop):
        if at == start or not is_vowel(codes[at]):
            digest = (digest ^ np.uint64(codes[at])) * _FNV
    return digest | np.uint64(1)


@leaf
def hash_spellings(known: Cleaning, codes: np.ndarray, bounds: np.ndarray) -> None:
    """Put the spellings and skeletons of words into their sets."""
    for word in range(len(bounds) - 1):
        start, stop = bounds[word], bounds[word + 1]
        if stop - start > 2:
            put(known.spellings, spelling_hash(known, codes, start, stop))
        if stop - start > 3:
            put(known.skeletons, skeleton_hash(codes, start, stop))


@leaf
def log_of(known: Cleaning, codes: np.ndarray, start: Number, stop: Number) -> Number:
    """Return the log-probability of a word, as the lexicon has it."""
    found = known.word_logs[word_at(known, codes, start, stop)]
    return found if found < 0.0 else known.unseen[0] - (stop - start)


@leaf
def may_stand_for(
    known: Cleaning, codes: np.ndarray, start: Number, stop: Number, room: np.ndarray
) -> Number:
    """Whether a core may be the disguise of a word: never wrongly not."""
    size = stop - start
    if size < 3 or known.word_logs[word_at(known, codes, start, stop)] <= 0.0:
        return False
    letters, ascii_letters, leet, parting, doubled, thrice, vowels = 0, 0, 0, 0, 0, 0, 0
    for at in range(start, stop):
        code = codes[at]
        if code == 0xA3 or code == 0x20AC:  # "£" and "€" stand for letters too
            return True
        letters += (known.kinds[code] & LETTER) != 0
        ascii_letters += 97 <= code <= 122
        leet += is_mark(known, code, LEET)
        parting += is_mark(known, code, PARTING)
        if at > start:
            vowels += is_vowel(code)
            doubled += code == codes[at - 1]
        if at > start + 1:
            thrice += code == codes[at - 1] and code == codes[at - 2]
    if ascii_letters == size:
        drawn_out = doubled > 0 and (size > 4 or thrice > 0)
        if drawn_out and holds(known.spellings, spelling_hash(known, codes, start, stop)):
            return True
        return vowels == 0 and holds(known.skeletons, skeleton_hash(codes, start, stop))
    if parting > 0 and letters + parting == size:
        return may_be_joined(known, codes, start, stop, parting, room)
    return leet > 0 and holds(known.spellings, spelling_hash(known, codes, start, stop))


@leaf
def may_be_joined(
    known: Cleaning,
    codes: np.ndarray,
    start: Number,
    stop: Number,
    parting: Number,
    room: np.ndarray,
) -> Number:
    """Whether what is left without the marks between parts may be a word."""
    size = 0
    parts = 0.0
    first = start
    for at in range(start, stop + 1):
        if at == stop or is_mark(known, codes[at], PARTING):
            parts += log_of(known, codes, first, at)
            first = at + 1
        else:
            room[size] = codes[at]
            size += 1
        if at < stop and codes[at] == 42:
            return True
    if parting + 1 == size and size > 2:
        return True
    log = known.word_logs[word_at(known, room, 0, size)]
    return size > 3 and log <= 0.0 and log - parts > _GAIN_OVER_MARK


@leaf
def may_be_respelled(known: Cleaning, codes: np.ndarray, size: Number, room: np.ndarray) -> Number:
    """Whether :func:`models.respell.respell` may have something to change: never wrongly not.

    White space must not have been folded yet; ``room`` is for as many characters.
    """
    run, wide_gaps, longest_run = 0, 0, 0
    before_start, before_stop, before_end = 0, 0, -1
    at = 0
    while at < size:
        if known.kinds[codes[at]] & 3 == SPACE:
            at += 1
            continue
        end = at
        while end < size and known.kinds[codes[end]] & 3 != SPACE:
            end += 1
        start, stop = at, end
        while start < stop and is_mark(known, codes[start], OPENING):
            start += 1
        while stop > start and is_mark(known, codes[stop - 1], CLOSING):
            stop -= 1
        is_near = before_end >= 0 and at - before_end == 1
        wide_gaps += before_end >= 0 and not is_near
        if end - at == 1:
            run = run + 1 if is_near else 1
            longest_run = max(longest_run, run)
        else:
            run = 0
        if before_end >= 0 and start - before_stop == 1 and start < stop:
            length = before_stop - before_start
            if length > 0 and length + stop - start > 3:
                for each in range(length):
                    room[each] = codes[before_start + each]
                for each in range(stop - start):
                    room[length + each] = codes[start + each]
                log = known.word_logs[word_at(known, room, 0, length + stop - start)]
                if log <= 0.0:
                    parts = log_of(known, codes, before_start, before_stop)
                    parts += log_of(known, codes, start, stop)
                    if log - parts > _GAIN_OVER_SPACE:
                        return True
        if may_stand_for(known, codes, start, stop, room):
            return True
        before_start, before_stop, before_end = start, stop, end
        at = end
    return longest_run >= (2 if wide_gaps > 1 else 3)

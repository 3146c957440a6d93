"""The cleaning of :mod:`models.text` in compiled code, for the many texts that need little of it.

What is done here is done exactly as there. A text in which a word may be disguised is only
recognised, and left to :mod:`models.text`.
"""

import numpy as np

from models.cleaning_disguises import may_be_respelled
from models.cleaning_layout import DIGIT, IDENTITY, Cleaning, word_at
from models.cleaning_tokens import EMAIL, LONG_NUMBER, MONEY, URL, has_tokens, put_tokens
from models.native import Number, kernel, leaf
from models.ngram_layout import SPACE, WORD

#: The optional rules, as bits.
TOKENS, RESPELL, IDENTITIES = 1, 2, 4

#: How many times as long a text may become: "1" becomes " __number__ ".
GROWTH = 7


@leaf
def take_in(
    known: Cleaning,
    raw: np.ndarray,
    start: Number,
    stop: Number,
    codes: np.ndarray,
    origins: np.ndarray,
) -> Number:
    """Write a folded text in small letters and without controls, and where each character was."""
    size = 0
    for at in range(start, stop):
        code = raw[at]
        if 65 <= code <= 90:
            code += np.uint32(32)
        codes[size] = code
        origins[size, 0], origins[size, 1] = at - start, at - start + 1
        is_control = (code < 32 or code == 127) and known.kinds[code] & 3 != SPACE
        size += not is_control
    return size


@leaf
def fold_spaces(known: Cleaning, codes: np.ndarray, origins: np.ndarray, size: Number) -> Number:
    """Make every run of white space one space, in place."""
    kept = 0
    for at in range(size):
        is_space = known.kinds[codes[at]] & 3 == SPACE
        if is_space and kept > 0 and codes[kept - 1] == 32:
            continue
        codes[kept] = np.uint32(32) if is_space else codes[at]
        origins[kept, 0], origins[kept, 1] = origins[at, 0], origins[at, 1]
        kept += 1
    return kept


@leaf
def shorten(
    known: Cleaning,
    codes: np.ndarray,
    origins: np.ndarray,
    size: Number,
    tokens: Number,
    out: np.ndarray,
    out_origins: np.ndarray,
) -> Number:
    """Put the token for numbers in the place of short ones, and draw repeated letters in."""
    kept = 0
    at = 0
    while at < size:
        code = codes[at]
        kind = known.kinds[code]
        end = at + 1
        if kind & DIGIT:
            while end < size and known.kinds[codes[end]] & DIGIT:
                end += 1
            before = at > 0 and known.kinds[codes[at - 1]] & 3 == WORD
            after = end < size and known.kinds[codes[end]] & 3 == WORD
            if tokens and not before and not after and end - at <= 4:
                for token_code in known.number:
                    out[kept] = token_code
                    out_origins[kept, 0], out_origins[kept, 1] = origins[at, 0], origins[end - 1, 1]
                    kept += 1
                at = end
                continue
        elif kind & 3 != SPACE:
            while end < size and codes[end] == code:
                end += 1
        if end - at > 2 and not kind & DIGIT:
            for _ in range(2):
                out[kept] = code
                out_origins[kept, 0], out_origins[kept, 1] = origins[at, 0], origins[end - 1, 1]
                kept += 1
        else:
            for each in range(at, end):
                out[kept] = codes[each]
                out_origins[kept, 0], out_origins[kept, 1] = origins[each, 0], origins[each, 1]
                kept += 1
        at = end
    return kept


@leaf
def hide_identities(
    known: Cleaning,
    codes: np.ndarray,
    origins: np.ndarray,
    size: Number,
    out: np.ndarray,
    out_origins: np.ndarray,
) -> Number:
    """Put one token in the place of every word for who people are."""
    kept = 0
    at = 0
    while at < size:
        end = at + 1
        if known.kinds[codes[at]] & 3 == WORD:
            while end < size and known.kinds[codes[end]] & 3 == WORD:
                end += 1
            if known.word_kinds[word_at(known, codes, at, end)] & IDENTITY:
                for token_code in known.identity:
                    out[kept] = token_code
                    out_origins[kept, 0], out_origins[kept, 1] = origins[at, 0], origins[end - 1, 1]
                    kept += 1
                at = end
                continue
        for each in range(at, end):
            out[kept] = codes[each]
            out_origins[kept, 0], out_origins[kept, 1] = origins[each, 0], origins[each, 1]
            kept += 1
        at = end
    return kept


@kernel
def clean(
    known: Cleaning,
    raw: np.ndarray,
    ends: np.ndarray,
    rules: Number,
    kept: Number,
    cleaned: np.ndarray,
    origins: np.ndarray,
    bounds: np.ndarray,
) -> tuple[Number, Number]:
    """Clean folded texts one after the other.

    Parameters
    ----------
    raw : ndarray of uint32
        The code points of all texts, one after the other.
    ends : ndarray of int64, shape (n_texts,)
        Where each ends.
    rules : int
    kept : int
        How many characters of ``cleaned`` are taken already.
    cleaned : ndarray of uint32
        Takes the cleaned texts, one after the other: room for ``GROWTH`` times as many as in
        ``raw``, and 16 more for each text.
    origins : ndarray of int32, shape (n, 2)
        Becomes where each of their characters was read.
    bounds : ndarray of int64, shape (n_texts, 2)
        Becomes where each text is in ``cleaned``; -1 and -1 for what is left to others.

    Returns
    -------
    kept : int
        How many characters of ``cleaned`` are taken now.
    left : int
        How many texts are left to others.
    """
    longest = 0
    start = 0
    for end in ends:
        longest = max(longest, end - start)
        start = end
    size = GROWTH * longest + 16
    return clean_all(
        known,
        raw,
        ends,
        rules,
        kept,
        cleaned,
        origins,
        bounds,
        np.empty(size, np.uint32),
        np.empty(size, np.uint32),
        np.empty(size, np.uint32),
        np.empty((size, 2), np.int32),
        np.empty((size, 2), np.int32),
        np.empty((size, 2), np.int32),
    )


@leaf
def clean_all(
    known: Cleaning,
    raw: np.ndarray,
    ends: np.ndarray,
    rules: Number,
    kept: Number,
    cleaned: np.ndarray,
    origins: np.ndarray,
    bounds: np.ndarray,
    codes: np.ndarray,
    other: np.ndarray,
    third: np.ndarray,
    places: np.ndarray,
    other_places: np.ndarray,
    third_places: np.ndarray,
) -> tuple[Number, Number]:
    """Do what :func:`clean` does, in room that is there."""
    left = 0
    start = 0
    for text in range(len(ends)):
        size = take_in(known, raw, start, ends[text], codes, places)
        start = ends[text]
        bounds[text, 0], bounds[text, 1] = -1, -1
        if rules & RESPELL and may_be_respelled(known, codes, size, other):
            left += 1
            continue
        size = fold_spaces(known, codes, places, size)
        if rules & TOKENS and has_tokens(known, codes, size):
            size = put_tokens(known, URL, codes, places, size, other, other_places)
            size = put_tokens(known, EMAIL, other, other_places, size, codes, places)
            size = put_tokens(known, MONEY, codes, places, size, other, other_places)
            size = put_tokens(known, LONG_NUMBER, other, other_places, size, codes, places)
        size = shorten(known, codes, places, size, rules & TOKENS, other, other_places)
        if rules & IDENTITIES:
            size = hide_identities(known, other, other_places, size, third, third_places)
            size = fold_spaces(known, third, third_places, size)
            kept = put_out(third, third_places, size, cleaned, origins, kept, bounds[text])
        else:
            size = fold_spaces(known, other, other_places, size)
            kept = put_out(other, other_places, size, cleaned, origins, kept, bounds[text])
    return kept, left


@leaf
def put_out(
    codes: np.ndarray,
    places: np.ndarray,
    size: Number,
    cleaned: np.ndarray,
    origins: np.ndarray,
    kept: Number,
    bounds: np.ndarray,
) -> Number:
    """Append a text to the cleaned ones, without the spaces at its ends."""
    first = 1 if size > 0 and codes[0] == 32 else 0
    last = size - 1 if size > first and codes[size - 1] == 32 else size
    bounds[0] = kept
    for at in range(first, last):
        cleaned[kept] = codes[at]
        origins[kept, 0], origins[kept, 1] = places[at, 0], places[at, 1]
        kept += 1
    bounds[1] = kept
    return kept

"""The cleaning of :mod:`models.text` in compiled code: what is done here is done as there."""

import numpy as np

from models.cleaning_layout import (
    CONTROL,
    DIGIT,
    FOLD_BITS,
    FOLD_LENGTH,
    HIDDEN,
    IDENTITY,
    OWN,
    PLAIN,
    Cleaning,
    Desk,
    Draft,
    cleaning_at,
    copy,
    desk_at,
    number_of,
    put,
)
from models.cleaning_respell import respell
from models.cleaning_tokens import LONG_NUMBER, put_tokens, tokens_in
from models.native import Number, brief_kernel, kernel, leaf, line_at
from models.ngram_layout import SPACE, WORD

#: What is told of in the groups of places that kernels are given.
KNOWN, TABLE, DESK, NOTES = range(4)

# Which of the arrays of what is known are the folds.
_FOLDS = 22

#: The optional rules, as bits.
TOKENS, RESPELL, IDENTITIES = 1, 2, 4


@leaf
def is_plain(raw: np.ndarray, start: Number, stop: Number) -> Number:
    """Whether a text is ASCII."""
    seen = np.uint32(0)
    for at in range(start, stop):
        seen |= raw[at]
    return seen < 128


@leaf
def take_in(known: Cleaning, raw: np.ndarray, start: Number, stop: Number, draft: Draft) -> Number:
    """Write a raw text folded and without controls, and where each character was; see ``fold``."""
    size = 0
    if is_plain(raw, start, stop):
        for at in range(start, stop):
            size = put_folded(known, raw[at], at - start, draft, size)
        return size
    for at in range(start, stop):
        fold = known.folds[raw[at]]
        length = fold & FOLD_LENGTH
        if length == 1:
            size = put_folded(known, np.uint32(fold >> FOLD_BITS), at - start, draft, size)
            continue
        first = np.int64(fold >> FOLD_BITS)
        for each in range(first, first + length):
            size = put_folded(known, known.fold_codes[each], at - start, draft, size)
    return size


@leaf
def put_folded(
    known: Cleaning, code: np.uint32, place: Number, draft: Draft, size: Number
) -> Number:
    """Append a small letter or another character, if it is no control; return the new length."""
    if 65 <= code <= 90:
        code += np.uint32(32)
    draft.codes[size] = code
    draft.places[size, 0], draft.places[size, 1] = place, place + 1
    return size + ((known.traits[code] & CONTROL) == 0)


@brief_kernel
def measure(places: np.ndarray, raw: np.ndarray, lengths: np.ndarray) -> Number:
    """Return how long the longest of some raw texts is when it is folded.

    -1 if it has a character of which the fold is not known yet.
    """
    return longest_of(line_at(places[KNOWN], _FOLDS, np.uint32), raw, lengths)


@leaf
def longest_of(folds: np.ndarray, raw: np.ndarray, lengths: np.ndarray) -> Number:
    """Do what :func:`measure` does."""
    longest, stop = 0, 0
    for length in lengths:
        start, stop = stop, stop + length
        size = length
        if not is_plain(raw, start, stop):
            size = 0
            for at in range(start, stop):
                if folds[raw[at]] == 0:
                    return -1
                size += np.int64(folds[raw[at]] & FOLD_LENGTH)
        longest = max(longest, size)
    return longest


@leaf
def fold_spaces(known: Cleaning, source: Draft, size: Number, target: Draft) -> Number:
    """Make every run of white space one space."""
    kept = 0
    for at in range(size):
        code = source.codes[at]
        if known.traits[code] & 3 == SPACE:
            if kept > 0 and target.codes[kept - 1] == 32:
                continue
            code = np.uint32(32)
        target.codes[kept] = code
        target.places[kept, 0], target.places[kept, 1] = source.places[at, 0], source.places[at, 1]
        kept += 1
    return kept


@leaf
def shorten(known: Cleaning, tokens: Number, source: Draft, size: Number, target: Draft) -> Number:
    """Put the token for numbers in the place of short ones, and draw repeated letters in.

    White space is folded as well, and none is left at the ends.
    """
    codes, traits = source.codes, known.traits
    out, places = target.codes, target.places
    kept = 0
    at = 0
    while at < size:
        code = codes[at]
        kind = traits[code]
        end = at + 1
        if kind & 3 == SPACE:
            if kept > 0 and out[kept - 1] != 32:
                kept = put_space(source, at, target, kept)
        elif kind & DIGIT:
            while end < size and traits[codes[end]] & DIGIT:
                end += 1
            before = at > 0 and traits[codes[at - 1]] & 3 == WORD
            after = end < size and traits[codes[end]] & 3 == WORD
            if tokens and not before and not after and end - at <= 4:
                first = 1 if kept == 0 or out[kept - 1] == 32 else 0
                last = len(known.number)
                kept = put(known.number, first, last, source, at, end, target, kept)
            else:
                kept = copy(source, at, end, target, kept)
        else:
            while end < size and codes[end] == code:
                end += 1
            last = end if end - at < 3 else at + 2
            begins, ends = at, end - 1
            for each in range(at, last):
                if end - at < 3:
                    begins, ends = each, each
                out[kept] = code
                places[kept, 0] = source.places[begins, 0]
                places[kept, 1] = source.places[ends, 1]
                kept += 1
        at = end
    return kept - (kept > 0 and out[kept - 1] == 32)


@leaf
def put_space(source: Draft, at: Number, target: Draft, kept: Number) -> Number:
    """Append a space for white space of any kind; return the new length."""
    target.codes[kept] = np.uint32(32)
    target.places[kept, 0], target.places[kept, 1] = source.places[at, 0], source.places[at, 1]
    return kept + 1


@leaf
def hide_identities(known: Cleaning, source: Draft, size: Number, target: Draft) -> Number:
    """Put one token in the place of every word for who people are.

    Returns
    -------
    int
        The new length, -1 if there is no such word.
    """
    codes, traits = source.codes, known.traits
    kept, done = -1, 0
    at = 0
    while at < size:
        if traits[codes[at]] & 3 != WORD:
            at += 1
            continue
        end = at + 1
        while end < size and traits[codes[end]] & 3 == WORD:
            end += 1
        first, length = codes[at], end - at
        may_be = first < 128 and length < 32 and known.identity_lengths[first] >> length & 1
        if may_be and known.word_kinds[number_of(known.words, codes, at, end)] & IDENTITY:
            kept = copy(source, done, at, target, max(kept, 0))
            length = len(known.identity)
            kept = put(known.identity, 0, length, source, at, end, target, kept)
            done = end
        at = end
    return kept if kept < 0 else copy(source, done, size, target, kept)


@leaf
def finish(
    known: Cleaning, tokens: Number, source: Draft, size: Number, target: Draft, desk: Desk
) -> Number:
    """Do what comes between the respelling and the words for who people are."""
    found = tokens_in(known, source.codes, size) if tokens else 0
    if found == 0:
        return shorten(known, tokens, source, size, target)
    draft, other = desk.one, desk.two
    size = fold_spaces(known, source, size, draft)
    for kind in range(LONG_NUMBER + 1):
        if found & (1 << kind):
            size = put_tokens(known, kind, draft, size, other)
            draft, other = other, draft
    return shorten(known, tokens, draft, size, target)


@leaf
def clean(
    known: Cleaning, way: Number, size: Number, desk: Desk, plain: Number
) -> tuple[Number, Number, Number]:
    """Clean the text in ``desk.raw`` in one way.

    Parameters
    ----------
    size : int
        The length of the text.
    plain : int
        What was returned for the way before; -1 at first.

    Returns
    -------
    which : int
        In which of ``desk.drafts`` the cleaned text is.
    length : int
        Of the cleaned text.
    plain : int
        The length of what ``desk.drafts[PLAIN]`` holds.
    """
    rules = known.rules[way]
    tokens = rules & TOKENS
    respelled = (
        respell(known, way, desk.raw, size, desk.respelled, desk.room) if (rules & RESPELL) else -1
    )
    which = PLAIN
    if respelled >= 0:
        which = OWN
        length = finish(known, tokens, desk.respelled, respelled, desk.drafts[OWN], desk)
    elif tokens != known.rules[0] & TOKENS:
        which = OWN
        length = finish(known, tokens, desk.raw, size, desk.drafts[OWN], desk)
    else:
        if plain < 0:
            plain = finish(known, tokens, desk.raw, size, desk.drafts[PLAIN], desk)
        length = plain
    if rules & IDENTITIES:
        hidden = hide_identities(known, desk.drafts[which], length, desk.drafts[HIDDEN])
        if hidden >= 0:
            which, length = HIDDEN, hidden
    return which, length, plain


@leaf
def remember(
    desk: Desk, raw: np.ndarray, start: Number, stop: Number, way: Number, found: tuple[int, int]
) -> None:
    """Note that a raw text is what was cleaned last, and where it is then."""
    size = stop - start
    desk.last[0] = -1
    if size <= len(desk.seen):
        desk.last[0], desk.last[1], desk.last[2], desk.last[3] = size, way, found[0], found[1]
        for at in range(size):
            desk.seen[at] = raw[start + at]


@leaf
def is_remembered(desk: Desk, raw: np.ndarray, way: Number) -> Number:
    """Whether a raw text is what was cleaned last, and in this way."""
    if desk.last[0] != len(raw) or desk.last[1] != way:
        return False
    at = 0
    while at < len(raw) and desk.seen[at] == raw[at]:
        at += 1
    return at == len(raw)


@leaf
def clean_alone(known: Cleaning, desk: Desk, way: Number, raw: np.ndarray) -> tuple[Number, Number]:
    """Do what :func:`clean_text` does."""
    if not is_remembered(desk, raw, way):  # what is flagged is read again at once
        size = take_in(known, raw, 0, len(raw), desk.raw)
        which, length, _ = clean(known, way, size, desk, -1)
        remember(desk, raw, 0, len(raw), way, (which, length))
    return desk.last[2], desk.last[3]


@kernel
def clean_text(places: np.ndarray, way: Number, raw: np.ndarray) -> tuple[Number, Number]:
    """Clean a raw text in one way, for other kernels, in the room that ``places`` tells of.

    Returns
    -------
    which, length : int
        In which draft it is then, and how long it is there.
    """
    return clean_alone(cleaning_at(places[KNOWN]), desk_at(places[DESK]), way, raw)


@brief_kernel
def trace(
    places: np.ndarray, way: Number, raw: np.ndarray, codes: np.ndarray, origins: np.ndarray
) -> Number:
    """Clean a raw text in one way, and tell where each character of it was read.

    Parameters
    ----------
    places : ndarray of int64
        Of what is known, and of a desk; see :mod:`models.fast_room`.
    raw : ndarray of uint32
        Its code points.
    codes : ndarray of uint32
        Takes the cleaned text: room for ``GROWTH`` times as many as are folded, and 16 more.
    origins : ndarray of int32, shape (n, 2)
        Becomes where each of its characters was read.

    Returns
    -------
    int
        The length of the cleaned text.
    """
    which, length = clean_text(places, way, raw)
    draft = desk_at(places[DESK]).drafts[which]
    codes[:length] = draft.codes[:length]
    origins[:length] = draft.places[:length]
    return length

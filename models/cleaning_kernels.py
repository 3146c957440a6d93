"""The cleaning of :mod:`models.text` in compiled code: what is done here is done as there."""

import numpy as np

from models.cleaning_layout import (
    CONTROL,
    DIGIT,
    GROWTH,
    HIDDEN,
    IDENTITY,
    OWN,
    PLAIN,
    Cleaning,
    Desk,
    Draft,
    Room,
    copy,
    number_of,
    put,
)
from models.cleaning_respell import respell
from models.cleaning_tokens import LONG_NUMBER, put_tokens, tokens_in
from models.native import Number, brief_kernel, kernel, leaf
from models.ngram_layout import SPACE, WORD
from models.respell import LONGEST_RUN

#: The optional rules, as bits.
TOKENS, RESPELL, IDENTITIES = 1, 2, 4


@leaf
def take_in(known: Cleaning, raw: np.ndarray, start: Number, stop: Number, draft: Draft) -> Number:
    """Write a folded text in small letters and without controls, and where each character was."""
    size = 0
    for at in range(start, stop):
        code = raw[at]
        if 65 <= code <= 90:
            code += np.uint32(32)
        draft.codes[size] = code
        draft.places[size, 0], draft.places[size, 1] = at - start, at - start + 1
        size += (known.traits[code] & CONTROL) == 0
    return size


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


@kernel
def draft_for(size: Number) -> Draft:
    """Return the room for a text of some length."""
    return Draft(np.empty(size, np.uint32), np.empty((size, 2), np.int32))


@kernel
def desk_for(longest: Number) -> Desk:
    """Return the room that texts of at most ``longest`` characters take."""
    size = GROWTH * longest + 16
    return Desk(
        raw=draft_for(size),
        respelled=draft_for(size),
        one=draft_for(size),
        two=draft_for(size),
        drafts=(draft_for(size), draft_for(size), draft_for(size)),
        room=Room(
            np.empty((longest // 2 + 1, 4), np.int32),
            np.empty(size, np.uint32),
            np.empty(size, np.uint32),
            np.empty(LONGEST_RUN + 1, np.float64),
            np.empty(LONGEST_RUN + 1, np.int32),
        ),
    )


@brief_kernel
def trace(
    known: Cleaning, way: Number, raw: np.ndarray, codes: np.ndarray, places: np.ndarray
) -> Number:
    """Clean a folded text in one way, and tell where each character of it was read.

    Parameters
    ----------
    raw : ndarray of uint32
        Its code points.
    codes : ndarray of uint32
        Takes the cleaned text: room for ``GROWTH`` times as many, and 16 more.
    places : ndarray of int32, shape (n, 2)
        Becomes where each of its characters was read.

    Returns
    -------
    int
        The length of the cleaned text.
    """
    desk = desk_for(len(raw))
    size = take_in(known, raw, 0, len(raw), desk.raw)
    which, length, _ = clean(known, way, size, desk, -1)
    draft = desk.drafts[which]
    codes[:length] = draft.codes[:length]
    places[:length] = draft.places[:length]
    return length

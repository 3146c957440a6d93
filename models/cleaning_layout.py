"""What the kernels of cleaning know of characters and words, and the room that they work in."""

from typing import NamedTuple

import numpy as np

from models.native import Number, grid_at, leaf, line_at, opener, room_of
from models.ngram_finding import hash_symbols, home, place_of_token
from models.respell import LONGEST_RUN

#: What is told of each code point beside its class: a decimal digit, a letter, a sign of money; a
#: control that is dropped; of the sets of :mod:`models.respell`; between the digits of a long
#: number; before the dot of a domain, and before the "@" of an address.
DIGIT, LETTER, AMOUNT, CONTROL = 4, 8, 16, 32
OPENING, CLOSING, PARTING, LEET = 64, 128, 256, 512
GAP, OF_DOMAIN, OF_ADDRESS = 1024, 2048, 4096

#: What is told of each word: for who people are, before or after an amount of money, a domain.
IDENTITY, MONEY_BEFORE, MONEY_AFTER, DOMAIN = 1, 2, 4, 8

#: How folds are packed: what is told of a character, and in how many bits its length is.
FOLDED, FOLD_LENGTH, FOLD_BITS = 32, 31, 6

#: How many times as long a text may become: "1" becomes " __number__ ".
GROWTH = 7


class Words(NamedTuple):
    """Words under numbers, from 1 on.

    Attributes
    ----------
    entries : ndarray of uint64, shape (n, 2)
        Open-addressing table: hash and number.
    bounds, codes : ndarray of int64 and uint32
        Their characters, as tokens have them in :class:`models.ngram_layout.Table`.
    """

    entries: np.ndarray
    bounds: np.ndarray
    codes: np.ndarray


class Cleaning(NamedTuple):
    """What cleaning needs to know, in each of the ways in which models have their texts cleaned.

    Attributes
    ----------
    traits : ndarray of uint16, shape (0x110000,)
        Of each code point the class of :mod:`models.ngram_layout`, and what is listed above.
    spelled : ndarray of uint32
        What the first code points are in a spelling; 0 for what is left out of it.
    rules : ndarray of int64, shape (n_ways,)
        The optional rules of each way.
    words : Words
        All that are known here.
    word_kinds : ndarray of uint8
        What is told of each, by number.
    word_logs : ndarray of float64, shape (n, n_ways)
        The log-probability of each in the lexicon, 1 for what is not in it.
    spellings, skeletons : Words
        Those of the lexicons.
    spelled_words, skeleton_words : ndarray of int64, shapes (n, n_ways + 1) and (n, n_ways)
        The word that each of them stands for; 0 for none. The last of ``spelled_words`` is that of
        the short words of :mod:`models.respell`, for all ways.
    unseen : ndarray of float64, shape (n_ways,)
        The log-probability of a word that is not in the lexicon, before its length.
    number : ndarray of uint32
        The token for a short number, with its spaces.
    token_codes, token_bounds : ndarray of uint32 and int64
        Those that :mod:`models.cleaning_tokens` puts in, one after the other.
    identity : ndarray of uint32
        The token for who people are.
    identity_lengths : ndarray of uint32, shape (128,)
        The lengths, as bits, of the words for it that begin with each ASCII character.
    folds : ndarray of uint32, shape (0x110000,)
        What each code point is folded to by :func:`models.text.fold`: the length and ``FOLDED``,
        above ``FOLD_BITS`` the character, or where in ``fold_codes`` they begin if it is not one.
        0 as long as it was not met.
    fold_codes : ndarray of uint32
    """

    traits: np.ndarray
    spelled: np.ndarray
    rules: np.ndarray
    words: Words
    word_kinds: np.ndarray
    word_logs: np.ndarray
    spellings: Words
    skeletons: Words
    spelled_words: np.ndarray
    skeleton_words: np.ndarray
    unseen: np.ndarray
    number: np.ndarray
    token_codes: np.ndarray
    token_bounds: np.ndarray
    identity: np.ndarray
    identity_lengths: np.ndarray
    folds: np.ndarray
    fold_codes: np.ndarray


class Draft(NamedTuple):
    """A text on its way.

    Attributes
    ----------
    codes : ndarray of uint32
        Its characters.
    places : ndarray of int32, shape (n, 2)
        Where each of them was read.
    """

    codes: np.ndarray
    places: np.ndarray


class Room(NamedTuple):
    """Room for what is found in one text.

    Attributes
    ----------
    chunks : ndarray of int32, shape (n, 4)
        Where what stands between white space begins and ends, and what is left of it without the
        marks around.
    letters, meant : ndarray of uint32
        Letters that were set apart, and what disguised ones are read as.
    best, begins : ndarray of float64 and int32
        Of each place in a run of letters: how likely the words before it are, and where the last
        of them begins.
    """

    chunks: np.ndarray
    letters: np.ndarray
    meant: np.ndarray
    best: np.ndarray
    begins: np.ndarray


#: The drafts in which a cleaned text may be: that of all ways without disguises in it, and one of
#: its own way, before and after words for who people are.
PLAIN, OWN, HIDDEN = 0, 1, 2


class Desk(NamedTuple):
    """Room for the cleaning of one text.

    Attributes
    ----------
    raw, respelled, one, two : Draft
        What it goes through.
    drafts : tuple of Draft
        What becomes of it: ``PLAIN``, ``OWN`` and ``HIDDEN``.
    room : Room
    seen : ndarray of uint32
        The raw text that was cleaned last.
    last : ndarray of int64, shape (4,)
        How long that is, the way in which it was cleaned, the draft in which it is, and how long
        it is there.
    """

    raw: Draft
    respelled: Draft
    one: Draft
    two: Draft
    drafts: tuple[Draft, Draft, Draft]
    room: Room
    seen: np.ndarray
    last: np.ndarray


def desk_for(longest: int) -> Desk:
    """Return the room that folded texts of at most ``longest`` characters take."""
    size = GROWTH * longest + 16
    raw, respelled, one, two, plain, own, hidden = (
        Draft(room_of(size, np.uint32), room_of((size, 2), np.int32)) for _ in range(7)
    )
    return Desk(
        *(raw, respelled, one, two),
        (plain, own, hidden),
        Room(
            chunks=room_of((longest // 2 + 1, 4), np.int32),
            letters=room_of(size, np.uint32),
            meant=room_of(size, np.uint32),
            best=np.empty(LONGEST_RUN + 1, np.float64),
            begins=np.empty(LONGEST_RUN + 1, np.int32),
        ),
        room_of(size, np.uint32),
        np.full(4, -1),
    )


@opener
def words_at(places: np.ndarray, at: Number) -> Words:
    """Return the words of which ``places`` tells from ``at`` on, for kernels."""
    return Words(
        grid_at(places, at, np.uint64),
        line_at(places, at + 1, np.int64),
        line_at(places, at + 2, np.uint32),
    )


@opener
def cleaning_at(places: np.ndarray) -> Cleaning:
    """Return what ``places`` tells of cleaning, for kernels."""
    return Cleaning(
        line_at(places, 0, np.uint16),
        line_at(places, 1, np.uint32),
        line_at(places, 2, np.int64),
        words_at(places, 3),
        line_at(places, 6, np.uint8),
        grid_at(places, 7, np.float64),
        words_at(places, 8),
        words_at(places, 11),
        grid_at(places, 14, np.int64),
        grid_at(places, 15, np.int64),
        line_at(places, 16, np.float64),
        line_at(places, 17, np.uint32),
        line_at(places, 18, np.uint32),
        line_at(places, 19, np.int64),
        line_at(places, 20, np.uint32),
        line_at(places, 21, np.uint32),
        line_at(places, 22, np.uint32),
        line_at(places, 23, np.uint32),
    )


@opener
def draft_at(places: np.ndarray, at: Number) -> Draft:
    """Return the draft of which ``places`` tells from ``at`` on, for kernels."""
    return Draft(line_at(places, at, np.uint32), grid_at(places, at + 1, np.int32))


@opener
def desk_at(places: np.ndarray) -> Desk:
    """Return the desk of which ``places`` tells, for kernels."""
    return Desk(
        draft_at(places, 0),
        draft_at(places, 2),
        draft_at(places, 4),
        draft_at(places, 6),
        (draft_at(places, 8), draft_at(places, 10), draft_at(places, 12)),
        Room(
            grid_at(places, 14, np.int32),
            line_at(places, 15, np.uint32),
            line_at(places, 16, np.uint32),
            line_at(places, 17, np.float64),
            line_at(places, 18, np.int32),
        ),
        line_at(places, 19, np.uint32),
        line_at(places, 20, np.int64),
    )


@leaf
def number_of(words: Words, codes: np.ndarray, start: Number, stop: Number) -> Number:
    """Return the number of the word ``codes[start:stop]``, 0 if it is not known."""
    digest = hash_symbols(codes, start, stop)
    at = place_of_token(words.entries, words.bounds, words.codes, codes, start, stop, digest)
    return np.int64(words.entries[at, 1])


@leaf
def has(words: Words, digest: np.uint64) -> Number:
    """Whether a word with a hash is known, without looking at its characters."""
    mask = np.uint64(len(words.entries) - 1)
    at = home(digest, mask)
    while words.entries[at, 0] != np.uint64(0):
        if words.entries[at, 0] == digest:
            return True
        at = (at + 1) & np.int64(mask)
    return False


@leaf
def copy(source: Draft, start: Number, stop: Number, target: Draft, kept: Number) -> Number:
    """Append a part of one draft to another; return how long that is now."""
    for at in range(start, stop):
        target.codes[kept + at - start] = source.codes[at]
    for at in range(start, stop):
        begins, ends = source.places[at, 0], source.places[at, 1]
        target.places[kept + at - start, 0], target.places[kept + at - start, 1] = begins, ends
    return kept + stop - start


@leaf
def put(
    codes: np.ndarray,
    first: Number,
    last: Number,
    source: Draft,
    start: Number,
    stop: Number,
    target: Draft,
    kept: Number,
) -> Number:
    """Append ``codes[first:last]`` in the place of a part of a draft; return the new length.

    What is as long as what it replaces maps character by character, anything else as a whole.
    """
    is_as_long = stop - start == last - first
    for each in range(last - first):
        begins, ends = (start + each, start + each) if is_as_long else (start, stop - 1)
        target.codes[kept] = codes[first + each]
        target.places[kept, 0] = source.places[begins, 0]
        target.places[kept, 1] = source.places[ends, 1]
        kept += 1
    return kept

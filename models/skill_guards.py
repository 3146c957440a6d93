"""What is known of spellings and contexts, and how compiled code reads a text by it."""

from typing import NamedTuple

import numpy as np

from models.native import Number, leaf
from models.ngram_layout import WORD
from models.skill_kernels import Phrases
from models.word_patterns import FAILED, HOLDS, Automata

#: What is told of a spelling: that it is an everyday word, that its case matters, that in another
#: case it never counts, that it is written in capitals alone.
WEAK, WRITTEN, NEVER_FOLDED, CAPITALS = 1, 2, 4, 8

#: What is told of a character.
UPPER, LOWER, TITLE, ALPHA = 1, 2, 4, 8

#: Where ``contexts`` and ``words`` of :class:`Guards` have what.
CUE_BEFORE, SMALL_CUE, CUE_AFTER, LIST_MARK, FOLLOWS_NOUN = 0, 1, 2, 3, 4
BEFORE, AFTER, CUE_WORDS, MARKS = 0, 1, 2, 3

_NEW_LINE, _SPACE, _LAST_ASCII = 10, 32, 127


class Guards(NamedTuple):
    """What is known of spellings and contexts.

    Attributes
    ----------
    flags : ndarray of uint8, shape (n_spellings,)
        ``WEAK``, ``WRITTEN``, ``NEVER_FOLDED`` and ``CAPITALS``.
    categories : ndarray of uint8, shape (n_spellings,)
        The category of its skill, from 1 on.
    tool : int
        The category of products.
    company : ndarray of bool, shape (n, n)
        Whether the company of the second category vouches for the first.
    rule_bounds : ndarray of int64, shape (n_spellings + 1,)
        Spelling ``i`` is subject to ``rules[rule_bounds[i] : rule_bounds[i + 1]]``.
    rules : ndarray of int64, shape (n, 3)
        Where the automata of what precedes, of what follows, and of what does not count begin.
    written_bounds, variant_bounds, variants : ndarray of int64, int64 and uint32
        In the case of the table, spelling ``i`` has the variants
        ``[written_bounds[i], written_bounds[i + 1])``, of which ``j`` is
        ``variants[variant_bounds[j] : variant_bounds[j + 1]]``.
    characters : ndarray of uint8, shape (0x110000,)
        ``UPPER``, ``LOWER``, ``TITLE`` and ``ALPHA``.
    contexts : ndarray of int64, shape (5,)
        Where the automata of cues before, small cues, cues after, marks of lists, and words that
        follow nouns begin.
    words : ndarray of int64, shape (4,)
        How many words rules see before and after, cues before, and how many marks a list has.
    automata : Automata
    """

    flags: np.ndarray
    categories: np.ndarray
    tool: int
    company: np.ndarray
    rule_bounds: np.ndarray
    rules: np.ndarray
    written_bounds: np.ndarray
    variant_bounds: np.ndarray
    variants: np.ndarray
    characters: np.ndarray
    contexts: np.ndarray
    words: np.ndarray
    automata: Automata


class Text(NamedTuple):
    """A text as it is judged.

    Attributes
    ----------
    raw : ndarray of uint32
    origins : ndarray of int32
        Where each folded character was read in it; empty where it is in the same place.
    parted, places : ndarray
        As :func:`models.skill_kernels.find` returns them.
    """

    raw: np.ndarray
    origins: np.ndarray
    parted: np.ndarray
    places: np.ndarray


@leaf
def span(text: Text, first: Number, last: Number) -> tuple[Number, Number]:
    """Return where tokens ``[first, last)`` were read in the raw text."""
    start, end = np.int64(text.places[first, 0]), np.int64(text.places[last - 1, 1])
    if len(text.origins) == 0:
        return start, end
    return np.int64(text.origins[start]), np.int64(text.origins[end - 1]) + 1


@leaf
def is_paragraph(text: Text, token: Number) -> Number:
    """Whether a token is a blank line."""
    return text.parted[text.places[token, 0]] == _NEW_LINE


@leaf
def after(known: Guards, state: Number, code: Number) -> Number:
    """Return the state after a character."""
    return np.int64(known.automata.steps[state, known.automata.symbols[code]])


@leaf
def follow(known: Guards, text: Text, state: Number, first: Number, last: Number) -> Number:
    """Whether a pattern holds of tokens ``[first, last)``, a space after each."""
    for token in range(first, min(last, len(text.places))):
        if is_paragraph(text, token):
            continue
        for at in range(text.places[token, 0], text.places[token, 1]):
            state = after(known, state, text.parted[at])
            if state == FAILED:
                return False
        state = after(known, state, _SPACE)
        if state == HOLDS:
            return True
    return False


@leaf
def precede(known: Guards, text: Text, state: Number, last: Number, words: Number) -> Number:
    """Whether a pattern read backward holds of so many tokens before ``last``."""
    if state == FAILED:
        return False
    state = after(known, state, _SPACE)
    for offset in range(min(words, last)):
        token = last - 1 - offset
        if is_paragraph(text, token):
            continue
        start, stop = np.int64(text.places[token, 0]), np.int64(text.places[token, 1])
        for at in range(stop - 1, start - 1, -1):
            state = after(known, state, text.parted[at])
            if state == FAILED:
                return False
        state = after(known, state, _SPACE)
        if state == HOLDS:
            return True
    return False


@leaf
def is_ascii(raw: np.ndarray, start: Number, end: Number) -> Number:
    """As ``str.isascii``."""
    at = start
    while at < end and raw[at] <= _LAST_ASCII:
        at += 1
    return at == end


@leaf
def is_title(known: Guards, raw: np.ndarray, start: Number, end: Number) -> Number:
    """As ``str.istitle``."""
    is_cased = goes_on = False
    for at in range(start, end):
        kind = known.characters[raw[at]]
        if kind & (UPPER | TITLE):
            if goes_on:
                return False
            is_cased = goes_on = True
        elif kind & LOWER:
            if not goes_on:
                return False
        else:
            goes_on = False
    return is_cased


@leaf
def is_upper(known: Guards, raw: np.ndarray, start: Number, end: Number) -> Number:
    """As ``str.isupper``."""
    is_cased = False
    for at in range(start, end):
        kind = known.characters[raw[at]]
        if kind & (LOWER | TITLE):
            return False
        is_cased = is_cased or kind & UPPER > 0
    return is_cased


@leaf
def is_alpha(known: Guards, raw: np.ndarray, start: Number, end: Number) -> Number:
    """As ``str.isalpha``, of a word."""
    at = start
    while at < end and known.characters[raw[at]] & ALPHA:
        at += 1
    return at == end


@leaf
def has_neighbour(phrases: Phrases, text: Text, index: Number, other: Number) -> Number:
    """Whether a token beside another is a word in the same line and sentence."""
    if not 0 <= other < len(text.places):
        return False
    if phrases.kinds[text.parted[text.places[other, 0]]] & 3 != WORD:
        return False
    start, end = span(text, min(index, other), max(index, other) + 1)
    while start < end and text.raw[start] != _NEW_LINE:
        start += 1
    return start == end

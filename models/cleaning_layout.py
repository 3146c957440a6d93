"""What the kernels of cleaning know of characters and words."""

from typing import NamedTuple

import numpy as np

from models.native import Number, leaf
from models.ngram_finding import hash_symbols, place_of_token

#: What is told of each code point beside its class: a decimal digit, a letter, a sign of money.
DIGIT, LETTER, AMOUNT = 4, 8, 16

#: What is told of each word: for who people are, before or after an amount of money, a domain.
IDENTITY, MONEY_BEFORE, MONEY_AFTER, DOMAIN = 1, 2, 4, 8


class Cleaning(NamedTuple):
    """What cleaning needs to know.

    Attributes
    ----------
    kinds : ndarray of uint8, shape (0x110000,)
        Of each code point the class of :mod:`models.ngram_layout`, and whether it is a ``DIGIT``,
        ``LETTER`` or ``AMOUNT``.
    marks : ndarray of uint8, shape (128, 5)
        Of each ASCII character whether it is of ``OPENING`` and the other sets below.
    spelled : ndarray of uint8, shape (128,)
        What each ASCII character is in a spelling; 0 for what is left out of it.
    words : ndarray of uint64, shape (n, 2)
        Open-addressing table of all words known here: hash and number.
    word_bounds, word_codes : ndarray of int64 and uint32
        Their characters, as tokens have them in :class:`models.ngram_layout.Table`.
    word_kinds : ndarray of uint8
        What is told of each, by number.
    word_logs : ndarray of float64
        The log-probability of each in the lexicon, 1 for what is not in it.
    spellings, skeletons : ndarray of uint64
        Hashes of those of the lexicon, in open addressing.
    unseen : ndarray of float64, shape (1,)
        The log-probability of a word that is not in the lexicon, before its length.
    number : ndarray of uint32
        The token for a short number, with its spaces.
    token_codes, token_bounds : ndarray of uint32 and int64
        Those that :mod:`models.cleaning_tokens` puts in, one after the other.
    identity : ndarray of uint32
        The token for who people are.
    """

    kinds: np.ndarray
    marks: np.ndarray
    spelled: np.ndarray
    words: np.ndarray
    word_bounds: np.ndarray
    word_codes: np.ndarray
    word_kinds: np.ndarray
    word_logs: np.ndarray
    spellings: np.ndarray
    skeletons: np.ndarray
    unseen: np.ndarray
    number: np.ndarray
    token_codes: np.ndarray
    token_bounds: np.ndarray
    identity: np.ndarray


#: The columns of ``marks``.
OPENING, CLOSING, PARTING, LEET, GAP = range(5)


@leaf
def is_mark(known: Cleaning, code: Number, kind: Number) -> Number:
    """Whether a character is of one of the sets in ``marks``."""
    return code < 128 and known.marks[code, kind] != 0


@leaf
def word_at(known: Cleaning, codes: np.ndarray, start: Number, stop: Number) -> Number:
    """Return the number of the word ``codes[start:stop]``, 0 if it is not known."""
    digest = hash_symbols(codes, start, stop)
    at = place_of_token(
        known.words, known.word_bounds, known.word_codes, codes, start, stop, digest
    )
    return np.int64(known.words[at, 1])

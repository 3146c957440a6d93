"""The cleaning of text models' texts by compiled code."""

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import numpy as np

from models import cleaning_layout as layout
from models.cleaning_kernels import IDENTITIES, RESPELL, TOKENS, trace
from models.cleaning_layout import GROWTH, Cleaning, Words
from models.errors import NotCompilableError
from models.fast_room import FastRoom
from models.identity import IDENTITY_TOKEN, IDENTITY_WORDS
from models.ngram_building import number_tokens
from models.ngram_layout import character_classes
from models.params import NormaliseParams
from models.respell import (
    CLOSING,
    LEET,
    LEET_CHAR,
    LONGEST,
    OPENING,
    PARTING,
    SHORT_SPELLINGS,
    Lexicon,
)
from models.text import TOP_LEVEL_DOMAINS

#: The signs and words of :mod:`models.text` that make a number an amount.
_AMOUNT_SIGNS = "£$€₹₦¥"
_CURRENCIES = ("usd", "eur", "gbp", "inr", "ngn")
_MONEY_BEFORE = (*_CURRENCIES, "rs")
_MONEY_AFTER = (*_CURRENCIES, "dollars", "pounds", "euros", "rupees")

#: What is put in the place of what, in the order of :mod:`models.cleaning_tokens`.
_TOKENS = (" __url__ ", " __email__ ", " __money__ ", " __longnumber__ ")

#: Room for all that is folded to several characters or none, three times as much as there is.
_FOLD_CODES = 1 << 17

#: Stands for the log-probability of what is in no lexicon: no probability has it.
_ABSENT = 1.0


def trace_text(room: FastRoom, way: int, text: str) -> tuple[str, np.ndarray]:
    """Clean a raw text as :func:`models.text.normalise` does, in one of the room's ways.

    Returns
    -------
    cleaned : str
    origins : ndarray of int32, shape (n, 2)
        Where each character of ``cleaned`` was read.
    """
    codes, _, folded = room.take_in([text])
    most = GROWTH * folded + 16
    cleaned, origins = np.empty(most, np.uint32), np.empty((most, 2), np.int32)
    size = trace(room.places, way, codes, cleaned, origins)
    return cleaned[:size].tobytes().decode("utf-32-le", "surrogatepass"), origins[:size]


def cleaning_of(ways: Sequence[tuple[NormaliseParams, Lexicon | None]]) -> Cleaning:
    """Return what compiled code needs to know to clean texts in several ways.

    Parameters
    ----------
    ways : sequence of tuple
        The rules of each, and the words that it may find.

    Raises
    ------
    NotCompilableError
        If a lexicon has words for which there would be no room.
    """
    lexicons = [Lexicon({}) if lexicon is None else lexicon for _, lexicon in ways]
    kinds: dict[str, int] = {word: 0 for lexicon in lexicons for word in lexicon.counts}
    if any(len(word) > LONGEST for word in kinds):
        raise NotCompilableError(f"the lexicon has words of more than {LONGEST} letters")
    groups: Mapping[int, Iterable[str]] = {
        0: SHORT_SPELLINGS.values(),
        layout.IDENTITY: IDENTITY_WORDS,
        layout.MONEY_BEFORE: _MONEY_BEFORE,
        layout.MONEY_AFTER: _MONEY_AFTER,
        layout.DOMAIN: TOP_LEVEL_DOMAINS.split("|"),
    }
    for kind, words in groups.items():
        for word in words:
            kinds[word] = kinds.get(word, 0) | kind
    numbers = {word: number for number, word in enumerate(kinds, 1)}
    spellings, spelled_words = _meanings(
        [*(lexicon.spellings for lexicon in lexicons), SHORT_SPELLINGS], numbers
    )
    skeletons, skeleton_words = _meanings([lexicon.skeletons for lexicon in lexicons], numbers)
    logs = np.full((len(kinds) + 1, len(ways)), _ABSENT)
    for way, lexicon in enumerate(lexicons):
        own = [numbers[word] for word in lexicon.logs]
        logs[own, way] = list(lexicon.logs.values())
    return Cleaning(
        traits=_traits(),
        spelled=_spelled(),
        rules=np.array([_bits(rules, lexicon) for rules, lexicon in ways]),
        words=words_of(kinds),
        word_kinds=np.array([0, *kinds.values()], np.uint8),
        word_logs=logs,
        spellings=spellings,
        skeletons=skeletons,
        spelled_words=spelled_words,
        skeleton_words=skeleton_words,
        unseen=np.array([math.log(0.5) - lexicon.log_total for lexicon in lexicons]),
        number=_codes(" __number__ "),
        token_codes=_codes("".join(_TOKENS)),
        token_bounds=np.cumsum([0, *map(len, _TOKENS)]),
        identity=_codes(IDENTITY_TOKEN),
        identity_lengths=_lengths(IDENTITY_WORDS),
        folds=np.zeros(sys.maxunicode + 1, np.uint32),
        fold_codes=np.zeros(_FOLD_CODES, np.uint32),
    )


def _bits(rules: NormaliseParams, lexicon: Lexicon | None) -> int:
    return (
        TOKENS * rules.tokens
        + RESPELL * (rules.respell and lexicon is not None)
        + IDENTITIES * rules.identity
    )


def _meanings(
    tables: Sequence[Mapping[str, str]], numbers: Mapping[str, int]
) -> tuple[Words, np.ndarray]:
    """Return the forms that tables have, and the number of the word that each stands for."""
    forms = {form: place for place, form in enumerate(dict.fromkeys(f for t in tables for f in t))}
    meant = np.zeros((len(forms) + 1, len(tables)), np.int64)
    for way, table in enumerate(tables):
        meant[[forms[form] + 1 for form in table], way] = [numbers[each] for each in table.values()]
    return words_of(forms), meant


def words_of(words: Iterable[str]) -> Words:
    """Return words numbered in their order, from 1 on."""
    listed = list(words)
    codes = _codes("".join(listed))
    lengths = np.fromiter(map(len, listed), np.int64, len(listed))
    stops = np.cumsum(lengths)
    found = Words(
        entries=np.zeros((1 << (2 * len(listed) + 1).bit_length(), 2), np.uint64),
        bounds=np.empty(len(listed) + 1, np.int64),
        codes=np.empty(len(codes), np.uint32),
    )
    numbers = np.empty(len(listed), np.int64)
    number_tokens(found.entries, codes, stops - lengths, stops, numbers, found.bounds, found.codes)
    return found


def _lengths(words: Iterable[str]) -> np.ndarray:
    lengths = np.zeros(128, np.uint32)
    for word in words:
        lengths[ord(word[0])] |= 1 << len(word)
    return lengths


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32).copy()


def _spelled() -> np.ndarray:
    spelled = np.arange(max(LEET) + 1, dtype=np.uint32)
    for code, meant in LEET.items():
        spelled[code] = 0 if meant is None else meant
    return spelled


@cache
def _traits() -> np.ndarray:
    """Return what is told of each code point."""
    traits = character_classes().astype(np.uint16)
    words = traits == character_classes()[ord("a")]
    chars = np.arange(len(traits), dtype=np.uint32).view("U1")
    traits[np.strings.isdecimal(chars)] |= layout.DIGIT
    traits[np.strings.isalpha(chars)] |= layout.LETTER
    traits[words] |= layout.OF_ADDRESS
    marked: Mapping[int, Iterable[str]] = {
        layout.AMOUNT: _AMOUNT_SIGNS,
        layout.CONTROL: (chr(code) for code in (*range(32), 127) if not chr(code).isspace()),
        layout.OPENING: OPENING,
        layout.CLOSING: CLOSING,
        layout.PARTING: filter(PARTING.fullmatch, map(chr, range(128))),
        layout.LEET: filter(LEET_CHAR.fullmatch, map(chr, LEET)),
        layout.GAP: " ().-",
        layout.OF_DOMAIN: "abcdefghijklmnopqrstuvwxyz0123456789-",
        layout.OF_ADDRESS: ".+-",
    }
    for trait, signs in marked.items():
        traits[[ord(sign) for sign in signs]] |= trait
    return traits

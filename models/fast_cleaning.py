"""The cleaning of a text model's texts by compiled code, where that knows how."""

import math
from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np

from models import cleaning_layout as layout
from models.cleaning_disguises import hash_spellings
from models.cleaning_kernels import GROWTH, IDENTITIES, RESPELL, TOKENS, clean
from models.cleaning_layout import Cleaning
from models.identity import IDENTITY_TOKEN, IDENTITY_WORDS
from models.ngram_building import number_tokens
from models.ngram_layout import character_classes
from models.params import NormaliseParams
from models.respell import CLOSING, LEET, LEET_CHAR, OPENING, PARTING, Lexicon
from models.text import TOP_LEVEL_DOMAINS

#: The signs and words of :mod:`models.text` that make a number an amount.
_AMOUNT_SIGNS = "£$€₹₦¥"
_CURRENCIES = ("usd", "eur", "gbp", "inr", "ngn")
_MONEY_BEFORE = (*_CURRENCIES, "rs")
_MONEY_AFTER = (*_CURRENCIES, "dollars", "pounds", "euros", "rupees")

#: What is put in the place of what, in the order of :mod:`models.cleaning_tokens`.
_TOKENS = (" __url__ ", " __email__ ", " __money__ ", " __longnumber__ ")

#: What may stand between the digits of a long number.
_GAPS = " ().-"

#: Stands for the log-probability of what is in no lexicon: no probability has it.
_ABSENT = 1.0


class FastCleaner:
    """Cleans texts as :func:`models.text.normalise` does.

    Parameters
    ----------
    rules : NormaliseParams
    lexicon : Lexicon, optional
    """

    def __init__(self, rules: NormaliseParams, lexicon: Lexicon | None) -> None:
        self._rules = (
            TOKENS * rules.tokens
            + RESPELL * (rules.respell and lexicon is not None)
            + IDENTITIES * rules.identity
        )
        self._known = _cleaning(Lexicon({}) if lexicon is None else lexicon)

    def clean(
        self, folded: np.ndarray, ends: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Clean what :func:`models.text.fold` returned of some texts.

        Parameters
        ----------
        folded : ndarray of uint32
            Their code points, one text after the other.
        ends : ndarray of int64, shape (n_texts,)
            Where each ends.

        Returns
        -------
        cleaned : ndarray of uint32
        origins : ndarray of int32, shape (n, 2)
            Where each character of ``cleaned`` was read, in the folded text.
        bounds : ndarray of int64, shape (n_texts, 2)
            Where each text is in ``cleaned``; -1 for one that needs :func:`models.text.normalise`.
        """
        room = room_for(folded, ends)
        cleaned = np.empty(room, np.uint32)
        origins = np.empty((room, 2), np.int32)
        bounds = np.empty((len(ends), 2), np.int64)
        size, _ = self.clean_into(folded, ends, 0, cleaned, origins, bounds)
        return cleaned[:size], origins[:size], bounds

    def clean_into(
        self,
        folded: np.ndarray,
        ends: np.ndarray,
        kept: int,
        cleaned: np.ndarray,
        origins: np.ndarray,
        bounds: np.ndarray,
    ) -> tuple[int, int]:
        """Clean texts as :meth:`clean` does, behind ``kept`` characters that are there already.

        Returns
        -------
        kept : int
            How many characters are there now.
        left : int
            How many texts need :func:`models.text.normalise`.
        """
        counts: tuple[int, int] = clean(
            self._known, folded, ends, self._rules, kept, cleaned, origins, bounds
        )
        return counts


def room_for(folded: np.ndarray, ends: np.ndarray) -> int:
    """Return how many characters texts may have at most when they are cleaned."""
    return GROWTH * len(folded) + 16 * len(ends)


def _cleaning(lexicon: Lexicon) -> Cleaning:
    kinds: dict[str, int] = dict.fromkeys(lexicon.counts, 0)
    groups: Mapping[int, Iterable[str]] = {
        layout.IDENTITY: IDENTITY_WORDS,
        layout.MONEY_BEFORE: _MONEY_BEFORE,
        layout.MONEY_AFTER: _MONEY_AFTER,
        layout.DOMAIN: TOP_LEVEL_DOMAINS.split("|"),
    }
    for kind, words in groups.items():
        for word in words:
            kinds[word] = kinds.get(word, 0) | kind
    codes = _codes("".join(kinds))
    lengths = np.fromiter(map(len, kinds), np.int64, len(kinds))
    stops = np.cumsum(lengths)
    table = np.zeros((_slots_for(len(kinds)), 2), np.uint64)
    bounds = np.empty(len(kinds) + 1, np.int64)
    word_codes = np.empty(len(codes), np.uint32)
    numbers = np.empty(len(kinds), np.int64)
    number_tokens(table, codes, stops - lengths, stops, numbers, bounds, word_codes)
    logs = [lexicon.logs.get(word, _ABSENT) for word in kinds]
    known = Cleaning(
        kinds=_kinds(),
        marks=_marks(),
        spelled=_spelled(),
        words=table,
        word_bounds=bounds,
        word_codes=word_codes,
        word_kinds=np.array([0, *kinds.values()], np.uint8),
        word_logs=np.array([_ABSENT, *logs]),
        spellings=np.zeros(_slots_for(len(lexicon.counts)), np.uint64),
        skeletons=np.zeros(_slots_for(len(lexicon.counts)), np.uint64),
        unseen=np.array([math.log(0.5) - lexicon.log_total]),
        number=_codes(" __number__ "),
        token_codes=_codes("".join(_TOKENS)),
        token_bounds=np.cumsum([0, *map(len, _TOKENS)]),
        identity=_codes(IDENTITY_TOKEN),
    )
    hash_spellings(known, word_codes, bounds[: len(lexicon.counts) + 1])
    return known


def _slots_for(entries: int) -> int:
    return 1 << (2 * entries + 1).bit_length()


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32).copy()


def _marks() -> np.ndarray:
    sets = {
        layout.OPENING: OPENING,
        layout.CLOSING: CLOSING,
        layout.PARTING: filter(PARTING.fullmatch, map(chr, range(128))),
        layout.LEET: filter(LEET_CHAR.fullmatch, map(chr, range(128))),
        layout.GAP: _GAPS,
    }
    marks = np.zeros((128, len(sets)), np.uint8)
    for kind, chars in sets.items():
        marks[[ord(char) for char in chars], kind] = 1
    return marks


def _spelled() -> np.ndarray:
    spelled = np.arange(128, dtype=np.uint8)
    for code, meant in LEET.items():
        if code < 128:
            spelled[code] = 0 if meant is None else meant
    return spelled


@cache
def _kinds() -> np.ndarray:
    """Return what is told of each code point."""
    kinds = character_classes().astype(np.uint8)
    chars = np.arange(len(kinds), dtype=np.uint32).view("U1")
    kinds[np.strings.isdecimal(chars)] |= layout.DIGIT
    kinds[np.strings.isalpha(chars)] |= layout.LETTER
    kinds[[ord(sign) for sign in _AMOUNT_SIGNS]] |= layout.AMOUNT
    return kinds

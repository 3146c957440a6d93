"""Spellings found in texts by compiled code."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from models.ngram_layout import character_classes
from models.skill_finder import Found
from models.skill_forms import UNSPACED_RANGES, Tokens, fold_character, fold_text, without_addresses
from models.skill_kernels import UNSPACED, Phrases, fold, note_words, plant, read

#: Texts of other characters are folded by :mod:`models.skill_forms`: letters of the West, marks,
#: letters of full width, and pictures are here.
_FOLDED = ((0x0000, 0x3100), (0xFE00, 0x10000), (0x1F000, 0x1FB00))

#: How much longer a text may get when it is folded, before it is left to :mod:`models.skill_forms`.
_GROWTH = 2

_Array = np.ndarray


class FastFinder:
    """Finds spellings by compiled code, as :class:`models.skill_finder.AutomatonFinder` does.

    Parameters
    ----------
    forms : sequence of str
        Folded spellings: words with a space between each two.
    """

    def __init__(self, forms: Sequence[str]) -> None:
        self.known = _phrases(forms)

    def find(self, text: str) -> tuple[Tokens, list[Found]]:
        """As :class:`models.skill_finder.Finder` has it."""
        _, codes, origins = folded(text)
        line, places, found = read(self.known, codes, True)
        if not len(line):  # no words, or perhaps addresses among them
            codes = codes_of(without_addresses(text_of(codes)))
            line, places, found = read(self.known, codes, False)
        if not len(found):
            return Tokens([], []), []
        words = text_of(line).split(" ")
        # Few of the places are asked for.
        traced = None if origins is None else origins.data
        return Tokens(words, places[:, 0].data, traced), found.tolist()


def folded(text: str) -> tuple[_Array, _Array, _Array | None]:
    """Return the characters of a text, those it is folded to, and where each of these was read.

    That is None if each was read where it is.
    """
    raw = codes_of(text)
    if text.isascii():
        return raw, codes_of(text.lower()), None
    codes = np.empty(_GROWTH * len(raw) + 1, np.uint32)
    origins = np.empty(len(codes), np.int32)
    size = fold(*_folds(), raw, codes, origins)
    if size >= 0:
        return raw, codes[:size], origins[:size]
    slowly, traced = fold_text(text)
    return raw, codes_of(slowly), None if traced is None else np.array(traced, np.int32)


def codes_of(text: str) -> _Array:
    """Return the code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).copy()


def text_of(codes: _Array) -> str:
    """Return the text with these code points."""
    return codes.tobytes().decode("utf-32-le", "surrogatepass")


def _phrases(forms: Sequence[str]) -> Phrases:
    numbers: dict[str, int] = {}  # of the words, from 1 on
    spelled = [
        [numbers.setdefault(word, len(numbers) + 1) for word in form.split(" ")] for form in forms
    ]
    flat = np.array([word for form in spelled for word in form], np.int64)
    bounds = np.cumsum([0, *map(len, spelled)])
    steps = _room_for(int(bounds[-1]))
    spellings = np.full(bounds[-1] + 1, -1, np.int32)
    firsts = np.zeros(len(numbers) + 1, np.int32)
    plant(firsts, steps, spellings, flat, bounds)
    words, heads = _room_for(len(numbers)), np.zeros(1 << 16, np.bool_)
    word_bounds, word_codes = np.cumsum([0, *map(len, numbers)]), codes_of("".join(numbers))
    note_words(words, heads, firsts, word_bounds, word_codes)
    return Phrases(_kinds(), words, word_bounds, word_codes, heads, firsts, steps, spellings)


def _room_for(entries: int) -> _Array:
    """Return an empty table that is at most half full with so many entries."""
    return np.zeros((1 << (2 * entries + 1).bit_length(), 2), np.uint64)


@cache
def _kinds() -> _Array:
    """Return what is told of each code point."""
    kinds = character_classes().astype(np.uint8)
    for first, last in UNSPACED_RANGES:
        kinds[first : last + 1] |= UNSPACED
    return kinds


@cache
def _folds() -> tuple[_Array, _Array]:
    """Return what characters are folded to, as the kernel takes it."""
    places = np.full(_FOLDED[-1][1], -1, np.int32)
    folded = [0]
    for first, last in _FOLDED:
        for code in range(first, last):
            char = chr(code)
            to = fold_character(char)
            places[code] = 0 if to == char else len(folded)
            if to != char:
                folded += [len(to), *map(ord, to)]
    return places, np.array(folded, np.uint32)

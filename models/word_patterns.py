r"""Patterns of words as automata that compiled code runs over code points, one step for each.

What patterns may have is what the rules about skills need: characters and classes of them, ``\w``
and ``\d``, groups, alternatives, ``?``, ``*``, ``+`` and ``{n}``. They mean what they mean in
:mod:`re`.

References
----------
Glushkov, The abstract theory of automata, 1961: a state for each character of a pattern. Of these
the sets that a text can lead to become the states here (Rabin and Scott, 1959).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from models.ngram_layout import WORD, character_classes

#: The states in which a pattern cannot hold any more, and in which it holds.
FAILED, HOLDS = 0, 1

# The symbols of characters that no pattern names.
_OTHER, _OTHER_WORD, _OTHER_DIGIT = 0, 1, 2


class Automata(NamedTuple):
    """Several patterns in one table.

    Attributes
    ----------
    symbols : ndarray of uint8, shape (0x110000,)
        The symbol of each code point.
    steps : ndarray of int32, shape (n_states, n_symbols)
        The state after each symbol; ``FAILED`` and ``HOLDS`` lead to themselves.
    """

    symbols: np.ndarray
    steps: np.ndarray


@dataclass(frozen=True)
class Pattern:
    """A pattern to be read from its first character on, or ``backward`` from its last."""

    written: str
    backward: bool = False


def automata(patterns: Sequence[Pattern]) -> tuple[Automata, list[int]]:
    """Return automata for ``patterns``, and the state in which each begins.

    A pattern holds as soon as what was read is enough for it, whatever follows. An empty one never
    does.
    """
    named = sorted({char for pattern in patterns for char in pattern.written})
    numbers = {char: symbol for symbol, char in enumerate(named, _OTHER_DIGIT + 1)}
    n_symbols = len(named) + _OTHER_DIGIT + 1
    rows = [[FAILED] * n_symbols, [HOLDS] * n_symbols]
    starts = [_add(rows, _Reader(pattern.written, numbers), pattern) for pattern in patterns]
    return Automata(_symbols(numbers), np.array(rows, np.int32)), starts


def _symbols(numbers: Mapping[str, int]) -> np.ndarray:
    chars = np.arange(0x110000, dtype=np.uint32).view("U1")
    symbols = np.full(len(chars), _OTHER, np.uint8)
    symbols[character_classes() == WORD] = _OTHER_WORD
    symbols[np.strings.isdecimal(chars)] = _OTHER_DIGIT
    for char, symbol in numbers.items():
        symbols[ord(char)] = symbol
    return symbols


class _Part(NamedTuple):
    """Part of a pattern: whether it may be empty, and the places it may begin and end at."""

    may_be_empty: bool
    firsts: frozenset[int]
    lasts: frozenset[int]


@dataclass
class _Reader:
    """Reads a pattern into places, each with the symbols it takes and the places after it."""

    written: str
    numbers: Mapping[str, int]
    at: int = 0
    takes: list[frozenset[int]] = field(default_factory=list)
    after: list[set[int]] = field(default_factory=list)

    def alternatives(self) -> _Part:
        """Read up to the end of a group, or of the pattern."""
        parts = [self._sequence()]
        while self._next() == "|":
            self.at += 1
            parts.append(self._sequence())
        return _Part(
            any(part.may_be_empty for part in parts),
            frozenset().union(*(part.firsts for part in parts)),
            frozenset().union(*(part.lasts for part in parts)),
        )

    def _next(self) -> str:
        return self.written[self.at : self.at + 1]

    def _sequence(self) -> _Part:
        whole = _Part(True, frozenset(), frozenset())
        while self._next() not in ("", "|", ")"):
            whole = self._joined(whole, self._repeated())
        return whole

    def _joined(self, left: _Part, right: _Part) -> _Part:
        for place in left.lasts:
            self.after[place] |= right.firsts
        return _Part(
            left.may_be_empty and right.may_be_empty,
            left.firsts | right.firsts if left.may_be_empty else left.firsts,
            left.lasts | right.lasts if right.may_be_empty else right.lasts,
        )

    def _repeated(self) -> _Part:
        start = self.at
        part = self._single()
        sign = self._next()
        if sign and sign in "*+?":
            self.at += 1
            if sign != "?":
                part = self._joined(part, part)
            return _Part(part.may_be_empty or sign != "+", part.firsts, part.lasts)
        if sign == "{":
            end = self.written.index("}", self.at)
            for _ in range(int(self.written[self.at + 1 : end]) - 1):
                self.at = start
                part = self._joined(part, self._single())
            self.at = end + 1
        return part

    def _single(self) -> _Part:
        if self.written.startswith("(?:", self.at):
            self.at += 3
            part = self.alternatives()
            self.at += 1
            return part
        if self._next() == "[":
            end = self.written.index("]", self.at)
            taken = self._of(self.written[self.at + 1 : end])
            self.at = end + 1
        else:
            size = 1 + (self._next() == "\\")
            taken = self._named(self.written[self.at : self.at + size])
            self.at += size
        self.takes.append(taken)
        self.after.append(set())
        place = frozenset([len(self.takes) - 1])
        return _Part(False, place, place)

    def _named(self, char: str) -> frozenset[int]:
        if char not in ("\\w", "\\d"):
            return self._of(char[-1])
        others = {_OTHER_DIGIT, _OTHER_WORD} if char == "\\w" else {_OTHER_DIGIT}
        return self._of(each for each in self.numbers if re.match(char, each)) | others

    def _of(self, chars: Iterable[str]) -> frozenset[int]:
        return frozenset(self.numbers[char] for char in chars)


def _add(rows: list[list[int]], reader: _Reader, pattern: Pattern) -> int:
    """Add the states of a pattern to ``rows``, and return the first."""
    whole = reader.alternatives()
    firsts, lasts, after = whole.firsts, whole.lasts, reader.after
    if pattern.backward:
        firsts, lasts = lasts, firsts
        after = [set() for _ in reader.after]
        for place, others in enumerate(reader.after):
            for other in others:
                after[other].add(place)
    states: dict[frozenset[int], int] = {frozenset(): FAILED}
    waiting: list[frozenset[int]] = []

    def state_of(places: frozenset[int]) -> int:
        if places not in states:
            states[places] = len(rows)
            rows.append([FAILED] * len(rows[FAILED]))
            waiting.append(places)
        return states[places]

    start = state_of(firsts)
    while waiting:
        places = waiting.pop()
        met: dict[int, set[int]] = {}
        for place in places:
            for symbol in reader.takes[place]:
                met.setdefault(symbol, set()).add(place)
        row = rows[states[places]]
        for symbol, taken in met.items():
            if lasts & taken:
                row[symbol] = HOLDS
            else:
                row[symbol] = state_of(frozenset().union(*(after[place] for place in taken)))
    return start

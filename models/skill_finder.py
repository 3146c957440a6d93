"""Spellings found in texts as whole words: by an automaton, or by compiled code.

Both find the same. The automaton is what compiled code is compared with, and what answers until
there is any.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import ahocorasick  # type: ignore[import-not-found, unused-ignore]

from models.native_cache import is_compiled
from models.skill_forms import Tokens, tokenise
from models.taxonomy import Spelling

if TYPE_CHECKING:
    from models.fast_mentions import FastMentions
    from models.fast_skills import FastFinder

#: A spelling in a text: its first token, the one after its last, and its number.
Found = Sequence[int]


class Finder(Protocol):
    """Finds spellings in texts."""

    def find(self, text: str) -> tuple[Tokens, list[Found]]:
        """Return the words of ``text``, and every spelling: by its first word, the longest first.

        Where nothing is found the words may be left out.
        """


class AutomatonFinder:
    """Finds spellings by an automaton over characters.

    Parameters
    ----------
    forms : sequence of str
        Folded spellings: words with a space between each two.

    References
    ----------
    Aho and Corasick, Efficient string matching, 1975: time is linear in the text, whatever the
    number of spellings.
    """

    def __init__(self, forms: Sequence[str]) -> None:
        self._automaton = ahocorasick.Automaton()
        for number, form in enumerate(forms):
            # Spaces on both sides: nothing but whole words is found.
            self._automaton.add_word(f" {form} ", (form.count(" ") + 1, number))
        self._automaton.make_automaton()

    def find(self, text: str) -> tuple[Tokens, list[Found]]:
        """As :class:`Finder` has it."""
        tokens = tokenise(text)
        if not tokens.words or not len(self._automaton):
            return tokens, []
        line = f" {' '.join(tokens.words)} "
        found: list[Found] = []
        last = counted = 0
        for end, (length, number) in self._automaton.iter(line):
            # A match ends at the space after its last token, and ends never go back.
            last += line.count(" ", counted + 1, end + 1)
            counted = end
            found.append((last - length, last, number))
        return tokens, sorted(found, key=lambda each: (each[0], -each[1]))


def open_finder(forms: Sequence[str]) -> "AutomatonFinder | FastFinder":
    """Return what finds ``forms`` fastest by now."""
    if is_compiled():
        from models.fast_skills import FastFinder  # numba takes half a second to import

        return FastFinder(forms)
    return AutomatonFinder(forms)


def open_mentions(
    finder: "AutomatonFinder | FastFinder", table: Sequence[tuple[str, Spelling]]
) -> "FastMentions | None":
    """Return what finds and judges the spellings of ``table`` in one go, if it was compiled."""
    if isinstance(finder, AutomatonFinder):
        return None
    from models.fast_mentions import FastMentions

    return FastMentions(finder, table)

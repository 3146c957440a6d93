"""Mentions of skills in texts by compiled code: spellings found and judged in one go."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import accumulate
from typing import get_args

import numpy as np

from models.fast_skills import FastFinder, codes_of, folded, text_of
from models.skill_context import (
    COMPANY,
    CUE_AFTER,
    CUE_BEFORE,
    CUE_WORDS,
    FOLLOWS_NOUNS,
    LIST_MARKS,
    MAX_LIST_MARKS,
    NEVER_FOLDED,
    RULES,
    RULES_OF,
    SMALL_CUES,
    WORDS_AFTER,
    WORDS_BEFORE,
    patterns_of,
)
from models.skill_forms import without_addresses
from models.skill_guards import ALPHA, CAPITALS, LOWER, TITLE, UPPER, WEAK, WRITTEN, Guards
from models.skill_guards import NEVER_FOLDED as NEVER
from models.skill_judging import ADDRESSES, JUDGED, read_mentions
from models.taxonomy import Category, Spelling
from models.word_patterns import Automata, Pattern, automata

_NOWHERE = np.empty(0, np.int32)


class FastMentions:
    """Finds what :class:`models.skill_matcher.SkillMatcher` finds.

    Parameters
    ----------
    finder : FastFinder
    table : sequence of (str, Spelling)
        Its folded spellings in their order, and what they stand for.
    """

    def __init__(self, finder: FastFinder, table: Sequence[tuple[str, Spelling]]) -> None:
        self._phrases = finder.known
        self.guards = _guards(table)

    def find(self, text: str) -> list[list[int]] | None:
        """Return the number, start and end of each spelling that means its skill.

        None if compiled code does not know, as of letters that look like those of the table.
        """
        raw, codes, origins = folded(text)
        traced = _NOWHERE if origins is None else origins
        state, found = read_mentions(self.guards, self._phrases, raw, codes, traced, True)
        if state == ADDRESSES:
            codes = codes_of(without_addresses(text_of(codes)))
            state, found = read_mentions(self.guards, self._phrases, raw, codes, traced, False)
        mentions: list[list[int]] = found.tolist()
        return mentions if state == JUDGED else None


def _guards(table: Sequence[tuple[str, Spelling]]) -> Guards:
    names = get_args(Category)
    numbers = {category: number for number, category in enumerate(names, 1)}
    company = np.zeros((len(names) + 1, len(names) + 1), np.bool_)
    for category, others in COMPANY.items():
        company[numbers[category], [numbers[other] for other in others]] = True
    known, starts = _automata()
    rules = [RULES_OF.get(form, []) for form, _ in table]
    written = [sorted(spelling.written) for _, spelling in table]
    return Guards(
        flags=np.array([_flags(form, spelling) for form, spelling in table], np.uint8),
        categories=np.array([numbers[each.skill.category] for _, each in table], np.uint8),
        tool=numbers["tool"],
        company=company,
        rule_bounds=_bounds(rules),
        rules=np.array(
            [starts[3 * rule : 3 * rule + 3] for each in rules for rule in each], np.int64
        ).reshape(-1, 3),
        written_bounds=_bounds(written),
        variant_bounds=_bounds([each for variants in written for each in variants]),
        variants=codes_of("".join(each for variants in written for each in variants)),
        characters=_characters(),
        contexts=np.array(starts[3 * len(RULES) :], np.int64),
        words=np.array([WORDS_BEFORE, WORDS_AFTER, CUE_WORDS, MAX_LIST_MARKS], np.int64),
        automata=known,
    )


def _flags(form: str, spelling: Spelling) -> int:
    return (
        WEAK * spelling.weak
        + WRITTEN * bool(spelling.written)
        + NEVER * (form in NEVER_FOLDED)
        + CAPITALS * all(map(str.isupper, spelling.written))
    )


def _bounds(parts: Sequence[Sequence[object]]) -> np.ndarray:
    return np.array([0, *accumulate(map(len, parts))], np.int64)


@cache
def _automata() -> tuple[Automata, list[int]]:
    """Return automata of all contexts: three for each rule, and then those of ``Guards``."""
    patterns = []
    for rule in RULES:
        before, after, unless = patterns_of(rule)
        patterns += [Pattern(before, backward=True), Pattern(after), Pattern(unless)]
    return automata(
        [
            *patterns,
            Pattern(CUE_BEFORE, backward=True),
            Pattern(f" {_any_of(SMALL_CUES)} ", backward=True),
            Pattern(CUE_AFTER),
            Pattern(f"{_any_of(LIST_MARKS)} "),
            Pattern(f"{_any_of(FOLLOWS_NOUNS)} "),
        ]
    )


def _any_of(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, sorted(words)))})"


@cache
def _characters() -> np.ndarray:
    """Return what is told of each code point."""
    chars = np.arange(0x110000, dtype=np.uint32).view("U1")
    kinds = np.zeros(len(chars), np.uint8)
    kinds[np.strings.isupper(chars)] = UPPER
    kinds[np.strings.islower(chars)] = LOWER
    kinds[np.strings.istitle(chars) & ~np.strings.isupper(chars)] = TITLE
    kinds[np.strings.isalpha(chars)] |= ALPHA
    return kinds


def exercise() -> None:
    """Use every kernel, so that it is compiled."""
    finder = FastFinder(["a b"])
    finder.find("a b é")
    FastMentions(finder, []).find("")

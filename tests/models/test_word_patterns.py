"""Automata against :mod:`re`: they hold where the pattern does."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.skill_context import CUE_AFTER, CUE_BEFORE, RULES, patterns_of
from models.word_patterns import HOLDS, Pattern, automata

SMALL = [
    r"a(?:b|cd?)*e ",
    r"\d{3}x?|[+&]y",
    r"(?:a|ab)(?:c|bcd)+\w*\.",
    r"\w+b\+",
    "x{2}y",
    "(?:ab){2}|b?c?d",
]
WORDS = sorted({word for rule in RULES for part in patterns_of(rule) for word in part.split()})
ENDS = re.compile(r"[a-z]+|\d|[^\w\s]")
PIECES = sorted({piece for text in (*WORDS, CUE_BEFORE, CUE_AFTER) for piece in ENDS.findall(text)})


def holds(pattern: Pattern, text: str) -> bool:
    """Return whether the automaton holds of ``text``, read in the direction of the pattern."""
    known, [state] = automata([pattern])
    for char in text[:: -1 if pattern.backward else 1]:
        state = int(known.steps[state, known.symbols[ord(char)]])
    return state == HOLDS


@settings(max_examples=300)
@given(st.sampled_from(SMALL), st.text("abcdexy ²٣3+&.é_", max_size=9))
def test_patterns_hold_as_regular_expressions_do(written: str, text: str) -> None:
    assert holds(Pattern(written), text) == (re.match(written, text) is not None)
    at_the_end = re.search(f"(?:{written})\\Z", text) is not None
    assert holds(Pattern(written, backward=True), text) == at_the_end


RULED = [part for rule in RULES for part in patterns_of(rule) if part]
ALL, STARTS = automata(
    [Pattern(part, backward) for part in [*RULED, CUE_BEFORE, CUE_AFTER] for backward in (0, 1)]
)
COMPILED = [re.compile(part) for part in [*RULED, CUE_BEFORE, CUE_AFTER]]
AT_END = [re.compile(f"(?:{part})\\Z") for part in [*RULED, CUE_BEFORE, CUE_AFTER]]


@settings(max_examples=400)
@given(
    st.integers(0, len(COMPILED) - 1),
    st.lists(st.sampled_from([*PIECES, " ", " ", " ", "٣", "é"]), max_size=8).map("".join),
)
def test_every_rule_and_cue_holds_as_its_regular_expression_does(number: int, text: str) -> None:
    text = f" {text} "
    for start, order, expected in (
        (STARTS[2 * number], 1, COMPILED[number].match(text.lstrip())),
        (STARTS[2 * number + 1], -1, AT_END[number].search(text)),
    ):
        state = start
        for char in (text.lstrip() if order == 1 else text)[::order]:
            state = int(ALL.steps[state, ALL.symbols[ord(char)]])
        assert (state == HOLDS) == (expected is not None)


@pytest.mark.parametrize("backward", [False, True])
def test_an_empty_pattern_never_holds(backward: bool) -> None:
    assert not holds(Pattern("", backward), "")
    assert not holds(Pattern("", backward), "a")


def test_characters_of_a_class_are_those_of_re() -> None:
    known, [word, digit] = automata([Pattern(r"\w"), Pattern(r"\d")])
    chars = [chr(code) for code in range(0x110000)]
    for start, written in ((word, r"\w"), (digit, r"\d")):
        found = known.steps[start][known.symbols] == HOLDS
        matched = re.compile(written).fullmatch
        assert np.array_equal(found, [matched(char) is not None for char in chars])

"""Compiled finding of spellings against the automaton: the same words, places and spellings."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.fast_mentions import exercise
from models.fast_skills import FastFinder
from models.postings import load_postings
from models.skill_finder import AutomatonFinder, Found
from models.skill_forms import PARAGRAPH, Tokens
from models.taxonomy import load_taxonomy, spelling_table
from tests.factories import ROOT

SPELLINGS = sorted(spelling_table(load_taxonomy(Path("data/taxonomy/skills.csv"))))
exercise()  # the first call loads kernels and tables, which is no example's time

#: Spellings in one another, and such as texts made of a few characters have.
SMALL = [
    "a",
    "a b",
    "a b c",
    "b",
    "b c",
    "c #",
    "c#",
    "c++",
    ".net",
    "a . net",
    "x / b",
    "精通",
    "ss",
]

#: What words are made of, what joins and parts them, and what is folded to nothing or to more.
CHARACTERS = (
    "aAbBcCeEnNtTxz019 \n\n\r\t\x0b\x1c\x85\u2028_-.'+#/@:&,w"
    "精通คй\u0301éßﬁ½™…\u200bİøŁ’–Ａ😀🄰ꭰ가\ud800"
)

CUTS = (
    "www.a.com/b c",
    "http://a",
    "a@b.net",
    "x.in/ a",
    "a.b.co/#",
    "in/ c++",
    "://",
    ".net ",
    "\n \n",
)


def places(tokens: Tokens) -> list[tuple[int, int]]:
    """Return the span of every token but blank lines, which none asks for."""
    numbers = range(len(tokens.words))
    return [tokens.span(at, at + 1) for at in numbers if tokens.words[at] != PARAGRAPH]


def check(forms: Sequence[str], text: str) -> list[Found]:
    """Check that both ways find the same in a text, and return it."""
    tokens, found = AutomatonFinder(forms).find(text)
    fast_tokens, fast_found = FastFinder(forms).find(text)
    assert list(map(tuple, fast_found)) == list(map(tuple, found))
    if found:
        assert fast_tokens.words == tokens.words
        assert places(fast_tokens) == places(tokens)
    return found


@settings(max_examples=400)
@given(st.lists(st.one_of(st.sampled_from(CHARACTERS), st.sampled_from(CUTS))).map("".join))
def test_any_text_is_read_as_the_automaton_reads_it(text: str) -> None:
    check(SMALL, f"{text} a")  # what is found shows the words too


@given(st.text())
def test_any_characters_at_all_are_read_alike(text: str) -> None:
    check(SMALL, f"{text} a")


def test_postings_are_read_alike_with_all_spellings() -> None:
    slow, fast = AutomatonFinder(SPELLINGS), FastFinder(SPELLINGS)
    count = 0
    for posting in load_postings(ROOT / "data" / "starter" / "postings.jsonl"):
        for text in (posting.description or "", (posting.description or "").replace(" ", "\u00a0")):
            tokens, found = slow.find(text)
            fast_tokens, fast_found = fast.find(text)
            assert list(map(tuple, fast_found)) == list(map(tuple, found))
            assert fast_tokens.words == (tokens.words if found else [])
            count += len(found)
    assert count > 1_000


@pytest.mark.parametrize("text", ["", " ", "_", "\n\n", "http://example.org/python"])
def test_a_text_without_spellings_has_none(text: str) -> None:
    assert check(SPELLINGS, text) == []


def test_without_spellings_nothing_is_found() -> None:
    assert check([], "Python") == []


def test_of_spellings_in_one_another_all_are_found_the_longest_first() -> None:
    assert [tuple(each) for each in check(SMALL, "A-b c")] == [
        (0, 3, 2),
        (0, 2, 1),
        (0, 1, 0),
        (1, 3, 4),
        (1, 2, 3),
    ]

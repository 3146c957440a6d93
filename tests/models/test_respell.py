import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.params import NormaliseParams
from models.respell import Lexicon
from models.text import normalise, normalise_with_offsets

RULES = NormaliseParams(tokens=True, respell=True, identity=False)
LEXICON = Lexicon.learn(
    [
        "you are a stupid idiot",
        "kill the process",
        "the worthless assholes believe it",
        "may be so",
        "that was good for 50 people",
    ]
    * 5
    + ["be", "may", "the process"] * 50
)


def read(text: str) -> str:
    return normalise(text, RULES, LEXICON)


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("y o u   a r e   a   s t u p i d", "you are a stupid"),
        ("y o u a r e a s t u p i d i d i o t", "you are a stupid idiot"),
        ("you i d i o t ! no", "you idiot! no"),
        ("s.t.u.p.i.d", "stupid"),
        ("stu-pid idi.ot", "stupid idiot"),
        ("(worth less)", "(worthless)"),
        ("stpd wrthlss", "stupid worthless"),
        ("st*pid", "stupid"),
        ("stuuuupid idddiot kiiiill goooood", "stupid idiot kill good"),
        ("$7up!d 1d10t be1ieve k!11", "stupid idiot believe kill"),
        ("$.7.u.p.!.d", "stupid"),
        ("! 4m $7up!d 70 83l!3v3 1t", "i am stupid to believe it"),
        ("y0u 4r3 4n 1d10t, @$7up!d", "you are an idiot, @stupid"),
        ("аѕѕhоlеѕ", "assholes"),
    ],
)
def test_disguised_words_are_read_as_the_words_of_the_lexicon(disguised: str, plain: str) -> None:
    assert read(disguised) == plain


def test_short_words_are_read_among_disguised_ones_alone() -> None:
    assert read("1d10t! 4m 8y !") == "idiot! 4m 8y !"


@pytest.mark.parametrize(
    "text",
    [
        "may be so",
        "the e.g. is fine",
        "the process may be for it",
        "h2o and b2b on the 1st at 4pm, in the 50s",
        "an f-16 of the mid-90s",
        "call sql or abs-cbn",
        "it costs $500, see http://st-upid.example",
        "zygomorphic kubectl",
        "- so - it was",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert read(text) == normalise(text, RULES)


def test_a_word_of_the_lexicon_is_what_was_written() -> None:
    """However much another one looks like it."""
    lexicon = Lexicon.learn(["stpd", "idiott", "k.i.l.l"] * 3 + ["stupid", "idiot"] * 9)
    assert normalise("stpd idiott", RULES, lexicon) == "stpd idiott"


@given(st.text(alphabet="abdeiorstu .-*+/13$!\u200b", max_size=60))
def test_offsets_belong_to_the_respelt_text(raw: str) -> None:
    found = normalise_with_offsets(raw, RULES, LEXICON)
    assert found.text == read(raw)
    assert len(found.starts) == len(found.ends) == len(found.text)
    assert np.all(np.diff(found.starts) >= 0)
    assert np.all(found.starts < found.ends)
    assert np.all(found.ends <= len(raw))


def test_offsets_lead_back_to_the_disguise() -> None:
    raw = "you  s t u p i d  1d10t"
    found = normalise_with_offsets(raw, RULES, LEXICON)
    at = found.text.index("stupid")
    assert raw[found.starts[at] : found.ends[at + 5]] == "s t u p i d"


@pytest.mark.parametrize("unit", ["a ", "a.", "ab", "a1", "aaa", "st-", "a*", "x  "])
def test_time_grows_with_length_and_no_faster(unit: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            normalise(text, RULES, LEXICON)
            best = min(best, time.process_time() - start)
        return best

    # Quadratic growth would make the longer one 100 times as slow as the shorter.
    assert seconds(50_000) < 40 * seconds(5_000) + 0.05

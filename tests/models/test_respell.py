import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.identity import IDENTITY_TOKEN
from models.params import NormaliseParams
from models.respell import Lexicon
from models.text import normalise, normalise_with_offsets

RULES = NormaliseParams(tokens=True, leet=True, respell=True, identity=True)
LEXICON = Lexicon.learn(
    ["you are a stupid idiot", "kill the process", "the worthless assholes believe it", "may be so"]
    * 5
    + ["be", "may"] * 50
)


def read(text: str) -> str:
    return normalise(text, RULES, LEXICON)


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("y o u   a r e   a   s t u p i d", "you are a stupid"),
        ("y o u a r e a s t u p i d i d i o t", "you are a stupid idiot"),
        ("s.t.u.p.i.d", "stupid"),
        ("stu-pid idi.ot", "stupid idiot"),
        ("worth less", "worthless"),
        ("stpd wrthlss", "stupid worthless"),
        ("st*pid", "stupid"),
        ("stuuuupid idddiot kiiiill", "stupid idiot kill"),
        ("$7up!d 1d10t be1ieve", "stupid idiot believe"),
        ("аѕѕhоlеѕ", "assholes"),
    ],
)
def test_disguised_words_are_read_as_the_words_of_the_lexicon(disguised: str, plain: str) -> None:
    assert read(disguised) == plain


@pytest.mark.parametrize(
    "text",
    [
        "may be so",
        "the e.g. is fine",
        "h2o and b2b on the 1st at 4pm",
        "call sql or abs-cbn",
        "it costs $500, see http://st-upid.example",
        "zygomorphic kubectl",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert read(text) == normalise(text, RULES)


def test_words_for_who_people_are_become_one() -> None:
    texts = {read(f"I am {term} and a nurse") for term in ("gay", "Muslim", "African American")}
    assert texts == {f"i am {IDENTITY_TOKEN} and a nurse"}


@given(st.text(alphabet="abdeiorstu .-*13$!\u200b", max_size=60))
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

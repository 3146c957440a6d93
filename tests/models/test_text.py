import time
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.identity import IDENTITY_TOKEN
from models.params import NormaliseParams
from models.text import MAX_CHARS, group_key, normalise, normalise_with_offsets, reserved_key

TOKENS = NormaliseParams(tokens=True, respell=False, identity=False)
IDENTITY = NormaliseParams(tokens=False, respell=False, identity=True)
ALL = NormaliseParams(tokens=True, respell=True, identity=True)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Ｆｕｌｌ Ｗｉｄｔｈ", "full width"),
        ("zero\u200bwidth\u00ad", "zerowidth"),
        ("café cafe\u0301", "cafe cafe"),
        ("ѕсаm аnd ЅCΑM", "scam and scam"),
        ("𝓯𝓻𝓮𝓮 ①", "free 1"),
        ("sooooo cool!!!!!", "soo cool!!"),
        ("tab\tand\r\nline\x00\x07end", "tab and lineend"),
        ("  \u3000 spaced \u00a0 out ", "spaced out"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("İstanbul STRASSE straße", "istanbul strasse strasse"),
        ("שלום مرحبا", "שלום مرحبا"),
        ("", ""),
    ],
)
def test_lookalikes_fold_to_one_form(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


@pytest.mark.parametrize(
    ("raw", "token"),
    [
        ("see https://example.com/a?b=c", "see __url__"),
        ("see www.example.com/x now", "see __url__ now"),
        ("go to bit.ly/abc123", "go to __url__"),
        ("mail jane.doe+jobs@mail.example.com", "mail __email__"),
        ("it pays £45,000 or $500", "it pays __money__ or __money__"),
        ("500 usd and 20k euros", "__money__ and 20k euros"),
        ("call +44 7700 900123 today", "call __longnumber__ today"),
        ("room 12", "room __number__"),
        ("the v2 plan, b2b", "the v2 plan, b2b"),
    ],
)
def test_addresses_numbers_and_money_become_tokens(raw: str, token: str) -> None:
    assert normalise(raw, TOKENS) == token


def test_words_for_who_people_are_become_one() -> None:
    terms = ("gay", "Muslim", "WHITE", "lesbian", "jewish")
    assert len({normalise(f"I am {term} and a nurse", IDENTITY) for term in terms}) == 1
    assert normalise("Asians, asiatic", IDENTITY) == f"{IDENTITY_TOKEN}, asiatic"


def test_composed_and_decomposed_text_are_one_message() -> None:
    text = "Ångström café naïve 한국어"
    forms = {normalise(unicodedata.normalize(form, text)) for form in ("NFC", "NFD", "NFKD")}
    assert len(forms) == 1


@given(st.text(max_size=80), st.sampled_from([TOKENS, IDENTITY]))
def test_offsets_belong_to_the_same_text_and_stay_inside_the_raw_one(
    raw: str, rules: NormaliseParams
) -> None:
    found = normalise_with_offsets(raw, rules)
    assert found.text == normalise(raw, rules)
    assert len(found.starts) == len(found.ends) == len(found.text)
    assert np.all(np.diff(found.starts) >= 0)
    assert np.all(found.starts < found.ends)
    assert np.all(found.ends <= len(raw))


def test_offsets_lead_back_to_the_raw_word() -> None:
    raw = "Oh  yоu\u200b idiooot, see http://x.example !"
    found = normalise_with_offsets(raw, TOKENS)
    words = {}
    at = 0
    for word in found.text.split(" "):
        words[word] = raw[found.starts[at] : found.ends[at + len(word) - 1]]
        at += len(word) + 1
    assert words["you"] == "yоu"
    assert words["idioot,"] == "idiooot,"
    assert "http://x.example" in words["__url__"]


def test_input_is_capped() -> None:
    assert len(normalise("ab " * MAX_CHARS)) == MAX_CHARS
    assert normalise("x" + " y" * MAX_CHARS).count("y") == (MAX_CHARS - 1) // 2


@pytest.mark.parametrize("unit", ["a.", "a@", "a-", "1 ", "1,", "$1", "!!", "aé", "x@x.", "www."])
def test_time_grows_with_length_and_no_faster(unit: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            normalise(text, ALL)
            best = min(best, time.perf_counter() - start)
        return best

    # Quadratic growth would make the longer one 100 times as slow as the shorter.
    assert seconds(50_000) < 40 * seconds(5_000) + 0.05


def test_near_equal_messages_share_a_group() -> None:
    assert group_key("Call 0800-123 now!!") == group_key("call 0800 456, NOW")
    assert group_key("call now") != group_key("call later")
    assert group_key("!!!") != group_key("???")


def test_reserved_key_follows_the_head_of_the_list() -> None:
    # sha256 of "a b_c é", by hand: lower-cased, runs of \W made one space, stripped.
    assert reserved_key("  A-b_C,, É!") == reserved_key("a b_c é")
    assert reserved_key("a b_c é") == "fd1d330f7c69b006"

import ftfy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.params import NormaliseParams
from models.text import normalise
from pipelines import repair
from pipelines.repair import decode, mask, tidy, tidy_line

TOKENS = NormaliseParams(tokens=True, respell=False, identity=False)


@pytest.mark.parametrize(
    ("raw", "decoded"),
    [
        ("donâ€™t pay Â£5", "don’t pay £5"),
        ("fish &amp; chips &lt;3", "fish & chips <3"),
        ("that\x92s it", "that’s it"),
        ("what\ufffd now\ufffd", "what  now"),
        ("  spaced \r\n", "spaced"),
    ],
)
def test_damage_is_undone(raw: str, decoded: str) -> None:
    assert decode(raw) == decoded


@pytest.mark.parametrize(
    "text",
    [
        "“quoted” and ‘so’",
        "ｗｉｄｅ",
        "ﬁne",
        "e\u0301",
        "👩‍💻 🎉",
        "a\r\nb",
        "zero\u200bwidth",
        "שלום",
        "5 < 6 & 7",
    ],
)
def test_what_people_type_stays_as_it_is(text: str) -> None:
    assert decode(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to Jo.Doe+jobs@mail.example.org today", "write to someone@example.com today"),
        ("ring 07700 900123 now", "ring 5550100 now"),
        ("+44 (0)20 7946 0018, or", "5550100, or"),
        ("(212) 555-0187 or 212-555-0187", "5550100 or 5550100"),
        ("06 12 34 56 78", "5550100"),
        ("call09012345678now", "call5550100now"),
        ("WhatsApp:+2348012345678!", "WhatsApp:5550100!"),
    ],
)
def test_addresses_and_phone_numbers_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "pay $1,200,000 or £5000000",
        "from 21-05-2005 to 2006",
        "at 10:30 on 05-11-2016 15:04",
        "text WIN to 87121",
        "pi is 3.14159265358979",
        "follow @someone",
        "http://x.example/?id=7654321",
    ],
)
def test_money_dates_and_short_codes_are_not_phone_numbers(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "mail j.doe@corp.example.com, thanks",
        "Ring 07700900123.",
        "ring +447700900123 or 0207 946 0018",
    ],
)
def test_a_masked_text_gives_the_model_the_same_tokens(text: str) -> None:
    assert mask(text) != text
    assert normalise(mask(text), TOKENS) == normalise(text, TOKENS)


@settings(deadline=None)
@given(st.text(st.sampled_from("0123456789 +-.()@aé/£"), max_size=60))
def test_masking_twice_is_masking_once(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@settings(deadline=None)
@given(st.text(st.sampled_from("ab &;#lt<>\x00\x1b[3m\n\t"), max_size=30))
def test_plain_ascii_is_left_to_ftfy_only_where_it_would_change_it(text: str) -> None:
    assert decode(text) == ftfy.fix_text(text, repair._REPAIRS).strip()


def test_white_space_is_made_single_and_lines_stay() -> None:
    text = " Wanted:\r\n\r\n\r\n\u00a0 a  cook\u2003\t\r\nsoon&nbsp; "
    assert tidy(text) == "Wanted:\n\na cook\nsoon"
    assert tidy_line(text) == "Wanted: a cook soon"

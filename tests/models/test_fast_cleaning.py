"""Compiled cleaning against models.text: the same texts and origins."""

import csv
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import attacks
from models.errors import NotCompilableError
from models.fast_cleaning import cleaning_of, trace_text
from models.fast_room import FastRoom
from models.params import NormaliseParams
from models.respell import Lexicon
from models.text import normalise, normalise_with_offsets
from tests.factories import ROOT

RULES = [
    NormaliseParams(tokens=tokens, respell=respell, identity=identity)
    for tokens, respell, identity in (
        (False, False, False),
        (True, False, False),
        (False, True, False),
        (False, False, True),
        (True, True, True),
    )
]


def read_rows() -> list[str]:
    with (ROOT / "data" / "starter" / "messages.csv").open(encoding="utf-8") as file:
        return [row["text"] for row in csv.DictReader(file)]


ROWS = read_rows()
LEXICON = Lexicon.learn(normalise(text) for text in ROWS)
ROOM = FastRoom(cleaning_of([(rules, LEXICON) for rules in RULES]))


def cleaned(number: int, texts: Sequence[str]) -> list[str]:
    """Return what the compiled cleaning makes of texts by one set of rules."""
    return [trace_text(ROOM, number, text)[0] for text in texts]


def check(texts: Sequence[str]) -> None:
    for number, rules in enumerate(RULES):
        for text, found in zip(texts, cleaned(number, texts), strict=True):
            assert found == normalise(text, rules, LEXICON), text


PIECES = [
    *("usd", "100", "12", "rs.", "5", "7", "com", ".", ",", "http", "hxxps", "://", "www.", "@"),
    *(" ", "  ", "\t", "\x00", "\x1c", "-", "*", "_", "~", "a", "b", "i", "gay", "black", "asian"),
    *("aaa", "!!!", "???", "one", "é", "ﬁ", "١", "€", "$", "£", "👍", "שלום", "ǅ", "İ", "Ⅷ", "²"),
    *(
        "idiot",
        "1diot",
        " $7up!d 1d10t ",
        "m3",
        "4",
        "!",
        "st",
        "upid",
        "st*pid",
        "s.t.u.p.i.d",
        "idiooot",
        "ths",
        "pls",
        "to",
        "day",
    ),
]


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=60),
            st.text(alphabet="aabeinst  !?'_-1234.@:/rsusd$£w\x00\t", max_size=40),
            st.lists(st.sampled_from(PIECES), max_size=9).map("".join),
            st.lists(st.sampled_from(ROWS), max_size=2).map(" ".join),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_text_is_cleaned_as_by_the_rules(texts: list[str]) -> None:
    check(texts)


def test_many_made_of_pieces_are_cleaned_as_by_the_rules() -> None:
    chance = random.Random(3)
    check(["".join(chance.choices(PIECES, k=chance.randint(0, 9))) for _ in range(3_000)])


def test_real_and_disguised_messages_are_cleaned_as_by_the_rules() -> None:
    check(ROWS)
    check([attacks.disguise(text, attack) for attack in attacks.ATTACKS for text in ROWS[::40]])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Plain words, nothing else!",
        "ALL CAPS and\ttabs \x00 and controls",
        "10:30 on 12/05, room 4",
        "sooooo goooood!!!!!",
        "Ünïcödé áccents",
        "Scunthorpe, Essex",
        "3.14 is not an amount",
        "a black cat and old Greek gays",
        "👍 fine",
        "1 2 3",
    ],
)
def test_what_needs_little_is_cleaned_as_by_the_rules(text: str) -> None:
    assert cleaned(1, [text]) == [normalise(text, RULES[1])]
    assert cleaned(3, [text]) == [normalise(text, RULES[3])]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "see www.win.example",
            "www. no",
            "www.",
            "http://x",
            "https://",
            "xhxxps://a b",
            "http//a",
        ),
        *(
            "win.com",
            "a.b.c.d.e.com",
            "a.com.evil.zzz/b c",
            "win.community",
            "-win.com",
            "x@win.com",
        ),
        *(f"{'a' * 63}.com", f"{'a' * 64}.com", f"{'a' * 65}@b.co", f"me@{'b' * 64}.org", "é.com"),
        *("mail me@host.org", "me@host", "me@a.b.c.d.e.f", "a+b.c@d-e.fr.", "@a.b", "me@a..b"),
        *(
            "pay $5",
            "$ 5",
            "$  5k",
            "£1,000.50m!",
            "$5kk",
            "rs. 5",
            "rs.5",
            "ngn5",
            "usd 5x",
            "$5.",
        ),
        *(
            "5 dollars",
            "5dollars",
            "5, usd",
            "5 dollarsx",
            "x5 usd",
            "1234567890123456789 usd",
            "5$",
        ),
        *(
            "call 0800123",
            "+44 7700 900988",
            "x+44 7700 900988",
            "+1234",
            "12 34 56 7",
            "(0)1-2.3 4 5 6",
        ),
        *(
            "12345",
            "12345x",
            "x12345",
            "123456789012345678901",
            "1234567   890",
            "1  2  3  4  5  6  7",
        ),
        *("1234567 8x", "١٢٣٤٥", "٣", "$٣", "1.2.3.4.5.6.7", "1.2.3.4.5.6.7a", "20/12/2024 10:30"),
    ],
)
def test_tokens_are_put_in_as_by_the_rules(text: str) -> None:
    for surrounded in (text, f"so {text} there", f"{text}, {text}"):
        assert cleaned(1, [surrounded]) == [normalise(surrounded, RULES[1])]


TOKEN_PIECES = [
    *(
        "1",
        "12",
        "345",
        "6789",
        "0" * 15,
        "+",
        "(",
        ")",
        "-",
        ".",
        ",",
        " ",
        " ",
        "/",
        "@",
        "$",
        "€",
    ),
    *(
        "usd",
        "rs",
        "dollars",
        "k",
        "m",
        "com",
        "co",
        "www.",
        "http",
        "s",
        "://",
        "a",
        "b-c",
        "_",
        "٣",
    ),
]


def test_any_mixture_of_their_parts_is_cleaned_as_by_the_rules() -> None:
    chance = random.Random(7)
    texts = ["".join(chance.choices(TOKEN_PIECES, k=chance.randint(1, 14))) for _ in range(8_000)]
    assert cleaned(1, texts) == [normalise(text, RULES[1]) for text in texts]


def test_characters_are_traced_to_where_they_were_read() -> None:
    texts = ROWS[::5]
    texts += ["a\x00b  12 cc!!!! blacks", " \t 7", "white white", "old\x1f man", "gooood 1"]
    texts += ["at  www.abcd.e $5 or a@b.cde", "x http://a.b 12345678901", "5 euros  +1234567890123"]
    texts += [
        "! 4m $7up!d 70 83l!3v3 1t",
        "y0u 4r3 @1d10t !",
        "you 1d10t, id iot",
        "i s   i t   y o u",
        "st*pid s.t.u.p.i.d  idiooot ths pls",
    ]
    for text in texts:
        for number, rules in enumerate(RULES):
            found, origins = trace_text(ROOM, number, text)
            wanted = normalise_with_offsets(text, rules, LEXICON)
            assert found == wanted.text
            starts = [at for at in range(len(wanted.text)) if f" {wanted.text}"[at] == " "]
            ends = [at for at in range(len(wanted.text)) if f"{wanted.text} "[at + 1] == " "]
            words = [at for at in starts if wanted.text[at] != " "]
            last = [at for at in ends if wanted.text[at] != " "]
            assert origins[words, 0].tolist() == wanted.starts[words].tolist(), text
            assert origins[last, 1].tolist() == wanted.ends[last].tolist(), text


def test_a_lexicon_with_words_for_which_there_is_no_room_is_refused() -> None:
    with pytest.raises(NotCompilableError, match="more than 24 letters"):
        cleaning_of([(RULES[2], Lexicon({"a" * 25: 3}))])


HARD = [
    *("a", "i", "u", "é", "ж", "1", "!", "|", "*", "**", "-", "_", ".", "/", "~", "+", "(", ")"),
    *(
        "1d10t",
        "f-16",
        "10th",
        "3pm",
        "2b",
        "b2b",
        "c*nt",
        "h.e.l.l.o",
        "w-o-r-k",
        "th ank",
        "€uro",
    ),
    *("helllo", "gooood", "thnks", "mtng", "wrk", "to-day", "$alary", "p@y", "£ife", "a--b--c"),
    *("idiot", "work", "thank", "you", "day", "meeting", "salary", "hello", "gays", "blck"),
    *(" ", "  ", "   ", "\t", "\n", "\u2003", " ", " "),
]


#: Read where two words more are written in digits and marks, or not even then.
AMONG = [
    *("4", "!", "(!", "!!", ".", "|", "1", "m3", "!n", "0f", "2", "b3", "2b", "70", "a", "@", "@1"),
    *("1t's", "83l!3v3", "4r3", "4nd", "f-16", "10th", "3pm", "1.t", "-!", "i", "€", "10", "n0,"),
    *("@u$3r", "@1d10t", "@idiot", "@10th", "@f-16", "@zzz9", "(@w0rk)", "@@w0rk", "s|t|u|p|i|d"),
]


def test_any_mixture_of_disguises_is_read_as_by_the_rules() -> None:
    chance = random.Random(11)
    texts = ["".join(chance.choices(HARD, k=chance.randint(1, 16))) for _ in range(4_000)]
    texts += [" ".join(text) for text in ROWS[::60]] + ["   ".join(text) for text in ROWS[::60]]
    leet = [attacks.disguise(text, "leet") for text in ROWS[::20]]
    texts += [" ".join(chance.choices(" ".join(leet).split() + AMONG, k=8)) for _ in range(3_000)]
    texts += ["a" * 401, "you" * 140, " ".join("you are " * 60), "-".join("idiot" * 90)]
    assert cleaned(2, texts) == [normalise(text, RULES[2], LEXICON) for text in texts]
    assert cleaned(4, texts) == [normalise(text, RULES[4], LEXICON) for text in texts]

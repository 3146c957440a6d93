"""What the starter models must do: the least they catch and pass, invariance, and direction.

The sentences are none of the corpus; the starter corpus is small, so only plain cases stand here.
"""

import re
import unicodedata
from collections.abc import Callable

import pytest

from tests.behaviour.conftest import Judge

SPAM = [
    "You won a prize, claim at http://x.co now",
    "Earn $3000 weekly working from home, whatsapp +44 7700 900123 to start today",
    "Congratulations! You were selected, pay the 50 dollar release fee to receive 1 million",
    "Double your bitcoin in 24 hours, guaranteed returns, message me on telegram",
]
TOXIC = [
    "You are a pathetic idiot",
    "fuck you and your shitty company",
    "i will find out where you live and hurt you",
    "what a useless moron you are",
]
ORDINARY = [
    "Hi Anna, are you free on Monday at 3 for the interview?",
    "Thank you for applying, unfortunately we chose another candidate",
    "Could you send me the job description and your notice period?",
    "I will be ten minutes late, sorry, the train is delayed",
    "Please kill the process and restart the server before the meeting",
]


@pytest.mark.parametrize("text", SPAM)
def test_plain_spam_is_flagged(spam: Judge, text: str) -> None:
    assert spam.flags(text)


@pytest.mark.parametrize("text", TOXIC)
def test_plain_abuse_is_flagged(toxicity: Judge, text: str) -> None:
    assert toxicity.flags(text)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_messages_pass_both(spam: Judge, toxicity: Judge, text: str) -> None:
    assert not spam.flags(text)
    assert not toxicity.flags(text)


@pytest.mark.parametrize("text", [*SPAM[:2], *TOXIC, *ORDINARY[:2]])
@pytest.mark.parametrize(
    "disguise",
    [
        str.upper,
        lambda text: text.replace("a", "а").replace("o", "о").replace("e", "е"),
        lambda text: "\u200b".join(text),
        lambda text: re.sub("[A-Za-z]", lambda letter: chr(ord(letter[0]) + 0xFEE0), text),
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: f"   {text.replace(' ', '   ')}\n\n",
    ],
    ids=["capitals", "homoglyphs", "zero-width", "fullwidth", "decomposed", "spaces"],
)
def test_a_disguise_that_normalisation_undoes_changes_no_score(
    spam: Judge, toxicity: Judge, text: str, disguise: Callable[[str], str]
) -> None:
    disguised = disguise(text)
    for judge in (spam, toxicity):
        assert judge.score(disguised) == pytest.approx(judge.score(text), abs=1e-9)


@pytest.mark.parametrize("text", ["you are an 1d1ot", "you are an idiooooot", "you are an İDİOT"])
def test_leet_and_repeated_letters_are_still_flagged(toxicity: Judge, text: str) -> None:
    assert toxicity.flags(text)


def test_a_name_changes_little(toxicity: Judge) -> None:
    scores = [
        toxicity.score(f"Hi {name}, shall we talk about the offer tomorrow?")
        for name in ("Anna", "Mohammed", "Wei", "Chidi", "Fatima", "Juan")
    ]
    assert max(scores) - min(scores) < 0.2
    assert max(scores) < toxicity.thresholds.review


@pytest.mark.parametrize("text", ORDINARY[:4])
def test_adding_a_threat_raises_the_score(toxicity: Judge, text: str) -> None:
    assert toxicity.score(f"{text} I will hurt you") > toxicity.score(text)


@pytest.mark.parametrize("text", ORDINARY[:4])
def test_adding_a_money_bait_raises_the_score(spam: Judge, text: str) -> None:
    bait = "Claim your free bitcoin prize at http://x.co now"
    assert spam.score(f"{text} {bait}") > spam.score(text)


@pytest.mark.parametrize("text", TOXIC)
def test_thanks_do_not_excuse_abuse(toxicity: Judge, text: str) -> None:
    assert toxicity.flags(f"{text}, thank you")

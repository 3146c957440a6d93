"""The language of short messages; the sentences were written for this project."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from benchmarks.attacks import ATTACKS, disguise
from models.compiling import compile_all
from models.language import (
    Known,
    Language,
    compiled,
    identifier,
    keep_identifier,
    language_of,
    languages_of,
)
from models.language_kernels import NEAR, tell
from models.native import places_of
from models.native_cache import COMPLETE, FOLDER_VARIABLE, folder
from tests.factories import ROOT

ENGLISH = (
    "Hi Anna, are you free on Monday at 3 for the interview?",
    "what a useless moron you are",
    "Earn $3000 weekly working from home, whatsapp +44 7700 900123 to start today",
    "ok",
    "Please kill the process and restart the server",
    "Claim your prize at http://x.example now",
    "@user lol no way",
)

FOREIGN = {
    "de": "Ich schicke dir morgen meinen Lebenslauf und die Zeugnisse",
    "fr": "Merci pour votre candidature, nous avons choisi quelqu'un d'autre",
    "es": "Gana dinero desde casa, escríbeme por WhatsApp hoy mismo",
    "it": "Sei uno stronzo e non capisci proprio niente",
    "pl": "Dziękujemy za zgłoszenie, wybraliśmy kogoś innego",
    "tr": "Merhaba, pazartesi görüşme için müsait misin?",
    "vi": "Chào bạn, thứ hai bạn có rảnh để phỏng vấn không?",
    "ru": "Привет, ты свободен в понедельник утром?",
    "zh": "你好，星期一有空面试吗？",
    "ar": "مرحبا، هل أنت متاح يوم الاثنين؟",
}


@pytest.mark.parametrize("text", ENGLISH)
def test_english_is_read_however_short_or_loose(text: str) -> None:
    assert language_of(text).supported


@pytest.mark.parametrize("code", FOREIGN)
def test_another_language_is_named_and_said_not_to_be_learnt(code: str) -> None:
    assert language_of(FOREIGN[code]) == Language(code, supported=False)


@pytest.mark.parametrize("text", ["", "   ", "😀 12:30 !!", "https://", "bonjour", "asdf"])
def test_what_does_not_tell_is_not_taken_for_another_language(text: str) -> None:
    assert language_of(text) == Language(None, supported=True)


@pytest.mark.parametrize(
    "attack", ["leet", "homoglyph", "zero-width", "spaced", "fullwidth", "repeated letters"]
)
def test_english_in_disguise_is_no_foreign_language(attack: str) -> None:
    assert language_of(disguise("you are a pathetic idiot and nobody likes you", attack)).supported


def test_a_long_message_is_told_by_how_it_begins() -> None:
    assert language_of(f"{FOREIGN['de']} " * 50 + "the and you " * 2000).code == "de"
    assert language_of("are you there? " * 50 + FOREIGN["ru"] * 500).code == "en"


def test_what_is_kept_for_later_starts_answers_as_the_library_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    folder.cache_clear()
    folder().mkdir(parents=True)
    keep_identifier()
    (folder() / COMPLETE).touch()
    identifier.cache_clear()
    try:
        assert identifier().nb_ptc.base is not None  # mapped, not read
        for text in (*ENGLISH, *FOREIGN.values()):
            assert identifier().classify(text) == library.classify(text)
    finally:
        monkeypatch.undo()
        folder.cache_clear()
        identifier.cache_clear()


@pytest.fixture(scope="module")
def known() -> Known:
    """What compiled code knows of languages."""
    compile_all()
    found = compiled()
    assert found is not None
    return found


def plainly(text: str) -> Language:
    """Return what is told of a text without compiled code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.language.compiled", lambda: None)
        return language_of(text)


@pytest.mark.usefixtures("known")
def test_compiled_code_tells_messages_as_the_library_does() -> None:
    with (ROOT / "data" / "starter" / "messages.csv").open(encoding="utf-8") as file:
        rows = [row["text"] for row in csv.DictReader(file)][::5]
    texts = [*rows, *(disguise(text, attack) for attack in ATTACKS for text in rows[::8])]
    texts += [*FOREIGN.values(), *(text.upper() for text in (*rows[::8], *FOREIGN.values()))]
    told = languages_of(texts)
    assert told == [plainly(text) for text in texts]
    assert {language.code for language in told} >= {None, "en", *FOREIGN}


@pytest.mark.usefixtures("known")
@given(
    st.lists(st.sampled_from(" ".join((*FOREIGN.values(), *ENGLISH)).split()), max_size=12),
    st.text(max_size=4),
)
def test_compiled_code_tells_mixed_languages_as_the_library_does(
    words: list[str], more: str
) -> None:
    texts = [" ".join(words), f"{more}{' '.join(words)}", more.join(words)]
    assert languages_of(texts) == [plainly(text) for text in texts]


@pytest.mark.usefixtures("known")
@given(st.one_of(st.text(), st.binary(max_size=900).map(lambda data: data.decode("latin-1"))))
def test_compiled_code_tells_any_text_as_the_library_does(text: str) -> None:
    assert language_of(text) == plainly(text)


@pytest.mark.parametrize("code", ["de", "it", "fr"])
def test_what_lies_too_close_to_tell_is_left_to_the_library(known: Known, code: str) -> None:
    text = FOREIGN[code][:30].encode()
    named, confidence = identifier().classify(text)
    labels = []
    for bound in (0.9 * confidence, confidence * (1 - 1e-6), confidence * (1 + 1e-6)):
        label = np.array([-len(text)])
        tongues = known.tongues._replace(shares=np.array([0.15, bound]))
        tell(places_of(tongues), np.frombuffer(text, np.uint8), label)
        labels += label.tolist()
    assert labels == [identifier().nb_classes.index(named), NEAR, NEAR]

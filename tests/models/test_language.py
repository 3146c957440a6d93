"""The language of short messages; the sentences were written for this project."""

from pathlib import Path

import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from benchmarks.attacks import disguise
from models.language import Language, identifier, keep_identifier, language_of
from models.native_cache import COMPLETE, FOLDER_VARIABLE, folder

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

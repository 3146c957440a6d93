"""The language of a message: whether the text models learnt any of it.

They learnt English. Most English messages are told by their commonest words; the rest are asked
about with py3langid.
"""

import re
import unicodedata
from array import array
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier
from py3langid.modelio import load_model

from models.native_cache import folder, is_compiled
from models.text import PLAIN, normalise
from models.traits import traits_of

# No more characters than these are looked at: a sentence or two tells.
_ENOUGH = 400

# Share of the commonest words from which a text is English: one of seven.
_ENGLISH_SHARE = 0.15

# Confidence from which a language is named; in what is below it, anything may be English.
_CONFIDENT = 0.4

# Words of two letters and more below which Latin letters do not tell: "u gay" is no Somali.
_TELLING_WORDS = 3

# What the library calls English that is spelled freely, and what is no language.
_SPELLED_FREELY = frozenset({"pcm", "sco", "zxx", "und"})

# Common English words that are no common words of other languages.
_COMMON_WORDS = (
    "the and you your yours are that this with have has had what they them their there these those "
    "from would could should i'm it's you're we're don't can't not who which when where how "
    "because been were being about just know think want need please thank thanks our my of for to "
    "it if but out"
)
_COMMON = frozenset(_COMMON_WORDS.split())
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


@dataclass(frozen=True)
class Language:
    """What is known of a message's language.

    Attributes
    ----------
    code : str or None
        ISO 639, two letters where there are two; None where nobody can tell.
    supported : bool
        False where it is one that the models did not learn: their scores say little there.
    """

    code: str | None
    supported: bool


_ENGLISH = Language("en", True)
_UNKNOWN = Language(None, True)


def language_of(text: str) -> Language:
    """Return the language of a raw text."""
    head = text[:_ENOUGH]
    # Normalised, look-alike letters do not make a foreign language of English in disguise.
    words = _WORD.findall(head.lower() if head.isascii() else normalise(head, PLAIN))
    if not words:
        return _UNKNOWN
    if sum(word in _COMMON for word in words) >= _ENGLISH_SHARE * len(words):
        return _ENGLISH
    telling = sum(len(word) > 1 for word in words)
    if telling < _TELLING_WORDS and traits_of(head, 0.0).other_script < 0.5:
        return _UNKNOWN
    code, confidence = identifier().classify(unicodedata.normalize("NFKC", head))
    if code == "en":
        return _ENGLISH
    if confidence < _CONFIDENT or code in _SPELLED_FREELY:
        return _UNKNOWN
    return Language(code, supported=False)


@cache
def identifier() -> LanguageIdentifier:
    """Return py3langid's identifier, once: from what was kept, or else it takes half a second."""
    files = _kept_files()
    if not (is_compiled() and all(map(Path.exists, files))):
        return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    kept = (np.asarray(np.load(path, mmap_mode="r")) for path in files)
    table, priors, classes, moves, rows, features = kept
    return LanguageIdentifier(
        table,
        priors,
        classes.tolist(),
        array(moves.dtype.char, moves.tobytes()),
        features.tolist(),
        norm_probs=True,
        tk_row=rows.tolist(),
    )


def keep_identifier() -> None:
    """Keep what the identifier knows beside the kernels, unpacked, for later starts.

    They load it in no time, and the processes of a machine share most of it.
    """
    known = load_model(MODEL_DIR / MODEL_FILE)
    for path, values in zip(_kept_files(), known, strict=True):
        np.save(path, np.asarray(values))


def _kept_files() -> list[Path]:
    """Return the files of the identifier's arrays, in the order in which the library has them."""
    of = f"language-{version('py3langid')}"
    return [folder() / f"{of}-{number}.npy" for number in range(6)]

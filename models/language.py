"""The language of a message: whether the text models learnt any of it.

They learnt English. Most English messages are told by their commonest words; the rest are asked
about with py3langid, whose tables compiled code reads where it can.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier
from py3langid.modelio import load_model

from models.native_cache import folder, is_compiled
from models.text import PLAIN, normalise
from models.traits import traits_of

if TYPE_CHECKING:  # numba takes half a second to import
    from models.language_kernels import Tongues

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
    return languages_of([text])[0]


def languages_of(texts: Sequence[str]) -> list[Language]:
    """Return the language of each of some raw texts."""
    known = compiled()
    heads = [text[:_ENOUGH] for text in texts]
    if known is None:
        return [_by_words(head) or _asked(head) for head in heads]
    return _told(known, heads)


def _told(known: "Known", heads: Sequence[str]) -> list[Language]:
    """Return the languages of the beginnings of texts, by compiled code."""
    from models.language_kernels import tell

    told: list[Language | None] = []
    pieces: list[bytes] = []
    sizes: list[int] = []
    for head in heads:
        is_ascii = head.isascii()
        by_words = None if is_ascii else _by_words(head)
        piece = head.encode() if is_ascii else b"" if by_words else _encoded(head)
        told.append(by_words)
        pieces.append(piece)
        sizes.append(len(piece) if is_ascii else -len(piece))
    labels = np.array(sizes, np.int64)
    tell(known.places, np.frombuffer(b"".join(pieces), np.uint8), labels)
    return [
        by_words or known.meanings[label] or _asked(head)
        for by_words, label, head in zip(told, labels.tolist(), heads, strict=True)
    ]


def _by_words(head: str) -> Language | None:
    """Return what the words of a text tell of its language, None if that is nothing."""
    # Normalised, look-alike letters do not make a foreign language of English in disguise.
    words = _WORD.findall(head.lower() if head.isascii() else normalise(head, PLAIN))
    if not words:
        return _UNKNOWN
    if sum(word in _COMMON for word in words) >= _ENGLISH_SHARE * len(words):
        return _ENGLISH
    telling = sum(len(word) > 1 for word in words)
    if telling < _TELLING_WORDS and traits_of(head, 0.0).other_script < 0.5:
        return _UNKNOWN
    return None


def _asked(head: str) -> Language:
    """Return what py3langid says of a text."""
    code, confidence = identifier().classify(unicodedata.normalize("NFKC", head))
    meaning = _meaning(code)
    return meaning if code == "en" or confidence >= _CONFIDENT else _UNKNOWN


def _meaning(code: str) -> Language:
    """Return what a code of py3langid stands for."""
    if code == "en":
        return _ENGLISH
    return _UNKNOWN if code in _SPELLED_FREELY else Language(code, supported=False)


def _encoded(head: str) -> bytes:
    """Return what py3langid reads of a text."""
    text = unicodedata.normalize("NFKC", head)
    text = unicodedata.normalize("NFC", text.lower() if text.isupper() else text)
    return text.encode(errors="surrogatepass")


@cache
def identifier() -> LanguageIdentifier:
    """Return py3langid's identifier, once: from what was kept, or else it takes half a second."""
    if not _is_kept():
        return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    table, priors, classes, moves, rows, features = _kept()
    # Views that give Python's numbers: the processes of a machine share most of what they map.
    return LanguageIdentifier(
        table,
        priors,
        classes.tolist(),
        moves.data,
        features.data,
        norm_probs=True,
        tk_row=rows.data,
    )


@dataclass(frozen=True)
class Known:
    """What compiled code knows of languages.

    Attributes
    ----------
    tongues : Tongues
    places : ndarray of int64
        Where its arrays are, for the kernel.
    meanings : list of Language or None
        What the kernel's labels stand for, those below 0 counted from the end; None for texts
        about which the library itself is to be asked.
    """

    tongues: "Tongues"
    places: np.ndarray
    meanings: list[Language | None]


@cache
def compiled() -> Known | None:
    """Return what compiled code knows of languages, once; None where it is not compiled."""
    return _known() if _is_kept() else None


def _known() -> Known:
    from models.fast_cleaning import words_of
    from models.language_kernels import Tongues
    from models.native import places_of

    table, priors, classes, moves, rows, features = _kept()
    codes = classes.tolist()
    tongues = Tongues(
        common=words_of(sorted(_COMMON)),
        moves=moves.astype(np.uint32, copy=False),
        rows=rows.astype(np.uint32),
        features=features.astype(np.int64, copy=False),
        weights=table.view(np.uint16),
        priors=priors,
        same=np.array(
            [[codes.index(code), at] for at, code in enumerate(codes) if codes.index(code) < at]
        ).reshape(-1, 2),
        english=np.array([codes.index("en")]),
        shares=np.array([_ENGLISH_SHARE, _CONFIDENT]),
        telling=np.array([_TELLING_WORDS]),
    )
    return Known(tongues, places_of(tongues), [*map(_meaning, codes), None, _UNKNOWN, _ENGLISH])


def keep_identifier() -> None:
    """Keep what the identifier knows beside the kernels, unpacked, for later starts.

    They load it in no time, and the processes of a machine share most of it.
    """
    known = load_model(MODEL_DIR / MODEL_FILE)
    for path, values in zip(_kept_files(), known, strict=True):
        np.save(path, np.asarray(values))


def exercise() -> None:
    """Use the kernel once, which compiles it, on what :func:`keep_identifier` kept."""
    _told(_known(), ["a"])


def _is_kept() -> bool:
    return is_compiled() and all(map(Path.exists, _kept_files()))


def _kept() -> list[np.ndarray]:
    return [np.asarray(np.load(path, mmap_mode="r")) for path in _kept_files()]


def _kept_files() -> list[Path]:
    """Return the files of the identifier's arrays, in the order in which the library has them."""
    of = f"language-{version('py3langid')}"
    return [folder() / f"{of}-{number}.npy" for number in range(6)]

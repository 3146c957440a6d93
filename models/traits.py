"""What a message is like without being it: the figures by which drift is told.

The service notes them of the messages it judged, and packaging of the validation rows, by this one
function, so that the two can be compared.
"""

import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it takes a second to import, and the service need not
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import Pipeline

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Traits:
    """Figures of one message.

    Attributes
    ----------
    chars : int
        Its length in code points, as it was sent.
    unknown : float
        Share of its words that the model has no term of; 0 for a message without words.
    other_script : float
        Share of its letters that are not Latin; 0 for a message without letters.
    """

    chars: int
    unknown: float
    other_script: float


def text_traits(pipeline: "Pipeline", text: str) -> Traits:
    """Return the traits of a raw ``text`` as the model of ``pipeline`` sees it.

    Parameters
    ----------
    pipeline : Pipeline
        A packaged text model, raw text in.
    """
    return traits_of(text, unknown_share(pipeline, text))


def traits_of(text: str, unknown: float) -> Traits:
    """Return the traits of a raw ``text`` of whose words a model has no term of this share."""
    return Traits(len(text), unknown, _other_script(text))


def unknown_share(pipeline: "Pipeline", text: str) -> float:
    """Return the share of a raw text's words that the model of ``pipeline`` has no term of."""
    [normalised] = pipeline.named_steps["normalise"].transform([text])
    vocabulary = _words_of(pipeline).vocabulary_
    words = _WORD.findall(normalised)
    unknown = sum(word not in vocabulary for word in words)
    return unknown / len(words) if words else 0.0


def _words_of(pipeline: "Pipeline") -> "TfidfVectorizer":
    """Return the part of the vectoriser that knows words."""
    return dict(pipeline.named_steps["tfidf"].transformer_list)["word"]


def _other_script(text: str) -> float:
    if text.isascii():
        return 0.0
    letters = [char for char in text if char.isalpha()]
    return sum(map(_is_other, letters)) / len(letters) if letters else 0.0


@functools.lru_cache(maxsize=4096)
def _is_other(char: str) -> bool:
    return not char.isascii() and "LATIN" not in unicodedata.name(char, "")

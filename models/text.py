"""The one cleaning of text, versioned, inside every fitted pipeline.

``normalise`` folds what looks alike to one form: compatibility characters (NFKC), case, accents,
zero-width and control characters, homoglyphs, repeated letters, and by choice disguised words,
words for who people are, and addresses, numbers and money, which become tokens. Every rule is
bounded, so that time is linear in length.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from models.confusables import lookalike
from models.identity import IDENTITY_TOKEN, IDENTITY_WORDS
from models.params import NormaliseParams
from models.respell import Edit, Lexicon, respell

#: Raise this with every change of behaviour: a bundle made by another version is refused.
NORMALISER_VERSION = 3

#: Longer input is cut here; the service refuses far shorter messages.
MAX_CHARS = 100_000

#: The least cleaning, under which two texts count as the same message.
PLAIN = NormaliseParams(tokens=False, respell=False, identity=False)

# Letters that show nothing: Hangul fillers and the blank Braille pattern.
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_DROPPED_CATEGORIES = frozenset({"Mn", "Me", "Cf", "Cc", "Cs", "Co"})

TOP_LEVEL_DOMAINS = (
    "com|net|org|info|biz|io|co|me|ly|uk|us|in|ng|de|fr|eu|ru|cn|xyz|top|site|online|club|link|"
    "shop|live|app|dev|work|jobs|tv|cc|gl|gd|example|test|invalid"
)
_URL = re.compile(
    r"(?:https?|hxxps?)://\S+"
    r"|www\.\S+"
    rf"|(?<![\w.@-])(?:[a-z0-9-]{{1,63}}\.){{1,4}}(?:{TOP_LEVEL_DOMAINS})\b(?:/\S*)?"
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_MONEY = re.compile(
    r"(?:[£$€₹₦¥]|(?<!\w)(?:usd|eur|gbp|inr|ngn|rs)\b\.?) ?\d[\d,.]{0,15}[km]?\b"
    r"|(?<!\w)\d[\d,.]{0,15} ?(?:[£$€₹₦¥]|(?:usd|eur|gbp|inr|ngn|dollars|pounds|euros|rupees)\b)"
)
_LONG_NUMBER = re.compile(r"(?<!\w)\+?\d(?:[ ().-]{0,2}\d){6,19}(?!\w)|(?<!\w)\d{5,}(?!\w)")
_NUMBER = re.compile(r"(?<!\w)\d{1,4}(?!\w)")
_REPEATED = re.compile(r"([^\W\d]|[^\w\s])\1{2,}")
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"\w+")

_Replacement = str | Callable[[re.Match[str]], str]


@dataclass(frozen=True)
class Normalised:
    """A normalised text and where each of its characters was read.

    Attributes
    ----------
    text : str
        The normalised text.
    starts, ends : ndarray of int32, shape (len(text),)
        Character ``i`` stands for the code points ``[starts[i], ends[i])`` of the raw text.
    """

    text: str
    starts: np.ndarray
    ends: np.ndarray


def normalise(text: str, rules: NormaliseParams = PLAIN, lexicon: Lexicon | None = None) -> str:
    """Return the normalised form of ``text``.

    Parameters
    ----------
    text : str
        Raw text; what lies beyond ``MAX_CHARS`` is cut.
    rules : NormaliseParams
        Which optional rules apply.
    lexicon : Lexicon, optional
        The words that ``rules.respell`` may find; without it that rule does nothing.

    References
    ----------
    Unicode Standard Annex #15 (NFKC), Technical Standard #39 (confusables).
    """
    text = fold(text).translate(_ASCII_CONTROLS)
    if rules.respell and lexicon is not None:
        text = _edited(text, respell(text, lexicon))
    for pattern, replacement in _passes(rules):
        text = pattern.sub(replacement, text)
    return text.strip(" ")


def fold(text: str) -> str:
    """Return what comes first of normalising: every character folded by itself.

    White space and the controls of ASCII are still in it; what lies beyond ``MAX_CHARS`` is not.
    """
    text = text[:MAX_CHARS]
    return text.lower() if text.isascii() else text.translate(FOLDS)


def fold_with_offsets(text: str) -> Normalised:
    """Return what :func:`fold` returns, with the origin of every character."""
    pieces = [FOLDS[ord(char)] for char in text[:MAX_CHARS]]
    starts = np.repeat(np.arange(len(pieces), dtype=np.int32), list(map(len, pieces)))
    return Normalised("".join(pieces), starts, starts + 1)


def normalise_with_offsets(
    text: str, rules: NormaliseParams = PLAIN, lexicon: Lexicon | None = None
) -> Normalised:
    """Return what :func:`normalise` returns, with the origin of every character."""
    found = fold_with_offsets(text)
    controls = (at for at, char in enumerate(found.text) if ord(char) in _ASCII_CONTROLS)
    found = _traced(found, ((at, at + 1, "") for at in controls))
    if rules.respell and lexicon is not None:
        found = _traced(found, respell(found.text, lexicon))
    for pattern, replacement in _passes(rules):
        found = _traced(found, _replaced(pattern, replacement, found.text))
    lead = len(found.text) - len(found.text.lstrip(" "))
    stop = len(found.text.rstrip(" "))
    return Normalised(found.text[lead:stop], found.starts[lead:stop], found.ends[lead:stop])


def group_key(text: str) -> str:
    """Return the key under which near-equal messages always share one side of the split.

    The hash of the letters alone, case and accents folded; of the text without white space where
    it has no letters. Never change it, whatever becomes of ``normalise``: rows would change sides,
    and champions be scored on rows they learnt from.
    """
    folded = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(filter(str.isalpha, folded))
    return _short_hash(letters or "".join(folded.split()))


def reserved_key(text: str) -> str:
    """Return the hash under which a text may stand in the reserved list (see its head)."""
    return _short_hash(re.sub(r"\W+", " ", text.lower()).strip())


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class _FoldTable(dict[int, str]):
    """Code point to folded text, filled as characters are met; for ``str.translate``."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold(chr(code))
        return folded


def _fold(char: str) -> str:
    if char.isspace() or char in _BLANKS:
        return " "
    # Before it is decomposed: some letters look otherwise than what they are compatible with.
    known = lookalike(char.casefold())
    if known.isascii():
        return known
    # Case folding can bring forth characters to decompose, and the reverse, hence the second round.
    decomposed = unicodedata.normalize("NFKD", char).casefold()
    decomposed = unicodedata.normalize("NFKD", decomposed).casefold()
    kept = (
        lookalike(part)
        for part in decomposed
        if unicodedata.category(part) not in _DROPPED_CATEGORIES
    )
    return "".join(kept)


#: What each code point is folded to.
FOLDS = _FoldTable()
# What is left of controls once white space is kept: dropped in the ASCII path too.
_ASCII_CONTROLS = {code: None for code in (*range(32), 127) if not chr(code).isspace()}


_TOKEN_PASSES: tuple[tuple[re.Pattern[str], _Replacement], ...] = (
    (_URL, " __url__ "),
    (_EMAIL, " __email__ "),
    (_MONEY, " __money__ "),
    (_LONG_NUMBER, " __longnumber__ "),
    (_NUMBER, " __number__ "),
)
_IDENTITY_PASS: tuple[tuple[re.Pattern[str], _Replacement], ...] = (
    (_WORD, lambda match: IDENTITY_TOKEN if match[0] in IDENTITY_WORDS else match[0]),
)
# White space first, so that a number or amount is one however widely it is spaced; and again, since
# tokens bring spaces of their own.
_SPACE_PASS: tuple[tuple[re.Pattern[str], _Replacement], ...] = ((_SPACE, " "),)
_REPEATED_PASS: tuple[tuple[re.Pattern[str], _Replacement], ...] = (
    (_REPEATED, lambda match: match[1] * 2),
)


def _passes(rules: NormaliseParams) -> tuple[tuple[re.Pattern[str], _Replacement], ...]:
    tokens = _TOKEN_PASSES if rules.tokens else ()
    identity = _IDENTITY_PASS if rules.identity else ()
    return _SPACE_PASS + tokens + _REPEATED_PASS + identity + _SPACE_PASS


def _replaced(pattern: re.Pattern[str], replacement: _Replacement, text: str) -> Iterator[Edit]:
    for match in pattern.finditer(text):
        yield (
            *match.span(),
            replacement if isinstance(replacement, str) else replacement(match),
        )


def _edited(text: str, edits: Iterable[Edit]) -> str:
    pieces: list[str] = []
    at = 0
    for first, last, new in edits:
        pieces += [text[at:first], new]
        at = last
    return "".join([*pieces, text[at:]]) if pieces else text


def _traced(found: Normalised, edits: Iterable[Edit]) -> Normalised:
    """Edit the text and carry the offsets along.

    A replacement as long as what it replaces maps character by character, any other as a whole.
    """
    text, starts, ends = found.text, found.starts, found.ends
    pieces: list[str] = []
    new_starts: list[np.ndarray] = []
    new_ends: list[np.ndarray] = []
    at = 0
    for first, last, new in edits:
        pieces += [text[at:first], new]
        if len(new) == last - first:
            new_starts += [starts[at:last]]
            new_ends += [ends[at:last]]
        else:
            new_starts += [starts[at:first], np.full(len(new), starts[first], dtype=np.int32)]
            new_ends += [ends[at:first], np.full(len(new), ends[last - 1], dtype=np.int32)]
        at = last
    if not pieces:
        return found
    pieces.append(text[at:])
    new_starts.append(starts[at:])
    new_ends.append(ends[at:])
    return Normalised("".join(pieces), np.concatenate(new_starts), np.concatenate(new_ends))

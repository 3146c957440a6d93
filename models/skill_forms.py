"""Spelling of skills: texts as folded tokens with offsets, phrases as all their spellings.

Case, width and accents are folded; space, hyphen, dot and underscore between two words are one and
the same joint, so "Node.js", "node-js" and "NODE JS" give the same tokens. Other punctuation is a
token of its own, which no phrase crosses unless it is written with it ("CI/CD", "R&D").
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

#: The token of a blank line: paragraphs do not share phrases.
PARAGRAPH = "\n"

# Between two words these are no more than a space.
_JOINT = re.compile(r"[-.'_](?=\w)(?<=[\w+#].)")

# A word with the marks that belong to it ("c++", "c#", "a+"), ".net", another mark, a blank line.
_REST = r"(?:\+\+|[+#](?![a-z0-9]))?|\.net\b|[^\w\s]|\n(?=[^\S\n]*\n)"
_ASCII_TOKEN = re.compile(rf"[a-z0-9]+{_REST}")
# Scripts without spaces are runs of their own, so that "精通Python开发" has three tokens.
UNSPACED_RANGES = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF)),
    *((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7AF)),
)
_UNSPACED = "".join(f"{chr(first)}-{chr(last)}" for first, last in UNSPACED_RANGES)
_TOKEN = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+{_REST}")

# What addresses are made of says nothing about skills: "github.com/jane", "python@example.org".
_ADDRESS = re.compile(
    r"(?:https?://|www\.)\S{1,2000}"
    r"|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"
    r"|(?<![\w.@-])(?:[\w-]{1,63}\.){1,3}(?:com|org|me|dev|in|co|uk|edu)/\S{0,2000}"
)
_ADDRESS_HINTS = ("@", "://", "www.", "com/", "org/", "me/", "dev/", "in/", "co/", "uk/", "edu/")

_SPECIAL_LETTERS = {
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th",
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "’": "'", "‘": "'", "ʼ": "'",
}  # fmt: skip
_DROPPED = frozenset({"Mn", "Me", "Cf"})

_TIGHT_JOINT = re.compile(r"(?<=\w)[-./](?=\w)")
# Shorter abbreviations without their joints are other words: "B.Ed", "PA-C", "10-K".
_LEAST_GLUED = 5
_PLURAL_ES = ("s", "x", "z", "ch", "sh")
_NO_PLURAL = frozenset({"leed"})  # Leeds is a city
_NO_SINGULAR = ("ss", "us", "is", "ics", "as", "os")


@dataclass(frozen=True)
class Tokens:
    """The folded tokens of a text.

    Attributes
    ----------
    words : list of str
    starts : sequence of int
        Where each word begins in the folded text.
    origins : sequence of int, optional
        Where each folded character was read in the raw text; the same place if left out.
    """

    words: list[str]
    starts: Sequence[int]
    origins: Sequence[int] | None = None

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Return where tokens ``[first, last)`` were read, in code points of the raw text."""
        start, end = self.starts[first], self.starts[last - 1] + len(self.words[last - 1])
        if self.origins is None:
            return start, end
        return self.origins[start], self.origins[end - 1] + 1


def tokenise(text: str) -> Tokens:
    """Return the folded tokens of ``text``; time is linear in its length."""
    folded, origins = fold_text(text)
    return Tokens(*_tokens(_ASCII_TOKEN if text.isascii() else _TOKEN, folded), origins)


def fold_text(text: str) -> tuple[str, list[int] | None]:
    """Return ``text`` folded, and where each character was read unless it is in the same place."""
    if text.isascii():
        return text.lower(), None
    folded = text.translate(_FOLD)
    if all(len(_FOLD[ord(char)]) == 1 for char in set(text)):
        return folded, None
    return folded, [index for index, char in enumerate(text) for _ in _FOLD[ord(char)]]


@lru_cache(maxsize=1 << 16)  # reading a taxonomy asks for each phrase several times
def fold_phrase(phrase: str) -> str:
    """Return the tokens of ``phrase`` joined by spaces: equal for spellings that count as one."""
    return " ".join(tokenise(phrase).words)


def spellings(phrase: str, *, inflect: bool, of_trait: bool = False) -> list[str]:
    """Return the folded spellings that ``phrase`` stands for beside its own.

    Joints left out ("nodejs", "ecommerce"), a slash as a space ("ci cd"), "&" for "and" and the
    reverse; with ``inflect`` the plural or singular of the last word, with ``of_trait`` the word
    "skills" after it ("leadership skills").
    """
    found = [fold_phrase(phrase)]
    if _TIGHT_JOINT.search(phrase):
        glued = fold_phrase(_TIGHT_JOINT.sub("", phrase))
        if len(glued) >= _LEAST_GLUED:
            found.append(glued)
        found.append(fold_phrase(phrase.replace("/", " ")))
    for form in tuple(found):
        if " and " in form:
            found.append(form.replace(" and ", " & "))
        if " & " in form:
            found.append(form.replace(" & ", " and "))
    if inflect:
        found += [other for form in tuple(found) if (other := _inflected(form))]
    if of_trait and not found[0].endswith(("s", "skill")):
        found.append(f"{found[0]} skills")
    return list(dict.fromkeys(found))[1:]


def _tokens(pattern: re.Pattern[str], folded: str) -> tuple[list[str], list[int]]:
    folded = _JOINT.sub(" ", without_addresses(folded))
    words = pattern.findall(folded)
    starts: list[int] = []
    end = 0
    # Nothing but joints lies between two tokens, so that each is the next of its spelling; this
    # is faster than asking for match objects.
    for word in words:
        start = folded.find(word, end)
        starts.append(start)
        end = start + len(word)
    return words, starts


def without_addresses(folded: str) -> str:
    """Return a folded text with commas in the place of what addresses are made of."""
    if "@" not in folded and "/" not in folded and "www." not in folded:
        return folded
    if not any(hint in folded for hint in _ADDRESS_HINTS):
        return folded
    return _ADDRESS.sub(lambda match: "," * len(match[0]), folded)


def _inflected(form: str) -> str | None:
    """Return the other number of the last word, where English makes it by rule."""
    head, _, last = form.rpartition(" ")
    if not last.isascii() or not last.isalpha() or len(last) < 3 or last.endswith(("ing", "ings")):
        return None
    if last in _NO_PLURAL:
        return None
    if not last.endswith("s"):
        if last.endswith("y") and last[-2] not in "aeiou":
            last = f"{last[:-1]}ies"
        else:
            last += "es" if last.endswith(_PLURAL_ES) else "s"
    elif last.endswith(_NO_SINGULAR) or (not head and len(last) < 8):
        return None  # one short word: "sales", "news", "teams" mean something else without the s
    elif last.endswith("ies"):
        last = f"{last[:-3]}y"
    else:
        last = last[:-1]
    return f"{head} {last}" if head else last


class _FoldTable(dict[int, str]):
    """Code point to folded text, filled as characters are met; for ``str.translate``."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = fold_character(chr(code))
        return folded


def fold_character(char: str) -> str:
    """Return what stands for one character in a folded text that is not all ASCII."""
    if char in "\n\x0b\x0c\r\x1c\x1d\x1e\x85\u2028\u2029":
        return "\n"
    if char.isspace():
        return " "
    decomposed = unicodedata.normalize("NFKD", char).casefold()
    decomposed = unicodedata.normalize("NFKD", decomposed).casefold()
    return "".join(
        _SPECIAL_LETTERS.get(part, part)
        for part in decomposed
        if unicodedata.category(part) not in _DROPPED
    )


_FOLD = _FoldTable()

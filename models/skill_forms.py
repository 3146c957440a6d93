"""Spelling of skills: texts as folded tokens with offsets, phrases as all their spellings.

Case, width and accents are folded; space, hyphen, dot and underscore between two words are one and
the same joint, so "Node.js", "node-js" and "NODE JS" give the same tokens. Other punctuation is a
token of its own, which no phrase crosses unless it is written with it ("CI/CD", "R&D").
"""

import re
import unicodedata
from dataclasses import dataclass

#: The token of a blank line: paragraphs do not share phrases.
PARAGRAPH = "\n"

# Between two words these are no more than a space.
_JOINT = re.compile(r"[-.'_](?=\w)(?<=[\w+#].)")

# A word with the marks that belong to it ("c++", "c#", "a+"), ".net", another mark, a blank line.
_REST = r"(?:\+\+|[+#](?![a-z0-9]))?|\.net\b|[^\w\s]|\n(?=[^\S\n]*\n)"
_ASCII_TOKEN = re.compile(rf"[a-z0-9]+{_REST}")
# Scripts without spaces are runs of their own, so that "精通Python开发" has three tokens.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
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
    starts : list of int
        Where each word begins in the folded text.
    origins : list of int, optional
        Where each folded character was read in the raw text; the same place if left out.
    """

    words: list[str]
    starts: list[int]
    origins: list[int] | None = None

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Return where tokens ``[first, last)`` were read, in code points of the raw text."""
        start, end = self.starts[first], self.starts[last - 1] + len(self.words[last - 1])
        if self.origins is None:
            return start, end
        return self.origins[start], self.origins[end - 1] + 1


def tokenise(text: str) -> Tokens:
    """Return the folded tokens of ``text``; time is linear in its length."""
    if text.isascii():
        return Tokens(*_tokens(_ASCII_TOKEN, text.lower()))
    words, starts = _tokens(_TOKEN, text.translate(_FOLD))
    if all(len(_FOLD[ord(char)]) == 1 for char in set(text)):
        return Tokens(words, starts)
    origins = [index for index, char in enumerate(text) for _ in _FOLD[ord(char)]]
    return Tokens(words, starts, origins)


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
    folded = _JOINT.sub(" ", _without_addresses(folded))
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


def _without_addresses(folded: str) -> str:
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
        self[code] = folded = _fold(chr(code))
        return folded


def _fold(char: str) -> str:
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

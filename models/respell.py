"""Undo disguises that no rule of characters can: with a lexicon of the words of the training rows.

Letters set apart, words split in two, vowels left out, letters doubled and digits for letters are
ambiguous by themselves: ``p.e.n`` may be a pen. What the lexicon has is what was meant.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice, product

#: Replace the characters ``[first, last)`` by a text.
Edit = tuple[int, int, str]

# Rarer words are as likely typing errors.
_MIN_COUNT = 3

# Words of one skeleton that are tried, the most frequent first.
_TRIED = 6

# Nats by which one word must be likelier than two: joined over a space, over any other mark.
_GAIN_OVER_SPACE, _GAIN_OVER_MARK = 5.0, 1.0

# No English word is longer.
_LONGEST = 24
_LONGEST_RUN_OF_WORDS = 400

_WORD = re.compile(r"(?<![\w*])[a-z]+(?![\w*])")
_TRAINING_WORD = re.compile(r"(?<![\w'])[a-z]+(?![\w'])")
_SPLITTING = frozenset(" .-~/|*")
_VOWELS = re.compile("[aeiou]")
_LETTERS = re.compile(r"[^\W\d_]")
_THRICE = re.compile(r"([a-z])\1\1")
_DOUBLED = re.compile(r"(.)\1+")
_NOT_LETTERS = re.compile(r"([^a-z]+)")

# Single characters set apart by single spaces, or by one and the same mark.
_SPACED = re.compile(r"(?<!\S)\S(?: \S)+(?!\S)")
_MARKED = re.compile(r"(?<!\w)[^\W_]([.\-_*~+/|])[^\W_](?:\1[^\W_])+(?!\w)")
_WIDE = re.compile(r"\S\s{2,}\S")
# A word with stars for some of its letters.
_STARRED = re.compile(r"(?<![\w*])[a-z]+\*+[a-z*]*[a-z](?![\w*])")

#: What digits and marks stand for within a word, the likelier letter first.
_LEET = {
    "0": "o",
    "1": "il",
    "2": "z",
    "3": "e",
    "4": "a",
    "5": "s",
    "6": "gb",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "!": "il",
    "|": "li",
    "+": "t",
    "(": "c",
    "€": "e",
    "£": "l",
}
_LEET_CHAR = re.compile(r"[0-9@$|+€£(]|!\w")
_LEET_WORD = re.compile(
    r"(?<![\w@$!|+€£(])(?!\d+(?:st|nd|rd|th|am|pm|[a-z])(?![\w@$!|+€£(]))[\w@$|€£!][\w@$!|+€£()]{1,30}"
)


class Lexicon:
    """The words of a corpus with how often they occur.

    Parameters
    ----------
    counts : dict of str to int
    """

    def __init__(self, counts: dict[str, int]) -> None:
        self.counts = counts

    @classmethod
    def learn(cls, texts: Iterable[str]) -> "Lexicon":
        """Return the lexicon of normalised texts, the most frequent words first."""
        found = Counter(word for text in texts for word in _TRAINING_WORD.findall(text))
        kept = [
            (word, count)
            for word, count in found.items()
            if count >= _MIN_COUNT and len(word) <= _LONGEST
        ]
        return cls(dict(sorted(kept, key=lambda pair: (-pair[1], pair[0]))))

    @cached_property
    def total(self) -> float:
        """How many words there are in all."""
        return float(sum(self.counts.values())) or 1.0

    @cached_property
    def skeletons(self) -> dict[str, list[str]]:
        """The words that are left when inner vowels are dropped, the most frequent first."""
        found: dict[str, list[str]] = {}
        for word in self.counts:
            if len(word) > 3:
                found.setdefault(_skeleton(word), []).append(word)
        return found

    def log(self, word: str) -> float:
        """Return the log-probability of a word; one that is not here is rarer than any."""
        count = self.counts.get(word, 0)
        return math.log((count or 0.5) / self.total) - (0 if count else len(word))


def marked_letters(text: str, lexicon: Lexicon) -> Iterator[Edit]:  # noqa: ARG001
    """Yield what puts letters together that one and the same mark sets apart: ``i.d.i.o.t``."""
    for match in _MARKED.finditer(text):
        letters = match.group()[::2]
        if _mostly_letters(letters):
            yield (*match.span(), letters)


def spaced_letters(text: str, lexicon: Lexicon) -> Iterator[Edit]:
    """Yield what puts letters together that spaces set apart: ``i d i o t``.

    White space must not have been folded: the bounds of words are where it is wider.
    """
    # Two letters are enough where words are evidently spaced out, as in "i s   i t".
    least = 2 if len(_WIDE.findall(text)) > 1 else 3
    for match in _SPACED.finditer(text):
        letters = match.group()[::2]
        if len(letters) >= least and _mostly_letters(letters):
            yield (*match.span(), _divided(letters, lexicon))


def leet_words(text: str, lexicon: Lexicon) -> Iterator[Edit]:
    """Yield the words of the lexicon that are written with digits and marks for letters."""
    if not _LEET_CHAR.search(text):
        return
    for match in _LEET_WORD.finditer(text):
        word = match.group()
        if word.isalpha() or not _LETTERS.search(word):
            continue
        core = word.replace("()", "o").rstrip("!|+)")
        tail = word[len(word.rstrip("!|+)")) :] if not word.endswith("()") else ""
        choices = [_LEET.get(char, char) for char in core]
        known = (
            spelt
            for letters in islice(product(*choices), 16)
            if (spelt := "".join(letters)) in lexicon.counts
        )
        best = max(known, key=lexicon.counts.__getitem__, default=None)
        if best is not None and len(best) > 2:
            yield (*match.span(), best + tail)


def respelt(text: str, lexicon: Lexicon) -> Iterator[Edit]:
    """Yield the words of the lexicon that unknown words, and parts of split ones, stand for."""
    words = list(_WORD.finditer(text))
    at = 0
    while at < len(words):
        first = words[at]
        if at + 1 < len(words):
            second = words[at + 1]
            joined = first.group() + second.group()
            if joined in lexicon.counts and _split(text, first, second, joined, lexicon):
                yield (first.start(), second.end(), joined)
                at += 2
                continue
        word = first.group()
        if word not in lexicon.counts and len(word) > 2:
            meant = _meant(word, lexicon)
            if meant != word:
                yield (*first.span(), meant)
        at += 1


def drawn_out(text: str, lexicon: Lexicon) -> Iterator[Edit]:
    """Yield the words that have a letter three times or more: ``idiooot``."""
    if not _THRICE.search(text):
        return
    for match in _WORD.finditer(text):
        word = match.group()
        if _THRICE.search(word) and (found := _with_single_letters(word, lexicon)):
            yield (*match.span(), found)


def starred(text: str, lexicon: Lexicon) -> Iterator[Edit]:
    """Yield the words in which stars stand for letters."""
    for match in _STARRED.finditer(text):
        word = match.group().replace("*", "")
        if found := _with_vowels(word, lexicon):
            yield (*match.span(), found)


def _mostly_letters(text: str) -> bool:
    return 2 * len(_LETTERS.findall(text)) >= max(4, len(text))


def _skeleton(word: str) -> str:
    return word[0] + _VOWELS.sub("", word[1:])


def _split(
    text: str, first: re.Match[str], second: re.Match[str], joined: str, lexicon: Lexicon
) -> bool:
    between = text[first.end() : second.start()]
    if len(between) != 1 or between not in _SPLITTING or len(joined) < 4:
        return False
    least = _GAIN_OVER_SPACE if between == " " else _GAIN_OVER_MARK
    apart = lexicon.log(first.group()) + lexicon.log(second.group())
    return lexicon.log(joined) - apart > least


def _meant(word: str, lexicon: Lexicon) -> str:
    """Return what an unknown word stands for, or itself."""
    if len(word) > 4 and (found := _with_single_letters(word, lexicon)):
        return found
    # Few letters, or some of the vowels, may be an abbreviation or a name.
    if len(word) > 4 or not _VOWELS.search(word, 1):
        return _with_vowels(word, lexicon) or word
    return word


def _with_single_letters(word: str, lexicon: Lexicon) -> str | None:
    runs = list(_DOUBLED.finditer(word))
    if not 0 < len(runs) <= 4:
        return None
    known = []
    for lengths in product((1, 2), repeat=len(runs)):
        choice = iter(lengths)
        spelt = _DOUBLED.sub(lambda run, choice=choice: run[1] * next(choice), word)  # type: ignore[misc]
        if spelt in lexicon.counts:
            known.append(spelt)
    return max(known, key=lexicon.counts.__getitem__, default=None)


def _with_vowels(word: str, lexicon: Lexicon) -> str | None:
    """Return the most frequent word that ``word`` is what is left of without some vowels."""
    tried = lexicon.skeletons.get(_skeleton(word), [])[:_TRIED] if word else []
    most = len(word) if len(word) > 3 else 2
    near = (whole for whole in tried if len(whole) - len(word) <= most)
    return next((whole for whole in near if _is_subsequence(word, whole)), None)


def _is_subsequence(part: str, whole: str) -> bool:
    letters = iter(whole)
    return all(char in letters for char in part)


def _divided(letters: str, lexicon: Lexicon) -> str:
    """Return a run of letters cut into the likeliest words; what is no letter stays where it is."""
    if letters in lexicon.counts:
        return letters
    return "".join(
        _words_of(part, lexicon) if part.isalpha() else part for part in _NOT_LETTERS.split(letters)
    )


def _words_of(run: str, lexicon: Lexicon) -> str:
    """Return the likeliest words that make up ``run``, by dynamic programming over its ends."""
    if len(run) > _LONGEST_RUN_OF_WORDS or run in lexicon.counts:
        return run
    best = [0.0] + [-math.inf] * len(run)
    begins = [0] * (len(run) + 1)
    for end in range(1, len(run) + 1):
        for start in range(max(0, end - _LONGEST), end):
            word = run[start:end]
            if word in lexicon.counts:
                score = best[start] + lexicon.log(word)
            elif end - start == 1:
                score = best[start] + lexicon.log(word) - 5.0
            else:
                continue
            if score > best[end]:
                best[end], begins[end] = score, start
    words: list[str] = []
    end = len(run)
    while end > 0:
        words.append(run[begins[end] : end])
        end = begins[end]
    # Many letters alone are no words: what is left of something else.
    if sum(len(word) == 1 and word not in "aiu" for word in words) * 4 > len(words):
        return run
    return " ".join(reversed(words))

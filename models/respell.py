"""Undo disguises with a lexicon of the words of the training rows.

Letters set apart, words split in two, vowels left out, letters drawn out, digits and marks for
letters: each is read as the word of the lexicon that it stands for, or left as it is. A known word
is never changed by itself, so that clean text stays clean text. Everything is a look-up in one of
three tables; a run of letters set apart is divided into words by one pass over it.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

#: Replace the characters ``[first, last)`` by a text.
Edit = tuple[int, int, str]

# Rarer words are as likely typing errors.
_MIN_COUNT = 3
#: No English word is longer; runs of more letters are not divided.
LONGEST, LONGEST_RUN = 24, 400

#: Nats by which one word must be likelier than two: joined over a space, over any other mark.
GAIN_OVER_SPACE, GAIN_OVER_MARK = 5.0, 1.0
#: What a letter that is no word costs, beside its own rarity, when a run of letters is divided.
STRAY = 5.0

_TRAINING_WORD = re.compile(r"(?<![\w'])[a-z]+(?![\w'])")
_CHUNK = re.compile(r"\S+")
_LETTERS = re.compile("([a-z]+)")
_THRICE = re.compile(r"([a-z])\1\1")
_DOUBLED = re.compile(r"(.)\1+")
_VOWELS = re.compile("[aeiou]")
_UNIT = re.compile(r"\d{1,2}[a-z]|\d+(?:st|nd|rd|th|am|pm)")

# What may stand around a word; at its head "!" and "|" may be a letter of it.
OPENING, CLOSING = "\"'`()[]{}<>*_~-.,:;?", "\"'`)[]{}<>*_~-.,:;?!|"
# What sets letters or parts of a word apart.
PARTING = re.compile(r"[-._~/|+*]")
_JOINT = re.compile(r"[-._~/]\d\w|\w\d[-._~/]")
# What digits and marks stand for within a word. "1" and "!" are "l" as well as "i": these are one.
LEET = str.maketrans("0123456789@$!|+(€£l", "oizeasgtbgasiitceii", "-._~/*")
LEET_CHAR = re.compile("[0-9@$!|+(€£]")
_READABLE = re.compile("[a-z]|.[@$!|].")


class Lexicon:
    """The words of a corpus with how often they occur.

    Parameters
    ----------
    counts : dict of str to int
        The most frequent words first: of those that a disguise may stand for, the first is taken.

    Attributes
    ----------
    logs : dict of str to float
        The log-probability of each word.
    spellings : dict of str to str
        The word that each spelling, see ``_spelling``, stands for.
    skeletons : dict of str to str
        The word that is left of each when the vowels after its first letter are dropped.
    """

    def __init__(self, counts: dict[str, int]) -> None:
        self.counts = counts
        self.log_total = math.log(sum(counts.values()) or 1)
        self.logs = {word: math.log(count) - self.log_total for word, count in counts.items()}
        self.spellings: dict[str, str] = {}
        self.skeletons: dict[str, str] = {}
        for word in counts:
            if len(word) > 2:
                self.spellings.setdefault(_spelling(word), word)
            if len(word) > 3:
                self.skeletons.setdefault(_skeleton(word), word)

    @classmethod
    def learn(cls, texts: Iterable[str]) -> "Lexicon":
        """Return the lexicon of normalised texts."""
        found = Counter(word for text in texts for word in _TRAINING_WORD.findall(text))
        kept = [
            (word, count)
            for word, count in found.items()
            if count >= _MIN_COUNT and len(word) <= LONGEST
        ]
        return cls(dict(sorted(kept, key=lambda pair: (-pair[1], pair[0]))))

    def gain(self, joined: str, *parts: str) -> float:
        """Return by how many nats a word is likelier than its parts; a strange word never is."""
        if joined not in self.logs:
            return -math.inf
        return self.logs[joined] - sum(map(self._log, parts))

    def _log(self, word: str) -> float:
        # One that is not here is rarer than any, and the more so the longer it is.
        return self.logs.get(word) or math.log(0.5) - self.log_total - len(word)

    def divide(self, run: str) -> str:
        """Return a run of letters as the likeliest words that make it up, or as it is."""
        if len(run) > LONGEST_RUN or run in self.logs:
            return run
        best = [0.0] + [-math.inf] * len(run)
        begins = [0] * (len(run) + 1)
        for end in range(1, len(run) + 1):
            for start in range(max(0, end - LONGEST), end):
                word = run[start:end]
                if word in self.logs:
                    score = best[start] + self.logs[word]
                elif end - start == 1:
                    score = best[start] + self._log(word) - STRAY
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


class _Word(NamedTuple):
    """What stands between white space, and its core: what is left without the marks around."""

    start: int
    end: int
    core: str
    core_start: int
    core_end: int


def respell(text: str, lexicon: Lexicon) -> Iterator[Edit]:
    """Yield what turns the disguised words of a folded text into those of the lexicon.

    White space must not have been folded: where letters are set apart, the bounds of words are
    where it is wider.
    """
    words = [_word(match) for match in _CHUNK.finditer(text)]
    wide = sum(after.start - word.end > 1 for word, after in pairwise(words))
    # Two letters are enough where words are evidently spaced out, as in "i s   i t".
    least = 2 if wide > 1 else 3
    dodges = LEET_CHAR.search(text) is not None and _dodges(words, lexicon)
    at = 0
    while at < len(words):
        first = words[at]
        after = _after_single(words, at)
        if after - at >= least:
            letters = "".join(text[word.start] for word in words[at:after])
            yield first.start, words[after - 1].end, _divided(letters, lexicon)
            at = after
        elif at + 1 < len(words) and _split(first, words[at + 1], lexicon):
            second = words[at + 1]
            yield first.core_start, second.core_end, first.core + second.core
            at += 2
        else:
            meant = _meant(first.core, lexicon)
            if meant is None and dodges:
                meant = _meant_among_others(first.core, lexicon)
            if meant is not None:
                yield first.core_start, first.core_end, meant
            elif dodges and text[first.start : first.end] == "!":
                yield first.start, first.end, "i"
            at += 1


def _word(match: re.Match[str]) -> _Word:
    start, end = match.span()
    opened = match.group().lstrip(OPENING)
    core = opened.rstrip(CLOSING)
    core_start = end - len(opened)
    return _Word(start, end, core, core_start, core_start + len(core))


def _after_single(words: Sequence[_Word], first: int) -> int:
    """Return which word comes after the single characters, a space apart, from ``first`` on."""
    at = first
    while (
        at < len(words)
        and words[at].end - words[at].start == 1
        and (at == first or words[at].start - words[at - 1].end == 1)
    ):
        at += 1
    return at


def _divided(run: str, lexicon: Lexicon) -> str:
    """Return the words of a run of characters, none if it has too few letters to be any.

    What is no letter stays where it is.
    """
    if 2 * sum(map(str.isalpha, run)) < max(4, len(run)):
        return " ".join(run)
    return "".join(lexicon.divide(part) if part.isalpha() else part for part in _LETTERS.split(run))


def _split(first: _Word, second: _Word, lexicon: Lexicon) -> bool:
    """Return whether the two are parts of one word, with nothing but a space between them."""
    if second.core_start - first.core_end != 1 or not first.core or not second.core:
        return False
    joined = first.core + second.core
    return len(joined) > 3 and lexicon.gain(joined, first.core, second.core) > GAIN_OVER_SPACE


def _meant(core: str, lexicon: Lexicon) -> str | None:
    """Return the word that a disguise stands for; None where there is none to see."""
    if core in lexicon.logs or len(core) < 3:
        return None
    if core.isascii() and core.isalpha():
        drawn_out = _DOUBLED.search(core) and (len(core) > 4 or _THRICE.search(core))
        meant = lexicon.spellings.get(_spelling(core)) if drawn_out else None
        # What has some of its vowels may be a name.
        return meant if meant or _VOWELS.search(core, 1) else lexicon.skeletons.get(core)
    parts = PARTING.split(core)
    if len(parts) > 1 and all(part.isalpha() or not part for part in parts):
        return _joined(core, parts, lexicon)
    if not LEET_CHAR.search(core) or not _READABLE.search(core):
        return None
    # Such as "10th"; or a name of several parts, such as "f-16".
    if _UNIT.fullmatch(core) or _JOINT.search(core):
        return None
    return lexicon.spellings.get(_spelling(core))


def _dodges(words: Sequence[_Word], lexicon: Lexicon) -> bool:
    """Return whether two words or more are written with digits and marks for letters."""
    return (
        sum(bool(LEET_CHAR.search(word.core) and _meant(word.core, lexicon)) for word in words) > 1
    )


def _meant_among_others(core: str, lexicon: Lexicon) -> str | None:
    """Return what a word stands for that is read only where others are disguised by digits."""
    if not LEET_CHAR.search(core) or _JOINT.search(core):
        return None
    if len(core) < 3:
        return SHORT_SPELLINGS.get(_spelling(core))
    if core[0] == "@":  # who is spoken to
        meant = lexicon.spellings.get(_spelling(core[1:]))
        return meant and "@" + meant
    return None if _UNIT.fullmatch(core) else lexicon.spellings.get(_spelling(core))


def _joined(core: str, parts: Sequence[str], lexicon: Lexicon) -> str | None:
    """Return the word that is left without the marks between its parts, if it is one."""
    joined = "".join(parts)
    if "*" in core and (starred := lexicon.skeletons.get(_skeleton(joined))):
        return starred
    if len(parts) == len(joined) > 2:
        return lexicon.divide(joined)
    is_word = len(joined) > 3 and lexicon.gain(joined, *parts) > GAIN_OVER_MARK
    return joined if is_word else None


def _spelling(word: str) -> str:
    """Return what a word has in common with marks for its letters, or letters drawn out."""
    return _DOUBLED.sub(r"\1", word.translate(LEET))


def _skeleton(word: str) -> str:
    return word[:1] + _VOWELS.sub("", word[1:])


_SHORT = "a i am an as at be by do go he hi if in is it me my no of oh on or so to up us we"
#: Too short to be read by themselves: "4" and "!" are what they are in most texts.
SHORT_SPELLINGS = {_spelling(word): word for word in _SHORT.split(" ")}

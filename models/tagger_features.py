"""What the tagger knows of each word: itself, its neighbours, its line, and the taxonomy's word."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from models.skill_matcher import SkillMatcher
from models.tagger_text import Sentence, split_sentences
from models.word_classes import Classes

#: A longer word is known by its beginning.
MAX_WORD = 40

# Lengths of the beginnings and ends of words, and how much of one makes its shape.
_STARTS, _ENDS, _SHAPED = (3, 4), (2, 3, 4), 12

# Words whose features are kept at hand.
_REMEMBERED = 8192

_EDGE = "^"
_OUTSIDE = "O"
_READER = frozenset({"you", "your", "you'll", "you’ll", "you're", "you’re"})
_WRITER = frozenset({"we", "our", "us", "we're", "we’re", "we'll", "we’ll"})
_LENGTH_STEP, _LENGTH_STEPS = 5, 6


def folded(word: str) -> str:
    """Return how a word is known: in lower case, digits of numbers alike."""
    word = word[:MAX_WORD]
    return "0" * len(word) if word.isdigit() else word.lower()


#: From the features of a word to their numbers, which may leave some out.
Encode = Callable[[Sequence[str]], list[int]]


class ReadSentence(NamedTuple):
    """A sentence with what is known of each of its words.

    Attributes
    ----------
    words : Sentence
    own : list of list of int
        Features of the word by itself: its form, how its neighbours look, its line, the taxonomy.
    company : list of list of int
        Features of the words around it, and of pairs of words.
    """

    words: Sentence
    own: list[list[int]]
    company: list[list[int]]


class FeatureReader:
    """Reads texts as sentences with the features of each word, as numbers.

    Parameters
    ----------
    matcher : SkillMatcher
        Its mentions tell what the taxonomy has in a text.
    classes : mapping of str to tuple of int
        As :class:`models.word_classes.Company` has them.
    encode_own, encode_company : callable
        Number the features of words by themselves, and those of their company.
    """

    def __init__(
        self,
        matcher: SkillMatcher,
        classes: Mapping[str, Classes],
        encode_own: Encode,
        encode_company: Encode,
    ) -> None:
        self._matcher = matcher
        self._classes = classes
        self._encode_own = encode_own
        self._encode_company = encode_company
        levels = len(next(iter(classes.values()), ()))
        self._classless = ("?",) * levels
        # Most words of a text are common ones.
        self._described = lru_cache(maxsize=_REMEMBERED)(self._describe)
        self._edge = _Word(_EDGE, (_EDGE,) * levels, encode_own, encode_company)

    def read(self, text: str) -> Iterator[ReadSentence]:
        """Yield every sentence of ``text`` with the features of each of its words."""
        mentioned = self._mentioned(text)
        seen: dict[tuple[str, ...], list[int]] = {}
        edge = self._edge
        for sentence in split_sentences(text):
            words = [self._described(word[:MAX_WORD]) for word in sentence.words]
            line = self._encode_own(_line_features(words))
            taxonomy = [_EDGE, *(mentioned.get(at, _OUTSIDE) for at, _ in sentence.places), _EDGE]
            padded = [edge, edge, *words, edge, edge]
            read = ReadSentence(sentence, [], [])
            for place in range(len(words)):
                far, left, word, right, beyond = padded[place : place + 5]
                named = tuple(taxonomy[place : place + 3])
                if named not in seen:
                    seen[named] = self._encode_own(_taxonomy_features(*named))
                pairs = self._encode_company(_pair_features(far, left, word, right, beyond))
                read.own.append(line + left.looks_left + word.own + right.looks_right + seen[named])
                read.company.append(
                    far.far_left + left.left + pairs + right.right + beyond.far_right
                )
            yield read

    def _mentioned(self, text: str) -> dict[int, str]:
        """Return the tag of each character in a mention, by where it stands."""
        tags: dict[int, str] = {}
        for skill, start, end in self._matcher.mentions(text):
            tags.update(dict.fromkeys(range(start, end), f"I-{skill.category}"))
            tags[start] = f"B-{skill.category}"
        return tags

    def _describe(self, word: str) -> "_Word":
        classes = self._classes.get(folded(word))
        names = self._classless if classes is None else tuple(map(str, classes))
        return _Word(word, names, self._encode_own, self._encode_company)


class _Word:
    """A word with its features, on its own and as its neighbours see it; made once."""

    __slots__ = (
        "classes",
        "far_left",
        "far_right",
        "left",
        "looks_left",
        "looks_right",
        "low",
        "own",
        "right",
    )

    def __init__(
        self,
        word: str,
        classes: tuple[str, ...],
        encode_own: Encode,
        encode_company: Encode,
    ) -> None:
        low = folded(word)
        shape = _shape(word)
        self.low = low
        self.classes = classes

        def known_as(where: str) -> list[str]:
            names = [f"{where}k{level}={name}" for level, name in enumerate(classes)]
            return [f"{where}w={low}", *names]

        parts = low.replace("/", "-").split("-") if "-" in low or "/" in low else []
        self.own = encode_own(
            [
                *known_as(""),
                f"s={shape}",
                *(f"p{size}={low[:size]}" for size in _STARTS),
                *(f"u{size}={low[-size:]}" for size in _ENDS),
                *(f"part={part}" for part in parts if part),
            ]
        )
        # How the word on the right of this one sees it, and so on.
        self.looks_left = encode_own([f"-1s={shape}", f"-1u={low[-3:]}"])
        self.looks_right = encode_own([f"+1s={shape}", f"+1u={low[-3:]}"])
        self.left = encode_company(known_as("-1"))
        self.right = encode_company(known_as("+1"))
        self.far_left = encode_company(known_as("-2"))
        self.far_right = encode_company(known_as("+2"))


def _shape(word: str) -> str:
    """Return runs of capitals, small letters and digits, and other marks as they are."""
    runs: list[str] = []
    for char in word[:_SHAPED]:
        kind = "X" if char.isupper() else "x" if char.islower() else "d" if char.isdigit() else char
        if not runs or runs[-1] != kind:
            runs.append(kind)
    return "".join(runs)


def _pair_features(far: _Word, left: _Word, word: _Word, right: _Word, beyond: _Word) -> list[str]:
    """Return the word with its neighbours, as themselves and by their classes."""
    row = [
        f"-1w0={left.low}|{word.low}",
        f"0w+1={word.low}|{right.low}",
        f"-2w-1={far.low}|{left.low}",
        f"+1w+2={right.low}|{beyond.low}",
    ]
    for level in range(len(word.classes)):
        before, here, after = left.classes[level], word.classes[level], right.classes[level]
        row += (f"-1k{level}={before}|{here}", f"k{level}+1={here}|{after}")
        if level == 0:
            row += (
                f"-1k+1={before}|{here}|{after}",
                f"-2k={far.classes[0]}|{before}|{here}",
                f"k+2={here}|{after}|{beyond.classes[0]}",
            )
    return row


def _taxonomy_features(before: str, here: str, after: str) -> list[str]:
    return [f"t={here}", f"-1t={before}", f"+1t={after}", f"t+1t={here}|{after}"]


def _line_features(words: Sequence[_Word]) -> list[str]:
    """Return what all words of a sentence share: how it begins and ends, and whom it speaks of."""
    first, last = words[0].low, words[-1].low
    row = ["bias", f"first={first}"]
    if not first[0].isalnum():
        row += ["bullet", f"second={words[1].low if len(words) > 1 else ''}"]
    spoken = {word.low for word in words}
    if not spoken.isdisjoint(_READER):
        row.append("you")
    if not spoken.isdisjoint(_WRITER):
        row.append("we")
    row.append(f"end={'w' if last[-1].isalnum() else last[-1]}")
    row.append(f"length={min(_LENGTH_STEPS, len(words) // _LENGTH_STEP)}")
    return row

"""Canonical names of marked phrases: "strong knowledge of Python" is Python."""

import re
from collections.abc import Iterable, Iterator

from models.skill_matcher import SkillMatcher
from models.tagger_text import TaggedSpan

#: A longer phrase is no name with a few words around it.
MAX_WORDS = 12


def _words(written: str) -> frozenset[str]:
    return frozenset(written.split())


# Words before a name that say how well, or that somebody knows or uses it.
_BEFORE = _words(
    "a an the and or in of with on for to our your their some various different other similar "
    "strong excellent good great solid proven deep broad basic advanced expert extensive sound "
    "outstanding exceptional superior fluent fluency working practical hands-on in-depth relevant "
    "modern common general professional proficient proficiency knowledge understanding experience "
    "experienced familiarity familiar expertise skills skill background ability abilities command "
    "knowing using use work understand know write writing written spoken speak speaking verbal "
    "create creating build building develop developing perform performing conduct conducting "
    "manage managing do doing apply applying utilise utilize utilizing leverage leveraging"
)
# Words after a name that say what it is.
_AFTER = _words(
    "skill skills experience knowledge expertise ability abilities understanding proficiency "
    "background certification certificate language languages programming development tool tools "
    "technology technologies framework frameworks library libraries platform platforms software "
    "environment environments application applications system systems database databases "
    "ecosystem techniques principles concepts methods methodologies methodology practices "
    "standards processes and or is"
)

_WORD = re.compile(r"\S+")
_MARKS = ".,;:!?()[]\"'“”‘’*•"


def named(spans: Iterable[TaggedSpan], text: str, matcher: SkillMatcher) -> list[str | None]:
    """Return the canonical name of each of ``spans``, or None where it has none.

    That is the name of the whole phrase, or of the longest part of it that has one when words of
    judgement before it ("strong knowledge of") and of kind after it ("skills") are left out.

    Parameters
    ----------
    spans : iterable of TaggedSpan
    text : str
        The raw text of the spans.
    matcher : SkillMatcher
    """
    return [
        next(filter(None, map(matcher.name_of, _cores(text[span.start : span.end]))), None)
        for span in spans
    ]


def _cores(phrase: str) -> Iterator[str]:
    """Yield ``phrase`` and its parts without words at either end, longest first."""
    yield phrase
    words = [(match[0].strip(_MARKS).lower(), *match.span()) for match in _WORD.finditer(phrase)]
    if not 1 < len(words) <= MAX_WORDS:
        return
    before = _leading(words, _BEFORE)
    after = _leading(words[::-1], _AFTER)
    parts = [
        (skipped, len(words) - dropped)
        for skipped in range(before + 1)
        for dropped in range(after + 1)
        if 0 < skipped + dropped < len(words)
    ]
    for first, last in sorted(parts, key=lambda part: (part[0] - part[1], part)):
        yield phrase[words[first][1] : words[last - 1][2]]


def _leading(words: Iterable[tuple[str, int, int]], known: frozenset[str]) -> int:
    count = 0
    for word, _, _ in words:
        if word not in known:
            break
        count += 1
    return count

"""How much a posting stresses each skill it names.

A mention weighs by what its section and its sentence say: required, preferred, neither, or named
in passing (the company, the benefits). The title adds to it, and so do further sentences that name
the skill, up to a small bound; a word repeated in one sentence, or in a bare list of keywords,
adds nothing.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

REQUIRED = 0.8
NEUTRAL = 0.55
PREFERRED = 0.3
IN_PASSING = 0.1
NOT_NEEDED = 0.02

#: A posting asks for what it stresses at least this much: not for what its paragraph on benefits
#: or on the company happens to name.
ASKED = 0.2

#: What the title adds, and each further sentence, at most ``MAX_REPEATS`` of them.
TITLE_BONUS = 0.1
REPEAT_BONUS = 0.05
MAX_REPEATS = 2

#: Soft skills are asked for everywhere and show little in a resume.
SOFT_FACTOR = 0.5

#: A sentence repeats a skill only if it has this many words beside the skills it names.
_LEAST_OTHER_WORDS = 4
_MAX_TITLE_WORDS = 14
_MAX_HEADING_WORDS = 8

# The first that fits a heading decides: "preferred qualifications" are preferred.
_HEADINGS = (
    (
        PREFERRED,
        r"prefer|nice to have|bonus|desir|good to have|advantage|optional|plus(?:es)?\b|"
        r"extra (?:credit|points)|would be (?:great|nice)|ideal",
    ),
    (
        REQUIRED,
        r"require|must|qualification|essential|minimum|who you are|you have|looking for|"
        r"what (?:you|we).{0,20}(?:need|bring|look|have|expect)|your (?:profile|background|skills)|"
        r"skills|experience|about you|you are|competenc|knowledge|education|credentials|criteria",
    ),
    (
        NEUTRAL,
        r"responsib|dut(?:y|ies)|what you.{0,12}do|role|tasks|the (?:job|position|opportunity)|"
        r"job (?:description|summary|purpose)|day to day|overview|position|your mission|tech stack|"
        r"technolog|environment",
    ),
    (
        IN_PASSING,
        r"about|benefit|perk|offer|why |compensation|equal|company|culture|diversity|salary|"
        r"who we are|our (?:values|mission|team)|what.s in it|pay\b|disclaimer|apply",
    ),
)
_COMPILED_HEADINGS = tuple((weight, re.compile(pattern)) for weight, pattern in _HEADINGS)

_CUES = re.compile(
    r"(?P<unneeded>\b(?:not|no|isn't|aren't)\b.{0,25}?\b(?:required|necessary|needed|essential|"
    r"a must)\b)"
    r"|(?P<preferred>\b(?:a|an|is|as|big|huge|strong|definite) (?:plus|bonus|advantage|asset)\b|"
    r"\bnice[ -]to[ -]have\b|\bprefer(?:red|ably|ence)?\b|\bideal(?:ly)?\b|\bdesir(?:ed|able)\b|"
    r"\badvantageous\b|\bbonus\b|\boptional(?:ly)?\b|\bbeneficial\b|\bwould be (?:great|nice|good|"
    r"helpful|an?)\b|\bgood to have\b|\bhelpful\b)"
    r"|(?P<required>\bmust\b|\brequire[sd]?\b|\bessential\b|\bmandatory\b|\bneed(?:s|ed)?\b|"
    r"\bminimum\b|\bat least\b|\bstrong\b|\bproven\b|\bsolid\b|\bexpert(?:ise)?\b|\bproficien\w+|"
    r"\bextensive\b|\bin[ -]depth\b|\bexcellent\b|\b\d{1,2} ?\+? ?(?:-|to)? ?\d{0,2} ?years\b)",
    re.IGNORECASE,
)
_CUE_WEIGHTS = {"unneeded": NOT_NEEDED, "preferred": PREFERRED, "required": REQUIRED}

_SEGMENT = re.compile(r"[^\n.!?;]+(?:\.(?=\S)[^\n.!?;]*)*")
_BULLET = re.compile(r"^\W*")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Mention:
    """A skill named at code points ``[start, end)`` of the posting."""

    name: str
    start: int
    end: int


class _Segment(NamedTuple):
    """A sentence, or the line it is cut by, with the weight of the section it stands in."""

    start: int
    end: int
    section: float
    is_title: bool


def stresses(
    job_text: str, mentions: Iterable[Mention], soft: AbstractSet[str]
) -> dict[str, float]:
    """Return how much ``job_text`` stresses each skill that ``mentions`` name, in (0, 1].

    Parameters
    ----------
    soft : set of str
        The skills that weigh ``SOFT_FACTOR`` of the others.
    """
    ordered = sorted(mentions, key=lambda mention: mention.start)
    segments = list(_segments(job_text, ordered))
    starts = [segment.start for segment in segments]
    by_segment: dict[int, list[Mention]] = {}
    for mention in ordered:
        # By its end: the dot of ".NET" lies before the sentence that the name begins.
        index = max(0, bisect_left(starts, mention.end) - 1)
        by_segment.setdefault(index, []).append(mention)

    best: dict[str, float] = {}
    titled: set[str] = set()
    told: dict[str, set[str]] = {}
    for index, named in by_segment.items():
        segment = segments[index]
        sentence = job_text[segment.start : segment.end]
        cues = _cues(sentence, segment.start)
        for mention in named:
            weight = _weight(mention, named[0], segment.section, cues)
            best[mention.name] = max(best.get(mention.name, 0.0), weight)
        names = {mention.name for mention in named}
        if segment.is_title:
            titled |= names
        elif _other_words(sentence, segment.start, named) >= _LEAST_OTHER_WORDS:
            words = " ".join(_WORD.findall(sentence.lower()))
            for name in names:
                told.setdefault(name, set()).add(words)
    return {
        name: _total(weight, name in titled, len(told.get(name, ())), name in soft)
        for name, weight in best.items()
    }


def _total(weight: float, titled: bool, sentences: int, soft: bool) -> float:
    if weight > IN_PASSING:
        weight += TITLE_BONUS * titled + REPEAT_BONUS * min(max(sentences - 1, 0), MAX_REPEATS)
    return round(weight * (SOFT_FACTOR if soft else 1.0), 4)


def _cues(sentence: str, start: int) -> list[tuple[int, float]]:
    """Return where the cues of a sentence stand in the posting, and their weights."""
    return [
        (match.start() + start, _CUE_WEIGHTS[match.lastgroup or "required"])
        for match in _CUES.finditer(sentence)
    ]


def _weight(
    mention: Mention, first: Mention, section: float, cues: list[tuple[int, float]]
) -> float:
    """Return the weight of a mention: that of the cue of its sentence it belongs to, if any.

    Where cues come first ("must have X, ideally Y") a mention belongs to the last before it, where
    they follow ("X is required, Y a plus") to the first after it.
    """
    if not cues:
        return section
    after = bisect_left(cues, (mention.start,))
    cues_lead = cues[0][0] < first.start
    _, weight = cues[after - 1 if cues_lead else min(after, len(cues) - 1)]
    # In a section of preferences, "strong" is a manner of speaking; nothing is asked in passing.
    return min(weight, section) if section < NEUTRAL else weight


def _segments(job_text: str, mentions: list[Mention]) -> Iterator[_Segment]:
    """Yield the sentences of the posting; headings set the section of what follows them."""
    section = NEUTRAL
    named = [mention.end for mention in mentions]
    at_title = True
    for match in _SEGMENT.finditer(job_text):
        start, end = match.span()
        line = _BULLET.sub("", match[0])
        words = len(_WORD.findall(line[:200]))
        if words == 0:
            continue
        has_skill = bisect_right(named, end) > bisect_right(named, start)
        is_title = at_title and words <= _MAX_TITLE_WORDS
        at_title = False
        heading, colon, _ = line.partition(":")
        heading_words = len(_WORD.findall(heading[:200]))
        is_line = job_text[end : end + 1] in ("", "\n", "\r") or colon
        if heading_words <= _MAX_HEADING_WORDS and is_line and (colon or not is_title):
            weight = _heading_weight(heading.lower())
            if weight is not None and (colon or not has_skill):
                section = weight
            elif colon and not has_skill:
                section = NEUTRAL
        yield _Segment(start, end, REQUIRED if is_title else section, is_title)


def _heading_weight(heading: str) -> float | None:
    return next((weight for weight, name in _COMPILED_HEADINGS if name.search(heading)), None)


def _other_words(sentence: str, start: int, named: list[Mention]) -> int:
    """Return how many words of a sentence name no skill."""
    inside = sum(len(_WORD.findall(sentence, m.start - start, m.end - start)) for m in named)
    return len(_WORD.findall(sentence)) - inside

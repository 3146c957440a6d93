"""Terms of resumes and postings, roles in titles and in running text, and the years a posting asks.

A term is a word or a pair of neighbouring words, folded and without plural; function words break
pairs. A role is a title without level, place and brackets ("Sr. Java Developer - Remote" is "java
developer"); its runs of words are its grams, so that roles share what their names share.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

#: Longer texts are cut; so are words that no one wrote by hand.
MAX_CHARS = 200_000
_MAX_WORD = 40

# ".NET", "dotnet" and "Dot Net" are one word.
_DOT_NET = re.compile(r"\bdot[ -]?net\b")
_WORD = re.compile(r"\.net\b|[^\W\d_]\w*(?:\+\+|#)?")


def _set_of(written: str) -> frozenset[str]:
    return frozenset(written.split())


#: Words that say how a sentence is built, and nothing about a job.
FUNCTION_WORDS = _set_of(
    """
    a about above across after again against all almost along already also although always am
    among an and another any anyone anything are around as at be became because become been
    before behind being below beside besides between both but by can cannot could did do does
    doing done down during each either else enough etc even ever every everybody everyone
    everything few for from further get gets give given go goes had has have having he her here
    hers herself him himself his how however i if in indeed into is it its itself just keep last
    least less let like made make many may me might mine more most mostly much must my myself
    near neither never no nobody none nor not nothing now of off often on once one only onto or
    other others our ours ourselves out over own part per perhaps put quite rather s same see
    seem she should since so some somebody someone something sometimes still such t take than
    that the their theirs them themselves then there therefore these they this those though
    through thus to together too toward towards two under until up upon us using various very
    via was we well were what whatever when whenever where wherever whether which while who
    whoever whole whom whose why will with within without would yet you your yours yourself
    """
)

# Before a role: rank and terms of the contract. After it: grades, and words of advertisements.
_BEFORE_ROLE = _set_of(
    """
    senior sr junior jr lead principal staff entry level mid middle associate assistant chief
    head trainee apprentice intern remote onsite hybrid contract permanent temporary urgent
    """
)
_AFTER_ROLE = _set_of(
    """
    i ii iii iv senior sr junior jr level remote onsite hybrid contract permanent temporary
    position role job opening opportunity title needed required wanted hiring hire looking
    immediate immediately urgent interview walkin start startup shift w2 req day month
    """
)
_HOURS = re.compile(r"\b(?:full|part)[- ]time\b", re.IGNORECASE)

_TITLE_END = re.compile(r"\s[-–—|@]|[-–—|@]\s|[,(\[/|:;]|\s(?:at|with|for|in)\s")
_PHRASE_END = re.compile(r"[\n\t,;:•·*()\[\]|/!?]|\s[-–—]\s|\.\s")

#: A role has at most this many words; of a longer title the last ones tell most.
MAX_ROLE_WORDS = 4
_MAX_GRAM = 3

# Rarer endings are places and slips of the pen.
_HEAD_SHARE = 0.0005
# "Developer" ends nearly all titles that have it; "java" and "test" end some.
_LAST_SHARE = 0.6
# "Welder" is a title as it stands; "Developer" nearly always has a word before it.
_ALONE_SHARE = 0.3

_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20,
}  # fmt: skip
_NUMBER = rf"(?:\d{{1,2}}(?:\.5)?|{'|'.join(_NUMBERS)})"
_YEARS = re.compile(
    rf"(?P<before>at least|a? ?minimum(?: of)?|min\.?|over|more than|with|least)?[ ]?"
    rf"\b(?P<least>{_NUMBER})(?:[ ]?\(\d{{1,2}}\))?[ ]?(?P<plus>\+|plus|or more)?"
    rf"(?:[ ]?(?:-|–|—|to)[ ]?(?P<most>{_NUMBER})[ ]?(?:\+)?)?"
    r"[ ]?(?:years?|yrs?)\b(?P<after>[ ]or more|'|’"
    r"|[ ](?:[\w/-]+[ ]){0,6}?(?:experience|practice|work)|[ ](?:of|in|as|with|behind)\b)?"
)
# Years of the company, of the past or of a person's life.
_OTHER_YEARS = re.compile(
    r"\bago\b|\bold\b|\bfounded\b|\bin business\b|\bhistory\b|\bcontract\b|\bwe have\b|\bwe've\b|"
    r"\bour company\b|\bsince\b|\b(?:last|past|next|first|every)\W*$"
)
_MOST_ASKED = 20.0


def raw_words(text: str) -> list[str]:
    """Return the words of ``text`` in lower case, in order."""
    folded = unicodedata.normalize("NFKC", text[:MAX_CHARS]).lower()
    return [word for word in _WORD.findall(_DOT_NET.sub(".net", folded)) if len(word) <= _MAX_WORD]


def words(text: str) -> list[str]:
    """Return the folded words of ``text`` in order, function words as empty strings."""
    return [stem(word) for word in raw_words(text)]


def terms(text: str) -> Counter[str]:
    """Return how often each term occurs in ``text``; pairs do not cross lines or list marks."""
    found: Counter[str] = Counter()
    for phrase in _phrases(text):
        found.update(word for word in phrase if word)
        found.update(f"{a} {b}" for a, b in pairwise(phrase) if a and b)
    return found


def role_words(title: str) -> tuple[str, ...]:
    """Return the words of the role in ``title``, at most ``MAX_ROLE_WORDS``; may be empty."""
    end = _TITLE_END.search(title, 2)
    head = title[: end.start()] if end else title
    kept = [word for word in words(_HOURS.sub(" ", head)) if word]
    return tuple(_without_rank(kept)[-MAX_ROLE_WORDS:])


def role_grams(role: Sequence[str]) -> Counter[str]:
    """Return the runs of up to three words of a role."""
    return Counter(
        " ".join(role[first:last])
        for first in range(len(role))
        for last in range(first + 1, min(first + _MAX_GRAM, len(role)) + 1)
    )


@dataclass(frozen=True)
class RoleHeads:
    """Words that roles end with, learnt from titles.

    Attributes
    ----------
    words : frozenset of str
        "developer", "nurse", "welder".
    alone : frozenset of str
        Those that are a role without another word before them: "welder".
    """

    words: frozenset[str]
    alone: frozenset[str]

    @classmethod
    def learn(cls, roles: Collection[Sequence[str]], min_count: int) -> "RoleHeads":
        """Return the words that at least ``min_count`` roles end with, and that few have inside."""
        counts = Counter(role[-1] for role in roles if role)
        whole = Counter(role[0] for role in roles if len(role) == 1)
        anywhere = Counter(word for role in roles for word in set(role))
        heads = frozenset(
            word
            for word, count in counts.items()
            if count >= max(min_count, _HEAD_SHARE * len(roles), _LAST_SHARE * anywhere[word])
        )
        alone = frozenset(word for word in heads if whole[word] >= _ALONE_SHARE * counts[word])
        return cls(heads, alone)

    def mentions(self, text: str) -> Counter[str]:
        """Return the grams of the roles named in ``text``, with how often each is named.

        A role is a head with the words right before it.
        """
        found: Counter[str] = Counter()
        for phrase in _phrases(text):
            for last, word in enumerate(phrase):
                if word not in self.words:
                    continue
                first = last
                while first > 0 and phrase[first - 1] and last - first < _MAX_GRAM:
                    first -= 1
                role = _without_rank(phrase[first : last + 1])
                if len(role) > 1 or word in self.alone:
                    found.update(role_grams(role))
        return found


def asked_years(text: str) -> tuple[float, float | None] | None:
    """Return the experience a posting asks for: least and most years, or None if it says nothing.

    Of several statements the one that asks most counts.
    """
    folded = " ".join(text[:MAX_CHARS].lower().split())
    asked = [
        (least, most if most is not None and most >= least else None)
        for match in _YEARS.finditer(folded)
        if _is_asked(folded, match)
        for least, most in [(_number(match["least"]), _number(match["most"]))]
        if least is not None and least <= _MOST_ASKED
    ]
    return max(asked, key=lambda years: years[0]) if asked else None


def _is_asked(text: str, match: re.Match[str]) -> bool:
    if not any(match[part] for part in ("before", "plus", "most", "after")):
        return False
    before = max(text.rfind(". ", 0, match.start()), match.start() - 60, 0)
    around = text[before : match.start()] + text[match.end() : match.end() + 12]
    return not (
        _OTHER_YEARS.search(text[before : match.start()] or "") or _OTHER_YEARS.search(around)
    )


def _number(written: str | None) -> float | None:
    if written is None:
        return None
    return float(_NUMBERS[written]) if written in _NUMBERS else float(written)


def _without_rank(role: list[str]) -> list[str]:
    """Return a role without what stands before and after it; may be empty."""
    first, last = 0, len(role)
    while last > 0 and role[last - 1] in _AFTER_ROLE:
        last -= 1
    while first < last - 1 and role[first] in _BEFORE_ROLE:
        first += 1
    return role[first:last]


def _phrases(text: str) -> Iterator[list[str]]:
    for part in _PHRASE_END.split(text[:MAX_CHARS]):
        if found := words(part):
            yield found


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """Return a word of :func:`raw_words` without plural, or an empty string for a function word."""
    if word in FUNCTION_WORDS:
        return ""
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "ics", "js")):
        return word[:-1]
    return word


def folded_words(text: str) -> frozenset[str]:
    """Return the words of ``text`` for filters: folded, nothing left out."""
    return frozenset(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))

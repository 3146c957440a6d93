"""Finds the skills of a taxonomy in a text, with where each is written."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import ahocorasick  # type: ignore[import-not-found, unused-ignore]

from models.skill_context import NEVER_FOLDED, has_cue, has_rules, is_false_friend
from models.skill_forms import Tokens, fold_phrase, tokenise
from models.taxonomy import Category, Skill, Spelling, Taxonomy, spelling_table

# What may stand between the items of a list, at most this many marks between two of them.
_LIST_MARKS = frozenset(
    {",", "/", ";", "|", "•", "·", "▪", "●", "◦", "*", "&", "and", "or", "(", ")", "-", ":", "+"}
)
_MAX_LIST_MARKS = 2

# Words that follow a name at the start of a sentence, and hardly a verb or an adjective.
_FOLLOWS_NOUNS = frozenset(["and", "or", "is", "are", "would", "required", "preferred", "desired"])

# Whose company vouches for a doubtful spelling of each category.
_COMPANY: dict[Category, frozenset[Category]] = {
    "tool": frozenset({"tool", "hard"}),
    "hard": frozenset({"tool", "hard"}),
    "language": frozenset({"language"}),
    "soft": frozenset({"soft"}),
    "certification": frozenset({"certification", "tool", "hard"}),
}


@dataclass(frozen=True)
class SkillHit:
    """One skill of a text.

    Attributes
    ----------
    name : str
        The canonical name.
    category : str
        ``hard``, ``tool``, ``language``, ``soft`` or ``certification``.
    spans : tuple of (int, int)
        Where it is written, in code points of the raw text; none if it is only implied.
    stated : bool
        The text names it; otherwise a skill that the text names implies it.
    """

    name: str
    category: Category
    spans: tuple[tuple[int, int], ...]
    stated: bool


class _Candidate(NamedTuple):
    """A spelling found at tokens ``[first, last)``; ``guarded`` if its context has a say."""

    first: int
    last: int
    form: str
    spelling: Spelling
    guarded: bool


class SkillMatcher:
    """Finds the skills of a taxonomy in texts.

    Parameters
    ----------
    taxonomy : Taxonomy

    References
    ----------
    Aho and Corasick, Efficient string matching, 1975: time is linear in the text, whatever the
    number of spellings.
    """

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self._implied = {name: taxonomy.closure(name) for name in taxonomy.skills}
        self._unstated = {
            name: SkillHit(name, skill.category, (), stated=False)
            for name, skill in taxonomy.skills.items()
        }
        self._automaton = ahocorasick.Automaton()
        for form, spelling in spelling_table(taxonomy).items():
            guarded = bool(spelling.weak or spelling.written or has_rules(form))
            # Spaces on both sides: nothing but whole words is found.
            entry = (form.count(" ") + 1, form, spelling, guarded)
            self._automaton.add_word(f" {form} ", entry)
        self._automaton.make_automaton()

    def extract(self, text: str) -> list[SkillHit]:
        """Return the skills of ``text``: those stated by first appearance, then those implied."""
        return self.hits(self.mentions(text))

    def hits(self, mentions: Iterable[tuple[Skill, int, int]]) -> list[SkillHit]:
        """Return the skills of ``mentions``, as :meth:`extract` does."""
        spans: dict[str, list[tuple[int, int]]] = {}
        for skill, start, end in mentions:
            spans.setdefault(skill.name, []).append((start, end))
        hits = [
            SkillHit(name, self.taxonomy.skills[name].category, tuple(where), stated=True)
            for name, where in spans.items()
        ]
        implied = dict.fromkeys(other for name in spans for other in self._implied[name])
        return hits + [self._unstated[name] for name in implied if name not in spans]

    def mentions(self, text: str) -> Iterator[tuple[Skill, int, int]]:
        """Yield every mention of a skill with its span, in order; spans do not overlap."""
        tokens = tokenise(text)
        sure: list[_Candidate] = []
        doubtful: list[_Candidate] = []
        for candidate in self._candidates(tokens.words):
            if not candidate.guarded:
                sure.append(candidate)
                continue
            if has_rules(candidate.form) and is_false_friend(
                candidate.form, tokens.words, candidate.first, candidate.last
            ):
                continue
            if _is_sure(text, tokens, candidate):
                sure.append(candidate)
            elif _is_possible(text, tokens, candidate):
                doubtful.append(candidate)
        for candidate in _with_company(text, tokens, _longest(sure), _longest(doubtful)):
            yield candidate.spelling.skill, *tokens.span(candidate.first, candidate.last)

    def name_of(self, phrase: str) -> str | None:
        """Return the canonical name of the skill that all of ``phrase`` spells, if there is one."""
        entry = self._automaton.get(f" {fold_phrase(phrase)} ", None)
        return entry[2].skill.name if entry else None

    def _candidates(self, words: list[str]) -> Iterator[_Candidate]:
        if not words or not len(self._automaton):
            return
        line = f" {' '.join(words)} "
        last = counted = 0
        for end, (length, form, spelling, guarded) in self._automaton.iter(line):
            # A match ends at the space after its last token, and ends never go back.
            last += line.count(" ", counted + 1, end + 1)
            counted = end
            yield _Candidate(last - length, last, form, spelling, guarded)


def _longest(candidates: list[_Candidate]) -> list[_Candidate]:
    """Return the leftmost, and of those the longest, candidates that do not overlap, in order."""
    kept: list[_Candidate] = []
    free = 0
    for candidate in sorted(candidates, key=lambda candidate: (candidate.first, -candidate.last)):
        if candidate.first >= free:
            kept.append(candidate)
            free = candidate.last
    return kept


def _is_sure(text: str, tokens: Tokens, candidate: _Candidate) -> bool:
    """Return whether a spelling counts wherever it stands."""
    if candidate.spelling.weak:
        return False
    if not candidate.spelling.written:
        return True
    return _in_own_case(text, tokens, candidate) and _stands_out(text, tokens, candidate)


def _is_possible(text: str, tokens: Tokens, candidate: _Candidate) -> bool:
    """Return whether a spelling that is not sure may count if something vouches for it."""
    if _in_own_case(text, tokens, candidate):
        return True
    if candidate.form in NEVER_FOLDED:
        return False
    start, end = tokens.span(candidate.first, candidate.last)
    written = candidate.spelling.written
    # "San" is no way to write "SAN": it is a name.
    return not (written and text[start:end].istitle() and all(map(str.isupper, written)))


def _in_own_case(text: str, tokens: Tokens, candidate: _Candidate) -> bool:
    """Return whether the text writes a spelling whose case matters as the table does."""
    start, end = tokens.span(candidate.first, candidate.last)
    written = candidate.spelling.written
    return text[start:end] in written or unicodedata.normalize("NFKC", text[start:end]) in written


def _stands_out(text: str, tokens: Tokens, candidate: _Candidate) -> bool:
    """Return whether its case tells a spelling from the everyday word.

    It does not where any word would have it: a capital at the start of a sentence or line that
    goes on ("Express your interest", "Ruby Johnson"), capitals among capitals ("MAKE IT HAPPEN").
    """
    start, end = tokens.span(candidate.first, candidate.last)
    left = _neighbour(text, tokens, candidate.first, -1)
    right = _neighbour(text, tokens, candidate.last - 1, 1)
    if text[start:end].istitle():
        return bool(left) or not right or right.lower() in _FOLLOWS_NOUNS
    capitals = [word.isupper() for word in (left, right) if len(word) > 1 and word.isalpha()]
    return not (end - start > 1 and text[start:end].isupper() and capitals and all(capitals))


def _neighbour(text: str, tokens: Tokens, index: int, step: int) -> str:
    """Return the raw word beside a token in its line and sentence, or "" if there is none."""
    other = index + step
    if not 0 <= other < len(tokens.words) or not tokens.words[other][0].isalnum():
        return ""
    start, end = tokens.span(min(index, other), max(index, other) + 1)
    if "\n" in text[start:end]:
        return ""
    start, end = tokens.span(other, other + 1)
    return text[start:end]


def _with_company(
    text: str, tokens: Tokens, sure: list[_Candidate], doubtful: list[_Candidate]
) -> list[_Candidate]:
    """Return the sure candidates and those doubtful ones that a cue or a list vouches for.

    A doubtful spelling accepted vouches for the next, in both directions.
    """
    if not doubtful:
        return sure
    starts = {hit.first: hit.spelling.skill.category for hit in sure}
    ends = {hit.last: hit.spelling.skill.category for hit in sure}
    taken = {index for hit in sure for index in range(hit.first, hit.last)}
    accepted: list[_Candidate] = []
    waiting = [
        (hit, bool(hit.spelling.written) and _in_own_case(text, tokens, hit))
        for hit in doubtful
        if taken.isdisjoint(range(hit.first, hit.last))
    ]
    for step in (1, -1):
        rest: list[tuple[_Candidate, bool]] = []
        for hit, own_case in waiting[::step]:
            # A cue that is not there the first time is not there the second time either.
            if (
                step == 1 and has_cue(tokens.words, hit.first, hit.last, own_case=own_case)
            ) or _has_company(tokens.words, hit, starts, ends, own_case=own_case):
                accepted.append(hit)
                starts[hit.first] = ends[hit.last] = hit.spelling.skill.category
            else:
                rest.append((hit, own_case))
        waiting = rest[::step]
    return sorted([*sure, *accepted], key=lambda hit: hit.first)


def _has_company(
    words: list[str],
    hit: _Candidate,
    starts: dict[int, Category],
    ends: dict[int, Category],
    *,
    own_case: bool,
) -> bool:
    category = hit.spelling.skill.category
    company = _COMPANY[category]
    left = hit.first
    while left > 0 and hit.first - left < _MAX_LIST_MARKS and words[left - 1] in _LIST_MARKS:
        left -= 1
    right = hit.last
    while right < len(words) and right - hit.last < _MAX_LIST_MARKS and words[right] in _LIST_MARKS:
        right += 1
    if left < hit.first and ends.get(left) in company:
        return True
    if right > hit.last and starts.get(right) in company:
        return True
    # Products are also listed without any mark, as in "Python Go Rust".
    beside = (ends.get(hit.first) == "tool") + (starts.get(hit.last) == "tool")
    return category == "tool" and beside > (not own_case)

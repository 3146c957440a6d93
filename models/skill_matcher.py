"""Finds the skills of a taxonomy in a text, with where each is written."""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from models.skill_context import (
    COMPANY,
    FOLLOWS_NOUNS,
    LIST_MARKS,
    MAX_LIST_MARKS,
    NEVER_FOLDED,
    has_cue,
    has_rules,
    is_false_friend,
)
from models.skill_finder import open_finder, open_mentions
from models.skill_forms import Tokens, fold_phrase
from models.taxonomy import Category, Skill, Spelling, Taxonomy, spelling_table


class SkillHit(NamedTuple):
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


class _Form(NamedTuple):
    """A spelling; ``guarded`` if its context has a say, ``ruled`` if rules name it."""

    form: str
    spelling: Spelling
    guarded: bool
    ruled: bool


class _Candidate(NamedTuple):
    """A spelling found at tokens ``[first, last)``, in the case of the table if that matters."""

    first: int
    last: int
    form: _Form
    own_case: bool = False

    @property
    def category(self) -> Category:
        """That of the skill."""
        return self.form.spelling.skill.category


class SkillMatcher:
    """Finds the skills of a taxonomy in texts.

    Parameters
    ----------
    taxonomy : Taxonomy
    """

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self._implied = {name: taxonomy.closure(name) for name in taxonomy.skills}
        self._unstated = {
            name: SkillHit(name, skill.category, (), stated=False)
            for name, skill in taxonomy.skills.items()
        }
        self._table = spelling_table(taxonomy)
        self._forms = [
            _Form(form, spelling, bool(spelling.weak or spelling.written or ruled), ruled)
            for form, spelling in self._table.items()
            for ruled in [has_rules(form)]
        ]
        self._skills = [spelling.skill for spelling in self._table.values()]
        self._open()

    def _open(self) -> None:
        self._finder = open_finder(list(self._table))
        self._fast = open_mentions(self._finder, list(self._table.items()))

    @property
    def is_prepared(self) -> bool:
        """Whether compiled code finds the spellings; the automaton finds the same, slower."""
        return self._fast is not None

    def warm_up(self) -> None:
        """Have compiled code find the spellings, if it was compiled meanwhile."""
        if not self.is_prepared:
            self._open()

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

    def mentions(self, text: str) -> Iterable[tuple[Skill, int, int]]:
        """Return every mention of a skill with its span, in order; spans do not overlap."""
        found = None if self._fast is None else self._fast.find(text)
        if found is None:
            return self.judged(text)
        skills = self._skills
        return [(skills[number], start, end) for number, start, end in found]

    def judged(self, text: str) -> Iterator[tuple[Skill, int, int]]:
        """Yield what :meth:`mentions` returns, judged in Python."""
        tokens, found = self._finder.find(text)
        sure: list[_Candidate] = []
        doubtful: list[_Candidate] = []
        for first, last, number in found:
            form = self._forms[number]
            if not form.guarded:
                sure.append(_Candidate(first, last, form))
                continue
            if form.ruled and is_false_friend(form.form, tokens.words, first, last):
                continue
            candidate = _read(text, tokens, first, last, form)
            if _is_sure(text, tokens, candidate):
                sure.append(candidate)
            elif _is_possible(text, tokens, candidate):
                doubtful.append(candidate)
        for candidate in _with_company(tokens, _longest(sure), _longest(doubtful)):
            yield candidate.form.spelling.skill, *tokens.span(candidate.first, candidate.last)

    def name_of(self, phrase: str) -> str | None:
        """Return the canonical name of the skill that all of ``phrase`` spells, if there is one."""
        spelling = self._table.get(fold_phrase(phrase))
        return spelling.skill.name if spelling else None


def _longest(candidates: list[_Candidate]) -> list[_Candidate]:
    """Return the leftmost, and of those the longest, candidates that do not overlap, in order.

    They come by their first word, the longest first.
    """
    kept: list[_Candidate] = []
    free = 0
    for candidate in candidates:
        if candidate.first >= free:
            kept.append(candidate)
            free = candidate.last
    return kept


def _read(text: str, tokens: Tokens, first: int, last: int, form: _Form) -> _Candidate:
    """Return a guarded candidate, with how the text writes it."""
    written = form.spelling.written
    if not written:
        return _Candidate(first, last, form)
    start, end = tokens.span(first, last)
    as_it_is = text[start:end]
    own_case = as_it_is in written or (
        not as_it_is.isascii() and unicodedata.normalize("NFKC", as_it_is) in written
    )
    return _Candidate(first, last, form, own_case)


def _is_sure(text: str, tokens: Tokens, candidate: _Candidate) -> bool:
    """Return whether a spelling counts wherever it stands."""
    spelling = candidate.form.spelling
    if spelling.weak:
        return False
    if not spelling.written:
        return True
    return candidate.own_case and _stands_out(text, tokens, candidate)


def _is_possible(text: str, tokens: Tokens, candidate: _Candidate) -> bool:
    """Return whether a spelling that is not sure may count if something vouches for it."""
    if candidate.own_case:
        return True
    if candidate.form.form in NEVER_FOLDED:
        return False
    written = candidate.form.spelling.written
    if not written:
        return True
    start, end = tokens.span(candidate.first, candidate.last)
    # "San" is no way to write "SAN": it is a name.
    return not (text[start:end].istitle() and all(map(str.isupper, written)))


def _stands_out(text: str, tokens: Tokens, candidate: _Candidate) -> bool:
    """Return whether its case tells a spelling from the everyday word.

    It does not where any word would have it: a capital at the start of a sentence or line that
    goes on ("Express your interest", "Ruby Johnson"), capitals among capitals ("MAKE IT HAPPEN").
    """
    start, end = tokens.span(candidate.first, candidate.last)
    left = _neighbour(text, tokens, candidate.first, -1)
    right = _neighbour(text, tokens, candidate.last - 1, 1)
    if text[start:end].istitle():
        return bool(left) or not right or right.lower() in FOLLOWS_NOUNS
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
    tokens: Tokens, sure: list[_Candidate], doubtful: list[_Candidate]
) -> list[_Candidate]:
    """Return the sure candidates and those doubtful ones that a cue or a list vouches for.

    A doubtful spelling accepted vouches for the next, in both directions.
    """
    if not doubtful:
        return sure
    starts = {hit.first: hit.category for hit in sure}
    ends = {hit.last: hit.category for hit in sure}
    taken = {index for hit in sure for index in range(hit.first, hit.last)}
    accepted: list[_Candidate] = []
    waiting = [hit for hit in doubtful if taken.isdisjoint(range(hit.first, hit.last))]
    for step in (1, -1):
        rest: list[_Candidate] = []
        for hit in waiting[::step]:
            # A cue that is not there the first time is not there the second time either.
            if (
                step == 1 and has_cue(tokens.words, hit.first, hit.last, own_case=hit.own_case)
            ) or _has_company(tokens.words, hit, starts, ends):
                accepted.append(hit)
                starts[hit.first] = ends[hit.last] = hit.category
            else:
                rest.append(hit)
        waiting = rest[::step]
    return sorted([*sure, *accepted], key=lambda hit: hit.first)


def _has_company(
    words: list[str], hit: _Candidate, starts: dict[int, Category], ends: dict[int, Category]
) -> bool:
    category = hit.category
    company = COMPANY[category]
    left = hit.first
    while left > 0 and hit.first - left < MAX_LIST_MARKS and words[left - 1] in LIST_MARKS:
        left -= 1
    if left < hit.first and ends.get(left) in company:
        return True
    right = hit.last
    while right < len(words) and right - hit.last < MAX_LIST_MARKS and words[right] in LIST_MARKS:
        right += 1
    if right > hit.last and starts.get(right) in company:
        return True
    # Products are also listed without any mark, as in "Python Go Rust".
    beside = (ends.get(hit.first) == "tool") + (starts.get(hit.last) == "tool")
    return category == "tool" and beside > (not hit.own_case)

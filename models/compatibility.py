"""How well a resume fits a job description: a score from 0 to 100, and the parts it is made of.

Three parts, each from 0 to 1, are averaged with the weights of ``WEIGHTS``; a part that the job
does not allow to be judged is left out.

- *similarity*: the TF-IDF cosine of the sentences of both, stretched so that what any two texts
  share is 0 and what a posting shares with a resume written for it is 1.
- *skills*: the share of what the job asks for that the resume has, each skill weighted by how much
  the job stresses it. A skill counts in full if a sentence of the resume shows it in use; one that
  is only listed, or implied by another, counts by how far the sentences support the resume.
- *role*: how much of the role at the top of the job the resume names too, by the weight of its
  grams. One that a sentence and a heading name counts in full; a heading alone by the same support;
  a sentence alone ("a nurse for nine years", but also "worked with nurses") by ``IN_SENTENCE``.

Experience can only lower the result: down to ``LEAST_EXPERIENCE`` of it with none of the years
asked for.

What a sentence says counts once however often it is repeated, term counts are logarithmic and
capped, and lists are never read as sentences. So keywords that are repeated, or appended to a
resume that has little to do with the job (below ``UNRELATED``), raise the score by at most
``STUFFING_BOUND`` points. Sentences that merely echo the posting are left out, unless the resume
has no others.
"""

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from models.job_space import Hit, JobSpace
from models.job_terms import FUNCTION_WORDS, MAX_CHARS, asked_years, raw_words, words

WEIGHTS = {"similarity": 0.35, "skills": 0.40, "role": 0.25}

#: Appending or repeating a posting's keywords raises a score below the first by no more than the
#: second: lists leave the cosine alone, a score below 5 needs one below 0.10, and with that a whole
#: list of skills and the role are worth 15 points at most.
UNRELATED = 5.0
STUFFING_BOUND = 15.0

#: With none of the years asked for, this share of the score is left.
LEAST_EXPERIENCE = 0.7

# Cosines of sentences. Any two texts share the first; resumes of one occupation and its postings
# reach the second. A listed skill is believed a little from the third on, and fully at the fourth.
# Chosen on the starter resumes and postings.
_NOISE = 0.03
_FULL = 0.35
_DOUBTED = 0.06
_BELIEVED = 0.20

#: What a role counts that stands in a sentence and in no heading.
IN_SENTENCE = 0.4

# What a listed skill or a named role is worth without any support.
_UNSUPPORTED = 0.11
# A resume that is one list of keywords proves nothing to a job described in sentences.
_ALL_LISTED = 0.5
# Fewer words in sentences than this are a heading or two, not prose.
_LEAST_PROSE = 12

_MAX_COUNT = 4
# Words that the index has never seen: names and misspellings more often than subjects.
_UNSEEN = 0.5

_SENTENCE = re.compile(r"[^\n.!?]+(?:[.!?](?=\S)[^\n.!?]*)*")
_ITEM_END = re.compile(r"[,;|/•·\t]|\s[-–—]\s")
_LEAST_WORDS = 5
_MOST_WORDS = 60
_WORDS_OF_ITEM = 3.0
_LEAST_ITEMS = 3
_FUNCTION_SHARE = 1 / 9
_SKILL_SHARE = 0.5

# A sentence with no larger share of words that the posting lacks is an echo of it; or chance, if
# echoes are no larger a share of all sentences.
_OWN_SHARE = 0.1
_CHANCE_ECHO = 0.1
# A resume with fewer words of its own is the posting itself.
_LEAST_OWN = 8


@dataclass(frozen=True)
class Parts:
    """What a compatibility score is made of; None where the job says nothing to judge by.

    Attributes
    ----------
    similarity, skills, role : float or None
        In [0, 1].
    experience : float or None
        The factor applied to the rest, in [LEAST_EXPERIENCE, 1].
    years_asked, years : float or None
        What the job asks for and what the resume shows.
    """

    similarity: float | None
    skills: float | None
    role: float | None
    experience: float | None
    years_asked: float | None
    years: float | None


@dataclass(frozen=True)
class Compatibility:
    """A score from 0 to 100, rounded to one place, and its parts."""

    score: float
    parts: Parts


class _Reading(NamedTuple):
    """The skills a text shows in sentences and all it claims, its terms, and the roles it names."""

    shown: frozenset[str]
    claimed: frozenset[str]
    prose: Mapping[str, int]
    n_prose: int
    everything: Mapping[str, int]
    told_roles: Mapping[str, int]
    headed_roles: Mapping[str, int]


def compatibility(
    space: JobSpace,
    resume: str,
    resume_hits: Sequence[Hit],
    job: str,
    importance: Mapping[str, float],
    years: float | None = None,
    job_hits: Sequence[Hit] = (),
) -> Compatibility:
    """Return how well ``resume`` fits ``job``.

    Parameters
    ----------
    space : JobSpace
        For the weights of terms and roles.
    resume_hits, job_hits : sequence of Hit
        The skills of each text.
    job : str
        The description, title first if it has one.
    importance : mapping of str to float
        How much the job stresses each skill it asks for, in (0, 1].
    years : float, optional
        Experience of the candidate; None if unknown, which is not held against anybody.
    """
    wanted = _read(space, job, job_hits)
    applicant = _read(space, resume, resume_hits, echo_of=wanted.everything)
    cosine = _sentence_cosine(space, applicant, wanted)
    support = _UNSUPPORTED + (1.0 - _UNSUPPORTED) * _ramp(cosine, _DOUBTED, _BELIEVED)
    asked = asked_years(job)
    years_asked = asked[0] if asked else None
    experience = _experience(years_asked, years)
    parts = Parts(
        similarity=_ramp(cosine, _NOISE, _FULL) if wanted.everything else None,
        skills=_coverage(applicant, importance, support),
        role=_role(space, applicant, job, support),
        experience=experience,
        years_asked=years_asked,
        years=years,
    )
    judged = {name: value for name in WEIGHTS if (value := getattr(parts, name)) is not None}
    total = sum(WEIGHTS[name] for name in judged)
    fit = sum(WEIGHTS[name] * value for name, value in judged.items()) / total if judged else 0.0
    return Compatibility(round(100.0 * fit * (1.0 if experience is None else experience), 1), parts)


def sentences(text: str, hits: Iterable[Hit] = ()) -> list[tuple[int, int]]:
    """Return the spans of the sentences of ``text``; lists, headings and repetitions are left out.

    Parameters
    ----------
    hits : iterable of Hit
        The skills of the text: what consists of little else is a list, whatever joins it.
    """
    spans = sorted(span for hit in hits for span in hit.spans)
    seen: set[str] = set()
    kept: list[tuple[int, int]] = []
    at = 0
    first_word = len(text) - len(text.lstrip())
    for match in _SENTENCE.finditer(text[:MAX_CHARS]):
        start, end = match.span()
        while at < len(spans) and spans[at][0] < start:
            at += 1
        in_skills, place = 0, at
        while place < len(spans) and spans[place][0] < end:
            in_skills += min(spans[place][1], end) - spans[place][0]
            place += 1
        is_first_line = start <= first_word and text[end : end + 1] == "\n"
        if is_first_line or not _is_sentence(match[0], in_skills):
            continue
        key = " ".join(raw_words(match[0]))
        if key not in seen:
            seen.add(key)
            kept.append((start, end))
    return kept


def _is_sentence(line: str, in_skills: int) -> bool:
    found = raw_words(line)
    if not _LEAST_WORDS <= len(found) <= _MOST_WORDS:
        return False
    items = [item for item in _ITEM_END.split(line) if item.strip()]
    if len(items) >= _LEAST_ITEMS and len(found) / len(items) <= _WORDS_OF_ITEM:
        return False
    letters = sum(len(word) for word in found)
    if in_skills > _SKILL_SHARE * letters:
        return False
    return sum(word in FUNCTION_WORDS for word in found) >= _FUNCTION_SHARE * len(found)


def _read(
    space: JobSpace, text: str, hits: Sequence[Hit], echo_of: Mapping[str, int] | None = None
) -> _Reading:
    spans = sentences(text, hits)
    if echo_of is not None:
        spans = _without_echoes(text, spans, echo_of)
    starts, ends = [first for first, _ in spans], [last for _, last in spans]
    shown = {
        hit.name
        for hit in hits
        for start, _ in hit.spans
        if (place := bisect_right(starts, start)) and start < ends[place - 1]
    }
    prose = "\n".join(text[first:last] for first, last in spans)
    heading = "\n".join(
        text[first:last]
        for first, last in zip(
            (0, *(last for _, last in spans)),
            (*(first for first, _ in spans), len(text)),
            strict=True,
        )
    )
    return _Reading(
        shown=frozenset(shown),
        claimed=frozenset(hit.name for hit in hits),
        prose=_single_words(prose),
        n_prose=len(raw_words(prose)),
        everything=_single_words(text),
        told_roles=space.heads.mentions(prose),
        headed_roles=space.heads.mentions(heading),
    )


def _without_echoes(
    text: str, spans: list[tuple[int, int]], posting: Mapping[str, int]
) -> list[tuple[int, int]]:
    """Return the sentences that say something of their own, or all: see the constants."""
    kept: list[tuple[int, int]] = []
    own_words = echoed_words = 0
    for first, last in spans:
        found = {word for word in words(text[first:last]) if word}
        if sum(word not in posting for word in found) > _OWN_SHARE * len(found):
            kept.append((first, last))
            own_words += len(found)
        else:
            echoed_words += len(found)
    by_chance = echoed_words <= _CHANCE_ECHO * own_words
    return spans if by_chance or own_words < _LEAST_OWN else kept


def _sentence_cosine(space: JobSpace, resume: _Reading, job: _Reading) -> float:
    """Return the cosine of the sentences; of all words where one side has no sentences."""
    if min(resume.n_prose, job.n_prose) >= _LEAST_PROSE:
        return _cosine(_weighted(space, resume.prose), _weighted(space, job.prose))
    whole = _cosine(_weighted(space, resume.everything), _weighted(space, job.everything))
    return whole if job.n_prose < _LEAST_PROSE else _ALL_LISTED * whole


def _weighted(space: JobSpace, counts: Mapping[str, int]) -> dict[str, float]:
    columns, weights = space.term_columns, space.sentence_weights
    unseen = _UNSEEN * space.rarest
    return {
        term: _damped(count) * (float(weights[columns[term]]) if term in columns else unseen)
        for term, count in counts.items()
    }


def _cosine(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    # fsum, because the order of a set of strings differs from process to process.
    shared = math.fsum(first[term] * second[term] for term in first.keys() & second.keys())
    lengths = math.hypot(*first.values()) * math.hypot(*second.values())
    return min(shared / lengths, 1.0) if lengths else 0.0


def _coverage(resume: _Reading, importance: Mapping[str, float], support: float) -> float | None:
    total = sum(importance.values())
    if total <= 0.0:
        return None
    credit = sum(
        stress * (1.0 if skill in resume.shown else support if skill in resume.claimed else 0.0)
        for skill, stress in importance.items()
    )
    return credit / total


def _role(space: JobSpace, resume: _Reading, job: str, support: float) -> float | None:
    # The first line that names a role is the title, or the sentence that says who is sought.
    grams = next(filter(None, map(space.heads.mentions, job.splitlines())), Counter[str]())
    weights = {gram: space.role_weight(gram) ** 2 for gram in grams}
    total = math.fsum(weights.values())
    if total <= 0.0:
        return None
    credit = (weight * _role_credit(resume, gram, support) for gram, weight in weights.items())
    return math.fsum(credit) / total


def _role_credit(resume: _Reading, gram: str, support: float) -> float:
    if gram in resume.told_roles:
        return 1.0 if gram in resume.headed_roles else IN_SENTENCE
    return support if gram in resume.headed_roles else 0.0


def _experience(asked: float | None, years: float | None) -> float | None:
    if not asked or years is None:
        return None
    short = max(asked - max(years, 0.0), 0.0) / asked
    return 1.0 - (1.0 - LEAST_EXPERIENCE) * short


def _single_words(text: str) -> Counter[str]:
    """Return the content words of ``text``; what pairs of words mean, skills and roles tell."""
    return Counter(word for word in words(text) if word)


def _damped(count: int) -> float:
    return 1.0 + math.log(min(count, _MAX_COUNT))


def _ramp(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)

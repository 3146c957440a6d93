"""Skills named in a text, how much a posting stresses each, and what a candidate lacks.

Longest match wins: "Microsoft SQL Server" is that product and not also "SQL", which it implies.
A text's *stated* skills have spans; skills they imply ("React" implies "JavaScript") come after
them without any.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from models.skill_importance import ASKED, Mention, stresses
from models.skill_matcher import SkillHit, SkillMatcher
from models.taxonomy import Category, Taxonomy, load_taxonomy

__all__ = [
    "Gap",
    "GapSkill",
    "RelatedSkills",
    "SkillHit",
    "SkillMatcher",
    "importance",
    "load_taxonomy",
    "related_skills",
    "skill_gap",
]

#: Most skills of the candidate shown beside a missing one.
MAX_RELATED = 3


@dataclass(frozen=True)
class GapSkill:
    """A skill that a posting asks for, and how much it stresses it, in (0, 1]."""

    name: str
    category: Category
    importance: float


@dataclass(frozen=True)
class RelatedSkills:
    """Skills of the candidate that are close to a missing one, closest first."""

    missing: str
    have: tuple[str, ...]


@dataclass(frozen=True)
class Gap:
    """What a posting asks for, split by whether the candidate has it; most important first."""

    matched: tuple[GapSkill, ...]
    missing: tuple[GapSkill, ...]
    related: tuple[RelatedSkills, ...]


class Reader(Protocol):
    """Finds the skills of texts: a :class:`SkillMatcher`, or a model with a tagger beside it."""

    @property
    def taxonomy(self) -> Taxonomy:
        """What is known of skills."""

    def extract(self, text: str) -> list[SkillHit]:
        """Return the skills of ``text``."""


def skill_gap(reader: Reader, resume: str | Sequence[SkillHit], job_text: str) -> Gap:
    """Return what ``job_text`` asks for, split by whether ``resume`` has it.

    What the resume only implies counts as had; what the posting only implies is not asked for.

    Parameters
    ----------
    resume : str or sequence of SkillHit
        The resume's text, or what ``reader`` found in it.
    job_text : str
    """
    hits = reader.extract(resume) if isinstance(resume, str) else resume
    have = {hit.name for hit in hits}
    wanted = reader.extract(job_text)
    stress = importance(job_text, wanted)
    asked = sorted(
        (
            GapSkill(hit.name, hit.category, stress[hit.name])
            for hit in wanted
            if hit.stated and stress[hit.name] >= ASKED
        ),
        key=lambda skill: -skill.importance,
    )
    missing = tuple(skill for skill in asked if skill.name not in have)
    related = (
        RelatedSkills(skill.name, related_skills(reader.taxonomy, skill.name, hits))
        for skill in missing
    )
    return Gap(
        matched=tuple(skill for skill in asked if skill.name in have),
        missing=missing,
        related=tuple(pair for pair in related if pair.have),
    )


def importance(job_text: str, hits: Sequence[SkillHit]) -> dict[str, float]:
    """Return how much ``job_text`` stresses each of the stated ``hits``, in (0, 1].

    See :mod:`models.skill_importance` for what counts. Implied hits are left out.
    """
    mentions = [
        Mention(hit.name, start, end) for hit in hits if hit.stated for start, end in hit.spans
    ]
    soft = {hit.name for hit in hits if hit.category == "soft"}
    return stresses(job_text, mentions, soft)


def related_skills(taxonomy: Taxonomy, name: str, hits: Iterable[SkillHit]) -> tuple[str, ...]:
    """Return skills among ``hits`` that are close to the skill ``name``, closest first.

    Close means: named as related by the taxonomy, of the same family, or implied by ``name``.
    Stated skills go before implied ones of the same closeness.
    """
    skill = taxonomy.skills[name]
    implied = frozenset(taxonomy.closure(name))
    ranked: list[tuple[int, bool, int, str]] = []
    for order, hit in enumerate(hits):
        other = taxonomy.skills.get(hit.name)
        if other is None or other is skill:
            continue
        if other.name in skill.related or name in other.related:
            rank = 0
        elif skill.family and skill.family == other.family:
            rank = 1
        elif other.name in implied:
            rank = 2
        else:
            continue
        ranked.append((rank, not hit.stated, order, other.name))
    return tuple(entry[-1] for entry in sorted(ranked)[:MAX_RELATED])

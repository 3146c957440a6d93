"""What a candidate can do about a score: sentences made of facts alone."""

from collections.abc import Collection, Iterator, Sequence

from models.extract import Document
from models.matching import Compatibility
from models.resume import Resume
from models.skill_importance import REQUIRED
from models.skills import Gap, SkillHit

#: Most skills that one sentence names.
MAX_NAMES = 5
MAX_RELATED = 3


def advise(
    document: Document,
    resume: Resume,
    hits: Sequence[SkillHit],
    shown: Collection[str],
    gap: Gap,
    fit: Compatibility,
) -> list[str]:
    """Return the advice, most important first.

    Parameters
    ----------
    document, resume : Document, Resume
        As sent, and as read.
    hits : sequence of SkillHit
        The skills of the resume.
    shown : collection of str
        Those that a sentence shows in use.
    gap, fit : Gap, Compatibility
        Between the resume and the job.
    """
    stated = {hit.name for hit in hits if hit.stated}
    return [
        *_on_the_document(document, resume),
        *_on_missing_skills(stated, gap, fit),
        *_on_skills_without_proof(stated, shown, gap),
        *_on_experience(resume, fit),
        *_on_the_rest(resume),
    ]


def _on_the_document(document: Document, resume: Resume) -> Iterator[str]:
    if not resume.is_resume.likely:
        yield "The text does not read like a resume; resume.is_resume.reasons says why."
    if document.invisible_chars:
        yield (
            f"{document.invisible_chars} letters of the document cannot be seen by anybody; "
            "they were not counted, and readers may take them for a trick."
        )


def _on_missing_skills(stated: Collection[str], gap: Gap, fit: Compatibility) -> Iterator[str]:
    if fit.parts.skills is None:
        yield "The job description names no skill that is known here; the score leaves them out."
    required = [skill.name for skill in gap.missing if skill.importance >= REQUIRED]
    others = [skill.name for skill in gap.missing if skill.importance < REQUIRED]
    if required:
        yield f"The job requires {_list(required)}; the resume does not name {_it(required)}."
    if others:
        also = "also " if required else ""
        yield f"The job {also}names {_list(others)}; the resume does not name {_it(others)}."
    for pair in gap.related[:MAX_RELATED]:
        named = [name for name in pair.have if name in stated]
        has = f"has {_list(named)}" if named else f"only implies {_list(pair.have)}"
        yield f"Close to {pair.missing}, which is missing, the resume {has}."


def _on_skills_without_proof(
    stated: Collection[str], shown: Collection[str], gap: Gap
) -> Iterator[str]:
    matched = [skill.name for skill in gap.matched]
    implied = [name for name in matched if name not in stated]
    listed = [name for name in matched if name in stated and name not in shown]
    if implied:
        yield (
            f"The job asks for {_list(implied)}; the resume only implies {_it(implied)} "
            "by other skills, and does not say so."
        )
    if listed:
        yield (
            f"The resume lists {_list(listed)} without a sentence that shows {_it(listed)} in "
            "use; skills that are shown count more."
        )


def _on_experience(resume: Resume, fit: Compatibility) -> Iterator[str]:
    asked, years = fit.parts.years_asked, fit.parts.years
    undated = sum(1 for position in resume.experience if position.months is None)
    if asked and years is None:
        yield (
            f"The job asks for {_years(asked)} of experience; the resume has no dates from which "
            "they could be counted."
        )
    elif asked and years is not None and years < asked:
        yield (
            f"The job asks for {_years(asked)} of experience; the dates in the resume "
            f"add up to {_years(years)}."
        )
    if undated and resume.years_experience is not None:
        yield (
            f"{undated} of {len(resume.experience)} positions have no dates that could be read; "
            "they add nothing to the years of experience."
        )


def _on_the_rest(resume: Resume) -> Iterator[str]:
    if not resume.experience:
        yield "No work history was found: positions need a heading, a title and dates."
    if not resume.contact.emails and not resume.contact.phones:
        yield "No e-mail address and no phone number were found."


def _list(names: Sequence[str]) -> str:
    """Return "A", "A and B", or "A, B and 3 more"."""
    named = list(names[:MAX_NAMES])
    if len(names) > MAX_NAMES:
        named.append(f"{len(names) - MAX_NAMES} more")
    return " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))


def _it(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _years(number: float) -> str:
    return f"{number:g} year{'' if number == 1 else 's'}"

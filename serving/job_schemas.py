"""What the routes about resumes, skills and jobs answer with."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from serving.listings import LiveListings

Category = Literal["hard", "tool", "language", "soft", "certification"]


class VersionAnswer(BaseModel):
    """A model that took part in the answer."""

    version: str
    digest: str


Models = Annotated[
    dict[Literal["skills", "matching"], VersionAnswer], Field(description="What answered.")
]


class PlaceAnswer(BaseModel):
    """A stretch of the text, in code points."""

    start: int
    end: int


class PhoneAnswer(BaseModel):
    """A phone number as written; ``e164`` is null while its country is unknown."""

    raw: str
    e164: str | None
    valid: bool


class LinkAnswer(BaseModel):
    """An address on the web; ``kind`` is linkedin, github, portfolio or other."""

    kind: str
    url: str


class ContactAnswer(BaseModel):
    """Who the resume is about; null is what was not found."""

    name: str | None
    emails: list[str]
    phones: list[PhoneAnswer]
    location: str | None
    links: list[LinkAnswer]


class PositionAnswer(BaseModel):
    """One entry of the work history; dates are ``2019``, ``2019-01`` or ``present``."""

    title: str | None
    organisation: str | None
    start: str | None
    end: str | None
    months: int | None
    bullets: list[str]


class StudyAnswer(BaseModel):
    """One entry of the education."""

    degree: str | None
    field: str | None
    institution: str | None
    start: str | None
    end: str | None
    grade: str | None


class ResumeSkillAnswer(BaseModel):
    """A skill; without a category it is listed by the resume and not known here."""

    name: str
    category: Category | None
    stated: bool
    spans: list[PlaceAnswer]


class LanguageAnswer(BaseModel):
    """A language people speak, and how well in the candidate's words."""

    language: str
    level: str | None


class CertificationAnswer(BaseModel):
    """A certificate as listed, and its date."""

    name: str
    date: str | None


class IsResumeAnswer(BaseModel):
    """Whether the text is a resume at all, and what speaks for and against it."""

    likely: bool
    reasons: list[str]


class ResumeAnswer(BaseModel):
    """A resume as data.

    ``spans`` has the same shape, with the place of each value in its stead; ``text`` is what they
    refer to, null when it came as text.
    """

    contact: ContactAnswer
    summary: str | None
    experience: list[PositionAnswer]
    education: list[StudyAnswer]
    skills: list[ResumeSkillAnswer]
    languages: list[LanguageAnswer]
    certifications: list[CertificationAnswer]
    years_experience: float | None
    is_resume: IsResumeAnswer
    warnings: list[str]
    spans: dict[str, Any]
    text: str | None


class ParseAnswer(ResumeAnswer):
    """A resume as data, and the request it answers."""

    models: Models
    request_id: str


class AskedSkillAnswer(BaseModel):
    """A skill a job asks for, and how much it stresses it, from 0 to 1."""

    name: str
    category: Category
    importance: float


class RelatedSkillsAnswer(BaseModel):
    """Skills of the candidate that are close to a missing one, closest first."""

    missing: str
    have: list[str]


class PartsAnswer(BaseModel):
    """What a score is made of, each from 0 to 1; null where the job says nothing to judge by.

    ``experience`` is a factor on the others, from 0.7.
    """

    similarity: float | None
    skills: float | None
    role: float | None
    experience: float | None
    years_asked: float | None
    years: float | None


class AnalyzeAnswer(BaseModel):
    """How well a resume fits a job, from 0 to 100; skills are most important first."""

    score: float
    parts: PartsAnswer
    matched_skills: list[AskedSkillAnswer]
    missing_skills: list[AskedSkillAnswer]
    related_skills: list[RelatedSkillsAnswer]
    advice: list[str]
    resume: ResumeAnswer
    models: Models
    request_id: str


class SkillAnswer(BaseModel):
    """A skill of a text; one that others imply is not stated and has no spans."""

    name: str
    category: Category
    spans: list[PlaceAnswer]
    stated: bool


class PhraseAnswer(PlaceAnswer):
    """A stretch that shows or asks for a skill; ``name`` is null for one without a name here."""

    label: Literal["skill", "knowledge"]
    name: str | None


class ExtractAnswer(BaseModel):
    """The skills of a text, by first appearance."""

    skills: list[SkillAnswer]
    phrases: list[PhraseAnswer]
    models: Models
    request_id: str


class GapAnswer(BaseModel):
    """What a job asks for, split by whether the resume has it; most important first."""

    matched: list[AskedSkillAnswer]
    missing: list[AskedSkillAnswer]
    related: list[RelatedSkillsAnswer]
    models: Models
    request_id: str


class ReasonAnswer(BaseModel):
    """What a term, skill or role adds to a score; not ``stated``: usual for such a title."""

    kind: Literal["term", "skill", "role"]
    name: str
    share: float
    stated: bool


class MissingSkillAnswer(BaseModel):
    """A skill a job asks for that the resume does not have."""

    name: str
    importance: float


class JobAnswer(BaseModel):
    """A job for a resume.

    ``score`` is a similarity from 0 to 1 and the sum of all shares, of which ``why`` has the
    largest; ``copies`` are ids of postings of the same job.
    """

    id: str
    title: str
    company: str | None
    location: str | None
    remote: bool | None
    score: float
    why: list[ReasonAnswer]
    missing_skills: list[MissingSkillAnswer]
    url: str | None
    copies: list[str]


class RoleAnswer(BaseModel):
    """A role close to a resume, with a similarity from 0 to 1."""

    title: str
    score: float


class RecommendAnswer(BaseModel):
    """The best jobs, best first, and similar roles."""

    jobs: list[JobAnswer]
    similar_roles: list[RoleAnswer]
    models: Models
    request_id: str


class LiveAnswer(LiveListings):
    """Live listings; each has a ``score`` from 0 to 100 if the request had a resume."""

    models: Models
    request_id: str

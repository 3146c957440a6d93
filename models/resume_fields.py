"""What is read from a resume: every value with the place where it stands in the text."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T", covariant=True)

Json = Any


@dataclass(frozen=True)
class Found(Generic[T]):
    """A value and where it was read.

    Attributes
    ----------
    value : T
        As written, white space tidied; dates as ``2019``, ``2019-01`` or ``present``.
    start, end : int
        ``text[start:end]``, in code points, is what was read. Both are -1 where the value is not
        in the text but behind it, as the target of a hyperlink whose label is not there.
    """

    value: T
    start: int
    end: int


@dataclass(frozen=True)
class Phone:
    """A phone number.

    Attributes
    ----------
    raw : str
        As written.
    e164 : str or None
        Null while the country is unknown: it is never assumed.
    valid : bool
        The numbering plan of its country has such a number.
    """

    raw: str
    e164: str | None
    valid: bool


@dataclass(frozen=True)
class WebLink:
    """An address on the web; ``kind`` is linkedin, github, …, portfolio or other."""

    kind: str
    url: str


@dataclass(frozen=True)
class Contact:
    """Who the resume is about and how to reach them."""

    name: Found[str] | None
    emails: tuple[Found[str], ...]
    phones: tuple[Found[Phone], ...]
    location: Found[str] | None
    links: tuple[Found[WebLink], ...]


@dataclass(frozen=True)
class Position:
    """One entry of the work history; ``months`` counts both ends, and is null if unknown."""

    title: Found[str] | None
    organisation: Found[str] | None
    start: Found[str] | None
    end: Found[str] | None
    months: int | None
    bullets: tuple[Found[str], ...]


@dataclass(frozen=True)
class Study:
    """One entry of the education; a single date is its end."""

    degree: Found[str] | None
    field: Found[str] | None
    institution: Found[str] | None
    start: Found[str] | None
    end: Found[str] | None
    grade: Found[str] | None


@dataclass(frozen=True)
class ResumeSkill:
    """A skill; ``category`` is null for what the resume lists and the taxonomy does not know.

    A skill that is only implied by others is not ``stated`` and has no spans.
    """

    name: str
    category: str | None
    stated: bool
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class LanguageSkill:
    """A language people speak, and how well in the candidate's words."""

    language: Found[str]
    level: Found[str] | None


@dataclass(frozen=True)
class Certification:
    """A certificate as listed, and its date."""

    name: Found[str]
    date: Found[str] | None


@dataclass(frozen=True)
class Verdict:
    """Whether the text is a resume, and what speaks ``for:`` and ``against:`` it."""

    likely: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Resume:
    """A resume as data. What was not found is None, or an empty tuple for lists."""

    contact: Contact
    summary: Found[str] | None
    experience: tuple[Position, ...]
    education: tuple[Study, ...]
    skills: tuple[ResumeSkill, ...]
    languages: tuple[LanguageSkill, ...]
    certifications: tuple[Certification, ...]
    years_experience: float | None
    is_resume: Verdict
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Json]:
        """Return the answer of the API, with one more key ``spans``.

        ``spans`` has the shape of the answer itself, with ``{"start", "end"}`` in place of each
        value that was read, null where nothing was, and no keys for what is computed.
        """
        plain = cast("dict[str, Json]", _values(self))
        return {**plain, "spans": _spans(self)}


def _values(node: object) -> Json:
    if isinstance(node, Found):
        return _values(node.value)
    if isinstance(node, ResumeSkill):
        spans = [{"start": start, "end": end} for start, end in node.spans]
        return {**_members(node), "spans": spans}
    if isinstance(node, tuple):
        return [_values(item) for item in node]
    if hasattr(node, "__dataclass_fields__"):
        return {name: _values(value) for name, value in _members(node).items()}
    return node


def _spans(node: object) -> Json:
    """Return the places of everything under ``node``; an empty dict has none."""
    if isinstance(node, Found):
        return {"start": node.start, "end": node.end} if node.start >= 0 else None
    if isinstance(node, tuple):
        return [_spans(item) for item in node]
    if node is None:
        return None
    return {
        name: _spans(value)
        for name, value in _members(node).items()
        if name not in ("months", "skills", "years_experience", "is_resume", "warnings")
    }


def _members(node: object) -> Mapping[str, object]:
    return {field.name: getattr(node, field.name) for field in fields(cast("Any", node))}

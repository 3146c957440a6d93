"""Resume: text in, contact, work history, education and skills out, each with its place."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from models.extract import Link
from models.resume_contact import find_emails, find_links, find_phones
from models.resume_dates import Period, find_periods, months_in
from models.resume_education import read_education
from models.resume_experience import read_experience
from models.resume_fields import Contact, Found, Position, Resume, Study
from models.resume_kind import judge
from models.resume_lines import (
    Line,
    found,
    is_header_like,
    merge_wrapped,
    merged,
    reading_copy,
    split_lines,
)
from models.resume_lists import (
    find_language_names,
    read_certifications,
    read_languages,
    read_skills,
)
from models.resume_person import find_location, find_name
from models.resume_sections import Section, split_sections
from models.resume_words import title_words

if TYPE_CHECKING:
    from models.skills import SkillHit

__all__ = ["Resume", "parse_resume"]

_TOP_LINES = 30  # of a text without headings
_CONTACT_LINES = 40
_NAME_SEARCH_LINES = 80
_SUMMARY_WORDS = 15
# What stands at the head or foot of every page.
_RUNNING = re.compile(
    r"^(?:[^.!?]{0,80}[\s,|·•–-])?page\s[0-9]{1,2}(?:\s?(?:of|/)\s?[0-9]{1,2})?$", re.I
)
_HANDLE = re.compile(r"(?:linkedin\.com/in|github\.com|xing\.com/profile)/([^/?#\s]+)", re.I)


def parse_resume(
    text: str,
    skills: "Callable[[str], Sequence[SkillHit]] | None" = None,
    *,
    today: date,
    region: str | None = None,
    links: Sequence[Link] = (),
) -> Resume:
    """Return what the resume ``text`` says; what it does not say is None.

    Parameters
    ----------
    text : str
        One line a line, as ``models.documents`` gives it. Time is linear in its length.
    skills : callable, optional
        Finds the skills of a text (``SkillMatcher.extract``); without it, skills are what the
        resume lists under such a heading.
    today : date
        Until when "present" lasts.
    region : str, optional
        Country (ISO 3166) of phone numbers without a country code, when the resume names none.
    links : sequence of Link
        Hyperlinks of the document, whose targets are not in the text.
    """
    copy = reading_copy(text)
    sections = _sections(copy)
    periods = find_periods(copy, today)
    contact = _contact(copy, sections, periods, region, links)
    sections = [part for section in sections for part in _cut_at_name(section, contact.name)]
    worked = [
        entry
        for section in _of_kind(sections, "experience")
        for entry in read_experience(copy, section.lines, periods, today)
    ]
    education = tuple(
        study
        for section in _of_kind(sections, "education")
        for study in read_education(copy, section.lines, periods)
    )
    if not _of_kind(sections, "experience"):
        worked = _worked_without_heading(copy, sections, periods, today)
    experience = tuple(position for position, _ in worked)
    covered = [months for _, months in worked if months]
    languages = [line for section in _of_kind(sections, "languages") for line in section.lines]
    listed = [line for section in _of_kind(sections, "skills") for line in section.lines]
    return Resume(
        contact=contact,
        summary=_summary(copy, sections, contact),
        experience=experience,
        education=education,
        skills=read_skills(copy, listed, skills),
        languages=read_languages(copy, languages),
        certifications=tuple(
            certificate
            for section in _of_kind(sections, "certifications")
            for certificate in read_certifications(copy, section.lines, periods)
        ),
        years_experience=round(months_in(covered) / 12, 1) if covered else None,
        is_resume=judge(copy, contact, sections, experience, education),
        warnings=tuple(_warnings(contact, experience, education)),
    )


def _sections(text: str) -> list[Section]:
    """Return the sections; "Languages" that nobody speaks are programming skills."""
    lines = [line for line in split_lines(text) if not _RUNNING.search(line.text)]
    sections = split_sections(text, merge_wrapped(text, lines))
    return [
        Section("skills", section.lines, section.heading)
        if section.kind == "languages" and not find_language_names(text, section.lines)
        else section
        for section in sections
    ]


def _cut_at_name(section: Section, name: Found[str] | None) -> list[Section]:
    """Return the section, cut where the name has a line of its own in it.

    A column at the left ends there; what follows is the head of the page and none of its last list.
    """
    if name is None or section.kind in ("header", "contact", "references"):
        return [section]
    for number, line in enumerate(section.lines):
        if line.start <= name.start and name.end <= line.end and _is_mostly(name, line):
            below = section.lines[number:]
            above = Section(section.kind, section.lines[:number], section.heading)
            return [above, Section("header", below)]
    return [section]


def _is_mostly(name: Found[str], line: Line) -> bool:
    return 2 * (name.end - name.start) > line.end - line.start


def _of_kind(sections: Sequence[Section], *kinds: str) -> list[Section]:
    return [section for section in sections if section.kind in kinds]


def _contact(
    text: str,
    sections: Sequence[Section],
    periods: Sequence[Period],
    region: str | None,
    links: Sequence[Link],
) -> Contact:
    header = [line for section in sections if section.kind == "header" for line in section.lines]
    about = [line for section in _of_kind(sections, "contact") for line in section.lines]
    top = header[:_TOP_LINES] + about[:_CONTACT_LINES]
    elsewhere = [
        (section.lines[0].start, section.lines[-1].end)
        for section in _of_kind(sections, "references")
        if section.lines
    ]
    emails = find_emails(text, elsewhere, links)
    taken = merged([*elsewhere, *((email.start, email.end) for email in emails)])
    web = find_links(text, top, taken, links)
    handles = [email.value.partition("@")[0] for email in emails]
    handles += [match[1] for link in web if (match := _HANDLE.search(link.value.url))]
    others = [
        line
        for section in sections
        if section.kind not in ("header", "contact", "references")
        for line in section.lines[:3] + section.lines[-3:]
    ]
    name = find_name(text, top, handles, others[:_NAME_SEARCH_LINES] if handles else ())
    location, country = find_location(text, top, [(name.start, name.end)] if name else [])
    dates = merged(period.where for period in periods)
    phones = find_phones(text, top, dates, country or region, links)
    return Contact(name, emails, phones, location, web)


def _worked_without_heading(
    text: str, sections: Sequence[Section], periods: Sequence[Period], today: date
) -> list[tuple[Position, tuple[int, int] | None]]:
    """Return the entries in a text with no heading for them.

    Those with two dates and words of a title: the lines of an invoice have dates and names too.
    """
    return [
        (position, months)
        for section in _of_kind(sections, "header", "other")
        for position, months in read_experience(text, section.lines, periods, today)
        if position.title and title_words(position.title.value)
        if position.organisation and position.start and months
    ]


def _summary(text: str, sections: Sequence[Section], contact: Contact) -> Found[str] | None:
    """Return what stands under its heading, or else the paragraph of prose at the top."""
    for section in _of_kind(sections, "summary"):
        if section.lines:
            return found(text, section.lines[0].start, section.lines[-1].end)
    header = [line for section in _of_kind(sections, "header")[:1] for line in section.lines]
    if len(sections) < 2:
        return None
    prose: list[Line] = []
    for line in header:
        wraps = bool(prose) and not line.after_blank
        if wraps or (
            len(line.text.split()) >= _SUMMARY_WORDS // 2 and not _is_contact(line, contact)
        ):
            prose.append(line)
        elif prose:
            break
    if not prose or sum(len(line.text.split()) for line in prose) < _SUMMARY_WORDS:
        return None
    if all(is_header_like(line) for line in prose):
        return None
    return found(text, prose[0].start, prose[-1].end)


def _is_contact(line: Line, contact: Contact) -> bool:
    fields = (contact.name, contact.location, *contact.emails, *contact.phones, *contact.links)
    return any(field and line.start <= field.start < line.end for field in fields)


def _warnings(
    contact: Contact, experience: Sequence[Position], education: Sequence[Study]
) -> Iterator[str]:
    if contact.name is None:
        yield "No name was found at the top."
    if any(phone.value.e164 is None for phone in contact.phones):
        yield "A phone number has no country code and the country is not known: only as written."
    if not experience:
        yield "No work history was found."
    undated = sum(1 for entry in experience if entry.months is None)
    if undated:
        yield f"The length of {undated} of {len(experience)} positions is not known."
    if any(entry.title is None or entry.organisation is None for entry in experience):
        yield "Some positions lack a title or an organisation."
    if not education:
        yield "No education was found."

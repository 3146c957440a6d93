"""What a resume written for the tests is known to say."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A text, and its content as we wrote it; ``today`` is 15 June 2024.

    Positions are (title, organisation, start, end, months, number of bullets); studies (degree,
    field, institution, start, end, grade); phones as E.164, or as written without a country.
    """

    text: str
    name: str | None
    emails: list[str]
    phones: list[str]
    location: str | None
    links: list[str]
    experience: list[tuple[str | None, str | None, str | None, str | None, int | None, int]]
    education: list[tuple[str | None, ...]]
    skills: list[str]
    languages: list[tuple[str, str | None]]
    certifications: list[tuple[str, str | None]]
    years: float | None

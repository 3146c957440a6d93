from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest

from models.extract import Link
from models.resume import Resume, parse_resume
from models.resume_fields import Found, Phone
from tests.models import resumes_basic, resumes_more, resumes_odd
from tests.models.resume_case import Case

TODAY = date(2024, 6, 15)
CASES = {
    name: case
    for module in (resumes_basic, resumes_odd, resumes_more)
    for name, case in vars(module).items()
    if isinstance(case, Case)
}
EVERY_RESUME = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def parse(text: str) -> Resume:
    return parse_resume(text, today=TODAY)


def content(text: str) -> dict[str, object]:
    """Return the answer without any places."""
    answer = parse(text).as_dict()
    for skill in answer["skills"]:
        del skill["spans"]
    del answer["spans"]
    return answer


def value(found: Found[str] | None) -> str | None:
    return found.value if found else None


def test_there_are_resumes_in_more_than_twenty_layouts() -> None:
    assert len(CASES) >= 20


@EVERY_RESUME
def test_contact_is_read_exactly(case: Case) -> None:
    contact = parse(case.text).contact
    assert value(contact.name) == case.name
    assert [email.value for email in contact.emails] == case.emails
    assert [phone.value.e164 or phone.value.raw for phone in contact.phones] == case.phones
    assert value(contact.location) == case.location
    assert [link.value.url for link in contact.links] == case.links


@EVERY_RESUME
def test_work_history_is_read_exactly(case: Case) -> None:
    resume = parse(case.text)
    assert [
        (value(p.title), value(p.organisation), value(p.start), value(p.end), p.months)
        for p in resume.experience
    ] == [entry[:5] for entry in case.experience]
    assert [len(p.bullets) for p in resume.experience] == [entry[5] for entry in case.experience]
    assert resume.years_experience == case.years


@EVERY_RESUME
def test_education_is_read_exactly(case: Case) -> None:
    assert [
        tuple(map(value, (s.degree, s.field, s.institution, s.start, s.end, s.grade)))
        for s in parse(case.text).education
    ] == case.education


@EVERY_RESUME
def test_skills_languages_and_certificates_are_read_exactly(case: Case) -> None:
    resume = parse(case.text)
    assert [skill.name for skill in resume.skills] == case.skills
    assert [(s.language.value, value(s.level)) for s in resume.languages] == case.languages
    assert [(c.name.value, value(c.date)) for c in resume.certifications] == case.certifications


@EVERY_RESUME
def test_every_resume_is_taken_for_one(case: Case) -> None:
    verdict = parse(case.text).is_resume
    assert verdict.likely or len(case.text.split()) < 60, verdict.reasons


@EVERY_RESUME
def test_every_place_points_at_what_was_read(case: Case) -> None:
    resume = parse(case.text)
    read = list(everything_found(resume))
    assert read
    for found in read:
        written = " ".join(case.text[found.start : found.end].split())
        if isinstance(found.value, str):
            iso_date = found.value == "present" or found.value[:4].isdigit()
            assert written == found.value or iso_date
        elif isinstance(found.value, Phone):
            assert written == found.value.raw
        assert written
    for skill in resume.skills:
        assert [case.text[start:end] for start, end in skill.spans] == [skill.name]


@EVERY_RESUME
def test_windows_line_ends_and_hard_spaces_change_nothing_but_places(case: Case) -> None:
    odd = case.text.replace(", ", ",\u00a0").replace("\n", "\r\n")
    assert content(odd) == content(case.text)


def test_bullets_keep_their_wrapped_lines() -> None:
    first = parse(resumes_basic.ONE_LINE_ENTRIES.text).experience[0]
    assert [bullet.value for bullet in first.bullets] == [
        "Cut the cost of card payments by 30%",
        "Led a team of five engineers across two sites, and hired three of them",
    ]


def test_order_of_sections_does_not_matter() -> None:
    header, *blocks = SECTIONED.split("\n\n")
    there = content("\n\n".join([header, *blocks]))
    assert all(there[kind] for kind in ("summary", "experience", "education", "languages"))
    assert content("\n\n".join([header, *reversed(blocks)])) == there


def test_the_same_period_twice_counts_once() -> None:
    once = "Experience\nEngineer, Acme Ltd, Jan 2019 - Dec 2020\n"
    twice = once + "Adviser, Bank Group, Mar 2019 - Oct 2020\n"
    assert parse(once).years_experience == parse(twice).years_experience == 2.0


def test_what_is_not_there_is_null_or_empty() -> None:
    answer = parse("Skills\nPython\n").as_dict()
    assert answer["contact"] == {
        "name": None,
        "emails": [],
        "phones": [],
        "location": None,
        "links": [],
    }
    assert answer["summary"] is None
    assert answer["experience"] == answer["education"] == answer["languages"] == []
    assert answer["years_experience"] is None


def test_answer_has_the_shape_of_the_api_and_places_of_the_same_shape() -> None:
    answer = parse(resumes_basic.ONE_LINE_ENTRIES.text).as_dict()
    spans = answer.pop("spans")
    assert list(answer) == [
        *("contact", "summary", "experience", "education", "skills", "languages"),
        *("certifications", "years_experience", "is_resume", "warnings"),
    ]
    entry = answer["experience"][0]
    assert list(entry) == ["title", "organisation", "start", "end", "months", "bullets"]
    where = spans["experience"][0]["organisation"]
    text = resumes_basic.ONE_LINE_ENTRIES.text
    assert text[where["start"] : where["end"]] == entry["organisation"] == "Acme Corp"
    assert answer["skills"][0]["name"] == "Go"


def test_a_number_without_a_country_is_never_given_one() -> None:
    text = "Jane Doe\nPhone: 0151 2345678\njane@example.com\n"
    assert parse(text).contact.phones[0].value == Phone("0151 2345678", None, valid=False)
    known = parse_resume(text, today=TODAY, region="DE").contact.phones[0].value
    assert known.e164 == "+491512345678"


def test_dates_and_postcodes_are_no_phone_numbers() -> None:
    text = "Jane Doe\nBorn 12.03.1990, 10115 Berlin\n2015 - 2019, 01.02.2019 - 31.03.2020\n"
    assert parse(text).contact.phones == ()


def test_people_who_vouch_for_the_candidate_are_not_the_candidate() -> None:
    contact = parse(resumes_odd.NURSE.text).contact
    assert "peter.smith@example.com" not in [email.value for email in contact.emails]


def test_addresses_keep_their_order_and_come_once() -> None:
    text = "Jane Doe\na@example.com, b@example.com\n\nSkills\nWriting to A@example.com\n"
    emails = parse(text).contact.emails
    assert [email.value for email in emails] == ["a@example.com", "b@example.com"]


def test_hyperlinks_behind_the_text_are_read_once() -> None:
    links = [
        Link("jdoe", "https://www.linkedin.com/in/jdoe"),
        Link("jdoe", "https://github.com/jdoe"),
        Link("mail", "mailto:jdoe@example.com"),
        Link("", "tel:+442079460958"),
    ]
    text = "Jane Doe\njdoe@example.com\njdoe\njdoe\n"
    contact = parse_resume(text, today=TODAY, links=links).contact
    assert [email.value for email in contact.emails] == ["jdoe@example.com"]
    assert [(link.value.kind, link.start) for link in contact.links] == [
        ("linkedin", 26),
        ("github", 31),
    ]
    assert contact.phones[0].value.e164 == "+442079460958"


@dataclass(frozen=True)
class Hit:
    name: str
    category: str
    spans: tuple[tuple[int, int], ...]
    stated: bool


def test_skills_of_the_matcher_come_first_and_unknown_listed_ones_after() -> None:
    text = "Skills\nPython, Falconry\n"
    hits = [Hit("Python", "tool", ((7, 13),), True), Hit("Programming", "hard", (), False)]
    resume = parse_resume(text, lambda _: hits, today=TODAY)  # type: ignore[arg-type, return-value]
    assert [(s.name, s.category, s.stated) for s in resume.skills] == [
        ("Python", "tool", True),
        ("Programming", "hard", False),
        ("Falconry", None, True),
    ]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Jean-Luc d'Arc", "Jean-Luc d'Arc"),
        ("Dr. Anna-Lena Öztürk", "Anna-Lena Öztürk"),
        ("ZOË KRAVITZ-SMITH | Pastry Chef", "ZOË KRAVITZ-SMITH"),
        ("Ludwig van der Berg, PhD", "Ludwig van der Berg"),
        ("Ольга Иванова", "Ольга Иванова"),
        ("محمد الأمين", "محمد الأمين"),
        ("李小龙", "李小龙"),
        ("José Luis de la Cruz", "José Luis de la Cruz"),
        ("Curriculum Vitae", None),
        ("Senior Software Engineer", None),
        ("Machine Learning", None),
        ("New York, USA", None),
        ("Acme Solutions Ltd", None),
        ("Employment Agreement", None),
    ],
)
def test_names_are_told_from_other_lines_at_the_top(line: str, name: str | None) -> None:
    assert value(parse(f"{line}\nnobody@example.com\n").contact.name) == name


@pytest.mark.parametrize(
    "heading",
    [
        "EXPERIENCE",
        "Work Experience:",
        "Professional Experience & Projects",
        "== Employment History ==",
        "3. Career History",
        "▪ WORK EXPERIENCE",
        "E X P E R I E N C E",
        "## Relevant experience",
        "Berufserfahrung",
        "Expériences professionnelles",
        "EXPERIENCIA LABORAL",
        "Selected Professional Experience\n--------------------------------",
    ],
)
def test_headings_are_known_in_many_wordings_and_shapes(heading: str) -> None:
    text = (
        f"Jane Doe\n\n{heading}\nEngineer, Acme Ltd, Jan 2019 - Mar 2021\n\nEducation\nPhD, 2015\n"
    )
    entries = parse(text).experience
    assert [(value(p.title), value(p.organisation), p.months) for p in entries] == [
        ("Engineer", "Acme Ltd", 27)
    ]


SECTIONED = """\
Jane Doe
jane.doe@example.com

Summary
Builds things.

Experience
Engineer, Acme Ltd, Jan 2019 - Mar 2021
- Built a bridge

Education
BSc in Physics, University of Oslo, 2012 - 2015

Skills
Welding, Riveting

Languages
English: native
Norwegian: B2

Certifications
Crane Licence, 2016"""


def everything_found(node: object) -> Iterator[Found[object]]:
    if isinstance(node, Found):
        yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from everything_found(item)
    elif hasattr(node, "__dataclass_fields__"):
        for item in vars(node).values():
            yield from everything_found(item)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Nowak, Anna\nanna.nowak@example.org\n", "Nowak, Anna"),
        ("van den Berg, Pieter\np.vandenberg@example.org\n", "van den Berg, Pieter"),
        ("Name: Nowak, Anna Maria\nWarsaw\n", "Nowak, Anna Maria"),
        ("Leeds, Kent\njane@example.org\n", None),
        ("Nowak, Anna, Engineer\nanna.nowak@example.org\n", None),
    ],
)
def test_a_surname_may_stand_first_where_an_address_or_a_label_confirms_it(
    text: str, name: str | None
) -> None:
    assert value(parse(text).contact.name) == name


def test_the_lines_of_an_invoice_are_no_positions() -> None:
    lines = "Invoice 2024-001\nAcme Ltd\n01/2024 - 02/2024\nSubtotal 200\nAmount due 200 EUR\n"
    assert parse(lines).experience == ()
    assert parse(lines.replace("Invoice 2024-001", "Backend Engineer")).experience != ()

"""What layouts do to a resume: columns, tables, running heads, and lines cut off."""

from datetime import date

import pytest

from models.resume import Resume, parse_resume


def parse(text: str) -> Resume:
    return parse_resume(text, today=date(2024, 6, 15))


def values(found: object) -> list[str]:
    return [each.value for each in found]  # type: ignore[attr-defined]


def test_the_last_list_of_a_column_ends_where_the_name_stands() -> None:
    resume = parse(
        "Contact\njane.roe@example.com\n\nCertifications\nPMP, 2019\n\n"
        "Jane Roe\nProject Manager\n\nExperience\nProject Manager, Acme Corp\n2015 - 2019\n"
    )
    assert values(each.name for each in resume.certifications) == ["PMP"]
    assert resume.contact.name
    assert resume.contact.name.value == "Jane Roe"


def test_the_head_of_a_table_names_no_employer() -> None:
    (position,) = parse(
        "Experience\n\nPeriod\tEmployer\tPosition\n2015 – 2019\tAcme Corp\tEngineer\n"
    ).experience
    assert (position.organisation, position.title) != (None, None)
    assert position.organisation.value == "Acme Corp"  # type: ignore[union-attr]


def test_a_line_with_the_number_of_the_page_is_none_of_the_resume() -> None:
    text = "Jane Roe\n\nCertifications\nPMP, 2019\n\nCurriculum vitae of Jane Roe, page 2 of 3\n"
    assert values(each.name for each in parse(text).certifications) == ["PMP"]


def test_the_word_before_a_period_is_no_employer() -> None:
    (position,) = parse("Experience\nIntern, Acme Corp   from 06/2012 to 09/2012\n").experience
    assert position.title
    assert position.organisation
    assert (position.title.value, position.organisation.value) == ("Intern", "Acme Corp")


def test_a_season_alone_is_a_period_of_work() -> None:
    (first, second) = parse(
        "Experience\nSummer Analyst  Summer 2023\nAcme Corp\n- Built charts\n"
        "Barista  Oct 2021 - May 2022\nThe Cup\n"
    ).experience
    assert (first.start.value, first.end.value, first.months) == (  # type: ignore[union-attr]
        "2023-06",
        "2023-08",
        3,
    )
    assert second.months == 8


def test_a_title_ends_before_the_sentence_that_follows_in_its_cell() -> None:
    (position,) = parse(
        "Experience\n2015 – 2019\tLift Co Ltd\tService Electrician. Lifts of eighty buildings\n"
    ).experience
    assert position.title
    assert position.title.value == "Service Electrician"


@pytest.mark.parametrize(
    ("written", "language", "level"),
    [
        ("isiZulu: native", "isiZulu", "native"),
        ("Valencian, mother tongue", "Valencian", "mother tongue"),
        ("Japanese (N3)", "Japanese", "N3"),
        ("English (IELTS 7.5)", "English", "IELTS 7.5"),
    ],
)
def test_languages_and_levels_that_no_list_has(written: str, language: str, level: str) -> None:
    (found,) = [
        each
        for each in parse(f"Languages\nFrench: B1\n{written}\n").languages
        if each.language.value == language
    ]
    assert found.level
    assert found.level.value == level


def test_levels_alone_make_no_language() -> None:
    languages = parse("Languages\nFrench: B1\nI am fluent in small talk\n").languages
    assert values(each.language for each in languages) == ["French"]


@pytest.mark.parametrize(
    ("line", "name", "year"),
    [
        ("Electrical licence, valid until 2027", "Electrical licence", None),
        ("Forklift operator, renewed 2022", "Forklift operator", "2022"),
        ("Advanced Life Support\n(ALS), 2023", "Advanced Life Support (ALS)", "2023"),
    ],
)
def test_a_certificate_is_dated_by_when_it_was_earned(
    line: str, name: str, year: str | None
) -> None:
    (certificate,) = parse(f"Certificates\n{line}\n").certifications
    assert certificate.name.value == name
    assert (certificate.date and certificate.date.value) == year


@pytest.mark.parametrize(
    "written",
    ["Valencia (Spain)", "752 36 Uppsala, Sweden", "602 00 Brno, Czech Republic"],
)
def test_places_with_brackets_or_split_postal_codes(written: str) -> None:
    location = parse(f"Jane Roe\nInstitute of Lakes, {written}\n").contact.location
    assert location
    assert location.value == written


def test_a_name_in_two_scripts_is_given_in_the_first() -> None:
    name = parse("Hanako Yamada (山田 花子)\nhanako.yamada@example.com\n").contact.name
    assert name
    assert name.value == "Hanako Yamada"


def test_sixteen_digits_are_no_phone_number() -> None:
    assert parse("Jane Roe\nORCID: 0000-0002-1825-0097\n").contact.phones == ()


def test_a_department_word_in_the_name_of_a_firm_stays_with_the_firm() -> None:
    (position,) = parse("Experience\nEngineer, Kapocs Payments Kft.  2015 - 2019\n").experience
    assert position.organisation
    assert position.organisation.value == "Kapocs Payments Kft."


def test_certificates_in_one_line_have_a_date_each() -> None:
    text = "Certificates\nCISSP (since 2016), CISM (since 2019), Lead Auditor (2021)\n"
    assert [
        (each.name.value, each.date.value if each.date else None)
        for each in parse(text).certifications
    ] == [("CISSP", "2016"), ("CISM", "2019"), ("Lead Auditor", "2021")]


def test_the_head_of_a_table_names_no_school() -> None:
    (study,) = parse(
        "Education\n\nDegree\tInstitute\tYear\tMarks\n"
        "B.Tech in Electronics\tModel Engineering College\t2021 - 2025\tCGPA 8.9/10\n"
    ).education
    assert study.institution
    assert study.institution.value == "Model Engineering College"


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("Kochi, Kerala, India", "Kochi, Kerala, India"),
        ("Calle Mayor 5, 28013 Madrid, Spain", "28013 Madrid, Spain"),
    ],
)
def test_a_region_belongs_to_the_place_and_a_street_does_not(written: str, place: str) -> None:
    location = parse(f"Jane Roe\n{written}\n").contact.location
    assert location
    assert location.value == place

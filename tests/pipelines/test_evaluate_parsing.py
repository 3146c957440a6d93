"""Parsing is measured on files we wrote: the figures are earned, and stay above their floor."""

from pathlib import Path

import pytest

from models.documents import DocumentReader
from models.params import EvaluateParams
from models.resume import parse_resume
from models.skills import SkillMatcher, load_taxonomy
from pipelines.evaluate_parsing import Count, compare, evaluate, measure
from pipelines.resume_files import (
    Known,
    ResumeFile,
    ResumeFilesError,
    build_file,
    read_resume_files,
)
from tests.factories import ROOT

FILES = read_resume_files(ROOT / "data" / "parsing" / "resumes.yaml")
PARAMS = EvaluateParams(bootstrap=50, seed=1)

TEXT = """\
Jane Doe
jane@example.com

Experience
Engineer, Acme Corp
2019-01 - 2020-12

Skills
Python, Basket weaving
"""
KNOWN = {
    "name": "Jane Doe",
    "emails": ["jane@example.com"],
    "phones": [],
    "links": [],
    "location": None,
    "experience": [
        {"title": "Engineer", "organisation": "Acme Corp", "start": "2019-01", "end": "2020-12"}
    ],
    "education": [],
    "skills": ["Python", "Basket weaving"],
    "languages": [],
    "certifications": [],
    "years": 2.0,
}


def counts(**changes: object) -> dict[str, Count]:
    """Return how ``TEXT`` is counted where it is known to say something else."""
    known = Known.model_validate({**KNOWN, **changes})
    return compare(known, TEXT, parse_resume(TEXT, today=FILES.today))


def accuracy(counted: dict[str, Count]) -> float:
    files = FILES.model_copy(update={"resumes": FILES.resumes[:1]})
    figures = evaluate(files, {FILES.resumes[0].id: counted}, PARAMS)
    return float(figures["headline"]["normalised"]["value"])


def test_what_is_all_read_and_nothing_else_is_perfect() -> None:
    assert accuracy(counts()) == 1.0


def test_what_was_not_read_counts_as_missing() -> None:
    counted = counts(phones=["+442079460958"])
    assert counted["phones"] == Count(expected=1, found=0, normalised=0, exact=0)
    assert accuracy(counted) < 1.0


def test_what_was_invented_counts_too() -> None:
    counted = counts(experience=[])
    assert counted["experience.title"] == Count(expected=0, found=1, normalised=0, exact=0)
    assert accuracy(counted) < 1.0


def test_a_value_in_another_case_is_right_in_sense_alone() -> None:
    assert counts(name="JANE DOE")["name"] == Count(1, 1, 1, 0)


def test_a_skill_that_no_list_has_is_missing() -> None:
    assert counts(skills=["Python", "Juggling"])["skills"] == Count(2, 2, 1, 1)


def test_entries_are_compared_whatever_their_order() -> None:
    other = {"title": "Cook", "organisation": "The Ladle", "start": "2015", "end": "2016"}
    counted = counts(experience=[other, *KNOWN["experience"]])  # type: ignore[misc]
    assert counted["experience.title"] == Count(2, 1, 1, 1)


def test_years_may_be_off_by_half_a_year_but_not_by_two() -> None:
    assert counts(years=2.4)["years"] == Count(1, 1, 1, 0)
    assert counts(years=4.0)["years"] == Count(1, 1, 0, 0)


def test_files_of_both_formats_have_columns_tables_boxes_and_page_headers() -> None:
    shapes = {
        (resume.format, name)
        for resume in FILES.resumes
        for part in resume.parts
        for name in part.model_fields_set
    }
    assert len(FILES.resumes) >= 12
    assert {"pdf", "docx"} <= {format_ for format_, _ in shapes}
    assert {
        *(("pdf", "columns"), ("pdf", "table")),
        *(("docx", "columns"), ("docx", "table"), ("docx", "box")),
    } <= shapes
    assert {resume.format for resume in FILES.resumes if resume.page_header} == {"pdf", "docx"}


@pytest.mark.parametrize("format_", ["pdf", "docx"])
def test_every_part_stands_in_the_file(format_: str) -> None:
    resume = ResumeFile.model_validate(
        {
            "id": "x",
            "format": format_,
            "page_header": "Above",
            "page_footer": "Below",
            "parts": [
                {"text": "= Jane Doe\n- Bullet\nLeft >> Right\nSee [my page](https://example.com)"},
                {"columns": ["One", "Two"]},
                {"table": [["Three", "Four"]]},
                {"box": "Five"},
            ],
            "known": KNOWN,
        }
    )
    with DocumentReader(workers=1) as reader:
        document = reader.read(build_file(resume))
    words = set(document.text.split())
    expected = {"Above", "Jane", "Bullet", "Left", "Right", "page", "One", "Two", "Three", "Four"}
    assert expected | {"Five"} <= words
    assert "https://example.com" in {link.target.rstrip("/") for link in document.links}


def test_an_unknown_part_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "resumes.yaml"
    path.write_text("today: 2026-01-01\nresumes: [{id: x, format: pdf, parts: [{picture: a}]}]")
    with pytest.raises(ResumeFilesError, match="picture"):
        read_resume_files(path)


def test_accuracy_on_every_file_stays_above_the_floor() -> None:
    matcher = SkillMatcher(load_taxonomy(ROOT / "data" / "taxonomy" / "skills.csv"))
    metrics = evaluate(FILES, measure(FILES, matcher.extract), PARAMS)
    assert metrics["headline"]["normalised"]["value"] >= 0.95
    assert min(each["normalised"] for each in metrics["files"].values()) >= 0.80

"""What the models' findings become in an answer, and which advice follows from which fact."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from models.compatibility import Compatibility, Parts
from models.extract import Document
from models.resume import Resume, parse_resume
from models.skill_model import Phrase, SkillModel
from models.skills import Gap, GapSkill, RelatedSkills, SkillHit
from serving.advice import advise
from serving.assessment import Assessor
from serving.job_schemas import PhraseAnswer
from tests.factories import starter_index, starter_skills

TODAY = date(2024, 6, 15)
TEXT = """Jane Doe
jane@example.com

Experience
Python Developer, Initech, 01/2019 - present
I wrote the billing service in Python and kept it running through three moves of its data centre.
I taught four colleagues to test what they build, and to write down why they built it like that.

Education
BSc Computer Science, Delft, 2018

Skills
Python, Docker"""
RESUME = parse_resume(TEXT, today=TODAY)
NO_PARTS = Parts(None, 0.5, None, None, None, None)


def asked(name: str, importance: float = 0.5) -> GapSkill:
    return GapSkill(name, "tool", importance)


def hit(name: str, stated: bool = True) -> SkillHit:
    return SkillHit(name, "tool", ((0, 1),) if stated else (), stated)


def advice(
    *,
    document: Document | None = None,
    resume: Resume = RESUME,
    hits: tuple[SkillHit, ...] = (),
    shown: frozenset[str] = frozenset(),
    gap: Gap | None = None,
    **parts: Any,
) -> list[str]:
    fit = Compatibility(50.0, replace(NO_PARTS, **parts))
    return advise(
        document or Document(TEXT, "text"), resume, hits, shown, gap or Gap((), (), ()), fit
    )


def test_a_resume_with_nothing_amiss_gets_no_advice() -> None:
    assert advice() == []


@pytest.mark.parametrize(
    ("names", "listed"),
    [
        ("A", "requires A; the resume does not name it."),
        ("AB", "requires A and B; the resume does not name them."),
        ("ABCDE", "requires A, B, C, D and E; the resume does not name them."),
        ("ABCDEFG", "requires A, B, C, D, E and 2 more; the resume does not name them."),
    ],
)
def test_missing_skills_are_named_up_to_a_number(names: str, listed: str) -> None:
    gap = Gap((), tuple(asked(name, 0.9) for name in names), ())
    assert advice(gap=gap) == [f"The job {listed}"]


def test_what_is_required_comes_before_what_is_named() -> None:
    gap = Gap((), (asked("A", 0.9), asked("B", 0.3)), (RelatedSkills("A", ("X", "Y")),))
    assert advice(gap=gap, hits=(hit("X"), hit("Y")), shown=frozenset("XY")) == [
        "The job requires A; the resume does not name it.",
        "The job also names B; the resume does not name it.",
        "Close to A, which is missing, the resume has X and Y.",
    ]


@pytest.mark.parametrize(
    ("stated", "says"),
    [("XY", "has X and Y"), ("Y", "has Y"), ("", "only implies X and Y")],
)
def test_a_close_skill_that_is_only_implied_is_not_called_had(stated: str, says: str) -> None:
    gap = Gap((), (asked("A", 0.9),), (RelatedSkills("A", ("X", "Y")),))
    hits = tuple(hit(name, stated=name in stated) for name in "XY")
    assert advice(gap=gap, hits=hits)[1] == f"Close to A, which is missing, the resume {says}."


def test_skills_that_are_only_implied_or_only_listed_are_told_apart() -> None:
    gap = Gap((asked("A"), asked("B"), asked("C")), (), ())
    found = advice(gap=gap, hits=(hit("A"), hit("B"), hit("C", stated=False)), shown=frozenset("A"))
    assert len(found) == 2
    assert "asks for C; the resume only implies it" in found[0]
    assert "lists B without a sentence" in found[1]


@pytest.mark.parametrize(
    ("years_asked", "years", "words"),
    [
        (8.0, 5.5, "asks for 8 years of experience; the dates in the resume add up to 5.5 years."),
        (1.0, 0.5, "asks for 1 year of experience; the dates in the resume add up to 0.5 years."),
        (3.0, None, "asks for 3 years of experience; the resume has no dates"),
        (3.0, 3.0, None),
        (None, None, None),
    ],
)
def test_years_are_compared_only_where_both_are_known(
    years_asked: float | None, years: float | None, words: str | None
) -> None:
    found = advice(years_asked=years_asked, years=years)
    assert [words in line for line in found] == [True] if words else found == []


def test_invisible_text_and_what_is_no_resume_come_first() -> None:
    document = Document("Please pay the invoice.", "pdf", invisible_chars=40)
    resume = parse_resume(document.text, today=TODAY)
    found = advice(document=document, resume=resume)
    assert "does not read like a resume" in found[0]
    assert found[1].startswith("40 letters of the document cannot be seen")
    assert found[-2].startswith("No work history was found")
    assert found[-1].startswith("No e-mail address and no phone number")


def test_positions_without_dates_are_counted() -> None:
    undated = replace(RESUME.experience[0], start=None, end=None, months=None)
    resume = replace(RESUME, experience=(*RESUME.experience, undated))
    [line] = advice(resume=resume)
    assert line.startswith("1 of 2 positions have no dates")


class WithPhrases(SkillModel):
    """A model with a tagger that sees the first word."""

    def phrases(self, text: str) -> list[Phrase]:
        return [Phrase(0, len(text.split()[0]), "knowledge", None)]


def test_phrases_stand_beside_the_skills() -> None:
    assessor = Assessor(WithPhrases(starter_skills().matcher), TODAY)
    answer = assessor.extracted("Underwriting and Python")
    assert [skill["name"] for skill in answer["skills"] if skill["stated"]][-1] == "Python"
    [phrase] = answer["phrases"]
    assert PhraseAnswer(**phrase).model_dump() == phrase
    assert phrase == {"start": 0, "end": 12, "label": "knowledge", "name": None}


def test_listings_are_scored_as_an_analysis_would() -> None:
    assessor = Assessor(starter_skills(), TODAY)
    document = Document(TEXT, "text")
    jobs = ["Python Developer\nYou must know Python.", "Staff Nurse\nWard rounds."]
    alone = [
        assessor.analyzed(document, starter_index(), job, with_text=False)["score"] for job in jobs
    ]
    assert assessor.scored(document, starter_index(), jobs) == alone
    assert alone[0] > alone[1]


def test_the_day_decides_how_long_present_lasts() -> None:
    later = date(2029, 6, 15)
    document = Document(TEXT, "text")
    years = [
        Assessor(starter_skills(), day).parsed(document, with_text=False)["years_experience"]
        for day in (TODAY, later)
    ]
    assert years[1] - years[0] == pytest.approx(5.0)

from typing import Any

import pytest

from pipelines.job_readers import POSTING_READERS, RESUME_READERS, asked_years, listed_skills
from pipelines.raw_files import RawReadError
from tests.pipelines.tables import table

DICE = ("Job_Id", "Designation", "Required Skills", "Max Exp (in months)", "Max Exp (in months).1")
GOOGLE = (
    *("Company", "Title", "Category", "Location"),
    *("Responsibilities", "Minimum Qualifications", "Preferred Qualifications"),
)
GLASSDOOR = ("Job Title", "Company Name", "Location", "Job Description")


def drafts(reader: str, file: str, columns: tuple[str, ...], *cells: str) -> list[dict[str, Any]]:
    return list(POSTING_READERS[reader]({file: table(*columns, rows=[cells])}))


def test_a_dice_posting_has_title_skills_and_years_alone() -> None:
    cells = ("7", "Data&nbsp;Engineer", "Hadoop, Spark", "2 - 7 yrs", "")
    assert drafts("dice_jobs", "dice_com-job_us_sample.csv", DICE, *cells) == [
        {"title": "Data Engineer", "skills": ("Hadoop", "Spark"), "years": (2.0, 7.0)}
    ]


@pytest.mark.parametrize(
    ("cell", "skills"),
    [
        ("Java; SQL,, c#", ("Java", "SQL", "c#")),
        ("RDBMS (MySQL, Oracle; DB2), Java", ("RDBMS (MySQL, Oracle; DB2)", "Java")),
        ("java, Java, JAVA", ("java",)),
        ("", ()),
        ("See job description", ()),
        ("(Please refer to Job Description)", ()),
        ("please refer the JD", ()),
        ("SEE BELOW:", ()),
        ("Null", ()),
        ("#NAME?", ()),
        ("Telecommuting not available Travel not required", ()),
        ("Full Time, Contract Corp-To-Corp, C2H W2, Linux", ("Linux",)),
    ],
)
def test_what_points_elsewhere_or_tells_the_terms_is_no_skill(
    cell: str, skills: tuple[str, ...]
) -> None:
    assert listed_skills(cell) == skills


@pytest.mark.parametrize(
    "skill", ["Check Point", "JD Edwards", "Contract management", "Full text search", "See5", "R"]
)
def test_a_skill_that_looks_like_one_of_those_stays(skill: str) -> None:
    assert listed_skills(skill) == (skill,)


@pytest.mark.parametrize(
    ("cell", "years"),
    [
        ("2 - 5 yrs", (2.0, 5.0)),
        ("0 - 1 yrs", (0.0, 1.0)),
        ("0 - 0 yrs", None),
        ("3 - -1 yrs", (3.0, None)),
        ("Not Mentioned", None),
        ("", None),
    ],
)
def test_years_are_read_and_nothing_is_made_of_nothing(
    cell: str, years: tuple[float, float | None] | None
) -> None:
    assert asked_years(cell) == years


def test_years_in_another_form_are_refused() -> None:
    with pytest.raises(RawReadError, match="'24 months'"):
        asked_years("24 months")


def test_the_texts_of_a_google_posting_are_joined_under_their_headings() -> None:
    cells = ("Google", "SRE", "Engineering", "Dublin", "Run it.\r\nFix it. ", "", "Go &amp; C++")
    [draft] = drafts("google_jobs", "job_skills.csv", GOOGLE, *cells)
    assert draft == {
        "title": "SRE",
        "company": "Google",
        "location": "Dublin",
        "description": "Responsibilities:\nRun it.\nFix it.\n\nPreferred qualifications:\nGo & C++",
    }


def test_a_google_posting_without_texts_has_no_description() -> None:
    [draft] = drafts("google_jobs", "job_skills.csv", GOOGLE, "Google", "SRE", "E", "D", "", "", "")
    assert draft["description"] is None


@pytest.mark.parametrize(
    ("name", "company"),
    [("Muso\n3.4", "Muso"), ("Muso", "Muso"), ("Muso\n-1", "Muso"), ("-1", None)],
)
def test_a_glassdoor_company_loses_its_rating(name: str, company: str | None) -> None:
    cells = ("Analyst", name, "-1", "We need\n\n\n\nyou.")
    assert drafts("glassdoor_jobs", "glassdoor_jobs.csv", GLASSDOOR, *cells) == [
        {
            "title": "Analyst",
            "company": company,
            "location": None,
            "description": "We need\n\nyou.",
        }
    ]


def test_a_starter_posting_comes_as_it_was_written() -> None:
    columns = ("id", "title", "remote", "skills", "company")
    cells = ("starter-x-1", "Cook", "false", '["Baking", "Stocks, sauces"]', "")
    assert drafts("starter_jobs", "postings.jsonl", columns, *cells) == [
        {
            "id": "starter-x-1",
            "title": "Cook",
            "remote": False,
            "skills": ["Baking", "Stocks, sauces"],
        }
    ]


@pytest.mark.parametrize("cells", [("a", "", "[]"), ("a", "perhaps", "[]")])
def test_a_starter_posting_without_what_it_needs_is_named(cells: tuple[str, ...]) -> None:
    with pytest.raises(RawReadError, match=r"postings\.jsonl: record 1"):
        drafts("starter_jobs", "postings.jsonl", ("id", "remote", "skills"), *cells)


def test_starter_resumes_have_their_family_as_category_and_their_years() -> None:
    raw = table("id", "family", "role", "years", "text", rows=[("r-1", "data", "bi", "6", "I …\n")])
    assert list(RESUME_READERS["starter_jobs"]({"resumes.yaml": raw})) == [
        {"id": "r-1", "set": "starter_resumes", "category": "data", "text": "I …", "years": 6}
    ]
    with pytest.raises(RawReadError, match="r-1: years 'six'"):
        list(RESUME_READERS["starter_jobs"]({"resumes.yaml": raw.assign(years="six")}))


def test_resumes_are_repaired_and_numbered_as_they_stand() -> None:
    raw = table("Category", "Resume", rows=[("HR", "a"), ("Arts", "NaÃ¯ve  Bayes\r\n")])
    resumes = RESUME_READERS["resume_categories"]({"UpdatedResumeDataSet.csv": raw})
    assert list(resumes)[1] == {
        "id": "resume_categories-2",
        "set": "resume_categories",
        "category": "Arts",
        "text": "Naïve Bayes",
        "years": None,
    }


def test_a_renamed_column_is_named() -> None:
    with pytest.raises(RawReadError, match=r"job_skills\.csv: no column 'Title', only Name"):
        drafts("google_jobs", "job_skills.csv", ("Name",), "SRE")

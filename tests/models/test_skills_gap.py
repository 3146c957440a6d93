"""How much a posting stresses a skill, and what a candidate lacks."""

import time
from pathlib import Path

import pytest

from models.skills import (
    ASKED,
    MAX_RELATED,
    Gap,
    SkillHit,
    SkillMatcher,
    importance,
    load_taxonomy,
    related_skills,
    skill_gap,
)

MATCHER = SkillMatcher(load_taxonomy(Path("data/taxonomy/skills.csv")))

POSTING = """Data Engineering Lead

About us
We are a fintech company in Leeds with a yoga studio.

What you will do
- Build pipelines in Airflow.
- Own our Snowflake warehouse.

Requirements
- 5+ years of Python
- Solid SQL; Kafka is a plus
- Communication skills

Nice to have
- Terraform
- Spark, strong Kubernetes

Benefits
- Health insurance, life insurance, Italian lessons
"""


def stress(posting: str) -> dict[str, float]:
    return importance(posting, MATCHER.extract(posting))


def names(gap: Gap) -> list[str]:
    return [skill.name for skill in gap.missing]


def test_title_and_requirements_weigh_more_than_duties_and_those_more_than_wishes() -> None:
    weight = stress(POSTING)
    assert weight["Data engineering"] > weight["Python"] > weight["Apache Airflow"]
    assert weight["Apache Airflow"] == weight["Snowflake"] > weight["Terraform"]
    assert weight["Terraform"] == weight["Apache Spark"] > weight["Fintech"]


def test_a_manner_of_speaking_does_not_lift_a_wish_to_a_requirement() -> None:
    weight = stress(POSTING)
    assert weight["Kubernetes"] == weight["Terraform"]


def test_a_sentence_overrules_its_section() -> None:
    weight = stress(POSTING)
    assert weight["Apache Kafka"] == weight["Terraform"] < weight["SQL"]


@pytest.mark.parametrize(
    "sentence",
    [
        "Python is required, Go is a plus.",
        "You must know Python, and ideally Go.",
        "Strong Python needed; Go would be nice.",
        "Python\nPreferred qualifications: Go",
        "Must have: Python\nNice to have: Go",
        "Requirements\nPython\nBonus points\nGo",
        "Minimum 3 years of Python. Go preferred.",
    ],
)
def test_required_before_preferred_in_many_wordings(sentence: str) -> None:
    weight = stress(f"Backend role\n\n{sentence}\n")
    assert weight["Python"] > weight["Go"]


def test_what_is_not_required_is_not_asked_for() -> None:
    weight = stress("Clerk wanted\n\nNo Python experience required. Excel is required.")
    assert weight["Python"] < ASKED < weight["Microsoft Excel"]


def test_soft_skills_weigh_less_than_others_asked_for_alike() -> None:
    weight = stress("Clerk\n\nRequirements\n- Teamwork\n- Bookkeeping\n- German")
    assert weight["Teamwork"] < weight["Bookkeeping"] == weight["German"]


def test_importance_is_between_0_and_1_and_leaves_implied_skills_out() -> None:
    hits = MATCHER.extract(POSTING)
    weight = importance(POSTING, hits)
    assert set(weight) == {hit.name for hit in hits if hit.stated}
    assert all(0.0 < value <= 1.0 for value in weight.values())


@pytest.mark.parametrize(
    "stuffing",
    [
        "\n- Python Python Python Python\n",
        "\n" + "Python, " * 300,
        "\n- Python, SQL, Kafka, Airflow, Terraform\n" * 30,
        "\n- 5+ years of Python\n" * 30,
    ],
)
def test_stuffing_does_not_raise_importance(stuffing: str) -> None:
    before = stress(POSTING)
    after = stress(POSTING.replace("\nNice to have", f"{stuffing}\nNice to have"))
    assert after["Python"] == before["Python"]


def test_repetition_raises_it_a_little_and_no_further() -> None:
    sentences = [
        f"In week {week} you will write Python for team {week} of us.\n" for week in range(9)
    ]
    weights = [
        stress("Developer\n\n" + "".join(sentences[:count]))["Python"] for count in (1, 2, 3, 9)
    ]
    assert weights[0] < weights[1] < weights[2] == weights[3]
    assert weights[3] < stress("Developer\n\nPython is required.")["Python"]


def test_the_dot_of_net_does_not_put_it_in_the_sentence_before() -> None:
    weight = stress("Developer\n\nGo is preferred. .NET is required.")
    assert weight[".NET"] > weight["Go"]


def test_gap_lists_missing_skills_most_important_first() -> None:
    gap = skill_gap(MATCHER, "I know SQL and Terraform.", POSTING)
    assert [skill.name for skill in gap.matched] == ["SQL", "Terraform"]
    missing = names(gap)
    assert missing[:2] == ["Data engineering", "Python"]
    assert missing.index("Python") < missing.index("Snowflake") < missing.index("Apache Spark")
    weights = [skill.importance for skill in gap.missing]
    assert weights == sorted(weights, reverse=True)


def test_what_the_company_or_its_benefits_name_is_not_missing() -> None:
    gap = skill_gap(MATCHER, "", POSTING)
    assert not {"Fintech", "Yoga instruction", "Insurance", "Italian"} & set(names(gap))


def test_an_implied_skill_of_the_resume_is_not_missing() -> None:
    gap = skill_gap(
        MATCHER, "Five years of React and PostgreSQL", "Dev\n\nJavaScript and SQL required"
    )
    assert names(gap) == []
    assert [skill.name for skill in gap.matched] == ["JavaScript", "SQL"]


def test_an_implied_skill_of_the_posting_is_not_asked_for() -> None:
    gap = skill_gap(MATCHER, "", "Dev\n\nReact is required")
    assert names(gap) == ["React"]


def test_hits_of_the_resume_may_be_passed_instead_of_its_text() -> None:
    resume = "Kubernetes, Docker and AWS"
    assert skill_gap(MATCHER, MATCHER.extract(resume), POSTING) == skill_gap(
        MATCHER, resume, POSTING
    )


@pytest.mark.parametrize(
    ("missing", "resume", "have"),
    [
        ("PostgreSQL", "MySQL for ten years", "MySQL"),
        ("Microsoft Azure", "AWS in production", "Amazon Web Services"),
        ("Vue.js", "React and Angular", "React"),
        ("Tableau", "Power BI reports", "Microsoft Power BI"),
        ("Next.js", "React", "React"),
        ("Xero", "QuickBooks and payroll", "QuickBooks"),
        ("Scrum", "Kanban", "Kanban"),
    ],
)
def test_related_skills_are_ones_the_candidate_has(missing: str, resume: str, have: str) -> None:
    gap = skill_gap(MATCHER, resume, f"Post\n\n{missing} is required")
    related = {pair.missing: pair.have for pair in gap.related}
    assert have in related[missing]
    assert set(related[missing]) <= {hit.name for hit in MATCHER.extract(resume)}
    assert len(related[missing]) <= MAX_RELATED


def test_nothing_close_is_no_relation() -> None:
    gap = skill_gap(
        MATCHER, "Welding, carpentry and fluent Finnish", "Dev\n\nKubernetes, Spanish required"
    )
    assert names(gap) == ["Kubernetes", "Spanish"]
    assert gap.related == ()


def test_named_relations_go_before_families_and_stated_before_implied() -> None:
    hits = [
        SkillHit("Java", "tool", (), stated=False),
        SkillHit("Ruby", "tool", ((0, 4),), stated=True),
        SkillHit("Objective-C", "tool", ((6, 17),), stated=True),
    ]
    assert related_skills(MATCHER.taxonomy, "Swift", hits) == ("Objective-C", "Ruby", "Java")


def test_empty_texts_have_an_empty_gap() -> None:
    assert skill_gap(MATCHER, "", "") == Gap((), (), ())
    assert importance("", []) == {}


@pytest.mark.parametrize(
    "unit",
    [
        "machine learning and ",
        "must Python: ",
        "not no ",
        "Python.\n",
        "a.b",
        ":",
        "\n",
        "1",
        "SQL 1111",
    ],
)
def test_importance_takes_linear_time_on_hostile_postings(unit: str) -> None:
    posting = unit * (200_000 // len(unit))
    hits = MATCHER.extract(posting)
    begin = time.process_time()
    importance(posting, hits)
    assert time.process_time() - begin < 5.0

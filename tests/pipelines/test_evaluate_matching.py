"""The figures of the job index are what a person would count, beside chance and plain TF-IDF."""

import re
from pathlib import Path

import numpy as np
import pytest

from models.index_build import build_index
from models.matching import IndexParams, Posting
from models.params import EvaluateParams
from models.skill_matcher import SkillMatcher
from models.skill_model import SkillModel
from models.skills import importance, load_taxonomy
from pipelines.bars import write_bars
from pipelines.evaluate_matching import (
    MatchingEvaluationError,
    ask,
    ask_by_skills,
    figures_of,
    resume_questions,
    write_plots,
)
from pipelines.intervals import bootstrap
from pipelines.questions import (
    CATEGORY_SET,
    CategoriesError,
    Category,
    read_categories,
    title_questions,
)
from pipelines.retrieval import Question, measure, plain_ranking
from pipelines.score_pairs import pair_scores
from pipelines.split import side_of
from tests.factories import ROOT

PARAMS = EvaluateParams(bootstrap=60, seed=1)
SKILLS = SkillModel(SkillMatcher(load_taxonomy(ROOT / "data" / "taxonomy" / "skills.csv")))
CATEGORIES = (
    Category(category="Cook", title=re.compile("cook|chef"), prevalence=0.5, baseline=0.5),
    Category(category="Nurse", title=re.compile("nurse"), prevalence=0.5, baseline=0.5),
)
COOKS = [
    Posting(
        id=f"cook-{number}",
        title=f"Line Cook {number}",
        description=f"You grill, fry and season for {number} guests, and keep the kitchen clean.",
    )
    for number in range(12)
]
NURSES = [
    Posting(
        id=f"nurse-{number}",
        title=f"Ward Nurse {number}",
        description=f"You care for {number} patients of the ward, day and night.",
    )
    for number in range(12)
]
POSTINGS = [*COOKS, *NURSES]
RESUMES = [
    {"set": CATEGORY_SET, "category": "Cook", "text": "I grill and fry, and run a kitchen."},
    {"set": CATEGORY_SET, "category": "Nurse", "text": "I care for patients on a ward."},
    {"set": CATEGORY_SET, "category": "Pilot", "text": "I fly."},
]


def question(group: str, *answers: str) -> Question:
    return Question(group, f"about {group}", frozenset(answers))


def test_precision_and_reciprocal_rank_are_counted_among_the_first_ten() -> None:
    ranked = [*COOKS[:3], *NURSES[:7]]
    measured = measure(
        [question("n", *(posting.id for posting in NURSES))], {"any": lambda _: ranked}, 24
    )
    assert measured.outcomes["any"].tolist() == [[0.7, 0.25]]


def test_a_ranking_without_any_answer_gets_nothing() -> None:
    measured = measure([question("n", "elsewhere")], {"any": lambda _: COOKS[:10]}, 24)
    assert measured.outcomes["any"].tolist() == [[0.0, 0.0]]


def test_chance_is_the_share_of_right_postings() -> None:
    answers = [f"{number}" for number in range(30)]
    measured = measure([question("n", *answers)], {}, 100)
    random = np.random.default_rng(0)
    drawn = random.random((20_000, 10)) < 0.3
    first = np.where(drawn.any(axis=1), 1 / (drawn.argmax(axis=1) + 1), 0.0)
    assert measured.outcomes["random"][0] == pytest.approx([0.3, first.mean()], abs=0.01)


def test_groups_count_alike_however_many_questions_they_have() -> None:
    questions = [question("a", "x")] * 3 + [question("b", "none")]
    hits = {"any": lambda _: [Posting(id="x", title="-")]}
    figures = measure(questions, hits, 10).figures("any", PARAMS)
    assert figures["mrr"].value == 0.5


def test_a_gain_is_taken_question_by_question() -> None:
    questions = [question("a", "x"), question("a", "y")]
    one, other = ([Posting(id=name, title="-")] for name in "xy")
    measured = measure(questions, {"one": lambda _: one, "both": lambda _: one + other}, 10)
    assert measured.gains("both", "one", PARAMS)["mrr"].value == 0.25


def test_an_interval_resamples_within_groups() -> None:
    rows = np.array([0.0, 0.0, 1.0, 1.0])
    groups = [np.array([0, 1]), np.array([2, 3])]
    within = bootstrap(rows, lambda drawn: drawn.mean(axis=1), PARAMS, groups)
    across = bootstrap(rows, lambda drawn: drawn.mean(axis=1), PARAMS)
    assert (within.value, within.low, within.high) == (0.5, 0.5, 0.5)
    assert across.low < 0.5 < across.high


def test_resumes_of_a_category_without_postings_ask_nothing() -> None:
    questions = resume_questions(RESUMES, POSTINGS, CATEGORIES)
    assert [each.group for each in questions] == ["Cook", "Nurse"]
    assert questions[0].answers == {posting.id for posting in COOKS}


def test_a_resume_of_our_own_is_answered_by_its_family() -> None:
    own = [{"set": "starter_resumes", "category": "care", "text": "x", "years": 2}]
    postings = [posting.model_copy(update={"family": "care"}) for posting in NURSES] + COOKS
    (asked,) = resume_questions(own, postings, CATEGORIES)
    assert asked.answers == {posting.id for posting in NURSES}


def test_resumes_that_nothing_answers_are_refused() -> None:
    with pytest.raises(MatchingEvaluationError, match="none of the 1 resumes"):
        resume_questions(RESUMES[2:], POSTINGS, CATEGORIES)


def listed(title: str, count: int) -> list[Posting]:
    skills = ("Python", "SQL", "Git")
    return [
        Posting(id=f"{title} {number}", title=title, skills=(*skills, f"Tool {number}"))
        for number in range(count)
    ]


def test_postings_that_ask_by_their_skills_cannot_be_found() -> None:
    words = ("Glazier", "Bridge Engineer", "Tea Taster", "Fog Forecaster", "Sign Painter")
    words += ("Rope Maker", "Wind Analyst", "Sand Tester", "Kite Builder", "Ice Carver")
    postings = [posting for title in words for posting in listed(title, 16)]
    questions, left = title_questions(postings)
    asked = {each.group for each in questions}
    assert asked
    assert all(side_of(f"title {title}") == "test" for title in asked)
    assert len(left) == len(postings) - len(questions)
    ids = {posting.id for posting in left}
    assert all(each.answers and each.answers <= ids for each in questions)
    assert all(len(each.answers) >= 10 for each in questions)
    assert not any(each.group in each.text.lower() for each in questions)


def test_few_postings_of_a_title_ask_nothing() -> None:
    assert title_questions(listed("Glazier", 14)) == ([], listed("Glazier", 14))
    assert ask_by_skills(listed("Glazier", 14), SKILLS, IndexParams()) is None


def test_headline_slices_and_baselines_of_an_index(tmp_path: Path) -> None:
    index = build_index(POSTINGS, SKILLS.matcher, importance, params=IndexParams(min_df=1))
    questions = resume_questions(RESUMES, POSTINGS, CATEGORIES)
    measured = ask(questions, POSTINGS, index, SKILLS)
    scores = pair_scores(index.space, SKILLS.extract, questions, [None, None], POSTINGS)
    figures = figures_of(measured, None, scores, PARAMS)
    headline = {name: each["value"] for name, each in figures["headline"].items()}
    assert headline["precision_at_10"] == 1.0
    assert headline["score_itself"] > headline["score_matched"] > headline["score_unrelated"]
    assert headline["scores_told_apart"] == 1.0
    assert figures["baselines"]["random"]["precision_at_10"]["value"] == 0.5
    assert figures["slices"]["resume/Cook"]["rows"] == 1
    for folder in ("a", "b"):
        write_plots(figures["slices"], tmp_path / folder)
    name = "precision_by_resume.png"
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_plain_ranking_finds_what_shares_words() -> None:
    assert plain_ranking(POSTINGS)("patients of a ward")[0].id.startswith("nurse")


def test_bars_have_the_same_bytes_each_time(tmp_path: Path) -> None:
    figures = [{"value": 0.5, "low": 0.4, "high": 0.6}]
    for name in ("a.png", "b.png"):
        write_bars(tmp_path / name, "title", "share", ["one"], {"x": figures, "y": figures})
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_table_of_categories_is_complete() -> None:
    categories = read_categories(ROOT / "data" / "retrieval" / "categories.yaml")
    assert len(categories) == len({each.category for each in categories}) == 21
    assert np.mean([each.baseline for each in categories]) == pytest.approx(0.572, abs=5e-4)


def test_a_category_without_a_pattern_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "categories.yaml"
    path.write_text("categories: [{category: Cook, prevalence: 0.1, baseline: 0.2}]")
    with pytest.raises(CategoriesError, match="title"):
        read_categories(path)

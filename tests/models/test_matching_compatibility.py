from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.compatibility import LEAST_EXPERIENCE, STUFFING_BOUND, UNRELATED, WEIGHTS
from tests.models.matching_factories import compare, starter_postings, starter_resumes

JOB = """Senior Data Scientist
You build models in Python and explain them to people with little time.
We ask for 5+ years of experience in statistics and a firm grip on Machine Learning."""
RESUME = """Data Scientist
For years I have built models in Python and explained the statistics to directors.
My last machine learning model decides which letters are read first."""


def scores_by_kinship():
    same, other = [], []
    for resume in starter_resumes():
        kin = [
            (job.family, job.role) == (resume["family"], resume["role"])
            for job in starter_postings()
        ]
        strangers = [job for job in starter_postings() if job.family != resume["family"]][::17]
        for posting, related in zip(starter_postings(), kin, strict=True):
            if related:
                same.append(compare(resume["text"], posting.text).score)
        other += [compare(resume["text"], posting.text).score for posting in strangers]
    return same, other


def test_unrelated_pairs_sit_low_and_related_ones_well_above():
    same, other = scores_by_kinship()
    assert median(other) <= 2.0
    assert sorted(other)[int(0.95 * len(other))] <= 15.0
    assert median(same) >= 45.0


@pytest.mark.parametrize("posting", starter_postings()[::38], ids=lambda posting: posting.id)
def test_a_posting_fits_itself_entirely(posting):
    assert compare(posting.text, posting.text).score == pytest.approx(100.0, abs=0.5)


def keyword_list(posting, style):
    words = [*posting.skills, posting.title]
    everything = sorted(set(posting.text.lower().split()))
    return {
        "commas": ", ".join(words),
        "lines": "\n".join(words),
        "run": " ".join(words),
        "every word": " ".join(everything),
        "pasted": posting.text,
        "hidden sentence": f"Keywords that I have: {', '.join(words)}.",
    }[style]


@settings(deadline=None, max_examples=80)
@given(
    resume=st.sampled_from(starter_resumes()),
    posting=st.sampled_from(starter_postings()),
    style=st.sampled_from(["commas", "lines", "run", "every word", "pasted", "hidden sentence"]),
    times=st.sampled_from([1, 2, 20]),
)
def test_appended_keywords_raise_an_unrelated_resume_by_a_bounded_amount(
    resume, posting, style, times
):
    before = compare(resume["text"], posting.text).score
    if before >= UNRELATED or resume["family"] == posting.family:
        return
    stuffed = resume["text"] + f"\n{keyword_list(posting, style)}" * times
    assert compare(stuffed, posting.text).score <= before + STUFFING_BOUND


@pytest.mark.parametrize("resume", starter_resumes()[::4], ids=lambda resume: resume["id"])
def test_saying_everything_three_times_changes_nearly_nothing(resume):
    for posting in starter_postings()[::60]:
        before = compare(resume["text"], posting.text).score
        after = compare("\n".join([resume["text"]] * 3), posting.text).score
        assert after == pytest.approx(before, abs=2.0)


def test_repeating_the_keywords_changes_nothing_once_they_are_listed():
    posting = starter_postings()[0]
    resume = starter_resumes()[14]["text"]
    once = f"{resume}\n{', '.join(posting.skills)}"
    often = once + f"\n{', '.join(posting.skills)}" * 30
    assert compare(often, posting.text).score == compare(once, posting.text).score


@pytest.mark.parametrize("resume", starter_resumes()[::3], ids=lambda resume: resume["id"])
def test_the_order_of_sections_hardly_matters(resume):
    sections = resume["text"].strip().split("\n\n")
    turned = "\n\n".join(reversed(sections))
    for posting in starter_postings()[::60]:
        score = compare(resume["text"], posting.text).score
        assert compare(turned, posting.text).score == pytest.approx(score, abs=3.0)


def test_too_little_experience_lowers_the_score_and_more_than_enough_does_not_raise_it():
    unknown, none, some, enough, plenty = (
        compare(RESUME, JOB, years).score for years in (None, 0, 3, 5, 30)
    )
    assert none < some < enough
    assert enough == plenty == unknown
    assert none == pytest.approx(LEAST_EXPERIENCE * enough, abs=0.1)


def test_the_parts_make_the_score():
    result = compare(RESUME, JOB, 4)
    parts = result.parts
    fit = sum(weight * getattr(parts, name) for name, weight in WEIGHTS.items())
    assert result.score == pytest.approx(100 * fit * parts.experience, abs=0.06)
    assert (parts.years_asked, parts.years) == (5, 4)


def test_a_skill_in_use_counts_more_than_one_that_is_listed():
    bare = "I look after a large garden and write about what grows in it.\n"
    shown = compare(f"{bare}I also wrote a program in Python for the watering.", JOB)
    listed = compare(f"{bare}Python", JOB)
    assert shown.parts.skills > listed.parts.skills > compare(bare, JOB).parts.skills == 0


def test_what_a_job_does_not_say_is_not_judged():
    parts = compare(RESUME, "Somebody kind who can be at our house on most afternoons.").parts
    assert (parts.skills, parts.experience, parts.years_asked) == (None, None, None)


@pytest.mark.parametrize(("resume", "job"), [("", JOB), (RESUME, ""), ("", ""), ("\n\n", "!")])
def test_nothing_fits_nothing(resume, job):
    assert compare(resume, job).score == 0.0

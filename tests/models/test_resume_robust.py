import json
import time
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.resume import parse_resume
from tests.models import resumes_basic
from tests.models.resumes_basic import GERMAN, GROUPED, ONE_LINE_ENTRIES, PIPES, STACKED

TODAY = date(2024, 6, 15)
CHARS = 200_000

FRAGMENTS = sorted(
    {line for case in (GERMAN, GROUPED, PIPES, STACKED) for line in case.text.splitlines()}
    | {"", "   ", "•", "- ", "2019 –", "Present", "Experience", "Skills:", "(", ")", ",", "|", "\t"}
    | {"Jan 2019 – Jan 2018", "PhD", "a@b.co", "+1", "www.", "####", "=====", "\x00", "\ud800"}
)


def parse_and_check(text: str) -> None:
    resume = parse_resume(text, today=TODAY)
    answer = json.dumps(resume.as_dict())
    assert answer
    for position in resume.experience:
        for found in (position.title, position.organisation, *position.bullets):
            if found:
                assert 0 <= found.start < found.end <= len(text)
        assert position.months is None or position.months > 0


@given(st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_text_makes_it_fail(text: str) -> None:
    parse_and_check(text)


@given(
    st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=12), max_size=25),
    st.sampled_from(["\n", "\n\n", " ", "\t", "\r\n", ", ", " | "]),
)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_heap_of_lines_makes_it_fail(lines: list[str], joint: str) -> None:
    parse_and_check(joint.join(lines))


@pytest.mark.parametrize(
    "unit",
    [
        *("a", " ", "\n", "1", "1 ", "(", "- ", "a@", "a.", "•", "–", "É "),
        *(
            "Jan 2019 – ",
            "2019-",
            "London, UK, ",
            "Foo Bar,\n",
            "Experience\n",
            "a | ",
            "http://a.b/",
        ),
        *("+49 221 4567890 ", "References\na@b.co\n", "Skills: a\n", "Xy Zz "),
        "Experience\nEngineer, Acme 2019 - 2020\n",
        "Education\nBSc in Physics, University of Oslo, 2019\n",
        "Certifications\nCrane Licence 2019 | ",
    ],
)
def test_time_grows_no_faster_than_the_text(unit: str) -> None:
    def seconds(chars: int) -> float:
        text = unit * (chars // len(unit))
        best = float("inf")
        for _ in range(2):
            begin = time.process_time()
            parse_resume(text, today=TODAY)
            best = min(best, time.process_time() - begin)
        return best

    parse_resume("warm", today=TODAY)
    # A quadratic step takes 64 times as long for eight times the text.
    assert seconds(CHARS // 8) < 40 * seconds(CHARS // 64) + 0.1


def test_the_longest_text_takes_seconds_at_most() -> None:
    text = (ONE_LINE_ENTRIES.text + GERMAN.text + GROUPED.text) * 200
    begin = time.process_time()
    parse_resume(text[:CHARS], today=TODAY)
    assert time.process_time() - begin < 5.0


def test_only_the_first_lines_are_searched_for_contact_in_a_text_without_headings() -> None:
    text = "Word after word.\n" * 100 + resumes_basic.FRENCH.text.splitlines()[2]
    assert parse_resume(text, today=TODAY).contact.phones == ()

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.resume_dates import find_periods, interval, months_in

TODAY = date(2024, 6, 15)


@pytest.mark.parametrize(
    ("written", "start", "end", "months"),
    [
        ("Jan 2019 – Present", "2019-01", "present", 66),
        ("January 2019 to March 2021", "2019-01", "2021-03", 27),
        ("01/2019 - 03/2021", "2019-01", "2021-03", 27),
        ("2019-01 – 2020-05", "2019-01", "2020-05", 17),
        ("2012 – 2017", "2012", "2017", 60),
        ("2017 –\nPresent", "2017", "present", 90),
        ("2019", "2019", "2019", None),
        ("Summer 2019", "2019-06", "2019-08", 3),
        ("Sept. '19 - Dec '20", "2019-09", "2020-12", 16),
        ("since 2020", "2020", "present", 54),
        ("Seit 03/2020", "2020-03", "present", 52),
        ("Jan 2019 to date", "2019-01", "present", 66),
        ("June 2020 - ongoing", "2020-06", "present", 49),
        ("12/2019 until now", "2019-12", "present", 55),
        ("Dec 2019—current", "2019-12", "present", 55),
        ("Jan – Mar 2019", "2019-01", "2019-03", 3),
        ("Nov – Feb 2020", "2019-11", "2020-02", 4),
        ("15/03/2019 - 02/04/2020", "2019-03", "2020-04", 14),
        ("01.02.2019 bis 31.03.2020", "2019-02", "2020-03", 14),
        ("5th May 2019", "2019-05", "2019-05", 1),
        ("2015-19", "2015", "2019", 48),
        ("2019/20", "2019", "2020", 12),
        ("2010-12", "2010-12", "2010-12", 1),
        ("2010/11 - 2012/03", "2010-11", "2012-03", 17),
        ("03/19 – 05/21", "2019-03", "2021-05", 27),
        ("Jan 19 - Mar 21", "2019-01", "2021-03", 27),
        ("Q3 2020 - Q1 2021", "2020-07", "2021-03", 9),
        ("Apr 1999 - 2001", "1999-04", "2001", 21),
        ("März 2018 – heute", "2018-03", "present", 76),
        ("septembre 2016 à juin 2018", "2016-09", "2018-06", 22),
        ("from 06/2012 to 09/2012", "2012-06", "2012-09", 4),
        ("since 06-2012 until 09-2012", "2012-06", "2012-09", 4),
        ("von 06/2012 bis 09/2012", "2012-06", "2012-09", 4),
        ("enero de 2015 - actualidad", "2015-01", "present", 114),
    ],
)
def test_dates_are_read_in_many_formats(
    written: str, start: str, end: str, months: int | None
) -> None:
    (period,) = find_periods(written, TODAY)
    covered = interval(period, TODAY)
    last = period.last()
    assert (period.first().value, last and last.value) == (start, end)
    assert (covered[1] - covered[0] if covered else None) == months
    assert written[slice(*period.where)] == written


@pytest.mark.parametrize(
    "written", ["2019.5 percent", "1234 5678", "Jan-19", "2099", "$2019", "A2019"]
)
def test_numbers_that_only_look_like_years_are_no_dates(written: str) -> None:
    assert find_periods(written, TODAY) == []


def test_a_day_and_month_that_could_be_swapped_are_not_guessed() -> None:
    (period,) = find_periods("03/04/2019 - 05/06/2020", TODAY)
    assert (period.first().value, period.start.first) == ("2019", None)


def test_the_clear_end_of_a_period_settles_the_other() -> None:
    (period,) = find_periods("03/04/2019 - 25/06/2020", TODAY)
    assert period.first().value == "2019-04"


def test_an_end_before_the_beginning_has_no_length() -> None:
    (period,) = find_periods("May 2020 - Jan 2019", TODAY)
    assert interval(period, TODAY) is None


def test_nothing_lasts_beyond_today() -> None:
    (period,) = find_periods("Jan 2024 - Dec 2030", TODAY)
    assert interval(period, TODAY) == (2024 * 12, 2024 * 12 + 6)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60))))
def test_overlapping_months_count_once(spans: list[tuple[int, int]]) -> None:
    intervals = [(first, first + length) for first, length in spans]
    assert months_in(intervals) == len(
        {m for first, after in intervals for m in range(first, after)}
    )

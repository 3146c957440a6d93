"""The search as people write it, and Adzuna's answer as we read it."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from serving.listings import MAX_RESULTS, LiveQuery, read_answer
from tests.adzuna import APP_ID, found, result


def test_a_listing_says_what_adzuna_says_with_its_link_and_attribution() -> None:
    answered = json.loads(read_answer(found(result(7)).body, page=2).model_dump_json())
    assert answered == {
        "listings": [
            {
                "id": "4000000007",
                "title": "Python Developer 7",
                "company": "Wayne Ltd",
                "location": "London, UK",
                "created": "2026-09-16T10:00:00Z",
                "description": "We need Python and SQL…",
                "url": f"https://www.adzuna.co.uk/jobs/land/ad/7?se=x&utm_source={APP_ID}",
                "category": "IT Jobs",
                "salary_min": 45000.0,
                "salary_max": 60000.5,
                "salary_predicted": True,
                "contract_type": "permanent",
                "contract_time": "full_time",
                "score": None,
            }
        ],
        "count": 1234,
        "page": 2,
        "dropped": 0,
        "attribution": {"text": "Jobs by Adzuna", "url": "https://www.adzuna.co.uk"},
    }


def test_what_a_listing_lacks_is_null() -> None:
    [listing] = read_answer(
        found({"id": 5, "title": "Cook", "company": {"__CLASS__": "x"}}).body, page=1
    ).listings
    said = {name: value for name, value in listing.model_dump().items() if value is not None}
    assert said == {"id": "5", "title": "Cook"}


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("redirect_url", "javascript:alert(1)", "url"),
        ("redirect_url", "https://x.example/\n", "url"),
        ("salary_min", "a lot", "salary_min"),
        ("salary_max", -1, "salary_max"),
        ("salary_is_predicted", "maybe", "salary_predicted"),
        ("created", "yesterday", "created"),
        ("company", "Wayne", "company"),
        ("location", ["London"], "location"),
        ("category", {"label": {}}, "category"),
        ("description", ["x"], "description"),
    ],
)
def test_a_detail_that_makes_no_sense_is_null_and_the_listing_stays(
    field: str, value: object, name: str
) -> None:
    [listing] = read_answer(found(result(1, **{field: value})).body, page=1).listings
    assert getattr(listing, name) is None
    assert listing.title == "Python Developer 1"


def test_numbers_that_are_not_finite_never_reach_the_answer() -> None:
    body = b'{"results": [{"id": "1", "title": "x", "salary_min": NaN, "salary_max": 1e999}]}'
    [listing] = read_answer(body, page=1).listings
    assert (listing.salary_min, listing.salary_max) == (None, None)


def test_a_description_cut_within_a_character_can_still_be_sent() -> None:
    [listing] = read_answer(found(result(1, description="so happy \ud83d")).body, page=1).listings
    assert listing.description == "so happy \ufffd"


def test_results_that_are_none_are_dropped_and_counted_and_the_others_stay() -> None:
    bad = [None, "x", [], {"id": "1"}, {"title": "x"}, result(1, id={}), result(1, title="  ")]
    answered = read_answer(found(*bad, result(9), count="many").body, page=1)
    assert [listing.title for listing in answered.listings] == ["Python Developer 9"]
    assert answered.dropped == len(bad)
    assert answered.count is None


def test_no_more_than_one_page_is_read() -> None:
    answered = read_answer(found(*[result(1)] * (MAX_RESULTS + 9)).body, page=1)
    assert len(answered.listings) == MAX_RESULTS


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"country": "xx"}, "country"),
        ({"country": 5}, "country"),
        ({"what": "x" * 201}, "what"),
        ({"what": 5}, "what"),
        ({"where": "a\0b"}, "where"),
        ({"company": "\ud83d"}, "company"),
        ({"category": "IT Jobs"}, "category"),
        ({"distance": -1}, "distance"),
        ({"page": 0}, "page"),
        ({"page": "../2"}, "page"),
        ({"results_per_page": 51}, "results_per_page"),
        ({"sort_by": "new"}, "sort_by"),
        ({"max_days_old": 0}, "max_days_old"),
        ({"salary_min": "NaN"}, "salary_min"),
        ({"salary_min": 10, "salary_max": 9}, "salary_max"),
        ({"full_time": True, "part_time": True}, "part_time"),
        ({"contract": True, "permanent": True}, "permanent"),
    ],
)
def test_a_search_that_cannot_be_is_refused_by_the_name_of_its_field(
    fields: dict[str, Any], place: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        LiveQuery.model_validate(fields)
    [fault] = caught.value.errors()
    assert fault["loc"] == (place,)


def test_a_form_may_leave_fields_blank_and_write_numbers_as_text() -> None:
    form = {"what": " ", "where": "", "page": "2", "full_time": "true", "salary_min": None}
    assert LiveQuery.model_validate(form) == LiveQuery(page=2, full_time=True)

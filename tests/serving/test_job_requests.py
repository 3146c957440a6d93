"""Reading resumes, job descriptions and wishes from JSON and forms, by the same rules."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from serving.errors import RequestError
from serving.exchange import JSON, URLENCODED, Body
from serving.job_requests import (
    AnalyzeRequest,
    ExtractRequest,
    FiltersRequest,
    GapRequest,
    LiveRequest,
    ParseRequest,
    RecommendRequest,
    read_with_files,
)
from serving.schemas import read_request

CANARY = "canary-7f3a"
LIMITS = {"max_document_chars": 100, "max_job_chars": 50}


def of_json(**content: Any) -> Body:
    return Body(json.dumps(content).encode(), JSON)


def of_form(user_agent: str = "", **options: Any) -> Body:
    request = httpx.Request("POST", "http://test/", **options)
    return Body(request.read(), request.headers["content-type"], user_agent)


def refusal(shape: type[ParseRequest], body: Body) -> RequestError:
    with pytest.raises(RequestError) as caught:
        read_with_files(shape, body, LIMITS)
    assert CANARY not in caught.value.detail
    return caught.value


@pytest.mark.parametrize("text", ["Jane Doe", "12345", "null", '"x"', " \r\n x", "😀 é שלום"])
def test_a_text_is_the_same_from_json_and_from_both_kinds_of_form(text: str) -> None:
    fields = {"text": text, "job_description": "Python"}
    bodies = [
        of_json(**fields),
        of_form(data=fields),
        of_form(files={name: (None, value.encode()) for name, value in fields.items()}),
    ]
    for body in bodies:
        request, uploads = read_with_files(AnalyzeRequest, body, LIMITS)
        assert (request.text, request.job_description) == (text, "Python")
        assert uploads == {}


def test_wishes_are_the_same_from_json_and_from_a_form() -> None:
    filters = {"title": "  Data   Engineer ", "location": "Berlin", "remote": True}
    from_json, _ = read_with_files(
        RecommendRequest, of_json(text="x", top_k=3, filters=filters), LIMITS
    )
    data = {"text": "x", "top_k": "3", "filters": json.dumps(filters)}
    from_form, _ = read_with_files(RecommendRequest, of_form(data=data), LIMITS)
    assert from_json == from_form
    assert from_json.filters == FiltersRequest(
        title="Data Engineer", location="Berlin", remote=True
    )


def test_the_fields_of_bentomls_client_come_out_of_their_quotes() -> None:
    data = {"text": json.dumps("Jane\nDoe"), "job_description": json.dumps("null")}
    body = of_form("BentoML HTTP Client/1.4.39", data=data)
    request, _ = read_with_files(AnalyzeRequest, body, LIMITS)
    assert (request.text, request.job_description) == ("Jane\nDoe", "null")


def test_files_stand_for_texts_and_may_come_beside_empty_fields() -> None:
    body = of_form(
        data={"text": " \r\n", "job_description": ""},
        files={"file": ("a.pdf", b"%PDF"), "job_description_file": ("b.txt", b"Python")},
    )
    request, uploads = read_with_files(AnalyzeRequest, body, LIMITS)
    assert (request.text, request.job_description) == (None, None)
    assert {name: upload.content for name, upload in uploads.items()} == {
        "file": b"%PDF",
        "job_description_file": b"Python",
    }


BAD: dict[str, tuple[type[ParseRequest], Body, int, str, str]] = {
    "neither": (ParseRequest, of_json(), 400, "missing_field", "text is missing"),
    "null": (ParseRequest, of_json(text=None), 400, "missing_field", "text"),
    "empty form": (ParseRequest, Body(b"", URLENCODED), 400, "missing_field", "file"),
    "both": (
        ParseRequest,
        of_form(data={"text": CANARY}, files={"file": ("a", b"x")}),
        400,
        "both_given",
        "text or file",
    ),
    "a path in JSON": (
        ParseRequest,
        of_json(file="/etc/passwd"),
        400,
        "file_not_uploaded",
        "paths and addresses are not opened",
    ),
    "an address in JSON": (
        ParseRequest,
        of_json(text="x", file="http://127.0.0.1/x"),
        400,
        "file_not_uploaded",
        "file must be a file",
    ),
    "an object in JSON": (ParseRequest, of_json(file={"path": "x"}), 400, "file_not_uploaded", ""),
    "a path in a form": (
        ParseRequest,
        Body(urlencode({"file": "/etc/passwd"}).encode(), URLENCODED),
        400,
        "file_not_uploaded",
        "",
    ),
    "empty": (ParseRequest, of_json(text=" \n"), 400, "empty_text", "text is empty"),
    "empty in a form": (ParseRequest, of_form(data={"text": ""}), 400, "empty_text", "text"),
    "NUL": (ParseRequest, of_json(text=f"{CANARY}\0"), 400, "nul_character", "text"),
    "surrogate": (
        ParseRequest,
        Body(b'{"text": "canary-7f3a \\ud83d"}', JSON),
        400,
        "lone_surrogate",
        "text",
    ),
    "a number": (ParseRequest, of_json(text=7), 400, "wrong_type", "text must be a string"),
    "long": (ParseRequest, of_json(text="x" * 101), 413, "text_too_long", "more than 100"),
    "long job": (
        AnalyzeRequest,
        of_json(text="x", job_description="x" * 51),
        413,
        "text_too_long",
        "job_description has more than 50",
    ),
    "no job": (AnalyzeRequest, of_json(text="x"), 400, "missing_field", "job_description"),
    "a file that is not asked for": (
        ParseRequest,
        of_form(data={"text": "x"}, files={"job_description_file": ("a", b"x")}),
        400,
        "wrong_part",
        "file",
    ),
    "no jobs": (RecommendRequest, of_json(text="x", top_k=0), 400, "invalid_value", "top_k: "),
    "many jobs": (RecommendRequest, of_json(text="x", top_k=51), 400, "invalid_value", "50"),
    "half a job": (RecommendRequest, of_json(text="x", top_k=2.5), 400, "invalid_value", "top_k"),
    "a true job": (RecommendRequest, of_json(text="x", top_k=True), 400, "invalid_value", "top_k"),
    "jobs in words": (
        RecommendRequest,
        of_form(data={"text": "x", "top_k": CANARY}),
        400,
        "invalid_json",
        "top_k is not valid JSON",
    ),
    "filters in words": (
        RecommendRequest,
        of_form(data={"text": "x", "filters": CANARY}),
        400,
        "invalid_json",
        "filters is not valid JSON",
    ),
    "an unknown filter": (
        RecommendRequest,
        of_json(text="x", filters={CANARY: "x"}),
        400,
        "unknown_field",
        "filters has an unknown field",
    ),
    "a filter of another type": (
        RecommendRequest,
        of_json(text="x", filters={"remote": "yes"}),
        400,
        "invalid_value",
        "filters.remote: ",
    ),
    "a list of filters": (
        RecommendRequest,
        of_json(text="x", filters=[1]),
        400,
        "invalid_value",
        "",
    ),
    "a deep filter": (
        RecommendRequest,
        of_form(data={"text": "x", "filters": "[" * 100_000}),
        400,
        "invalid_json",
        "filters is nested too deeply",
    ),
    "one filter twice": (
        RecommendRequest,
        of_form(data={"text": "x", "filters": '{"title": "a", "title": "b"}'}),
        400,
        "duplicate_key",
        "",
    ),
    "a control character": (
        RecommendRequest,
        of_json(text="x", filters={"title": f"{CANARY}\0"}),
        400,
        "control_character",
        "filters.title",
    ),
}


@pytest.mark.parametrize(("shape", "body", "status", "code", "words"), BAD.values(), ids=BAD)
def test_a_request_that_breaks_a_rule_is_refused_by_its_place_and_without_an_echo(
    shape: type[ParseRequest], body: Body, status: int, code: str, words: str
) -> None:
    found = refusal(shape, body)
    assert (found.status, found.code) == (status, code)
    assert words in found.detail


def test_texts_have_their_own_limits_where_only_json_is_taken() -> None:
    body = of_json(text="x" * 100, job_description="y" * 50).content
    assert read_request(GapRequest, body, **LIMITS).job_description == "y" * 50
    with pytest.raises(RequestError, match="text is missing"):
        read_request(ExtractRequest, b"{}", **LIMITS)
    assert len(read_request(ExtractRequest, of_json(text="x" * 200_000).content).text) == 200_000


@pytest.mark.parametrize(
    ("search", "place"),
    [
        ({"country": CANARY}, "country: "),
        ({"page": 0}, "page: "),
        ({"what": f"{CANARY}\0"}, "what holds a control character"),
        ({"full_time": True, "part_time": True}, "part_time cannot be asked together"),
        ({"salary_min": 2, "salary_max": 1}, "salary_max is below salary_min"),
        ({"category": CANARY.upper()}, "category: "),
        ({"text": "x" * 101}, "text has more than 100 characters"),
    ],
)
def test_a_search_that_breaks_a_rule_is_refused_by_its_place(
    search: dict[str, Any], place: str
) -> None:
    with pytest.raises(RequestError) as caught:
        read_request(LiveRequest, of_json(**search).content, **LIMITS)
    assert caught.value.detail.startswith(place)
    assert CANARY not in caught.value.detail.lower()

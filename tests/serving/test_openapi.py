"""The description of the API: complete, valid, and true of the service that gives it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi import definitions

from serving.openapi_errors import ERRORS
from tests.factories import ROOT
from tests.serving.conftest import InProcess

JSON = "application/json"
UNKNOWN = {"not_found", "method_not_allowed"}
HEADS = {"head_too_slow", "head_too_large"}
UNLISTED = {"/", "/docs.json", "/schema.json"}


@pytest.fixture(scope="module")
def document(service: InProcess) -> Any:
    return service.request("GET", "/docs.json").json()


def operations(document: Any) -> dict[tuple[str, str], Any]:
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def faults(document: Any, schema: Any, example: Any) -> list[str]:
    """Return how an example breaks a schema of the document."""
    whole = schema | {"components": document["components"]}
    return [fault.message for fault in Draft202012Validator(whole).iter_errors(example)]


def test_it_is_openapi_with_sound_schemas(document: Any) -> None:
    assert [str(fault) for fault in definitions.OPENAPI_31_VALIDATOR.iter_errors(document)] == []
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)):
        assert name in document["components"]["schemas"]
    assert "http" not in json.dumps(document["info"])


def test_every_route_is_in_it_with_a_name_a_tag_and_a_sentence(
    document: Any, service: InProcess
) -> None:
    routes = {
        (method, path)
        for path, methods in service.module.ROUTES.items()
        for method in methods
        if path not in UNLISTED
    }
    assert set(operations(document)) == routes
    tags = {tag["name"] for tag in document["tags"]}
    names = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(names)) == len(names)
    for operation in operations(document).values():
        assert operation["summary"].endswith((".", "!"))
        assert operation["description"]
        assert set(operation["tags"]) <= tags


def test_requests_and_answers_have_examples_that_fit_their_schemas(document: Any) -> None:
    for (_, path), operation in operations(document).items():
        contents = [response["content"] for response in operation["responses"].values()]
        if "requestBody" in operation:
            contents.append(operation["requestBody"]["content"])
        for media in (media for content in contents for media in content.values()):
            shown = [each["value"] for each in media.get("examples", {}).values()]
            shown = shown or [media["example"]]
            for example in shown:
                assert faults(document, media["schema"], example) == [], path


def test_the_examples_of_requests_are_answered_in_the_shape_of_the_answers(
    document: Any, service: InProcess
) -> None:
    asked = 0
    for (method, path), operation in operations(document).items():
        if path == "/jobs/live" or "requestBody" not in operation:
            continue  # the one asks Adzuna, the others ask nothing
        for media_type, media in operation["requestBody"]["content"].items():
            options: dict[str, Any] = {"json": media["example"]}
            if media_type != JSON:
                fields = {name: _as_field(value) for name, value in media["example"].items()}
                options = {"data": fields}
                if media_type == "multipart/form-data":
                    options = {"files": {name: (None, value) for name, value in fields.items()}}
            answered = service.request(method, path, **options)
            assert answered.status_code == 200, (path, media_type, answered.text)
            success = operation["responses"]["200"]["content"][JSON]
            assert faults(document, success["schema"], answered.json()) == []
            assert _shape(answered.json()) == _shape(success["example"])
            asked += 1
    assert asked >= 15


def _as_field(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _shape(answer: Any) -> Any:
    """Return the names of an answer's fields, and of those below; a list is as its first item."""
    if isinstance(answer, dict):
        return {name: _shape(value) for name, value in answer.items() if name != "spans"}
    return None


def test_every_status_says_its_codes_each_with_an_example(document: Any) -> None:
    for (_, path), operation in operations(document).items():
        assert "500" in operation["responses"]
        for status, response in operation["responses"].items():
            assert "X-Request-Id" in response["headers"]
            if status == "200":
                continue
            assert ("Retry-After" in response["headers"]) == (status in ("429", "503")), path
            media = response["content"][JSON]
            assert media["schema"]["$ref"].endswith("/ErrorAnswer")
            codes = media["schema"]["properties"]["error"]["enum"]
            assert [shown["value"]["error"] for shown in media["examples"].values()] == codes
            assert set(codes) <= set(ERRORS[int(status)])
            assert response["description"]


def test_every_route_says_which_key_it_needs(document: Any, service: InProcess) -> None:
    for (method, path), operation in operations(document).items():
        scope = service.module.ROUTES[path][method].scope
        asked = [next(iter(way.values())) for way in operation["security"]]
        assert asked == {None: [], "any": [[], []]}.get(scope, [[scope], [scope]])
        codes = json.dumps([operation["responses"].get(status) for status in ("401", "403")])
        assert ("missing_key" in codes) == (scope is not None)
        assert ("missing_scope" in codes) == (scope not in (None, "any"))


def test_every_code_is_of_one_status_and_of_some_route(document: Any) -> None:
    codes = [code for sentences in ERRORS.values() for code in sentences]
    assert len(set(codes)) == len(codes)
    used = {
        code
        for operation in operations(document).values()
        for status, response in operation["responses"].items()
        if status != "200"
        for code in response["content"][JSON]["schema"]["properties"]["error"]["enum"]
    }
    assert used == set(codes)


def test_the_page_for_people_has_the_same_codes() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    table = page.partition("| status | code |")[2].partition("\n\n")[0]
    told: dict[int, set[str]] = {}
    for row in table.splitlines()[2:]:
        statuses, codes = row.strip("|").split("|")
        for status in map(int, statuses.split(",")):
            told[status] = set(re.findall(r"`(\w+)`", codes))
    told[400].remove("malformed_request")
    told[403].remove("origin_not_allowed")  # to a browser's question, which is no operation
    elsewhere = {404: UNKNOWN, 405: UNKNOWN, 408: HEADS, 431: HEADS}
    assert told == {status: set(codes) for status, codes in ERRORS.items()} | elsewhere


def test_no_code_of_the_service_is_left_out() -> None:
    """Whatever looks like the code of a refusal in the source is in the table."""
    table = {code for sentences in ERRORS.values() for code in sentences}
    table |= UNKNOWN | {"origin_not_allowed"}
    # Of classes whose every use names its own.
    table |= {"invalid_input", "unreadable_document", "listings_unavailable", "forbidden"}
    for source in Path(ROOT / "serving").rglob("*.py"):
        text = source.read_text(encoding="utf-8")
        found = re.findall(r'^\s+code = "(\w+)"', text, re.MULTILINE)
        found += re.findall(r'Error, "([a-z_]+)"', text)
        found += re.findall(r'PydanticCustomError\(\s*"([a-z_]+)"', text) * (
            source.name in ("schemas.py", "listings.py")  # what settings say ends at the start
        )
        assert set(found) <= table, source.name


def test_forms_have_their_files_and_json_has_not(document: Any) -> None:
    schemas = document["components"]["schemas"]
    for path, parts in [
        ("/resume/parse", {"file"}),
        ("/resume/analyze", {"file", "job_description_file"}),
        ("/jobs/recommend", {"file"}),
    ]:
        content = document["paths"][path]["post"]["requestBody"]["content"]
        shapes = {
            media_type: schemas[taken["schema"]["$ref"].rpartition("/")[2]]["properties"]
            for media_type, taken in content.items()
        }
        form = shapes.pop("multipart/form-data")
        assert {name for name in form if form[name].get("format") == "binary"} == parts
        assert set(shapes) == {JSON, "application/x-www-form-urlencoded"}
        assert all(parts.isdisjoint(fields) and "text" in fields for fields in shapes.values())


def test_a_form_takes_each_text_as_itself_or_as_a_file(document: Any) -> None:
    form = {"$ref": "#/components/schemas/AnalyzeForm"}
    for taken in (
        {"text": "a", "job_description": "b"},
        {"file": "a", "job_description": "b"},
        {"file": "a", "job_description_file": "b"},
    ):
        assert faults(document, form, taken) == []
    for refused in ({"text": "a"}, {"text": "a", "file": "a", "job_description": "b"}):
        assert faults(document, form, refused)

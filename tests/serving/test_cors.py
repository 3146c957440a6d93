"""Pages of other origins: those of the list may call, and read the answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving.guarded import Guarded, guarded, make_key

ORIGIN = "https://jobs.example"
ASKED = {"access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Guarded]:
    make_key(tmp_path / "keys.json")
    origins = f"{ORIGIN}, http://localhost:5173"
    with guarded(keys_file=tmp_path / "keys.json", cors_origins=origins) as front:
        yield front


def test_a_browser_that_asks_is_answered_without_a_key(front: Guarded) -> None:
    answered = front("OPTIONS", "/models", headers={"origin": ORIGIN} | ASKED)
    assert answered.status_code == 200
    assert answered.headers["access-control-allow-origin"] == ORIGIN
    assert answered.headers["access-control-allow-methods"] == "GET, POST"
    assert "authorization" in answered.headers["access-control-allow-headers"]
    assert answered.headers["vary"] == "origin"
    assert "access-control-allow-credentials" not in answered.headers


def test_answers_and_errors_can_be_read_by_the_page(front: Guarded) -> None:
    answered = front.moderate(headers={"origin": ORIGIN})
    assert answered.status_code == 401
    assert answered.headers["access-control-allow-origin"] == ORIGIN
    assert "ratelimit" in answered.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{ORIGIN}.evil.example", "*"])
def test_no_other_page_may(front: Guarded, origin: str) -> None:
    asked = front("OPTIONS", "/moderate", headers={"origin": origin} | ASKED)
    assert (asked.status_code, asked.json()["error"]) == (403, "origin_not_allowed")
    for answered in (asked, front.moderate(headers={"origin": origin})):
        assert "access-control-allow-origin" not in answered.headers
        assert answered.headers["vary"] == "origin"


def test_an_unknown_path_and_a_bare_options_are_as_ever(front: Guarded) -> None:
    assert front("OPTIONS", "/nope", headers={"origin": ORIGIN} | ASKED).status_code == 404
    assert front("OPTIONS", "/moderate").status_code == 405


def test_without_origins_nothing_is_said() -> None:
    with guarded() as front:
        assert front("OPTIONS", "/moderate", headers={"origin": ORIGIN} | ASKED).status_code == 405
        assert "vary" not in front.moderate(headers={"origin": ORIGIN}).headers

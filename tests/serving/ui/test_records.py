"""What is on record of a model, as the page shows it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from serving.ui.models import show_models, show_records
from serving.ui.records import age
from tests.factories import ROOT

EXAMPLES = json.loads((ROOT / "serving" / "examples.json").read_text(encoding="utf-8"))
NOW = datetime(2026, 11, 26, 2, 40, 12, tzinfo=UTC)


def records(**changes: Any) -> dict[str, Any]:
    """Return an answer of GET /models/record with parts of its model changed."""
    answer = json.loads(json.dumps(EXAMPLES["/models/record"]["answer"]))
    answer["models"][0] |= changes
    return answer


def test_versions_figures_curves_and_decisions_are_shown() -> None:
    shown = show_records(records(), NOW)
    for said in (
        "Spam v3, MCC 0.957 [0.921, 0.985]",
        "challenger",
        "2 days ago",
        "ROC: champion v3 from 0.00 to 1.00",
        "v4 may not replace v3",
        "1 better and 3 worse",
        "4,132 messages, 12 flagged otherwise",
        "v2 to v3",
        "41 checks passed",
        "Ok, written 2026-11-25 09:00",
    ):
        assert said in shown, said
    assert shown.count("<polyline") == 2  # of both versions in the one curve there is


def test_what_is_not_there_is_told_and_nothing_breaks() -> None:
    bare = records(versions=[], promotions=[], comparison=None, shadow=None, notes=["hub is away"])
    shown = show_records(bare | {"drift": None}, NOW)
    assert "Spam, no version" in shown
    assert "No figures are in the bundle" in shown
    assert "hub is away" in shown
    assert shown.count("CAREERLENS_REPORTS says where") == 2


def test_an_old_bundle_without_curves_shows_its_figures() -> None:
    whole = records()
    for version in whole["models"][0]["versions"]:
        version["evaluation"] |= {"curves": None, "confusion": None}
    shown = show_records(whole, NOW)
    assert "<svg" not in shown
    assert "0.957 [0.921, 0.985]" in shown


def test_words_of_others_are_text() -> None:
    hostile = "<img src=x onerror=alert(1)>\n\n# a"
    whole = records()
    record = whole["models"][0]
    record["promotions"][0] |= {"who": hostile, "forced": hostile}
    record["notes"] = [hostile]
    record["versions"][0] |= {"version": hostile, "created": hostile}
    shown = show_records(whole, NOW)
    assert "<img" not in shown
    assert "\n" not in shown


def test_models_that_do_not_answer_say_why() -> None:
    answer = json.loads(json.dumps(EXAMPLES["/models"]["answer"]))
    answer["models"][0] |= {"version": None, "digest": None, "commit": None, "loaded_at": None}
    answer["models"][0]["error"] = "no such repository"
    assert "careerlens-spam: no such repository" in show_models(answer, NOW)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("2026-11-26T02:39:12+00:00", "1 min ago"),
        ("2026-11-25T22:40:12+00:00", "4 h ago"),
        ("2026-11-20T02:40:12+00:00", "6 days ago"),
        ("yesterday", "yesterday"),
        ("2026-11-20T02:40:12", "2026-11-20T02:40:12"),
        (None, ""),
    ],
)
def test_an_age_is_said_in_the_unit_that_fits(when: str | None, said: str) -> None:
    assert age(when, NOW) == said

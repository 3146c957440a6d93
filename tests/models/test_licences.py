from pathlib import Path

import pytest
import yaml

from models.licences import obstacle, obstacles
from models.manifest import Source


@pytest.mark.parametrize(
    "licence",
    [
        "Apache-2.0 (written for this project)",
        "CC BY 4.0 (a corpus of messages)",
        "CC0 (test rows; Wikipedia text CC BY-SA 3.0)",
        "CC-BY-SA-4.0",
        "MIT",
        "Public domain",
        "European Commission reuse with attribution (ESCO 1.2.0)",
        "Open Government Licence v3.0",
        "CC BY 4.0 (sentences of research articles)",
    ],
)
def test_what_anybody_may_pass_on_is_no_obstacle(licence: str) -> None:
    assert obstacle(licence) is None


@pytest.mark.parametrize(
    ("licence", "reason"),
    [
        ("research use (a shared task)", "research use"),
        ("CC BY 4.0, for research only", "for research"),
        ("unstated (public set); use, do not redistribute", "unstated"),
        ("MIT, but do not redistribute the texts", "do not redistribute"),
        ("MIT, but DO NOT\n  Redistribute", "DO NOT Redistribute"),
        ("may not be distributed", "may not be distributed"),
        ("CC BY-NC 4.0", "NC"),
        ("CC-BY-ND-4.0", "ND"),
        ("Creative Commons Attribution, non-commercial", "non-commercial"),
        ("CC BY 4.0 (as remembered, not verified)", "not verified"),
        ("proprietary", "proprietary"),
        ("© 2020 somebody. All rights reserved.", "All rights reserved"),
    ],
)
def test_a_word_that_forbids_it_outweighs_every_other(licence: str, reason: str) -> None:
    assert obstacle(licence) == f"says “{reason}”"


@pytest.mark.parametrize("licence", ["", "see website", "free", "permitted by ann", "mitigated"])
def test_what_is_not_known_to_allow_it_forbids_it(licence: str) -> None:
    assert "no licence known to allow it" in str(obstacle(licence))


def test_each_source_that_stands_against_it_is_named() -> None:
    sources = {
        "open": Source(licence="MIT", files={}),
        "closed": Source(licence="research use", files={}),
        "unsaid": Source(licence="ask", files={}),
    }
    assert obstacles(sources) == {
        "closed": "says “research use”",
        "unsaid": "“ask” is no licence known to allow it",
    }


def test_of_the_sources_of_this_project_those_that_forbid_it_are_told_apart() -> None:
    text = (Path(__file__).parents[2] / "data" / "sources.yaml").read_text(encoding="utf-8")
    licences = [source["licence"] for source in yaml.safe_load(text)["sources"].values()]
    forbidding = {licence for licence in licences if obstacle(licence) is not None}
    marks = ("research use", "do not redistribute", "not verified", "not to be published")
    assert forbidding == {licence for licence in licences if any(mark in licence for mark in marks)}
    assert forbidding
    assert len(forbidding) < len(set(licences))

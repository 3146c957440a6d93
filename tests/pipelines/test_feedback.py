"""What `python -m serving.feedback export` writes is what the pipeline reads."""

import json
from pathlib import Path

import pandas as pd
import pytest

from models.licences import obstacle
from models.params import load_params
from pipelines.raw_files import read_raw
from pipelines.readers import CATEGORIES, read_feedback
from pipelines.sources import FEEDBACK, RawIndex, load_catalogue
from pipelines.validate_raw import check_raw
from serving.feedback.decisions import Decision, Standing
from serving.feedback.export import export
from serving.feedback.store import Entry
from tests.factories import ROOT

PARAMS = load_params(ROOT / "params.yaml").clean
UNKNOWN = float("nan")


def entry(kind: str, text: str, label: bool, **categories: bool) -> Entry:
    standing = Standing("approved", label, categories)
    decisions: tuple[Decision, ...] = ()
    return Entry("ab" * 16, "0" * 64, text, kind, decisions, standing)  # type: ignore[arg-type]


ENTRIES = [
    entry("spam", "buy\r\nnow\u2028or \U0001f600 “never”", True),
    entry("spam", "good morning", False),
    entry("toxicity", "you fool", True, insult=True, threat=False),
    entry("toxicity", "you there", False),
]


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    export(ENTRIES, tmp_path / "feedback" / "feedback.jsonl")
    return tmp_path / "feedback"


def index() -> RawIndex:
    catalogue = load_catalogue(ROOT / "data" / "sources.yaml")
    source = catalogue.sources[FEEDBACK]
    facts = {"role": "train", "sha256": "0" * 64, "bytes": 1}
    brought = {
        "task": source.task,
        "licence": source.licence,
        "reader": source.reader,
        "files": {"feedback.jsonl": facts},
    }
    return RawIndex.model_validate(
        {
            "corpus": "starter",
            "order": [FEEDBACK],
            "sources": {FEEDBACK: brought},
            "left_out": {},
            "reserved": None,
        }
    )


def failing(folder: Path) -> set[str]:
    verdicts = check_raw(
        index(), folder.parent, ROOT / "data" / "expectations" / "raw", folder.parent / "docs"
    )
    return {failure.column for verdict in verdicts for failure in verdict.failures}


def test_every_row_is_read_as_it_was_decided(exported: Path) -> None:
    rows = read_feedback(read_raw("feedback", exported), PARAMS)
    assert rows[["text", "task", "label"]].values.tolist() == [
        [each.text, each.kind, int(bool(each.standing.label))] for each in ENTRIES
    ]
    toxic, clean = rows.iloc[2], rows.iloc[3]
    expected = pd.Series({"insult": 1.0, "threat": 0.0, "obscene": UNKNOWN})
    assert toxic[list(expected.index)].astype(float).equals(expected)
    assert clean[list(CATEGORIES)].tolist() == [0.0] * 4


def test_corrections_of_one_kind_alone_are_read_too(tmp_path: Path) -> None:
    export(ENTRIES[:2], tmp_path / "feedback.jsonl")
    rows = read_feedback(read_raw("feedback", tmp_path), PARAMS)
    assert rows["task"].tolist() == ["spam", "spam"]


def test_what_is_exported_meets_its_suite(exported: Path) -> None:
    assert failing(exported) == set()


@pytest.mark.parametrize(
    ("field", "value"),
    [("version", 2), ("kind", "skills"), ("label", 3), ("insult", 0.5), ("id", "7"), ("text", "")],
)
def test_what_is_not_as_this_release_writes_it_stops_the_pipeline_by_its_column(
    exported: Path, field: str, value: object
) -> None:
    file = exported / "feedback.jsonl"
    lines = [json.loads(line) for line in file.read_text().split("\n") if line]
    lines[0][field] = value
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert failing(exported) == {field}


def test_what_learnt_from_users_messages_may_not_be_published() -> None:
    licence = load_catalogue(ROOT / "data" / "sources.yaml").sources[FEEDBACK].licence
    assert obstacle(licence)

"""A corrupted table stops the DAG, and the message names what is wrong with it."""

import dataclasses
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from pipelines.expectations import (
    CleanSuite,
    ExpectationsError,
    Figures,
    RawSuite,
    load_raw_suites,
    measure,
)
from pipelines.raw_files import read_raw
from pipelines.sources import RawIndex, RawSource
from pipelines.validate import (
    Table,
    Verdict,
    as_report,
    conclude,
    failure_table,
    validate,
)
from pipelines.validate_clean import clean_tables
from pipelines.validate_raw import check_raw, raw_table
from tests.factories import ROOT

MIRROR = Path(os.environ.get("DATA_MIRROR") or ROOT.parent / "shared" / "datasets")
EXPECTATIONS = ROOT / "data" / "expectations" / "raw"

SUITE = RawSuite.model_validate(
    {
        "columns": ["kind", "text"],
        "filled": ["kind", "text"],
        "labels": {"kind": ["ham", "spam"]},
        "texts": {"text": [2, 60]},
        "unique": ["text"],
        "tolerance": {"rows": 0.1, "share": 0.1, "mojibake": 0.01, "distinct": 0.0},
    }
)
GOOD = pd.DataFrame(
    {
        "kind": ["spam" if number % 4 == 0 else "ham" for number in range(40)],
        "text": [f"message number {number} for the café" for number in range(40)],
    }
)
FIGURES = measure(GOOD, SUITE)

Spoil = Callable[[pd.DataFrame], pd.DataFrame]
SPOILT: dict[str, tuple[Spoil, str, str]] = {
    "a column renamed": (
        lambda frame: frame.rename(columns={"kind": "label"}),
        "expect_table_columns_to_match_ordered_list",
        "",
    ),
    "a third label": (
        lambda frame: frame.assign(kind=frame["kind"].replace("spam", "maybe")),
        "expect_column_values_to_be_in_set",
        "kind",
    ),
    "half the rows gone": (
        lambda frame: frame.head(20),
        "expect_table_row_count_to_be_between",
        "",
    ),
    "another encoding": (
        lambda frame: frame.assign(text=[text.encode().decode("cp1252") for text in frame["text"]]),
        "expect_column_values_to_not_match_regex",
        "text",
    ),
    "empty cells": (
        lambda frame: frame.assign(text=frame["text"].where(frame.index > 3, "")),
        "expect_column_values_to_not_be_null",
        "text",
    ),
    "a text too long": (
        lambda frame: frame.assign(text=frame["text"].where(frame.index > 0, "x" * 61)),
        "expect_column_value_lengths_to_be_between",
        "text",
    ),
    "a repeated text": (
        lambda frame: frame.assign(text=frame["text"].where(frame.index > 1, "the same")),
        "expect_column_values_to_be_unique",
        "text",
    ),
    "another class balance": (
        lambda frame: frame.assign(kind="ham"),
        "expect_column_values_to_not_be_in_set",
        "kind",
    ),
    "a NUL character": (
        lambda frame: frame.assign(text=frame["text"].where(frame.index > 0, "nul \0 here")),
        "expect_column_values_to_not_match_regex",
        "text",
    ),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    """The good table and every spoilt one, validated in one go: a context costs a second."""
    tables: list[Table] = [raw_table("good", GOOD, SUITE, FIGURES)]
    for name, (spoil, _, _) in SPOILT.items():
        tables.append(raw_table(name, spoil(GOOD), SUITE, FIGURES))
    docs = tmp_path_factory.mktemp("docs") / "raw"
    return {verdict.table: verdict for verdict in validate(tables, docs)}


def test_the_data_of_the_baseline_passes(verdicts: dict[str, Verdict]) -> None:
    assert verdicts["good"].failures == ()


@pytest.mark.parametrize("name", SPOILT)
def test_a_corrupted_table_fails_the_expectation_about_it(
    verdicts: dict[str, Verdict], name: str
) -> None:
    _, expectation, column = SPOILT[name]
    failed = {(failure.expectation, failure.column) for failure in verdicts[name].failures}
    assert (expectation, column) in failed


def test_nothing_is_asked_about_a_column_that_is_not_there(tmp_path: Path) -> None:
    renamed = GOOD.rename(columns={"kind": "label"})
    docs = tmp_path / "docs"
    [verdict] = validate([raw_table("renamed", renamed, SUITE, FIGURES)], docs)
    (failure,) = verdict.failures
    assert failure.expectation == "expect_table_columns_to_match_ordered_list"
    assert failure.found == "label, text"
    pages = "".join(page.read_text(encoding="utf-8") for page in docs.rglob("*.html"))
    assert "does not exist" not in pages


def test_the_failure_table_tells_where_how_many_and_shows_examples(
    verdicts: dict[str, Verdict],
) -> None:
    table = failure_table([verdicts["a third label"], verdicts["half the rows gone"]])
    heading, *lines = table.splitlines()
    assert heading.split() == ["table", "expectation", "column", "rows", "wanted", "found"]
    (third,) = [line for line in lines if "column_values_to_be_in_set" in line]
    assert "a third label" in third
    assert "10 of 40" in third
    assert "maybe" in third
    assert any("half the rows gone" in line and "37 to 44 rows" in line for line in lines)


def test_examples_are_cut_short(tmp_path: Path) -> None:
    long = GOOD.assign(text=GOOD["text"] + "x" * 500)
    [verdict] = validate([raw_table("long", long, SUITE, FIGURES)], tmp_path / "docs")
    (failure,) = [f for f in verdict.failures if "lengths" in f.expectation]
    assert failure.broken == failure.of == 40
    assert 1 <= len(failure.examples) <= 3
    assert all(len(example) <= 60 for example in failure.examples)


def test_a_failure_stops_the_stage_and_leaves_the_report(
    verdicts: dict[str, Verdict], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    with pytest.raises(SystemExit) as stop:
        conclude("validate_raw", [verdicts["a third label"]], report, tmp_path)
    assert stop.value.code == 1
    assert "a third label" in capsys.readouterr().err
    content = json.loads(report.read_text())
    assert content["passed"] is False
    assert content["tables"]["a third label"]["failures"][0]["column"] == "kind"


def test_the_report_of_good_data_passes_and_has_the_same_bytes(
    verdicts: dict[str, Verdict], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        conclude("validate_raw", [verdicts["good"]], tmp_path / name, tmp_path)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert as_report([verdicts["good"]])["passed"] is True


def test_data_docs_load_nothing_from_anywhere(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    validate([raw_table("good", GOOD, SUITE, FIGURES)], docs)
    pages = list(docs.rglob("*.html"))
    assert len(pages) >= 2
    for page in pages:
        content = page.read_text(encoding="utf-8")
        assert "<script" not in content
        assert "<link" not in content
        assert "Content-Security-Policy" in content


def write_source(raw: Path, name: str, files: dict[str, bytes]) -> RawIndex:
    """Put the files of one source into ``raw`` and return the index that ingest would write."""
    (raw / name).mkdir(parents=True)
    for file, content in files.items():
        (raw / name / file).write_bytes(content)
    entry = RawSource.model_validate(
        {
            "task": "spam",
            "licence": "test",
            "reader": name,
            "files": {
                file: {"role": "train", "sha256": "0" * 64, "bytes": len(content)}
                for file, content in files.items()
            },
        }
    )
    return RawIndex(
        corpus="public", order=(name,), sources={name: entry}, left_out={}, reserved=None
    )


def flip_labels(file: str, content: bytes) -> bytes:
    flips = {
        "spam.csv": (b"\nham,", b"\nmaybe,"),
        "train_labels.txt": (b"1\n", b"2\n"),
        "val_labels.txt": (b"1\n", b"2\n"),
        "test.csv": (b",1\n", b",2\n"),
        "messages.csv": (b",1,0,", b",maybe,0,"),
    }
    return content.replace(*flips[file]) if file in flips else content


def drop_half(file: str, content: bytes) -> bytes:  # noqa: ARG001
    lines = content.split(b"\n")
    return b"\n".join(lines[: len(lines) // 2]) + b"\n"


def to_utf16(file: str, content: bytes) -> bytes:  # noqa: ARG001
    return content.decode("latin-1").encode("utf-16")


def rename_column(file: str, content: bytes) -> bytes:  # noqa: ARG001
    head, _, rest = content.partition(b"\n")
    return b"renamed_" + head + b"\n" + rest


CORRUPTIONS = {
    "labels flipped": flip_labels,
    "half the rows gone": drop_half,
    "other bytes": to_utf16,
    "column renamed": rename_column,
}
SOURCES = {
    "starter": ("messages.csv",),
    "sms_spam_collection": ("spam.csv",),
    "jigsaw_balanced": ("test.csv",),
    "tweeteval_offensive": ("train_text.txt", "train_labels.txt", "val_text.txt", "val_labels.txt"),
}
# Files without a header have no column to rename.
CASES = [
    (source, corruption)
    for source in SOURCES
    for corruption in CORRUPTIONS
    if corruption != "column renamed" or source in ("starter", "sms_spam_collection")
]


def real_files(source: str) -> dict[str, bytes]:
    folder = ROOT / "data" / "starter" if source == "starter" else MIRROR / source
    if not folder.is_dir():
        pytest.skip("the mirror of the public datasets is not here")
    return {file: (folder / file).read_bytes() for file in SOURCES[source]}


@pytest.mark.parametrize("source", SOURCES)
def test_a_real_source_passes_as_it_is(source: str, tmp_path: Path) -> None:
    index = write_source(tmp_path / "raw", source, real_files(source))
    verdicts = check_raw(index, tmp_path / "raw", EXPECTATIONS, tmp_path / "docs")
    assert failure_table(verdicts).count("\n") == 0, failure_table(verdicts)


@pytest.mark.parametrize(("source", "corruption"), CASES)
def test_a_corrupted_real_source_is_named(source: str, corruption: str, tmp_path: Path) -> None:
    corrupt = CORRUPTIONS[corruption]
    files = {file: corrupt(file, content) for file, content in real_files(source).items()}
    index = write_source(tmp_path / "raw", source, files)
    verdicts = check_raw(index, tmp_path / "raw", EXPECTATIONS, tmp_path / "docs")
    failed = [verdict for verdict in verdicts if verdict.failures]
    assert failed
    assert all(verdict.table.startswith(source) for verdict in failed)
    table = failure_table(verdicts)
    assert any(file in table for file in files)


def test_utf8_read_as_cp1252_raises_the_share_of_mojibake(tmp_path: Path) -> None:
    [frame] = read_raw("starter", ROOT / "data" / "starter").values()
    [suite] = load_raw_suites(EXPECTATIONS / "starter.yaml").values()
    garbled = frame.assign(
        text=[text.encode().decode("cp1252", "replace") for text in frame["text"]]
    )
    [verdict] = validate([raw_table("t", garbled, suite, measure(frame, suite))], tmp_path / "d")
    assert any("mojibake" in failure.wanted for failure in verdict.failures)


def test_a_missing_suite_or_a_wrong_one_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ExpectationsError, match=r"absent\.yaml"):
        load_raw_suites(tmp_path / "absent.yaml")
    (tmp_path / "wrong.yaml").write_text("messages.csv: {colunms: [text]}\n")
    with pytest.raises(ExpectationsError, match=r"wrong\.yaml"):
        load_raw_suites(tmp_path / "wrong.yaml")


CLEAN_SUITE = CleanSuite.model_validate(
    {
        "columns": ["text", "label", "source"],
        "types": {"label": "int8"},
        "filled": ["text", "label", "source"],
        "labels": {"label": [0, 1]},
        "texts": {"text": [2, 60]},
        "unique": ["text"],
        "part": "source",
        "tolerance": {"others": {"rows": 0.1, "share": 0.1, "mojibake": 0.01, "distinct": 0.0}},
    }
)
CLEAN = pd.DataFrame(
    {
        "text": [f"clean message {number}" for number in range(60)],
        "label": pd.array([number % 2 for number in range(60)]).astype("int8"),
        "source": ["one" if number < 40 else "two" for number in range(60)],
    }
)
BASELINE = {name: measure(rows, CLEAN_SUITE) for name, rows in CLEAN.groupby("source")}


def check_clean(
    frame: pd.DataFrame,
    docs: Path,
    parts: Iterable[str] = ("one", "two"),
    *,
    baseline: dict[str, Figures] = BASELINE,
    sample: int | None = None,
    complete: bool = True,
) -> set[str]:
    """Return "table: expectation" for each failure."""
    tables: Iterator[Table] = clean_tables(
        "spam", frame, CLEAN_SUITE, baseline, parts, sample=sample, complete=complete
    )
    return {
        f"{verdict.table}: {failure.expectation}"
        for verdict in validate(tables, docs)
        for failure in verdict.failures
    }


ROW_COUNT = "expect_table_row_count_to_be_between"


def test_the_clean_table_of_the_baseline_passes(tmp_path: Path) -> None:
    assert check_clean(CLEAN, tmp_path) == set()


def test_a_source_that_lost_its_rows_fails_by_name(tmp_path: Path) -> None:
    found = check_clean(CLEAN[CLEAN["source"] == "one"], tmp_path)
    assert f"spam/two: {ROW_COUNT}" in found
    assert not any(failure.startswith("spam/one") for failure in found)


def test_a_source_that_nobody_read_fails(tmp_path: Path) -> None:
    found = check_clean(CLEAN, tmp_path, parts=["one"])
    assert "spam: expect_column_values_to_be_in_set" in found


def test_a_source_without_a_baseline_is_held_to_the_suite_alone(tmp_path: Path) -> None:
    assert check_clean(CLEAN, tmp_path, baseline={"one": BASELINE["one"]}) == set()


def test_a_sample_is_expected_to_have_its_size(tmp_path: Path) -> None:
    sampled = CLEAN.groupby("source").head(25)
    assert check_clean(sampled, tmp_path / "a", sample=25) == set()
    found = check_clean(sampled.groupby("source").head(12), tmp_path / "b", sample=25)
    assert found >= {f"spam/one: {ROW_COUNT}", f"spam/two: {ROW_COUNT}"}


def test_with_a_source_left_out_the_others_may_keep_more_but_not_fewer(tmp_path: Path) -> None:
    more = pd.concat(
        [CLEAN, CLEAN.assign(text=CLEAN["text"] + " again", label=CLEAN["label"] * 0)],
        ignore_index=True,
    ).astype({"label": "int8"})
    assert check_clean(more, tmp_path / "a", complete=False) == set()
    found = check_clean(CLEAN.head(20), tmp_path / "b", complete=False)
    assert f"spam/one: {ROW_COUNT}" in found


def test_figures_hold_counts_and_shares_and_no_text() -> None:
    figures = dataclasses.asdict(raw_table("t", GOOD, SUITE, None))["expectations"]
    assert figures
    assert "café" not in FIGURES.model_dump_json()
    assert FIGURES.rows == 40
    assert FIGURES.labels["kind"]["spam"] == pytest.approx(0.25)

"""Every source has a suite and a baseline, and each corruption fails for its own reason."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelines.expectations import load_baseline, load_clean_suite, load_raw_suites
from pipelines.job_readers import POSTING_READERS
from pipelines.skill_readers import PHRASE_READERS, TITLE_READERS
from pipelines.sources import load_catalogue, write_index
from pipelines.stage import read_json
from pipelines.validate import Failure
from pipelines.validate_raw import check_raw
from tests.factories import ROOT
from tests.pipelines.test_validate import (
    EXPECTATIONS,
    MIRROR,
    drop_half,
    rename_column,
    to_utf16,
    write_source,
)

CATALOGUE = load_catalogue(ROOT / "data" / "sources.yaml")
CLEAN = ROOT / "data" / "expectations" / "clean"


@pytest.mark.parametrize("source", CATALOGUE.sources)
def test_every_declared_file_has_a_suite_and_a_baseline(source: str) -> None:
    declared = set(CATALOGUE.sources[source].files)
    assert set(load_raw_suites(EXPECTATIONS / f"{source}.yaml")) == declared
    # What grows without end has none.
    measured = set() if CATALOGUE.sources[source].corpus == "any" else declared
    assert set(load_baseline(EXPECTATIONS / f"{source}.json")) == measured


@pytest.mark.parametrize("task", ["spam", "toxicity"])
def test_every_source_that_trains_a_model_has_a_baseline_in_its_clean_table(task: str) -> None:
    training = {
        name
        for name, source in CATALOGUE.sources.items()
        if source.task in (task, "moderation")
        and source.corpus != "any"
        and any(file.role == "train" for file in source.files.values())
    }
    assert set(load_baseline(CLEAN / f"{task}.json")) == training
    assert set(load_clean_suite(CLEAN / f"{task}.yaml").tolerance) <= training | {"others"}


@pytest.mark.parametrize(
    ("table", "readers"),
    [("postings", POSTING_READERS), ("titles", TITLE_READERS), ("phrases", PHRASE_READERS)],
)
def test_every_source_of_jobs_and_skills_has_a_baseline_in_its_clean_tables(
    table: str, readers: Mapping[str, object]
) -> None:
    assert set(load_baseline(CLEAN / f"{table}.json")) == set(readers)


def test_every_set_of_resumes_and_sentences_has_a_baseline_in_its_clean_table() -> None:
    assert set(load_baseline(CLEAN / "resumes.json")) == {"resume_categories", "starter_resumes"}
    assert set(load_baseline(CLEAN / "sentences.json")) == {"train", "dev"}


def numbers(content: Any) -> bool:
    if isinstance(content, dict):
        return all(map(numbers, content.values()))
    return isinstance(content, int | float)


def test_baselines_are_numbers_under_the_names_of_columns_and_labels() -> None:
    for path in (*EXPECTATIONS.glob("*.json"), *CLEAN.glob("*.json")):
        assert numbers(read_json(path)), path


def failures_of(tmp_path: Path, source: str, file: str, content: bytes) -> dict[str, list[Failure]]:
    """Return the failures of ``source``, by table, with one of its files replaced."""
    folder = MIRROR / source
    if not folder.is_dir():
        pytest.skip("the mirror of the public datasets is not here")
    files = {name: (folder / name).read_bytes() for name in CATALOGUE.sources[source].files}
    index = write_source(tmp_path / "raw", source, files | {file: content})
    verdicts = check_raw(index, tmp_path / "raw", EXPECTATIONS, tmp_path / "docs")
    return {verdict.table: list(verdict.failures) for verdict in verdicts if verdict.failures}


def original(source: str, file: str) -> bytes:
    path = MIRROR / source / file
    return path.read_bytes() if path.exists() else b""


def test_a_renamed_column_fails_the_schema_alone(tmp_path: Path) -> None:
    content = rename_column("gc.csv", original("wiki_context_toxicity", "gc.csv"))
    [(table, failures)] = failures_of(tmp_path, "wiki_context_toxicity", "gc.csv", content).items()
    assert table == "wiki_context_toxicity/gc.csv"
    assert [failure.expectation for failure in failures] == [
        "expect_table_columns_to_match_ordered_list"
    ]
    assert failures[0].found.startswith("renamed_id, text")


def test_flipped_labels_fail_the_label_set_with_their_number_and_the_new_label(
    tmp_path: Path,
) -> None:
    content = original("tweeteval_offensive", "val_labels.txt").replace(b"1\n", b"2\n")
    [(table, failures)] = failures_of(
        tmp_path, "tweeteval_offensive", "val_labels.txt", content
    ).items()
    assert table == "tweeteval_offensive/val_labels.txt"
    [failure] = failures
    assert (failure.expectation, failure.column) == ("expect_column_values_to_be_in_set", "label")
    assert (failure.broken, failure.of, failure.examples) == (459, 1324, ('"2"',))


def test_half_the_rows_fail_the_row_count(tmp_path: Path) -> None:
    content = drop_half("spam.csv", original("sms_spam_collection", "spam.csv"))
    found = failures_of(tmp_path, "sms_spam_collection", "spam.csv", content)
    assert "expect_table_row_count_to_be_between" in {
        failure.expectation for failure in found["sms_spam_collection/spam.csv"]
    }


def test_another_encoding_is_unreadable_and_stands_in_the_index_of_the_data_docs(
    tmp_path: Path,
) -> None:
    content = to_utf16("spam.csv", original("sms_spam_collection", "spam.csv"))
    found = failures_of(tmp_path, "sms_spam_collection", "spam.csv", content)
    [failure] = found["sms_spam_collection"]
    assert failure.expectation == "be_readable"
    assert "spam.csv: not Mac Roman over cp1252 over UTF-8" in failure.found
    assert "sms_spam_collection" in (tmp_path / "docs" / "index.html").read_text(encoding="utf-8")


def test_text_decoded_wrongly_once_and_saved_as_utf8_fails_by_its_mojibake(tmp_path: Path) -> None:
    content = original("wiki_context_toxicity", "gn.csv").decode("cp1252", "replace").encode()
    found = failures_of(tmp_path, "wiki_context_toxicity", "gn.csv", content)
    [failure] = found["wiki_context_toxicity/gn.csv"]
    assert "mojibake" in failure.wanted


def test_the_stage_exits_with_1_and_names_the_file_without_a_traceback(tmp_path: Path) -> None:
    content = (ROOT / "data" / "starter" / "messages.csv").read_bytes()
    spoilt = rename_column("messages.csv", content)
    write_index(
        write_source(tmp_path / "raw", "starter", {"messages.csv": spoilt}), tmp_path / "raw"
    )
    report = tmp_path / "reports" / "validate_raw.json"
    command = [sys.executable, "-m", "pipelines.validate_raw", "--raw", str(tmp_path / "raw")]
    command += ["--expectations", str(EXPECTATIONS), "--docs", str(tmp_path / "docs")]
    run = subprocess.run(
        [*command, "--report", str(report)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "starter/messages.csv  table_columns_to_match_ordered_list" in run.stderr
    assert "Traceback" not in run.stderr
    assert read_json(report)["passed"] is False
    assert (tmp_path / "docs" / "index.html").is_file()

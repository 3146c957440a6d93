"""Corrupted files and tables of jobs and skills stop the DAG by name, as those of messages do."""

import contextlib
import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines import clean_jobs
from pipelines import validate_jobs as stage
from pipelines.expectations import CleanSuite
from pipelines.sources import RawIndex, load_catalogue
from pipelines.stage import read_json, read_lines, write_json, write_lines
from pipelines.validate import Failure, Verdict
from pipelines.validate_jobs import TABLES, read_objects
from pipelines.validate_raw import check_raw
from pipelines.xlsx import read_sheet
from tests.factories import ROOT
from tests.pipelines.stages import run_stage
from tests.pipelines.tables import workbook
from tests.pipelines.test_clean_jobs import FILES
from tests.pipelines.test_validate import EXPECTATIONS, MIRROR, to_utf16, write_source

STARTER = ROOT / "data" / "starter"
CATALOGUE = load_catalogue(ROOT / "data" / "sources.yaml")
JOB_SOURCES = [
    name for name, source in CATALOGUE.sources.items() if source.task in ("skills", "jobs")
]


def real_files(source: str) -> dict[str, bytes]:
    """Return the files of one source by name."""
    if source == "starter_jobs":
        places = {"postings.jsonl": STARTER, "resumes.yaml": STARTER / "jobs"}
    else:
        places = dict.fromkeys(CATALOGUE.sources[source].files, MIRROR / source)
        if not MIRROR.is_dir():
            pytest.skip("the mirror of the public datasets is not here")
    return {name: (folder / name).read_bytes() for name, folder in places.items()}


def checked(folder: Path, *sources: tuple[str, dict[str, bytes]]) -> list[Verdict]:
    """Return the verdicts on the raw files of ``sources``."""
    indices = [write_source(folder / "raw", name, files) for name, files in sources]
    entries = {name: source for index in indices for name, source in index.sources.items()}
    index = RawIndex(
        corpus="public", order=tuple(entries), sources=entries, left_out={}, reserved=None
    )
    return check_raw(index, folder / "raw", EXPECTATIONS, folder / "docs")


def test_every_real_source_passes_as_it_is(tmp_path: Path) -> None:
    verdicts = checked(tmp_path, *((source, real_files(source)) for source in JOB_SOURCES))
    assert {verdict.table for verdict in verdicts} == {
        f"{source}/{file}" for source in JOB_SOURCES for file in CATALOGUE.sources[source].files
    }
    assert {verdict.table: verdict.failures for verdict in verdicts if verdict.failures} == {}


# A file as its rows, the header first, and back.


def rows_of(file: str, content: bytes) -> list[list[Any]]:
    if file.endswith(".xlsx"):
        return list(read_sheet(content))
    text = content.decode()
    if file.endswith(".csv"):
        return list(csv.reader(io.StringIO(text, newline="")))
    lines = (json.loads(line) for line in text.splitlines())
    objects = yaml.safe_load(text) if file.endswith(".yaml") else list(lines)
    return [list(objects[0]), *(list(one.values()) for one in objects)]


def written(file: str, rows: list[list[Any]]) -> bytes:
    header, *rest = rows
    if file.endswith(".xlsx"):
        return workbook(rows)
    if file.endswith(".csv"):
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        return text.getvalue().encode()
    objects = [dict(zip(header, row, strict=True)) for row in rest]
    if file.endswith(".yaml"):
        return yaml.safe_dump(objects, allow_unicode=True).encode()
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects).encode()


def rename_column(file: str, content: bytes) -> bytes:
    (first, *others), *rows = rows_of(file, content)
    return written(file, [[f"renamed_{first}", *others], *rows])


def drop_half(file: str, content: bytes) -> bytes:
    rows = rows_of(file, content)
    return written(file, rows[: len(rows) // 2])


# Files of every layout, and large ones beside them cut down, whose own failures are of no concern.
LAYOUTS = {
    "postings.jsonl": "starter_jobs",
    "resumes.yaml": "starter_jobs",
    "dev.json": "skillspan",
    "job_skills.csv": "google_jobs",
    "Technology Skills.xlsx": "onet",
}
CUT_DOWN = {
    "skillspan": {"train.json": b'{"idx": 1}\n'},
    "onet": {"Alternate Titles.xlsx": workbook([("Title",), ("Cook",)])},
}
CORRUPTIONS: dict[str, tuple[Callable[[str, bytes], bytes], str]] = {
    "a column renamed": (rename_column, "expect_table_columns_to_match_ordered_list"),
    "half the rows gone": (drop_half, "expect_table_row_count_to_be_between"),
    "other bytes": (to_utf16, "be_readable"),
}


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_a_corrupted_file_is_named_with_its_source_and_what_is_wrong(
    corruption: str, tmp_path: Path
) -> None:
    corrupt, expectation = CORRUPTIONS[corruption]
    sources: dict[str, dict[str, bytes]] = {}
    for file, source in LAYOUTS.items():
        files = sources.setdefault(source, real_files(source) | CUT_DOWN.get(source, {}))
        files[file] = corrupt(file, files[file])
    verdicts = checked(tmp_path, *sources.items())
    failures = {
        verdict.table: {failure.expectation: failure for failure in verdict.failures}
        for verdict in verdicts
    }
    for file, source in LAYOUTS.items():
        if expectation == "be_readable":
            # A source that cannot be read is one table, and its first such file is named.
            named = failures[source][expectation].found
            assert any(f"{source}/{name}" in named for name in sources[source]), named
            continue
        failure = failures[f"{source}/{file}"][expectation]
        if expectation == "expect_table_columns_to_match_ordered_list":
            assert "renamed_" in failure.found


def test_tags_of_another_kind_fail_by_column(tmp_path: Path) -> None:
    files = real_files("skillspan")
    files["dev.json"] = files["dev.json"].replace(b'"B"', b'"B-SKILL"')
    failed = [verdict for verdict in checked(tmp_path, ("skillspan", files)) if verdict.failures]
    assert [verdict.table for verdict in failed] == ["skillspan/dev.json"]
    assert {failure.column for failure in failed[0].failures} == {"tags_skill", "tags_knowledge"}


# Clean tables

SUITE = CleanSuite.model_validate({"columns": ["b", "a"], "part": "a", "tolerance": {}})


def test_a_key_that_no_line_has_is_empty_and_a_strange_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    write_lines([{"a": "one", "c": [1.0, None]}, {"a": None, "c": True}], path)
    assert read_objects(path, SUITE).to_dict("list") == {
        "b": ["", ""],
        "a": ["one", ""],
        "c": ["[1.0, null]", "true"],
    }


def test_an_empty_file_is_a_table_of_no_rows_with_all_columns(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"")
    frame = read_objects(path, SUITE)
    assert (list(frame.columns), len(frame)) == (["b", "a"], 0)


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the clean tables of the starter corpus and their report."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("starter")
        run_stage(clean_jobs.main, folder, patch, "starter", FILES)
        return folder


def validated(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Failure]]:
    """Run the stage on what is in ``folder`` and return the failures of each table that has any."""
    arguments = ["--counts", "counts.json", "--docs", "docs", "--report", "report.json"]
    arguments += ["--expectations", str(ROOT / "data" / "expectations" / "clean")]
    for table in TABLES:
        arguments += [f"--{table}", FILES[table]]
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["validate_jobs", *arguments])
    with contextlib.suppress(SystemExit):
        stage.main()
    tables = read_json(folder / "report.json")["tables"]
    return {
        name: [Failure(**failure) for failure in table["failures"]]
        for name, table in tables.items()
        if table["failures"]
    }


def test_the_clean_starter_tables_pass(starter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert validated(starter, monkeypatch) == {}
    assert read_json(starter / "report.json")["passed"] is True


Change = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def without_title(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"name" if key == "title" else key: row[key] for key in row} for row in rows]


def half(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return rows[: len(rows) // 2]


def of_nobody(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"source": "nobody"} for row in rows]


def garbled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"description": row["description"] + " donâ€™t"} for row in rows]


@pytest.mark.parametrize(
    ("change", "table", "expectation", "column"),
    [
        (without_title, "postings", "expect_table_columns_to_match_ordered_list", ""),
        (without_title, "postings", "expect_column_values_to_not_be_null", "title"),
        (half, "postings/starter_jobs", "expect_table_row_count_to_be_between", ""),
        (of_nobody, "postings", "expect_column_values_to_be_in_set", "source"),
        (
            garbled,
            "postings/starter_jobs",
            "expect_column_values_to_not_match_regex",
            "description",
        ),
    ],
)
def test_a_spoilt_clean_table_fails_by_name_and_column(
    starter: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Change,
    table: str,
    expectation: str,
    column: str,
) -> None:
    folder = tmp_path / "spoilt"
    shutil.copytree(starter, folder)
    write_lines(change(read_lines(folder / FILES["postings"])), folder / FILES["postings"])
    found = validated(folder, monkeypatch)
    assert (expectation, column) in {
        (failure.expectation, failure.column) for failure in found[table]
    }


def test_resumes_that_repeat_fail(
    starter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "spoilt"
    shutil.copytree(starter, folder)
    rows = read_lines(folder / FILES["resumes"])
    write_lines([*rows[:-1], rows[0] | {"id": "another"}], folder / FILES["resumes"])
    found = validated(folder, monkeypatch)
    assert ("expect_column_values_to_be_unique", "text") in {
        (failure.expectation, failure.column) for failure in found["resumes"]
    }


def test_a_source_left_out_loosens_the_baselines_of_the_others(
    starter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "spoilt"
    shutil.copytree(starter, folder)
    rows = read_lines(folder / FILES["postings"])
    more = [row | {"id": f"{row['id']}-again"} for row in rows]
    write_lines([*rows, *more], folder / FILES["postings"])
    assert "postings/starter_jobs" in validated(folder, monkeypatch)
    counts = read_json(folder / "counts.json")
    write_json(counts | {"left_out": {"other": "CC0"}}, folder / "counts.json")
    assert validated(folder, monkeypatch) == {}

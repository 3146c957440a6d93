"""Measure the present data as the baseline in data/expectations: figures only, never text.

Run it after a change of the data that is meant, look at the difference, and commit it.
"""

import sys
from pathlib import Path

import pandas as pd

from pipelines.entry import entry_point
from pipelines.expectations import (
    CleanSuite,
    Figures,
    load_baseline,
    load_clean_suite,
    load_raw_suites,
    measure,
)
from pipelines.raw_files import read_raw
from pipelines.sources import FEEDBACK, read_index
from pipelines.stage import parse_args, read_json, read_table, write_json
from pipelines.validate_clean import TABLES
from pipelines.validate_jobs import TABLES as JOB_TABLES
from pipelines.validate_jobs import read_objects


def measure_parts(frame: pd.DataFrame, suite: CleanSuite) -> dict[str, Figures]:
    """Return the figures of each part of a clean table."""
    return {str(part): measure(rows, suite) for part, rows in frame.groupby(suite.part)}


def _write(baseline: dict[str, Figures], path: Path) -> None:
    write_json({name: figures.model_dump() for name, figures in baseline.items()}, path)


@entry_point
def main() -> None:
    """Write the baseline of every source in data/raw and of its part of the clean tables."""
    inputs = ["raw", *TABLES, "counts", *JOB_TABLES, "job_counts", "expectations"]
    args = parse_args(__doc__, inputs=inputs)
    index = read_index(args.raw)
    if FEEDBACK in index.sources:
        sys.exit(
            "baseline: moderators' corrections are among the data, and grow without end: move "
            "data/feedback/feedback.jsonl away and run the pipeline first"
        )
    if index.left_out:
        sys.exit("baseline: sources were left out (data.exclude_licences); take them all in first")
    counted = [read_json(counts)["tables"] for counts in (args.counts, args.job_counts)]
    parts = [part for tables in counted for table in tables.values() for part in table.values()]
    if any("not_sampled" in part["dropped"] for part in parts):
        sys.exit("baseline: the clean tables are a sample (data.sample); clean the full data first")
    for source, entry in index.sources.items():
        suites = load_raw_suites(args.expectations / "raw" / f"{source}.yaml")
        frames = read_raw(entry.reader, args.raw / source)
        figures = {file: measure(frames[file], suite) for file, suite in suites.items()}
        _write(figures, args.expectations / "raw" / f"{source}.json")
    for name in (*TABLES, *JOB_TABLES):
        suite = load_clean_suite(args.expectations / "clean" / f"{name}.yaml")
        path = args.expectations / "clean" / f"{name}.json"
        table: Path = getattr(args, name)
        frame = read_objects(table, suite) if name in JOB_TABLES else read_table(table)
        # The parts of the other corpus stay as they were measured.
        _write({**load_baseline(path), **measure_parts(frame, suite)}, path)


if __name__ == "__main__":
    main()

"""Hold the clean tables against their suites and baselines; stop the DAG where one breaks them."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pandas as pd

from models.params import load_params
from pipelines.entry import entry_point
from pipelines.expectations import (
    CleanSuite,
    Expectation,
    Figures,
    baseline_expectations,
    load_baseline,
    load_clean_suite,
    row_range,
    shape_expectations,
)
from pipelines.sources import FEEDBACK
from pipelines.stage import parse_args, read_json, read_table
from pipelines.validate import Table, conclude, validate

TABLES = ("spam", "toxicity", "evaluation")


def clean_tables(
    name: str,
    frame: pd.DataFrame,
    suite: CleanSuite,
    baseline: Mapping[str, Figures],
    parts: Iterable[str],
    *,
    sample: int | None,
    complete: bool,
) -> Iterator[Table]:
    """Yield one clean table as a whole, then each of its parts with its baseline.

    Parameters
    ----------
    parts : iterable of str
        The sources, or the evaluation sets, that the clean stage says it read. One that lost all
        its rows fails its row count; one that is not among them fails the whole.
    sample : int or None
        At most so many rows of each part were kept, by chance (``data.sample``).
    complete : bool
        Whether every declared source was read. Where one was left out, its duplicates elsewhere
        are kept, so that the others have more rows, and others, than in the baseline.
    """
    parts = sorted(parts)
    frame = frame.mask(frame == "")
    known = Expectation(
        "expect_column_values_to_be_in_set",
        "one of " + ", ".join(parts) if parts else "no rows",
        {"column": suite.part, "value_set": parts},
    )
    yield Table(name, frame, (*shape_expectations(suite), known))
    if suite.part not in frame.columns:
        return
    for part in parts:
        if part in baseline:
            rows = frame[frame[suite.part] == part]
            expectations = _part_expectations(
                baseline[part], suite, part, sample=sample, complete=complete
            )
            yield Table(f"{name}/{part}", rows, tuple(expectations))


def _part_expectations(
    figures: Figures, suite: CleanSuite, part: str, *, sample: int | None, complete: bool
) -> Iterator[Expectation]:
    tolerance = suite.tolerance_of(part)
    least, greatest = row_range(figures.rows, tolerance.rows)
    sampled = sample is not None and sample < greatest
    if sample is not None:
        least, greatest = min(sample, least), min(sample, greatest)
    if complete:
        drawn = sample if sampled and sample else 0
        yield from baseline_expectations(figures, suite, tolerance, (least, greatest), drawn)
    else:
        rows_alone = baseline_expectations(figures, suite, tolerance, (least, None), 0)
        yield next(rows_alone)


def load_tables(
    frames: Mapping[str, pd.DataFrame],
    expectations: Path,
    counts: Mapping[str, Mapping[str, object]],
    *,
    sample: int | None,
    complete: bool,
) -> Iterator[Table]:
    """Yield every clean table and part with what ``expectations`` (a folder) says of it."""
    for name, frame in frames.items():
        yield from clean_tables(
            name,
            frame,
            load_clean_suite(expectations / f"{name}.yaml"),
            load_baseline(expectations / f"{name}.json"),
            counts.get(name, {}),
            sample=sample,
            complete=complete,
        )


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(
        __doc__, inputs=[*TABLES, "counts", "expectations"], outputs=["docs", "report"]
    )
    counted = read_json(args.counts)
    tables = load_tables(
        {name: read_table(getattr(args, name)) for name in TABLES},
        args.expectations,
        counted["tables"],
        sample=load_params().data.sample,
        complete=not set(counted["left_out"]) - {FEEDBACK},  # it is in no baseline
    )
    conclude("validate_clean", validate(tables, args.docs), args.report, args.docs)


if __name__ == "__main__":
    main()

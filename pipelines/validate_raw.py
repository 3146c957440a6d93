"""Hold every raw file against its suite and baseline; stop the DAG where one breaks them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipelines.entry import entry_point
from pipelines.expectations import (
    Figures,
    RawSuite,
    baseline_expectations,
    load_baseline,
    load_raw_suites,
    row_range,
    shape_expectations,
)
from pipelines.raw_files import RawReadError, read_raw
from pipelines.sources import RawIndex, read_index
from pipelines.stage import parse_args
from pipelines.validate import Table, Verdict, conclude, unmet, validate


@dataclass(frozen=True)
class RawExpectations:
    """What data/expectations/raw says of one source, by file."""

    suites: dict[str, RawSuite]
    baseline: dict[str, Figures]


def load_expectations(folder: Path, source: str) -> RawExpectations:
    """Return the suites and the baseline of ``source``.

    Raises
    ------
    ExpectationsError
        If it has no suites, or they or the baseline are malformed.
    """
    return RawExpectations(
        suites=load_raw_suites(folder / f"{source}.yaml"),
        baseline=load_baseline(folder / f"{source}.json"),
    )


def raw_table(name: str, frame: pd.DataFrame, suite: RawSuite, figures: Figures | None) -> Table:
    """Return one raw file with all that is expected of it.

    Parameters
    ----------
    frame : DataFrame of str, "" for an empty cell
    figures : Figures or None
        Its baseline; None compares with nothing.
    """
    expectations = list(shape_expectations(suite))
    if figures is not None:
        rows = row_range(figures.rows, suite.tolerance.rows)
        expectations += baseline_expectations(figures, suite, suite.tolerance, rows, drawn=0)
    return Table(name, frame.mask(frame == ""), tuple(expectations))


def check_raw(index: RawIndex, raw: Path, folder: Path, docs: Path) -> list[Verdict]:
    """Return the verdicts on the files of every source in ``raw``.

    Parameters
    ----------
    folder : Path
        ``data/expectations/raw``.
    docs : Path
        Where the Data Docs go.
    """

    def tables() -> Iterator[Table | Verdict]:
        for source, entry in index.sources.items():
            expected = load_expectations(folder, source)
            try:
                frames = read_raw(entry.reader, raw / source)
            except RawReadError as error:
                yield unmet(source, "be_readable", "files as declared", str(error))
                continue
            for file, frame in frames.items():
                name = f"{source}/{file}"
                if file in expected.suites:
                    figures = expected.baseline.get(file)
                    yield raw_table(name, frame, expected.suites[file], figures)
                else:
                    wanted = f"a suite in {folder / source}.yaml"
                    yield unmet(name, "have_a_suite", wanted, "none")

    return validate(tables(), docs)


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(__doc__, inputs=["raw", "expectations"], outputs=["docs", "report"])
    verdicts = check_raw(read_index(args.raw), args.raw, args.expectations, args.docs)
    conclude("validate_raw", verdicts, args.report, args.docs)


if __name__ == "__main__":
    main()

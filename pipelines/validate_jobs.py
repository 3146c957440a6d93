"""Hold the clean tables of skills and jobs against their suites and baselines."""

from pathlib import Path

import pandas as pd

from models.params import load_params
from pipelines.entry import entry_point
from pipelines.expectations import CleanSuite, load_clean_suite
from pipelines.raw_files import grid_of
from pipelines.stage import parse_args, read_json, read_lines
from pipelines.validate import conclude, validate
from pipelines.validate_clean import load_tables

TABLES = ("postings", "titles", "resumes", "sentences", "phrases")


def read_objects(path: Path, suite: CleanSuite) -> pd.DataFrame:
    """Return JSON lines as a table of strings, the columns of ``suite`` first.

    A key that no line has gives a column of empty cells; one that ``suite`` does not name stays.
    """
    header, *rows = grid_of(read_lines(path))
    columns = [*suite.columns, *(name for name in header if name not in suite.columns)]
    return pd.DataFrame(rows, columns=header, dtype=str).reindex(columns=columns, fill_value="")


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(
        __doc__, inputs=[*TABLES, "counts", "expectations"], outputs=["docs", "report"]
    )
    counted = read_json(args.counts)
    frames = {
        name: read_objects(
            getattr(args, name), load_clean_suite(args.expectations / f"{name}.yaml")
        )
        for name in TABLES
    }
    tables = load_tables(
        frames,
        args.expectations,
        counted["tables"],
        sample=load_params().data.sample,
        complete=not counted["left_out"],
    )
    conclude("validate_jobs", validate(tables, args.docs), args.report, args.docs)


if __name__ == "__main__":
    main()

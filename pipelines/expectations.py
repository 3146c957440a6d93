"""What a table must be like: its suite and baseline in data/expectations, as expectations."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import yaml
from ftfy.badness import BADNESS_RE
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models.errors import CareerlensError
from models.params import Share

#: Signs that bytes were decoded as what they are not, or characters were lost on the way.
MOJIBAKE = f"(?x:{BADNESS_RE.pattern})|\ufffd"

_NOISE = 4.0  # standard deviations by which a random sample may differ


class ExpectationsError(CareerlensError):
    """A file of data/expectations is missing or wrong."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tolerance(_Strict):
    """How far a table may be from its baseline.

    Attributes
    ----------
    rows : 0.1 allows 1.1 times the rows of the baseline, and as many times fewer
    share : growth of a label's share, relative to it or to its complement if that is smaller
    mojibake : more rows with mojibake, as a share of all rows
    distinct : fewer distinct texts, as a share of all rows
    """

    rows: Annotated[float, Field(ge=0)]
    share: Share
    mojibake: Share
    distinct: Share


class Suite(_Strict):
    """What holds for one table, whatever its baseline.

    Attributes
    ----------
    columns : the columns, in order
    types : column to dtype, where it is not text
    filled : columns without a missing or empty cell
    labels : column to the values it may hold
    texts : column to the least and the greatest number of characters
    patterns : column to a regular expression that every cell matches
    ranges : column to the least and the greatest number
    unique : columns without a repeated value
    """

    columns: tuple[str, ...]
    types: dict[str, str] = {}
    filled: tuple[str, ...] = ()
    labels: dict[str, tuple[str | int, ...]] = {}
    texts: dict[str, tuple[int, int]] = {}
    patterns: dict[str, str] = {}
    ranges: dict[str, tuple[float, float]] = {}
    unique: tuple[str, ...] = ()


class RawSuite(Suite):
    """The suite of one raw file."""

    tolerance: Tolerance


class CleanSuite(Suite):
    """The suite of one clean table; its baseline is kept for each value of ``part``."""

    part: str
    tolerance: dict[str, Tolerance]

    def tolerance_of(self, part: str) -> Tolerance:
        """Return the tolerance of one part, by default that of ``others``."""
        return self.tolerance.get(part, self.tolerance["others"])


class Figures(_Strict):
    """The baseline of one table: its rows, and shares of them."""

    rows: Annotated[int, Field(ge=0)]
    empty: dict[str, Share]
    labels: dict[str, dict[str, Share]]
    mojibake: dict[str, Share]
    distinct: dict[str, Share]


@dataclass(frozen=True)
class Expectation:
    """One expectation of Great Expectations, and what it wants in plain words.

    Attributes
    ----------
    share_of : str
        What is counted, where the rows that break it are no news one by one; else "".
    """

    type: str
    wanted: str
    kwargs: dict[str, Any] = field(default_factory=dict)
    share_of: str = ""

    @property
    def column(self) -> str:
        """The column it is about, or "" for the table as a whole."""
        return str(self.kwargs.get("column", ""))


def load_raw_suites(path: Path) -> dict[str, RawSuite]:
    """Return the suites of one source, file name to suite."""
    suites: dict[str, RawSuite] = _load(TypeAdapter(dict[str, RawSuite]), path)
    return suites


def load_clean_suite(path: Path) -> CleanSuite:
    """Return the suite of one clean table."""
    suite: CleanSuite = _load(TypeAdapter(CleanSuite), path)
    return suite


def load_baseline(path: Path) -> dict[str, Figures]:
    """Return the figures in ``path``, file or part to figures; none if nothing was measured."""
    return _load(TypeAdapter(dict[str, Figures]), path) if path.exists() else {}


def _load(adapter: TypeAdapter[Any], path: Path) -> Any:
    try:
        return adapter.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ExpectationsError(
            f"{path}: {error.strerror}; write down there what the table must be like"
        ) from error
    except (yaml.YAMLError, ValidationError) as error:
        raise ExpectationsError(f"{path}: {error}") from error


def measure(frame: pd.DataFrame, suite: Suite) -> Figures:
    """Return the figures of ``frame`` that its baseline keeps: counts and shares, no text.

    Parameters
    ----------
    frame : DataFrame with the columns of ``suite``
    """
    nullable = [column for column in (*suite.texts, *suite.labels) if column not in suite.filled]
    texts = {column: frame[column][frame[column] != ""] for column in suite.texts}
    return Figures(
        rows=len(frame),
        empty={column: _share(frame[column].isin(["", None])) for column in nullable},
        labels={
            column: {str(value): _share(frame[column] == value) for value in values}
            for column, values in suite.labels.items()
        },
        mojibake={
            column: _share(text.str.contains(MOJIBAKE, regex=True))
            for column, text in texts.items()
        },
        distinct={
            column: round(text.nunique() / max(1, len(text)), 6) for column, text in texts.items()
        },
    )


def _share(holds: pd.Series) -> float:
    return round(float(holds.mean()), 6) if len(holds) else 0.0


def shape_expectations(suite: Suite) -> Iterator[Expectation]:
    """Yield what must hold whatever the baseline."""
    yield Expectation(
        "expect_table_columns_to_match_ordered_list",
        f"the columns {', '.join(suite.columns)}",
        {"column_list": list(suite.columns)},
    )
    for column, dtype in suite.types.items():
        yield _about(column, "be_of_type", f"numbers of type {dtype}", type_=dtype)
    for column in suite.filled:
        yield _about(column, "not_be_null", "no empty cell")
    for column, values in suite.labels.items():
        wanted = "one of " + ", ".join(map(str, values))
        yield _about(column, "be_in_set", wanted, value_set=list(values))
    for column, (least, greatest) in suite.texts.items():
        yield Expectation(
            "expect_column_value_lengths_to_be_between",
            f"{least} to {greatest} characters",
            {"column": column, "min_value": least, "max_value": greatest},
        )
        yield _about(column, "not_match_regex", "no NUL character", regex="\0")
    for column, pattern in suite.patterns.items():
        yield _about(column, "match_regex", f"the form {pattern}", regex=pattern)
    for column, (low, high) in suite.ranges.items():
        wanted = f"numbers from {low:g} to {high:g}"
        yield _about(column, "be_between", wanted, min_value=low, max_value=high)
    for column in suite.unique:
        yield _about(column, "be_unique", "no repeated value")


def baseline_expectations(
    figures: Figures, suite: Suite, tolerance: Tolerance, rows: tuple[int, int | None], drawn: int
) -> Iterator[Expectation]:
    """Yield what must hold because the baseline has ``figures``.

    Parameters
    ----------
    rows : (int, int or None)
        The least and the greatest number of rows.
    drawn : int
        Number of rows in a random sample, whose shares differ by chance; 0 for the full table.
    """
    least, greatest = rows
    yield Expectation(
        "expect_table_row_count_to_be_between",
        f"{least} rows or more" if greatest is None else f"{least} to {greatest} rows",
        {"min_value": least, "max_value": greatest},
    )

    def at_most(share: float) -> float:
        spread = math.sqrt(share * (1.0 - share) / drawn) if drawn else 0.0
        return share + tolerance.share * min(share, 1.0 - share) + _NOISE * spread

    for column, share in figures.empty.items():
        limit = at_most(share)
        wanted = f"empty cells in at most {limit:.2%} of the rows"
        yield _about(column, "not_be_null", wanted, mostly=_rest(limit))
    for column, values in suite.labels.items():
        for value in values:
            share = figures.labels[column][str(value)]
            if share < 1.0:
                limit = at_most(share)
                wanted = f"{value} in at most {limit:.2%} of the rows (baseline {share:.2%})"
                yield _about(
                    column,
                    "not_be_in_set",
                    wanted,
                    share_of=str(value),
                    value_set=[value],
                    mostly=_rest(limit),
                )
    for column in suite.texts:
        limit = at_most(figures.mojibake[column]) + tolerance.mojibake
        wanted = f"mojibake in at most {limit:.2%} of the rows (wrong encoding?)"
        yield _about(column, "not_match_regex", wanted, regex=MOJIBAKE, mostly=_rest(limit))
        lowest = max(0.0, figures.distinct[column] - tolerance.distinct)
        yield Expectation(
            "expect_column_proportion_of_unique_values_to_be_between",
            f"at least {lowest:.2%} of the texts distinct",
            {"column": column, "min_value": lowest},
        )


def row_range(rows: int, tolerance: float) -> tuple[int, int]:
    """Return the least and the greatest number of rows within ``tolerance`` of ``rows``."""
    return math.ceil(rows / (1.0 + tolerance)), math.floor(rows * (1.0 + tolerance))


def _about(
    column: str, predicate: str, wanted: str, *, share_of: str = "", **kwargs: Any
) -> Expectation:
    return Expectation(
        f"expect_column_values_to_{predicate}", wanted, {"column": column, **kwargs}, share_of
    )


def _rest(share: float) -> float:
    """Return the share left, as ``mostly`` wants it."""
    return max(0.0, 1.0 - share)

"""Run tables through Great Expectations, and say in words, JSON and Data Docs what failed."""

import json
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.data_docs import clear_site, finish_site, site_config
from pipelines.expectations import Expectation
from pipelines.stage import write_json

_EXAMPLES = 3
_EXAMPLE_CHARS = 60
_HEADINGS = ("table", "expectation", "column", "rows", "wanted", "found")


@dataclass(frozen=True)
class Table:
    """A table and all that is expected of it; empty cells are missing values."""

    name: str
    frame: pd.DataFrame
    expectations: tuple[Expectation, ...]


@dataclass(frozen=True)
class Failure:
    """One expectation that does not hold.

    Attributes
    ----------
    column : str, "" when it is about the table as a whole
    broken, of : how many rows break it, of how many; None when it does not count rows
    """

    expectation: str
    wanted: str
    column: str = ""
    found: str = ""
    broken: int | None = None
    of: int | None = None
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What was found in one table: its rows, None if it could not be read."""

    table: str
    rows: int | None
    expectations: int
    failures: tuple[Failure, ...]


def unmet(table: str, expectation: str, wanted: str, found: str) -> Verdict:
    """Return the verdict on a table that could not even be looked at."""
    return Verdict(table, None, 1, (Failure(expectation, wanted, found=found),))


def validate(tables: Iterable[Table | Verdict], docs: Path) -> list[Verdict]:
    """Return the verdict on each table, and build the Data Docs site ``docs`` anew.

    Parameters
    ----------
    tables : iterable of Table, taken one at a time; or of the Verdict that is passed already
    docs : Path
        A folder of its own: what was in it is removed.
    """
    gx = _great_expectations()
    clear_site(docs)
    context = gx.get_context(
        project_config=gx.data_context.types.base.DataContextConfig(
            store_backend_defaults=gx.data_context.types.base.InMemoryStoreBackendDefaults(
                init_temp_docs_sites=False
            ),
            data_docs_sites={docs.name: site_config(docs)},
            progress_bars={"globally": False},
            analytics_enabled=False,
        )
    )
    source = context.data_sources.add_pandas("pandas")
    verdicts = []
    for table in tables:
        if isinstance(table, Verdict):
            verdicts.append(table)
            continue
        asked = _answerable(table)
        # Great Expectations makes names into paths, and refuses a slash in them.
        name = table.name.replace("/", ".")
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("whole")
        suite = gx.ExpectationSuite(
            name=name,
            expectations=[
                {
                    "type": expectation.type,
                    "kwargs": expectation.kwargs,
                    "meta": {"position": position},
                    "description": expectation.wanted,
                }
                for position, expectation in enumerate(asked)
            ],
        )
        validation = context.validation_definitions.add(
            gx.ValidationDefinition(name=name, data=batch, suite=context.suites.add(suite))
        )
        results = validation.run(
            batch_parameters={"dataframe": table.frame},
            result_format={"result_format": "SUMMARY", "partial_unexpected_count": 50},
        ).to_json_dict()["results"]
        failures = tuple(_failures(asked, results))
        verdicts.append(Verdict(table.name, len(table.frame), len(table.expectations), failures))
    context.build_data_docs()
    finish_site(docs, {verdict.table: len(verdict.failures) for verdict in verdicts})
    return verdicts


def _great_expectations() -> Any:
    """Import Great Expectations, which takes seconds, silently and without its telemetry."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        # It imports sre_constants and sre_parse (1.24, Python 3.11 and later).
        warnings.filterwarnings("ignore", r"module 'sre_\w+' is deprecated", DeprecationWarning)
        import great_expectations as gx
        import great_expectations.data_context.types.base
    return gx


def _answerable(table: Table) -> list[Expectation]:
    """Return the expectations of ``table`` but those about a column that is not there.

    The schema's failure says that already, and Great Expectations would raise for each of them.
    """
    known = {"", *table.frame.columns}
    return [expectation for expectation in table.expectations if expectation.column in known]


def _failures(
    asked: Sequence[Expectation], results: Sequence[Mapping[str, Any]]
) -> Iterator[Failure]:
    """Yield what failed, in the order of the suite."""
    failed = {
        result["expectation_config"]["meta"]["position"]: result
        for result in results
        if not result["success"]
    }
    for position, result in sorted(failed.items()):
        yield _failure(asked[position], result)


def _failure(expectation: Expectation, result: Mapping[str, Any]) -> Failure:
    details = result["result"]
    broken, of = details.get("unexpected_count"), details.get("element_count")
    values: tuple[str, ...] = ()
    if "observed_value" in details:
        found = _in_words(details["observed_value"])
    elif broken is None:
        found = "; ".join(sorted(_messages(result["exception_info"])))
    elif expectation.share_of:
        found = f"{expectation.share_of} in {broken / of:.2%}"
    else:
        found = f"others in {broken / of:.2%}"
        values = tuple(map(_shortened, details["partial_unexpected_list"]))
    return Failure(
        expectation=expectation.type,
        column=expectation.column,
        wanted=expectation.wanted,
        found=found,
        broken=broken,
        of=of,
        examples=tuple(dict.fromkeys(values))[:_EXAMPLES],
    )


def _in_words(observed: Any) -> str:
    if isinstance(observed, list):
        return ", ".join(map(str, observed))
    return f"{observed:.2%}" if isinstance(observed, float) else str(observed)


def _messages(exception_info: Mapping[str, Any]) -> set[str]:
    """Return the messages of what was raised: one, or one for each metric."""
    infos = [exception_info, *exception_info.values()]
    messages = (info.get("exception_message") for info in infos if isinstance(info, Mapping))
    return {message for message in messages if message}


def _shortened(value: Any) -> str:
    """Return ``value`` on one line, quoted if it is text, without raw control characters."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
    return text if len(text) <= _EXAMPLE_CHARS else text[: _EXAMPLE_CHARS - 1] + "…"


def as_report(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return the content of the JSON report: the same verdicts, the same bytes."""
    return {
        "passed": not any(verdict.failures for verdict in verdicts),
        "tables": {
            verdict.table: {
                "rows": verdict.rows,
                "expectations": verdict.expectations,
                "failures": [asdict(failure) for failure in verdict.failures],
            }
            for verdict in verdicts
        },
    }


def failure_table(verdicts: Sequence[Verdict]) -> str:
    """Return all failures as an aligned table of plain text, one a line under a heading."""
    lines = [
        _HEADINGS,
        *(_cells(verdict.table, failure) for verdict in verdicts for failure in verdict.failures),
    ]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cells(table: str, failure: Failure) -> tuple[str, ...]:
    found = ": ".join(part for part in (failure.found, ", ".join(failure.examples)) if part)
    counted = "-" if failure.broken is None else f"{failure.broken} of {failure.of}"
    name = failure.expectation.removeprefix("expect_")
    return table, name, failure.column or "-", counted, failure.wanted, found


def conclude(stage: str, verdicts: Sequence[Verdict], report: Path, docs: Path) -> None:
    """Write the report, and say a line for each table; or what failed, and stop the DAG.

    Raises
    ------
    SystemExit
        If any expectation failed, with exit code 1.
    """
    write_json(as_report(verdicts), report)
    failed = sum(len(verdict.failures) for verdict in verdicts)
    if failed:
        total = sum(verdict.expectations for verdict in verdicts)
        print(failure_table(verdicts), file=sys.stderr)
        print(
            f"\n{stage}: {failed} of {total} expectations failed. Put the data right; or, if the "
            "change is meant, the suites and baselines in data/expectations. "
            f"See {report} and {docs}/index.html",
            file=sys.stderr,
        )
        raise SystemExit(1)
    for verdict in verdicts:
        print(f"{verdict.table}: {verdict.rows} rows, {verdict.expectations} expectations met")

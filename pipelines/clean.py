"""Turn the raw sources into a table for each model and one for evaluation; count what drops out."""

from collections.abc import Iterable, Set
from pathlib import Path
from typing import Any

import pandas as pd

from models.errors import CareerlensError
from models.params import CleanParams, load_params
from models.text import group_key, normalise, reserved_key
from pipelines.entry import entry_point
from pipelines.raw_files import RawReadError, read_raw
from pipelines.readers import CATEGORIES, READERS
from pipelines.repair import decode, mask
from pipelines.sampling import sample_rank
from pipelines.sources import FEEDBACK, RESERVED, TEXT_TASKS, RawIndex, read_index, read_reserved
from pipelines.stage import MODELS, parse_args, write_json, write_table

_TRAINING_COLUMNS = {
    "spam": ["text", "label", "source", "category", "group", "weight"],
    "toxicity": ["text", "label", *CATEGORIES, "source", "category", "group", "weight"],
}


class CleanError(CareerlensError):
    """Cleaning leaves nothing to learn from."""


def read_rows(index: RawIndex, raw: Path, params: CleanParams) -> pd.DataFrame:
    """Return the rows of every source in ``index``, in the order of their precedence.

    Columns as of :func:`pipelines.readers.rows_of`, and ``source``.
    """
    parts = []
    for name in index.order:
        reader = index.sources[name].reader
        try:
            rows = READERS[reader](read_raw(reader, raw / name), params)
        except RawReadError as error:
            raise RawReadError(f"cannot read source {name}: {error}") from error
        parts.append(rows.assign(source=name))
    return pd.concat(parts, ignore_index=True)


def clean(
    rows: pd.DataFrame, params: CleanParams, reserved: Set[str], sample: int | None
) -> pd.DataFrame:
    """Return ``rows`` with the text cleaned and the reason of each row not to be used.

    Parameters
    ----------
    rows : DataFrame, as of :func:`read_rows`
    reserved : set of str
        Hashes of texts that must not be trained on, see :func:`models.text.reserved_key`.
    sample : int or None
        Keep at most this many rows of each source and of each evaluation set.

    Returns
    -------
    DataFrame
        The same rows in the same order. Now ``dropped`` is "" for the rows to use; ``text`` is
        decoded and masked, ``group`` is set, and ``plain`` is the normalised text.
    """
    rows = _prepare(rows, reserved)
    training = rows["set"] == ""
    evaluation = rows[~training]
    # In the order in which a row with several faults is counted.
    faults = {
        "reserved": training & rows["reserved"],
        "in_evaluation": training & rows["plain"].isin(set(evaluation["plain"])),
        "near_evaluation": training & rows["text_group"].isin(set(evaluation["text_group"])),
        "too_short": training & (rows["plain"].str.len() < params.min_chars),
        "too_long": training & (rows["text"].str.len() > params.max_chars),
    }
    for reason, fault in faults.items():
        _drop(rows, fault, reason)
    for task in MODELS:
        _overrule(rows, task)
        _merge_duplicates(rows, task)
    if sample is not None:
        _drop(rows, ~_in_sample(rows, sample), "not_sampled")
    return rows


def training_table(rows: pd.DataFrame, task: str) -> pd.DataFrame:
    """Return the table one model learns from, as data/clean/<model>.parquet holds it.

    Raises
    ------
    CleanError
        If no row of one label is left.
    """
    used = rows[(rows["dropped"] == "") & (rows["set"] == "") & (rows["task"] == task)]
    for label in (0, 1):
        if not (used["label"] == label).any():
            raise CleanError(
                f"no row of label {label} is left for {task}; data/reports/clean.json counts what "
                "was dropped and why: relax the section clean of params.yaml, raise data.sample "
                "or exclude fewer licences"
            )
    types = {"label": "int8", "weight": "float32"}
    types |= {category: "float32" for category in CATEGORIES if task == "toxicity"}
    table = used.assign(weight=1.0)[_TRAINING_COLUMNS[task]].astype(types)
    return table.reset_index(drop=True)


def evaluation_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are scored only, as data/clean/evaluation.parquet holds them."""
    used = rows[(rows["dropped"] == "") & (rows["set"] != "")]
    table = used[["text", "label", "set", "group"]].astype({"label": "int8"})
    return table.reset_index(drop=True)


def report(rows: pd.DataFrame, index: RawIndex) -> dict[str, Any]:
    """Return where the rows came from, and how many were read, dropped by reason, and kept."""
    sources = index.model_dump(mode="json")["sources"]
    for source in sources.values():
        source["files"] = {name: file["sha256"] for name, file in source["files"].items()}
    counts: dict[str, dict[str, Any]] = {}
    for training, table_rows in rows.groupby(rows["set"] == ""):
        tables = table_rows["task"] if training else pd.Series("evaluation", table_rows.index)
        names = table_rows["source"] if training else table_rows["set"]
        for (table, name), some in table_rows.groupby([tables, names]):
            counts.setdefault(str(table), {})[str(name)] = _counts(some)
    return {
        "corpus": index.corpus,
        "sources": sources,
        "left_out": index.left_out,
        "reserved": index.model_dump(mode="json")["reserved"],
        "tables": counts,
    }


def _prepare(rows: pd.DataFrame, reserved: Set[str]) -> pd.DataFrame:
    """Add what is computed from the text, once for each distinct text."""
    computed = {}
    for raw in rows["text"].unique():
        decoded = decode(raw)
        masked = mask(decoded)
        computed[raw] = (
            masked,
            normalise(masked),
            # Of the text as published: masks and repairs may change, groups may not.
            group_key(raw),
            # The list was made from texts as published, so each stage of cleaning may match it.
            any(reserved_key(text) in reserved for text in {raw, decoded, masked}),
        )
    names = ["text", "plain", "text_group", "reserved"]
    found = pd.DataFrame([computed[raw] for raw in rows["text"]], index=rows.index, columns=names)
    rows = rows.drop(columns="text").join(found)
    rows["group"] = rows["group"].where(rows["group"] != "", rows["text_group"])
    # A message of the starter corpus that moderators decided on stays with those of its template:
    # else it might be learnt from on one side, and they scored on the other.
    grouped = rows[rows["group"] != rows["text_group"]].drop_duplicates("text_group")
    template = dict(zip(grouped["text_group"], grouped["group"], strict=True))
    decided = rows["source"] == FEEDBACK
    own = rows.loc[decided, "text_group"]
    rows.loc[decided, "group"] = [template.get(group, group) for group in own]
    return rows


def _drop(rows: pd.DataFrame, fault: pd.Series, reason: str) -> None:
    rows.loc[fault & (rows["dropped"] == ""), "dropped"] = reason


def _overrule(rows: pd.DataFrame, task: str) -> None:
    """Drop what sources say of a text otherwise than moderators do, however many say it."""
    used = rows[(rows["dropped"] == "") & (rows["set"] == "") & (rows["task"] == task)]
    decided = used[used["source"] == FEEDBACK].drop_duplicates(["plain", "label"])
    decided = decided.drop_duplicates("plain", keep=False)  # masking may make two texts one
    label = used["plain"].map(decided.set_index("plain")["label"])
    wrong = (used["source"] != FEEDBACK) & label.notna() & (used["label"] != label)
    rows.loc[used.index[wrong], "dropped"] = "overruled"


def _merge_duplicates(rows: pd.DataFrame, task: str) -> None:
    """Leave one row of each normalised text: the first with the label most of them have.

    What duplicates with that label know of categories is kept; without a majority all go.
    """
    used = rows[(rows["dropped"] == "") & (rows["set"] == "") & (rows["task"] == task)]
    used = used[used.duplicated("plain", keep=False)]
    share = used.groupby("plain")["label"].transform("mean")
    tied = share == 0.5
    outvoted = ~tied & (used["label"] != (share > 0.5))
    agreed = used[~tied & ~outvoted]
    repeated = agreed.duplicated("plain")
    rows.loc[used.index[tied], "dropped"] = "conflicting_labels"
    rows.loc[used.index[outvoted], "dropped"] = "outvoted"
    rows.loc[agreed.index[repeated], "dropped"] = "duplicate"

    known = agreed[[*CATEGORIES, "category"]].assign(
        category=agreed["category"].where(agreed["category"] != "")
    )
    merged = known.groupby(agreed["plain"]).transform("first").fillna({"category": ""})
    rows.loc[agreed.index[~repeated], known.columns] = merged[~repeated]


def _in_sample(rows: pd.DataFrame, size: int) -> pd.Series:
    """Return which rows are among the ``size`` of their source or set with the least hash.

    The hash is of the group, so that the choice does not depend on labels, order or other rows.
    """
    used = rows[rows["dropped"] == ""]
    ranked = used.assign(order=[sample_rank(group) for group in used["group"]]).sort_values(
        ["order", "plain"], kind="stable"
    )
    chosen = ranked.groupby(["task", "source", "set"]).head(size)
    return rows.index.to_series().isin(chosen.index)


def _counts(rows: pd.DataFrame) -> dict[str, Any]:
    kept = rows[rows["dropped"] == ""]
    return {
        "read": len(rows),
        "dropped": _tally(rows.loc[rows["dropped"] != "", "dropped"]),
        "kept": len(kept),
        "labels": _tally(kept["label"]),
    }


def _tally(values: Iterable[Any]) -> dict[str, int]:
    return {str(value): int(count) for value, count in pd.Series(values).value_counts().items()}


@entry_point
def main() -> None:
    """Run the stage.

    The report of validate_raw is named only so that DVC runs that stage first.
    """
    args = parse_args(
        __doc__, inputs=["raw", "validated"], outputs=["spam", "toxicity", "evaluation", "report"]
    )
    params = load_params()
    index = read_index(args.raw).of_tasks(*TEXT_TASKS)
    reserved = read_reserved(args.raw / RESERVED) if index.reserved else frozenset()
    rows = read_rows(index, args.raw, params.clean)
    rows = clean(rows, params.clean, reserved, params.data.sample)
    write_json(report(rows, index), args.report)
    write_table(training_table(rows, "spam"), args.spam)
    write_table(training_table(rows, "toxicity"), args.toxicity)
    write_table(evaluation_table(rows), args.evaluation)


if __name__ == "__main__":
    main()

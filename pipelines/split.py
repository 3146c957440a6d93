"""Divide the clean tables into train, validation and test: for ever, by the group of each row."""

import hashlib
from collections import Counter
from typing import Any

import pandas as pd

from models.errors import CareerlensError
from pipelines.entry import entry_point
from pipelines.stage import MODELS, parse_args, read_table, write_json, write_table

#: Changing either moves rows between sides: champions would be scored on what they learnt.
SALT = "careerlens split 1:"
SHARES = {"train": 0.70, "validation": 0.15, "test": 0.15}


class SplitError(CareerlensError):
    """A side of the split cannot be used."""


def side_of(group: str) -> str:
    """Return the side on which every row of ``group`` stands, in any corpus and at any time."""
    digest = hashlib.sha256((SALT + group).encode()).digest()
    place = int.from_bytes(digest[:8]) / 2**64
    if place < SHARES["train"]:
        return "train"
    return "validation" if place < SHARES["train"] + SHARES["validation"] else "test"


def split(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows of each side, in the order they had.

    Parameters
    ----------
    table : DataFrame with the column ``group``
    """
    sides = table["group"].map(side_of)
    return {side: table[sides == side].reset_index(drop=True) for side in SHARES}


def count_labels(sides: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Return the rows per source, side and label."""
    counts: dict[str, Any] = {}
    for side, table in sides.items():
        pairs = zip(table["source"], table["label"], strict=True)
        for (source, label), size in Counter(pairs).items():
            counts.setdefault(source, {}).setdefault(side, {})[str(label)] = size
    return counts


def require_labels(model: str, sides: dict[str, pd.DataFrame]) -> None:
    """Check that each side has rows of both labels.

    Raises
    ------
    SplitError
        If one has not: nothing could be learnt, or no threshold chosen, or nothing measured.
    """
    for side, table in sides.items():
        missing = {0, 1} - set(table["label"])
        if missing:
            raise SplitError(
                f"{model}: the side {side} ({len(table)} rows) has no row of label "
                f"{min(missing)}; the corpus is too small: raise data.sample in params.yaml"
            )


@entry_point
def main() -> None:
    """Run the stage.

    The report of validate_clean is named only so that DVC runs that stage first.
    """
    args = parse_args(__doc__, inputs=[*MODELS, "validated"], outputs=["splits", "report"])
    counts = {}
    for model in MODELS:
        sides = split(read_table(getattr(args, model)))
        require_labels(model, sides)
        for side, table in sides.items():
            write_table(table, args.splits / model / f"{side}.parquet")
        counts[model] = count_labels(sides)
    write_json({"salt": SALT, "shares": SHARES, "models": counts}, args.report)


if __name__ == "__main__":
    main()

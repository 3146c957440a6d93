"""Turn the words that raters marked into a table: where they stand, and who saw which category.

Raters often disagree on whether a comment is toxic, and `clean` drops it then; which of its words
made some of them say so is still worth learning. A corpus without such a source gives no rows.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set

import numpy as np
import pandas as pd

from models.params import load_params
from models.text import group_key, reserved_key
from pipelines.entry import entry_point
from pipelines.raw_files import Tables, column_of, read_raw
from pipelines.readers import CATEGORIES, SPAN_TYPES
from pipelines.repair import decode, mask
from pipelines.sampling import sample_rank
from pipelines.sources import RESERVED, read_index, read_reserved
from pipelines.stage import parse_args, read_table, write_table

#: The source with marked words.
SOURCE = "toxic_spans"

# What one rater marked: the type as written in spans.csv, the first place, one after the last.
_Mark = tuple[str, int, int]


def read_marks(tables: Tables) -> pd.DataFrame:
    """Return the rated comments of toxic_spans, each text once.

    Returns
    -------
    DataFrame
        ``text``; ``group``; ``starts`` and ``ends``, the stretches in code points that at least
        half of the raters marked who marked anything, much as in SemEval-2021 task 5; and for each
        category the share of all raters who marked a span of it.
    """
    raters: dict[str, list[str]] = defaultdict(list)
    votes = (column_of(tables, "annotations.csv", name) for name in ("comment_id", "annotation"))
    for comment, annotation in zip(*votes, strict=True):
        raters[comment].append(annotation)
    marks: dict[str, list[_Mark]] = defaultdict(list)
    spans = (
        column_of(tables, "spans.csv", name) for name in ("annotation", "type", "start", "end")
    )
    for annotation, kind, start, end in zip(*spans, strict=True):
        marks[annotation].append((kind.strip().casefold(), int(start), int(end)))
    comments = (column_of(tables, "comments.csv", name) for name in ("comment_id", "comment_text"))
    rows = []
    for comment, text in zip(*comments, strict=True):
        of_raters = [marks.get(annotation, []) for annotation in raters.get(comment, ())]
        starts, ends = _agreed(of_raters, len(text))
        row = {"text": text, "group": group_key(text), "starts": starts, "ends": ends}
        rows.append({**row, **_shares(of_raters)})
    columns = ["text", "group", "starts", "ends", *CATEGORIES]
    return pd.DataFrame(rows, columns=columns).drop_duplicates("text", ignore_index=True)


def usable(
    marks: pd.DataFrame, evaluation: Set[str], reserved: Set[str], sample: int | None
) -> pd.DataFrame:
    """Return the rows that may be learnt from, whose offsets hold in the text as `clean` has it.

    Parameters
    ----------
    marks : DataFrame, as of :func:`read_marks`
    evaluation : set of str
        The groups of the rows that are only scored.
    reserved : set of str
        Hashes of texts that must not be trained on, see :func:`models.text.reserved_key`.
    sample : int or None
        Keep at most this many rows.
    """
    tidy = marks["text"].map(lambda text: mask(decode(text)) == text)
    free = marks["text"].map(lambda text: reserved_key(text) not in reserved)
    kept = marks[tidy & free & ~marks["group"].isin(evaluation)]
    if sample is not None:
        first = kept["group"].map(sample_rank).sort_values(kind="stable").index[:sample]
        kept = kept.loc[first].sort_index()
    return kept.reset_index(drop=True)


def _agreed(of_raters: Sequence[Sequence[_Mark]], length: int) -> tuple[list[int], list[int]]:
    """Return where the stretches begin and end that half of those marked who marked anything."""
    hits = np.zeros(length + 2)  # nothing is marked before the text nor after it
    marking = [marks for marks in of_raters if marks]
    for marks in marking:
        places = {place for _, start, end in marks for place in range(start, min(end, length))}
        hits[[place + 1 for place in places]] += 1
    agreed = (hits > 0) & (2 * hits >= len(marking))
    edges = np.diff(agreed.astype(int))
    return np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist()


def _shares(of_raters: Sequence[Sequence[_Mark]]) -> Mapping[str, float]:
    seen = [{SPAN_TYPES.get(kind) for kind, _, _ in marks} for marks in of_raters]
    raters = max(1, len(seen))
    return {name: sum(name in names for names in seen) / raters for name in CATEGORIES}


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(__doc__, inputs=["raw", "evaluation"], outputs=["marks"])
    index = read_index(args.raw)
    if SOURCE in index.sources:
        tables = read_raw(SOURCE, args.raw / SOURCE)
        # `clean` leaves out trial comments without a mark; what is like them stays unseen too.
        trial = map(group_key, column_of(tables, "tsd_trial.csv", "text"))
        evaluation = {*read_table(args.evaluation)["group"], *trial}
        reserved = read_reserved(args.raw / RESERVED) if index.reserved else frozenset()
        marks = usable(read_marks(tables), evaluation, reserved, load_params().data.sample)
    else:
        marks = read_marks(_NOTHING)
    write_table(marks, args.marks)
    print(f"{len(marks):,} comments with marked words")


_NOTHING: Tables = {
    name: pd.DataFrame(columns=list(columns), dtype=str)
    for name, columns in {
        "comments.csv": ("comment_id", "comment_text"),
        "annotations.csv": ("annotation", "comment_id"),
        "spans.csv": ("annotation", "type", "start", "end"),
    }.items()
}


if __name__ == "__main__":
    main()

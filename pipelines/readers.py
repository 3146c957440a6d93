"""Read the raw files of each source: bytes to tables of strings, then tables to labelled rows."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from models.errors import CareerlensError
from models.params import CleanParams, ToxicSpansParams
from models.text import group_key

CATEGORIES = ("insult", "threat", "obscene", "identity_attack")

Tables = dict[str, pd.DataFrame]
Reader = Callable[[Tables, CleanParams], pd.DataFrame]

# The longest text of the public corpus is far below; the module's own limit is lower.
csv.field_size_limit(10_000_000)

_ONE_ZERO = {"1": 1, "0": 0}
_TRUE_FALSE = {"true": 1, "false": 0}


class RawReadError(CareerlensError):
    """A raw file is absent, of another encoding or shape, or has a label nobody declared."""


def decode_utf8(content: bytes) -> str:
    """Return ``content`` as UTF-8 text."""
    return content.decode("utf-8")


# Letters whose last byte had no place in Mac Roman and became "_"; which they were is known from
# the same messages in sms_phishing.
_LOST_BYTES = {"Ã_": "Ã¼", "â€_": "â€¦", "â”_": "â”¾"}


def decode_sms_spam_collection(content: bytes) -> str:
    """Return the text of spam.csv: UTF-8 that was read as cp1252 and saved as Mac Roman.

    Often taken for cp1252, under which a pound sign reads as two letters. Undoing both steps is
    strict: bytes that did not come about this way are refused.
    """
    text = content.decode("mac_roman")
    for damaged, whole in _LOST_BYTES.items():
        text = text.replace(damaged, whole)

    def undo(match: re.Match[str]) -> str:
        try:
            return match.group().encode("cp1252").decode("utf-8")
        except UnicodeError as error:
            raise UnicodeDecodeError(
                "mac_roman", content, *match.span(), "unknown sequence"
            ) from error

    return re.sub(r"[^\x00-\x7f]+", undo, text)


@dataclass(frozen=True)
class RawFormat:
    """How one raw file is written.

    Attributes
    ----------
    columns : tuple of str or None
        Column names of a file without a header row.
    lines : bool
        One text a line, divided at line feeds alone; else comma separated values.
    """

    columns: tuple[str, ...] | None = None
    lines: bool = False
    encoding: str = "utf-8"
    decode: Callable[[bytes], str] = decode_utf8


_CSV = RawFormat()

RAW_FORMATS: dict[str, dict[str, RawFormat]] = {
    "starter": {"messages.csv": _CSV},
    "sms_spam_collection": {
        "spam.csv": RawFormat(
            encoding="Mac Roman over cp1252 over UTF-8", decode=decode_sms_spam_collection
        )
    },
    "sms_phishing": {"Dataset_5971.csv": _CSV},
    "jigsaw_balanced": {"test.csv": RawFormat(columns=("text", "label"))},
    "wiki_context_toxicity": {"gc.csv": _CSV, "gn.csv": _CSV},
    "toxic_spans": dict.fromkeys(
        ("comments.csv", "annotations.csv", "spans.csv", "tsd_train.csv", "tsd_trial.csv"), _CSV
    ),
    "tweeteval_offensive": {
        **dict.fromkeys(("train_text.txt", "val_text.txt"), RawFormat(("text",), lines=True)),
        **dict.fromkeys(("train_labels.txt", "val_labels.txt"), RawFormat(("label",), lines=True)),
    },
    "unintended_bias": {
        "toxicity_nonfuzzed_testset.csv": _CSV,
        "en_sentence_templates.csv": _CSV,
    },
}


def read_raw(reader: str, folder: Path) -> Tables:
    """Return every file of one source as a table of strings, whatever its columns are called.

    Parameters
    ----------
    reader : str
        The reader that data/sources.yaml names for the source.
    folder : Path
        ``data/raw/<source>``.

    Raises
    ------
    RawReadError
        If a file is absent, cannot be decoded, or is not the table its format says.
    """
    if reader not in RAW_FORMATS:
        raise RawReadError(
            f"source {folder.name}: no reader {reader!r}; data/sources.yaml may name "
            + ", ".join(RAW_FORMATS)
        )
    return {
        name: _read_table(folder / name, raw_format)
        for name, raw_format in RAW_FORMATS[reader].items()
    }


def _read_table(path: Path, raw_format: RawFormat) -> pd.DataFrame:
    where = f"source {path.parent.name}, file {path}"
    try:
        text = raw_format.decode(path.read_bytes())
    except OSError as error:
        raise RawReadError(f"{where}: {error.strerror}; run `dvc repro ingest`") from error
    except UnicodeDecodeError as error:
        raise RawReadError(
            f"{where}: not {raw_format.encoding}: {error.reason} at byte {error.start}; "
            "restore the original file (`dvc repro --force ingest`), or declare its new encoding "
            "in pipelines/readers.py"
        ) from error
    if raw_format.lines:
        rows = [[line] for line in text.removesuffix("\n").split("\n")]
    else:
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except csv.Error as error:
            raise RawReadError(f"{where}: malformed CSV ({error}); is the file cut off?") from error
    if not rows:
        raise RawReadError(f"{where}: the file is empty; run `dvc repro --force ingest`")
    columns = raw_format.columns or _named(rows.pop(0))
    for number, row in enumerate(rows, start=1):
        if len(row) != len(columns):
            raise RawReadError(
                f"{where}: record {number} has {len(row)} fields where {len(columns)} are expected"
            )
    return pd.DataFrame(rows, columns=list(columns), dtype=str)


def _named(header: Sequence[str]) -> list[str]:
    """Name nameless columns as pandas does."""
    return [name or f"Unnamed: {position}" for position, name in enumerate(header)]


def rows_of(
    text: Sequence[str] | pd.Series,
    label: Sequence[int] | pd.Series,
    *,
    task: str,
) -> pd.DataFrame:
    """Return rows as the clean stage takes them, one for each text.

    Columns: ``text``; ``task``, spam or toxicity; ``label``; the four categories, 0 for clean
    rows and unknown (NaN) for toxic ones; ``category``, the source's own name of the kind of
    message; ``set``, the evaluation set or "" for training; ``group``, "" where the text decides;
    ``dropped``, the reason a row cannot be used or "".
    """
    rows = pd.DataFrame({"text": list(text), "task": task, "label": list(label)})
    unknown = float("nan")
    for category in CATEGORIES:
        rows[category] = rows["label"].map({0: 0.0, 1: unknown}) if task == "toxicity" else unknown
    return rows.assign(category="", set="", group="", dropped="")


def read_starter(tables: Tables, _params: CleanParams) -> pd.DataFrame:
    """Each message twice, once for each model; a template is a group."""
    name = "messages.csv"
    text, category = _column(tables, name, "text"), _column(tables, name, "category")
    groups = [group_key(f"starter template {key}") for key in _column(tables, name, "template")]
    both = []
    for task, column in (("spam", "spam"), ("toxicity", "toxic")):
        rows = rows_of(text, _labels(tables, name, column, _ONE_ZERO), task=task)
        both.append(rows.assign(category=list(category), group=groups))
    named = both[1]["category"].str.split("+")
    toxic = (both[1]["label"] == 1) & named.map(lambda names: set(names) <= set(CATEGORIES))
    for kind in CATEGORIES:
        holds = named.map(lambda names, kind=kind: float(kind in names))
        both[1][kind] = both[1][kind].mask(toxic, holds)
    return pd.concat(both, ignore_index=True)


def read_sms_spam_collection(tables: Tables, _params: CleanParams) -> pd.DataFrame:
    """Messages whose commas were taken for separators are put together again."""
    name = "spam.csv"
    labels = _labels(tables, name, "v1", {"ham": 0, "spam": 1})
    text = _column(tables, name, "v2")
    for column in tables[name].columns:
        if column.startswith("Unnamed"):
            rest = tables[name][column]
            text = text.where(rest == "", text + "," + rest)
    return rows_of(text, labels, task="spam")


# Characters lost before the file was published; what they were shows where money or an
# abbreviation follows.
_LOST_POUND = re.compile(r"\ufffd(?=\d)")
_LOST_APOSTROPHE = re.compile(r"(?<=[A-Za-z])\ufffd(?=(?:t|s|m|d|ll|re|ve)\b)")


def read_sms_phishing(tables: Tables, _params: CleanParams) -> pd.DataFrame:
    """Smishing is spam too, and keeps its name as category."""
    name = "Dataset_5971.csv"
    text = _column(tables, name, "TEXT").str.replace(_LOST_POUND, "£", regex=True)
    text = text.str.replace(_LOST_APOSTROPHE, "'", regex=True)
    labels = _labels(tables, name, "LABEL", {"ham": 0, "spam": 1, "smishing": 1})
    smishing = _column(tables, name, "LABEL").str.casefold() == "smishing"
    rows = rows_of(text, labels, task="spam")
    return rows.assign(category=smishing.map({True: "smishing", False: ""}))


def read_jigsaw_balanced(tables: Tables, _params: CleanParams) -> pd.DataFrame:
    """Talk-page comments."""
    labels = _labels(tables, "test.csv", "label", _ONE_ZERO)
    return rows_of(_column(tables, "test.csv", "text"), labels, task="toxicity")


def read_wiki_context_toxicity(tables: Tables, _params: CleanParams) -> pd.DataFrame:
    """Talk-page comments; their parents carry no label."""
    parts = []
    for name in ("gc.csv", "gn.csv"):
        labels = _labels(tables, name, "label", _ONE_ZERO)
        parts.append(rows_of(_column(tables, name, "text"), labels, task="toxicity"))
    return pd.concat(parts, ignore_index=True)


def read_tweeteval_offensive(tables: Tables, _params: CleanParams) -> pd.DataFrame:
    """Tweets, and their labels line by line."""
    parts = []
    for part in ("train", "val"):
        text = _column(tables, f"{part}_text.txt", "text")
        labels = _labels(tables, f"{part}_labels.txt", "label", _ONE_ZERO)
        if len(text) != len(labels):
            raise RawReadError(
                f"tweeteval_offensive: {part}_text.txt has {len(text)} lines and "
                f"{part}_labels.txt {len(labels)}; they must match: run `dvc repro --force ingest`"
            )
        parts.append(rows_of(text, labels, task="toxicity"))
    return pd.concat(parts, ignore_index=True)


def read_toxic_spans(tables: Tables, params: CleanParams) -> pd.DataFrame:
    """Comments labelled by their raters' votes, see :func:`label_votes`.

    Both SemEval files repeat comments of comments.csv with fewer particulars: the train file adds
    nothing and is dropped, the trial file is an evaluation set.
    """
    votes = label_votes(tables, params.toxic_spans)
    votes = votes.reindex(_column(tables, "comments.csv", "comment_id"))
    text = _column(tables, "comments.csv", "comment_text")
    rows = rows_of(text, votes["label"].fillna(0).astype(int), task="toxicity")
    rows["dropped"] = votes["dropped"].fillna("no_votes").to_numpy()
    for category in CATEGORIES:
        rows[category] = votes[category].to_numpy()

    copies = _semeval(tables, "tsd_train.csv")
    known = copies["text"].isin(set(text))
    copies["dropped"] = known.map({True: "copy_in_comments", False: "no_votes"})
    trial = _semeval(tables, "tsd_trial.csv").assign(set="semeval_trial")
    # All of these comments provoke: one without spans is none that anybody called clean.
    trial.loc[trial["label"] == 0, "dropped"] = "no_spans"
    return pd.concat([rows, copies, trial], ignore_index=True)


def _semeval(tables: Tables, name: str) -> pd.DataFrame:
    """Label a comment toxic when any toxic characters are listed."""
    spans = _column(tables, name, "spans")
    malformed = ~spans.str.fullmatch(r"\[[\d, ]*\]")
    if malformed.any():
        raise RawReadError(
            f"{name}, column 'spans': {malformed.sum()} rows hold no list of numbers"
        )
    return rows_of(_column(tables, name, "text"), (spans != "[]").astype(int), task="toxicity")


# As written in spans.csv, case aside; three rows are cut short. Others mean no category of ours.
_SPAN_TYPES = {
    "insult": "insult",
    "insu": "insult",
    "threat": "threat",
    "profane/obscene": "obscene",
    "identity based attack": "identity_attack",
    "identity based": "identity_attack",
}


def label_votes(tables: Tables, params: ToxicSpansParams) -> pd.DataFrame:
    """Return the label and categories of each rated comment of toxic_spans.

    A comment's *doubt* is the share of its raters who voted "not toxic". Toxic when the doubt is
    at most ``toxic_max_doubt``, clean when at least ``clean_min_doubt``; in between the raters
    disagree. A category holds (1) when at least ``category_min_share`` of the raters marked a
    span of its type, does not (0) when none did or the comment is clean, and is unknown between.

    Returns
    -------
    DataFrame, index comment_id, columns ``label``, ``dropped`` and the four categories
    """
    name = "annotations.csv"
    votes = pd.DataFrame(
        {
            "annotation": _column(tables, name, "annotation"),
            "comment": _column(tables, name, "comment_id"),
            "doubt": _labels(tables, name, "not toxic", _TRUE_FALSE).astype(float),
        }
    )
    doubt = votes.groupby("comment")["doubt"].mean()
    raters = votes.groupby("comment").size()
    toxic, clean = doubt <= params.toxic_max_doubt, doubt >= params.clean_min_doubt
    labelled = pd.DataFrame({"label": toxic.astype(int)})
    labelled["dropped"] = (toxic | clean).map({True: "", False: "raters_disagree"})

    spans = pd.DataFrame(
        {
            "annotation": _column(tables, "spans.csv", "annotation"),
            "type": _column(tables, "spans.csv", "type").str.strip().str.casefold(),
        }
    )
    spans["category"] = spans["type"].map(_SPAN_TYPES)
    marks = spans.dropna(subset="category").drop_duplicates(["annotation", "category"])
    marks = marks.merge(votes[["annotation", "comment"]], on="annotation")
    for category in CATEGORIES:
        marked = marks.loc[marks["category"] == category, "comment"].value_counts()
        share = (marked.reindex(doubt.index, fill_value=0) / raters).where(~clean, 0.0)
        unknown = (share > 0) & (share < params.category_min_share)
        labelled[category] = (share > 0).astype(float).mask(unknown)
    return labelled


def read_unintended_bias(tables: Tables, _params: CleanParams) -> pd.DataFrame:
    """Two evaluation sets."""
    name = "toxicity_nonfuzzed_testset.csv"
    labels = _labels(tables, name, "toxic", _TRUE_FALSE)
    comments = rows_of(_column(tables, name, "comment"), labels, task="toxicity")
    name = "en_sentence_templates.csv"
    labels = _labels(tables, name, "toxicity", {"nontoxic": 0, "toxic": 1})
    templates = rows_of(_column(tables, name, "phrase"), labels, task="toxicity")
    return pd.concat(
        [
            comments.assign(set="unintended_bias_nonfuzzed"),
            templates.assign(set="identity_templates"),
        ],
        ignore_index=True,
    )


READERS: Mapping[str, Reader] = {
    "starter": read_starter,
    "sms_spam_collection": read_sms_spam_collection,
    "sms_phishing": read_sms_phishing,
    "jigsaw_balanced": read_jigsaw_balanced,
    "wiki_context_toxicity": read_wiki_context_toxicity,
    "toxic_spans": read_toxic_spans,
    "tweeteval_offensive": read_tweeteval_offensive,
    "unintended_bias": read_unintended_bias,
}


def _column(tables: Tables, file: str, column: str) -> pd.Series:
    table = tables[file]
    if column not in table.columns:
        raise RawReadError(
            f"{file}: no column {column!r}, only {', '.join(table.columns)}; restore the file "
            "(`dvc repro --force ingest`) or adapt pipelines/readers.py"
        )
    return table[column]


def _labels(tables: Tables, file: str, column: str, meaning: Mapping[str, int]) -> pd.Series:
    """Return 0 or 1 for each cell, case ignored."""
    cells = _column(tables, file, column).str.casefold()
    strangers = sorted(set(cells) - set(meaning))
    if strangers:
        raise RawReadError(
            f"{file}, column {column!r}: label {', '.join(map(repr, strangers[:5]))}; "
            f"expected {', '.join(map(repr, meaning))}"
        )
    return cells.map(meaning)

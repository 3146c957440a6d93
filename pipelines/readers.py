"""Turn the tables of each moderation source into labelled rows."""

import re
from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from models.params import CleanParams, ToxicSpansParams
from models.text import group_key
from pipelines.raw_files import RawReadError, Tables, column_of
from pipelines.split import side_of

CATEGORIES = ("insult", "threat", "obscene", "identity_attack")

Reader = Callable[[Tables, CleanParams], pd.DataFrame]

_ONE_ZERO = {"1": 1, "0": 0}
_TRUE_FALSE = {"true": 1, "false": 0}


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
    text, category = column_of(tables, name, "text"), column_of(tables, name, "category")
    groups = [group_key(f"starter template {key}") for key in column_of(tables, name, "template")]
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


def read_workplace(tables: Tables, params: CleanParams) -> pd.DataFrame:
    """Read the starter corpus for models of the public one.

    Its spam of the test side is left out, which only models of the starter corpus are scored on:
    a third of so few test rows would be hard ones of our own writing.
    """
    rows = read_starter(tables, params)
    scored = (rows["task"] == "spam") & (rows["group"].map(side_of) == "test")
    rows.loc[scored, "dropped"] = "scored_as_starter"
    return rows


def read_feedback(tables: Tables, _params: CleanParams) -> pd.DataFrame:
    """Decisions of moderators, as `python -m serving.feedback export` writes it."""
    name = "feedback.jsonl"
    kind, labels = column_of(tables, name, "kind"), _labels(tables, name, "label", _ONE_ZERO)
    text = column_of(tables, name, "text")
    parts = []
    for task in ("spam", "toxicity"):
        rows = rows_of(text[kind == task], labels[kind == task], task=task)
        if task == "toxicity":
            toxic = rows["label"] == 1
            for category in CATEGORIES:
                said = column_of(tables, name, category)[kind == task].map({"0": 0.0, "1": 1.0})
                rows[category] = rows[category].mask(toxic, pd.Series(said.to_numpy()))
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)


def read_sms_spam_collection(tables: Tables, _params: CleanParams) -> pd.DataFrame:
    """Messages whose commas were taken for separators are put together again."""
    name = "spam.csv"
    labels = _labels(tables, name, "v1", {"ham": 0, "spam": 1})
    text = column_of(tables, name, "v2")
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
    text = column_of(tables, name, "TEXT").str.replace(_LOST_POUND, "£", regex=True)
    text = text.str.replace(_LOST_APOSTROPHE, "'", regex=True)
    labels = _labels(tables, name, "LABEL", {"ham": 0, "spam": 1, "smishing": 1})
    smishing = column_of(tables, name, "LABEL").str.casefold() == "smishing"
    rows = rows_of(text, labels, task="spam")
    return rows.assign(category=smishing.map({True: "smishing", False: ""}))


def read_jigsaw_balanced(tables: Tables, _params: CleanParams) -> pd.DataFrame:
    """Talk-page comments."""
    labels = _labels(tables, "test.csv", "label", _ONE_ZERO)
    return rows_of(column_of(tables, "test.csv", "text"), labels, task="toxicity")


def read_wiki_context_toxicity(tables: Tables, _params: CleanParams) -> pd.DataFrame:
    """Talk-page comments; their parents carry no label."""
    parts = []
    for name in ("gc.csv", "gn.csv"):
        labels = _labels(tables, name, "label", _ONE_ZERO)
        parts.append(rows_of(column_of(tables, name, "text"), labels, task="toxicity"))
    return pd.concat(parts, ignore_index=True)


def read_tweeteval_offensive(tables: Tables, _params: CleanParams) -> pd.DataFrame:
    """Tweets, and their labels line by line."""
    parts = []
    for part in ("train", "val"):
        text = column_of(tables, f"{part}_text.txt", "text")
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
    votes = votes.reindex(column_of(tables, "comments.csv", "comment_id"))
    text = column_of(tables, "comments.csv", "comment_text")
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
    spans = column_of(tables, name, "spans")
    malformed = ~spans.str.fullmatch(r"\[[\d, ]*\]")
    if malformed.any():
        raise RawReadError(
            f"{name}, column 'spans': {malformed.sum()} rows hold no list of numbers"
        )
    return rows_of(column_of(tables, name, "text"), (spans != "[]").astype(int), task="toxicity")


#: As written in spans.csv, case aside; three rows are cut short. Others mean no category of ours.
SPAN_TYPES = {
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
            "annotation": column_of(tables, name, "annotation"),
            "comment": column_of(tables, name, "comment_id"),
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
            "annotation": column_of(tables, "spans.csv", "annotation"),
            "type": column_of(tables, "spans.csv", "type").str.strip().str.casefold(),
        }
    )
    spans["category"] = spans["type"].map(SPAN_TYPES)
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
    comments = rows_of(column_of(tables, name, "comment"), labels, task="toxicity")
    name = "en_sentence_templates.csv"
    labels = _labels(tables, name, "toxicity", {"nontoxic": 0, "toxic": 1})
    templates = rows_of(column_of(tables, name, "phrase"), labels, task="toxicity")
    return pd.concat(
        [
            comments.assign(set="unintended_bias_nonfuzzed"),
            templates.assign(set="identity_templates"),
        ],
        ignore_index=True,
    )


READERS: Mapping[str, Reader] = {
    "starter": read_starter,
    "workplace": read_workplace,
    "feedback": read_feedback,
    "sms_spam_collection": read_sms_spam_collection,
    "sms_phishing": read_sms_phishing,
    "jigsaw_balanced": read_jigsaw_balanced,
    "wiki_context_toxicity": read_wiki_context_toxicity,
    "toxic_spans": read_toxic_spans,
    "tweeteval_offensive": read_tweeteval_offensive,
    "unintended_bias": read_unintended_bias,
}


def _labels(tables: Tables, file: str, column: str, meaning: Mapping[str, int]) -> pd.Series:
    """Return 0 or 1 for each cell, case ignored."""
    cells = column_of(tables, file, column).str.casefold()
    strangers = sorted(set(cells) - set(meaning))
    if strangers:
        raise RawReadError(
            f"{file}, column {column!r}: label {', '.join(map(repr, strangers[:5]))}; "
            f"expected {', '.join(map(repr, meaning))}"
        )
    return cells.map(meaning)

"""The rows that quality is measured on: the public corpus's, disguised, diluted, or of our own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipelines.raw_files import column_of, read_raw
from pipelines.sampling import sample_rank
from pipelines.stage import read_table

#: The sources of spam that are not of our own writing.
SPAM_SOURCES = ("sms_spam_collection", "sms_phishing")
TOXICITY_SOURCES = (
    "jigsaw_balanced",
    "wiki_context_toxicity",
    "toxic_spans",
    "tweeteval_offensive",
)

# Enough for intervals of a few percent; an attack makes another copy of them all.
_ATTACKED_TOXIC, _ATTACKED_CLEAN = 500, 1_500
_ATTACKED_CHARS = 500
_LONG_WORDS = 100


@dataclass(frozen=True)
class SpanRow:
    """A comment and the characters of it that its raters marked."""

    text: str
    marked: frozenset[int]


@dataclass(frozen=True)
class QualityRows:
    """Every set of rows; frames have the columns text and label, and what the stages gave them.

    Attributes
    ----------
    spam : DataFrame
        All rows that spam is learnt from, without duplicates, with ``group``.
    spam_test, toxicity_test : DataFrame
        The test side of the split.
    nonfuzzed, templates : DataFrame
        The two evaluation sets of unintended_bias.
    spans : list of SpanRow
        The SemEval trial rows.
    workplace : list of str
    attacked : DataFrame
        Test rows short enough for each attack to be tried.
    long_clean : DataFrame
        Clean test rows of a hundred words or more.
    """

    spam: pd.DataFrame
    spam_test: pd.DataFrame
    toxicity_test: pd.DataFrame
    nonfuzzed: pd.DataFrame
    templates: pd.DataFrame
    spans: list[SpanRow]
    workplace: list[str]
    attacked: pd.DataFrame
    long_clean: pd.DataFrame


def read_quality_rows(workspace: Path, behaviour: Path) -> QualityRows:
    """Return the rows, from a workspace in which the public corpus is.

    Parameters
    ----------
    behaviour : Path
        The folder of the workplace messages and the identity terms.
    """
    data = workspace / "data"
    evaluation = read_table(data / "clean" / "evaluation.parquet")
    test = read_table(data / "splits" / "toxicity" / "test.parquet")
    test = test[test["source"].isin(TOXICITY_SOURCES)].reset_index(drop=True)
    spam_test = read_table(data / "splits" / "spam" / "test.parquet")
    lines = (behaviour / "workplace.txt").read_text(encoding="utf-8").splitlines()
    clean = test["label"] == 0
    return QualityRows(
        spam=read_table(data / "clean" / "spam.parquet"),
        spam_test=spam_test[spam_test["source"].isin(SPAM_SOURCES)].reset_index(drop=True),
        toxicity_test=test,
        nonfuzzed=_of_set(evaluation, "unintended_bias_nonfuzzed"),
        templates=_of_set(evaluation, "identity_templates"),
        spans=_span_rows(data / "raw"),
        workplace=[line for line in lines if line and not line.startswith("#")],
        attacked=_attacked(test),
        long_clean=test[clean & (test["text"].str.count(r"\S+") >= _LONG_WORDS)],
    )


def sampled(frame: pd.DataFrame, size: int) -> pd.DataFrame:
    """Return at most ``size`` rows, chosen by the hash of their text, in their order."""
    if len(frame) <= size:
        return frame.reset_index(drop=True)
    chosen = frame["text"].map(sample_rank).sort_values(kind="stable").index[:size]
    return frame.loc[chosen].sort_index().reset_index(drop=True)


def continued(texts: Sequence[str], clean: Sequence[str], words: int) -> list[str]:
    """Return each text followed by so many words of clean ones, each time of others."""
    stock = [word for text in clean for word in text.split()]
    step = max(1, (len(stock) - words) // max(1, len(texts)))
    return [
        f"{text} {' '.join(stock[step * row : step * row + words])}"
        for row, text in enumerate(texts)
    ]


def _of_set(evaluation: pd.DataFrame, name: str) -> pd.DataFrame:
    return evaluation[evaluation["set"] == name].reset_index(drop=True)


def _attacked(test: pd.DataFrame) -> pd.DataFrame:
    short = test[test["text"].str.len() <= _ATTACKED_CHARS]
    parts = [
        sampled(short[short["label"] == label], size)
        for label, size in ((1, _ATTACKED_TOXIC), (0, _ATTACKED_CLEAN))
    ]
    return pd.concat(parts, ignore_index=True)


def _span_rows(raw: Path) -> list[SpanRow]:
    """Return the trial comments as published: their spans count the characters of that form."""
    tables = read_raw("toxic_spans", raw / "toxic_spans")
    texts, spans = (column_of(tables, "tsd_trial.csv", name) for name in ("text", "spans"))
    return [
        SpanRow(text, frozenset(json.loads(marked)))
        for text, marked in zip(texts, spans, strict=True)
    ]

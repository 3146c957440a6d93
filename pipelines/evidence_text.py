"""Spam and toxicity at the gate: the test rows and the evaluation sets, scored by both models."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from models import paired
from models.bundle import Bundle
from models.gates import Slice, flatten_metrics
from models.labels import HEADS
from models.manifest import Kind, Thresholds
from models.metrics import binary_metrics
from models.params import EvaluateParams
from models.scoring import score_texts
from pipelines.evaluate import LENGTH_BANDS, evaluate
from pipelines.evidence_rows import Answered, EvidenceError, Given, digest_of, grouped, require
from pipelines.intervals import plain
from pipelines.split import side_of
from pipelines.stage import read_table

Rows = NDArray[np.int_]

#: The words by which people say who they are, in the folder of data.
IDENTITY_TERMS = Path("behaviour", "identity.txt")

# Resamples of intervals that nobody looks at.
_FEW = 10


def see_messages(
    kind: Kind, bundles: Sequence[Bundle[Pipeline]], data: Path, params: EvaluateParams
) -> tuple[Given, list[Answered]]:
    """Return the test rows of ``kind`` and what each model scores on them.

    Rows on another side of the split than the test side are left out: models learn from them.

    Raises
    ------
    EvidenceError
        If the rows are not there, or none is left.
    """
    path = require(data / "splits" / kind / "test.parquet")
    table = read_table(path)
    test = table[[side_of(group) == "test" for group in table["group"]]].reset_index(drop=True)
    if test.empty:
        raise EvidenceError(f"{path} has no row on the test side of the split: run `dvc repro`")
    sets = _evaluation_sets(kind, data)
    terms = identity_terms(data / IDENTITY_TERMS)
    slices = dict(_slices(test, sets, terms))
    answers = [_answered(kind, bundle, test, sets, slices, params) for bundle in bundles]
    notes = (
        f"{len(test):,} rows of {path}",
        f"{len(table) - len(test):,} left out that a model may have learnt from",
        f"{len(sets):,} rows of evaluation sets",
    )
    given = Given(
        digest=digest_of(
            f"{label}\t{text}"
            for part in (test, sets)
            for label, text in zip(part["label"], part["text"], strict=True)
        ),
        texts=test["text"].tolist(),
        wanted=[HEADS[kind][0] if label else "clean" for label in test["label"]],
        notes=notes,
    )
    return given, answers


def identity_terms(path: Path) -> "re.Pattern[str]":
    """Return the pattern of the terms at ``path``, longest first, in lower case."""
    lines = require(path).read_text(encoding="utf-8").splitlines()
    terms = [line for line in lines if line and not line.startswith("#")]
    alternatives = "|".join(map(re.escape, sorted(terms, key=len, reverse=True)))
    return re.compile(rf"\b({alternatives})(?:s|es)?\b")


def _evaluation_sets(kind: Kind, data: Path) -> pd.DataFrame:
    # The evaluation sets are all about toxicity.
    table = read_table(require(data / "clean" / "evaluation.parquet"))
    return table if kind == "toxicity" else table.iloc[:0]


def _slices(
    test: pd.DataFrame, sets: pd.DataFrame, terms: "re.Pattern[str]"
) -> Iterator[tuple[str, Rows]]:
    """Yield the rows of each slice; those of ``sets`` are numbered after those of ``test``."""
    for name, rows in grouped([*test["source"], *sets["set"]]):
        yield f"source/{name}", rows
    for name, rows in grouped(map(_length_band, test["text"])):
        yield f"length/{name}", rows
    for name, rows in grouped(test["category"]):
        if name:
            yield f"category/{name}", rows
    labels = [*test["label"], *sets["label"]]
    yield from _identity_slices([*test["text"], *sets["text"]], labels, terms)


def _length_band(text: str) -> str:
    return next(name for upper, name in LENGTH_BANDS if len(text) <= upper)


def _identity_slices(
    texts: Sequence[str], labels: Sequence[int], terms: "re.Pattern[str]"
) -> Iterator[tuple[str, Rows]]:
    """Yield the clean rows that have each term, and those that have any.

    Toxic ones are left out: that more of them are caught must not make up for people who are
    flagged for what they are.
    """
    rows: dict[str, list[int]] = {}
    for row, (text, label) in enumerate(zip(texts, labels, strict=True)):
        found = set(terms.findall(text.lower())) if label == 0 else set()
        for name in (*found, "any") if found else ():
            rows.setdefault(name, []).append(row)
    for name in sorted(rows):
        yield f"identity/{name}", np.array(rows[name])


def _answered(
    kind: Kind,
    bundle: Bundle[Pipeline],
    test: pd.DataFrame,
    sets: pd.DataFrame,
    slices: Mapping[str, Rows],
    params: EvaluateParams,
) -> Answered:
    model, thresholds = bundle.model, bundle.manifest.thresholds
    assert thresholds is not None
    heads = score_texts(model, test["text"].tolist())
    scores, labels = heads[:, 0], test["label"].to_numpy()
    of_sets = score_texts(model, sets["text"].tolist())[:, 0] if len(sets) else np.zeros(0)
    flagged = np.concatenate((scores, of_sets)) >= thresholds.review
    right = flagged == np.concatenate((labels, sets["label"].to_numpy()))
    metrics = _metrics(kind, test, heads, sets, of_sets, thresholds, params)
    metric, main = (
        ("mcc", paired.mcc(labels, flagged[: len(test)]))
        if kind == "spam"
        else ("auc", paired.auc(labels, scores))
    )
    return Answered(
        metrics=metrics,
        figures=flatten_metrics(metrics),
        metric=metric,
        main=main,
        quality=right[: len(test)].astype(float),
        slices={name: Slice(len(rows), float(right[rows].mean())) for name, rows in slices.items()},
        said=[
            f"{score:.3f} {'flagged' if score >= thresholds.review else 'passed'}"
            for score in scores
        ],
        answer=lambda text: score_texts(model, [text]),
        scores=scores,
        ece=float(metrics["headline"]["ece"]["value"]),
    )


def _metrics(
    kind: Kind,
    test: pd.DataFrame,
    heads: NDArray[np.float64],
    sets: pd.DataFrame,
    of_sets: NDArray[np.float64],
    thresholds: Thresholds,
    params: EvaluateParams,
) -> dict[str, Any]:
    """Return what metrics.json would have; only the headline has intervals worth the time."""
    few = EvaluateParams(bootstrap=_FEW, seed=params.seed)
    metrics = evaluate(kind, test, heads, thresholds, few)
    metrics["evaluation"] = {
        name: plain(
            binary_metrics(
                *(sets["label"].to_numpy()[rows], of_sets[rows], thresholds.review),
                resamples=_FEW,
                seed=params.seed,
            )
        )
        for name, rows in grouped(sets["set"])
    }
    for part in ("slices", "evaluation", "heads", "at_block"):
        metrics[part] = _without_intervals(metrics[part])
    headline = binary_metrics(
        *(test["label"].to_numpy(), heads[:, 0], thresholds.review),
        resamples=params.bootstrap,
        seed=params.seed,
    )
    return metrics | {"headline": plain(headline)}


def _without_intervals(content: Any) -> Any:
    if not isinstance(content, dict):
        return content
    if set(content) == {"value", "low", "high"}:
        return content["value"]
    return {name: _without_intervals(part) for name, part in content.items()}

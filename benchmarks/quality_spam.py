"""Spam, out of fold over all rows of the public sources: no group is on both sides of a fold."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from benchmarks.quality_figures import Line, Models, Scores, figures, resampled, shown
from benchmarks.quality_rows import SPAM_SOURCES, QualityRows
from models.params import Params
from models.scoring import linear_weights, score_texts
from models.tfidf import fit_vectoriser
from pipelines.train_spam import train_spam

FOLDS = 5

#: Share of ham that may be blocked.
_HAM_BLOCKED = 0.002


def spam_lines(models: Models, rows: QualityRows, params: Params) -> Iterator[Line]:
    """Yield the lines about spam."""
    table = rows.spam
    folds = table["group"].map(lambda group: int(group, 16) % FOLDS).to_numpy()
    logits = out_of_fold(table, folds, params)
    asked = table["source"].isin(SPAM_SOURCES).to_numpy()
    labels = table["label"].to_numpy()
    own = figures(labels[~asked], expit(logits[~asked]), 0.5, params.evaluate)["auc"]
    labels, logits, folds = labels[asked], logits[asked], folds[asked]
    flags = np.zeros(len(labels), dtype=bool)
    for fold in range(FOLDS):
        others = folds != fold
        flags[~others] = logits[~others] >= best_threshold(labels[others], logits[others])
    mcc = figures(labels, flags.astype(float), 0.5, params.evaluate)["mcc"]
    yield Line(
        "spam, out of fold, threshold of the other folds: MCC", len(labels), shown(mcc), "≥ .970"
    )

    def caught(drawn: NDArray[np.int_]) -> float:
        return caught_at(labels[drawn], logits[drawn], _HAM_BLOCKED)

    found = resampled(len(labels), caught, params.evaluate)
    yield Line(
        "spam, out of fold: spam caught at ≤ .2 % ham blocked", len(labels), shown(found), "≥ .94"
    )
    yield Line("spam among messages of our own, out of fold: AUC", int((~asked).sum()), shown(own))
    test = rows.spam_test
    scores = score_texts(models.spam.model, test["text"].tolist())[:, 0]
    ece = figures(test["label"].to_numpy(), scores, 0.5, params.evaluate)["ece"]
    yield Line("spam, all public test rows: ECE", len(test), shown(ece), "≤ .03")


def out_of_fold(table: pd.DataFrame, folds: NDArray[np.int_], params: Params) -> Scores:
    """Return the logit of every row from a model that learnt none of its fold."""
    logits = np.zeros(len(table))
    for fold in range(FOLDS):
        learnt = table[folds != fold].reset_index(drop=True)
        vectoriser = fit_vectoriser(
            learnt["text"].tolist(), params.spam.normalise, params.spam.tfidf
        )
        features = vectoriser.transform(learnt["text"].tolist())
        pipeline = train_spam(vectoriser, features, learnt, params.spam, "public")
        weights, intercept = linear_weights(pipeline)
        held = pipeline[:-1].transform(table["text"][folds == fold].tolist())
        logits[folds == fold] = held @ weights + intercept
    return logits


def best_threshold(labels: NDArray[np.int_], scores: Scores) -> float:
    """Return the threshold of the best MCC, half way between two scores."""
    order = np.argsort(scores)
    ordered, positive = scores[order], labels[order]
    below = np.arange(1, len(labels))
    fn = np.cumsum(positive)[:-1]
    tp, tn = positive.sum() - fn, below - fn
    fp = len(labels) - below - tp
    with np.errstate(divide="ignore", invalid="ignore"):
        mcc = (tp * tn - fp * fn) / np.sqrt(
            (tp + fp).astype(float) * (tp + fn) * (tn + fp) * (tn + fn)
        )
    best = int(np.nanargmax(np.where(np.diff(ordered) > 0, mcc, np.nan)))
    return float(ordered[best] + ordered[best + 1]) / 2


def caught_at(labels: NDArray[np.int_], scores: Scores, ham_blocked: float) -> float:
    """Return the share of spam above the lowest threshold that blocks so little ham."""
    ham = np.sort(scores[labels == 0])
    highest_below = ham[len(ham) - 1 - int(ham_blocked * len(ham))]
    return float((scores[labels == 1] > highest_below).mean())

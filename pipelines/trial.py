"""One trial of a search for parameters: a text model fitted with some, and how good it is.

A worker's process does it, on training and validation rows; test rows have no part in it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, matthews_corrcoef, roc_auc_score

from models.params import Corpus, SpamParams, ToxicityParams
from models.scoring import score_texts
from models.tfidf import fit_transform
from pipelines.train_spam import train_spam
from pipelines.train_toxicity import train_toxicity
from pipelines.training import choose_thresholds


@dataclass(frozen=True)
class Trial:
    """What became of one choice of parameters.

    Attributes
    ----------
    number : int
        In the study.
    figures : dict of str to float
        On the validation rows: auc, average_precision and mcc, and of each source its auc.
    """

    number: int
    figures: dict[str, float]


def run_trial(
    number: int,
    section: SpamParams | ToxicityParams,
    corpus: Corpus,
    train: pd.DataFrame,
    validation: pd.DataFrame,
) -> Trial:
    """Return how good the model with these parameters is.

    Parameters
    ----------
    section : SpamParams or ToxicityParams
        Of params.yaml, with the parameters to try.
    corpus : str
        What the rows are of.
    train, validation : DataFrame
        As ``data/splits`` has them.
    """
    vectoriser, features = fit_transform(train["text"].tolist(), section.normalise, section.tfidf)
    if isinstance(section, SpamParams):
        pipeline = train_spam(vectoriser, features, train, section, corpus)
    else:
        pipeline = train_toxicity(vectoriser, features, train, section, corpus=corpus)
    scores = score_texts(pipeline, validation["text"].tolist())[:, 0]
    labels = validation["label"].to_numpy()
    thresholds = choose_thresholds(scores, labels, section.budgets[corpus])
    figures = {
        "auc": roc_auc_score(labels, scores),
        "average_precision": average_precision_score(labels, scores),
        "mcc": matthews_corrcoef(labels, scores >= thresholds.review),
    }
    for source, rows in validation.groupby("source").indices.items():
        if len(np.unique(labels[rows])) == 2:
            figures[f"source/{source}/auc"] = roc_auc_score(labels[rows], scores[rows])
    return Trial(number, {name: float(value) for name, value in figures.items()})

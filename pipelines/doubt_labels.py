"""Count the labels that a model of the other rows contradicts, and what it is to do without them.

A corpus of many hands has labels that nobody would give again. They are counted for each source,
never changed: what is in doubt may be the model as well as the label.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.model_selection import GroupKFold

from models.metrics import binary_metrics
from models.params import Params, load_params
from models.scoring import score_features
from models.skops_file import load_model
from models.spam import build_classifier, weigh_terms
from models.toxicity import ToxicityHeads
from pipelines.entry import entry_point
from pipelines.intervals import plain
from pipelines.stage import parse_args, read_sparse, read_table, write_json
from pipelines.training import choose_thresholds, row_weights

#: A label is in doubt where a model that learnt of the others gives it at most this probability.
DOUBT = 0.1

FOLDS = 5

#: What is done with the rows in doubt, and what their weight is multiplied by.
TREATMENTS: Mapping[str, float] = {"kept": 1.0, "halved": 0.5, "dropped": 0.0}

_SHOWN = ("auc", "average_precision", "mcc", "recall")

#: From features, labels and weights to a classifier with one score.
Fit = Callable[[csr_matrix, NDArray[np.int_], NDArray[np.float64]], Any]


def in_doubt(
    features: csr_matrix, train: pd.DataFrame, fit: Fit, weights: np.ndarray
) -> np.ndarray:
    """Return which labels are in doubt, shape (n_train,).

    Parameters
    ----------
    features : csr_matrix, shape (n_train, n_terms)
    train : DataFrame
        Columns label and group; the rows of a group are always judged by a model of the others.
    fit : callable
    weights : ndarray of float, shape (n_train,)

    References
    ----------
    Northcutt et al. 2021, "Confident learning: estimating uncertainty in dataset labels".
    """
    labels = train["label"].to_numpy()
    scores = np.zeros(len(train))
    folds = GroupKFold(FOLDS, shuffle=True, random_state=0)
    # Numbers in place of names, which scikit-learn looks up one by one.
    groups = np.unique(train["group"], return_inverse=True)[1]
    for learnt, held in folds.split(features, labels, groups):
        classifier = fit(features[learnt], labels[learnt], weights[learnt])
        scores[held] = score_features(classifier, features[held])[:, 0]
    doubtful: np.ndarray = np.where(labels == 1, scores, 1 - scores) <= DOUBT
    return doubtful


def count(train: pd.DataFrame, doubtful: np.ndarray) -> dict[str, Any]:
    """Return the rows of each source, and of either label how many are in doubt."""
    counts = {}
    for source, rows in train.groupby("source", sort=True):
        labels, doubted = rows["label"].to_numpy(), doubtful[rows.index]
        counts[str(source)] = {
            "rows": len(rows),
            "negative": int((doubted & (labels == 0)).sum()),
            "positive": int((doubted & (labels == 1)).sum()),
        }
    return counts


def fit_of(model: str, params: Params) -> Fit:
    """Return what fits the main head of a text model."""

    def fit(features: csr_matrix, labels: NDArray[np.int_], weights: NDArray[np.float64]) -> Any:
        if model == "spam":
            bayes = build_classifier(params.spam.classifier)
            bayes.fit(features, labels, sample_weight=weights)
            weigh_terms(bayes, params.spam.scaling[params.data.corpus])
            return bayes
        scaling = params.toxicity.scaling[params.data.corpus]
        main = ToxicityHeads(params.toxicity.classifier.C, scaling=scaling, heads=("toxic",))
        return main.fit(features, labels[:, None].astype(float), sample_weight=weights)

    return fit


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(
        __doc__,
        inputs=["train", "validation", "vectoriser", "matrix"],
        outputs=["report"],
        per_model=True,
    )
    params = load_params()
    section = params.text_model(args.model)
    train, features = read_table(args.train), read_sparse(args.matrix)
    fit, weights = fit_of(args.model, params), row_weights(train, section.source_weights)
    doubtful = in_doubt(features, train, fit, weights)

    validation = read_table(args.validation)
    held = load_model(args.vectoriser).transform(validation["text"].tolist())
    labels, told = validation["label"].to_numpy(), train["label"].to_numpy()
    effects = {}
    for name, factor in TREATMENTS.items():
        factors = np.where(doubtful, factor, 1.0)
        kept = factors > 0
        classifier = fit(features[kept], told[kept], (weights * factors)[kept])
        scores = score_features(classifier, held)[:, 0]
        review = choose_thresholds(scores, labels, section.budgets[params.data.corpus]).review
        found = binary_metrics(
            *(labels, scores, review),
            resamples=params.evaluate.bootstrap,
            seed=params.evaluate.seed,
        )
        effects[name] = plain({figure: found[figure] for figure in _SHOWN})
    counts = count(train, doubtful)
    write_json({"at_most": DOUBT, "sources": counts, "validation": effects}, args.report)
    print(f"{args.model}: {int(doubtful.sum()):,} of {len(train):,} labels in doubt")


if __name__ == "__main__":
    main()

"""What the two training stages share: labels, weights, thresholds, and what they read and write."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline

from models.manifest import Thresholds
from models.params import BudgetParams
from models.passages import cut
from models.scoring import head_logits, linear_weights, score_texts
from models.skops_file import load_model, save_model
from models.spam import rescale_naive_bayes
from models.toxicity import CATEGORIES, ToxicityHeads
from pipelines.stage import parse_args, read_sparse, read_table, write_json

#: From the fitted vectoriser, the training rows' features and the training rows to a pipeline.
Fit = Callable[[Pipeline, csr_matrix, pd.DataFrame], Pipeline]

_LEVEL_STEPS = 30

# Clean messages of so many passages are asked how often they would be lifted, if they are enough.
_LONG_PASSAGES, _LEAST_LONG = 20, 100

# Fewer rows of a label say nothing about probabilities.
_LEAST_POSITIVE = 10


def run_training(description: str | None, model: str, fit: Fit, budgets: BudgetParams) -> None:
    """Run a training stage: fit on the training rows, choose thresholds on validation rows alone.

    Parameters
    ----------
    description : str
        The stage's own, for its command line.
    """
    args = parse_args(
        description,
        inputs=["train", "validation", "vectoriser", "matrix"],
        outputs=["trained", "thresholds"],
    )
    train = read_table(args.train)
    pipeline = fit(load_model(args.vectoriser), read_sparse(args.matrix), train)
    validation = read_table(args.validation)
    calibrate(pipeline, validation, budgets)
    scores = score_texts(pipeline, validation["text"].tolist())[:, 0]
    thresholds = choose_thresholds(scores, validation["label"].to_numpy(), budgets)
    save_model(pipeline, args.trained)
    write_json(thresholds.model_dump(), args.thresholds)
    print(f"{model}: review from {thresholds.review:.3f}, block from {thresholds.block:.3f}")


def calibrate(pipeline: Pipeline, validation: pd.DataFrame, budgets: BudgetParams) -> None:
    """Make the scores of every head probabilities, in place, and set the level of passages.

    Each logit becomes ``slope * logit + intercept``, which a linear model can take into its own
    weights, so that the parts of an explanation go on to add up.

    References
    ----------
    Platt 1999, "Probabilistic outputs for support vector machines".
    """
    classifier = pipeline[-1]
    if isinstance(classifier, ToxicityHeads):
        normalised = pipeline["normalise"].transform(validation["text"])
        labels = head_labels(validation)
        _set_level(pipeline, normalised, labels[:, 0], budgets.review)
        logits = head_logits(pipeline, normalised)
        for head in range(labels.shape[1]):
            classifier.rescale(head, *_platt(logits[:, head], labels[:, head]))
    elif isinstance(classifier, MultinomialNB):  # the complement family has no prior to shift
        weights, intercept = linear_weights(pipeline)
        features = pipeline[:-1].transform(validation["text"])
        logits = features @ weights + intercept
        rescale_naive_bayes(classifier, *_platt(logits, validation["label"].to_numpy(float)))


def _set_level(
    pipeline: Pipeline, normalised: Sequence[str], labels: np.ndarray, budget: float
) -> None:
    """Choose from where on a passage lifts a message: to where review begins, few clean ones.

    Where review begins depends on what is lifted, hence the halving.
    """
    classifier = pipeline[-1]
    passages = cut(normalised)
    features = pipeline["tfidf"].transform([*normalised, *passages.texts])
    asked = (features, len(normalised), passages.owners)
    clean = labels == 0
    long = clean & (np.bincount(passages.owners, minlength=len(labels)) >= _LONG_PASSAGES)
    worst = classifier.worst_passages(*asked)
    classifier.level_ = _threshold(
        worst[long if long.sum() >= _LEAST_LONG else clean], budget, most=np.inf
    )
    for _ in range(_LEVEL_STEPS):
        threshold = _threshold(classifier.pooled(*asked)[clean, 0], budget, most=np.inf)
        classifier.lifted_ = (classifier.lifted_ + threshold) / 2


def _platt(logits: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return slope and intercept of the logistic curve through the rows that have a label."""
    known = ~np.isnan(labels)
    labels, logits = labels[known], logits[known]
    if min(labels.sum(), len(labels) - labels.sum()) < _LEAST_POSITIVE:
        return 1.0, 0.0
    curve = LogisticRegression(C=1e6, max_iter=1000).fit(logits[:, None], labels)
    slope = float(curve.coef_[0, 0])
    return (slope, float(curve.intercept_[0])) if slope > 0 else (1.0, 0.0)


def head_labels(frame: pd.DataFrame) -> np.ndarray:
    """Return the toxicity labels, shape (n_rows, 1 + n_categories); NaN where unknown."""
    return frame[["label", *CATEGORIES]].to_numpy(dtype=float)


def row_weights(frame: pd.DataFrame, source_weights: Mapping[str, float]) -> np.ndarray:
    """Return each row's weight: its own times its source's (1 unless given), shape (n_rows,)."""
    of_source = frame["source"].map(lambda source: source_weights.get(source, 1.0))
    weights: np.ndarray = frame["weight"].to_numpy(float) * of_source.to_numpy(float)
    return weights


def choose_thresholds(scores: np.ndarray, labels: np.ndarray, budgets: BudgetParams) -> Thresholds:
    """Return the lowest thresholds that keep clean rows within their budgets.

    Parameters
    ----------
    scores : ndarray of float, shape (n_rows,)
        Main scores of the validation rows.
    labels : ndarray of int, shape (n_rows,)
    budgets : BudgetParams
        Share of the clean rows that may score at or above each threshold.
    """
    clean = scores[labels == 0]
    review = _threshold(clean, budgets.review)
    return Thresholds(review=review, block=max(review, _threshold(clean, budgets.block)))


def _threshold(clean: np.ndarray, budget: float, most: float = 1.0) -> float:
    """Return the lowest threshold with at most ``budget`` of ``clean`` at or above it."""
    allowed = int(np.floor(budget * len(clean)))
    if allowed >= len(clean):
        return 0.0
    # The highest score that must stay below; ties at it stay below too.
    highest_below = np.sort(clean)[len(clean) - 1 - allowed]
    # Scores that saturate at 1 cannot be told apart: no threshold keeps them below it.
    return min(most, float(np.nextafter(highest_below, np.inf)))

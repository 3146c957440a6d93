"""What the two training stages share: labels, weights, thresholds, and what they read and write."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.pipeline import Pipeline

from models.manifest import Thresholds
from models.params import BudgetParams
from models.scoring import score_features
from models.skops_file import load_model, save_model
from models.toxicity import CATEGORIES
from pipelines.stage import parse_args, read_sparse, read_table, write_json

# Between a threshold and the score that stays below it: compiled code and scikit-learn round the
# same score differently, by less than this.
_MARGIN = 1e-9

#: From the fitted vectoriser, the features of training and of validation rows, and the tables by
#: name to a pipeline.
Fit = Callable[[Pipeline, csr_matrix, csr_matrix, Mapping[str, pd.DataFrame]], Pipeline]


def run_training(
    description: str | None,
    model: str,
    fit: Fit,
    budgets: BudgetParams,
    others: Sequence[str] = (),
) -> None:
    """Run a training stage: fit on the training rows, choose thresholds on validation rows alone.

    Parameters
    ----------
    description : str
        The stage's own, for its command line.
    others : sequence of str
        Names of tables to fit on beside ``train`` and ``validation``.
    """
    names = ("train", "validation", *others)
    args = parse_args(
        description,
        inputs=[*names, "vectoriser", "matrix"],
        outputs=["trained", "thresholds"],
    )
    tables = {name: read_table(getattr(args, name)) for name in names}
    validation = tables["validation"]
    vectoriser = load_model(args.vectoriser)
    held = vectoriser.transform(validation["text"].tolist())
    pipeline = fit(vectoriser, read_sparse(args.matrix), held, tables)
    scores = score_features(pipeline[-1], held)[:, 0]
    thresholds = choose_thresholds(scores, validation["label"].to_numpy(), budgets)
    save_model(pipeline, args.trained)
    write_json(thresholds.model_dump(), args.thresholds)
    print(f"{model}: review from {thresholds.review:.3f}, block from {thresholds.block:.3f}")


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


def _threshold(clean: np.ndarray, budget: float) -> float:
    """Return the lowest threshold with at most ``budget`` of ``clean`` at or above it."""
    allowed = int(np.floor(budget * len(clean)))
    if allowed >= len(clean):
        return 0.0
    # The highest score that must stay below; ties at it stay below too.
    highest_below = np.sort(clean)[len(clean) - 1 - allowed]
    # Scores that saturate at 1 cannot be told apart: no threshold keeps them below it.
    return min(1.0, float(highest_below) + _MARGIN)

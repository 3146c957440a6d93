"""Train the toxicity model: a Logistic Regression head for toxic and one for each category."""

from functools import partial

import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.pipeline import Pipeline

from models.params import ToxicityParams, load_params
from models.toxicity import build_classifier
from pipelines.entry import entry_point
from pipelines.training import head_labels, row_weights, run_training


def train_toxicity(
    vectoriser: Pipeline, features: csr_matrix, train: pd.DataFrame, params: ToxicityParams
) -> Pipeline:
    """Return the fitted pipeline, raw text in.

    Parameters
    ----------
    vectoriser : Pipeline
        Fitted on ``train``.
    features : csr_matrix of float64, shape (n_train, n_terms)
        The vectorised training rows.
    train : DataFrame
        Columns label, the categories (NaN where unknown), source, weight.
    """
    classifier = build_classifier(params.classifier)
    weights = row_weights(train, params.source_weights)
    classifier.fit(features, head_labels(train), sample_weight=weights)
    return Pipeline([*vectoriser.steps, ("classifier", classifier)])


@entry_point
def main() -> None:
    """Run the stage."""
    params = load_params()
    budgets = params.toxicity.budgets[params.data.corpus]
    run_training(__doc__, "toxicity", partial(train_toxicity, params=params.toxicity), budgets)


if __name__ == "__main__":
    main()

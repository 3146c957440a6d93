"""Train the spam model: Naive Bayes over the fitted TF-IDF."""

from collections.abc import Mapping

import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.pipeline import Pipeline
from sklearn.utils.class_weight import compute_sample_weight

from models.params import Corpus, SpamParams, load_params
from models.spam import build_classifier, calibrate, weigh_terms
from pipelines.entry import entry_point
from pipelines.training import row_weights, run_training


def train_spam(
    vectoriser: Pipeline,
    features: csr_matrix,
    train: pd.DataFrame,
    params: SpamParams,
    corpus: Corpus = "starter",
) -> Pipeline:
    """Return the fitted pipeline, raw text in.

    Parameters
    ----------
    vectoriser : Pipeline
        Fitted on ``train``.
    features : csr_matrix of float64, shape (n_train, n_terms)
        The vectorised training rows.
    train : DataFrame
        Columns label, source, weight.
    corpus : str
        What ``train`` is of.
    """
    weights = row_weights(train, params.source_weights)
    if params.classifier.class_weight == "balanced":
        weights = weights * compute_sample_weight("balanced", train["label"])
    classifier = build_classifier(params.classifier)
    classifier.fit(features, train["label"].to_numpy(), sample_weight=weights)
    weigh_terms(classifier, params.scaling[corpus])
    return Pipeline([*vectoriser.steps, ("classifier", classifier)])


@entry_point
def main() -> None:
    """Run the stage."""
    params = load_params()
    budgets = params.spam.budgets[params.data.corpus]

    def fit(
        vectoriser: Pipeline,
        features: csr_matrix,
        held: csr_matrix,
        tables: Mapping[str, pd.DataFrame],
    ) -> Pipeline:
        pipeline = train_spam(
            vectoriser, features, tables["train"], params.spam, params.data.corpus
        )
        calibrate(pipeline[-1], held, tables["validation"]["label"].to_numpy())
        return pipeline

    run_training(__doc__, "spam", fit, budgets)


if __name__ == "__main__":
    main()

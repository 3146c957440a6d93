"""Train the toxicity model: a Logistic Regression head for toxic and one for each category."""

from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.pipeline import Pipeline

from models.identity import IDENTITY_TOKEN
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
    silent = terms_of_identity(vectoriser)
    classifier.fit(features, head_labels(train), sample_weight=weights, silent=silent)
    return Pipeline([*vectoriser.steps, ("classifier", classifier)])


def terms_of_identity(vectoriser: Pipeline) -> NDArray[np.int64]:
    """Return the columns of the n-grams in which the token for who people are stands.

    Abuse names some people more often than others; the main score shall look at the rest of it.
    """
    columns: list[int] = []
    offset = 0
    for name, ngrams in vectoriser["tfidf"].transformer_list:
        if name == "word":
            found = [
                column
                for term, column in ngrams.vocabulary_.items()
                if IDENTITY_TOKEN in term.split(" ")
            ]
        else:
            found = ngrams.transform([IDENTITY_TOKEN]).indices.tolist()
        columns += [offset + column for column in found]
        offset += len(ngrams.vocabulary_)
    return np.array(sorted(columns), dtype=np.int64)


@entry_point
def main() -> None:
    """Run the stage."""
    params = load_params()
    budgets = params.toxicity.budgets[params.data.corpus]
    run_training(__doc__, "toxicity", partial(train_toxicity, params=params.toxicity), budgets)


if __name__ == "__main__":
    main()

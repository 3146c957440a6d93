"""Train the toxicity model: a Logistic Regression head for toxic and one for each category."""

from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csr_matrix
from sklearn.pipeline import Pipeline

from models.identity import IDENTITY_TOKEN
from models.params import PassagesParams, ToxicityParams, load_params
from models.passages import WORDS, cut
from models.toxicity import ToxicityHeads, build_classifier
from pipelines.attacks import disguise
from pipelines.entry import entry_point
from pipelines.training import head_labels, row_weights, run_training

# Passages of a clean message that are learnt from: those most like toxic ones.
_HARDEST = 2


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
    weights = row_weights(train, params.source_weights)
    chance = np.random.default_rng(0)
    chosen = np.flatnonzero(chance.random(len(train)) < params.disguised.share)
    disguised = vectoriser.transform([disguise(text) for text in train["text"].iloc[chosen]])
    features = sparse.vstack([features, disguised], format="csr")
    labels = head_labels(train)
    labels = np.vstack([labels, labels[chosen]])
    weights = np.concatenate([weights, params.disguised.weight * weights[chosen]])
    classifier = build_classifier(params.classifier)
    silent = _terms_of_identity(vectoriser) if params.normalise.identity else None
    classifier.fit(features, labels, sample_weight=weights, silent=silent)
    pipeline = Pipeline([*vectoriser.steps, ("classifier", classifier)])
    _fit_passages(pipeline, train, features, labels[:, 0], weights, params.passages, silent)
    return pipeline


def _terms_of_identity(vectoriser: Pipeline) -> NDArray[np.int64]:
    """Return the numbers of the n-grams in which the token for who people are stands.

    Abuse names some people more often than others; the main score shall look at the rest of it.
    """
    numbers: list[int] = []
    offset = 0
    for name, ngrams in vectoriser["tfidf"].transformer_list:
        if name == "word":
            found = [
                number
                for term, number in ngrams.vocabulary_.items()
                if IDENTITY_TOKEN in term.split(" ")
            ]
        else:
            found = ngrams.transform([IDENTITY_TOKEN]).indices.tolist()
        numbers += [offset + number for number in found]
        offset += len(ngrams.vocabulary_)
    return np.array(sorted(numbers), dtype=np.int64)


def _fit_passages(
    pipeline: Pipeline,
    train: pd.DataFrame,
    features: csr_matrix,
    labels: NDArray[np.float64],
    weights: NDArray[np.float64],
    params: PassagesParams,
    silent: NDArray[np.int64] | None,
) -> None:
    """Fit the passages' head on all rows and on the passages of long messages that count.

    Of a toxic message that is its worst passage, which must be why it is toxic; of a clean one the
    passages that look worst. Which these are changes as the head learns, hence the rounds.

    References
    ----------
    Andrews et al. 2002, "Support vector machines for multiple-instance learning".
    """
    classifier: ToxicityHeads = pipeline[-1]
    texts = pipeline["normalise"].transform(train["text"])
    long = np.array([row for row, text in enumerate(texts) if len(text.split()) > WORDS])
    if len(long) > params.messages:
        long = np.sort(np.random.default_rng(0).choice(long, params.messages, replace=False))
    passages = cut([texts[row] for row in long])
    if not passages.texts:
        return
    of_passages = pipeline["tfidf"].transform(passages.texts)
    rows = long[passages.owners]
    for _ in range(params.rounds):
        counted = _that_count(classifier.passage_logits(of_passages), rows, labels[rows] == 1)
        classifier.fit_passages(
            sparse.vstack([features, of_passages[counted]], format="csr"),
            np.concatenate([labels, labels[rows[counted]]]).astype(int),
            np.concatenate([weights, params.weight * weights[rows[counted]]]),
            silent,
        )


def _that_count(
    logits: NDArray[np.float64], rows: NDArray[np.int64], toxic: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the numbers of the worst passages of each message."""
    order = np.lexsort((-logits, rows))
    begins = np.r_[True, np.diff(rows[order]) > 0]
    starts = np.flatnonzero(begins)
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    counted: NDArray[np.int64] = np.sort(order[rank < np.where(toxic[order], 1, _HARDEST)])
    return counted


@entry_point
def main() -> None:
    """Run the stage."""
    params = load_params()
    budgets = params.toxicity.budgets[params.data.corpus]
    run_training(__doc__, "toxicity", partial(train_toxicity, params=params.toxicity), budgets)


if __name__ == "__main__":
    main()

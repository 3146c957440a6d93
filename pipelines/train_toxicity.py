"""Train the toxicity model: heads for toxic and each category, and one for the words to show."""

import re
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from sklearn.pipeline import Pipeline

from models.identity import IDENTITY_TOKEN
from models.params import Corpus, MarksParams, ToxicityParams, load_params
from models.span_head import SpanHead
from models.toxicity import CATEGORIES, build_classifier
from pipelines.clean_marks import SOURCE
from pipelines.entry import entry_point
from pipelines.split import side_of
from pipelines.training import head_labels, row_weights, run_training

_WORD = re.compile(r"\S+")


def train_toxicity(
    vectoriser: Pipeline,
    features: csr_matrix,
    train: pd.DataFrame,
    params: ToxicityParams,
    marks: pd.DataFrame | None = None,
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
        Columns label, the categories (NaN where unknown), source, weight.
    marks : DataFrame, optional
        Comments with marked words, as `clean_marks` writes them; those on other sides of the
        split than the training side are left out here.
    corpus : str
        What ``train`` is of.
    """
    classifier = build_classifier(params.classifier, params.scaling[corpus])
    labels = head_labels(train)
    weights = np.repeat(row_weights(train, params.source_weights)[:, None], labels.shape[1], axis=1)
    silent = terms_of_identity(vectoriser)
    learnt = None if marks is None else marks[[side_of(each) == "train" for each in marks["group"]]]
    if learnt is None or learnt.empty:
        classifier.fit(features, labels, sample_weight=weights, silent=silent)
        return Pipeline([*vectoriser.steps, ("classifier", classifier)])

    # What raters saw of the same comments says more of categories than what `clean` makes of it.
    ordinary = (train["source"] != SOURCE).to_numpy()
    weights[:, 1:] = np.where(ordinary, params.marks.ordinary_weight, 0.0)[:, None]
    seen = learnt[list(CATEGORIES)].to_numpy(float)
    nothing = np.zeros((len(learnt), 1))  # for the main head, which has its own rows
    held = (len(learnt), labels.shape[1])
    rated = vectoriser.transform(learnt["text"].tolist())
    # Each comment twice: with every category, as many raters saw it, and without, as many did not.
    classifier.fit(
        vstack([features, rated, rated]).tocsr(),
        np.vstack([labels, np.ones(held), np.zeros(held)]),
        sample_weight=np.vstack(
            [weights, np.hstack([nothing, seen]), np.hstack([nothing, 1 - seen])]
        ),
        silent=silent,
    )
    classifier.span_head_ = fit_spans(vectoriser, learnt, params.marks)
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


def fit_spans(vectoriser: Pipeline, marks: pd.DataFrame, params: MarksParams) -> SpanHead:
    """Return the span head that the marked words of ``marks`` teach."""
    seen: Counter[str] = Counter()
    marked: Counter[str] = Counter()
    for text, starts, ends in zip(marks["text"], marks["starts"], marks["ends"], strict=True):
        if len(starts) == 0:
            continue  # a comment in which nobody marked a word would teach that insults are none
        inside = np.zeros(len(text), dtype=np.bool_)
        for start, end in zip(starts, ends, strict=True):
            inside[start:end] = True
        for word in _WORD.finditer(text):
            seen[word.group()] += 1
            marked[word.group()] += bool(inside[word.start() : word.end()].mean() > 0.5)
    words = sorted(seen)
    head = SpanHead(C=params.C, least=params.least, gap=params.gap)
    return head.fit(
        vectoriser.transform(words),
        np.array([marked[word] for word in words]),
        np.array([seen[word] for word in words]),
    )


@entry_point
def main() -> None:
    """Run the stage."""
    params = load_params()
    budgets = params.toxicity.budgets[params.data.corpus]

    def fit(
        vectoriser: Pipeline,
        features: csr_matrix,
        held: csr_matrix,
        tables: Mapping[str, pd.DataFrame],
    ) -> Pipeline:
        pipeline = train_toxicity(
            *(vectoriser, features, tables["train"], params.toxicity),
            *(tables["marks"], params.data.corpus),
        )
        pipeline[-1].calibrate(held, head_labels(tables["validation"]))
        return pipeline

    run_training(__doc__, "toxicity", fit, budgets, others=["marks"])


if __name__ == "__main__":
    main()

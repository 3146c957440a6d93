"""Train the toxicity model: a Logistic Regression head for toxic and one for each category."""

import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.pipeline import Pipeline

from models.bundle import Thresholds
from models.params import ToxicityParams, load_params
from models.scoring import score_texts
from models.skops_file import load_model, save_model
from models.toxicity import build_classifier
from pipelines.entry import entry_point
from pipelines.labels import choose_thresholds, head_labels, row_weights
from pipelines.stage import parse_args, read_sparse, read_table, write_json


def train_toxicity(
    vectoriser: Pipeline,
    features: csr_matrix,
    train: pd.DataFrame,
    validation: pd.DataFrame,
    params: ToxicityParams,
) -> tuple[Pipeline, Thresholds]:
    """Return the fitted pipeline, raw text in, and the thresholds of its main head.

    Parameters
    ----------
    vectoriser : Pipeline
        Fitted on ``train``.
    features : csr_matrix of float64, shape (n_train, n_terms)
        The vectorised training rows.
    train, validation : DataFrame
        Columns text, label, the categories (NaN where unknown), source, weight; thresholds are
        chosen on ``validation`` alone.
    """
    classifier = build_classifier(params.classifier)
    weights = row_weights(train, params.source_weights)
    classifier.fit(features, head_labels(train), sample_weight=weights)
    pipeline = Pipeline([*vectoriser.steps, ("classifier", classifier)])
    scores = score_texts(pipeline, validation["text"].tolist())[:, 0]
    return pipeline, choose_thresholds(scores, validation["label"].to_numpy(), params.budgets)


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(
        __doc__,
        inputs=["train", "validation", "vectoriser", "matrix"],
        outputs=["trained", "thresholds"],
    )
    pipeline, thresholds = train_toxicity(
        load_model(args.vectoriser),
        read_sparse(args.matrix),
        read_table(args.train),
        read_table(args.validation),
        load_params().toxicity,
    )
    save_model(pipeline, args.trained)
    write_json(thresholds.model_dump(), args.thresholds)
    print(f"toxicity: review from {thresholds.review:.3f}, block from {thresholds.block:.3f}")


if __name__ == "__main__":
    main()

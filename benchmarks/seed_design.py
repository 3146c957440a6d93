"""A small moderation service as many are built, for ours to be compared with.

FastAPI, a synchronous handler, and two scikit-learn pipelines unpickled at the start: TF-IDF with
Naive Bayes for spam, TF-IDF with Logistic Regression for toxicity, both with default parameters.

python -m benchmarks.seed_design FOLDER        # fits them on the starter messages
SEED_MODELS=FOLDER uvicorn benchmarks.seed_design:app
"""

import csv
import os
import pickle
import sys
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

STARTER = Path(__file__).resolve().parent.parent / "data" / "starter" / "messages.csv"

#: The columns of labels, with the classifier of each.
CLASSIFIERS = {"spam": MultinomialNB(), "toxic": LogisticRegression()}


class Message(BaseModel):
    """One message."""

    text: str


def fit(folder: Path) -> None:
    """Fit both models on the starter messages and pickle them into ``folder``."""
    with STARTER.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    folder.mkdir(parents=True, exist_ok=True)
    for label, classifier in CLASSIFIERS.items():
        pipeline = make_pipeline(TfidfVectorizer(), classifier)
        pipeline.fit([row["text"] for row in rows], [int(row[label]) for row in rows])
        (folder / f"{label}.pkl").write_bytes(pickle.dumps(pipeline))


def make_app(folder: Path) -> FastAPI:
    """Return the service of the models in ``folder``."""
    models = {label: pickle.loads((folder / f"{label}.pkl").read_bytes()) for label in CLASSIFIERS}
    app = FastAPI()

    @app.post("/moderate")
    def moderate(message: Message) -> dict[str, object]:
        scores = {
            label: float(model.predict_proba([message.text])[0, 1])
            for label, model in models.items()
        }
        return {**scores, "flagged": max(scores.values()) >= 0.5}

    return app


if __name__ == "__main__":
    fit(Path(sys.argv[1]))
elif "SEED_MODELS" in os.environ:
    app = make_app(Path(os.environ["SEED_MODELS"]))

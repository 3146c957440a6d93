"""The models that the starter corpus gives, fitted in memory by the stages' own functions."""

import pytest

from models.bundle import Thresholds
from models.params import load_params
from models.scoring import score_texts
from models.tfidf import fit_vectoriser
from pipelines.clean import clean, training_table
from pipelines.readers import READERS, read_raw
from pipelines.split import split
from pipelines.train_spam import train_spam
from pipelines.train_toxicity import train_toxicity
from pipelines.training import choose_thresholds
from tests.factories import ROOT


class Judge:
    """A fitted text model with its thresholds."""

    def __init__(self, pipeline: object, thresholds: Thresholds) -> None:
        self.pipeline = pipeline
        self.thresholds = thresholds

    def score(self, text: str) -> float:
        """Return the main score."""
        return float(score_texts(self.pipeline, [text])[0, 0])

    def flags(self, text: str) -> bool:
        """Return whether a moderator would see the text."""
        return self.score(text) >= self.thresholds.review


@pytest.fixture(scope="session")
def judges() -> dict[str, Judge]:
    params = load_params(ROOT / "params.yaml")
    tables = read_raw("starter", ROOT / "data" / "starter")
    read = READERS["starter"](tables, params.clean).assign(source="starter")
    rows = clean(read, params.clean, frozenset(), None)
    judges = {}
    for model, train in (("spam", train_spam), ("toxicity", train_toxicity)):
        parts = split(training_table(rows, model))
        section = params.model_section(model)
        texts = parts["train"]["text"].tolist()
        vectoriser = fit_vectoriser(texts, section.normalise, section.tfidf)
        features = vectoriser.transform(texts)
        fitted = train(vectoriser, features, parts["train"], section)  # type: ignore[operator]
        validation = parts["validation"]
        scores = score_texts(fitted, validation["text"].tolist())[:, 0]
        labels = validation["label"].to_numpy()
        judges[model] = Judge(fitted, choose_thresholds(scores, labels, section.budgets["starter"]))
    return judges


@pytest.fixture(scope="session")
def spam(judges: dict[str, Judge]) -> Judge:
    return judges["spam"]


@pytest.fixture(scope="session")
def toxicity(judges: dict[str, Judge]) -> Judge:
    return judges["toxicity"]

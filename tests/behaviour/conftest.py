"""The models that the starter corpus gives, fitted in memory by the stages' own functions."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from models.manifest import Kind
from models.params import load_params
from models.scoring import score_texts
from models.tfidf import fit_vectoriser
from pipelines.behaviour import Judge
from pipelines.clean import clean, training_table
from pipelines.raw_files import read_raw
from pipelines.readers import READERS
from pipelines.split import split
from pipelines.stage import MODELS
from pipelines.train_spam import train_spam
from pipelines.train_toxicity import train_toxicity
from pipelines.training import choose_thresholds
from tests.factories import ROOT, starter_index, starter_skills


@cache
def starter_judges() -> dict[str, Judge]:
    """Return the two text models with their thresholds."""
    params = load_params(ROOT / "params.yaml")
    tables = read_raw("starter", ROOT / "data" / "starter")
    read = READERS["starter"](tables, params.clean).assign(source="starter")
    rows = clean(read, params.clean, frozenset(), None)
    judges = {}
    for model, train in zip(MODELS, (train_spam, train_toxicity), strict=True):
        parts = split(training_table(rows, model))
        section = params.text_model(model)
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
def starter_models() -> Mapping[Kind, Any]:
    """What the cases of each kind ask."""
    judges = starter_judges()
    return {
        "spam": judges["spam"],
        "toxicity": judges["toxicity"],
        "skills": starter_skills(),
        "matching": starter_index(),
    }

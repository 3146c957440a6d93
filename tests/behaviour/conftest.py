"""The models that the starter corpus gives, packaged as a release holds them and loaded again."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from models.bundle import Bundle, load_bundle, save_bundle
from models.kinds import FORMATS
from models.manifest import Kind
from models.params import load_params
from models.scoring import score_features
from models.spam import calibrate
from models.tfidf import fit_transform
from pipelines.behaviour import Judge
from pipelines.clean import clean, training_table
from pipelines.raw_files import read_raw
from pipelines.readers import READERS
from pipelines.split import split
from pipelines.train_spam import train_spam
from pipelines.train_toxicity import train_toxicity
from pipelines.training import choose_thresholds, head_labels
from tests.factories import GOLDEN, ROOT, SOURCES, starter_index, starter_skills

_DIGEST = "0" * 64


@cache
def starter_table(kind: Kind) -> Any:
    """Return the rows of one text model, as `clean` writes them."""
    params = load_params(ROOT / "params.yaml")
    tables = read_raw("starter", ROOT / "data" / "starter")
    read = READERS["starter"](tables, params.clean).assign(source="starter")
    return training_table(clean(read, params.clean, frozenset(), None), kind)


def package_text_model(kind: Kind, folder: Path) -> Bundle[Any]:
    """Train a text model by the stages' own functions, save it as a bundle and load that."""
    params = load_params(ROOT / "params.yaml")
    parts, section = split(starter_table(kind)), params.text_model(kind)
    vectoriser, features = fit_transform(
        parts["train"]["text"].tolist(), section.normalise, section.tfidf
    )
    held = vectoriser.transform(parts["validation"]["text"].tolist())
    if kind == "spam":
        fitted = train_spam(vectoriser, features, parts["train"], params.spam)
        calibrate(fitted[-1], held, parts["validation"]["label"].to_numpy())
    else:
        fitted = train_toxicity(vectoriser, features, parts["train"], params.toxicity)
        fitted[-1].calibrate(held, head_labels(parts["validation"]))
    scores = score_features(fitted[-1], held)[:, 0]
    labels = parts["validation"]["label"].to_numpy()
    form = FORMATS[kind]
    save_bundle(
        folder,
        form,
        model=fitted,
        metrics={"corpus": "starter"},
        golden=GOLDEN,
        thresholds=choose_thresholds(scores, labels, section.budgets["starter"]),
        corpus="starter",
        sources=SOURCES,
        data=_DIGEST,
        params=_DIGEST,
        code=_DIGEST,
    )
    return load_bundle(folder, form)


@pytest.fixture(scope="session")
def starter_models(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Kind, Any]:
    """What the cases of each kind ask."""
    folder = tmp_path_factory.mktemp("bundles")
    judges: dict[Kind, Any] = {}
    for kind in ("spam", "toxicity"):
        bundle = package_text_model(kind, folder / kind)
        assert bundle.manifest.thresholds is not None
        judges[kind] = Judge(bundle.model, bundle.manifest.thresholds)
    return {**judges, "skills": starter_skills(), "matching": starter_index()}

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from models.params import Params, load_params
from models.skops_file import save_model
from models.tfidf import fit_transform
from pipelines import doubt_labels
from pipelines.doubt_labels import FOLDS, TREATMENTS, Fit, count, fit_of, in_doubt
from pipelines.stage import MODELS, write_sparse, write_table
from tests.factories import ROOT

PARAMS = load_params(ROOT / "params.yaml")

#: Of twenty messages about a prize and twenty about a meeting, one of each has the wrong label.
WRONG = [3, 27]


def messages() -> pd.DataFrame:
    """Return the rows, each a group of its own."""
    prizes = [f"claim your free prize number {row} now" for row in range(20)]
    meetings = [f"we meet in room {row} on Monday morning" for row in range(20)]
    labels = np.repeat([1, 0], 20)
    labels[WRONG] = 1 - labels[WRONG]
    return pd.DataFrame(
        {
            "text": prizes + meetings,
            "label": labels,
            "source": np.where(np.arange(40) < 20, "one", "two"),
            "group": [str(row) for row in range(40)],
            "weight": 1.0,
        }
    )


@pytest.mark.parametrize("model", MODELS)
def test_the_labels_that_the_other_rows_contradict_are_in_doubt(model: str) -> None:
    rows = messages()
    params = PARAMS.model_copy(
        update={
            "toxicity": PARAMS.toxicity.model_copy(
                update={
                    "classifier": PARAMS.toxicity.classifier.model_copy(update={"C": 20.0}),
                }
            )
        }
    )
    section = params.text_model(model)
    _, features = fit_transform(rows["text"].tolist(), section.normalise, section.tfidf)
    found = in_doubt(features, rows, fit_of(model, params), np.ones(len(rows)))
    assert np.flatnonzero(found).tolist() == WRONG
    assert count(rows, found) == {
        "one": {"rows": 20, "negative": 1, "positive": 0},
        "two": {"rows": 20, "negative": 0, "positive": 1},
    }


def test_a_row_is_judged_by_rows_of_other_groups_alone() -> None:
    rows = messages().assign(group=[str(row // 3) for row in range(40)])
    groups = rows["group"].to_numpy()
    learnt: list[set[str]] = []
    judged: list[set[str]] = []

    class Recorder:
        def predict_proba(self, features: csr_matrix) -> np.ndarray:
            judged.append(set(groups[features.indices]))
            return np.full((features.shape[0], 2), 0.5)

    def fit(features: csr_matrix, _labels: np.ndarray, _weights: np.ndarray) -> Recorder:
        learnt.append(set(groups[features.indices]))
        return Recorder()

    # In row n of the features column n alone is set, which tells the rows apart.
    found = in_doubt(csr_matrix(np.eye(40)), rows, fit, np.ones(40))
    assert not found.any()
    assert set.union(*judged) == set(groups)
    for of_model, of_others in zip(learnt, judged, strict=True):
        assert of_model | of_others == set(groups)
        assert of_model & of_others == set()


def test_the_stage_tells_what_it_does_to_weigh_them_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = messages()
    section = PARAMS.spam
    vectoriser, features = fit_transform(rows["text"].tolist(), section.normalise, section.tfidf)
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    for side in ("train", "validation"):
        write_table(rows, Path(f"{side}.parquet"))
    save_model(vectoriser, Path("vectoriser.skops"))
    write_sparse(features, Path("matrix"))
    places = {name: f"{name}.parquet" for name in ("train", "validation")}
    places |= {"vectoriser": "vectoriser.skops", "matrix": "matrix", "report": "labels.json"}
    arguments = [part for name, place in places.items() for part in (f"--{name}", place)]
    monkeypatch.setattr(sys, "argv", ["doubt_labels", "--model", "spam", *arguments])
    weighed: list[float] = []

    def recording(model: str, params: Params) -> Fit:
        def fit(features: csr_matrix, labels: np.ndarray, weights: np.ndarray) -> Any:
            weighed.append(float(weights.sum()))
            return fit_of(model, params)(features, labels, weights)

        return fit

    monkeypatch.setattr(doubt_labels, "fit_of", recording)
    doubt_labels.main()
    found = json.loads(Path("labels.json").read_text())
    assert weighed[FOLDS:] == [40, 39, 38]
    assert list(found["validation"]) == sorted(TREATMENTS)
    assert found["sources"]["one"] == {"rows": 20, "negative": 1, "positive": 0}
    # Two labels of the validation rows are as wrong as in training.
    assert found["validation"]["dropped"]["recall"]["value"] == 0.95

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.manifest import Thresholds
from models.params import EvaluateParams
from pipelines.card import metrics_tables, report
from pipelines.evaluate import EvaluationError, evaluate
from pipelines.plots import bundle_plots, write_curves, write_plots

random = np.random.default_rng(5)
ROWS = 200
LABELS = (random.random(ROWS) < 0.4).astype(int)
FRAME = pd.DataFrame(
    {
        "text": [f"message {number} " + "x" * (number % 300) for number in range(ROWS)],
        "label": LABELS,
        "insult": np.where(LABELS == 1, 1.0, 0.0),
        "threat": np.where(np.arange(ROWS) < 150, np.nan, LABELS),
        "obscene": 0.0,
        "identity_attack": np.nan,
        "source": np.where(np.arange(ROWS) % 3 == 0, "one", "two"),
        "category": np.where(np.arange(ROWS) < 50, "insult", ""),
    }
)
SCORES = np.clip(random.normal(0.3 + 0.4 * LABELS[:, None], 0.2, (ROWS, 5)), 0, 1)
THRESHOLDS = Thresholds(review=0.5, block=0.8)
METRICS = evaluate("toxicity", FRAME, SCORES, THRESHOLDS, EvaluateParams(bootstrap=50, seed=1))


def test_every_figure_lies_in_its_interval() -> None:
    for part in (METRICS["headline"], *METRICS["slices"].values()):
        for name, figure in part.items():
            if isinstance(figure, dict):
                assert figure["low"] - 1e-9 <= figure["value"] <= figure["high"] + 1e-9 or name in {
                    "ece"  # resampling adds noise to it, so it is biased upwards
                }


def test_slices_cover_sources_lengths_and_categories() -> None:
    assert {"source/one", "source/two", "length/0-50", "category/insult"} <= set(METRICS["slices"])
    sources = [METRICS["slices"][f"source/{name}"]["rows"] for name in ("one", "two")]
    assert sum(sources) == ROWS


def test_a_head_is_judged_on_the_rows_it_has_labels_for() -> None:
    assert METRICS["heads"]["threat"]["rows"] == 50
    assert METRICS["heads"]["identity_attack"] == {"rows": 0, "positives": 0}
    assert "auc" not in METRICS["heads"]["obscene"]
    assert METRICS["heads"]["insult"]["auc"]["value"] > 0.7


def test_blocking_flags_fewer_rows_than_reviewing() -> None:
    at_block, at_review = METRICS["at_block"]["flagged"], METRICS["headline"]["flagged"]
    assert at_block["value"] < at_review["value"]


def test_test_rows_of_one_label_are_refused() -> None:
    clean = FRAME.assign(label=0)
    with pytest.raises(EvaluationError, match=r"split\.json"):
        evaluate("toxicity", clean, SCORES, THRESHOLDS, EvaluateParams(bootstrap=10, seed=1))


def test_other_test_rows_have_another_digest() -> None:
    changed = FRAME.assign(label=1 - FRAME["label"])
    params = EvaluateParams(bootstrap=10, seed=1)
    other = evaluate("toxicity", changed, SCORES, THRESHOLDS, params)
    assert other["test_digest"] != METRICS["test_digest"]


def test_plots_and_curves_have_the_same_bytes_each_time(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_plots("toxicity", LABELS, SCORES[:, 0], THRESHOLDS, tmp_path / folder)
        write_curves(LABELS, SCORES[:, 0], tmp_path / folder)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == [
        "confusion.png",
        "precision_recall.json",
        "precision_recall.png",
        "reliability.json",
        "reliability.png",
        "roc.json",
        "roc.png",
    ]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    roc = json.loads((tmp_path / "a" / "roc.json").read_text())["roc"]
    assert (roc[0]["true_positive_rate"], roc[-1]["true_positive_rate"]) == (0, 1)
    area = np.trapezoid(
        [point["true_positive_rate"] for point in roc],
        [point["false_positive_rate"] for point in roc],
    )
    assert area == pytest.approx(METRICS["headline"]["auc"]["value"], abs=0.01)


def test_a_bundle_holds_the_curves_and_counts_that_its_figures_are_of() -> None:
    plots = bundle_plots(LABELS, SCORES[:, 0], THRESHOLDS)
    xs, ys = zip(*plots["curves"]["roc"], strict=True)
    assert len(xs) <= 60
    assert np.trapezoid(ys, xs) == pytest.approx(METRICS["headline"]["auc"]["value"], abs=0.01)
    [passed, wrong], [missed, caught] = plots["confusion"]["review"]
    assert passed + wrong + missed + caught == ROWS
    assert caught / (caught + missed) == pytest.approx(METRICS["headline"]["recall"]["value"])
    assert caught / (caught + wrong) == pytest.approx(METRICS["headline"]["precision"]["value"])


def test_the_report_shows_the_figures() -> None:
    metrics = METRICS | {"model": "toxicity", "corpus": "starter", "evaluation": {}}
    table = metrics_tables("toxicity", metrics)
    assert f"{METRICS['headline']['auc']['value']:.3f}" in table
    assert "| source/one |" in table
    counts = {"read": 9, "dropped": {"too_short": 2}, "kept": 7}
    clean = {
        "corpus": "starter",
        "tables": {"spam": {"starter": counts}},
        "left_out": {"tweets": "research use"},
        "reserved": None,
    }
    split = {"models": {"spam": {"starter": {"test": {"0": 4, "1": 3}}}}}
    jobs = {"corpus": "starter", "tables": {"postings": {"starter_jobs": counts}}, "left_out": {}}
    parsing = {"rows": 20, "headline": {"exact": METRICS["headline"]["auc"]}, "slices": {}}
    text = report({"toxicity": metrics}, parsing, [clean, jobs], split)
    assert "not to judge a model by" in text
    assert "| spam | starter | 9 | too short 2 | 7 |" in text
    assert "| postings | starter_jobs | 9 | too short 2 | 7 |" in text
    assert "| spam | starter | test | 4 | 3 |" in text
    assert f"| exact | {METRICS['headline']['auc']['value']:.3f} [" in text
    assert "tweets (research use)" in text

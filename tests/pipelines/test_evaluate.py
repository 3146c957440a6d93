import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.manifest import Thresholds
from models.params import EvaluateParams
from pipelines.card import metrics_tables, report
from pipelines.evaluate import EvaluationError, evaluate, moved_thresholds
from pipelines.limits import Limit, LimitsError, read_limits, try_limits
from pipelines.plots import bundle_plots, write_curves, write_plots
from tests.factories import GOLDEN, ROOT, tiny_pipeline

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
LIMIT = {"flagged": True, "about": "sarcasm"}
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
        "thresholds.png",
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
    metrics["limits"] = [
        LIMIT | {"text": "a | b", "score": 0.125, "right": False},
        LIMIT | {"text": "decided right", "score": 0.9, "right": True},
    ]
    table = metrics_tables("toxicity", metrics)
    assert "Of 2 messages written to be hard, 1 are decided wrongly." in table
    assert "| sarcasm | flagged | 0.125 | a \\| b |" in table
    assert "decided right" not in table
    assert "| 0.5 (review) |" in table
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
    doubts = {
        "spam": {
            "at_most": 0.1,
            "sources": {"starter": {"rows": 70, "negative": 3, "positive": 2}},
            "validation": {"dropped": {"auc": METRICS["headline"]["auc"]}},
        }
    }
    text = report({"toxicity": metrics}, parsing, [clean, jobs], split, doubts)
    assert "| spam | starter | 70 | 3 | 2 |" in text
    assert f"| spam | dropped | {METRICS['headline']['auc']['value']:.3f} [" in text
    assert "not to judge a model by" in text
    assert "| spam | starter | 9 | too short 2 | 7 |" in text
    assert "| postings | starter_jobs | 9 | too short 2 | 7 |" in text
    assert "| spam | starter | test | 4 | 3 |" in text
    assert f"| exact | {METRICS['headline']['auc']['value']:.3f} [" in text
    assert "tweets (research use)" in text


def test_moving_a_threshold_down_catches_more_and_flags_more_clean_rows() -> None:
    moved = moved_thresholds(LABELS, SCORES[:, 0], THRESHOLDS)
    assert [row["threshold"] for row in moved] == sorted(row["threshold"] for row in moved)
    for column in ("clean_flagged", "recall"):
        shares = [row[column] for row in moved]
        assert shares == sorted(shares, reverse=True)
        assert shares[0] > shares[-1]
    (review,) = (row for row in moved if row["name"] == "review")
    assert review["recall"] == pytest.approx(METRICS["headline"]["recall"]["value"], abs=1e-6)
    assert review["precision"] == pytest.approx(METRICS["headline"]["precision"]["value"], abs=1e-6)


def test_above_all_scores_nothing_is_flagged_and_precision_is_not_defined() -> None:
    top = Thresholds(review=0.5, block=1.0)
    last = moved_thresholds(LABELS, np.minimum(SCORES[:, 0], 0.99), top)[-1]
    assert (last["name"], last["recall"], last["precision"]) == ("block", 0.0, None)


def test_a_hard_message_is_right_where_it_is_on_its_side_of_the_threshold() -> None:
    limits = [Limit(text=GOLDEN[2], flagged=flagged, about="x") for flagged in (True, False)]
    low, high = (try_limits(tiny_pipeline("toxicity"), review, limits) for review in (0.0, 1.0))
    assert [row["right"] for row in low] == [True, False]
    assert [row["right"] for row in high] == [False, True]
    assert 0 < low[0]["score"] < 1


@pytest.mark.parametrize("model", ["spam", "toxicity"])
def test_both_text_models_have_hard_messages_of_either_kind(model: str) -> None:
    limits = read_limits(ROOT / "data" / "behaviour" / "limits.yaml", model)
    assert {limit.flagged for limit in limits} == {True, False}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("spam: [{text: a, flagged: true}]", "about"),
        ("toxicity: [{text: a, flagged: true, about: b}]", "no messages for spam"),
        ("spam: [", "cannot be read"),
    ],
)
def test_hard_messages_that_are_wrong_are_refused(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "limits.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(LimitsError, match=message):
        read_limits(path, "spam")

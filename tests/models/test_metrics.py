import numpy as np
import pytest
from sklearn import metrics as reference

from models.metrics import binary_metrics

random = np.random.default_rng(7)
LABELS = (random.random(400) < 0.3).astype(int)
# Rounded, so that many rows share a score.
SCORES = np.round(np.clip(random.normal(0.35 + 0.3 * LABELS, 0.2), 0, 1), 2)


def test_figures_are_those_of_scikit_learn() -> None:
    found = binary_metrics(LABELS, SCORES, 0.5, resamples=10, seed=1)
    flagged = SCORES >= 0.5
    expected = {
        "auc": reference.roc_auc_score(LABELS, SCORES),
        "average_precision": reference.average_precision_score(LABELS, SCORES),
        "f1": reference.f1_score(LABELS, flagged),
        "mcc": reference.matthews_corrcoef(LABELS, flagged),
        "precision": reference.precision_score(LABELS, flagged),
        "recall": reference.recall_score(LABELS, flagged),
        "brier": reference.brier_score_loss(LABELS, SCORES),
        "flagged": flagged.mean(),
    }
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, abs=1e-12), name


def test_intervals_are_those_of_a_plain_bootstrap() -> None:
    found = binary_metrics(LABELS, SCORES, 0.5, resamples=2000, seed=1)["auc"]
    other = np.random.default_rng(99)
    draws = []
    for _ in range(2000):
        rows = other.integers(0, len(LABELS), len(LABELS))
        draws.append(reference.roc_auc_score(LABELS[rows], SCORES[rows]))
    low, high = np.percentile(draws, [2.5, 97.5])
    assert found.low == pytest.approx(low, abs=0.006)
    assert found.high == pytest.approx(high, abs=0.006)


def test_calibration_error_of_a_constant_score_is_its_distance_from_the_base_rate() -> None:
    labels = np.array([1, 0, 0, 0])
    found = binary_metrics(labels, np.full(4, 0.75), 0.5, resamples=10, seed=1)
    assert found["ece"].value == pytest.approx(0.5)


def test_one_class_alone_has_no_ranking_figures() -> None:
    found = binary_metrics(np.zeros(30, int), np.linspace(0, 1, 30), 0.5, resamples=10, seed=1)
    assert sorted(found) == ["brier", "ece", "flagged"]
    assert found["flagged"].value == pytest.approx(0.5)


def test_same_seed_same_interval() -> None:
    first, second = (binary_metrics(LABELS, SCORES, 0.5, resamples=50, seed=3) for _ in range(2))
    assert first == second

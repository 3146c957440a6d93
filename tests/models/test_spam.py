import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.naive_bayes import ComplementNB, MultinomialNB

from models.params import NaiveBayesParams
from models.spam import build_classifier, calibrate, weigh_terms

FAMILIES = ("multinomial", "complement")


def fitted(family: str, seed: int = 0) -> tuple[MultinomialNB | ComplementNB, csr_matrix]:
    """Return a classifier of random rows, and other rows."""
    random = np.random.default_rng(seed)
    features = csr_matrix(random.random((60, 20)) * (random.random((60, 20)) < 0.3))
    labels = np.arange(60) % 3 == 0
    params = NaiveBayesParams.model_validate(
        {"family": family, "alpha": 0.1, "class_weight": "none"}
    )
    return build_classifier(params).fit(features[:30], labels[:30].astype(int)), features[30:]


def logits(classifier: MultinomialNB | ComplementNB, features: csr_matrix) -> np.ndarray:
    probabilities = classifier.predict_proba(features)
    return np.asarray(np.log(probabilities[:, 1]) - np.log(probabilities[:, 0]))


@pytest.mark.parametrize("family", FAMILIES)
def test_terms_weigh_by_a_power_of_their_class_ratio(family: str) -> None:
    plain, _ = fitted(family)
    ratios = plain.feature_log_prob_[1] - plain.feature_log_prob_[0]
    for power in (0.0, 1.0):
        classifier, _ = fitted(family)
        weigh_terms(classifier, power)
        weights = classifier.feature_log_prob_[1] - classifier.feature_log_prob_[0]
        scale = np.abs(ratios) ** power
        np.testing.assert_allclose(weights, ratios * scale / np.sqrt((scale**2).mean()))


@pytest.mark.parametrize("family", FAMILIES)
def test_calibrated_log_odds_are_a_line_of_what_they_were(family: str) -> None:
    classifier, features = fitted(family)
    before = logits(classifier, features)
    labels = (before + np.random.default_rng(1).normal(size=len(before)) > 0.2).astype(int)
    calibrate(classifier, features, labels)
    after = logits(classifier, features)
    slope, shift = np.polyfit(before, after, 1)
    np.testing.assert_allclose(after, slope * before + shift, atol=1e-9)
    assert slope > 0
    if family == "multinomial":
        # A logistic curve that is fitted says of as many rows that they are spam as are.
        assert classifier.predict_proba(features)[:, 1].mean() == pytest.approx(
            labels.mean(), abs=1e-3
        )
    else:
        assert shift == pytest.approx(0.0, abs=1e-9)


def test_a_curve_that_would_turn_the_order_round_is_not_taken() -> None:
    classifier, features = fitted("multinomial")
    before = logits(classifier, features)
    calibrate(classifier, features, (before < np.median(before)).astype(int))
    np.testing.assert_allclose(logits(classifier, features), before)

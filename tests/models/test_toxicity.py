import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit

from models.toxicity import ToxicityHeads, class_ratios

HEADS = ("toxic", "insult")


def heads(coefficients: list[list[float]]) -> ToxicityHeads:
    fitted = ToxicityHeads(heads=HEADS)
    fitted.coef_ = np.array(coefficients)
    fitted.intercept_ = np.zeros(2)
    return fitted


def test_a_head_learns_from_the_rows_that_weigh_something_for_it() -> None:
    features = csr_matrix(np.eye(4))
    labels = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], dtype=float)
    weights = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=float)
    both = ToxicityHeads(heads=HEADS).fit(features, labels, sample_weight=weights)
    main = ToxicityHeads(heads=HEADS).fit(features[:2], labels[:2, [0, 0]])
    category = ToxicityHeads(heads=HEADS).fit(features[2:], labels[2:, [1, 1]])
    assert np.array_equal(both.coef_, np.vstack([main.coef_[0], category.coef_[1]]))


def test_a_lower_power_scales_features_more_alike_and_none_leaves_them() -> None:
    features = csr_matrix([[4.0, 1.0, 1.0], [0.0, 1.0, 3.0]])
    labels, weights = np.array([1, 0]), np.ones(2)
    whole, root, none = (class_ratios(features, labels, weights, p) for p in (1.0, 0.5, 0.0))
    assert whole.argsort().tolist() == root.argsort().tolist() == [1, 2, 0]
    assert np.ptp(whole) > np.ptp(root) > 0
    assert np.allclose(root**2 / (root**2)[0], whole / whole[0])
    assert none.tolist() == [1.0, 1.0, 1.0]


def test_the_scaling_of_the_main_head_is_no_matter_of_the_others() -> None:
    features = csr_matrix([[4.0, 1.0, 1.0], [0.0, 1.0, 3.0]])
    labels = np.array([[1.0, 1.0], [0.0, 0.0]])
    plain, scaled = (
        ToxicityHeads(heads=HEADS, scaling=power).fit(features, labels).coef_ for power in (0, 1)
    )
    assert np.array_equal(plain[1], scaled[1])
    assert not np.allclose(plain[0], scaled[0])


def test_calibrated_heads_say_how_often_they_are_right() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(4000, 2))
    truth = random.random((4000, 2)) < expit(0.5 * values - [-1.0, 2.0])
    sure = heads([[5.0, 0.0], [0.0, 5.0]])
    before = sure.predict_heads(csr_matrix(values))
    after = sure.calibrate(csr_matrix(values), truth.astype(float))
    found = after.predict_heads(csr_matrix(values))
    for head in (0, 1):
        assert abs(before[:, head].mean() - truth[:, head].mean()) > 0.1
        assert abs(found[:, head].mean() - truth[:, head].mean()) < 0.001
        assert np.array_equal(np.argsort(found[:, head]), np.argsort(before[:, head]))


def test_calibration_leaves_a_head_whose_rows_tell_nothing() -> None:
    features = csr_matrix(np.eye(2))
    unknown = np.array([[1.0, np.nan], [1.0, 1.0]])
    upside_down = np.array([[0.0, 0.0], [1.0, 1.0]])
    for labels in (unknown, upside_down):
        fitted = heads([[1.0, 0.0], [2.0, 0.0]]).calibrate(features, labels)
        assert fitted.coef_.tolist() == [[1.0, 0.0], [2.0, 0.0]]

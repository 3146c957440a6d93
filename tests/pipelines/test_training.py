import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.params import BudgetParams
from pipelines.training import choose_thresholds, head_labels, row_weights

share = st.floats(0, 0.5)


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.2, 0.3, 0.7, 0.99]), min_size=1, max_size=60),
    share,
    share,
)
def test_thresholds_keep_clean_rows_within_their_budgets(
    clean: list[float], review: float, block: float
) -> None:
    scores = np.array([*clean, 0.8])
    labels = np.array([*[0] * len(clean), 1])
    chosen = choose_thresholds(scores, labels, BudgetParams(review=review, block=block))
    assert np.mean(np.array(clean) >= chosen.review) <= review
    assert np.mean(np.array(clean) >= chosen.block) <= max(review, block)
    assert chosen.review <= chosen.block


def test_scores_that_saturate_leave_the_threshold_at_one() -> None:
    scores = np.array([0.1, 1.0, 1.0])
    chosen = choose_thresholds(scores, np.array([0, 0, 1]), BudgetParams(review=0.0, block=0.0))
    assert (chosen.review, chosen.block) == (1.0, 1.0)


def test_a_threshold_is_the_lowest_that_its_budget_allows() -> None:
    scores = np.linspace(0.01, 1.0, 100)
    chosen = choose_thresholds(scores, np.zeros(100), BudgetParams(review=0.10, block=0.01))
    assert np.sum(scores >= chosen.review) == 10
    assert np.sum(scores >= chosen.block) == 1


def test_a_score_rounded_otherwise_stays_on_its_side_of_a_threshold() -> None:
    scores = np.linspace(0.01, 1.0, 100)
    chosen = choose_thresholds(scores, np.zeros(100), BudgetParams(review=0.10, block=0.01))
    for rounded in (scores - 1e-12, scores + 1e-12):
        assert np.sum(rounded >= chosen.review) == 10
        assert np.sum(rounded >= chosen.block) == 1


def test_rows_that_are_toxic_do_not_move_a_threshold() -> None:
    clean = np.linspace(0, 0.5, 50)
    budgets = BudgetParams(review=0.1, block=0.02)
    alone = choose_thresholds(clean, np.zeros(50), budgets)
    scores, labels = np.r_[clean, np.full(50, 0.2)], np.r_[np.zeros(50), np.ones(50)]
    both = choose_thresholds(scores, labels, budgets)
    assert alone == both


def test_weights_are_the_rows_times_the_sources() -> None:
    frame = pd.DataFrame({"source": ["a", "b", "a"], "weight": [1.0, 0.5, 2.0]})
    assert row_weights(frame, {"a": 3.0}).tolist() == [3.0, 0.5, 6.0]


def test_unknown_labels_stay_unknown() -> None:
    frame = pd.DataFrame(
        {
            "label": [1, 0],
            "insult": [1.0, 0.0],
            "threat": [np.nan, 0.0],
            "obscene": [0.0, 0.0],
            "identity_attack": [0.0, 0.0],
        }
    )
    found = head_labels(frame)
    assert found.shape == (2, 5)
    assert np.isnan(found[0, 2])
    assert found[0, 1] == pytest.approx(1.0)

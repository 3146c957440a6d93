import math

import pytest

from models.gates import Check, check_floors, flatten_metrics


def figure(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.125, "high": value + 0.125}


METRICS = {
    "model": "toxicity",
    "corpus": "public",
    "rows": 40,
    "test_digest": "00",
    "headline": {"auc": figure(0.5), "mcc": figure(0.25)},
    "thresholds": {"review": 0.375, "block": 0.5},
    "at_block": {"mcc": figure(0.125)},
    "heads": {"insult": {"auc": figure(0.5), "rows": 12}},
    "slices": {
        "source/jigsaw_balanced": {"auc": figure(0.625), "rows": 21},
        "length/0-50": {"auc": figure(0.75), "rows": 20},
    },
    "evaluation": {"unintended_bias_nonfuzzed": {"auc": figure(0.875), "rows": 30}},
}


def test_figures_are_named_as_floors_name_them() -> None:
    flat = flatten_metrics(METRICS)
    assert flat["mcc"] == 0.25
    assert (flat["auc"], flat["auc_low"], flat["auc_high"]) == (0.5, 0.375, 0.625)
    assert flat["jigsaw_balanced/auc"] == 0.625
    assert flat["unintended_bias_nonfuzzed/auc_low"] == 0.75
    assert flat["length/0-50/auc"] == 0.75
    assert flat["head/insult/auc"] == 0.5
    assert flat["at_block/mcc"] == 0.125
    assert flat["threshold/review"] == 0.375
    assert flat["rows"] == 40
    assert flat["jigsaw_balanced/rows"] == 21


def test_what_is_no_number_is_left_out() -> None:
    flat = flatten_metrics({"headline": {"auc": {"value": None, "low": math.nan}, "f1": 1.0}})
    assert flat == {"f1": 1.0}


def test_figures_at_their_floors_are_accepted() -> None:
    decision = check_floors({"auc": 0.94, "mcc": 0.95}, {"auc": 0.94, "mcc": 0.94})
    assert decision.accepted
    assert decision.reasons == ()


@pytest.mark.parametrize("value", [0.9399, math.nan, -math.inf])
def test_one_figure_below_its_floor_refuses_with_the_reason(value: float) -> None:
    decision = check_floors({"auc": 0.99, "mcc": value}, {"auc": 0.94, "mcc": 0.94})
    assert not decision.accepted
    assert [check.passed for check in decision.checks] == [True, False]
    assert len(decision.reasons) == 1
    assert decision.reasons[0].startswith("mcc is ")


def test_a_floor_whose_figure_was_not_measured_refuses() -> None:
    decision = check_floors({"auc": 0.99}, {"jigsaw_balanced/auc": 0.94})
    assert not decision.accepted
    assert decision.checks == (Check("jigsaw_balanced/auc", None, 0.94, passed=False),)
    assert "not measured" in decision.reasons[0]


def test_without_floors_nothing_is_accepted() -> None:
    decision = check_floors({"auc": 1.0}, {})
    assert not decision.accepted
    assert decision.reasons

import json
import math
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from models import paired
from models.gates import (
    Check,
    Decision,
    Evidence,
    OverrideError,
    Slice,
    check_floors,
    decide,
    flatten_metrics,
    force,
)
from models.manifest import KINDS
from models.params import GainParams, GateParams, SliceParams


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


POLICY = GateParams(
    gain={kind: GainParams(min_gain=0.01, tolerance=0.05) for kind in KINDS},
    flips=0.05,
    slices={
        "source": SliceParams(margin=0.02, min_rows=50),
        "identity": SliceParams(margin=0.05, min_rows=10),
    },
    calibration=0.02,
    latency_ratio=1.5,
    size_ratio=2.0,
    size_free=1000,
    bootstrap=200,
    seed=1,
)
FLOORS = {"mcc": 0.25}

LABELS = np.arange(200) % 2


def flagging(wrong: int) -> NDArray[np.bool_]:
    """Return decisions on the rows of ``LABELS``, every so many of them wrong."""
    flagged: NDArray[np.bool_] = (LABELS == 1) ^ (np.arange(200) % wrong == 0)
    return flagged


def seen(wrong: int, **changes: Any) -> Evidence:
    """Return the evidence of a spam model that is wrong on one in ``wrong`` rows."""
    flagged = flagging(wrong)
    evidence = Evidence(
        kind="spam",
        rows="r" * 64,
        own_rows=True,
        figures={"mcc": 0.5},
        metric="mcc",
        main=paired.mcc(LABELS, flagged),
        quality=(flagged == (LABELS == 1)).astype(float),
        slices={"source/sms": Slice(60, 0.9), "identity/deaf": Slice(20, 0.8)},
        ece=0.03,
        seconds=0.002,
        size=6000,
        failures=(),
        golden=True,
    )
    return replace(evidence, **changes)


CHAMPION = seen(10)


def failing(decision: Decision) -> list[str]:
    assert decision.accepted == all(check.passed for check in decision.checks)
    assert len(decision.reasons) == sum(not check.passed for check in decision.checks)
    return [check.name for check in decision.checks if not check.passed]


def test_a_better_challenger_is_accepted_on_every_check() -> None:
    decision = decide(seen(20), CHAMPION, POLICY, FLOORS)
    assert decision.accepted
    assert decision.reasons == ()
    assert decision.forced is None
    assert [check.name for check in decision.checks] == [
        "mcc",
        "rows/own",
        "behaviour",
        "golden",
        "gain/mcc",
        "gain/mcc_low",
        "flips/chance",
        "slice/source/sms",
        "slice/identity/deaf",
        "calibration/ece",
        "latency/ratio",
        "size/bytes",
    ]
    # One row in ten is wrong for the champion, one in twenty for the challenger.
    assert decision.checks[4].figure == pytest.approx(0.1, abs=0.02)


def test_the_champion_itself_is_a_tie_and_ties_do_not_promote() -> None:
    decision = decide(CHAMPION, CHAMPION, POLICY, FLOORS)
    assert failing(decision) == ["gain/mcc"]
    assert decision.reasons[0].startswith("a tie: mcc differs by +0.0000")
    assert "ties do not promote" in decision.reasons[0]


def test_less_than_the_least_gain_is_a_tie_either_way() -> None:
    wide = POLICY.model_copy(
        update={"gain": {kind: GainParams(min_gain=0.2, tolerance=1.0) for kind in KINDS}}
    )
    for challenger, champion in ((seen(20), CHAMPION), (CHAMPION, seen(20))):
        reason, *_ = decide(challenger, champion, wide, FLOORS).reasons
        assert reason.startswith("a tie: mcc differs by ")


def test_a_worse_challenger_is_refused_with_every_failing_check() -> None:
    decision = decide(seen(4), CHAMPION, POLICY, FLOORS)
    assert failing(decision) == ["gain/mcc", "gain/mcc_low", "flips/chance"]
    assert "below the champion's" in decision.reasons[0]
    # One row in four is wrong now; one in twenty is wrong for both.
    assert "of 50 rows answered otherwise, 40 are worse and 10 better" in decision.reasons[2]


@pytest.mark.parametrize(
    ("changes", "name", "reason"),
    [
        ({"figures": {"mcc": 0.2499}}, "mcc", "mcc is 0.2499, its floor is 0.25"),
        ({"figures": {}}, "mcc", "mcc was not measured"),
        ({"failures": ("names: Anna", "leet: 0.1")}, "behaviour", "2 behaviour cases fail: names"),
        ({"golden": False}, "golden", "golden rows"),
        ({"signed": False}, "signature", "signature is required"),
        (
            {"slices": {"source/sms": Slice(60, 0.87), "identity/deaf": Slice(20, 0.8)}},
            "slice/source/sms",
            "slice source/sms (60 rows) is 0.0300 worse, 0.02 is allowed",
        ),
        (
            {"slices": {"source/sms": Slice(60, 0.99), "identity/deaf": Slice(20, 0.7)}},
            "slice/identity/deaf",
            "slice identity/deaf (20 rows) is 0.1000 worse",
        ),
        ({"ece": 0.051}, "calibration/ece", "grows by 0.0210"),
        ({"seconds": 0.0031}, "latency/ratio", "takes 1.55 times as long"),
        ({"size": 12001}, "size/bytes", "12,001 bytes, 12,000 are allowed"),
    ],
)
def test_one_fault_refuses_an_otherwise_better_challenger(
    changes: dict[str, Any], name: str, reason: str
) -> None:
    decision = decide(seen(20, **changes), CHAMPION, POLICY, FLOORS)
    assert failing(decision) == [name]
    assert reason in decision.reasons[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"signed": True},
        # A margin is allowed to the last digit, though 0.88 - 0.9 is a little less than -0.02.
        {"slices": {"source/sms": Slice(60, 0.88), "identity/deaf": Slice(20, 0.75)}},
        {"ece": 0.05, "seconds": 0.003, "size": 12000},
        {"ece": None},
    ],
)
def test_what_is_allowed_is_accepted(changes: dict[str, Any]) -> None:
    assert decide(seen(20, **changes), CHAMPION, POLICY, FLOORS).accepted


def test_small_slices_and_families_without_a_margin_are_not_asked() -> None:
    champion = seen(10, slices={"identity/blind": Slice(9, 1.0), "weather/rain": Slice(500, 1.0)})
    challenger = seen(20, slices={"identity/blind": Slice(9, 0.0), "weather/rain": Slice(500, 0.0)})
    decision = decide(challenger, champion, POLICY, FLOORS)
    assert decision.accepted
    assert not any(check.name.startswith("slice/") for check in decision.checks)


def test_a_small_bundle_is_never_too_large() -> None:
    champion = seen(10, size=100)
    assert decide(seen(20, size=1000), champion, POLICY, FLOORS).accepted
    assert failing(decide(seen(20, size=1001), champion, POLICY, FLOORS)) == ["size/bytes"]


def test_a_gain_that_may_be_chance_is_refused() -> None:
    narrow = POLICY.model_copy(
        update={"gain": {kind: GainParams(min_gain=0.01, tolerance=0.0) for kind in KINDS}}
    )
    # Better on some rows and worse on others: on the whole a little better.
    decision = decide(seen(13), CHAMPION, narrow, FLOORS)
    assert failing(decision) == ["gain/mcc_low"]
    assert "may be chance" in decision.reasons[0]


@pytest.mark.parametrize("champion", [None, seen(4)])
def test_figures_of_other_rows_than_its_own_do_not_count(champion: Evidence | None) -> None:
    decision = decide(seen(20, own_rows=False), champion, POLICY, FLOORS)
    assert [check.name for check in decision.checks if not check.passed] == ["rows/own"]
    assert "dvc checkout" in decision.reasons[0]
    assert decision.rows == "r" * 64
    assert not decision.accepted
    assert decide(seen(20), replace(seen(4), own_rows=False), POLICY, FLOORS).accepted


def test_without_a_champion_floors_behaviour_and_golden_rows_decide() -> None:
    decision = decide(seen(4), None, POLICY, FLOORS)
    assert decision.accepted
    assert [check.name for check in decision.checks] == ["mcc", "rows/own", "behaviour", "golden"]
    assert failing(decide(seen(4, golden=False), None, POLICY, FLOORS)) == ["golden"]
    assert failing(decide(seen(4, failures=("x",)), None, POLICY, FLOORS)) == ["behaviour"]
    assert failing(decide(seen(4, signed=False), None, POLICY, FLOORS)) == ["signature"]
    assert not decide(seen(4), None, POLICY, {}).accepted


@pytest.mark.parametrize("change", [{"rows": "s" * 64}, {"kind": "toxicity"}])
def test_models_that_were_not_given_the_same_rows_are_not_compared(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="same rows"):
        decide(seen(20, **change), CHAMPION, POLICY, FLOORS)


def test_a_decision_can_be_recorded_and_read_again() -> None:
    decision = decide(seen(4), CHAMPION, POLICY, FLOORS)
    recorded = json.loads(json.dumps(asdict(decision), allow_nan=False))
    assert tuple(Check(**check) for check in recorded["checks"]) == decision.checks
    assert recorded["forced"] is None


def test_force_accepts_and_keeps_the_refusal_beside_its_reason() -> None:
    refused = decide(seen(4), CHAMPION, POLICY, FLOORS)
    forced = force(refused, " the old one leaks names ")
    assert forced == replace(refused, accepted=True, forced="the old one leaks names")
    assert forced.reasons


@pytest.mark.parametrize("reason", ["", " \n"])
def test_force_without_a_reason_is_refused(reason: str) -> None:
    with pytest.raises(OverrideError, match="--force REASON"):
        force(decide(seen(4), CHAMPION, POLICY, FLOORS), reason)


def test_what_needs_no_force_is_not_called_forced() -> None:
    accepted = decide(seen(20), CHAMPION, POLICY, FLOORS)
    assert force(accepted, "to be sure") is accepted


def test_every_kind_needs_its_gain() -> None:
    gain = {"spam": {"min_gain": 0.1, "tolerance": 0.1}}
    with pytest.raises(ValidationError, match="each of matching, skills, spam, toxicity"):
        GateParams.model_validate(POLICY.model_dump() | {"gain": gain})

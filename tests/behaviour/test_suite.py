"""The starter models meet the suite that the gate runs: minimum, invariance and direction."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from models.manifest import KINDS, Kind
from pipelines.behaviour import FOLDER, read_suite, run_suite
from pipelines.behaviour_cases import Case
from tests.factories import ROOT


def cases() -> Iterator[Any]:
    """Yield each kind and case; those that starter models are excused from must fail."""
    for kind in KINDS:
        for case in read_suite(kind, ROOT / FOLDER):
            weak = case.known_weak.get("starter")
            marks = [pytest.mark.xfail(reason=weak, strict=True)] if weak else []
            yield pytest.param(kind, case, id=f"{kind}-{case.id}", marks=marks)


@pytest.mark.parametrize(("kind", "case"), list(cases()))
def test_the_starter_model_meets(
    kind: Kind, case: Case[Any], starter_models: Mapping[Kind, Any]
) -> None:
    assert case.fault(starter_models[kind]) is None


@pytest.mark.parametrize("kind", ["spam", "toxicity"])
def test_the_gate_runs_the_same_cases(kind: Kind, starter_models: Mapping[Kind, Any]) -> None:
    judge = starter_models[kind]
    asked = run_suite(kind, judge.pipeline, judge.thresholds, "starter", ROOT / FOLDER)
    assert asked == []

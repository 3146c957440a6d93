"""The alerts and the dashboard ask for what there is: metrics, and labels of theirs."""

import json
import re

import pytest
import yaml

from tests.factories import ROOT
from tests.serving.conftest import InProcess

ALERTS = ROOT / "deploy" / "watch" / "alerts.yaml"
DASHBOARD = ROOT / "deploy" / "watch" / "dashboard.json"

#: A metric in an expression, with what is asked of its labels.
_ASKED = re.compile(r"(careerlens_\w+)(?:\{([^}]*)\})?")

#: Labels that Prometheus and the histogram have beside the metric's own.
_EVERYWHERE = {"le"}


def alert_rules() -> list[dict[str, object]]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, object]]:
    return list(json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"])


def expressions() -> list[str]:
    shown = [target["expr"] for panel in panels() for target in panel.get("targets", [])]  # type: ignore[attr-defined]
    return [*(str(rule["expr"]) for rule in alert_rules()), *shown]


@pytest.fixture(scope="module")
def told(service: InProcess) -> dict[str, set[str]]:
    """Every sample that /metrics can show, with its labels."""
    found: dict[str, set[str]] = {}
    collectors = service.module.metrics.registry._collector_to_names
    for collector, names in collectors.items():
        for name in names:
            found[name] = set(collector._labelnames)
    for metric in service.module.metrics.collect():  # those that are read and not counted
        for sample in metric.samples:
            found.setdefault(sample.name, set(sample.labels))
    return found


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_asks_for_metrics_and_labels_that_there_are(
    told: dict[str, set[str]], expression: str
) -> None:
    asked = _ASKED.findall(expression)
    assert asked
    labels = {*_EVERYWHERE, *(label for name, _ in asked for label in told[name])}
    for name, matchers in asked:
        for label in re.findall(r"(\w+)\s*[!=]", matchers):
            assert label in told[name]
    for listed in re.findall(r"by \(([^)]*)\)", expression):
        assert {label.strip() for label in listed.split(",")} <= labels


def test_the_brackets_of_every_expression_close() -> None:
    for expression in expressions():
        for opened, closed in ("()", "{}", "[]"):
            assert expression.count(opened) == expression.count(closed), expression


def test_every_alert_says_how_urgent_it_is_and_what_it_means() -> None:
    rules = alert_rules()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("page", "ticket")  # type: ignore[index]
        assert set(rule["annotations"]) == {"summary"}  # type: ignore[call-overload]


def test_no_two_panels_lie_on_each_other() -> None:
    places = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])  # type: ignore[index]
            for y in range(at["y"], at["y"] + at["h"])  # type: ignore[index]
        }
        assert not cells & places
        places |= cells

"""What GET /models/record answers, collected over small hubs."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from models.errors import HubUnavailableError
from models.hub import LocalHub, repo_id
from models.manifest import Kind
from serving import records
from serving.exchange import Body
from serving.metrics import Metrics
from serving.record_schemas import RecordsAnswer
from serving.records import Records
from serving.settings import Settings
from serving.shadow import ShadowMetrics
from serving.snapshot import Snapshot
from tests.factories import make_release
from tests.serving.champions import NAMESPACE, point, promote, publish
from tests.serving.conftest import InProcess

DIGEST = "d" * 64
FIGURE = {"value": 0.9, "low": 0.8, "high": 1.0}
METRICS = {
    "corpus": "starter",
    "rows": 10,
    "headline": {"mcc": FIGURE},
    "slices": {"length/0-50": {"rows": 4, "positives": 2, "mcc": FIGURE}},
    "curves": {"roc": [[0.0, 0.0], [1.0, 1.0]]},
    "confusion": {"review": [[5, 0], [1, 4]]},
}
COMPARISON = {
    "kind": "spam",
    "versions": {
        side: {"version": side[:2], "digest": DIGEST} for side in ("champion", "challenger")
    },
    "metrics": {"mcc": {"champion": FIGURE, "challenger": None}},
    "decision": {"accepted": False, "reasons": ["worse"], "checks": []},
    "disagreements": {"better": 1, "worse": 2, "shown": [{"text": "a private message"}]},
}


def refuse(*question: object) -> None:
    raise AssertionError(question)


def collect(hub: object, metrics: Metrics | None = None, **settings: Any) -> Any:
    """Return what is on record, as the caller gets it."""
    chosen = Settings(hub=str(hub), namespace=NAMESPACE, **settings)
    collector = records._Collector(chosen, Snapshot(), metrics or Metrics(), {})
    content = collector.collect() | {"request_id": "a"}
    return RecordsAnswer(**content).model_dump(mode="json")


def spam(found: Any) -> Any:
    return next(model for model in found["models"] if model["kind"] == "spam")


@pytest.fixture
def contest(tmp_path: Path) -> LocalHub:
    """A hub with champion v1 of spam, promoted twice, and challenger v2."""
    hub, kind = LocalHub(tmp_path / "hub"), "spam"
    for version, extra in ((1, ()), (2, ("one more",))):
        make_release(tmp_path / f"v{version}", kind, extra=extra, metrics=METRICS)  # type: ignore[arg-type]
    promote(hub, kind, tmp_path / "v1", 1, tmp_path / "scratch")
    point(hub, kind, 1)
    publish(hub, kind, tmp_path / "v2", 2, tmp_path / "scratch")
    return hub


def test_champion_and_challenger_are_there_with_the_figures_of_their_bundles(
    contest: LocalHub,
) -> None:
    found = spam(collect(contest))
    roles = [(version["role"], version["version"]) for version in found["versions"]]
    assert roles == [("champion", "v1"), ("challenger", "v2")]
    for version in found["versions"]:
        evaluation = version["evaluation"]
        assert evaluation["headline"] == {"mcc": FIGURE}
        assert evaluation["slices"]["length/0-50"] == {"rows": 4, "figures": {"mcc": FIGURE}}
        assert evaluation["curves"]["roc"][-1] == [1.0, 1.0]
        assert evaluation["confusion"]["review"] == [[5, 0], [1, 4]]
    assert [(each["before"], each["to"]) for each in found["promotions"]] == [(None, "v1")] * 2
    assert found["notes"] == []


def test_figures_that_were_changed_on_the_hub_are_not_shown(contest: LocalHub) -> None:
    repo = repo_id(NAMESPACE, "spam")
    commit = contest.refs(repo).branches["challenger"]
    path = contest.root / repo / "commits" / commit / "bundle" / "metrics.json"
    path.chmod(0o644)
    path.write_text(json.dumps(METRICS | {"rows": 11}))
    found = spam(collect(contest))
    assert [version["evaluation"] is None for version in found["versions"]] == [False, True]
    assert "not what was released" in found["notes"][0]


def test_a_hub_that_is_away_is_asked_once_and_costs_only_what_it_has(
    contest: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def away(*question: object) -> str:
        asked.append(question)
        raise HubUnavailableError("the hub is away")

    monkeypatch.setattr(LocalHub, "resolve", away)
    found = collect(contest)
    assert len(asked) == 1
    assert [model["versions"] for model in found["models"]] == [[]] * 4
    assert spam(found)["notes"] == ["the hub is away"]


def test_what_is_at_a_commit_is_read_once(
    contest: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = Settings(hub=str(contest), namespace=NAMESPACE)
    first = records._Collector(chosen, Snapshot(), Metrics(), {})
    content = first.collect()
    for name in ("read", "release"):
        monkeypatch.setattr(LocalHub, name, refuse)
    again = records._Collector(chosen, Snapshot(), Metrics(), first.found)
    assert again.collect() == content
    assert again.found == first.found


def test_what_the_commands_wrote_is_shown_without_a_message(
    contest: LocalHub, tmp_path: Path
) -> None:
    assert spam(collect(contest, reports=tmp_path))["comparison"] is None
    path = tmp_path / "compare" / "spam" / "comparison.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(COMPARISON))
    found = spam(collect(contest, reports=tmp_path))
    assert found["comparison"]["disagreements"] == {"better": 1, "worse": 2}
    assert found["comparison"]["decision"] == {"accepted": False, "reasons": ["worse"]}
    assert "private" not in json.dumps(found)


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[1]",
        b'{"verdict": "ok"}',
        b'{"verdict": "ok", "kinds": {}, "x": NaN} trailing',
        b"[" * 100_000,
        b" " * (records.MAX_REPORT_BYTES + 1),
    ],
)
def test_a_report_that_is_none_is_left_out_with_a_note(
    contest: LocalHub, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "drift").mkdir()
    (tmp_path / "drift" / "report.json").write_bytes(content)
    found = collect(contest, reports=tmp_path)
    assert found["drift"] is None
    assert found["notes"][0].startswith("drift/report.json ")
    assert str(tmp_path) not in found["notes"][0]


def test_figures_in_another_shape_cost_the_version_nothing_else(tmp_path: Path) -> None:
    hub = LocalHub(tmp_path / "hub")
    make_release(tmp_path / "v1", "spam")  # its figures have no intervals
    promote(hub, "spam", tmp_path / "v1", 1, tmp_path / "scratch")
    found = spam(collect(hub))
    assert [(each["version"], each["evaluation"]) for each in found["versions"]] == [("v1", None)]
    assert "shape" in found["notes"][0]


def test_candidates_in_shadow_are_counted_by_kind(contest: LocalHub) -> None:
    metrics = Metrics()
    shadow = ShadowMetrics(metrics.registry)
    for agrees, shift in ((True, 0.0), (True, 0.1), (False, 0.5)):
        shadow.count_answer("spam", agrees, shift)
    found = collect(contest, metrics)
    assert spam(found)["shadow"] == {
        "agree": 2,
        "disagree": 1,
        "mean_shift": pytest.approx(0.2),
    }
    kinds: list[Kind] = [model["kind"] for model in found["models"] if model["shadow"]]
    assert kinds == ["spam"]


def test_many_who_ask_at_once_have_it_collected_once(
    service: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected = []
    original = records._Collector.collect

    def count(self: Any) -> Any:
        collected.append(self)
        return original(self)

    monkeypatch.setattr(records._Collector, "collect", count)
    module = service.module
    answers = Records(module.settings, module.champions, module.metrics)

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(*(answers.answer(Body()) for _ in range(20)))

    replies = service.run(all_at_once())
    service.run(answers.answer(Body()))
    assert len(collected) == 1
    versions = [model["versions"] for model in json.loads(replies[0].body)["models"]]
    assert [[each["role"] for each in of_one] for of_one in versions] == [["champion"]] * 4
    assert all(of_one[0]["answers"] for of_one in versions)

"""Drift is told from chance, and from too little to say anything."""

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from models.bundle import load_bundle
from models.hub import LocalHub
from models.kinds import FORMATS
from models.manifest import REFERENCE_FILE, Thresholds
from models.params import DriftParams, load_params
from pipelines import drift
from pipelines.drift_checks import Check, action_shares, run_checks, worst
from pipelines.prediction_log import FILE
from pipelines.reference import FIGURES, Figure, Reference, condense, make_reference
from tests.factories import ROOT, make_release, tiny_pipeline
from tests.pipelines.drifting import (
    THRESHOLDS,
    log_rows,
    package,
    starter_messages,
    starter_postings,
    write_log,
)
from tests.serving.champions import promote

PARAMS: DriftParams = load_params(ROOT / "params.yaml").drift


@dataclass(frozen=True)
class Case:
    """A model, what it was tuned on, and fresh messages of the same sort."""

    pipeline: Pipeline
    reference: Reference
    fresh: list[str]

    def columns(self, texts: list[str]) -> dict[Figure, np.ndarray]:
        rows = log_rows(self.pipeline, texts)
        return {figure: np.array([row[figure] for row in rows]) for figure in FIGURES}

    def check(self, texts: list[str], params: DriftParams = PARAMS) -> list[Check]:
        return run_checks(self.reference, self.columns(texts), THRESHOLDS, params)


@pytest.fixture(scope="module")
def case() -> Case:
    texts = starter_messages()
    np.random.default_rng(1).shuffle(texts)
    learnt, tuned, fresh = texts[:300], texts[300:1_200], texts[1_200:]
    pipeline = tiny_pipeline("spam", tuple(learnt))
    return Case(pipeline, make_reference(pipeline, tuned), fresh)


def alarms(checks: list[Check]) -> set[str]:
    return {check.figure for check in checks if check.verdict == "alarm"}


@pytest.mark.parametrize("rows", [200, 800])
def test_traffic_like_the_reference_hardly_ever_alarms(case: Case, rows: int) -> None:
    columns = case.columns(case.fresh)
    chance = np.random.default_rng(rows)
    found = []
    for _ in range(300):
        chosen = chance.integers(0, len(case.fresh), rows)
        resampled = {figure: values[chosen] for figure, values in columns.items()}
        checks = run_checks(case.reference, resampled, THRESHOLDS, PARAMS)
        found.append(worst([check.verdict for check in checks]))
    assert found.count("alarm") == 0
    assert found.count("notice") <= 6  # 2 %


def test_the_significance_is_what_it_says_without_any_limits_of_size() -> None:
    bare = PARAMS.model_copy(
        update={
            "significance": 0.05,
            "psi": PARAMS.psi.model_copy(update={"notice": 1e-9, "alarm": 1e-9}),
            "ks": PARAMS.ks.model_copy(update={"notice": 1e-9, "alarm": 1e-9}),
        }
    )
    chance = np.random.default_rng(7)

    def draw(rows: int) -> dict[Figure, np.ndarray]:
        return {
            "score": chance.beta(0.4, 0.8, rows),
            "chars": chance.lognormal(4, 1, rows).round(),
            "unknown": np.where(chance.random(rows) < 0.7, 0.0, chance.random(rows)),
            "other_script": (chance.random(rows) < 0.05).astype(float),
        }

    alarmed: dict[tuple[str, str], int] = {}
    trials = 300
    for _ in range(trials):
        table = draw(900)
        reference = condense(
            {name: float(column[row]) for name, column in table.items()} for row in range(900)
        )
        for check in run_checks(reference, draw(500), THRESHOLDS, bare):
            key = check.figure, check.measure
            alarmed[key] = alarmed.get(key, 0) + (check.verdict == "alarm")
    # Ties make Kolmogorov and Smirnov's test say too little, never too much.
    assert all(count <= 0.10 * trials for count in alarmed.values()), alarmed
    assert alarmed["score", "ks"] >= 0.02 * trials
    assert alarmed["score", "psi"] >= 0.02 * trials


OTHER_LANGUAGE = [
    "Guten Tag, ich habe Ihre Bewerbung gelesen und möchte Sie gern kennenlernen",
    "Wann hätten Sie Zeit für ein Gespräch über die offene Stelle",
    "Das Gehalt richtet sich nach Ihrer Erfahrung und wird jährlich angepasst",
    "Bitte schicken Sie mir noch Ihre Zeugnisse als Anhang",
]

HEBREW = "שלום, קראתי את קורות החיים שלך"

SHIFTS: Mapping[str, tuple[Callable[[list[str]], list[str]], set[str]]] = {
    "another language": (lambda texts: OTHER_LANGUAGE * (len(texts) // 4), {"unknown"}),
    "another script": (
        lambda texts: ["שלום, קראתי את קורות החיים שלך"] * len(texts),
        {"other_script"},
    ),
    "another channel": (lambda texts: starter_postings()[: len(texts)], {"unknown"}),
    "doubled length": (lambda texts: [f"{text} {text}" for text in texts], {"chars"}),
    "nothing but spam": (
        lambda texts: ["You won a prize! Claim it now at http://win.example"] * len(texts),
        {"score", "action"},
    ),
}


@pytest.mark.parametrize("shift", SHIFTS)
def test_traffic_that_shifted_alarms_by_the_figure_that_shifted(case: Case, shift: str) -> None:
    change, figures = SHIFTS[shift]
    assert figures <= alarms(case.check(change(case.fresh)))


def test_a_few_messages_say_nothing_however_odd_they_are(case: Case) -> None:
    odd = ["שלום"] * (PARAMS.min_rows - 1)
    assert {check.verdict for check in case.check(odd)} == {"too few"}
    assert alarms(case.check([*odd, "שלום"]))


def test_a_reference_of_a_few_rows_says_nothing_either(case: Case) -> None:
    small = make_reference(case.pipeline, case.fresh[: PARAMS.min_reference - 1])
    checks = run_checks(small, case.columns(["שלום"] * 300), THRESHOLDS, PARAMS)
    assert {check.verdict for check in checks} == {"too few"}


def test_a_large_log_does_not_alarm_for_a_small_difference(case: Case) -> None:
    columns = case.columns(case.fresh)
    many = {figure: np.tile(values, 200) for figure, values in columns.items()}
    shifted = many | {"chars": many["chars"] * 1.05}
    checks = run_checks(case.reference, shifted, THRESHOLDS, PARAMS)
    assert not alarms(checks)


def test_actions_are_told_by_the_thresholds_that_the_service_had(case: Case) -> None:
    scores = np.array([0.0, 0.5, 0.89, 0.9, 1.0])
    assert action_shares(scores, THRESHOLDS).tolist() == [0.2, 0.4, 0.4]
    strict = Thresholds(review=0.0, block=0.0)
    checks = run_checks(case.reference, case.columns(case.fresh), strict, PARAMS)
    [action] = (check for check in checks if check.figure == "action")
    assert (action.value, action.verdict) == (0.0, "ok")  # all of both would be blocked


def test_the_reference_holds_no_text_and_is_the_same_each_time(case: Case) -> None:
    again = make_reference(case.pipeline, case.fresh)
    assert again == make_reference(case.pipeline, case.fresh)
    assert again.rows == len(case.fresh)
    content = again.model_dump_json()
    assert not any(char.isalpha() for char in content.replace("e-", "") if char not in _NAMES)


_NAMES = set("formatrowspointsscorecharsunknownother_script")


@dataclass
class Shop:
    """A hub with a champion of spam that has a reference, and a folder with a log."""

    root: Path
    hub: LocalHub
    pipeline: Pipeline
    digest: str
    fresh: list[str]

    def log(self, texts: list[str], name: str = "predictions", **changed: Any) -> Path:
        rows = log_rows(self.pipeline, texts, digest=self.digest)
        folder = self.root / name
        shutil.rmtree(folder, ignore_errors=True)
        write_log([row | changed for row in rows], folder / FILE)
        return folder

    def run(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Run the command and return its exit code and its report, if it wrote one."""
        report = self.root / "report"
        shutil.rmtree(report, ignore_errors=True)
        argv = ["drift", "--report", str(report), "--hub", str(self.hub), *words]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", argv)
            patch.setattr(drift, "hub_cache", lambda: self.root / "cache")
            patch.chdir(ROOT)
            try:
                drift.main()
                code: Any = 0
            except SystemExit as end:
                code = end.code
        if isinstance(code, str):
            return 1, {"error": code}
        return code, json.loads((report / "report.json").read_text())


@pytest.fixture(scope="module")
def shop(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    root = tmp_path_factory.mktemp("shop")
    digest = package(root / "packaged", "spam", case.pipeline, case.reference)
    hub = LocalHub(root / "hub")
    promote(hub, "spam", root / "packaged", 1, root / "scratch")
    return Shop(root, hub, case.pipeline, digest, case.fresh)


def test_a_bundle_with_a_reference_loads_as_any_other(shop: Shop) -> None:
    folder = shop.root / "packaged" / "bundle"
    loaded = load_bundle(folder, FORMATS["spam"])
    assert REFERENCE_FILE in loaded.manifest.files
    assert loaded.digest == shop.digest


def test_the_command_answers_0_and_writes_a_report(shop: Shop) -> None:
    code, report = shop.run("--log", str(shop.log(shop.fresh)), "--kind", "spam")
    assert code == 0
    assert report["verdict"] == report["kinds"]["spam"]["verdict"] == "ok"
    assert report["kinds"]["spam"]["log"]["rows"] == len(shop.fresh)
    page = (shop.root / "report" / "report.md").read_text()
    assert "## spam v1: ok" in page
    assert (shop.root / "report" / "spam.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_answers_3_for_an_alarm_that_says_which(shop: Shop) -> None:
    doubled = [f"{text} {text}" for text in shop.fresh]
    code, report = shop.run("--log", str(shop.log(doubled)), "--kind", "spam")
    assert code == drift.ALARM == 3
    verdicts = {
        (check["figure"], check["measure"]): check["verdict"]
        for check in report["kinds"]["spam"]["checks"]
    }
    assert verdicts["chars", "ks"] == "alarm"
    assert verdicts["other_script", "ks"] == "ok"


def test_few_messages_answer_0_and_say_that_they_are_few(shop: Shop) -> None:
    code, report = shop.run("--log", str(shop.log(["שלום"] * 20)), "--kind", "spam")
    assert (code, report["verdict"]) == (0, "too few")


def test_only_messages_since_a_time_count(shop: Shop) -> None:
    folder = shop.log([*shop.fresh, *(f"{text} {text}" for text in shop.fresh)])
    turn = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=len(shop.fresh))
    code, report = shop.run("--log", str(folder), "--kind", "spam", "--since", turn.isoformat())
    assert code == 3
    assert report["kinds"]["spam"]["log"]["rows"] == len(shop.fresh)
    code, report = shop.run("--log", str(folder), "--kind", "spam", "--since", "1h")
    assert "no message" in report["error"]


def test_older_parts_and_broken_lines_are_read_and_counted(shop: Shop) -> None:
    folder = shop.log(shop.fresh)
    (folder / FILE).rename(folder / f"{FILE}.1")
    rows = log_rows(shop.pipeline, shop.fresh[:10], digest=shop.digest)
    others = log_rows(shop.pipeline, shop.fresh[:5], digest="e" * 64)
    write_log([*others, *rows], folder / FILE)
    with (folder / FILE).open("a") as file:
        file.write('{"time": "2026-\nnonsense\n')
    code, report = shop.run("--log", str(folder), "--kind", "spam", "--model", "v1")
    assert code == 0
    found = report["kinds"]["spam"]["log"]
    assert (found["rows"], found["of_other_versions"]) == (len(shop.fresh) + 10, 5)
    assert found["unreadable_lines"] == 2


def test_an_earlier_log_can_stand_in_the_place_of_the_reference(shop: Shop) -> None:
    earlier = shop.log([f"{text} {text}" for text in shop.fresh], "earlier")
    later = shop.log([f"{text} {text}" for text in shop.fresh], "later")
    words = ("--kind", "spam", "--reference", str(earlier))
    assert shop.run("--log", str(later), *words)[0] == 0
    assert shop.run("--log", str(shop.log(shop.fresh)), *words)[0] == 3


def test_a_bundle_of_its_own_can_be_named(shop: Shop) -> None:
    folder = shop.root / "packaged" / "bundle"
    log = shop.log(shop.fresh)
    assert shop.run("--log", str(log), "--kind", "spam", "--model", str(folder))[0] == 0


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda shop: shop.root / "nowhere", "CAREERLENS_PREDICTION_LOG"),
        (lambda shop: shop.log(shop.fresh[:5], digest="e" * 64), "digest"),
        (lambda shop: shop.log(shop.fresh[:5], version="v9"), "v9"),
        (lambda shop: shop.log(shop.fresh[:5], kind="toxicity"), "no message"),
    ],
    ids=["no log", "another bundle under that name", "an unknown version", "another kind"],
)
def test_what_cannot_be_answered_is_1_and_a_sentence(
    shop: Shop, prepare: Callable[[Shop], Path], said: str
) -> None:
    code, report = shop.run("--log", str(prepare(shop)), "--kind", "spam")
    assert code == 1
    assert said in report["error"]


def test_a_version_packaged_without_a_reference_says_so(shop: Shop, tmp_path: Path) -> None:
    digest = make_release(tmp_path / "old", "spam")
    log = shop.log(shop.fresh[:5], digest=digest)
    code, report = shop.run(
        "--log", str(log), "--kind", "spam", "--model", str(tmp_path / "old" / "bundle")
    )
    assert code == 1
    assert "reference.json is missing" in report["error"]

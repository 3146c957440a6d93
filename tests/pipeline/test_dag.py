"""The whole DAG on a small sample, run by DVC as a person would."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

from models.bundle import load_bundle
from models.kinds import FORMATS
from models.manifest import KINDS
from models.scoring import score_texts
from tests.pipeline.conftest import Checkout, make_checkout

FITTING = ("fit_tfidf@", "train_spam'", "train_toxicity'", "build_skills'", "build_job_index'")


def digests(checkout: Checkout) -> dict[str, str]:
    receipt = json.loads((checkout.root / "artifacts" / "track.json").read_text())
    found: dict[str, str] = receipt["bundles"]
    return found


def finished_results(checkout: Checkout) -> set[str]:
    """Return the tracking store's runs without a parent."""
    with sqlite3.connect(checkout.root / "mlflow.db") as store:
        rows = store.execute(
            "select run_uuid from runs where lifecycle_stage = 'active' and status = 'FINISHED'"
            " and run_uuid not in (select run_uuid from tags where key = 'mlflow.parentRunId')"
        )
        return {row[0] for row in rows}


def test_a_run_leaves_bundles_that_load_and_answer(trained: Checkout) -> None:
    for kind in KINDS:
        folder = trained.root / "artifacts" / kind / "release" / "bundle"
        bundle = load_bundle(folder, FORMATS[kind], digests(trained)[kind])
        assert bundle.manifest.corpus == "starter"
        if kind in ("spam", "toxicity"):
            scores = score_texts(bundle.model, ["You won a free prize, claim it now"])
            assert 0 <= scores[0, 0] <= 1
    report = (trained.root / "artifacts" / "report.md").read_text()
    assert "not to judge a model by" in report


def test_a_second_run_does_nothing_and_adds_no_run(trained: Checkout) -> None:
    before = finished_results(trained)
    printed = trained.dvc("repro")
    assert "Running stage" not in printed
    trained.run("python", "-m", "pipelines.track", "--receipt", "artifacts/track.json")
    assert finished_results(trained) == before
    assert len(before) == 1


def test_an_experiment_adds_one_run_and_its_metrics_can_be_compared(trained: Checkout) -> None:
    before = finished_results(trained)
    printed = trained.dvc("exp", "run", "--name", "weaker", "-S", "spam.classifier.alpha=2.5")
    assert "fit_tfidf" not in "".join(
        line for line in printed.splitlines() if line.startswith("Running stage")
    )
    assert len(finished_results(trained) - before) == 1
    changed = json.loads(trained.dvc("metrics", "diff", "--json"))
    assert set(changed) == {"artifacts/spam/summary.json"}
    assert any(figure["diff"] != 0 for figure in changed["artifacts/spam/summary.json"].values())
    plots = trained.dvc("plots", "diff", "HEAD", "--out", "plots-page")
    assert "plots-page" in plots
    trained.run("git", "checkout", "--quiet", ".")
    trained.dvc("checkout", "--quiet")


def test_a_queued_sweep_of_three_adds_three_runs_to_the_same_store(trained: Checkout) -> None:
    before = finished_results(trained)
    trained.dvc("exp", "run", "--queue", "-S", "spam.classifier.alpha=0.2,0.4,0.8")
    trained.dvc("exp", "run", "--run-all", "--jobs", "2")
    assert len(finished_results(trained) - before) == 3
    shown = json.loads(trained.dvc("exp", "show", "--json"))
    assert sum(len(commit.get("experiments") or []) for commit in shown) >= 3


def test_after_push_and_pull_no_fitting_stage_runs(trained: Checkout, tmp_path: Path) -> None:
    trained.dvc("remote", "add", "--force", "--default", "store", str(tmp_path / "remote"))
    trained.commit()
    trained.dvc("push", "--quiet")
    clone = Checkout(tmp_path / "clone")
    trained.run("git", "clone", "--quiet", str(trained.root), str(clone.root))
    clone.dvc("pull", "--quiet")
    printed = clone.dvc("repro")
    assert not [stage for stage in FITTING if f"Running stage '{stage}" in printed]
    clone.run("python", "-m", "pipelines.track", "--receipt", "artifacts/track.json")
    assert digests(clone) == digests(trained)
    assert len(finished_results(clone)) == 1


def test_a_fresh_checkout_elsewhere_gives_the_same_digests(
    trained: Checkout, tmp_path: Path
) -> None:
    # Another folder and another hash seed; the kernels are pinned by the pipeline itself.
    other = make_checkout(
        tmp_path / "other place",
        PYTHONHASHSEED="7",
        OPENBLAS_CORETYPE="Prescott",
        OPENBLAS_NUM_THREADS="2",
    )
    other.run_stages()
    other.run("python", "-m", "pipelines.track", "--receipt", "artifacts/track.json")
    assert digests(other) == digests(trained)


def test_a_corrupted_source_stops_the_dag_by_name(trained: Checkout) -> None:
    messages = trained.root / "data" / "starter" / "messages.csv"
    good = messages.read_bytes()
    lines = good.split(b"\n")

    def check(spoilt: bytes, named: str, run: Callable[[], str]) -> None:
        messages.write_bytes(spoilt)
        printed = run()
        said = [line for line in printed.splitlines() if line.startswith("starter")]
        assert any(named in line for line in said), printed
        assert "validate_raw: " in printed
        assert "Running stage 'clean'" not in printed

    def first_stages() -> str:
        return trained.run_stages("ingest", "validate_raw", fails=True)

    try:
        spoilt = good.replace(b"text,spam", b"message,spam", 1)
        check(spoilt, "table_columns_to_match", lambda: trained.dvc("repro", fails=True))
        check(good.replace(b",1,0,", b",maybe,0,"), '"maybe"', first_stages)
        spoilt = b"\n".join(lines[: len(lines) // 2]) + b"\n"
        check(spoilt, "table_row_count", first_stages)
        check(good.decode().encode("utf-16"), "not utf-8", first_stages)
    finally:
        messages.write_bytes(good)
        trained.dvc("checkout", "--quiet", "--force")

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.errors import HashMismatchError
from pipelines import track, tracking
from pipelines.tracking import TrackingError, open_store
from tests.factories import ROOT
from tests.pipelines.results import KINDS, PNG, make_result, working_in

EVERYTHING = {"release", "plots", "curves", "metrics.json", "thresholds.json"}


def git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def digests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Track one committed result in a project of its own; the tests of this module work there."""
    root = tmp_path_factory.mktemp("a project")
    digests = make_result(root)
    with working_in(root):
        Path(".gitignore").write_text("mlruns\nmlflow.db*\nartifacts/track.json\n")
        git("init", "--quiet")
        git("add", ".")
        git("commit", "--quiet", "-m", "a result")
        Path("dvc.lock").write_text(yaml.safe_dump({"stages": {"split": {"cmd": "x"}}}))
        assert track.track(track.parse_args([]))
        yield digests


def runs(experiment: str = "") -> list[Any]:
    with open_store() as store:
        return list(store.client.search_runs([experiment or store.experiment]))


def parents() -> list[Any]:
    return [run for run in runs() if tracking.PARENT not in run.data.tags]


def model_run(kind: str, digest: str) -> Any:
    with open_store() as store:
        run = tracking.find_model_run(store, kind, digest)
    assert run is not None
    return run


def test_a_result_is_one_run_with_a_run_for_each_model(digests: dict[str, str]) -> None:
    (parent,) = parents()
    children = [model_run(kind, digests[kind]) for kind in KINDS]
    assert {run.info.run_id for run in runs()} == {each.info.run_id for each in (parent, *children)}
    assert {run.data.tags[tracking.PARENT] for run in children} == {parent.info.run_id}
    assert {run.info.status for run in (parent, *children)} == {"FINISHED"}
    assert parent.info.run_name.startswith("starter ")


def test_a_run_says_what_was_done_with_what_and_how_well(digests: dict[str, str]) -> None:
    run = model_run("spam", digests["spam"])
    assert run.data.params["data.corpus"] == "starter"
    assert run.data.params["spam.classifier.alpha"] == "0.1"
    assert not any(name.startswith("toxicity") for name in run.data.params)
    assert run.data.metrics["mcc"] == pytest.approx(0.97)
    assert run.data.metrics["mcc_low"] == pytest.approx(0.96)
    assert run.data.metrics["length/0-50/auc"] == pytest.approx(0.98)
    assert run.data.metrics["category/offers _ deals/auc"] == pytest.approx(0.97)
    inputs = {each.dataset.name: each for each in run.inputs.dataset_inputs}
    assert set(inputs) == {"spam/train", "spam/validation", "spam/test"}
    assert json.loads(inputs["spam/test"].dataset.profile) == {"rows": 3}
    assert {tag.key: tag.value for tag in inputs["spam/test"].tags}[
        "mlflow.data.context"
    ] == "testing"
    (parent,) = parents()
    assert parent.data.metrics["toxicity/auc"] == pytest.approx(0.99)
    assert parent.data.params["toxicity.classifier.C"] == "1.0"


def test_a_run_holds_the_release_and_the_plots(digests: dict[str, str]) -> None:
    run = model_run("spam", digests["spam"])
    with open_store() as store:
        assert {each.path for each in store.client.list_artifacts(run.info.run_id)} == EVERYTHING
        folder = tracking.download(store, run.info.run_id, tracking.RELEASE, Path("downloaded"))
    assert tracking.read_packaged(folder).digest == digests["spam"]
    assert (Path("mlruns") / run.info.run_id / "artifacts/plots/roc.png").read_bytes() == PNG


def test_a_run_names_commit_and_lock_and_is_not_dirty_for_the_lock(
    digests: dict[str, str],
) -> None:
    tags = model_run("spam", digests["spam"]).data.tags
    assert tags[tracking.GIT_COMMIT] == git("rev-parse", "HEAD")
    assert tags["git_dirty"] == "false"
    assert tags[tracking.DVC_LOCK] == track.lock_digest(Path("dvc.lock"))


def test_the_receipt_holds_digests_alone_and_is_left_alone(digests: dict[str, str]) -> None:
    receipt = Path("artifacts/track.json")
    result = tracking.result_digest(list(digests.values()))
    assert json.loads(receipt.read_text()) == {"result": result, "bundles": digests}
    before = receipt.stat()
    assert not track.track(track.parse_args([]))
    assert (receipt.stat().st_ino, receipt.stat().st_mtime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
    )


def test_tracking_again_adds_nothing_and_another_bundle_adds_a_run(
    digests: dict[str, str], tmp_path: Path
) -> None:
    before = len(parents())
    assert not track.track(track.parse_args([]))
    assert len(parents()) == before

    changed = make_result(tmp_path, alpha=0.5)
    assert changed["toxicity"] == digests["toxicity"]
    args = track.parse_args(arguments_for(tmp_path))
    assert track.track(args)
    assert not track.track(args)
    assert len(parents()) == before + 1
    weaker, first = model_run("spam", changed["spam"]), model_run("spam", digests["spam"])
    assert weaker.data.params["spam.classifier.alpha"] == "0.5"
    assert set(weaker.data.metrics) == set(first.data.metrics)


@pytest.mark.usefixtures("digests")
def test_an_interrupted_run_is_taken_for_nothing_and_gives_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    before = {run.info.run_id for run in runs()}
    changed = make_result(tmp_path, alpha=0.7)
    args = track.parse_args(arguments_for(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "set_tag", interrupt)
        with pytest.raises(KeyboardInterrupt):
            track.track(args)
    left = {run.info.run_id for run in runs()} - before
    assert len(left) == 1 + len(KINDS)
    with open_store() as store:
        assert tracking.find_model_run(store, "spam", changed["spam"]) is None
    assert track.track(args)
    now = {run.info.run_id for run in runs()} - before
    assert len(now) == 1 + len(KINDS)
    assert not now & left
    assert model_run("spam", changed["spam"]).info.run_id in now


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def arguments_for(root: Path) -> list[str]:
    return [
        *("--artifacts", str(root / "artifacts"), "--data", str(root / "data")),
        *("--params", str(root / "params.yaml"), "--receipt", str(root / "artifacts/track.json")),
    ]


def other_params(root: Path) -> None:
    path = root / "params.yaml"
    path.write_text(path.read_text().replace("alpha: 0.9", "alpha: 0.8"))


def other_bytes(root: Path) -> None:
    (root / "artifacts/spam/release/bundle/model.skops").write_bytes(b"tampered")


def no_report(root: Path) -> None:
    (root / "artifacts/report.md").unlink()


@pytest.mark.usefixtures("digests")
@pytest.mark.parametrize(
    ("harm", "error", "reason"),
    [
        (other_params, TrackingError, r"not what the spam model was trained with"),
        (other_bytes, HashMismatchError, r"model\.skops"),
        (no_report, TrackingError, r"report\.md missing"),
    ],
)
def test_what_does_not_fit_together_is_not_logged(
    tmp_path: Path, harm: Any, error: type[Exception], reason: str
) -> None:
    make_result(tmp_path, alpha=0.9)
    before = len(runs())
    harm(tmp_path)
    with pytest.raises(error, match=reason):
        track.track(track.parse_args(arguments_for(tmp_path)))
    assert len(runs()) == before


def test_commands_that_start_at_once_on_no_store_make_one_and_log_the_result_once(
    tmp_path: Path,
) -> None:
    copies = ("first", "second")
    for name in copies:
        make_result(tmp_path / "queue" / name)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"},
        "DVC_ROOT": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    waiting = [
        subprocess.Popen(
            [sys.executable, "-m", "pipelines.track"],
            cwd=tmp_path / "queue" / name,
            env=environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in copies
    ]
    for process in waiting:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("mlflow.db", "mlflow.db.lock", "mlruns", "queue")
    ]
    with working_in(tmp_path):
        assert len(parents()) == 1
        assert len(runs()) == 1 + len(KINDS)


def test_the_address_is_the_projects_even_from_a_queued_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with working_in(tmp_path):
        assert tracking.project_root() == tmp_path
        monkeypatch.setenv("DVC_ROOT", "/srv/project")
        assert tracking.project_root() == Path("/srv/project")
    project = Path("/srv/project")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    assert tracking.tracking_address(project) == "sqlite:////srv/project/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///other.db")
    assert tracking.tracking_address(project) == "sqlite:////srv/project/other.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example")
    assert tracking.tracking_address(project) == "http://mlflow.example"


def test_the_lock_digest_does_not_depend_on_the_tracking_stage(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    assert track.lock_digest(lock) is None

    def digest(**stages: str) -> str | None:
        lock.write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))
        return track.lock_digest(lock)

    assert digest(split="a") == digest(track="b", split="a")
    assert digest(split="a") != digest(split="b")


def test_params_are_named_as_dvc_names_them() -> None:
    nested = {"data": {"corpus": "public", "sample": None}, "spam": {"budgets": {"review": 0.01}}}
    assert track.flatten_params(nested) == {
        "data.corpus": "public",
        "data.sample": "null",
        "spam.budgets.review": "0.01",
    }


def test_without_bundles_the_message_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match="dvc repro"):
        track.track(track.parse_args(["--artifacts", str(tmp_path)]))


def test_a_server_that_does_not_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with working_in(tmp_path):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        with (
            pytest.raises(TrackingError, match=r"127\.0\.0\.1:9 .*MLFLOW_TRACKING_URI"),
            open_store(),
        ):
            pass

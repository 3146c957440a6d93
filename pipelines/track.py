"""Log what DVC produced into MLflow, once per distinct result.

As a stage it writes a receipt that holds digests only; as a command it logs a result that the store
lacks, after `dvc pull` say.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from models.gates import flatten_metrics
from models.manifest import KINDS, Kind
from models.params import Params, load_params
from pipelines import tracking
from pipelines.entry import entry_point
from pipelines.kinds import MADE
from pipelines.packaging import chosen_params, params_digest
from pipelines.tracking import Packaged, Store, TrackingError

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput


# MLflow's limits: characters of a tag, entries of one batch, characters of a name.
_NOTE_CHARS = 8000
_PARAMS_PER_BATCH = 100
_METRICS_PER_BATCH = 500
_NOT_IN_NAMES = re.compile(r"[^\w.\- :/]")


def flatten_params(content: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested params by the names that ``dvc exp run -S`` takes: ``spam.budgets.block``."""
    flat: dict[str, str] = {}
    for name, value in content.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping):
            flat |= flatten_params(value, f"{key}.")
        else:
            flat[key] = value if isinstance(value, str) else json.dumps(value)
    return flat


def lock_digest(path: Path) -> str | None:
    """Return the sha256 of what dvc.lock says of every stage but ``track``; None without the file.

    DVC writes a stage's entry after the stage has run, so ``track`` never sees its own.
    """
    if not path.exists():
        return None
    return stages_digest(yaml.safe_load(path.read_text(encoding="utf-8")).get("stages", {}))


def stages_digest(stages: Mapping[str, Any]) -> str:
    """Return the sha256 of all ``stages`` of a dvc.lock but ``track``."""
    others = {name: stage for name, stage in stages.items() if name != "track"}
    return hashlib.sha256(json.dumps(others, sort_keys=True).encode()).hexdigest()


def log_result(
    store: Store, result: str, packaged: Mapping[Kind, Packaged], args: argparse.Namespace
) -> str:
    """Log one result as a parent run with a run per model; return the name of the parent.

    The parent is marked complete at the very end; what an interrupted run left is deleted first.
    """
    params = load_params(args.params)
    _check_files(args)
    _check_origin(params, packaged, args)
    if store.ours:
        _delete_leftovers(store)
    corpus = params.data.corpus
    name = f"{corpus} {result[:8]}"
    provenance = {tracking.CORPUS: corpus, **_provenance()}
    report = args.artifacts / "report.md"
    marks = {
        tracking.RESULT: result,
        tracking.COMPLETE: "false",
        "mlflow.note.content": report.read_text(encoding="utf-8")[:_NOTE_CHARS],
    }
    parent = _create_run(store, name, provenance | marks)
    _log_params(store, parent, flatten_params(params.model_dump(mode="json", exclude={"hub"})))
    headlines: dict[str, float] = {}
    for kind, bundle in packaged.items():
        tags = {tracking.KIND: kind, tracking.BUNDLE: bundle.digest, tracking.PARENT: parent}
        run = _create_run(store, f"{kind} {corpus} {bundle.digest[:8]}", provenance | tags)
        metrics = _log_model(store, run, kind, params, args)
        store.client.set_terminated(run)
        headlines |= {f"{kind}/{key}": value for key, value in metrics.items() if "/" not in key}
    _log_metrics(store, parent, headlines)
    store.client.log_artifact(parent, str(report))
    store.client.log_artifact(parent, str(args.params))
    store.client.set_terminated(parent)
    store.client.set_tag(parent, tracking.COMPLETE, "true")
    return name


def _log_model(
    store: Store, run: str, kind: Kind, params: Params, args: argparse.Namespace
) -> dict[str, float]:
    """Log params, metrics, data and files of one model; return its metrics."""
    folder = args.artifacts / kind
    metrics = flatten_metrics(json.loads((folder / "metrics.json").read_text(encoding="utf-8")))
    _log_params(store, run, flatten_params(chosen_params(kind, params)))
    _log_metrics(store, run, metrics)
    datasets = MADE[kind].datasets.items()
    store.client.log_inputs(
        run, [_dataset(f"{kind}/{name}", args.data / path, use) for name, (path, use) in datasets]
    )
    for name in MADE[kind].files:
        store.client.log_artifact(run, str(folder / name))
    for name in (tracking.RELEASE, *MADE[kind].folders):
        store.client.log_artifacts(run, str(folder / name), artifact_path=name)
    return metrics


def _dataset(name: str, path: Path, use: str) -> "DatasetInput":
    from mlflow.entities import Dataset, DatasetInput, InputTag

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    entry = Dataset(
        name=name,
        digest=digest[:32],  # MLflow takes 36 characters; the whole digest is a tag
        source_type="local",
        source=json.dumps({"uri": path.as_posix()}),
        profile=json.dumps({"rows": _count_rows(path)}),
    )
    return DatasetInput(entry, [InputTag("mlflow.data.context", use), InputTag("sha256", digest)])


def _count_rows(path: Path) -> int:
    from pyarrow import parquet

    if path.suffix == ".parquet":
        return int(parquet.read_metadata(path).num_rows)
    return path.read_bytes().count(b"\n")


def _create_run(store: Store, name: str, tags: Mapping[str, str]) -> str:
    run = store.client.create_run(store.experiment, run_name=name, tags=dict(tags))
    return str(run.info.run_id)


def _log_params(store: Store, run: str, params: Mapping[str, str]) -> None:
    from mlflow.entities import Param

    entries = [Param(key, value) for key, value in params.items()]
    for start in range(0, len(entries), _PARAMS_PER_BATCH):
        store.client.log_batch(run, params=entries[start : start + _PARAMS_PER_BATCH])


def _log_metrics(store: Store, run: str, metrics: Mapping[str, float]) -> None:
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    entries = [Metric(_NOT_IN_NAMES.sub("_", key), value, now, 0) for key, value in metrics.items()]
    for start in range(0, len(entries), _METRICS_PER_BATCH):
        store.client.log_batch(run, metrics=entries[start : start + _METRICS_PER_BATCH])


def _delete_leftovers(store: Store) -> None:
    """Delete interrupted runs; under the lock of our own store nobody is still writing them."""
    for parent in store.client.search_runs(
        [store.experiment], f"tags.{tracking.COMPLETE} = 'false'"
    ):
        of_parent = f"tags.`{tracking.PARENT}` = '{parent.info.run_id}'"
        for run in store.client.search_runs([store.experiment], of_parent):
            store.client.delete_run(run.info.run_id)
        store.client.delete_run(parent.info.run_id)


def _check_files(args: argparse.Namespace) -> None:
    """Check that all there is to log is there, before the first run is made."""
    of_models = [
        path
        for kind, made in MADE.items()
        for path in (
            *(
                args.artifacts / kind / name
                for name in (tracking.RELEASE, *made.files, *made.folders)
            ),
            *(args.data / place for place, _ in made.datasets.values()),
        )
    ]
    missing = [path for path in (args.artifacts / "report.md", *of_models) if not path.exists()]
    if missing:
        raise TrackingError(
            f"{', '.join(map(str, missing))} missing: run `dvc repro`, or `dvc pull`"
        )


def _check_origin(
    params: Params, packaged: Mapping[Kind, Packaged], args: argparse.Namespace
) -> None:
    """Check that files and params are those of the manifests, so that a run cannot tell a lie."""
    # They take a second to import, and are needed only when there is something to log.
    from models.bundle import verify_bundle

    for kind, bundle in packaged.items():
        if params_digest(kind, params) != bundle.params:
            raise TrackingError(
                f"{args.params} is not what the {kind} model was trained with: run `dvc repro`"
            )
        verify_bundle(args.artifacts / kind / tracking.RELEASE / "bundle", bundle.digest)


def _provenance() -> dict[str, str]:
    """Return tags that say where a result came from, as far as it is known."""
    tags = {
        tracking.GIT_COMMIT: _git("rev-parse", "HEAD"),
        tracking.DVC_LOCK: lock_digest(Path("dvc.lock")),
        "dvc_experiment": os.environ.get("DVC_EXP_NAME"),
        "mlflow.source.name": "pipelines.track",
        "mlflow.source.type": "LOCAL",
        "mlflow.user": tracking.user_name(),
    }
    if tags[tracking.GIT_COMMIT]:
        # DVC rewrites dvc.lock whenever it runs, and that has a digest of its own.
        tags["git_dirty"] = str(
            bool(_git("status", "--porcelain", "--", ".", ":!dvc.lock"))
        ).lower()
    return {name: value for name, value in tags.items() if value}


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _write_receipt(path: Path, result: str, packaged: Mapping[Kind, Packaged]) -> None:
    content = {"result": result, "bundles": {kind: each.digest for kind, each in packaged.items()}}
    text = json.dumps(content, indent=2, sort_keys=True) + "\n"
    # The file may be a link into DVC's cache, so it is left alone when it is right.
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; every path has the place of dvc.yaml as its default."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.track", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--receipt", type=Path, default=Path("artifacts/track.json"))
    return parser.parse_args(argv)


def track(args: argparse.Namespace) -> bool:
    """Log the result in ``args.artifacts`` unless the store has it; return whether it did."""
    packaged = {
        kind: tracking.read_packaged(args.artifacts / kind / tracking.RELEASE) for kind in KINDS
    }
    result = tracking.result_digest([each.digest for each in packaged.values()])
    with tracking.open_store() as store:
        found = tracking.find_result(store, result)
        name = found.info.run_name if found else log_result(store, result, packaged, args)
        state = "tracked already" if found else "tracked"
        print(f"{state}: run '{name}' in {store.address}, experiment {tracking.EXPERIMENT}")
    _write_receipt(args.receipt, result, packaged)
    return found is None


@entry_point
def main() -> None:
    """Run the stage."""
    track(parse_args())


if __name__ == "__main__":
    main()

"""Where runs and registered versions are kept: one MLflow experiment in one store.

MLflow is imported when the store is opened, which takes about a second, and never before its
telemetry is switched off.
"""

import getpass
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from models.errors import CareerlensError
from models.manifest import KINDS, Kind

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.tracking import MlflowClient

EXPERIMENT = "careerlens"

#: Aliases of registered versions; the hub's branches of the same meaning are the truth.
CHAMPION = "champion"
CHALLENGER = "challenger"

#: Folder of a model's run, and of a release below artifacts/<model>, with README.md and bundle/.
RELEASE = "release"

# Tags of runs. A parent's ``complete`` is set last of all: without it a run was interrupted.
RESULT = "result"
COMPLETE = "complete"
KIND = "kind"
BUNDLE = "bundle"
CORPUS = "corpus"
DVC_LOCK = "dvc_lock"
GIT_COMMIT = "mlflow.source.git.commit"
PARENT = "mlflow.parentRunId"

_SQLITE = "sqlite:///"
# In the experiment queue others may be logging their bundles first.
_LOCK_SECONDS = 600.0


class TrackingError(CareerlensError):
    """The tracking store cannot be used, or lacks what is asked of it."""


@dataclass(frozen=True)
class Store:
    """An open tracking store.

    Attributes
    ----------
    ours : bool
        Whether every writer takes our lock: so in a local database, not so on a server.
    """

    client: "MlflowClient"
    experiment: str
    address: str
    ours: bool


@dataclass(frozen=True)
class Packaged:
    """The bundle of one model as it lies in ``artifacts/<model>/release``."""

    digest: str
    corpus: str
    params: str


def chosen_kinds(names: Sequence[str]) -> tuple[Kind, ...]:
    """Return the models named on a command line; all of them when none is named.

    Raises
    ------
    TrackingError
        If a name is not a model's.
    """
    unknown = sorted(set(names) - set(KINDS))
    if unknown:
        raise TrackingError(f"no model {', '.join(unknown)}: there are {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in names or not names)


def project_root() -> Path:
    """Return the project's folder: DVC_ROOT in the experiment queue's copies, else this one."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd()).resolve()


def tracking_address(root: Path) -> str:
    """Return MLFLOW_TRACKING_URI, or the database ``mlflow.db`` of the project.

    A relative SQLite path is taken from ``root``, so that the queue's copies share one database.
    """
    address = os.environ.get("MLFLOW_TRACKING_URI") or f"{_SQLITE}mlflow.db"
    if address.startswith(_SQLITE):
        return f"{_SQLITE}{root / address.removeprefix(_SQLITE)}"
    return address


@contextmanager
def open_store(root: Path | None = None) -> Iterator[Store]:
    """Open the tracking store of the project at ``root``, alone among this project's commands.

    Raises
    ------
    TrackingError
        If the store cannot be opened, or its experiment was deleted.
    """
    root = root or project_root()
    address = tracking_address(root)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    with _alone(_lock_path(root, address)):
        try:
            client = MlflowClient(tracking_uri=address)
            experiment = _experiment(client, root, address)
            yield Store(client, experiment, address, ours=address.startswith(_SQLITE))
        except MlflowException as error:
            raise TrackingError(
                f"MLflow at {address} cannot be used: {error}; check MLFLOW_TRACKING_URI"
            ) from error


def read_packaged(folder: Path) -> Packaged:
    """Return what the manifest in ``folder/bundle`` says; the files are not checked here.

    Raises
    ------
    TrackingError
        If there is no bundle.
    """
    path = folder / "bundle" / "manifest.json"
    try:
        encoded = path.read_bytes()
    except OSError as error:
        raise TrackingError(f"{path} cannot be read: run `dvc repro` or `dvc pull`") from error
    manifest: dict[str, Any] = json.loads(encoded)
    digest = hashlib.sha256(encoded).hexdigest()
    return Packaged(digest, corpus=manifest["corpus"], params=manifest["params"])


def result_digest(digests: list[str]) -> str:
    """Return the digest of a result: of the digests of its bundles, in any order."""
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()


def find_result(store: Store, result: str) -> "Run | None":
    """Return the complete parent run of a result, if it was tracked."""
    runs = store.client.search_runs(
        [store.experiment], f"tags.{RESULT} = '{result}' and tags.{COMPLETE} = 'true'"
    )
    return runs[0] if runs else None


def find_model_run(store: Store, kind: str, digest: str) -> "Run | None":
    """Return the newest run of one model's bundle that belongs to a complete result."""
    runs = store.client.search_runs(
        [store.experiment],
        f"tags.{KIND} = '{kind}' and tags.{BUNDLE} = '{digest}'",
        order_by=["attributes.start_time DESC"],
    )
    for run in runs:
        parent = store.client.get_run(run.data.tags[PARENT])
        alive = parent.info.lifecycle_stage == "active"
        if alive and parent.data.tags.get(COMPLETE) == "true":
            return run
    return None


def versions(store: Store, kind: str) -> dict[int, "ModelVersion"]:
    """Return the registered versions of one model, oldest first."""
    found = store.client.search_model_versions(f"name = '{kind}'")
    return {int(each.version): each for each in sorted(found, key=lambda each: int(each.version))}


def alias(store: Store, kind: str, name: str) -> int | None:
    """Return the version that an alias of one model names, if there is one."""
    found = store.client.search_registered_models(f"name = '{kind}'")
    version = found[0].aliases.get(name) if found else None
    return None if version is None else int(version)


def download(store: Store, run: str, path: str, folder: Path) -> Path:
    """Copy the artifacts of a run at ``path`` into ``folder`` and return where they are.

    Raises
    ------
    TrackingError
        If they cannot be had.
    """
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    try:
        return Path(
            download_artifacts(
                run_id=run, artifact_path=path, dst_path=str(folder), tracking_uri=store.address
            )
        )
    except (MlflowException, OSError) as error:
        raise TrackingError(
            f"artifact {path} of run {run} in {store.address} cannot be downloaded: {error}"
        ) from error


def user_name() -> str:
    """Return who runs this, as the system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id may have no name
        return str(os.getuid())


def _experiment(client: "MlflowClient", root: Path, address: str) -> str:
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(EXPERIMENT)
    if found is None:
        # A server knows where its artifacts belong; a database we open ourselves does not, and
        # would take the working directory, which in the queue is a copy that goes away.
        server = address.startswith(("http:", "https:", "databricks"))
        place = None if server else (root / "mlruns").as_uri()
        try:
            return str(client.create_experiment(EXPERIMENT, artifact_location=place))
        except MlflowException:
            found = client.get_experiment_by_name(EXPERIMENT)  # made by somebody else just now
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"experiment {EXPERIMENT} in {address} was deleted: restore it with "
            f"`mlflow experiments restore --experiment-id {found.experiment_id}`"
        )
    return str(found.experiment_id)


def _lock_path(root: Path, address: str) -> Path:
    if address.startswith(_SQLITE):
        return Path(f"{address.removeprefix(_SQLITE)}.lock")
    return root / ".cache" / "tracking.lock"


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock at ``path``.

    Making the database and the experiment, and looking before logging, are no single steps.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=_LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout as error:
        raise TrackingError(
            f"{path} is held by another command for {_LOCK_SECONDS:.0f} s: try again later"
        ) from error
    try:
        yield
    finally:
        lock.release()

"""What MLflow has of a version, and the links to it."""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.manifest import Kind, Manifest
from models.release import Release
from pipelines import tracking
from pipelines.chain import Link, absent, judged
from pipelines.ingredients import data_faults
from pipelines.kinds import MADE
from pipelines.tracking import Store


@dataclass(frozen=True)
class Tracked:
    """A run, and the version registered from it.

    Attributes
    ----------
    tags : dict
        Of the run.
    complete : bool
        Whether the result that it belongs to was logged to its end.
    tables : tuple of str
        sha256 of each table that it was made of.
    params : bytes or None
        The params.yaml of the result.
    version : dict or None
        Tags of the registered version; None if there is no such version.
    version_run : str or None
        The run that the registered version is of.
    """

    status: str
    tags: Mapping[str, str]
    complete: bool
    tables: tuple[str, ...]
    params: bytes | None
    version: Mapping[str, str] | None
    version_run: str | None

    @property
    def dirty(self) -> str | None:
        """Whether the tree had changes not yet committed, as far as that is known."""
        return self.tags.get("git_dirty")


def read_tracked(store: Store, kind: Kind, release: Release) -> Tracked | None:
    """Return what the store has of a release; None if its run is not there."""
    if not re.fullmatch("[0-9a-f]{32}", release.mlflow_run or ""):  # it comes from the hub
        return None
    runs = store.client.search_runs(
        [store.experiment], f"attributes.run_id = '{release.mlflow_run}'"
    )
    if not runs:
        return None
    (run,) = runs
    hashes = {
        each.dataset.name: tag.value
        for each in run.inputs.dataset_inputs
        for tag in each.tags
        if tag.key == "sha256"
    }
    complete, params = False, None
    if parent := run.data.tags.get(tracking.PARENT):
        complete = store.client.get_run(parent).data.tags.get(tracking.COMPLETE) == "true"
        with tempfile.TemporaryDirectory() as folder:
            params = tracking.download(store, parent, "params.yaml", Path(folder)).read_bytes()
    version = tracking.versions(store, kind).get(release.version)
    return Tracked(
        status=run.info.status,
        tags=run.data.tags,
        complete=complete,
        # Versions of before were made of fewer tables; what one lacks, its digest tells.
        tables=tuple(
            hashes[name]
            for name in (f"{kind}/{name}" for name in MADE[kind].datasets)
            if name in hashes
        ),
        params=params,
        version=None if version is None else version.tags,
        version_run=None if version is None else version.run_id,
    )


def run_link(release: Release, manifest: Manifest, tracked: Tracked) -> Link:
    """Compare the run with release.json and the manifest."""
    expected = {
        tracking.KIND: release.kind,
        tracking.BUNDLE: release.digest,
        tracking.CORPUS: manifest.corpus,
        tracking.GIT_COMMIT: release.git_commit,
        tracking.DVC_LOCK: release.dvc_lock,
    }
    faults = [
        f"its tag {name} is {tracked.tags.get(name)}, the release has {value}"
        for name, value in expected.items()
        if tracked.tags.get(name) != value
    ]
    if tracked.status != "FINISHED" or not tracked.complete:
        faults.append(f"it is {tracked.status}, and its result was not logged to the end")
    faults += data_faults(manifest, tracked.tables, "its tables")
    text = f"{release.mlflow_run}, {tracked.status}: bundle, commit, dvc.lock and tables agree"
    return judged("MLflow run", faults, text)


def version_link(release: Release, tracked: Tracked, place: str, commit: str | None) -> Link:
    """Compare the registered version with the release.

    Parameters
    ----------
    place : str
        The hub and the repository; MLflow notes the one that the version was last sent to.
    commit : str or None
        The commit of the version's tag there, if that can be seen.
    """
    name = "registered version"
    if tracked.version is None:
        return absent(name, f"MLflow has no version {release.version} of {release.kind}")
    expected = {"digest": release.digest}
    if commit is not None and tracked.version.get("hub") == place:
        expected |= {"hub_tag": release.tag, "hub_commit": commit}
    faults = [
        f"its {tag} is {tracked.version.get(tag)}, on the hub it is {value}"
        for tag, value in expected.items()
        if tracked.version.get(tag) != value
    ]
    if tracked.version_run != release.mlflow_run:
        faults.append(f"it is of the run {tracked.version_run}")
    text = f"version {release.version} of {release.kind}, of this run, with this bundle"
    return judged(name, faults, text)

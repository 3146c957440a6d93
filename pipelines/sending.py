"""Bring a registered version to the hub: downloaded, verified, signed, published, read back."""

import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.bundle import Bundle, load_bundle
from models.errors import UnknownRevisionError, VersionExistsError
from models.hub import Hub
from models.kinds import FORMATS
from models.manifest import Kind
from models.release import Release, version_tag, write_release
from models.signing import SIGNATURE_FILE, fingerprint, sign_bundle
from pipelines import tracking
from pipelines.champions import hub_cache
from pipelines.tracking import Store, TrackingError

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

SIGNING_KEY = "CAREERLENS_SIGNING_KEY"

# Folder of signatures in a model's run, one for each signer.
_SIGNATURES = "signatures"


@dataclass(frozen=True)
class Sent:
    """A version as it lies on the hub."""

    release: Release
    bundle: Bundle[Any]


def signing_key() -> Path | None:
    """Return the private key that CAREERLENS_SIGNING_KEY names, if it is set."""
    named = os.environ.get(SIGNING_KEY)
    return Path(named).expanduser() if named else None


def send_version(store: Store, hub: Hub, repo: str, kind: Kind, version: "ModelVersion") -> Sent:
    """Bring a registered version to the hub unless it is there, and note in MLflow where it is.

    It is loaded from the hub before anybody may serve it.
    """
    tag = version_tag(int(version.version))
    commit = _published(hub, repo, version) or _send(store, hub, repo, kind, version)
    store.client.set_model_version_tag(kind, version.version, "hub", f"{hub}/{repo}")
    store.client.set_model_version_tag(kind, version.version, "hub_tag", tag)
    store.client.set_model_version_tag(kind, version.version, "hub_commit", commit)
    print(f"{kind}: {tag} is on {hub}/{repo} (digest {version.tags['digest'][:12]})")
    fetched = hub.fetch(repo, commit, hub_cache())
    bundle = load_bundle(fetched.path / "bundle", FORMATS[kind], fetched.release.digest)
    return Sent(fetched.release, bundle)


def registered_version(store: Store, kind: Kind, number: int | None) -> "ModelVersion":
    """Return a version by its number, or the one that the alias ``challenger`` names.

    Raises
    ------
    TrackingError
        If there is none, or it was registered by other means than ours.
    """
    known = tracking.versions(store, kind)
    wanted = tracking.alias(store, kind, tracking.CHALLENGER) if number is None else number
    if wanted is None or wanted not in known:
        missing = "alias challenger" if wanted is None else f"version {wanted}"
        raise TrackingError(
            f"{kind} has no {missing} in {store.address}; its versions are "
            f"{', '.join(map(str, known)) or 'none'}: run `python -m pipelines.register {kind}`"
        )
    if "digest" not in known[wanted].tags:
        raise TrackingError(
            f"version {wanted} of {kind} in {store.address} has no digest, so it was registered by "
            f"other means: run `python -m pipelines.register {kind}`"
        )
    return known[wanted]


def _published(hub: Hub, repo: str, version: "ModelVersion") -> str | None:
    """Return the commit of a version that the hub has already."""
    tag = version_tag(int(version.version))
    try:
        commit = hub.refs(repo).tags.get(tag)
    except UnknownRevisionError:
        return None
    if commit is not None and hub.release(repo, commit).digest != version.tags["digest"]:
        raise VersionExistsError(
            f"{tag} of {repo} on {hub} is not version {version.version} of this MLflow store, so "
            "another store published it: use a hub of your own (CAREERLENS_HUB=file:FOLDER), or "
            "the MLflow store that belongs to this one"
        )
    return commit


def _send(store: Store, hub: Hub, repo: str, kind: Kind, version: "ModelVersion") -> str:
    """Download a version from MLflow, verify it, add its release.json, and publish it.

    Everything in release.json was settled when the version was tracked and registered, and the
    signature is kept beside it, so that sending it again sends the same bytes.
    """
    key = signing_key()
    digest = version.tags["digest"]
    origin = store.client.get_run(version.run_id).data.tags
    created = datetime.fromtimestamp(version.creation_timestamp / 1000, UTC)
    release = Release(
        kind=kind,
        version=int(version.version),
        digest=digest,
        git_commit=origin.get(tracking.GIT_COMMIT),
        dvc_lock=origin.get(tracking.DVC_LOCK),
        mlflow_run=version.run_id,
        signer=fingerprint(key) if key else None,
        created=created.isoformat(),
    )
    with tempfile.TemporaryDirectory() as folder:
        source = tracking.download(store, version.run_id, tracking.RELEASE, Path(folder))
        load_bundle(source / "bundle", FORMATS[kind], digest)
        write_release(release, source)
        if release.signer is not None and key is not None:
            _sign(store, version.run_id, source, key, release.signer)
        return hub.publish(repo, release.version, source, f"{release.tag}: bundle {digest[:12]}")


def _sign(store: Store, run: str, release: Path, key: Path, signer: str) -> None:
    """Put the signature over ``release/bundle`` beside it: the one made before, if there is one.

    No two signatures of one key over the same files are equal, so the first is kept in the run.
    """
    kept = f"{_SIGNATURES}/{signer}"
    present = {entry.path for entry in store.client.list_artifacts(run, _SIGNATURES)}
    if kept not in present:
        sign_bundle(release / "bundle", release / SIGNATURE_FILE, key)
        store.client.log_artifact(run, str(release / SIGNATURE_FILE), kept)
        return
    with tempfile.TemporaryDirectory() as folder:
        before = tracking.download(store, run, f"{kept}/{SIGNATURE_FILE}", Path(folder))
        (release / SIGNATURE_FILE).write_bytes(before.read_bytes())

"""Hubs with champions in them, for the tests of the service."""

import shutil
from pathlib import Path

from models.bundle import verify_bundle
from models.hub import MAIN, Hub, repo_id
from models.release import Promotion, Release, version_tag, write_release
from models.signing import sign_release

NAMESPACE = "careerlens"


def promote(
    hub: Hub, kind: str, packaged: Path, version: int, scratch: Path, key: Path | None = None
) -> str:
    """Publish ``packaged`` as ``v<version>``, make it the champion and return its commit."""
    publish(hub, kind, packaged, version, scratch, key)
    return point(hub, kind, version)


def publish(
    hub: Hub, kind: str, packaged: Path, version: int, scratch: Path, key: Path | None = None
) -> str:
    """Publish ``packaged`` as ``v<version>``, the newest candidate, and return its commit.

    With ``key`` it is signed.
    """
    folder = scratch / f"{kind}-v{version}"
    shutil.copytree(packaged, folder)
    _, digest = verify_bundle(folder / "bundle")
    release = Release(
        kind=kind,
        version=version,
        digest=digest,
        git_commit=None,
        dvc_lock=None,
        mlflow_run=None,
        signer=None,
        created="2026-01-01T00:00:00+00:00",
    )
    write_release(release, folder)
    if key is not None:
        sign_release(folder, key)
    return hub.publish(repo_id(NAMESPACE, kind), version, folder, f"{kind} v{version}")


def point(hub: Hub, kind: str, version: int) -> str:
    """Make a published version the champion and return the commit of ``main``."""
    repo, tag = repo_id(NAMESPACE, kind), version_tag(version)
    release = hub.release(repo, tag)
    promotion = Promotion(
        who="test",
        when=release.created,
        before=None,
        to=tag,
        digest=release.digest,
        decision={},
    )
    head = hub.refs(repo).branches.get(MAIN)
    return hub.point(repo, MAIN, tag, head, promotion)

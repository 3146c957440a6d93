"""Hubs with champions in them, for the tests of the service."""

import shutil
from pathlib import Path

from models.bundle import verify_bundle
from models.hub import MAIN, LocalHub, repo_id
from models.release import Promotion, Release, write_release

NAMESPACE = "careerlens"


def promote(hub: LocalHub, kind: str, packaged: Path, version: int, scratch: Path) -> str:
    """Publish ``packaged`` as ``v<version>``, make it the champion and return its commit."""
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
    repo = repo_id(NAMESPACE, kind)
    hub.publish(repo, version, folder, f"{kind} v{version}")
    promotion = Promotion(
        who="test",
        when=release.created,
        before=None,
        to=release.tag,
        digest=digest,
        decision={},
    )
    head = hub.refs(repo).branches.get(MAIN)
    return hub.point(repo, MAIN, release.tag, head, promotion)

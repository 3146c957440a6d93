"""Releases put on a hub without a gate in between, as whoever has the right to write can."""

import hashlib
from pathlib import Path

from models.hub import MAIN, Hub, repo_id
from models.manifest import MANIFEST, Kind
from models.release import Promotion, Release, write_release
from tests.models.hub_case import CARD


def repo_of(kind: Kind) -> str:
    """Return the repository of a kind that the service follows by default."""
    return repo_id("careerlens", kind)


def describe_release(folder: Path, version: int, kind: Kind) -> None:
    """Write the release.json that goes with the bundle in ``folder``, and a model card."""
    release = Release(
        kind=kind,
        version=version,
        digest=hashlib.sha256((folder / "bundle" / MANIFEST).read_bytes()).hexdigest(),
        git_commit=None,
        dvc_lock=None,
        mlflow_run=None,
        signer=None,
        created="2026-01-01T00:00:00+00:00",
    )
    write_release(release, folder)
    (folder / "README.md").write_text(CARD, encoding="utf-8")


def crown(hub: Hub, folder: Path, version: int, kind: Kind) -> None:
    """Publish a release and make it the champion."""
    hub.publish(repo_of(kind), version, folder, f"v{version}")
    point(hub, version, kind)


def point(hub: Hub, version: int, kind: Kind) -> None:
    """Make a version that is published the champion."""
    repo, tag = repo_of(kind), f"v{version}"
    promotion = Promotion(
        who="test", when="2026-01-01", before=None, to=tag, digest="0" * 64, decision={}
    )
    hub.point(repo, MAIN, tag, hub.refs(repo).branches.get(MAIN), promotion)

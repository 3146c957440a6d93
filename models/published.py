"""What a hub says of versions without their models: their figures, and how they rose."""

import hashlib
from pathlib import Path
from typing import Any

from models.errors import FormatError, HashMismatchError, MissingFileError
from models.hub import Hub
from models.manifest import MANIFEST, METRICS_FILE, parse_json, parse_manifest
from models.release import PROMOTIONS_FILE, Promotion, Release, parse_promotions


def read_metrics(hub: Hub, repo: str, commit: str, release: Release) -> dict[str, Any]:
    """Return the ``metrics.json`` of a version whose bundle is not here.

    It is held against the digest that the release names; a signature is of the whole bundle, and
    is checked by whoever fetches that.

    Raises
    ------
    HubError
        If the hub cannot be asked.
    BundleError
        If a file is missing, or is not what was released.
    """
    bundle = Path(repo, commit, "bundle")
    manifest = parse_manifest(bundle / MANIFEST, _read(hub, repo, commit, MANIFEST, release.digest))
    content = _read(hub, repo, commit, METRICS_FILE, manifest.files[METRICS_FILE])
    metrics = parse_json(bundle / METRICS_FILE, content)
    if not isinstance(metrics, dict):
        raise FormatError(f"{bundle / METRICS_FILE} holds no figures by name")
    return metrics


def newest_promotions(hub: Hub, repo: str, commit: str, most: int) -> list[Promotion]:
    """Return the last ``most`` promotions that led to a commit of ``main``, the newest first.

    Raises
    ------
    HubError
        If the hub cannot be asked, or has a line that is none.
    """
    log = hub.read(repo, commit, PROMOTIONS_FILE) or b""
    place = f"{PROMOTIONS_FILE} of {repo} in {hub}"
    return parse_promotions(log.splitlines()[: -most - 1 : -1], place)


def _read(hub: Hub, repo: str, commit: str, name: str, digest: str) -> bytes:
    content = hub.read(repo, commit, f"bundle/{name}")
    if content is None:
        raise MissingFileError(f"{repo} in {hub} has no {name} at {commit}")
    if hashlib.sha256(content).hexdigest() != digest:
        raise HashMismatchError(f"{name} of {repo} in {hub} at {commit} is not what was released")
    return content

"""Send a registered version of each model to the hub; the first good one becomes the champion.

Every step may be repeated: what is there already is left as it is, so after an interruption the
command is simply run again.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import UnknownRevisionError, VersionExistsError
from models.gates import Check, Decision, check_floors, flatten_metrics
from models.hub import MAIN, LocalHub, open_hub, repo_id
from models.params import Params, load_params
from models.release import Promotion, Release, version_tag, write_release
from pipelines import tracking
from pipelines.entry import entry_point
from pipelines.tracking import Store, TrackingError

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

    from models.bundle import Bundle, Kind

DEFAULT_HUB = "file:hub"

#: Exit code of ``--check``; an error has 1.
NOTHING_RELEASED = 3


def publish(
    store: Store, hub: LocalHub, kind: "Kind", params: Params, number: int | None = None
) -> bool:
    """Publish one version, make it the champion if the hub has none, mirror the champion's alias.

    Parameters
    ----------
    number : int, optional
        The version; by default the one that the alias ``challenger`` names.

    Returns
    -------
    bool
        Whether the hub now has a champion; False when this version is below its floors.
    """
    version = _registered(store, kind, number)
    repo = repo_id(_namespace(params), kind)
    tag = version_tag(int(version.version))
    commit = _published(hub, repo, version) or _send(store, hub, repo, kind, version)
    store.client.set_model_version_tag(kind, version.version, "hub", f"{hub}/{repo}")
    store.client.set_model_version_tag(kind, version.version, "hub_tag", tag)
    store.client.set_model_version_tag(kind, version.version, "hub_commit", commit)
    print(f"{kind}: {tag} is on {hub}/{repo} (digest {version.tags['digest'][:12]})")
    if not has_champion(hub, repo):
        with tempfile.TemporaryDirectory() as folder:
            bundle = _fetched(hub, repo, commit, kind, Path(folder))
        decision = check_floors(flatten_metrics(bundle.metrics), _floors(kind, params, bundle))
        print(decision_table(decision))
        if not decision.accepted:
            print(f"{kind}: {tag} is refused as champion: {'; '.join(decision.reasons)}")
            return False
        hub.point(repo, MAIN, commit, None, _promotion(tag, bundle.digest, decision))
    champion = mirror_champion(store, hub, repo, kind)
    if champion == tag:
        print(f"{kind}: {tag} is the champion")
    else:
        print(f"{kind}: the champion is still {champion}; promotion is a step of its own")
    return True


def mirror_champion(store: Store, hub: LocalHub, repo: str, kind: str) -> str:
    """Bring MLflow's alias ``champion`` in line with the hub's ``main``; return main's version."""
    release = hub.release(repo, MAIN)
    known = tracking.versions(store, kind).get(release.version)
    now = tracking.alias(store, kind, tracking.CHAMPION)
    if known is None or known.tags.get("digest") != release.digest:
        print(f"{kind}: {release.tag}, the hub's champion, is not in {store.address}")
        if now is not None:
            store.client.delete_registered_model_alias(kind, tracking.CHAMPION)
    elif now != release.version:
        store.client.set_registered_model_alias(kind, tracking.CHAMPION, str(release.version))
    return release.tag


def has_champion(hub: LocalHub, repo: str) -> bool:
    """Whether the hub has a champion of one model."""
    try:
        return MAIN in hub.refs(repo).branches
    except UnknownRevisionError:
        return False


def decision_table(decision: Decision) -> str:
    """Return the checks of a decision as lines for people."""
    return "\n".join(_check_line(check) for check in decision.checks)


def _check_line(check: Check) -> str:
    figure = "missing" if check.figure is None else f"{check.figure:.4f}"
    state = "ok" if check.passed else "FAILED"
    return f"  {check.name:<36} {figure:>8}  floor {check.bound:.4f}  {state}"


def _registered(store: Store, kind: str, number: int | None) -> "ModelVersion":
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


def _published(hub: LocalHub, repo: str, version: "ModelVersion") -> str | None:
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


def _send(store: Store, hub: LocalHub, repo: str, kind: "Kind", version: "ModelVersion") -> str:
    """Download a version from MLflow, verify it, add its release.json, and publish it.

    Everything in release.json was settled when the version was tracked and registered, so that
    sending it again sends the same bytes.
    """
    from models.bundle import load_bundle

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
        signer=None,
        created=created.isoformat(),
    )
    with tempfile.TemporaryDirectory() as folder:
        source = tracking.download(store, version.run_id, tracking.RELEASE, Path(folder))
        load_bundle(source / "bundle", kind, digest)
        write_release(release, source)
        return hub.publish(repo, release.version, source, f"{release.tag}: bundle {digest[:12]}")


def _fetched(hub: LocalHub, repo: str, commit: str, kind: "Kind", folder: Path) -> "Bundle":
    from models.bundle import load_bundle

    fetched = hub.fetch(repo, commit, folder)
    return load_bundle(fetched.path / "bundle", kind, fetched.release.digest)


def _floors(kind: str, params: Params, bundle: "Bundle") -> Mapping[str, float]:
    by_corpus = {
        str(corpus): floors for corpus, floors in params.model_section(kind).floors.items()
    }
    return by_corpus.get(bundle.manifest.corpus, {})


def _promotion(tag: str, digest: str, decision: Decision) -> Promotion:
    return Promotion(
        who=tracking.user_name(),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        before=None,
        to=tag,
        digest=digest,
        decision=asdict(decision),
    )


def _namespace(params: Params) -> str:
    """Return whose models they are: what the service is told goes before params.yaml."""
    return os.environ.get("CAREERLENS_NAMESPACE") or params.hub.namespace


@entry_point
def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.publish", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="MODEL", help="spam, toxicity; default both")
    parser.add_argument("--version", type=int, help="default: the version aliased challenger")
    parser.add_argument("--hub", default=os.environ.get("CAREERLENS_HUB") or DEFAULT_HUB)
    parser.add_argument(
        "--check",
        action="store_true",
        help="publish nothing; exit with 0, and 3 if a model has no champion on the hub",
    )
    args = parser.parse_args()
    kinds = tracking.chosen_kinds(args.kinds)
    hub, params = open_hub(args.hub), load_params()
    if args.check:
        repos = [repo_id(_namespace(params), kind) for kind in kinds]
        sys.exit(0 if all(has_champion(hub, repo) for repo in repos) else NOTHING_RELEASED)
    if args.version is not None and len(kinds) != 1:
        raise TrackingError("--version is about one model: name it, spam or toxicity")
    with tracking.open_store() as store:
        accepted = [publish(store, hub, kind, params, args.version) for kind in kinds]
    if not all(accepted):
        sys.exit(
            "publish: what was refused is on the hub as challenger, but is not served: train a "
            "better model (artifacts/report.md), or set its floors in params.yaml"
        )


if __name__ == "__main__":
    main()

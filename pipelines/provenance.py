"""Print where a version comes from, from the hub down to its data, and check every link."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from models.cache import Fetched, last_fetched
from models.commits import describe
from models.errors import (
    FormatError,
    HubAccessError,
    HubError,
    HubUnavailableError,
    OversizedError,
    SignatureError,
    UnknownRevisionError,
)
from models.hub import CHALLENGER, MAIN, Hub
from models.manifest import MANIFEST, Kind, Manifest, parse_manifest
from models.params import load_params
from models.release import Release, read_promotions
from models.revisions import Refs
from models.signing import SIGNATURE_FILE
from models.trust import Trust, read_trust
from pipelines import chain, ingredients, tracked, tracking
from pipelines.card_origin import CARD, packaged
from pipelines.chain import Link, absent
from pipelines.champions import champion_parser, fetch, hub_cache, repo_of
from pipelines.entry import entry_point
from pipelines.history import LOCK, History, find_origin
from pipelines.lock import Cache, read_lock
from pipelines.tracked import Tracked

_BRANCHES = {"champion": MAIN, "challenger": CHALLENGER}


def trace(hub: Hub, repo: str, kind: Kind, revision: str, trust: Trust) -> Iterator[Link]:
    """Yield the links of one version's chain, as far down as there is something to follow.

    Parameters
    ----------
    trust : Trust
        Whose signature counts.
    revision : str
        A branch, a tag or a full commit id.

    Raises
    ------
    UnknownRevisionError
        If the hub has no such revision.
    HubUnavailableError
        If the hub is away and no copy was fetched before.
    """
    try:
        fetched, refs = _fetch(hub, repo, revision)
        release = fetched.release
        tagged = hub.release(repo, release.tag) if refs and release.tag in refs.tags else None
    except (UnknownRevisionError, HubAccessError, HubUnavailableError):
        raise
    except (HubError, OversizedError) as error:
        yield Link("hub", "MISMATCH", str(error))
        return
    if refs is None:
        yield absent("hub", f"{hub} does not answer; what follows is the copy last fetched")
    else:
        yield chain.hub_link(f"{hub}/{repo}", fetched.commit, release, refs, tagged)
    yield chain.release_link(release, kind, revision)
    yield _signature(fetched, trust)
    bundle = fetched.path / "bundle"
    try:
        manifest = parse_manifest(bundle / MANIFEST, (bundle / MANIFEST).read_bytes())
    except (FormatError, OSError) as error:
        yield Link("bundle", "MISMATCH", str(error))
        return
    files = {name: file.sha256 for name, file in describe(bundle).items()}
    yield from chain.bundle_links(release, manifest, files)
    yield chain.manifest_link(manifest, kind)
    known = _tracked(kind, release)
    yield from _origin(fetched, manifest, known if isinstance(known, Tracked) else None)
    if isinstance(known, Tracked):
        yield tracked.run_link(release, manifest, known)
        tag = refs.tags.get(release.tag) if refs else None
        yield tracked.version_link(release, known, f"{hub}/{repo}", tag)
    else:
        yield known
    yield _promotions(hub, repo, release)


def _fetch(hub: Hub, repo: str, revision: str) -> tuple[Fetched, Refs | None]:
    """Return a copy and the hub's refs; the copy last fetched, and None, while it is away."""
    try:
        return fetch(hub, repo, revision), hub.refs(repo)
    except HubUnavailableError:
        fetched = last_fetched(hub_cache(), repo, revision)
        if fetched is None:
            raise
        return fetched, None


def _signature(fetched: Fetched, trust: Trust) -> Link:
    signed = (fetched.path / SIGNATURE_FILE).is_file()
    try:
        verified: str | SignatureError | None = trust.check(fetched.path)
    except SignatureError as error:
        verified = error
    return chain.signature_link(fetched.release, signed, verified)


def _origin(fetched: Fetched, manifest: Manifest, known: Tracked | None) -> Iterator[Link]:
    """Yield the links to git and DVC, and to the ingredients that these have."""
    release, root = fetched.release, tracking.project_root()
    history, cache = History(root), _dvc_cache(root)
    now = history.working_copy()
    origin = find_origin(release, history, now)
    tree, lock = origin.tree, origin.lock
    yield chain.commit_link(release, origin.standing, known.dirty if known else None)
    holder = tree.name if tree and lock else None
    here = origin.standing is not None
    yield chain.lock_link(release, holder, here, read_lock(now.files.get(LOCK)))
    if lock is None or tree is None:
        for name in ("output", "code", "modules", "raw data", "tables"):
            yield absent(name, "it is compared by means of the dvc.lock")
    else:
        yield ingredients.made_link(manifest, _made(fetched), lock)
        yield ingredients.code_link(manifest, lock, tree)
        yield ingredients.modules_link(manifest, tree, now)
        yield from ingredients.raw_links(manifest, lock, cache)
        yield ingredients.tables_link(manifest, lock, cache)
    if tree is None:
        for name in ("libraries", "sources"):
            yield absent(name, "git has nothing of that time here")
    else:
        yield ingredients.libraries_link(manifest, fetched.path / "bundle", tree)
        yield from ingredients.source_links(manifest, tree, cache)
    copies = {"the MLflow run": known.params} if known and known.params else {}
    if tree is not None and "params.yaml" in tree.files:
        copies[tree.name] = tree.files["params.yaml"]
    yield ingredients.params_link(manifest, copies, tree, now)


def _made(fetched: Fetched) -> dict[str, bytes]:
    """Return the files of a release that the packaging stage wrote, as it wrote them."""
    paths = [path for path in describe(fetched.path) if path.startswith(("bundle/", CARD))]
    files = {path: (fetched.path / path).read_bytes() for path in paths}
    return files | ({CARD: packaged(files[CARD])} if CARD in files else {})


def _dvc_cache(root: Path) -> Cache:
    """Return what finds objects in DVC's cache; nothing where there is no DVC."""
    from dvc.exceptions import NotDvcRepoError
    from dvc.repo import Repo

    try:
        local = Repo(str(root)).cache.local
    except NotDvcRepoError:
        return lambda _: None

    def find(md5: str) -> Path | None:
        path = Path(local.oid_to_path(md5))
        return path if path.is_file() else None

    return find


def _tracked(kind: Kind, release: Release) -> Tracked | Link:
    """Return what MLflow has of a release, or why that cannot be told."""
    name, root = "MLflow run", tracking.project_root()
    if release.mlflow_run is None:
        return absent(name, "release.json names none")
    address = tracking.tracking_address(root)
    if address.startswith("sqlite:///") and not Path(address.removeprefix("sqlite:///")).exists():
        return absent(name, f"there is no {address}")  # looking must not make it
    try:
        with tracking.open_store(root) as store:
            known = tracked.read_tracked(store, kind, release)
            return known or absent(name, f"{address} has no run {release.mlflow_run}")
    except tracking.TrackingError as error:
        return absent(name, str(error))


def _promotions(hub: Hub, repo: str, release: Release) -> Link:
    try:
        main, _ = _fetch(hub, repo, MAIN)
        log = read_promotions(main.path)
    except UnknownRevisionError:
        return absent("promotions", "the hub has no champion yet")
    except (HubAccessError, HubUnavailableError) as error:
        return absent("promotions", str(error))
    except HubError as error:
        return Link("promotions", "MISMATCH", str(error))
    return chain.promotions_link(release, log, main.release)


@entry_point
def main() -> None:
    """Run the command."""
    parser = champion_parser("provenance", __doc__)
    parser.add_argument(
        "revision",
        nargs="?",
        default="champion",
        help="champion (the default), challenger, a tag such as v3, or a commit of the hub",
    )
    args = parser.parse_args()
    revision = _BRANCHES.get(args.revision, args.revision)
    repo, trust = repo_of(load_params(), args.kind), read_trust(os.environ)
    links = []
    for link in trace(args.hub, repo, args.kind, revision, trust):
        print(link, flush=True)
        links.append(link)
    broken = [link.name for link in links if link.state == "MISMATCH"]
    if broken:
        sys.exit(
            f"provenance: of {len(links)} links {len(broken)} do not hold: {', '.join(broken)}"
        )
    held = sum(link.state == "ok" for link in links)
    missing = ", ".join(link.name for link in links if link.state == "not here")
    print(f"{held} links hold" + (f"; not here: {missing}" if missing else ""))


if __name__ == "__main__":
    main()

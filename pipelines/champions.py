"""Which version is the champion: the hub's ``main`` says so, MLflow mirrors it, here it changes."""

import argparse
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.cache import Fetched
from models.errors import UnknownRevisionError
from models.hub import MAIN, Hub, open_hub, prune, repo_id
from models.manifest import KINDS, Kind
from models.params import Params
from models.release import PROMOTIONS_FILE, Promotion, Release, read_promotions
from pipelines import tracking
from pipelines.tracking import Store

DEFAULT_HUB = "file:hub"

#: Tag of the run that mirrors a model's promotion log.
PROMOTION_LOG = "promotion_log"
_LOG_DIGEST = "promotion_log_sha256"


@dataclass(frozen=True)
class Champion:
    """The champion of one model.

    Attributes
    ----------
    head : str
        The commit at which ``main`` was seen.
    path : Path
        A local copy of it, with the files that the hub has; treat it as read-only.
    news : bool
        Whether MLflow's mirror had not heard of it: a move was interrupted, or made elsewhere.
    """

    head: str
    release: Release
    path: Path
    news: bool

    @property
    def promotions(self) -> list[Promotion]:
        """How ``main`` moved, oldest first."""
        return read_promotions(self.path)


def champion_parser(command: str, description: str | None) -> argparse.ArgumentParser:
    """Return what reads the command line of a command that moves a champion."""
    parser = argparse.ArgumentParser(prog=f"python -m pipelines.{command}", description=description)
    parser.add_argument("kind", metavar="MODEL", choices=KINDS, help=", ".join(KINDS))
    add_hub(parser)
    return parser


def add_hub(parser: argparse.ArgumentParser) -> None:
    """Let a command read which hub it is about; ``hub`` will be one that is open."""
    default = os.environ.get("CAREERLENS_HUB") or DEFAULT_HUB
    parser.add_argument("--hub", type=open_hub, default=default, help="default: %(default)s")


def repo_of(params: Params, kind: Kind) -> str:
    """Return the repository of a kind: what the service is told goes before params.yaml."""
    namespace = os.environ.get("CAREERLENS_NAMESPACE") or params.hub.namespace
    return repo_id(namespace, kind)


def hub_cache() -> Path:
    """Return where copies of the hub's commits are kept."""
    return tracking.project_root() / ".cache" / "careerlens" / "hub"


def fetch(hub: Hub, repo: str, revision: str) -> Fetched:
    """Return a local copy of a revision; copies that nobody needs any more go."""
    fetched = hub.fetch(repo, revision, hub_cache())
    prune(hub_cache(), repo, [fetched.commit])
    return fetched


def has_champion(hub: Hub, repo: str) -> bool:
    """Whether the hub has a champion of one model."""
    try:
        return MAIN in hub.refs(repo).branches
    except UnknownRevisionError:
        return False


def current_champion(store: Store, hub: Hub, repo: str, kind: Kind) -> Champion | None:
    """Return the hub's champion, after MLflow's alias and log were brought in line with it.

    Every command that moves a champion begins here, so that what an interrupted one left undone
    is done before anything else.
    """
    if not has_champion(hub, repo):
        return None
    head = hub.refs(repo).branches[MAIN]
    fetched = fetch(hub, repo, head)
    moved = _mirror_alias(store, kind, fetched.release)
    logged = _mirror_log(store, kind, fetched.path / PROMOTIONS_FILE)
    return Champion(head, fetched.release, fetched.path, news=moved or logged)


def crown(
    store: Store,
    hub: Hub,
    repo: str,
    kind: Kind,
    verified: Fetched,
    before: Champion | None,
    decision: Mapping[str, Any],
) -> Champion:
    """Make a version the champion: move ``main`` (the commit point), then mirror it.

    Parameters
    ----------
    verified : Fetched
        The version as it was checked: ``main`` comes to have the files of this commit, whatever
        its tag is moved to meanwhile.
    before : Champion or None
        The champion as it was seen when the decision was made.
    decision : dict
        What is recorded as the reason.

    Raises
    ------
    ConflictError
        If somebody else moved ``main`` since.
    """
    release = verified.release
    promotion = Promotion(
        who=tracking.user_name(),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        before=None if before is None else before.release.tag,
        to=release.tag,
        digest=release.digest,
        decision=dict(decision),
    )
    parent = None if before is None else before.head
    hub.point(repo, MAIN, verified.commit, parent, promotion)
    champion = current_champion(store, hub, repo, kind)
    assert champion is not None  # main was moved a line ago, and nothing removes it
    return champion


def _mirror_alias(store: Store, kind: Kind, release: Release) -> bool:
    """Point the alias at the hub's champion; return whether that moves it."""
    known = tracking.versions(store, kind).get(release.version)
    ours = known is not None and known.tags.get("digest") == release.digest
    if not ours:
        print(f"{kind}: {release.tag}, the hub's champion, is not in {store.address}")
    now = tracking.alias(store, kind, tracking.CHAMPION)
    if now == (release.version if ours else None):
        return False
    if ours:
        store.client.set_registered_model_alias(kind, tracking.CHAMPION, str(release.version))
    else:
        store.client.delete_registered_model_alias(kind, tracking.CHAMPION)
    return True


def _mirror_log(store: Store, kind: Kind, path: Path) -> bool:
    """Copy the hub's promotion log into the run that mirrors it; return whether it had news."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    digest = hashlib.sha256(text.encode()).hexdigest()
    found = store.client.search_runs([store.experiment], f"tags.{PROMOTION_LOG} = '{kind}'")
    if found and found[0].data.tags.get(_LOG_DIGEST) == digest:
        return False
    if found:
        run = found[0].info.run_id
    else:
        tags = {PROMOTION_LOG: kind, tracking.KIND: kind}
        created = store.client.create_run(
            store.experiment, run_name=f"promotions of {kind}", tags=tags
        )
        run = created.info.run_id
    store.client.log_text(run, text, PROMOTIONS_FILE)
    store.client.set_terminated(run)
    # Last of all: without it, what was interrupted is done again.
    store.client.set_tag(run, _LOG_DIGEST, digest)
    return True

"""Which version is the champion: the hub's ``main`` says so, MLflow mirrors it, here it changes."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.errors import UnknownRevisionError
from models.hub import MAIN, Hub, repo_id
from models.manifest import Kind
from models.params import Params
from models.release import PROMOTIONS_FILE, Promotion, Release, read_promotions
from pipelines import tracking
from pipelines.tracking import Store

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
        A verified local copy of it; treat it as read-only.
    """

    head: str
    release: Release
    path: Path

    @property
    def promotions(self) -> list[Promotion]:
        """How ``main`` moved, oldest first."""
        return read_promotions(self.path)


def repo_of(params: Params, kind: Kind) -> str:
    """Return the repository of a kind: what the service is told goes before params.yaml."""
    namespace = os.environ.get("CAREERLENS_NAMESPACE") or params.hub.namespace
    return repo_id(namespace, kind)


def hub_cache() -> Path:
    """Return where copies of the hub's commits are kept."""
    return tracking.project_root() / ".cache" / "careerlens" / "hub"


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
    fetched = hub.fetch(repo, head, hub_cache())
    champion = Champion(head, fetched.release, fetched.path)
    _mirror_alias(store, kind, champion.release)
    _mirror_log(store, kind, champion.path / PROMOTIONS_FILE)
    return champion


def crown(
    store: Store,
    hub: Hub,
    repo: str,
    kind: Kind,
    release: Release,
    before: Champion | None,
    decision: Mapping[str, Any],
) -> Champion:
    """Make ``release`` the champion: move ``main`` (the commit point), then mirror it.

    Parameters
    ----------
    before : Champion or None
        The champion as it was seen when the decision was made.
    decision : dict
        What is recorded as the reason.

    Raises
    ------
    ConflictError
        If somebody else moved ``main`` since.
    """
    promotion = Promotion(
        who=tracking.user_name(),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        before=None if before is None else before.release.tag,
        to=release.tag,
        digest=release.digest,
        decision=dict(decision),
    )
    hub.point(repo, MAIN, release.tag, None if before is None else before.head, promotion)
    champion = current_champion(store, hub, repo, kind)
    assert champion is not None  # main was moved a line ago, and nothing removes it
    return champion


def _mirror_alias(store: Store, kind: Kind, release: Release) -> None:
    known = tracking.versions(store, kind).get(release.version)
    now = tracking.alias(store, kind, tracking.CHAMPION)
    if known is None or known.tags.get("digest") != release.digest:
        print(f"{kind}: {release.tag}, the hub's champion, is not in {store.address}")
        if now is not None:
            store.client.delete_registered_model_alias(kind, tracking.CHAMPION)
    elif now != release.version:
        store.client.set_registered_model_alias(kind, tracking.CHAMPION, str(release.version))


def _mirror_log(store: Store, kind: Kind, path: Path) -> None:
    """Copy the hub's promotion log into the run that mirrors it."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    digest = hashlib.sha256(text.encode()).hexdigest()
    found = store.client.search_runs([store.experiment], f"tags.{PROMOTION_LOG} = '{kind}'")
    if found and found[0].data.tags.get(_LOG_DIGEST) == digest:
        return
    if found:
        run = found[0].info.run_id
    else:
        tags = {PROMOTION_LOG: kind, tracking.KIND: kind}
        created = store.client.create_run(
            store.experiment, run_name=f"promotions of {kind}", tags=tags
        )
        run = created.info.run_id
    store.client.log_text(run, text, PROMOTIONS_FILE)
    store.client.set_tag(run, _LOG_DIGEST, digest)
    store.client.set_terminated(run)

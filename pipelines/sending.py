"""Bring a registered version to the hub: downloaded, verified, signed, published, read back."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.bundle import Bundle, load_bundle
from models.cache import Fetched
from models.errors import SignatureError, UnknownRevisionError, VersionExistsError
from models.hub import Hub
from models.kinds import FORMATS
from models.manifest import Kind
from models.release import Release, version_tag, write_release
from models.signing import (
    SIGNATURE_FILE,
    fingerprint,
    read_signer,
    sign_release,
    verify_release,
)
from models.trust import Trust
from pipelines import tracking
from pipelines.card_origin import with_origin
from pipelines.champions import fetch
from pipelines.tracking import Store, TrackingError

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

SIGNING_KEY = "CAREERLENS_SIGNING_KEY"

# In a model's run: the folder of its signatures, and the tag of each signer that has the sha256.
_SIGNATURES = "signatures"
_SIGNATURE_DIGEST = "signature_sha256"


@dataclass(frozen=True)
class Offer:
    """The release of a registered version: as it is on the hub, or as it would be published.

    Attributes
    ----------
    path : Path
        Folder with ``release.json``, ``bundle/`` and, when it is signed, ``model.sig``.
    commit : str or None
        Where it is on the hub, if it is.
    """

    tag: str
    path: Path
    commit: str | None


@dataclass(frozen=True)
class Sent:
    """A version as it lies on the hub, checked and loaded."""

    fetched: Fetched
    bundle: Bundle[Any]

    @property
    def release(self) -> Release:
        """What it says of itself."""
        return self.fetched.release


def signing_key() -> Path | None:
    """Return the private key that CAREERLENS_SIGNING_KEY names, if it is set."""
    named = os.environ.get(SIGNING_KEY)
    return Path(named).expanduser() if named else None


@contextmanager
def offered(
    store: Store, hub: Hub, repo: str, kind: Kind, version: "ModelVersion"
) -> Iterator[Offer]:
    """Give the release of a registered version, verified; nothing is published.

    Raises
    ------
    BundleError
        If its bundle is not what was registered.
    VersionExistsError
        If the hub has another release as this version.
    """
    tag = version_tag(int(version.version))
    commit = _published(hub, repo, version)
    if commit is not None:
        yield Offer(tag, fetch(hub, repo, commit).path, commit)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Offer(tag, _prepare(store, kind, version, Path(folder)), None)


def check_signature(offer: Offer, trust: Trust) -> None:
    """Refuse what the service would refuse for its signature, where it asks for one.

    Raises
    ------
    SignatureError
        If there is no signature by a trusted key.
    """
    try:
        trust.check(offer.path)
    except SignatureError as error:
        if offer.commit is None and signing_key() is None:
            raise SignatureError(
                f"{SIGNING_KEY} is not set, so {offer.tag} would be published unsigned, and nobody "
                "would serve it: name the private key of a trusted pair (`make keys` makes one)"
            ) from error
        hint = (
            f"{offer.tag} would be signed with the key that {SIGNING_KEY} names"
            if offer.commit is None
            else f"{offer.tag} is on the hub like that, and a version never changes: train and "
            "register another, or use a hub where this one is not yet (CAREERLENS_HUB)"
        )
        raise SignatureError(f"{error}; {hint}") from error


def send_version(
    store: Store, hub: Hub, repo: str, kind: Kind, version: "ModelVersion", trust: Trust
) -> Sent:
    """Bring a registered version to the hub unless it is there; see :func:`send`."""
    with offered(store, hub, repo, kind, version) as offer:
        return send(store, hub, repo, kind, version, offer, trust)


def send(
    store: Store,
    hub: Hub,
    repo: str,
    kind: Kind,
    version: "ModelVersion",
    offer: Offer,
    trust: Trust,
) -> Sent:
    """Publish what is offered unless it is on the hub, and note in MLflow where it is.

    It is loaded from the hub before anybody may serve it.

    Raises
    ------
    SignatureError
        If a signature is required, and there is none by a trusted key; nothing is published then.
    """
    check_signature(offer, trust)
    digest = version.tags["digest"]
    message = f"{offer.tag}: bundle {digest[:12]}"
    commit = offer.commit or hub.publish(repo, int(version.version), offer.path, message)
    places = {"hub": f"{hub}/{repo}", "hub_tag": offer.tag, "hub_commit": commit}
    for name, place in places.items():
        store.client.set_model_version_tag(kind, version.version, name, place)
    print(f"{kind}: {offer.tag} is on {hub}/{repo} (digest {digest[:12]})")
    fetched = fetch(hub, repo, commit)
    trust.check(fetched.path)
    bundle = load_bundle(fetched.path / "bundle", FORMATS[kind], fetched.release.digest)
    return Sent(fetched, bundle)


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
    if commit is None:
        return None
    release = hub.release(repo, commit)
    if (release.tag, release.digest) != (tag, version.tags["digest"]):
        raise VersionExistsError(
            f"{tag} of {repo} on {hub} is not version {version.version} of this MLflow store, so "
            "another store published it: use a hub of your own (CAREERLENS_HUB=file:FOLDER), or "
            "the MLflow store that belongs to this one"
        )
    return commit


def _prepare(store: Store, kind: Kind, version: "ModelVersion", folder: Path) -> Path:
    """Return the release of a version as it is to be published, made in ``folder``.

    Everything in release.json was settled when the version was tracked and registered, and the
    signature is kept beside it, so that sending it again sends the same bytes.
    """
    key = signing_key()
    signer = fingerprint(key) if key else None
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
        signer=signer,
        created=created.isoformat(),
    )
    place = tracking.download(store, version.run_id, tracking.RELEASE, folder)
    manifest = load_bundle(place / "bundle", FORMATS[kind], digest).manifest
    write_release(release, place)
    card = place / "README.md"
    text = with_origin(card.read_text(encoding="utf-8"), release, manifest)
    card.write_text(text, encoding="utf-8")
    if signer is not None and key is not None:
        _sign(store, version.run_id, place, key, signer)
    return place


def _sign(store: Store, run: str, release: Path, key: Path, signer: str) -> None:
    """Sign ``release``: with the signature made before, if there is one and it is of these files.

    No two signatures of one key over the same files are equal, so the first is kept in the run.
    It counts once its digest is noted: an interruption may have left half of it.
    """
    kept, note = f"{_SIGNATURES}/{signer}", f"{_SIGNATURE_DIGEST}.{signer}"
    signature = release / SIGNATURE_FILE
    noted = store.client.get_run(run).data.tags.get(note)
    if noted is not None:
        with tempfile.TemporaryDirectory() as folder:
            before = tracking.download(store, run, f"{kept}/{SIGNATURE_FILE}", Path(folder))
            content = before.read_bytes()
        if hashlib.sha256(content).hexdigest() == noted:
            signature.write_bytes(content)
            with suppress(SignatureError):
                verify_release(release, [read_signer(key)])
                return
            signature.unlink()
    sign_release(release, key)
    store.client.log_artifact(run, str(signature), kept)
    digest = hashlib.sha256(signature.read_bytes()).hexdigest()
    store.client.set_tag(run, note, digest)

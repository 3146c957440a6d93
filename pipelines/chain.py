"""The links of a version's chain: what was compared, and how it went. Nothing is read here."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from models.errors import SignatureError
from models.manifest import MANIFEST, Kind, Manifest
from models.release import Promotion, Release
from models.revisions import Refs, short
from pipelines.lock import Lock
from pipelines.track import stages_digest

State = Literal["ok", "MISMATCH", "not here"]


@dataclass(frozen=True)
class Link:
    """One link: ``ok`` where both ends are here and agree, ``not here`` where one is missing."""

    name: str
    state: State
    text: str

    def __str__(self) -> str:
        return f"{self.state:<9} {self.name:<22} {self.text}"


def judged(name: str, faults: Sequence[str], text: str) -> Link:
    """Return a link whose ends are here: ``text`` if they agree, else all ``faults``."""
    return Link(name, "MISMATCH", "; ".join(faults)) if faults else Link(name, "ok", text)


def absent(name: str, reason: str) -> Link:
    """Return a link that cannot be checked, with the reason."""
    return Link(name, "not here", reason)


def hub_link(place: str, commit: str, release: Release, refs: Refs, tagged: Release | None) -> Link:
    """Compare a commit of the hub with the tag of the version it says it is.

    Parameters
    ----------
    tagged : Release or None
        What the tag of the version has; None if there is no such tag.
    """
    faults = []
    if tagged is None:
        faults.append(f"{place} has no tag {release.tag}")
    elif tagged != release:
        faults.append(
            f"commit {short(commit)} has bundle {release.digest[:12]} as {release.tag}, "
            f"the tag {release.tag} is another release with bundle {tagged.digest[:12]}"
        )
    branches = [name for name, oid in refs.branches.items() if oid == commit]
    names = ", ".join([*branches, *(name for name, oid in refs.tags.items() if oid == commit)])
    tag = short(refs.tags.get(release.tag))
    text = f"{place}: commit {short(commit)} ({names or 'unnamed'}); tag {release.tag} is {tag}"
    return judged("hub", faults, text)


def release_link(release: Release, kind: Kind, revision: str) -> Link:
    """Compare release.json with what was asked for."""
    faults = []
    if release.kind != kind:
        faults.append(f"release.json is about {release.kind}")
    if revision[:1] == "v" and revision[1:].isdigit() and revision != release.tag:
        faults.append(f"{revision} says of itself that it is {release.tag}")
    signer = f"signer {release.signer[:12]}" if release.signer else "no signer"
    text = f"{release.kind} {release.tag}, registered {release.created}, {signer}"
    return judged("release.json", faults, text)


def signature_link(release: Release, signed: bool, verified: str | SignatureError | None) -> Link:
    """Compare the signature with release.json and the trusted keys.

    Parameters
    ----------
    signed : bool
        Whether there is a signature.
    verified : str, SignatureError or None
        Who signed the release, or why nobody trusted did; None if no key is trusted here.
    """
    name = "signature"
    if isinstance(verified, SignatureError):
        return Link(name, "MISMATCH", str(verified))
    if signed != (release.signer is not None) or verified not in (None, release.signer):
        said = f"the signer {release.signer[:12]}" if release.signer else "no signer"
        found = "model.sig is there" if signed else "there is no model.sig"
        by = f", by {verified[:12]}" if verified else ""
        return Link(name, "MISMATCH", f"release.json names {said}, and {found}{by}")
    if verified is not None:
        return Link(name, "ok", f"model.sig over the release is by {verified[:12]}, a trusted key")
    reason = "set CAREERLENS_TRUSTED_KEYS to verify it" if signed else "the release is not signed"
    return absent(name, reason)


def bundle_links(release: Release, manifest: Manifest, files: Mapping[str, str]) -> list[Link]:
    """Compare the digest of release.json, the manifest, and the sha256 of every file."""
    digest = files[MANIFEST]
    faults = []
    if digest != release.digest:
        faults.append(f"manifest.json has {digest[:12]}, release.json names {release.digest[:12]}")
    if extra := sorted(set(files) - set(manifest.files) - {MANIFEST}):
        faults.append(f"not in the manifest: {', '.join(extra)}")
    links = [judged("bundle", faults, f"digest {digest} is the sha256 of manifest.json")]
    for name, expected in manifest.files.items():
        found = files.get(name)
        has = "it is missing" if found is None else f"it has {found[:12]}"
        faults = [] if found == expected else [f"manifest.json says {expected[:12]}, {has}"]
        links.append(judged(f"file {name}", faults, f"sha256 {expected}"))
    return links


def manifest_link(manifest: Manifest, kind: Kind) -> Link:
    """Compare what the manifest says the bundle is with what was asked for."""
    faults = [] if manifest.kind == kind else [f"manifest.json is about {manifest.kind}"]
    digests = f"data {manifest.data[:12]}, params {manifest.params[:12]}, code {manifest.code[:12]}"
    about = f"{manifest.name}, format {manifest.format}, corpus {manifest.corpus}"
    return judged("manifest", faults, f"{about}; {digests}")


def commit_link(release: Release, state: str | None, dirty: str | None) -> Link:
    """Say where the git commit stands.

    Parameters
    ----------
    state : str or None
        Where it stands in this repository; None if it is not there.
    dirty : str or None
        What the run's tag ``git_dirty`` says.
    """
    name = "git commit"
    if release.git_commit is None:
        return absent(name, "release.json names none: it was not tracked in a git repository")
    if state is None:
        return absent(name, f"no {release.git_commit[:12]} in a git repository here: `git fetch`")
    trees = {"false": "the tree was clean", "true": "the tree had changes not yet committed"}
    tree = trees.get(dirty or "", "whether the tree was clean, the run would say")
    return Link(name, "ok", f"{release.git_commit[:12]} is {state}; {tree}")


def lock_link(release: Release, found: str | None, commit_here: bool, working: Lock | None) -> Link:
    """Say where the dvc.lock of the release is.

    Parameters
    ----------
    found : str or None
        What has a dvc.lock of the recorded digest.
    working : Lock or None
        That of the working copy.
    """
    name = "dvc.lock"
    if release.dvc_lock is None:
        return absent(name, "release.json names none")
    if found is None:
        reason = f"neither {(release.git_commit or 'a commit')[:12]}, nor a later commit, nor the "
        reason += f"working copy has the dvc.lock {release.dvc_lock[:12]}"
        return Link(name, "MISMATCH", reason) if commit_here else absent(name, reason)
    same = (
        "the same" if working and stages_digest(working.stages) == release.dvc_lock else "another"
    )
    return Link(
        name, "ok", f"{release.dvc_lock[:12]} is that of {found}; the working copy has {same}"
    )


def promotions_link(release: Release, log: Sequence[Promotion], head: Release) -> Link:
    """Check that the promotion log joins up, ends with the champion, and knows this bundle.

    Parameters
    ----------
    head : Release
        The champion.
    """
    faults = []
    before: str | None = None
    for number, promotion in enumerate(log, start=1):
        if promotion.before != before:
            faults.append(
                f"line {number} goes from {promotion.before or 'nobody'}, "
                f"the champion was {before or 'nobody'}"
            )
        if promotion.to == release.tag and promotion.digest != release.digest:
            faults.append(f"line {number} has bundle {promotion.digest[:12]} as {release.tag}")
        before = promotion.to
    if not log or (log[-1].to, log[-1].digest) != (head.tag, head.digest):
        faults.append(f"the log ends with {before or 'nobody'}, the champion is {head.tag}")
    mine = [promotion for promotion in log if promotion.to == release.tag]
    text = "; ".join(_told(promotion) for promotion in mine) or f"{release.tag} never was champion"
    return judged("promotions", faults, f"{text}; champion is {head.tag}")


def digest_of(digests: Sequence[str]) -> str:
    """Return the digest of tables with these sha256, as the manifest has it."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _told(promotion: Promotion) -> str:
    way = "rolled back to" if promotion.decision.get("rollback") else "promoted"
    if promotion.decision.get("forced"):
        way = "promoted by force"
    before = f", after {promotion.before}" if promotion.before else ""
    return f"{way} {promotion.when} by {promotion.who}{before}"

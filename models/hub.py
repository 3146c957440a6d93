"""Versions in a hub: publish, tag, point, fetch. The hub of this module is a local folder.

A repository is ``root/<namespace>/careerlens-<kind>``: ``commits/<oid>/`` never change once they
are there, and ``refs.json`` says which of them the branches and tags name. Whatever is written is
written aside and renamed into place, so a reader sees all of it or none.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from models.commits import (
    copy_commit,
    copy_files,
    describe,
    is_complete,
    is_oid,
    put_in_place,
    read_commit,
    seal,
    staging,
    sync,
    writing,
)
from models.errors import ConflictError, HubError, UnknownRevisionError, VersionExistsError
from models.release import PROMOTIONS_FILE, Promotion, Release, read_release, version_tag

MAIN = "main"
CHALLENGER = "challenger"

_REFS_FILE = "refs.json"


class Refs(BaseModel):
    """Which commit each branch and each tag of a repository names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    branches: dict[str, str] = {}
    tags: dict[str, str] = {}


@dataclass(frozen=True)
class Fetched:
    """A local copy of one commit.

    Attributes
    ----------
    path : Path
        Folder with ``release.json``, ``README.md`` and ``bundle/``; treat it as read-only.
    commit : str
        The full id of the commit.
    release : Release
        Its ``digest`` is what :func:`models.bundle.load_bundle` shall expect of ``path/"bundle"``.
    """

    path: Path
    commit: str
    release: Release


class LocalHub:
    """A hub in a folder, with the promises of the Hugging Face Hub.

    Parameters
    ----------
    root : Path
        Where the repositories are; made by the first ``publish``.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def __str__(self) -> str:
        return f"file:{self.root}"

    def publish(self, repo: str, version: int, folder: Path, message: str) -> str:
        """Commit ``folder`` to the branch ``challenger``, tag it ``v<version>``, return its id.

        Publishing the same bytes as the same version again changes nothing, so a publish that was
        interrupted may simply be repeated.

        Raises
        ------
        VersionExistsError
            If the version is there already, with other bytes.
        HubError
            If ``folder`` holds anything but plain files and folders.
        """
        files = describe(folder)
        tag = version_tag(version)
        home = self._home(repo)
        with writing(home):
            refs = self.refs(repo) if (home / _REFS_FILE).exists() else Refs()
            if tag in refs.tags:
                if read_commit(self._folder(repo, refs.tags[tag])).files != files:
                    raise VersionExistsError(
                        f"{tag} of {repo} in {self} is another release, and a version never "
                        "changes: register the bundle as a new version"
                    )
                return refs.tags[tag]
            with staging(home / "commits") as staged:
                copy_files(folder, staged, files)
                oid = seal(staged, refs.branches.get(CHALLENGER), message)
            _write_refs(
                home,
                Refs(
                    branches=refs.branches | {CHALLENGER: oid},
                    tags=refs.tags | {tag: oid},
                ),
            )
        return oid

    def point(
        self, repo: str, branch: str, revision: str, parent: str | None, promotion: Promotion
    ) -> str:
        """Move ``branch`` to the content of ``revision`` by one commit, and return that commit.

        Parameters
        ----------
        parent : str or None
            The commit ``branch`` is at, as the caller last saw it; None if it is not there yet.
        promotion : Promotion
            The line that this commit adds to the branch's ``promotions.jsonl``.

        Raises
        ------
        ConflictError
            If ``branch`` is no longer at ``parent``.
        UnknownRevisionError
            If there is no such repository or revision.
        """
        self.refs(repo)
        home = self._home(repo)
        with writing(home):
            refs = self.refs(repo)
            head = refs.branches.get(branch)
            if head != parent:
                raise ConflictError(
                    f"{branch} of {repo} in {self} is at {_short(head)}, not at {_short(parent)}: "
                    "somebody moved it first; look at that version, then run the command again"
                )
            source = self._folder(repo, self._resolve(repo, revision))
            history = b""
            if head is not None:
                log = self._folder(repo, head) / PROMOTIONS_FILE
                history = log.read_bytes() if log.exists() else b""
            with staging(home / "commits") as staged:
                copy_commit(source, staged)
                (staged / PROMOTIONS_FILE).write_bytes(history + promotion.line().encode())
                oid = seal(staged, head, f"{branch}: {promotion.to}")
            _write_refs(home, Refs(branches=refs.branches | {branch: oid}, tags=refs.tags))
        return oid

    def refs(self, repo: str) -> Refs:
        """Return the branches and tags of ``repo``.

        Raises
        ------
        UnknownRevisionError
            If there is no such repository.
        """
        path = self._home(repo) / _REFS_FILE
        try:
            return Refs.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise UnknownRevisionError(
                f"{self} has no repository {repo}: publish a version with "
                "`python -m pipelines.publish`, or set CAREERLENS_HUB to the hub you mean"
            ) from error
        except ValidationError as error:
            raise HubError(f"{path} is damaged, restore it from a backup: {error}") from error

    def release(self, repo: str, revision: str) -> Release:
        """Return what ``revision`` (branch, tag or full commit id) says of itself."""
        return read_release(self._folder(repo, self._resolve(repo, revision)))

    def fetch(self, repo: str, revision: str, cache: Path) -> Fetched:
        """Return a local copy of ``revision``, made under ``cache`` unless it is there already.

        Every file is checked against the commit, as it is copied and whenever the copy is used
        again; one that was damaged is made anew. However many processes fetch at once, none sees
        half a copy. With a full commit id it is found without the hub.

        Parameters
        ----------
        revision : str
            A branch, a tag, or a full commit id.

        Raises
        ------
        UnknownRevisionError
            If there is no such repository or revision.
        HubError
            If the hub's files are not those of the commit.
        """
        shelf = cache / _checked(repo)
        oid = revision if is_oid(revision) else self._resolve(repo, revision)
        copy = shelf / oid
        if not is_complete(copy):
            source = self._folder(repo, self._resolve(repo, oid))
            with writing(shelf):
                if not is_complete(copy):
                    with staging(shelf) as staged:
                        copy_commit(source, staged)
                        put_in_place(staged, oid)
        return Fetched(copy, oid, read_release(copy))

    def _home(self, repo: str) -> Path:
        return self.root / _checked(repo)

    def _folder(self, repo: str, oid: str) -> Path:
        return self._home(repo) / "commits" / oid

    def _resolve(self, repo: str, revision: str) -> str:
        refs = self.refs(repo)
        oid = refs.branches.get(revision) or refs.tags.get(revision) or revision
        if not is_oid(oid) or not self._folder(repo, oid).is_dir():
            known = ", ".join([*refs.branches, *refs.tags]) or "none"
            raise UnknownRevisionError(
                f"{repo} in {self} has no revision {revision!r}; it has {known}, "
                "and commits by their full id"
            )
        return oid


def open_hub(address: str) -> LocalHub:
    """Return the hub at ``address``: ``file:FOLDER``, relative to DVC_ROOT or here.

    DVC runs queued experiments in copies of the project and names the project in DVC_ROOT; they
    all shall meet in one hub.

    Raises
    ------
    HubError
        If the address is of another kind.
    """
    scheme, _, place = address.partition(":")
    place = place.removeprefix("//") if place.startswith("///") else place
    if scheme != "file" or not place or place.startswith("//"):
        raise HubError(
            f"hub address {address!r} is not supported: use file:FOLDER, such as file:hub "
            "(CAREERLENS_HUB or --hub)"
        )
    here = Path(os.environ.get("DVC_ROOT") or Path.cwd())
    return LocalHub(here / Path(place).expanduser())


def repo_id(namespace: str, kind: str) -> str:
    """Return the repository of one model: ``<namespace>/careerlens-<kind>``."""
    return f"{namespace}/careerlens-{kind}"


def _checked(repo: str) -> str:
    """Return ``repo``, refusing what would lead out of the hub's folder."""
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", repo):
        raise HubError(f"{repo!r} is no repository name: it reads NAMESPACE/NAME")
    return repo


def _short(oid: str | None) -> str:
    return "no commit" if oid is None else oid[:12]


def _write_refs(home: Path, refs: Refs) -> None:
    aside = home / f"{_REFS_FILE}.new"
    aside.write_text(refs.model_dump_json(indent=2) + "\n", encoding="utf-8")
    # The commit point: after a power cut it is the old refs or the new, never an empty file.
    sync(aside)
    os.replace(aside, home / _REFS_FILE)
    sync(home)

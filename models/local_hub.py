"""A hub in a folder, with the promises of the Hugging Face Hub.

A repository is ``root/<namespace>/careerlens-<kind>``: ``commits/<oid>/`` never change once they
are there, and ``refs.json`` says which of them the branches and tags name. Whatever is written is
written aside and renamed into place, so a reader sees all of it or none.
"""

import os
from pathlib import Path

from pydantic import ValidationError

from models.cache import Fetched, remember, shelf_of, shelved
from models.commits import (
    copy_commit,
    copy_files,
    describe,
    is_complete,
    put_in_place,
    read_commit,
    seal,
    sizes,
    staging,
    sync,
    writing,
)
from models.errors import ConflictError, HubError, UnknownRevisionError, VersionExistsError
from models.release import (
    PROMOTIONS_FILE,
    Promotion,
    Release,
    check_sizes,
    check_small,
    read_release,
    version_tag,
)
from models.revisions import CHALLENGER, Refs, checked_repo, is_oid, short

_REFS_FILE = "refs.json"


class LocalHub:
    """A hub in a folder; :class:`models.hub.Hub` says what each method promises.

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
        """Commit ``folder`` to the branch ``challenger``, tag it ``v<version>``, return its id."""
        check_sizes(sizes(folder), str(folder))
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
        """Move ``branch`` to the content of ``revision`` by one commit, and return that commit."""
        self.refs(repo)
        home = self._home(repo)
        with writing(home):
            refs = self.refs(repo)
            head = refs.branches.get(branch)
            if head != parent:
                raise ConflictError(
                    f"{branch} of {repo} in {self} is at {short(head)}, not at {short(parent)}: "
                    "somebody moved it first; look at that version, then run the command again"
                )
            source = self._folder(repo, self.resolve(repo, revision))
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
        """Return the branches and tags of ``repo``."""
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

    def resolve(self, repo: str, revision: str) -> str:
        """Return the commit that ``revision`` names."""
        refs = self.refs(repo)
        oid = refs.named(revision) or revision
        if not is_oid(oid) or not self._folder(repo, oid).is_dir():
            raise UnknownRevisionError(
                f"{repo} in {self} has no revision {revision!r}; it has {refs}, "
                "and commits by their full id"
            )
        return oid

    def release(self, repo: str, revision: str) -> Release:
        """Return what ``revision`` says of itself."""
        return read_release(self._folder(repo, self.resolve(repo, revision)))

    def read(self, repo: str, revision: str, name: str) -> bytes | None:
        """Return a small file of ``revision``, None if it has no such file."""
        path = self._folder(repo, self.resolve(repo, revision)) / name
        if not path.exists():
            return None
        check_small(name, path.stat().st_size, str(path.parent))
        return path.read_bytes()

    def fetch(self, repo: str, revision: str, cache: Path) -> Fetched:
        """Return a local copy of ``revision``, made under ``cache`` unless it is there already."""
        shelf = shelf_of(cache, repo)
        oid = revision if is_oid(revision) else self.resolve(repo, revision)

        def copy() -> None:
            source = self._folder(repo, self.resolve(repo, oid))
            check_sizes(sizes(source), str(source))
            with staging(shelf) as staged:
                copy_commit(source, staged)
                put_in_place(staged, oid, is_complete)

        fetched = shelved(shelf, oid, is_complete, copy)
        remember(shelf, revision, oid)
        return fetched

    def _home(self, repo: str) -> Path:
        return self.root / checked_repo(repo)

    def _folder(self, repo: str, oid: str) -> Path:
        return self._home(repo) / "commits" / oid


def _write_refs(home: Path, refs: Refs) -> None:
    aside = home / f"{_REFS_FILE}.new"
    aside.write_text(refs.model_dump_json(indent=2) + "\n", encoding="utf-8")
    # The commit point: after a power cut it is the old refs or the new, never an empty file.
    sync(aside)
    os.replace(aside, home / _REFS_FILE)
    sync(home)

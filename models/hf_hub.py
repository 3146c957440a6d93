"""The Hugging Face Hub as a hub: one repository per model, versions as tags, the champion as main.

A publish is one commit on ``challenger`` and a tag; a promotion is one commit on ``main`` that
must follow the commit its caller saw. Both look at what is there first, so that after a crash at
any point, or an answer that got lost, repeating them leads to the same end.
"""

from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    constants,
)

from models.cache import Fetched, is_recorded, remember, shelf_of, shelved
from models.commits import describe, sizes
from models.errors import (
    ConflictError,
    HubError,
    HubUnavailableError,
    LicenceError,
    UnknownRevisionError,
    VersionExistsError,
)
from models.hf_client import Client, trying
from models.hf_files import HubFile, bring, find_file, holds, list_files, read_file
from models.licences import obstacles
from models.manifest import MANIFEST, parse_manifest
from models.release import (
    PROMOTIONS_FILE,
    RELEASE_FILE,
    Promotion,
    Release,
    check_sizes,
    parse_release,
    version_tag,
)
from models.revisions import CHALLENGER, MAIN, Refs, checked_repo, is_oid, short

#: Most tries of a publish, which others who publish at the same time may get in the way of.
_TURNS = 8

_Operation = CommitOperationAdd | CommitOperationCopy | CommitOperationDelete


class _UnansweredError(HubUnavailableError):
    """A commit was sent and not answered: it may have been made."""


@dataclass(frozen=True)
class _Package:
    """What is to be published."""

    folder: Path
    names: list[str]
    tag: str
    message: str


class HuggingFaceHub:
    """The Hugging Face Hub; :class:`models.hub.Hub` says what each method promises.

    Parameters
    ----------
    endpoint : str, optional
        By default HF_ENDPOINT, or huggingface.co. The token is that of HF_TOKEN, or of
        ``hf auth login``, as ``huggingface_hub`` finds it.
    private : bool, default=True
        Of repositories that ``publish`` makes; those that are there stay what they are.
    """

    def __init__(self, endpoint: str | None = None, *, private: bool = True) -> None:
        self._client = Client(endpoint or constants.ENDPOINT)
        self._private = private
        # What was found out of commits, which never change.
        self._is_release: dict[tuple[str, str], bool] = {}

    def __str__(self) -> str:
        return self._client.endpoint

    def publish(self, repo: str, version: int, folder: Path, message: str) -> str:
        """Commit ``folder`` to the branch ``challenger``, tag it ``v<version>``, return its id."""
        tag = version_tag(version)
        check_sizes(sizes(folder), str(folder))
        package = _Package(folder, list(describe(folder)), tag, message or tag)
        for attempt in trying(_UnansweredError, ConflictError, tries=_TURNS):
            with attempt:
                return self._publish(checked_repo(repo), package)
        raise AssertionError("the last try returns or raises")

    def point(
        self, repo: str, branch: str, revision: str, parent: str | None, promotion: Promotion
    ) -> str:
        """Move ``branch`` to the content of ``revision`` by one commit, and return that commit."""
        source = self.resolve(repo, revision)
        log = b""
        for attempt in trying(_UnansweredError):
            with attempt:
                head = self._heads(repo).branches.get(branch) or self._branch(repo, branch)
                there = self._read(repo, head, PROMOTIONS_FILE) or b""
                if attempt.num > 1 and there == log:
                    return head  # the try before was not answered, and yet it did it
                champion = head if self._has_release(repo, head) else None
                if champion != parent:
                    raise ConflictError(
                        f"{branch} of {repo} on {self} is at {short(champion)}, not at "
                        f"{short(parent)}: somebody moved it first; look at that version, then "
                        "run the command again"
                    )
                log = there + promotion.line().encode()
                operations = self._replacing(repo, head, source, log)
                return self._commit(repo, branch, head, operations, f"{branch}: {promotion.to}")
        raise AssertionError("the last try returns or raises")

    def refs(self, repo: str) -> Refs:
        """Return the branches and tags of ``repo``; a branch without a release is left out."""
        refs = self._heads(repo)
        branches = {
            name: oid for name, oid in refs.branches.items() if self._has_release(repo, oid)
        }
        return Refs(branches=branches, tags=refs.tags)

    def resolve(self, repo: str, revision: str) -> str:
        """Return the commit that ``revision`` names."""
        refs = self.refs(repo)
        if (named := refs.named(revision)) is not None:
            return named
        if is_oid(revision) and self._has_commit(repo, revision):
            return revision
        raise UnknownRevisionError(
            f"{repo} on {self} has no revision {revision!r}; it has {refs}, and commits by their "
            "full id"
        )

    def release(self, repo: str, revision: str) -> Release:
        """Return what ``revision`` says of itself."""
        oid = self.resolve(repo, revision)
        content = self._read(repo, oid, RELEASE_FILE)
        return parse_release(content or b"", f"{RELEASE_FILE} of {repo} on {self} at {oid}")

    def read(self, repo: str, revision: str, name: str) -> bytes | None:
        """Return a small file of ``revision``, None if it has no such file."""
        return self._read(repo, self.resolve(repo, revision), name)

    def fetch(self, repo: str, revision: str, cache: Path) -> Fetched:
        """Return a local copy of ``revision``, made under ``cache`` unless it is there already."""
        shelf = shelf_of(cache, repo)
        oid = revision if is_oid(revision) else self.resolve(repo, revision)
        fetched = shelved(shelf, oid, is_recorded, lambda: bring(self._client, repo, oid, shelf))
        remember(shelf, revision, oid)
        return fetched

    def _publish(self, repo: str, package: _Package) -> str:
        refs = self._heads_or_new(repo, package)
        if (tagged := refs.tags.get(package.tag)) is not None:
            return self._checked(repo, tagged, package)
        self._check_licences(repo, package)
        head = refs.branches.get(CHALLENGER) or self._branch(repo, CHALLENGER)
        oid = self._interrupted(repo, head, package)
        if oid is None:
            files = list_files(self._client, repo, head)
            operations: list[_Operation] = [
                *(CommitOperationAdd(name, package.folder / name) for name in package.names),
                *(CommitOperationDelete(name) for name in files if name not in package.names),
            ]
            oid = self._commit(repo, CHALLENGER, head, operations, package.message)
            # The Hub leaves out what its .gitignore names, and makes no commit of no change: the
            # tag goes to what was looked at.
            if not self._holds(repo, oid, package):
                raise HubError(
                    f"{short(oid)} of {repo} on {self} does not hold exactly what was published: "
                    "remove a .gitignore from the repository, then run the command again"
                )
        try:
            self._client.ask(lambda api: api.create_tag(repo, tag=package.tag, revision=oid), repo)
        except ConflictError:  # somebody else's, or our own from a try whose answer got lost
            if (tagged := self._heads(repo).tags.get(package.tag)) is None:
                raise
            return self._checked(repo, tagged, package)
        return oid

    def _heads_or_new(self, repo: str, package: _Package) -> Refs:
        """Return the branches and tags of a repository, made if it is missing."""
        try:
            return self._heads(repo)
        except UnknownRevisionError:
            if not self._private:
                self._refuse_forbidden(repo, package)
            self._client.ask(
                lambda api: api.create_repo(repo, private=self._private, exist_ok=True), repo
            )
            return self._heads(repo)

    def _checked(self, repo: str, oid: str, package: _Package) -> str:
        """Return the commit of a version that is there already, if it is the same."""
        if not self._holds(repo, oid, package):
            raise VersionExistsError(
                f"{package.tag} of {repo} on {self} is another release, and a version never "
                "changes: register the bundle as a new version"
            )
        return oid

    def _interrupted(self, repo: str, head: str, package: _Package) -> str | None:
        """Return the commit that an interrupted publish of the same left without its tag."""
        commits = self._client.ask(
            lambda api: api.list_repo_commits(repo, revision=head), repo, CHALLENGER
        )
        alike = [commit.commit_id for commit in commits if commit.title == package.message]
        return next((oid for oid in alike if self._holds(repo, oid, package)), None)

    def _check_licences(self, repo: str, package: _Package) -> None:
        """Refuse to add to a repository that is public, whatever was asked for, what may not be."""
        info = self._client.ask(lambda api: api.model_info(repo), repo)
        if info.private is not True:
            self._refuse_forbidden(repo, package)

    def _refuse_forbidden(self, repo: str, package: _Package) -> None:
        path = package.folder / "bundle" / MANIFEST
        if not path.is_file():
            raise LicenceError(
                f"{repo} on {self} is public, and without {path} nobody can say what the licences "
                "allow: publish a whole bundle, or to a private repository"
            )
        found = obstacles(parse_manifest(path, path.read_bytes()).sources)
        if found:
            reasons = "; ".join(f"{name} {reason}" for name, reason in found.items())
            raise LicenceError(
                f"{repo} on {self} is public, and the licences of what the model learnt from do "
                f"not let it be passed on: {reasons}. Use a private repository, or train without "
                "these sources (data.exclude_licences in params.yaml)"
            )

    def _replacing(self, repo: str, head: str, source: str, log: bytes) -> list[_Operation]:
        """Return what makes the files of ``source`` and the log out of those of ``head``.

        Large files are copied on the Hub. The others travel through here, checked on the way.
        """
        wanted = list_files(self._client, repo, source)
        check_sizes({file.path: file.bytes for file in wanted.values()}, f"{repo} at {source}")
        wanted.pop(PROMOTIONS_FILE, None)
        there = list_files(self._client, repo, head)
        operations: list[_Operation] = [
            CommitOperationDelete(name)
            for name in there
            if name not in wanted and name != PROMOTIONS_FILE
        ]
        operations += [
            self._copy(repo, source, file)
            for name, file in wanted.items()
            if there.get(name) != file
        ]
        return [*operations, CommitOperationAdd(PROMOTIONS_FILE, log)]

    def _copy(self, repo: str, source: str, file: HubFile) -> _Operation:
        if file.sha256 is not None:
            return CommitOperationCopy(file.path, file.path, src_revision=source)
        return CommitOperationAdd(file.path, read_file(self._client, repo, source, file))

    def _commit(
        self, repo: str, branch: str, head: str, operations: list[_Operation], message: str
    ) -> str:
        """Make one commit that must follow ``head``."""
        try:
            info = self._client.commit(
                lambda api: api.create_commit(
                    repo,
                    operations,
                    commit_message=message,
                    revision=branch,
                    parent_commit=head,
                ),
                repo,
                branch,
            )
        except HubUnavailableError as error:
            raise _UnansweredError(str(error), error.retry_after) from error
        return info.oid

    def _branch(self, repo: str, branch: str) -> str:
        """Make a branch at the repository's first commit, which is the Hub's own and empty."""
        commits = self._client.ask(lambda api: api.list_repo_commits(repo, revision=MAIN), repo)
        first = commits[-1].commit_id
        self._client.ask(
            lambda api: api.create_branch(repo, branch=branch, revision=first, exist_ok=True),
            repo,
            branch,
        )
        return first

    def _heads(self, repo: str) -> Refs:
        """Return every branch and tag, those without a release too."""
        refs = self._client.ask(lambda api: api.list_repo_refs(checked_repo(repo)), repo)
        return Refs(
            branches={ref.name: ref.target_commit for ref in refs.branches},
            tags={ref.name: ref.target_commit for ref in refs.tags},
        )

    def _holds(self, repo: str, oid: str, package: _Package) -> bool:
        return holds(list_files(self._client, repo, oid), package.folder, package.names)

    def _has_release(self, repo: str, oid: str) -> bool:
        key = repo, oid
        if key not in self._is_release:
            self._is_release[key] = find_file(self._client, repo, oid, RELEASE_FILE) is not None
        return self._is_release[key]

    def _has_commit(self, repo: str, oid: str) -> bool:
        try:
            self._client.ask(lambda api: api.model_info(repo, revision=oid), repo, oid)
        except UnknownRevisionError:
            return False
        return True

    def _read(self, repo: str, oid: str, path: str) -> bytes | None:
        file = find_file(self._client, repo, oid, path)
        return None if file is None else read_file(self._client, repo, oid, file)

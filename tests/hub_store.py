"""What the stand-in for the Hugging Face Hub keeps: repositories, commits, and who may what."""

import base64
import hashlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_LARGE_SUFFIXES = (".bin", ".npz", ".parquet", ".zip")
_LARGE_BYTES = 10 * 1024 * 1024
_ATTRIBUTES = "".join(
    f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in _LARGE_SUFFIXES
)


class Refused(Exception):  # noqa: N818  not an error: what the hub answers
    """An answer with which the hub refuses."""

    def __init__(self, status: int, message: str, code: str = "", **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.body = {"error": message, **more}


@dataclass(frozen=True)
class User:
    """Whose a token is, and where it may write."""

    name: str
    namespaces: set[str]
    may_write: bool


@dataclass(frozen=True)
class Blob:
    """A file: in git itself, or large and apart with a pointer in git."""

    content: bytes
    large: bool

    @property
    def sha256(self) -> str:
        """The name of a large file."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def pointer(self) -> bytes:
        """What git has of a large file."""
        lines = (
            "version https://git-lfs.github.com/spec/v1",
            f"oid sha256:{self.sha256}",
            f"size {len(self.content)}",
        )
        return "".join(f"{line}\n" for line in lines).encode()

    @property
    def oid(self) -> str:
        """The git object id."""
        stored = self.pointer if self.large else self.content
        return hashlib.sha1(b"blob %d\0" % len(stored) + stored).hexdigest()

    @staticmethod
    def is_large(path: str, size: int, sample: str) -> bool:
        """Whether a file to come is stored apart, by its name, size and first bytes."""
        if size > _LARGE_BYTES or path.endswith(_LARGE_SUFFIXES):
            return True
        return b"\0" in base64.b64decode(sample)


@dataclass(frozen=True)
class GitCommit:
    """A commit with all its files."""

    oid: str
    parent: str | None
    title: str
    message: str
    files: Mapping[str, Blob]


@dataclass
class Repository:
    """One repository."""

    private: bool
    commits: dict[str, GitCommit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def at(self, revision: str) -> GitCommit:
        """Return the commit that a branch, a tag or an id names."""
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        if oid not in self.commits:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return self.commits[oid]

    def history(self, commit: GitCommit) -> Iterator[GitCommit]:
        """Yield a commit and those before it, newest first."""
        yield commit
        while commit.parent is not None:
            commit = self.commits[commit.parent]
            yield commit

    def add_commit(
        self, branch: str, title: str, message: str, files: Mapping[str, Blob]
    ) -> GitCommit:
        """Move ``branch`` on to a new commit."""
        parent = self.branches.get(branch)
        listing = "\n".join(f"{name} {blob.oid}" for name, blob in sorted(files.items()))
        text = f"{parent}\n{title}\n{message}\n{len(self.commits)}\n{listing}"
        oid = hashlib.sha1(text.encode()).hexdigest()
        self.commits[oid] = GitCommit(oid, parent, title, message, dict(files))
        self.branches[branch] = oid
        return self.commits[oid]

    def add_tag(self, tag: str, revision: str) -> None:
        """Tag a commit, once and for all."""
        commit = self.at(revision)
        if tag in self.tags:
            raise Refused(409, f"Tag reference exists already: refs/tags/{tag}")
        self.tags[tag] = commit.oid

    def add_branch(self, branch: str, revision: str) -> None:
        """Start a branch at a commit."""
        commit = self.at(revision)
        if branch in self.branches:
            raise Refused(409, f"Reference already exists: refs/heads/{branch}")
        self.branches[branch] = commit.oid


class Store:
    """Everything on the hub."""

    def __init__(self, users: Mapping[str, User]) -> None:
        self.lock = threading.RLock()
        self.users = dict(users)
        self.repos: dict[str, Repository] = {}
        self.objects: dict[str, bytes] = {}  # large files by sha256

    def user(self, authorization: str | None) -> User | None:
        """Return whose the token of a request is; None for none."""
        if authorization is None:
            return None
        user = self.users.get(authorization.removeprefix("Bearer "))
        if user is None:
            raise Refused(401, "Invalid credentials in Authorization header")
        return user

    def read(self, repo: str, user: User | None) -> Repository:
        """Return a repository that the user may see."""
        there = self.repos.get(repo)
        member = user is not None and repo.split("/")[0] in user.namespaces
        if there is None or (there.private and not member):
            raise Refused(401 if user is None else 404, "Repository not found", "RepoNotFound")
        return there

    def write(self, repo: str, user: User | None) -> Repository:
        """Return a repository that the user may change."""
        there = self.read(repo, user)
        self._check_writer(repo, user)
        return there

    def create(self, repo: str, user: User | None, *, private: bool, **address: str) -> None:
        """Make a repository, with a first commit."""
        self._check_writer(repo, user)
        if repo in self.repos:
            raise Refused(409, "You already created this model repo", **address)
        there = self.repos[repo] = Repository(private)
        attributes = Blob(_ATTRIBUTES.encode(), large=False)
        there.add_commit("main", "initial commit", "", {".gitattributes": attributes})

    def commit(
        self, repo: str, user: User | None, branch: str, lines: list[dict[str, Any]]
    ) -> GitCommit:
        """Make a commit of the lines that a client sends."""
        there = self.write(repo, user)
        header = lines[0]["value"]
        if branch not in there.branches:
            raise Refused(404, f"Invalid rev id: {branch}", "RevisionNotFound")
        head = there.at(branch)
        if header.get("parentCommit") not in (None, head.oid):
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        files = dict(head.files)
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "deletedFile":
                if files.pop(value["path"], None) is None:
                    message = "A file with this name doesn't exist"
                    raise Refused(404, message, "EntryNotFound")
            elif line["key"] == "file":
                content = base64.b64decode(value["content"])
                files[value["path"]] = Blob(content, large=False)
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.objects:
                    raise Refused(400, f"the object {value['oid']} was not uploaded")
                files[value["path"]] = Blob(self.objects[value["oid"]], large=True)
            else:
                raise Refused(400, f"unknown operation {line['key']}")
        return there.add_commit(branch, header["summary"], header["description"], files)

    def add_object(self, oid: str, content: bytes) -> None:
        """Keep a large file."""
        if hashlib.sha256(content).hexdigest() != oid:
            raise Refused(400, "the content is not that of its name")
        self.objects[oid] = content

    def _check_writer(self, repo: str, user: User | None) -> None:
        if user is None:
            raise Refused(401, "Invalid username or password.")
        namespace = repo.split("/")[0]
        if not user.may_write or namespace not in user.namespaces:
            raise Refused(403, f"You don't have the rights to write to {namespace}")

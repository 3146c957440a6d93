"""Names in a hub: of repositories, branches, tags and commits."""

import re

from pydantic import BaseModel, ConfigDict

from models.errors import HubError

MAIN = "main"
CHALLENGER = "challenger"

_OID_LENGTH = 40  # as on the Hugging Face Hub


class Refs(BaseModel):
    """Which commit each branch and each tag of a repository names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    branches: dict[str, str] = {}
    tags: dict[str, str] = {}

    def named(self, name: str) -> str | None:
        """Return the commit of a branch or a tag; ``v3`` is a version's tag, and never a branch."""
        if re.fullmatch(r"v\d+", name):
            return self.tags.get(name)
        return self.branches.get(name) or self.tags.get(name)

    def __str__(self) -> str:
        return ", ".join([*self.branches, *self.tags]) or "none"


def repo_id(namespace: str, kind: str) -> str:
    """Return the repository of one model: ``<namespace>/careerlens-<kind>``."""
    return f"{namespace}/careerlens-{kind}"


def checked_repo(repo: str) -> str:
    """Return ``repo``, refusing what would lead out of a folder named by it."""
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", repo):
        raise HubError(f"{repo!r} is no repository name: it reads NAMESPACE/NAME")
    return repo


def to_oid(digest: str) -> str:
    """Return a commit id made of a hexadecimal digest."""
    return digest[:_OID_LENGTH]


def is_oid(revision: str) -> bool:
    """Whether ``revision`` reads as a full commit id."""
    return re.fullmatch(f"[0-9a-f]{{{_OID_LENGTH}}}", revision) is not None


def short(oid: str | None) -> str:
    """Return a commit id as people read it."""
    return "no commit" if oid is None else oid[:12]

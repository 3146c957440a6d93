"""What git has of the project: its files at a commit and as they lie here, and their dvc.lock."""

import io
import re
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.release import Release
from pipelines.lock import Lock, read_lock
from pipelines.track import stages_digest

LOCK = "dvc.lock"


@dataclass(frozen=True)
class Tree:
    """The project's files by path, and whose they are: ``commit 66505f3…`` or the working copy."""

    name: str
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Origin:
    """What git has of a release.

    Attributes
    ----------
    standing : str or None
        Where the release's commit stands; None if it is not here.
    tree : Tree or None
        The files that the version was made of: those beside its dvc.lock, else the commit's.
    lock : Lock or None
        Its dvc.lock: that of ``tree``.
    """

    standing: str | None
    tree: Tree | None
    lock: Lock | None


class History:
    """The git repository of the project at ``root``; without one there is no commit."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def standing(self, commit: str) -> str | None:
        """Return where a commit stands, None if it is not there."""
        # It comes from the hub: what is no commit id must not become an option of git's.
        if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit):
            return None
        if self._git("cat-file", "-e", f"{commit}^{{commit}}") is None:
            return None
        head = self._git("rev-parse", "HEAD")
        if head is not None and head.decode().strip() == commit:
            return "HEAD"
        if self._git("merge-base", "--is-ancestor", commit, "HEAD") is not None:
            return "an ancestor of HEAD"
        return "here, but no ancestor of HEAD"

    def tree(self, commit: str) -> Tree:
        """Return the files of a commit that is there."""
        archive = self._git("archive", "--format=tar", commit) or b""
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            files = {
                member.name: stream.read()
                for member in tar
                if member.isfile() and (stream := tar.extractfile(member))
            }
        return Tree(f"commit {commit[:12]}", files)

    def working_copy(self) -> Tree:
        """Return the files that git knows, as they lie here."""
        listed = (self._git("ls-files", "-z") or b"").decode().split("\0")
        paths = {name: self.root / name for name in listed if name}
        return Tree(
            "the working copy",
            {name: path.read_bytes() for name, path in paths.items() if path.is_file()},
        )

    def commits_after(self, commit: str) -> list[str]:
        """Return the later commits that changed dvc.lock, oldest first, HEAD's before others'.

        Others are of other branches, and of experiments, which do not stay for ever.
        """
        found: dict[str, None] = {}
        for ref in ("HEAD", "--all"):
            listed = self._git("log", ref, "--reverse", "--format=%H", f"^{commit}", "--", LOCK)
            found |= dict.fromkeys((listed or b"").decode().split())
        return list(found)

    def lock(self, commit: str) -> Lock | None:
        """Return the dvc.lock of a commit, if it has one."""
        return read_lock(self._git("show", f"{commit}:{LOCK}"))

    def _git(self, *arguments: str) -> bytes | None:
        """Return what git prints, None if it fails."""
        try:
            done = subprocess.run(
                ["git", *arguments], cwd=self.root, capture_output=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout


def find_origin(release: Release, history: History, now: Tree) -> Origin:
    """Return the commit of a release, and the dvc.lock that it names with the files beside it.

    DVC writes dvc.lock as it trains. So it is in the commit where nothing was left to train; else
    it came with a later one, such as an experiment's, or waits in the working copy, ``now``.
    """
    commit = release.git_commit
    standing = history.standing(commit) if commit else None
    if commit is None or standing is None:
        return Origin(None, None, None)
    for each in (commit, *history.commits_after(commit)):
        lock = history.lock(each)
        if lock is not None and stages_digest(lock.stages) == release.dvc_lock:
            return Origin(standing, history.tree(each), lock)
    lock = read_lock(now.files.get(LOCK))
    if lock is not None and stages_digest(lock.stages) == release.dvc_lock:
        return Origin(standing, now, lock)
    return Origin(standing, history.tree(commit), None)

"""Verified local copies of commits: one folder each, found again without the hub.

``CACHE/<namespace>/<name>/<oid>/`` has the files of one commit, plain, and a ``commit.json`` with
their sha256; ``.names/`` beside them remembers which commit each branch and tag was last seen at,
and ``.verdicts/`` which copies passed every check and which were refused.
"""

import os
import re
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from models.commits import (
    COMMIT_FILE,
    Files,
    clear_leftovers,
    describe,
    is_complete,
    put_in_place,
    staging,
    sync_all,
    writing,
)
from models.errors import HubError, LockedError
from models.release import Release, read_release
from models.revisions import checked_repo, is_oid

#: How many copies of one repository :func:`prune` leaves.
COPIES = 3

#: Seconds for which :func:`prune` leaves a refused copy, which another process may be reading.
REFUSED_SECONDS = 60.0

#: The names of what answered last, by the hub's word and by an operator's pin; no branch can have
#: such a name. Their copies stay: a service that starts while the hub is away answers from them.
ANSWERED = "main..answered"
PINNED = "main..pinned"

_NAMES = ".names"
_VERDICTS = ".verdicts"

Verdict = Literal["passed", "refused"]


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


class Copy(BaseModel):
    """The ``commit.json`` of a copy whose commit id is not made of it: a git commit's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    commit: str
    files: Files


def shelf_of(cache: Path, repo: str) -> Path:
    """Return the folder of the copies of one repository."""
    return cache / checked_repo(repo)


def shelved(
    shelf: Path, oid: str, intact: Callable[[Path], bool], make: Callable[[], None]
) -> Fetched:
    """Return the copy of commit ``oid``; ``make`` puts it there unless it is intact.

    However many processes and threads ask at once, one makes it and none sees half of it.
    """
    copy = shelf / oid
    if not intact(copy):
        with writing(shelf):
            if not intact(copy):
                make()
                clear_leftovers(shelf)
    with suppress(OSError):  # a cache may be mounted read-only, and is used all the same
        os.utime(copy)  # for prune
    return Fetched(copy, oid, read_release(copy))


def record(folder: Path, oid: str) -> None:
    """Make the files in ``folder`` the copy of commit ``oid`` beside it."""
    content = Copy(commit=oid, files=describe(folder))
    (folder / COMMIT_FILE).write_text(content.model_dump_json(indent=2) + "\n", encoding="utf-8")
    sync_all(folder)
    put_in_place(folder, oid, is_recorded)


def read_copy(folder: Path) -> Copy | None:
    """Return what :func:`record` wrote into ``folder``, if it did."""
    try:
        copy = Copy.model_validate_json((folder / COMMIT_FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    return copy if copy.commit == folder.name else None


def is_recorded(folder: Path) -> bool:
    """Whether ``folder`` has exactly the files it was recorded with, byte for byte."""
    copy = read_copy(folder)
    try:
        return copy is not None and copy.files == describe(folder)
    except (HubError, OSError):
        return False


def remember(shelf: Path, revision: str, oid: str) -> None:
    """Write down that a branch or tag was seen at ``oid``."""
    path = _name_file(shelf, revision)
    if path is not None and _read_name(path) != oid:
        with suppress(OSError):  # as in shelved
            _write(path, oid)


def judge(shelf: Path, oid: str, verdict: Verdict) -> None:
    """Write down what became of a copy; what passed once stays so.

    It may be refused later for what changed around it, such as the keys that are trusted.
    """
    path = shelf / _VERDICTS / oid
    if (shelf / oid).is_dir() and _read_verdict(path) not in ("passed", verdict):
        with suppress(OSError):  # as in shelved
            _write(path, verdict)


def passed(cache: Path, repo: str) -> Iterator[Fetched]:
    """Yield the whole copies that passed every check, the latest used first."""
    shelf = shelf_of(cache, repo)
    for path in _copies(shelf):
        if _read_verdict(shelf / _VERDICTS / path.name) == "passed":
            copy = last_fetched(cache, repo, path.name)
            if copy is not None:
                yield copy


def last_fetched(cache: Path, repo: str, revision: str) -> Fetched | None:
    """Return the copy that ``revision`` was last fetched as, without asking the hub.

    It may be out of date: for the time in which the hub is away.

    Parameters
    ----------
    revision : str
        A branch, a tag or a full commit id.
    """
    shelf = shelf_of(cache, repo)
    oid = _known(shelf, revision)
    if oid is None or not (is_complete(shelf / oid) or is_recorded(shelf / oid)):
        return None
    return Fetched(shelf / oid, oid, read_release(shelf / oid))


def prune(cache: Path, repo: str, keep: Collection[str] = (), most: int = COPIES) -> list[str]:
    """Remove the copies of ``repo`` that nobody needs; return the commits removed.

    These are all but the ``most`` recently used ones, and those that were refused. What answered
    last stays in any case. Everybody who fetches calls this afterwards.

    Parameters
    ----------
    keep : collection of str
        Branches, tags and commits whose copies stay in any case, since they are in use.
    """
    shelf = shelf_of(cache, repo)
    in_use = {_known(shelf, revision) for revision in (ANSWERED, PINNED, *keep)}
    removed: list[Path] = []
    if _needless(shelf, in_use, most):
        with suppress(LockedError), writing(shelf, seconds=1.0):  # who fetches tidies afterwards
            removed = _needless(shelf, in_use, most)
            # Out of sight in one step: what is looked at is whole, or not there.
            with staging(shelf) as staged:
                for path in removed:
                    os.replace(path, staged / path.name)
                    (shelf / _VERDICTS / path.name).unlink(missing_ok=True)
    return [path.name for path in removed]


def _needless(shelf: Path, in_use: Set[str | None], most: int) -> list[Path]:
    """Return the copies that may go."""
    spared = time.time() - REFUSED_SECONDS
    refused, others = [], []
    for path, used in _copies(shelf).items():
        if _read_verdict(shelf / _VERDICTS / path.name) != "refused":
            others.append(path)
        elif used < spared:
            refused.append(path)
    return [path for path in (*refused, *others[most:]) if path.name not in in_use]


def _copies(shelf: Path) -> dict[Path, float]:
    """Return the copies on a shelf, whole or not, with when each was used, the latest first."""
    used = {}
    for path in shelf.iterdir() if shelf.is_dir() else ():
        with suppress(FileNotFoundError):  # another process prunes
            if is_oid(path.name):
                used[path] = path.lstat().st_mtime
    return dict(sorted(used.items(), key=lambda item: item[1], reverse=True))


def _known(shelf: Path, revision: str) -> str | None:
    if is_oid(revision):
        return revision
    path = _name_file(shelf, revision)
    return None if path is None else _read_name(path)


def _name_file(shelf: Path, revision: str) -> Path | None:
    if is_oid(revision) or not re.fullmatch(r"\w[\w.-]*", revision):
        return None
    return shelf / _NAMES / revision


def _write(path: Path, word: str) -> None:
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    path.parent.mkdir(exist_ok=True)
    aside.write_text(word, encoding="ascii")
    os.replace(aside, path)


def _read_verdict(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return None


def _read_name(path: Path) -> str | None:
    try:
        oid = path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    return oid if is_oid(oid) else None

"""Folders that are written once, whole, and checked whenever they are used.

A commit of a local hub is a folder named by the sha256 of its ``commit.json``, which holds the
sha256 of every other file in it: the name vouches for all of them. The cache of fetched commits
is made of the same parts.
"""

import hashlib
import os
import shutil
import stat
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Annotated

from filelock import FileLock, Timeout
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from models.errors import HubError, LockedError
from models.revisions import to_oid

COMMIT_FILE = "commit.json"

_STAGED = ".staged-"
_LOCK_SECONDS = 120.0


class File(BaseModel):
    """One file of a commit."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    bytes: int


def _all_below(files: dict[str, File]) -> dict[str, File]:
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{name!r} leads out of the commit")
    return files


Files = Annotated[dict[str, File], AfterValidator(_all_below)]


class Commit(BaseModel):
    """The content of ``commit.json``: the commit before, why this one, and its files by path."""

    model_config = ConfigDict(frozen=True)

    parent: str | None
    message: str
    files: Files


def sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of every file below ``folder``, by path; nothing is read.

    Raises
    ------
    HubError
        As :func:`describe`.
    """
    note = folder / COMMIT_FILE
    return dict(_plain_files(folder)) | (
        {COMMIT_FILE: note.lstat().st_size} if note.exists() else {}
    )


def describe(folder: Path) -> dict[str, File]:
    """Return every file below ``folder`` but its commit.json, by path.

    Raises
    ------
    HubError
        If ``folder`` is not a folder, or holds a link or a device.
    """
    files = {}
    for name, size in _plain_files(folder):
        with (folder / name).open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        files[name] = File(sha256=digest, bytes=size)
    return files


def read_commit(folder: Path) -> Commit:
    """Return the commit in ``folder``, checked against the folder's name.

    Raises
    ------
    HubError
        If it is missing or was changed.
    """
    path = folder / COMMIT_FILE
    try:
        encoded = path.read_bytes()
        if _oid(encoded) != folder.name:
            raise HubError(f"{path} was changed: restore it from a backup, or publish again")
        return Commit.model_validate_json(encoded)
    except (OSError, ValidationError) as error:
        raise HubError(f"{path} cannot be read: {error}") from error


def is_complete(folder: Path) -> bool:
    """Whether ``folder`` is a commit with exactly its files, byte for byte."""
    try:
        return read_commit(folder).files == describe(folder)
    except (HubError, OSError):
        return False


def copy_files(source: Path, target: Path, names: Iterable[str]) -> None:
    """Copy the files ``names`` from one folder to another."""
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name, follow_symlinks=False)


def copy_commit(source: Path, target: Path) -> None:
    """Copy a commit into ``target``.

    Raises
    ------
    HubError
        If what arrives is not what was committed.
    """
    commit = read_commit(source)
    copy_files(source, target, describe(source))
    if describe(target) != commit.files:
        raise HubError(
            f"{source} is damaged, its files are not those that were committed: "
            "restore it from a backup, or publish a new version"
        )
    copy_files(source, target, [COMMIT_FILE])


def seal(staged: Path, parent: str | None, message: str) -> str:
    """Make the files in ``staged`` a commit beside it, and return the commit's id."""
    commit = Commit(parent=parent, message=message, files=describe(staged))
    encoded = (commit.model_dump_json(indent=2) + "\n").encode()
    (staged / COMMIT_FILE).write_bytes(encoded)
    sync_all(staged)
    oid = _oid(encoded)
    put_in_place(staged, oid, is_complete)
    return oid


def put_in_place(staged: Path, oid: str, intact: Callable[[Path], bool]) -> None:
    """Rename ``staged`` to ``oid`` beside it, unless that is there and intact."""
    place = staged.with_name(oid)
    if intact(place):
        return
    if place.exists():  # damaged: it gives way, and goes with the other leftovers
        os.replace(place, place.with_name(f"{_STAGED}{uuid.uuid4().hex}"))
    os.replace(staged, place)
    sync(place.parent)


def sync_all(folder: Path) -> None:
    """Wait until everything in ``folder`` is on disk."""
    for path in (*folder.rglob("*"), folder):
        sync(path)


def sync(path: Path) -> None:
    """Wait until a file's or a folder's content is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def writing(folder: Path, seconds: float = _LOCK_SECONDS) -> Iterator[None]:
    """Hold the lock of ``folder``, made if missing; a process that dies lets go of it.

    Raises
    ------
    LockedError
        If another one holds it for more than ``seconds``.
    HubError
        If the folder cannot be written.
    """
    lock = FileLock(folder / ".lock", timeout=seconds)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise LockedError(
            f"{folder} is being written by another process: try again later"
        ) from error
    except OSError as error:
        raise HubError(f"{folder} cannot be written ({error}): choose another folder") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """Give a new folder inside ``folder`` to fill, under the lock; leftovers of any crash go."""
    staged = folder / f"{_STAGED}{uuid.uuid4().hex}"
    staged.mkdir(parents=True)
    try:
        yield staged
    finally:
        clear_leftovers(folder)


def clear_leftovers(folder: Path) -> None:
    """Remove what was staged in ``folder`` and never finished, under the lock."""
    for leftover in folder.glob(f"{_STAGED}*"):
        shutil.rmtree(leftover)


def _oid(encoded: bytes) -> str:
    return to_oid(hashlib.sha256(encoded).hexdigest())


def _plain_files(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield path and size of every file below ``folder`` but its commit.json, in order."""
    if folder.is_symlink() or not folder.is_dir():
        raise HubError(f"{folder} is not a folder: a release is one, with bundle/ in it")
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        name = path.relative_to(folder).as_posix()
        if stat.S_ISDIR(status.st_mode) or name == COMMIT_FILE:
            continue
        if not stat.S_ISREG(status.st_mode):
            raise HubError(f"{path} is not a plain file: a release holds no links nor devices")
        yield name, status.st_size

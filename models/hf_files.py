"""The files of one commit on the Hugging Face Hub: what they are, and how they get here whole."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from huggingface_hub import HfApi
from huggingface_hub.hf_api import RepoFile, RepoFolder

from models.cache import read_copy, record
from models.commits import COMMIT_FILE
from models.errors import HubError
from models.hf_client import Client
from models.release import check_sizes, check_small
from models.revisions import is_oid

_PARTIAL = ".partial-"

# The Hub's own, and the name of our note in a copy.
_NOT_OF_THE_RELEASE = {".gitattributes", COMMIT_FILE}


class _DamagedError(HubError):
    """A file arrived with other bytes than the Hub announced."""


@dataclass(frozen=True)
class HubFile:
    """What the Hub says of one file.

    Attributes
    ----------
    sha256 : str or None
        Of a large file, which the Hub stores apart.
    blob : str
        The git object id; of a file that is not large it is made of the content.
    """

    path: str
    bytes: int
    sha256: str | None
    blob: str

    def is_at(self, path: Path) -> bool:
        """Whether the file at ``path`` is this one, byte for byte."""
        if path.is_symlink() or not path.is_file() or path.stat().st_size != self.bytes:
            return False
        with path.open("rb") as stream:
            if self.sha256 is not None:
                return hashlib.file_digest(stream, "sha256").hexdigest() == self.sha256
            digest = hashlib.sha1(b"blob %d\0" % self.bytes, usedforsecurity=False)
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
        return digest.hexdigest() == self.blob


def list_files(client: Client, repo: str, oid: str) -> dict[str, HubFile]:
    """Return the files of a commit by path, but for those that are no part of a release."""
    entries = client.ask(
        lambda api: list(api.list_repo_tree(repo, recursive=True, revision=oid)), repo, oid
    )
    return {file.path: file for file in _hub_files(entries)}


def find_file(client: Client, repo: str, oid: str, path: str) -> HubFile | None:
    """Return one file of a commit, None if the commit has no such file."""
    entries = client.ask(lambda api: api.get_paths_info(repo, [path], revision=oid), repo, oid)
    return next(_hub_files(entries), None)


def read_file(client: Client, repo: str, oid: str, file: HubFile) -> bytes:
    """Return the content of a small file.

    Raises
    ------
    OversizedError
        If it is none.
    """
    check_small(file.path, file.bytes, _place(client, repo, oid))
    with tempfile.TemporaryDirectory() as folder:
        return _download(client, repo, oid, file, Path(folder)).read_bytes()


def holds(files: dict[str, HubFile], folder: Path, names: list[str]) -> bool:
    """Whether ``files`` are exactly those in ``folder`` that are named."""
    return files.keys() == set(names) and all(files[name].is_at(folder / name) for name in names)


def bring(client: Client, repo: str, oid: str, shelf: Path) -> None:
    """Put a copy of a commit on ``shelf``, under its lock.

    Files that arrived before an interruption are kept, and large ones that another copy has are
    taken from there: a champion that is rolled back to is not sent a second time.
    """
    folder = shelf / f"{_PARTIAL}{oid}"
    for other in shelf.glob(f"{_PARTIAL}*"):
        if other != folder:
            shutil.rmtree(other)
    files = list_files(client, repo, oid)
    check_sizes({file.path: file.bytes for file in files.values()}, _place(client, repo, oid))
    folder.mkdir(exist_ok=True)
    for file in files.values():
        path = folder / file.path
        if not file.is_at(path) and not _copy_from_shelf(shelf, file, path):
            path.unlink(missing_ok=True)
            _download(client, repo, oid, file, folder)
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # huggingface_hub's notes
    record(folder, oid)


def _hub_files(entries: list[RepoFile | RepoFolder]) -> Iterator[HubFile]:
    for entry in entries:
        if isinstance(entry, RepoFolder) or entry.path in _NOT_OF_THE_RELEASE:
            continue
        path = PurePosixPath(entry.path)
        if path.is_absolute() or ".." in path.parts:
            raise HubError(f"{entry.path!r} leads out of the commit: look at the repository")
        large = entry.lfs
        yield HubFile(
            path=entry.path,
            bytes=entry.size if large is None else large.size,
            sha256=None if large is None else large.sha256,
            blob=entry.blob_id,
        )


def _download(client: Client, repo: str, oid: str, file: HubFile, folder: Path) -> Path:
    def download(api: HfApi) -> Path:
        path = Path(
            api.hf_hub_download(
                repo,
                file.path,
                revision=oid,
                local_dir=folder,
                # Else it would look into its own cache first, which nobody here has checked.
                cache_dir=folder / ".cache" / "unused",
            )
        )
        if file.is_at(path):
            return path
        path.unlink()
        raise _DamagedError(
            f"{file.path} of {_place(client, repo, oid)} arrives with other bytes than the Hub "
            "announces: try again later, or publish a new version"
        )

    return client.ask(download, repo, oid, again=(_DamagedError,))


def _place(client: Client, repo: str, oid: str) -> str:
    return f"{repo} on {client.endpoint} at {oid}"


def _copy_from_shelf(shelf: Path, file: HubFile, target: Path) -> bool:
    """Whether a large file could be had from another copy."""
    if file.sha256 is None:
        return False
    for copy in shelf.iterdir():
        known = read_copy(copy) if is_oid(copy.name) else None
        for name, facts in known.files.items() if known else ():
            if facts.sha256 == file.sha256 and (copy / name).is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(copy / name, target, follow_symlinks=False)
                return file.is_at(target)
    return False

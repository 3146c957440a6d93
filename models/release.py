"""What a release says of itself (release.json) and how it rose (promotions.jsonl)."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import HubError, OversizedError

RELEASE_FILE = "release.json"
PROMOTIONS_FILE = "promotions.jsonl"

_MEBIBYTE = 1024 * 1024

#: Most files of a release, and most bytes of each; of those of the bundle, in all.
MAX_FILES = 64
MAX_BYTES = _MEBIBYTE
MAX_LOG_BYTES = 64 * _MEBIBYTE  # some ten thousand promotions
MAX_BUNDLE_BYTES = 1024 * _MEBIBYTE


class _Record(BaseModel):
    # A later Careerlens may say more; what this code does not know it leaves alone.
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class Release(_Record):
    """One version of one model: what it is, and where it came from.

    Attributes
    ----------
    digest : str
        sha256 of the bundle's manifest.
    git_commit, dvc_lock, mlflow_run : str or None
        The commit, the digest of dvc.lock and the run that made the bundle, where known.
    signer : str or None
        Whose signature ``model.sig`` is; None for an unsigned release.
    created : str
        When the version was registered, ISO 8601 in UTC.
    """

    kind: str
    version: Annotated[int, Field(ge=1)]
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    git_commit: str | None
    dvc_lock: str | None
    mlflow_run: str | None
    signer: str | None
    created: str

    @property
    def tag(self) -> str:
        """The version as people and answers name it, such as ``v3``."""
        return version_tag(self.version)


class Promotion(_Record):
    """One line of promotions.jsonl: who moved ``main`` from which version to which, and why."""

    who: str
    when: str
    before: Annotated[str | None, Field(alias="from")]
    to: str
    digest: str
    decision: dict[str, Any]

    def line(self) -> str:
        """Return the promotion as one line of promotions.jsonl."""
        content = self.model_dump(mode="json", by_alias=True)
        return json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def check_sizes(sizes: Mapping[str, int], place: str) -> None:
    """Check, before anything is read of a release at ``place``, that it is no larger than ours are.

    Parameters
    ----------
    sizes : mapping of str to int
        Bytes of its files by path, or of some of them.

    Raises
    ------
    OversizedError
        If there are too many, or one is too large.
    """
    if len(sizes) > MAX_FILES:
        raise OversizedError(f"{place} has {len(sizes):,} files, a release at most {MAX_FILES}")
    bundle = sum(size for name, size in sizes.items() if name.startswith("bundle/"))
    if bundle > MAX_BUNDLE_BYTES:
        raise OversizedError(
            f"{place}: bundle/ has {bundle:,} bytes, more than {MAX_BUNDLE_BYTES:,}: no model of "
            "ours is as large"
        )
    for name, size in sizes.items():
        most = MAX_LOG_BYTES if name == PROMOTIONS_FILE else MAX_BYTES
        if size > most and not name.startswith("bundle/"):
            raise OversizedError(f"{place}: {name} has {size:,} bytes, more than {most:,}")


def check_small(name: str, size: int, place: str) -> None:
    """Check, before the file ``name`` at ``place`` is read alone, that it is one of words.

    Raises
    ------
    OversizedError
        If it is as large as only models are.
    """
    check_sizes({name.removeprefix("bundle/"): size}, place)


def version_tag(version: int) -> str:
    """Return the hub's tag of a version: ``v3`` for 3."""
    return f"v{version}"


def write_release(release: Release, folder: Path) -> None:
    """Write ``release`` as ``release.json`` into ``folder``; same release, same bytes."""
    content: Mapping[str, Any] = release.model_dump(mode="json")
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / RELEASE_FILE).write_text(text + "\n", encoding="utf-8")


def read_release(folder: Path) -> Release:
    """Return the release that ``folder/release.json`` describes.

    Raises
    ------
    HubError
        If the file is absent or does not describe a release.
    """
    path = folder / RELEASE_FILE
    try:
        with path.open("rb") as file:
            encoded = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise HubError(f"{path} cannot be read: publish the version again ({error})") from error
    if len(encoded) > MAX_BYTES:
        raise HubError(f"{path} has more than {MAX_BYTES:,} bytes: it describes no release")
    return parse_release(encoded, path)


def parse_release(encoded: bytes, place: str | Path) -> Release:
    """Return the release in ``encoded``, read at ``place``.

    Raises
    ------
    HubError
        If it is none.
    """
    try:
        return Release.model_validate_json(encoded)
    except ValidationError as error:
        raise HubError(
            f"{place} does not describe a release: publish the version again ({error})"
        ) from error


def read_promotions(folder: Path) -> list[Promotion]:
    """Return the promotions recorded in ``folder``, oldest first; none if it has no log.

    Raises
    ------
    HubError
        If a line is not a promotion.
    """
    path = folder / PROMOTIONS_FILE
    return parse_promotions(path.read_bytes().splitlines(), path) if path.exists() else []


def parse_promotions(lines: Sequence[bytes], place: str | Path) -> list[Promotion]:
    """Return the promotions in lines of a log that was read at ``place``.

    Raises
    ------
    HubError
        If a line is none.
    """
    try:
        return [Promotion.model_validate_json(line) for line in lines]
    except ValidationError as error:
        raise HubError(f"{place} has a line that is not a promotion: {error}") from error

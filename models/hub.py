"""Versions in a hub: publish, tag, point, fetch; on the Hugging Face Hub or in a local folder."""

import os
from pathlib import Path
from typing import Protocol

from models.cache import Fetched, last_fetched, prune
from models.errors import HubError
from models.local_hub import LocalHub
from models.release import Promotion, Release
from models.revisions import CHALLENGER, MAIN, Refs, repo_id

__all__ = [
    "CHALLENGER",
    "MAIN",
    "Fetched",
    "Hub",
    "LocalHub",
    "Refs",
    "last_fetched",
    "open_hub",
    "prune",
    "repo_id",
]

_PRIVATE = {"": True, "?visibility=private": True, "?visibility=public": False}


class Hub(Protocol):
    """What every hub promises; ``str(hub)`` is where it is.

    Each method raises :class:`models.errors.HubUnavailableError` while the hub is out of reach or
    overloaded, and :class:`models.errors.HubAccessError` if it does not let the caller do this.
    """

    def publish(self, repo: str, version: int, folder: Path, message: str) -> str:
        """Commit ``folder`` to the branch ``challenger``, tag it ``v<version>``, return its id.

        The repository is made if it is missing. Publishing the same bytes as the same version
        again changes nothing, so a publish that was interrupted may simply be repeated.

        Raises
        ------
        VersionExistsError
            If the version is there already, with other bytes.
        LicenceError
            If the repository is public and a licence in the bundle's manifest forbids that.
        HubError
            If ``folder`` holds anything but plain files and folders.
        OversizedError
            If it has more or larger files than a release may have.
        """
        ...

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
        ...

    def refs(self, repo: str) -> Refs:
        """Return the branches and tags of ``repo``; a branch without a release is left out.

        Raises
        ------
        UnknownRevisionError
            If there is no such repository.
        """
        ...

    def resolve(self, repo: str, revision: str) -> str:
        """Return the commit that a branch, a tag or a full commit id names.

        Raises
        ------
        UnknownRevisionError
            If there is no such repository or revision.
        """
        ...

    def release(self, repo: str, revision: str) -> Release:
        """Return what ``revision`` (branch, tag or full commit id) says of itself."""
        ...

    def read(self, repo: str, revision: str, name: str) -> bytes | None:
        """Return a small file of ``revision``, None if it has no such file.

        Nothing is verified: whoever reads a part of a bundle compares it with the manifest.

        Raises
        ------
        UnknownRevisionError
            If there is no such repository or revision.
        OversizedError
            If the file is larger than what a release says of itself.
        """
        ...

    def fetch(self, repo: str, revision: str, cache: Path) -> Fetched:
        """Return a local copy of ``revision``, made under ``cache`` unless it is there already.

        Every file is checked against what the hub says of it, as it arrives and whenever the copy
        is used again; one that was damaged is made anew. However many processes fetch at once,
        none sees half a copy. With a full commit id it is found without the hub.

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
        OversizedError
            If it has more or larger files than a release may have, by the hub's list of them;
            nothing is fetched then.
        """
        ...


def open_hub(address: str) -> Hub:
    """Return the hub at ``address``; nothing is asked of it yet.

    ``file:FOLDER`` is a local folder, relative to DVC_ROOT or here: DVC runs queued experiments in
    copies of the project and names the project in DVC_ROOT, and they all shall meet in one hub.

    ``hf:`` is the Hugging Face Hub at HF_ENDPOINT, with the token of HF_TOKEN or of
    ``hf auth login``. It makes repositories private; ``hf:?visibility=public`` makes them public.

    Raises
    ------
    HubError
        If the address is of another kind.
    """
    scheme, colon, place = address.partition(":")
    if scheme == "hf" and colon and place in _PRIVATE:
        # The client takes half a second to import, which a local hub does without.
        from models.hf_hub import HuggingFaceHub

        return HuggingFaceHub(private=_PRIVATE[place])
    place = place.removeprefix("//") if place.startswith("///") else place
    if scheme != "file" or not place or place.startswith("//"):
        raise HubError(
            f"hub address {address!r} is not supported: use file:FOLDER, such as file:hub, or hf: "
            "for the Hugging Face Hub, or hf:?visibility=public to make repositories public there "
            "(CAREERLENS_HUB or --hub)"
        )
    here = Path(os.environ.get("DVC_ROOT") or Path.cwd())
    return LocalHub(here / Path(place).expanduser())

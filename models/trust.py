"""Whose signatures count: the one rule for what is served, promoted and gone back to."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.errors import SignatureError
from models.signing import SIGNATURE_FILE, fingerprint, verify_signature

ENV = "CAREERLENS_ENV"
TRUSTED_KEYS = "CAREERLENS_TRUSTED_KEYS"

ENVS = ("development", "production")


@dataclass(frozen=True)
class Trust:
    """The public keys of whoever may release models.

    Whoever names keys wants them to count: with ``keys`` every release must be signed by one of
    them. Without, nothing is checked, which production does not allow.

    Attributes
    ----------
    required : bool
        Whether nothing unsigned may be used: in production.
    keys : tuple of Path
        Public keys; more than one while an old key gives way to a new one.

    Raises
    ------
    SignatureError
        If keys are required and there are none, or one cannot be used.
    """

    required: bool
    keys: tuple[Path, ...]

    def __post_init__(self) -> None:
        if self.required and not self.keys:
            raise SignatureError(
                f"{ENV} is production, where every model must be signed: set {TRUSTED_KEYS} to the "
                "public keys of whoever releases them (`make keys` makes a pair)"
            )
        for key in self.keys:
            try:
                fingerprint(key)
            except SignatureError as error:
                raise SignatureError(f"{TRUSTED_KEYS}: {error}") from error
            if b"PRIVATE KEY" in key.read_bytes():
                raise SignatureError(
                    f"{TRUSTED_KEYS}: {key} is a private key; name the public one, and keep this "
                    "one where releases are made"
                )

    def check(self, release: Path) -> str | None:
        """Return the fingerprint of who signed a release, None if no signature is asked for.

        Parameters
        ----------
        release : Path
            Folder with ``bundle/`` and its signature, as :class:`models.cache.Fetched` has it.

        Raises
        ------
        SignatureError
            If it is not signed, not by one of the keys, or not these files.
        """
        if not self.keys:
            return None
        return verify_signature(release / "bundle", release / SIGNATURE_FILE, self.keys)


def read_trust(environ: Mapping[str, str]) -> Trust:
    """Return what CAREERLENS_ENV and CAREERLENS_TRUSTED_KEYS say; unset or empty: development.

    Raises
    ------
    SignatureError
        If CAREERLENS_ENV is neither word, or as :class:`Trust` says.
    """
    env = environ.get(ENV) or ENVS[0]
    if env not in ENVS:
        raise SignatureError(f"{ENV} is {env!r}: it is {' or '.join(ENVS)}")
    return Trust(env == "production", key_paths(environ.get(TRUSTED_KEYS, "")))


def key_paths(listed: str) -> tuple[Path, ...]:
    """Return the files that CAREERLENS_TRUSTED_KEYS lists, separated as in PATH."""
    return tuple(Path(path).expanduser() for path in listed.split(os.pathsep) if path.strip())

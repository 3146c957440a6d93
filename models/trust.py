"""Whose signatures count: the one rule for what is served, promoted and gone back to."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from models.errors import SignatureError
from models.signing import PublicKey, read_public_key, verify_release

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
    keys : tuple of PublicKey
        More than one while an old key gives way to a new one.

    Raises
    ------
    SignatureError
        If keys are required and there are none.
    """

    required: bool
    keys: tuple[PublicKey, ...]

    def __post_init__(self) -> None:
        if self.required and not self.keys:
            raise SignatureError(
                f"{ENV} is production, where every model must be signed: set {TRUSTED_KEYS} to the "
                "public keys of whoever releases them (`make keys` makes a pair)"
            )

    def check(self, release: Path) -> str | None:
        """Return the fingerprint of who signed a release, None if no signature is asked for.

        Parameters
        ----------
        release : Path
            Its folder, as :class:`models.cache.Fetched` has it.

        Raises
        ------
        SignatureError
            If it is not signed, not by one of the keys, or not these files.
        """
        return verify_release(release, self.keys) if self.keys else None


def read_trust(environ: Mapping[str, str]) -> Trust:
    """Return what CAREERLENS_ENV and CAREERLENS_TRUSTED_KEYS say; unset or empty: development.

    The keys are read now, and never again: once, where a command or the service begins.

    Raises
    ------
    SignatureError
        If CAREERLENS_ENV is neither word, a key cannot be used, or as :class:`Trust` says.
    """
    env = environ.get(ENV) or ENVS[0]
    if env not in ENVS:
        raise SignatureError(f"{ENV} is {env!r}: it is {' or '.join(ENVS)}")
    return Trust(env == "production", read_keys(key_paths(environ.get(TRUSTED_KEYS, ""))))


def read_keys(paths: Iterable[Path]) -> tuple[PublicKey, ...]:
    """Return the keys that CAREERLENS_TRUSTED_KEYS names.

    Raises
    ------
    SignatureError
        If one cannot be read, or is a private key.
    """
    try:
        return tuple(map(read_public_key, paths))
    except SignatureError as error:
        raise SignatureError(f"{TRUSTED_KEYS}: {error}") from error


def key_paths(listed: str) -> tuple[Path, ...]:
    """Return the files that CAREERLENS_TRUSTED_KEYS lists, separated as in PATH."""
    return tuple(Path(path).expanduser() for path in listed.split(os.pathsep) if path.strip())

"""Signatures over releases: OpenSSF model-signing with elliptic-curve keys of our own.

All of a release is signed, bundle and card and the name of its version, so that nobody without
the key can give one version's bytes the name of another. What comes to it later is not: its log of
promotions, and the note that a hub or a cache keeps beside the files.

Importing model-signing takes seconds, so it waits until something is signed or verified.
"""

# model-signing's builders have no annotations.
# mypy: disable-error-code="no-untyped-call"

import hashlib
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.commits import COMMIT_FILE
from models.errors import SignatureError
from models.release import PROMOTIONS_FILE

if TYPE_CHECKING:
    from model_signing.hashing import Config

SIGNATURE_FILE = "model.sig"

#: A signature has a line for each file of a release; a larger one is not read.
MAX_BYTES = 1024 * 1024

_NOT_SIGNED = (SIGNATURE_FILE, PROMOTIONS_FILE, COMMIT_FILE)


@dataclass(frozen=True)
class PublicKey:
    """A public key as it was read, whatever becomes of its file.

    Attributes
    ----------
    signer : str
        The fingerprint: sha256 of the key as PEM, 64 hexadecimal digits.
    pem : bytes
    """

    signer: str
    pem: bytes


def generate_keys(private: Path, public: Path) -> str:
    """Write a new pair of P-256 keys as PEM and return the fingerprint of the public one.

    The private key is readable by its owner alone.

    Raises
    ------
    SignatureError
        If one of the files is there already: a key is never overwritten.
    """
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    for path in (private, public):
        if path.exists():
            raise SignatureError(f"{path} is there already: name another file, or move it away")
        path.parent.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    private.touch(mode=0o600)
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return fingerprint(public)


def fingerprint(key: Path) -> str:
    """Return who signs with ``key``, which has a public or a private one.

    Raises
    ------
    SignatureError
        If it has neither.
    """
    return read_signer(key).signer


def read_signer(key: Path) -> PublicKey:
    """Return the public key of whoever signs with ``key``, which may be the private one.

    Raises
    ------
    SignatureError
        If it is no key.
    """
    return _read(key)[0]


def read_public_key(key: Path) -> PublicKey:
    """Return the public key in the file ``key``.

    Raises
    ------
    SignatureError
        If there is none, or it is the private one.
    """
    public, is_private = _read(key)
    if is_private:
        raise SignatureError(
            f"{key} is a private key; name the public one, and keep this one where releases are "
            "made"
        )
    return public


def sign_release(release: Path, private_key: Path) -> str:
    """Sign the files of ``release`` into its ``model.sig``; return the signer's fingerprint.

    References
    ----------
    OpenSSF model signing 1.0: an in-toto statement of the files' hashes in a Sigstore bundle.
    """
    from model_signing import signing

    signer = fingerprint(private_key)
    try:
        signing.Config().use_elliptic_key_signer(private_key=private_key).set_hashing_config(
            _hashing(release)
        ).sign(release, release / SIGNATURE_FILE)
    except (OSError, ValueError) as error:
        raise SignatureError(f"{release} cannot be signed with {private_key}: {error}") from error
    return signer


def verify_release(release: Path, trusted: Sequence[PublicKey]) -> str:
    """Check that one of the ``trusted`` keys signed exactly the files of ``release``.

    Parameters
    ----------
    release : Path
        Folder with ``release.json``, ``bundle/`` and ``model.sig``.
    trusted : sequence of PublicKey
        More than one while an old key gives way to a new one.

    Returns
    -------
    str
        The fingerprint of the key.

    Raises
    ------
    SignatureError
        If there is no signature, it cannot be read, none of the keys made it, or the files are
        not those that were signed.
    """
    signature = release / SIGNATURE_FILE
    if not trusted:
        raise SignatureError("no key is trusted: set CAREERLENS_TRUSTED_KEYS to public key files")
    if not signature.is_file():
        raise SignatureError(f"{release} is not signed: {signature.name} is missing")
    if signature.stat().st_size > MAX_BYTES:
        raise SignatureError(f"{signature} has more than {MAX_BYTES:,} bytes: it is no signature")
    from cryptography.exceptions import InvalidSignature
    from model_signing import verifying

    signer = _signer(signature)
    keys = {key.signer: key for key in trusted}
    if signer not in keys:
        raise SignatureError(
            f"{signature} was made with the key {signer[:12]}, trusted are "
            f"{', '.join(sorted(known[:12] for known in keys))}"
        )
    try:
        with tempfile.NamedTemporaryFile(suffix=".pub") as file:  # the library takes but a path
            file.write(keys[signer].pem)
            file.flush()
            verifier = verifying.Config().use_elliptic_key_verifier(public_key=Path(file.name))
        verifier.set_hashing_config(_hashing(release)).verify(release, signature)
    except InvalidSignature as error:
        raise SignatureError(
            f"{signature} was changed after it was made, or names a key that did not make it"
        ) from error
    except Exception as error:  # the library has no error of its own, and the file may be hostile
        raise SignatureError(
            f"{release} is not what {signature.name} signs: {_differences(str(error))}"
        ) from error
    return signer


def _differences(said: str) -> str:
    """Return what the library says of files without the digests, which are long and for nobody."""
    changed = re.findall(r"Hash mismatch for \\?'(.+?)\\?': Expected", said)
    others = re.findall(r"(Extra|Missing) files [^:]*: ([^'\"\]]+)", said)
    found = [f"{name} was changed" for name in changed]
    found += [
        f"{'not signed' if how == 'Extra' else 'missing'} is {names}" for how, names in others
    ]
    return "; ".join(found) or said


def _hashing(release: Path) -> "Config":
    """Return which files of a release are hashed: all but those that are no part of it."""
    from model_signing import hashing

    ignored = [release / name for name in _NOT_SIGNED]
    return hashing.Config().set_ignored_paths(paths=ignored, ignore_git_paths=False)


def _read(key: Path) -> tuple[PublicKey, bool]:
    """Return the public key in a file, or that of the private one, and whether that is there."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
        load_pem_public_key,
    )

    try:
        content = key.read_bytes()
        is_private = b"PRIVATE KEY" in content
        if is_private:
            public = load_pem_private_key(content, None).public_key()
        else:
            public = load_pem_public_key(content)
        encoded = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SignatureError(
            f"{key} is no readable key in PEM without a password: `make keys` makes a pair"
        ) from error
    return PublicKey(hashlib.sha256(encoded).hexdigest(), encoded), is_private


def _signer(signature: Path) -> str:
    """Return the fingerprint of the key that a signature says it was made with."""
    from sigstore_models.bundle.v1 import Bundle

    try:
        material = Bundle.from_json(signature.read_bytes()).verification_material
    except Exception as error:  # whatever the file holds, it is no signature
        raise SignatureError(f"{signature} is no signature that can be read") from error
    if material.public_key is None or not material.public_key.hint:
        raise SignatureError(f"{signature} does not say which key made it: sign with `make keys`'s")
    return str(material.public_key.hint)

"""Signatures over bundles: OpenSSF model-signing with elliptic-curve keys of our own.

Importing model-signing takes seconds, so it waits until something is signed or verified.
"""

# model-signing's builders have no annotations.
# mypy: disable-error-code="no-untyped-call"

import hashlib
from collections.abc import Sequence
from pathlib import Path

from models.errors import SignatureError

SIGNATURE_FILE = "model.sig"

#: A signature has a line for each file of a bundle; a larger one is not read.
MAX_BYTES = 1024 * 1024


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
    """Return who signs with ``key``: sha256 of the public key as PEM, 64 hexadecimal digits.

    Parameters
    ----------
    key : Path
        A public or a private key.

    Raises
    ------
    SignatureError
        If it is neither.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
        load_pem_public_key,
    )

    try:
        content = key.read_bytes()
        if b"PRIVATE KEY" in content:
            public = load_pem_private_key(content, None).public_key()
        else:
            public = load_pem_public_key(content)
        encoded = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SignatureError(
            f"{key} is no readable key in PEM without a password: `make keys` makes a pair"
        ) from error
    return hashlib.sha256(encoded).hexdigest()


def sign_bundle(bundle: Path, signature: Path, private_key: Path) -> str:
    """Sign every file of ``bundle`` into the file ``signature``; return the signer's fingerprint.

    References
    ----------
    OpenSSF model signing 1.0: an in-toto statement of the files' hashes in a Sigstore bundle.
    """
    from model_signing import hashing, signing

    signer = fingerprint(private_key)
    try:
        signing.Config().use_elliptic_key_signer(private_key=private_key).set_hashing_config(
            hashing.Config().set_ignored_paths(paths=[], ignore_git_paths=False)
        ).sign(bundle, signature)
    except (OSError, ValueError) as error:
        raise SignatureError(f"{bundle} cannot be signed with {private_key}: {error}") from error
    return signer


def verify_signature(bundle: Path, signature: Path, trusted: Sequence[Path]) -> str:
    """Check that one of the ``trusted`` keys signed exactly the files of ``bundle``.

    Parameters
    ----------
    trusted : sequence of Path
        Public keys; more than one while an old key gives way to a new one.

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
    if not trusted:
        raise SignatureError("no key is trusted: set CAREERLENS_TRUSTED_KEYS to public key files")
    if not signature.is_file():
        raise SignatureError(f"{signature.parent} is not signed: {signature.name} is missing")
    if signature.stat().st_size > MAX_BYTES:
        raise SignatureError(f"{signature} has more than {MAX_BYTES:,} bytes: it is no signature")
    from cryptography.exceptions import InvalidSignature
    from model_signing import hashing, verifying

    signer = _signer(signature)
    keys = {fingerprint(key): key for key in trusted}
    if signer not in keys:
        raise SignatureError(
            f"{signature} was made with the key {signer[:12]}, trusted are "
            f"{', '.join(sorted(known[:12] for known in keys))}"
        )
    try:
        verifying.Config().use_elliptic_key_verifier(public_key=keys[signer]).set_hashing_config(
            hashing.Config().set_ignored_paths(paths=[], ignore_git_paths=False)
        ).verify(bundle, signature)
    except InvalidSignature as error:
        raise SignatureError(
            f"{signature} was changed after it was made, or names a key that did not make it"
        ) from error
    except Exception as error:  # the library has no error of its own, and the file may be hostile
        raise SignatureError(f"{bundle} is not what {signature.name} signs: {error}") from error
    return signer


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

"""Which rows a sample has: those with the least hash, whatever their order or neighbours."""

import hashlib

#: Never change it: the rows of a sample would be others.
SAMPLE_SALT = "careerlens sample 1:"


def sample_rank(key: str) -> bytes:
    """Return what rows are ordered by; a sample takes the first of them."""
    return hashlib.sha256((SAMPLE_SALT + key).encode()).digest()

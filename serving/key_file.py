"""The file of API keys: who has one and what it may do, and of the key itself a hash."""

import fcntl
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from serving.callers import Access

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}$")]

_TOKEN = re.compile(r"cl_([0-9a-f]{12})_([0-9a-f]{64})")
_FILE_MODE = 0o600


class KeyFileError(Exception):
    """The file of keys cannot be read or written; the sentence says why."""


class Key(BaseModel):
    """One key as it is kept.

    ``sha256`` is of the secret, which is 256 random bits: nobody finds it by guessing, however
    fast the hash. A slow one or a salt protects what people think up, and would cost every request.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
    name: Name
    scopes: frozenset[Access]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    created: AwareDatetime
    expires: AwareDatetime | None = None
    revoked: AwareDatetime | None = None

    def state(self, now: datetime) -> Literal["active", "expired", "revoked"]:
        """Return whether it opens anything at ``now``."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "active"


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    keys: tuple[Key, ...] = ()


def make_key(name: str, scopes: Sequence[Access], expires: datetime | None) -> tuple[Key, str]:
    """Return a new key as it is kept, and as its owner sends it.

    Raises
    ------
    pydantic.ValidationError
        If the name is no name.
    """
    key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
    key = Key(
        id=key_id,
        name=name,
        scopes=frozenset(scopes),
        sha256=hash_secret(secret),
        created=datetime.now(UTC).replace(microsecond=0),
        expires=expires,
    )
    return key, f"cl_{key_id}_{secret}"


def split_token(token: str) -> tuple[str, str]:
    """Return id and secret of what was sent as a key; of what is none, those of nobody."""
    found = _TOKEN.fullmatch(token)
    return ("", token) if found is None else (found[1], found[2])


def hash_secret(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def read_keys(path: Path) -> tuple[Key, ...]:
    """Return all keys of a file, revoked and expired ones too.

    Raises
    ------
    KeyFileError
        Naming the file and never what it holds.
    """
    try:
        content = _Content.model_validate_json(path.read_bytes())
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read ({error.strerror})") from None
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, fault["loc"])) or "the file"
        raise KeyFileError(f"{path} is no file of keys ({place}: {fault['msg']})") from None
    if len({key.id for key in content.keys}) < len(content.keys):
        raise KeyFileError(f"{path} has two keys of one id")
    return content.keys


def change_keys(path: Path, change: Callable[[tuple[Key, ...]], tuple[Key, ...]]) -> None:
    """Put what ``change`` makes of the keys into the file, whole or not at all.

    A file that is not there yet is made for its owner alone; who may read one that is, stays.

    Raises
    ------
    KeyFileError
    """
    try:
        with _locked(path):
            is_there = path.exists()
            mode = stat.S_IMODE(path.stat().st_mode) if is_there else _FILE_MODE
            keys = change(read_keys(path) if is_there else ())
            aside = path.with_name(f".{path.name}.{os.getpid()}")
            try:
                _write(aside, _Content(keys=keys).model_dump_json(indent=2), mode)
                os.replace(aside, path)
            finally:
                aside.unlink(missing_ok=True)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be written ({error.strerror})") from None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the file for this process; the lock is a file of its own, as the other is replaced."""
    lock = os.open(path.with_name(f".{path.name}.lock"), os.O_CREAT | os.O_RDWR, _FILE_MODE)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _write(path: Path, text: str, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, _FILE_MODE), "w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())

"""What makes a value of a setting a good one; what is said of a bad one never shows it."""

import os
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from limits import parse_many
from pydantic import SecretStr
from pydantic_core import PydanticCustomError

from models.errors import HubError
from models.hub import open_hub
from models.trust import key_paths
from serving.setting_error import SettingsError

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[1-9]\d{0,4})?")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check_hub(address: str) -> str:
    """Return the address of a hub."""
    try:
        open_hub(address)
    except HubError as error:
        raise PydanticCustomError("hub", "{sentence}", {"sentence": str(error)}) from error
    return address


def check_log(path: Path) -> Path:
    """Return the path of a file that can be written."""
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise PydanticCustomError("log", "must be a file in a folder that can be written to")
    return path


def check_folder(path: Path) -> Path:
    """Return the path of a folder that can be written to, or made."""
    nearest = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise PydanticCustomError("folder", "must be a folder that can be written to, or made")
    return path


def check_adzuna_url(address: str) -> str:
    """Return the address of Adzuna, without a slash at its end."""
    parts = _split_address(address)
    if parts is None or parts.scheme not in ("http", "https") or "@" in parts.netloc:
        raise PydanticCustomError("url", "must be an address such as https://api.adzuna.com")
    if parts.query or parts.fragment:
        raise PydanticCustomError("url", "must have no query and no fragment")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise PydanticCustomError("url", "must be https://: the keys travel in the address")
    return address.rstrip("/")


def check_redis_url(address: SecretStr) -> SecretStr:
    """Return the address of a Redis."""
    word = check_key(address).get_secret_value()
    parts = _split_address(word)
    if parts is None or parts.scheme not in ("redis", "rediss"):
        raise PydanticCustomError(
            "redis",
            "must be an address such as redis://:password@host:6379/0, or rediss:// for TLS",
        )
    return SecretStr(word)


def check_database_url(address: SecretStr) -> SecretStr:
    """Return the address of a database; for PostgreSQL with the driver that is installed."""
    word = check_key(address).get_secret_value()
    # A database in memory would be another one for each piece of work.
    if re.match(r"sqlite:///(?!:memory:)[^?]", word):
        return SecretStr(word)
    from sqlalchemy import make_url  # takes a while, which files need not wait for
    from sqlalchemy.exc import ArgumentError

    # What hosts hand out, which SQLAlchemy reads as another driver or not at all.
    word = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", word)
    try:
        driver = make_url(word).drivername
    except (ArgumentError, ValueError):
        driver = ""
    if driver != "postgresql+psycopg":
        raise PydanticCustomError(
            "database", "must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        )
    return SecretStr(word)


def check_budget(budget: str) -> str:
    """Return a list of limits in the notation of the library ``limits``."""
    try:
        sound = all(limit.amount > 0 for limit in parse_many(budget))
    except ValueError:
        sound = False
    if not sound:
        raise PydanticCustomError("budget", "must be a list of limits such as 25/minute,250/day")
    return budget


def check_rate_limit(limit: str) -> str:
    """Return limits in the notation of the library ``limits``, or ``off``."""
    return limit if limit == "off" else check_budget(limit)


def check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    """Return origins as browsers send them."""
    if not all(_ORIGIN.fullmatch(origin) for origin in origins):
        raise PydanticCustomError(
            "origin", "must be origins such as https://jobs.example, separated by commas"
        )
    return origins


def read_networks(listed: object) -> object:
    """Return the networks of a list with commas; a bare address is one of its own."""
    if not isinstance(listed, str):
        return listed
    try:
        return tuple(ip_network(word, strict=False) for word in split_list(listed))
    except ValueError:
        raise PydanticCustomError(
            "network", "must be networks such as 10.0.0.0/8, separated by commas"
        ) from None


def check_region(region: str) -> str:
    """Return a country with telephones."""
    import phonenumbers  # takes a while, and hardly anybody sets this

    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise PydanticCustomError("region", "must be a country such as GB (ISO 3166)")
    return region


def check_revision(revision: str) -> str:
    """Return a version's tag, or the bare digest of a bundle."""
    if re.fullmatch(r"v[1-9]\d*", revision):
        return revision
    digest = revision.removeprefix("sha256:")
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise PydanticCustomError(
            "revision", "must be a version such as v3, or the digest of a bundle, sha256:..."
        )
    return digest


def split_paths(listed: object) -> object:
    """Return the paths of a list such as PATH's."""
    return key_paths(listed) if isinstance(listed, str) else listed


def split_list(listed: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of a list with commas."""
    if not isinstance(listed, str):
        return listed
    return tuple(word.strip() for word in listed.split(",") if word.strip())


def check_key(key: SecretStr) -> SecretStr:
    """Return a secret word without the line's end that files have."""
    word = key.get_secret_value().strip()
    if not (word and word.isascii() and word.isprintable() and " " not in word):
        raise PydanticCustomError("key", "must be one word of plain characters")
    return SecretStr(word)


def read_secret_files(given: dict[str, Any], names: tuple[str, ...], prefix: str) -> dict[str, Any]:
    """Return ``given`` with each secret ``name`` whose file ``name_file`` names.

    Raises
    ------
    SettingsError
        If a secret is given in both ways, or its file cannot be read.
    """
    files = {name: Path(given[f"{name}_file"]) for name in names if given.get(f"{name}_file")}
    read = {}
    for name, file in files.items():
        variable = prefix + name.upper()
        if given.get(name):
            raise SettingsError(f"{variable} and {variable}_FILE are both set: keep one")
        try:
            read[name] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"{variable}_FILE: {file} cannot be read ({type(error).__name__})"
            ) from None
    return given | read


def _split_address(address: str) -> SplitResult | None:
    """Return the parts of an address that has a host and no port that is none."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises only when it is read
    except ValueError:
        return None
    return parts if parts.hostname else None

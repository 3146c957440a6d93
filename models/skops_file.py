"""Fitted models as skops files with reproducible bytes and a fixed list of trusted types."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import skops.io

from models.errors import BundleError, FormatError, UntrustedTypeError

#: The types a model file may hold beside those skops trusts by default. A constant in our code:
#: a list inside the artifact would vouch for itself (mlflow GHSA-w582-9x45-8mpx).
TRUSTED_TYPES = (
    "models.span_head.SpanHead",
    "models.tfidf.Normaliser",
    "models.tfidf.PackedTfidfVectorizer",
    "models.toxicity.ToxicityHeads",
)

_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def dumps(model: Any) -> bytes:
    """Return ``model`` in skops format; equal models give equal bytes in any process.

    skops names its members after ``id()`` and stamps them with the time: both are replaced, the
    ids by their order of appearance, the times by a fixed date.
    """
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as source:
        schema = json.loads(source.read("schema.json"))
        members = {name: source.read(name) for name in source.namelist() if name != "schema.json"}
    numbers: dict[int, int] = {}
    names: dict[str, str] = {}
    canonical = _renumber(schema, numbers, names)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members, key=lambda name: names[name]):
            _write_member(archive, names[name], members[name])
        text = json.dumps(canonical, indent=1, sort_keys=True)
        _write_member(archive, "schema.json", text.encode("utf-8"))
    return target.getvalue()


def loads(data: bytes, name: str) -> Any:
    """Return the model stored in ``data``.

    Parameters
    ----------
    data : bytes
        The content of a skops file.
    name : str
        What to call it in errors.

    Raises
    ------
    FormatError
        If it is not a skops file.
    UntrustedTypeError
        If it holds a type outside skops' own list and ``TRUSTED_TYPES``; nothing is constructed.
    """
    try:
        _check_members(data)
        unknown = set(skops.io.get_untrusted_types(data=data)) - set(TRUSTED_TYPES)
        if unknown:
            raise UntrustedTypeError(
                f"{name} holds types that are not trusted: {', '.join(sorted(unknown))}; "
                "it was not made by this project's code and is not loaded"
            )
        return skops.io.loads(data, trusted=list(TRUSTED_TYPES))
    except BundleError:
        raise
    except Exception as error:  # skops promises no errors for a file that somebody bent
        raise FormatError(f"{name} is not a skops file: {error}") from error


def _check_members(data: bytes) -> None:
    """Refuse what :func:`dumps` cannot have made: it neither packs nor repeats a member."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise FormatError("it has compressed members, which may unfold without bound")
    if len({member.filename for member in members}) < len(members):
        raise FormatError("it has two members of one name")
    if sum(member.file_size for member in members) > len(data):
        raise FormatError("its members claim to be larger than the file")


def save_model(model: Any, path: Path) -> None:
    """Write ``model`` to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dumps(model))


def load_model(path: Path) -> Any:
    """Return the model at ``path``; see :func:`loads`."""
    return loads(path.read_bytes(), str(path))


def _write_member(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), data)


def _renumber(node: Any, numbers: dict[int, int], names: dict[str, str]) -> Any:
    """Return the schema with ids and member names replaced, in order of appearance."""
    if isinstance(node, list):
        return [_renumber(item, numbers, names) for item in node]
    if not isinstance(node, dict):
        return node
    renumbered = {}
    for key in sorted(node):
        value = node[key]
        if key == "__id__":
            value = numbers.setdefault(value, len(numbers))
        elif key == "file" and isinstance(value, str) and re.fullmatch(r"\d+\.\w+", value):
            value = names.setdefault(value, f"{len(names):06d}{Path(value).suffix}")
        else:
            value = _renumber(value, numbers, names)
        renumbered[key] = value
    return renumbered

"""What a skops file of ours says, as plain values: read without the libraries that made it.

Nothing is constructed but numbers, strings, lists, dicts and arrays, so there is nothing to trust.
An object is the dict of its state under its type's name.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.errors import FormatError


@dataclass(frozen=True)
class Stored:
    """An object of the file: the name of its type, and the values of its attributes."""

    sort: str
    state: Mapping[str, Any]


def read_values(data: bytes, name: str) -> Any:
    """Return the value at the root of a skops file.

    Parameters
    ----------
    data : bytes
        The content of a file that :func:`models.skops_file.dumps` made.
    name : str
        What to call it in errors.

    Raises
    ------
    FormatError
        If it is none, or holds what has no plain value.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if any(each.compress_type != zipfile.ZIP_STORED for each in archive.infolist()):
                raise FormatError("it has compressed members, which may unfold without bound")
            return _value(json.loads(archive.read("schema.json")), archive)
    except (
        *(zipfile.BadZipFile, NotImplementedError, RecursionError, ValueError, KeyError),
        *(TypeError, AttributeError, EOFError, FormatError),
    ) as error:
        raise FormatError(f"{name} is not a skops file of ours: {error}") from error


def _value(node: Mapping[str, Any], archive: zipfile.ZipFile) -> Any:
    loader = node["__loader__"]
    content: Any = node.get("content")
    if loader == "JsonNode":
        return json.loads(content)
    if loader == "NdArrayNode" and node["type"] == "numpy":
        return np.load(io.BytesIO(archive.read(node["file"])), allow_pickle=False)
    if loader in ("ListNode", "TupleNode"):
        return [_value(each, archive) for each in content]
    if loader == "DictNode":
        return {key: _value(each, archive) for key, each in content.items()}
    if loader == "ObjectNode":
        sort = f"{node['__module__']}.{node['__class__']}"
        return Stored(sort, {} if content is None else _value(content, archive))
    if loader == "TypeNode":
        return f"{node['__module__']}.{node['__class__']}"
    raise FormatError(f"it holds a {loader}, which has no plain value")

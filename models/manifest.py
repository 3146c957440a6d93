"""What a bundle says of itself: ``manifest.json``, checked before anything else is believed."""

import json
import platform
import re
import unicodedata
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.errors import FormatError, LibraryVersionError
from models.text import NORMALISER_VERSION

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
METRICS_FILE = "metrics.json"
GOLDEN_FILE = "golden.jsonl"
REFERENCE_FILE = "reference.json"

Kind = Literal["spam", "toxicity", "skills", "matching"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

# How much of each library's version must agree: scikit-learn and skops promise nothing about
# stored models between minor versions, numpy and scipy keep array meaning within a major one.
_VERSION_PARTS = {"scikit-learn": 2, "skops": 2, "numpy": 1, "scipy": 1}
# What finds skills in texts is built anew at every load; of spam it says nothing.
_MATCHER_PARTS = {"pyahocorasick": 1}


class Thresholds(BaseModel):
    """Scores from which a message is shown to a moderator, and withheld."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    review: Annotated[float, Field(ge=0.0, le=1.0)]
    block: Annotated[float, Field(ge=0.0, le=1.0)]

    @model_validator(mode="after")
    def _review_comes_first(self) -> Self:
        if self.review > self.block:
            raise ValueError("review is above block: a message is reviewed before it is blocked")
        return self


class Source(BaseModel):
    """One data source a bundle learnt from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    licence: str
    files: dict[str, str]  # name -> sha256


class Manifest(BaseModel):
    """What is in a bundle and what made it.

    Attributes
    ----------
    files : dict of str to str
        Name of every file but the manifest, with its sha256.
    data, params, code : str
        Digests of the training rows, of the model's params and of the modules that fitted it.
    sources : dict of str to Source
        The data sources, with licences and file hashes.
    libraries : dict of str to str
        Version of each library the stored model depends on.
    normaliser : int or None
        Version of :func:`models.text.normalise` inside the model; None for kinds without it.
    labels : tuple of str
        The heads of a text model; empty for other kinds.
    thresholds : Thresholds or None
        Of a text model.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    kind: Kind
    name: str
    corpus: str
    files: dict[str, str]
    data: str
    params: str
    code: str
    sources: dict[str, Source]
    libraries: dict[str, str]
    normaliser: int | None
    labels: tuple[str, ...]
    thresholds: Thresholds | None


def library_versions(kind: Kind) -> dict[str, str]:
    """Return the version of each library a stored model depends on, Python's and Unicode's."""
    return {name: version(name) for name in _version_parts(kind)} | {
        # Neither a patch release of Python nor its build tells on the bytes; its Unicode tables do.
        "python": "{}.{}".format(*platform.python_version_tuple()),
        "unicode": unicodedata.unidata_version,
    }


def parse_manifest(path: Path, encoded: bytes) -> Manifest:
    """Return the manifest in ``encoded``, read at ``path``.

    Raises
    ------
    FormatError
        If it is none of this format, or lacks or misnames files.
    """
    raw = parse_json(path, encoded)
    found = raw.get("format") if isinstance(raw, dict) else None
    if found != FORMAT_VERSION:
        raise FormatError(
            f"{path} has format {found!r}, this code reads format {FORMAT_VERSION}: "
            "use the release of Careerlens that made it, or retrain"
        )
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        raise FormatError(f"{path} is not a manifest: {error}") from error
    missing = {METRICS_FILE, GOLDEN_FILE} - set(manifest.files)
    if missing:
        raise FormatError(f"{path} names no {', '.join(sorted(missing))}")
    if not all(_FILE_NAME.fullmatch(name) for name in manifest.files):
        raise FormatError(f"{path} names files outside its own folder")
    return manifest


def check_versions(folder: Path, manifest: Manifest) -> None:
    """Check that this environment can hold what ``manifest`` describes.

    Raises
    ------
    LibraryVersionError
    """
    if manifest.normaliser not in (None, NORMALISER_VERSION):
        raise LibraryVersionError(
            f"{folder} was made with normaliser {manifest.normaliser}, this code has "
            f"{NORMALISER_VERSION}: retrain, or run the release that made it"
        )
    present = library_versions(manifest.kind)
    for name, parts in _version_parts(manifest.kind).items():
        if name in _MATCHER_PARTS and name not in manifest.libraries:
            continue  # it was not always written down
        made_with = manifest.libraries.get(name, "none")
        if made_with.split(".")[:parts] != present[name].split(".")[:parts]:
            raise LibraryVersionError(
                f"{folder} was made with {name} {made_with}, installed is {present[name]}: "
                f"install a matching {name} or retrain"
            )


def _version_parts(kind: Kind) -> dict[str, int]:
    return _VERSION_PARTS | (_MATCHER_PARTS if kind in ("skills", "matching") else {})


def parse_json(path: Path, content: bytes) -> Any:
    """Return the JSON in ``content``, read at ``path``; FormatError if it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path} is not JSON: {error}") from error


def json_bytes(content: Any) -> bytes:
    """Return ``content`` as indented JSON with sorted keys, NaN refused."""
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")

"""One version of one model on disk: save, verify, load.

A bundle is a folder with ``manifest.json`` and the files it names, content only: the same data,
params and code give the same bytes, and so the same digest (the sha256 of the manifest).
"""

import hashlib
import json
import math
import platform
import re
import stat
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models import skops_file
from models.errors import (
    FormatError,
    GoldenMismatchError,
    HashMismatchError,
    LibraryVersionError,
    MissingFileError,
)
from models.scoring import HEADS, score_texts
from models.text import NORMALISER_VERSION

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
MODEL_FILE = "model.skops"
METRICS_FILE = "metrics.json"
GOLDEN_FILE = "golden.jsonl"

#: Larger files are refused unread.
MAX_FILE_BYTES = 512 * 1024 * 1024

#: Largest difference between a golden row's recorded and present output.
GOLDEN_TOLERANCE = 1e-6

Kind = Literal["spam", "toxicity"]

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

# How much of each library's version must agree: scikit-learn and skops promise nothing about
# stored models between minor versions, numpy and scipy keep array meaning within a major one.
_VERSION_PARTS = {"scikit-learn": 2, "skops": 2, "numpy": 1, "scipy": 1}


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
    normaliser: int
    labels: tuple[str, ...]
    thresholds: Thresholds


@dataclass(frozen=True)
class Bundle:
    """A verified, loaded bundle.

    Attributes
    ----------
    manifest : Manifest
    digest : str
        sha256 of the manifest, 64 hexadecimal digits.
    model : Pipeline
        The fitted pipeline, raw text in.
    metrics : dict
        The content of ``metrics.json``.
    """

    manifest: Manifest
    digest: str
    model: Any
    metrics: dict[str, Any]


def library_versions() -> dict[str, str]:
    """Return the version of each library a stored model depends on, Python's and Unicode's."""
    return {name: version(name) for name in _VERSION_PARTS} | {
        # Neither a patch release of Python nor its build tells on the bytes; its Unicode tables do.
        "python": "{}.{}".format(*platform.python_version_tuple()),
        "unicode": unicodedata.unidata_version,
    }


def save_bundle(
    folder: Path,
    *,
    kind: Kind,
    model: Any,
    metrics: Mapping[str, Any],
    golden: Sequence[str],
    thresholds: Thresholds,
    corpus: str,
    sources: Mapping[str, Source],
    data: str,
    params: str,
    code: str,
) -> str:
    """Write a bundle into the empty or missing ``folder`` and return its digest.

    Parameters
    ----------
    golden : sequence of str
        Inputs of our own writing; their outputs are recorded and checked at every load.
    corpus, sources, data, params, code
        What made the model; see :class:`Manifest`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outputs = _golden_outputs(kind, model, golden)
    rows = [{"text": text, "scores": scores} for text, scores in zip(golden, outputs, strict=True)]
    contents = {
        MODEL_FILE: skops_file.dumps(model),
        METRICS_FILE: _json_bytes(metrics),
        GOLDEN_FILE: "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows).encode(),
    }
    for name, data_bytes in contents.items():
        (folder / name).write_bytes(data_bytes)
    manifest = Manifest(
        format=FORMAT_VERSION,
        kind=kind,
        name=f"careerlens-{kind}",
        corpus=corpus,
        files={name: _sha256(data_bytes) for name, data_bytes in sorted(contents.items())},
        data=data,
        params=params,
        code=code,
        sources=dict(sources),
        libraries=library_versions(),
        normaliser=NORMALISER_VERSION,
        labels=HEADS[kind],
        thresholds=thresholds,
    )
    encoded = _json_bytes(manifest.model_dump(mode="json"))
    (folder / MANIFEST).write_bytes(encoded)
    return _sha256(encoded)


def verify_bundle(folder: Path, expected_digest: str | None = None) -> tuple[Manifest, str]:
    """Check that ``folder`` holds exactly what its manifest says; nothing is loaded.

    Parameters
    ----------
    expected_digest : str, optional
        The digest that the release names.

    Returns
    -------
    manifest : Manifest
    digest : str

    Raises
    ------
    MissingFileError, HashMismatchError, FormatError
    """
    manifest, digest, _ = _read_verified(folder, expected_digest)
    return manifest, digest


def load_bundle(folder: Path, kind: Kind, expected_digest: str | None = None) -> Bundle:
    """Return the bundle in ``folder``: hashes, format, versions, types, construct, golden rows.

    Raises
    ------
    BundleError
        One of its subclasses, naming the file and the reason; nothing is half-loaded.
    """
    manifest, digest, contents = _read_verified(folder, expected_digest)
    if manifest.labels != HEADS[manifest.kind]:
        raise FormatError(f"{folder} has the labels {manifest.labels}, not {HEADS[manifest.kind]}")
    if manifest.kind != kind:
        raise FormatError(f"{folder} holds a model of kind {manifest.kind!r}, not {kind!r}")
    _check_versions(folder, manifest)
    metrics = _parse_json(folder / METRICS_FILE, contents[METRICS_FILE])
    if not isinstance(metrics, dict):
        raise FormatError(f"{folder / METRICS_FILE} holds no figures by name")
    model = skops_file.loads(contents[MODEL_FILE], str(folder / MODEL_FILE))
    _check_golden(folder / GOLDEN_FILE, manifest.kind, model, contents[GOLDEN_FILE])
    return Bundle(manifest, digest, model, metrics)


def _read_verified(
    folder: Path, expected_digest: str | None
) -> tuple[Manifest, str, dict[str, bytes]]:
    """Return manifest, digest and the files' bytes, read once: what is checked is what is used."""
    encoded = _read_plain(folder / MANIFEST)
    digest = _sha256(encoded)
    if expected_digest is not None and digest != expected_digest:
        raise HashMismatchError(
            f"{folder / MANIFEST} has digest {digest[:12]}, the release names "
            f"{expected_digest[:12]}: the bundle was changed after it was released"
        )
    manifest = _parse_manifest(folder / MANIFEST, encoded)
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    extra = present - set(manifest.files) - {MANIFEST}
    if extra:
        raise MissingFileError(f"{folder} has files its manifest does not name: {sorted(extra)}")
    contents = {name: _read_plain(folder / name) for name in manifest.files}
    for name, content in contents.items():
        if _sha256(content) != manifest.files[name]:
            raise HashMismatchError(f"{folder / name} does not have the sha256 of the manifest")
    return manifest, digest, contents


def _parse_manifest(path: Path, encoded: bytes) -> Manifest:
    raw = _parse_json(path, encoded)
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
    missing = {MODEL_FILE, METRICS_FILE, GOLDEN_FILE} - set(manifest.files)
    if missing:
        raise FormatError(f"{path} names no {', '.join(sorted(missing))}")
    if not all(_FILE_NAME.fullmatch(name) for name in manifest.files):
        raise FormatError(f"{path} names files outside its own folder")
    return manifest


def _read_plain(path: Path) -> bytes:
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise MissingFileError(f"{path} is not a plain file")
        if status.st_size > MAX_FILE_BYTES:
            raise FormatError(f"{path} has {status.st_size:,} bytes, more than any model of ours")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise MissingFileError(f"{path} is missing") from error


def _check_versions(folder: Path, manifest: Manifest) -> None:
    if manifest.normaliser != NORMALISER_VERSION:
        raise LibraryVersionError(
            f"{folder} was made with normaliser {manifest.normaliser}, this code has "
            f"{NORMALISER_VERSION}: retrain, or run the release that made it"
        )
    present = library_versions()
    for name, parts in _VERSION_PARTS.items():
        made_with = manifest.libraries.get(name, "none")
        if made_with.split(".")[:parts] != present[name].split(".")[:parts]:
            raise LibraryVersionError(
                f"{folder} was made with {name} {made_with}, installed is {present[name]}: "
                f"install a matching {name} or retrain"
            )


def _golden_outputs(kind: str, model: Any, texts: Sequence[str]) -> list[dict[str, float]]:
    scores = score_texts(model, texts)
    return [
        {head: float(score) for head, score in zip(HEADS[kind], row, strict=True)} for row in scores
    ]


def _check_golden(path: Path, kind: str, model: Any, content: bytes) -> None:
    rows = [_parse_json(path, line) for line in content.splitlines()]
    try:
        texts = [row["text"] for row in rows]
        recorded = [{head: float(row["scores"][head]) for head in HEADS[kind]} for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{path} cannot be read: {error}") from error
    if not rows:
        raise GoldenMismatchError(f"{path} has no rows, so nothing vouches for the model's answers")
    try:
        present = _golden_outputs(kind, model, texts)
    except (
        Exception
    ) as error:  # a model of any shape may stand here; what fails is not ours to name
        raise GoldenMismatchError(f"{path}: the model cannot score its golden rows") from error
    for number, (now, then) in enumerate(zip(present, recorded, strict=True), start=1):
        for head, value in then.items():
            if not math.isclose(now[head], value, rel_tol=0.0, abs_tol=GOLDEN_TOLERANCE):
                raise GoldenMismatchError(
                    f"{path} row {number}: {head} is {now[head]:.8f}, recorded {value:.8f}"
                )


def _parse_json(path: Path, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path} is not JSON: {error}") from error


def _json_bytes(content: Any) -> bytes:
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

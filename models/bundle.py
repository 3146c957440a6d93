"""One version of one model on disk: save, verify, load.

A bundle is a folder with ``manifest.json`` and the files it names, content only: the same data,
params and code give the same bytes, and so the same digest (the sha256 of the manifest).
"""

import hashlib
import json
import math
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from models.errors import (
    BundleError,
    FormatError,
    GoldenMismatchError,
    HashMismatchError,
    MissingFileError,
)
from models.manifest import (
    FORMAT_VERSION,
    GOLDEN_FILE,
    MANIFEST,
    METRICS_FILE,
    REFERENCE_FILE,
    Kind,
    Manifest,
    Source,
    Thresholds,
    check_versions,
    json_bytes,
    library_versions,
    parse_json,
    parse_manifest,
)
from models.text import NORMALISER_VERSION

#: Larger files are refused unread.
MAX_FILE_BYTES = 512 * 1024 * 1024

#: Largest difference between a golden row's recorded and present output.
GOLDEN_TOLERANCE = 1e-6

M = TypeVar("M")


@dataclass(frozen=True)
class ModelFormat(Generic[M]):
    """How the models of one kind become files, come back, and show that they still answer.

    Attributes
    ----------
    dump : callable
        From a model to its files by name; equal bytes for equal models.
    load : callable
        From the files, and the place to name in errors, to the model. Raises BundleError.
    answer : callable
        From a model and texts to figures by name for each text: the golden rows.
    files : tuple of str
        Files that are always there.
    labels : tuple of str
        The heads of a text model.
    text_model : bool
        Whether there are labels, thresholds, and the normaliser of :mod:`models.text` inside.
    """

    kind: Kind
    dump: Callable[[M], Mapping[str, bytes]]
    load: Callable[[Mapping[str, bytes], str], M]
    answer: Callable[[M, Sequence[str]], list[dict[str, float]]]
    files: tuple[str, ...]
    labels: tuple[str, ...] = ()
    text_model: bool = False


@dataclass(frozen=True)
class Bundle(Generic[M]):
    """A verified, loaded bundle.

    Attributes
    ----------
    manifest : Manifest
    digest : str
        sha256 of the manifest, 64 hexadecimal digits.
    model
        What the kind's :class:`ModelFormat` loads: for text models the fitted pipeline.
    metrics : dict
        The content of ``metrics.json``.
    """

    manifest: Manifest
    digest: str
    model: M
    metrics: dict[str, Any]


def save_bundle(
    folder: Path,
    form: ModelFormat[M],
    *,
    model: M,
    metrics: Mapping[str, Any],
    golden: Sequence[str],
    corpus: str,
    sources: Mapping[str, Source],
    data: str,
    params: str,
    code: str,
    thresholds: Thresholds | None = None,
    reference: Mapping[str, Any] | None = None,
) -> str:
    """Write a bundle into the empty or missing ``folder`` and return its digest.

    Parameters
    ----------
    golden : sequence of str
        Inputs of our own writing; their outputs are recorded and checked at every load.
    corpus, sources, data, params, code
        What made the model; see :class:`Manifest`.
    thresholds : Thresholds, optional
        Of a text model, and of no other kind.
    reference : dict, optional
        Distributions of the rows it was tuned on, for its traffic to be compared with.

    Raises
    ------
    FormatError
        If thresholds are given where there are none, or missing.
    """
    if form.text_model != (thresholds is not None):
        raise FormatError(f"{folder}: thresholds go with text models, and this is {form.kind!r}")
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {"text": text, "scores": scores}
        for text, scores in zip(golden, form.answer(model, golden), strict=True)
    ]
    contents = {
        **form.dump(model),
        METRICS_FILE: json_bytes(metrics),
        GOLDEN_FILE: "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows).encode(),
    }
    if reference is not None:
        contents[REFERENCE_FILE] = json_bytes(reference)
    for name, data_bytes in contents.items():
        (folder / name).write_bytes(data_bytes)
    manifest = Manifest(
        format=FORMAT_VERSION,
        kind=form.kind,
        name=f"careerlens-{form.kind}",
        corpus=corpus,
        files={name: _sha256(data_bytes) for name, data_bytes in sorted(contents.items())},
        data=data,
        params=params,
        code=code,
        sources=dict(sources),
        libraries=library_versions(form.kind),
        normaliser=NORMALISER_VERSION if form.text_model else None,
        labels=form.labels,
        thresholds=thresholds,
    )
    encoded = json_bytes(manifest.model_dump(mode="json"))
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


def load_bundle(
    folder: Path, form: ModelFormat[M], expected_digest: str | None = None
) -> Bundle[M]:
    """Return the bundle in ``folder``: hashes, format, versions, types, construct, golden rows.

    Raises
    ------
    BundleError
        One of its subclasses, naming the file and the reason; nothing is half-loaded.
    """
    manifest, digest, contents = _read_verified(folder, expected_digest)
    _check_form(folder, manifest, form)
    check_versions(folder, manifest)
    metrics = parse_json(folder / METRICS_FILE, contents.pop(METRICS_FILE))
    if not isinstance(metrics, dict):
        raise FormatError(f"{folder / METRICS_FILE} holds no figures by name")
    golden = contents.pop(GOLDEN_FILE)
    contents.pop(REFERENCE_FILE, None)  # no part of what answers
    model = form.load(contents, str(folder))
    _check_golden(folder / GOLDEN_FILE, form, model, golden)
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
    manifest = parse_manifest(folder / MANIFEST, encoded)
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    extra = present - set(manifest.files) - {MANIFEST}
    if extra:
        raise MissingFileError(f"{folder} has files its manifest does not name: {sorted(extra)}")
    contents = {name: _read_plain(folder / name) for name in manifest.files}
    for name, content in contents.items():
        if _sha256(content) != manifest.files[name]:
            raise HashMismatchError(f"{folder / name} does not have the sha256 of the manifest")
    return manifest, digest, contents


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


def _check_form(folder: Path, manifest: Manifest, form: ModelFormat[Any]) -> None:
    """Check that the manifest is one of a model of this form."""
    if manifest.kind != form.kind:
        raise FormatError(f"{folder} holds a model of kind {manifest.kind!r}, not {form.kind!r}")
    if manifest.labels != form.labels:
        raise FormatError(f"{folder} has the labels {manifest.labels}, not {form.labels}")
    parts = (manifest.thresholds is not None, manifest.normaliser is not None)
    if parts != (form.text_model, form.text_model):
        raise FormatError(
            f"{folder / MANIFEST}: thresholds and normaliser go with text models alone"
        )
    if missing := set(form.files) - set(manifest.files):
        raise FormatError(f"{folder / MANIFEST} names no {', '.join(sorted(missing))}")


def _check_golden(path: Path, form: ModelFormat[M], model: M, content: bytes) -> None:
    rows = [parse_json(path, line) for line in content.splitlines()]
    try:
        texts = [row["text"] for row in rows]
        recorded = [
            {str(name): float(score) for name, score in row["scores"].items()} for row in rows
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{path} cannot be read: {error}") from error
    if not rows:
        raise GoldenMismatchError(f"{path} has no rows, so nothing vouches for the model's answers")
    try:
        present = form.answer(model, texts)
    except BundleError:
        raise
    except (
        Exception
    ) as error:  # a model of any shape may stand here; what fails is not ours to name
        raise GoldenMismatchError(f"{path}: the model cannot score its golden rows") from error
    for number, (now, then) in enumerate(zip(present, recorded, strict=True), start=1):
        if now.keys() != then.keys():
            raise GoldenMismatchError(
                f"{path} row {number}: the model answers with {', '.join(sorted(now)) or 'nothing'}"
                f", recorded is {', '.join(sorted(then)) or 'nothing'}"
            )
        for name, value in then.items():
            if not math.isclose(now[name], value, rel_tol=0.0, abs_tol=GOLDEN_TOLERANCE):
                raise GoldenMismatchError(
                    f"{path} row {number}: {name} is {now[name]:.8f}, recorded {value:.8f}"
                )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

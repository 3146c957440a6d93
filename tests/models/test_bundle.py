"""Every check of a bundle refuses what it is there to refuse, and names it."""

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import skops.io

from models.bundle import load_bundle, verify_bundle
from models.errors import (
    BundleError,
    FormatError,
    GoldenMismatchError,
    HashMismatchError,
    LibraryVersionError,
    MissingFileError,
    UntrustedTypeError,
)
from models.kinds import FORMATS
from models.scoring import score_texts
from tests.factories import GOLDEN, make_release

SPAM = FORMATS["spam"]


@pytest.fixture
def bundle(tiny_bundles: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of a good spam bundle, to be spoilt."""
    return Path(shutil.copytree(tiny_bundles["spam"] / "bundle", tmp_path / "bundle"))


def rewrite_manifest(bundle: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    change(manifest)
    (bundle / "manifest.json").write_text(json.dumps(manifest))


def replace_file(bundle: Path, name: str, content: bytes) -> None:
    """Put other bytes in place and make the manifest vouch for them."""
    (bundle / name).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    rewrite_manifest(bundle, lambda manifest: manifest["files"].update({name: digest}))


@pytest.mark.parametrize("kind", ["spam", "toxicity"])
def test_a_good_bundle_loads_and_answers_its_golden_rows(
    tiny_bundles: dict[str, Path], kind: Any
) -> None:
    folder = tiny_bundles[kind] / "bundle"
    _, digest = verify_bundle(folder)
    loaded = load_bundle(folder, FORMATS[kind], digest)
    rows = [json.loads(line) for line in (folder / "golden.jsonl").read_text().splitlines()]
    assert [row["text"] for row in rows] == list(GOLDEN)
    scores = score_texts(loaded.model, GOLDEN)
    for row, found in zip(rows, scores, strict=True):
        assert list(found) == [row["scores"][head] for head in loaded.manifest.labels]


def test_same_content_same_digest_other_content_another(tmp_path: Path) -> None:
    first = make_release(tmp_path / "a", "spam")
    again = make_release(tmp_path / "b", "spam")
    other = make_release(tmp_path / "c", "spam", extra=("one more clean message",))
    assert first == again != other
    for name in ("model.skops", "manifest.json", "golden.jsonl", "metrics.json"):
        one, two = (tmp_path / folder / "bundle" / name for folder in "ab")
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("name", ["model.skops", "metrics.json", "golden.jsonl"])
def test_a_changed_byte_is_refused(bundle: Path, name: str) -> None:
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(content)
    with pytest.raises(HashMismatchError, match=name):
        load_bundle(bundle, SPAM)


def test_a_manifest_other_than_the_release_names_is_refused(bundle: Path) -> None:
    _, digest = verify_bundle(bundle)
    rewrite_manifest(bundle, lambda manifest: manifest["thresholds"].update(review=0.99))
    with pytest.raises(HashMismatchError, match=r"manifest\.json"):
        load_bundle(bundle, SPAM, digest)


@pytest.mark.parametrize("name", ["model.skops", "manifest.json"])
def test_a_missing_file_is_refused(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    with pytest.raises(MissingFileError, match=name):
        load_bundle(bundle, SPAM)


def test_an_extra_file_is_refused(bundle: Path) -> None:
    (bundle / "model.pkl").write_bytes(b"cos\nsystem\n")
    with pytest.raises(MissingFileError, match=r"model\.pkl"):
        load_bundle(bundle, SPAM)


def test_a_symlink_is_refused(bundle: Path, tmp_path: Path) -> None:
    (bundle / "model.skops").rename(tmp_path / "elsewhere")
    (bundle / "model.skops").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MissingFileError, match="plain file"):
        load_bundle(bundle, SPAM)


def test_a_path_out_of_the_folder_is_refused(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    digest = hashlib.sha256(b"x").hexdigest()
    rewrite_manifest(bundle, lambda manifest: manifest["files"].update({"../secret": digest}))
    with pytest.raises(FormatError, match="outside"):
        load_bundle(bundle, SPAM)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda manifest: manifest.update(format=2),
        lambda manifest: manifest.update(unknown="key"),
        lambda manifest: manifest.pop("labels"),
        lambda manifest: manifest["files"].pop("golden.jsonl"),
    ],
    ids=["format", "unknown key", "missing key", "no golden file"],
)
def test_a_manifest_of_another_shape_is_refused(
    bundle: Path, spoil: Callable[[dict[str, Any]], None]
) -> None:
    rewrite_manifest(bundle, spoil)
    with pytest.raises((FormatError, MissingFileError), match=r"manifest"):
        load_bundle(bundle, SPAM)


def test_a_bundle_of_another_kind_is_refused(tiny_bundles: dict[str, Path]) -> None:
    with pytest.raises(FormatError, match="toxicity"):
        load_bundle(tiny_bundles["toxicity"] / "bundle", SPAM)


@pytest.mark.parametrize(
    ("library", "version", "accepted"),
    [
        ("scikit-learn", "1.2.0", False),
        ("skops", "0.9.0", False),
        ("numpy", "1.26.0", False),
        ("numpy", "2.0.0", True),
        ("scikit-learn", ".".join([*__import__("sklearn").__version__.split(".")[:2], "99"]), True),
    ],
)
def test_library_versions_must_match_as_far_as_they_matter(
    bundle: Path, library: str, version: str, accepted: bool
) -> None:
    rewrite_manifest(bundle, lambda manifest: manifest["libraries"].update({library: version}))
    if accepted:
        load_bundle(bundle, SPAM)
    else:
        with pytest.raises(LibraryVersionError, match=library):
            load_bundle(bundle, SPAM)


def test_another_normaliser_is_refused(bundle: Path) -> None:
    rewrite_manifest(bundle, lambda manifest: manifest.update(normaliser=999))
    with pytest.raises(LibraryVersionError, match="normaliser 999"):
        load_bundle(bundle, SPAM)


class Intruder:
    """A type outside the trust list that says so when it is constructed."""

    constructed = False

    def __init__(self) -> None:
        self.value = 1

    def __setstate__(self, state: dict[str, Any]) -> None:
        type(self).constructed = True


def test_an_untrusted_type_is_refused_before_it_is_constructed(bundle: Path) -> None:
    replace_file(bundle, "model.skops", skops.io.dumps({"model": Intruder()}))
    with pytest.raises(UntrustedTypeError, match="Intruder"):
        load_bundle(bundle, SPAM)
    assert not Intruder.constructed


@pytest.mark.parametrize("content", [b"", b"cposix\nsystem\n", b"PK\x03\x04broken"])
def test_a_file_that_is_not_skops_is_refused(bundle: Path, content: bytes) -> None:
    replace_file(bundle, "model.skops", content)
    with pytest.raises(FormatError, match=r"model\.skops"):
        load_bundle(bundle, SPAM)


def test_a_model_that_answers_otherwise_is_refused(bundle: Path, tmp_path: Path) -> None:
    make_release(tmp_path / "other", "spam", extra=("claim your free prize now",) * 3)
    other = (tmp_path / "other" / "bundle" / "model.skops").read_bytes()
    replace_file(bundle, "model.skops", other)
    with pytest.raises(GoldenMismatchError, match=r"golden\.jsonl row"):
        load_bundle(bundle, SPAM)


def test_a_trusted_type_that_is_no_model_is_refused(bundle: Path) -> None:
    replace_file(bundle, "model.skops", skops.io.dumps([1, 2, 3]))
    with pytest.raises(GoldenMismatchError, match=r"golden\.jsonl"):
        load_bundle(bundle, SPAM)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda manifest: manifest["thresholds"].update(review=float("nan")),
        lambda manifest: manifest["thresholds"].update(review=0.9, block=0.1),
        lambda manifest: manifest["thresholds"].update(review=-0.1),
        lambda manifest: manifest.update(labels=["ham"]),
        lambda manifest: manifest["files"].update({"nul\0": "0" * 64}),
    ],
    ids=["nan", "review above block", "negative", "labels", "name with NUL"],
)
def test_a_manifest_with_values_that_make_no_sense_is_refused(
    bundle: Path, spoil: Callable[[dict[str, Any]], None]
) -> None:
    rewrite_manifest(bundle, spoil)
    with pytest.raises(FormatError):
        load_bundle(bundle, SPAM)


@pytest.mark.parametrize("name", ["manifest.json", "metrics.json", "golden.jsonl"])
@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff\xfe", b"[1, 2]"])
def test_json_of_another_shape_is_refused(bundle: Path, name: str, content: bytes) -> None:
    if name == "manifest.json":
        (bundle / name).write_bytes(content)
    else:
        replace_file(bundle, name, content)
    with pytest.raises(FormatError, match=name):
        load_bundle(bundle, SPAM)


def test_a_model_file_that_unfolds_is_refused(bundle: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b" " * 10_000_000)
    replace_file(bundle, "model.skops", target.getvalue())
    with pytest.raises(FormatError, match="compressed"):
        load_bundle(bundle, SPAM)


@pytest.mark.parametrize(
    "bend",
    [
        lambda schema: schema.replace('"__loader__": "ObjectNode"', '"__loader__": "NoSuchNode"'),
        lambda schema: schema.replace('"__module__": ', '"module": '),
        lambda schema: schema.replace('"content": {', '"content": [], "was": {'),
        lambda schema: schema.replace('"file": "000000', '"file": "999999'),
        lambda schema: schema.replace('"protocol": ', '"protocol": "x", "was": '),
        lambda _: "[" * 50_000,
        lambda _: "null",
        lambda _: "[]",
    ],
)
def test_a_bent_schema_is_refused_by_name(bundle: Path, bend: Callable[[str], str]) -> None:
    with zipfile.ZipFile(bundle / "model.skops") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["schema.json"] = bend(members["schema.json"].decode()).encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    replace_file(bundle, "model.skops", target.getvalue())
    with pytest.raises(FormatError, match=r"model\.skops"):
        load_bundle(bundle, SPAM)


@pytest.mark.parametrize("content", [b"", b"{}\n", b"not json\n", b'{"text": 3, "scores": 4}\n'])
def test_golden_rows_that_vouch_for_nothing_are_refused(bundle: Path, content: bytes) -> None:
    replace_file(bundle, "golden.jsonl", content)
    with pytest.raises(BundleError, match=r"golden\.jsonl"):
        load_bundle(bundle, SPAM)

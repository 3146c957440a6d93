"""Releases and promotions for the tests of hubs."""

from pathlib import Path

from models.manifest import FORMAT_VERSION, json_bytes
from models.release import Promotion, Release, write_release

REPO = "careerlens/careerlens-spam"
DIGEST = "ab" * 32
CARD = "---\nlanguage: en\n---\n# card\n"


def make_folder(folder: Path, version: int, content: str = "model") -> Path:
    """Write a folder in the shape of a release."""
    (folder / "bundle").mkdir(parents=True)
    (folder / "bundle" / "model.skops").write_bytes(b"PK\0" + f"{content} {version}".encode() * 99)
    (folder / "README.md").write_text(CARD)
    release = Release(
        kind="spam",
        version=version,
        digest=DIGEST,
        git_commit=None,
        dvc_lock=None,
        mlflow_run=None,
        signer=None,
        created="2026-11-23T00:00:00+00:00",
    )
    write_release(release, folder)
    return folder


def add_manifest(folder: Path, licence: str) -> Path:
    """Say in the bundle of a release what it learnt from, and under which licence."""
    manifest = {
        "format": FORMAT_VERSION,
        "kind": "spam",
        "name": "careerlens-spam",
        "corpus": "starter",
        "files": {"metrics.json": DIGEST, "golden.jsonl": DIGEST},
        "data": DIGEST,
        "params": DIGEST,
        "code": DIGEST,
        "sources": {"letters": {"licence": licence, "files": {}}},
        "libraries": {},
        "normaliser": None,
        "labels": [],
        "thresholds": None,
    }
    (folder / "bundle" / "manifest.json").write_bytes(json_bytes(manifest))
    return folder


def promotion(to: str, before: str | None = None) -> Promotion:
    """Return what a promotion of a version writes down."""
    return Promotion(
        who="ann",
        when="2026-11-23",
        before=before,
        to=to,
        digest=DIGEST,
        decision={"accepted": True},
    )


def files_of(folder: Path) -> dict[str, bytes]:
    """Return every file of a release, or of a copy of one, by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "commit.json"
    }


def change(path: Path) -> None:
    """Change the bytes of a file, not their number."""
    path.write_bytes(path.read_bytes()[::-1])


def empty(path: Path) -> None:
    """Leave of a file what a power cut may leave."""
    path.write_bytes(b"")


def link_away(path: Path) -> None:
    """Put a link in the place of a file or a folder."""
    aside = path.with_name(f"{path.name}-elsewhere")
    away = path.parents[4] / aside.name
    path.rename(away)
    path.symlink_to(away)

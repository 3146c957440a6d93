"""Ways to break one link of a version's chain, and the links that show it."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import yaml

from models.hub import MAIN, LocalHub
from models.signing import generate_keys
from pipelines.track import lock_digest
from pipelines.tracking import open_store
from tests.pipelines.traced import REPO, git, republish, restate, say


def unsigned_key() -> None:
    generate_keys(Path(".cache/other"), Path(".cache/other.pub"))
    os.environ["CAREERLENS_TRUSTED_KEYS"] = ".cache/other.pub"


def changed_file(folder: Path) -> None:
    (folder / "bundle/metrics.json").write_text("{}")


def relocked(part: str, path: str) -> None:
    """Commit a dvc.lock with another md5 of one path, and make the release name it."""
    lock = yaml.safe_load(Path("dvc.lock").read_text())
    (entry,) = (each for each in lock["stages"]["package"][part] if each["path"] == path)
    entry["md5"] = "0" * 32
    Path("dvc.lock").write_text(yaml.safe_dump(lock))
    git("commit", "--quiet", "-am", "a lie")
    digest = lock_digest(Path("dvc.lock"))
    assert digest
    republish(lambda folder: say(folder, dvc_lock=digest))


def in_dvc(path: str) -> Path:
    """Return the object of an output in DVC's cache, writable."""
    return next(
        file
        for file in Path(".dvc/cache").rglob("*")
        if file.is_file() and file.read_bytes() == Path(path).read_bytes()
    )


def overwrite(path: str) -> None:
    file = in_dvc(path)
    file.chmod(0o644)
    file.write_bytes(b"other")


def set_tag(name: str, value: str, *, of_run: bool) -> None:
    with open_store() as store:
        (version,) = store.client.search_model_versions("name = 'spam'")
        if of_run:
            store.client.set_tag(version.run_id, name, value)
        else:
            store.client.set_model_version_tag("spam", version.version, name, value)


def set_ref(name: str) -> None:
    path = Path("hub", REPO, "refs.json")
    refs = json.loads(path.read_text())
    refs["tags"] = {name: refs["tags"]["v1"]}
    path.write_text(json.dumps(refs))


def damage_hub() -> None:
    shutil.rmtree(".cache/careerlens")
    commit = LocalHub(Path("hub")).resolve(REPO, MAIN)
    Path("hub", REPO, "commits", commit, "bundle/model.skops").write_bytes(b"")


def spoil_log() -> None:
    hub = LocalHub(Path("hub"))
    found = hub.fetch(REPO, MAIN, Path(".cache/other"))
    (found.path / "promotions.jsonl").write_text("{}\n")
    (found.path / "commit.json").unlink()
    commit = hub.publish(REPO, 2, found.path, "")
    path = Path("hub", REPO, "refs.json")
    refs = json.loads(path.read_text())
    path.write_text(json.dumps(refs | {"branches": {"main": commit}}))


SOURCES = {"starter": {"licence": "MIT", "files": {"messages.csv": "0" * 64}}}

# A change of content shows everywhere that content is named: in the signature, in what DVC says the
# stage wrote, in the run's tag, and in MLflow's note of the commit on the hub.
LIES = {"signature", "output", "MLflow run", "registered version"}

BREAKS: dict[str, tuple[Callable[[], None], set[str]]] = {
    "a file of the hub": (damage_hub, {"hub"}),
    "the tag": (lambda: set_ref("v2"), {"hub"}),
    "the kind": (
        lambda: republish(lambda folder: say(folder, kind="toxicity")),
        {"release.json", "signature", "MLflow run", "registered version"},
    ),
    "the key": (unsigned_key, {"signature"}),
    "the signature": (
        lambda: republish(lambda folder: (folder / "model.sig").unlink()),
        {"signature", "registered version"},
    ),
    "a file": (
        lambda: republish(changed_file),
        {"file metrics.json", "signature", "output", "registered version"},
    ),
    "the digest": (
        lambda: republish(lambda folder: say(folder, digest="0" * 64)),
        {"bundle", "signature", "MLflow run", "registered version"},
    ),
    "the kind of the bundle": (
        lambda: republish(lambda folder: restate(folder, kind="skills")),
        {"manifest", "modules", "params", *LIES},
    ),
    "the dvc.lock": (
        lambda: republish(lambda folder: say(folder, dvc_lock="0" * 64)),
        {"dvc.lock", "signature", "MLflow run", "registered version"},
    ),
    "what the stage wrote": (
        lambda: relocked("outs", "artifacts/spam/release"),
        {"output", "signature", "MLflow run", "registered version"},
    ),
    "the code": (
        lambda: relocked("deps", "models/params.py"),
        {"code", "signature", "MLflow run", "registered version"},
    ),
    "the modules": (
        lambda: republish(lambda folder: restate(folder, code="0" * 64)),
        {"modules", *LIES},
    ),
    "the libraries": (
        lambda: republish(lambda folder: restate(folder, libraries={"numpy": "1.0"})),
        {"libraries", *LIES},
    ),
    "the sources": (
        lambda: republish(lambda folder: restate(folder, sources=SOURCES)),
        {"source starter", "raw data", *LIES},
    ),
    "a raw file": (lambda: overwrite("data/raw/starter/messages.csv"), {"raw data"}),
    "a table": (lambda: overwrite("data/splits/spam/train.parquet"), {"tables"}),
    "the data": (
        lambda: republish(lambda folder: restate(folder, data="0" * 64)),
        {"tables", *LIES},
    ),
    "the params": (
        lambda: republish(lambda folder: restate(folder, params="0" * 64)),
        {"params", *LIES},
    ),
    "the run": (lambda: set_tag("bundle", "0" * 64, of_run=True), {"MLflow run"}),
    "the version": (lambda: set_tag("digest", "0" * 64, of_run=False), {"registered version"}),
    "the log's lines": (spoil_log, {"promotions"}),
    "the model card": (
        lambda: republish(lambda folder: (folder / "README.md").unlink()),
        {"output", "signature", "registered version"},
    ),
    "the log": (
        lambda: republish(lambda _: None, before="v7"),
        {"promotions"},
    ),
}

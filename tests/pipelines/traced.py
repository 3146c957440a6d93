"""A small project in git and DVC whose spam versions can be traced from the hub to their data."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import yaml
from dvc.repo import Repo

from models.commits import read_commit
from models.hub import MAIN, LocalHub
from models.manifest import MANIFEST, Source, json_bytes, library_versions
from models.params import load_params
from models.release import Promotion, read_promotions, read_release, write_release
from models.signing import generate_keys
from pipelines import publish, register, track, tracking
from pipelines.code import below, code_digest
from pipelines.kinds import MADE
from pipelines.packaging import files_digest, params_digest
from pipelines.tracking import open_store
from tests.factories import ROOT, make_release
from tests.pipelines.contest import NO_KEYS
from tests.pipelines.results import make_result

REPO = "careerlens/careerlens-spam"
MESSAGES = "data/starter/messages.csv"
LICENCE = "Apache-2.0 (written for this project)"

_COPIED = (
    "data/sources.yaml",
    MESSAGES,
    "models/params.py",
    "models/tagger_params.py",
    "pipelines/kinds.py",
    "pipelines/package.py",
    "pipelines/packaging.py",
)
_IGNORED = ("mlruns", "mlflow.db*", ".cache", "hub", "artifacts", "data/raw", "data/splits")
_STAGES = {
    "ingest": {
        "cmd": "ingest",
        "deps": ["data/sources.yaml", "data/starter"],
        "outs": ["data/raw"],
    },
    "split": {"cmd": "split", "deps": ["data/raw/starter"], "outs": ["data/splits"]},
    "package": {
        "cmd": "package",
        "deps": ["data/splits/spam/train.parquet", "models/params.py"],
        "outs": ["artifacts/spam/release"],
    },
}


def git(*arguments: str) -> str:
    """Run git in the working directory and return what it prints."""
    ann = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    done = subprocess.run(["git", *ann, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def make_project(root: Path) -> None:
    """Make the project in the empty working directory ``root``; its spam v1 is champion."""
    for name in _COPIED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    pins = [f"{name}=={version} \\\n" for name, version in library_versions("spam").items()]
    Path("requirements.lock").write_text("".join(pins[:4]))
    Path(".gitignore").write_text("\n".join(_IGNORED))
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": _STAGES}))
    git("init", "--quiet")
    Repo.init(str(root))
    generate_keys(Path(".cache/key"), Path(".cache/key.pub"))
    train(alpha=0.1)
    git("add", ".")
    git("commit", "--quiet", "-m", "a result")
    release()


def train(alpha: float) -> None:
    """Make a result and its dvc.lock, as ``dvc repro`` would."""
    make_result(Path(), alpha=alpha)
    raw = Path("data/raw/starter")
    raw.mkdir(parents=True, exist_ok=True)
    shutil.copy(MESSAGES, raw)
    digest = hashlib.sha256(Path(MESSAGES).read_bytes()).hexdigest()
    shutil.rmtree("artifacts/spam/release")
    make_release(
        Path("artifacts/spam/release"),
        "spam",
        params=params_digest("spam", load_params()),
        data=files_digest(
            [Path(f"data/splits/spam/{side}.parquet") for side in ("train", "validation", "test")]
        ),
        code=code_digest(MADE["spam"].modules, below(Path())),
        sources={"starter": Source(licence=LICENCE, files={"messages.csv": digest})},
    )
    with Repo(".") as repo:
        repo.commit(force=True)


def release() -> None:
    """Track, register and publish the current result."""
    track.track(track.parse_args([]))
    with open_store() as store:
        register.register(store, "spam", tracking.read_packaged(Path("artifacts/spam/release")))
        publish.publish(store, LocalHub(Path("hub")), "spam", load_params(), NO_KEYS)


def republish(change: Callable[[Path], None], before: str | None = None) -> None:
    """Replace the hub by one whose only version is the champion changed: a liar's.

    ``before`` is what its promotion log names as the champion before the first.
    """
    hub = LocalHub(Path("hub"))
    found = hub.fetch(REPO, MAIN, Path(".cache/liar"))
    log = read_promotions(found.path)[0]
    message = read_commit(Path("hub", REPO, "commits", hub.resolve(REPO, "v1"))).message
    for name in ("commit.json", "promotions.jsonl"):
        (found.path / name).unlink()
    change(found.path)
    shutil.rmtree("hub")
    commit = hub.publish(REPO, 1, found.path, message)
    digest = read_release(found.path).digest
    line = Promotion(
        who=log.who, when=log.when, before=before, to="v1", digest=digest, decision=log.decision
    )
    hub.point(REPO, MAIN, commit, None, line)


def say(folder: Path, **about: str) -> None:
    """Make release.json say otherwise."""
    write_release(read_release(folder).model_copy(update=about), folder)


def restate(folder: Path, **about: object) -> None:
    """Make the manifest say otherwise, and release.json name its digest."""
    path = folder / "bundle" / MANIFEST
    path.write_bytes(json_bytes(json.loads(path.read_bytes()) | about))
    say(folder, digest=hashlib.sha256(path.read_bytes()).hexdigest())

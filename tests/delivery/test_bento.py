"""The bento: built from the checkout, run from a folder of its own without network."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.bundle import verify_bundle
from models.hub import LocalHub
from models.manifest import KINDS, Kind
from tests.e2e.conftest import tiny_hub
from tests.factories import ROOT

#: What `bentoml build` reads of the checkout; the tests that run beside this one write there.
TAKEN = ("serving", "models", "pyproject.toml", "requirements-serve.lock", "LICENSE")
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def hub(tiny_bundles: dict[Kind, Path], tmp_path_factory: pytest.TempPathFactory) -> LocalHub:
    return tiny_hub(tiny_bundles, tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="module")
def bento(hub: LocalHub, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bento with the champions of ``hub`` in it, as `make bento BAKE=1` builds it."""
    root = tmp_path_factory.mktemp("build")
    for name in TAKEN:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, root / name)
    (root / "tests" / "serving").mkdir(parents=True)
    (root / "tests" / "serving" / "left_out.py").touch()
    run(
        [sys.executable, "-m", "pipelines.bake", root / "baked", "--hub", str(hub)],
        cwd=ROOT,
        DVC_ROOT=str(root),
    )
    home = root / "home"
    run([BIN / "bentoml", "build", root, "--output", "tag"], cwd=root, BENTOML_HOME=str(home))
    [built] = (home / "bentos").rglob("bento.yaml")
    return built.parent


def run(command: list[Any], cwd: Path, **chosen: str) -> str:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("CAREERLENS_")
    }
    environment |= {"PATH": f"{BIN}:/usr/bin:/bin", "BENTOML_DO_NOT_TRACK": "True", **chosen}
    ended = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def alone() -> list[str]:
    """Return what starts a command without any network, where that is allowed."""
    command = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None:
        return []
    return command if subprocess.run([*command, "true"], check=False).returncode == 0 else []


def test_it_holds_what_serves_and_nothing_else(bento: Path) -> None:
    names = {path.name for path in (bento / "src").iterdir()}
    assert names == {
        "serving",
        "models",
        "baked",
        "requirements-serve.lock",
        "LICENSE",
        "bentofile.yaml",
    }
    described = yaml.safe_load((bento / "bento.yaml").read_text(encoding="utf-8"))
    assert described["envs"] == [{"name": "BENTOML_DO_NOT_TRACK", "value": "True", "stage": "all"}]
    assert described["image"]["python_version"] == "3.11"
    installed = (bento / "env" / "python" / "requirements.txt").read_text(encoding="utf-8")
    assert installed.count("--hash=sha256:") > 1_000
    assert "://" not in installed  # no index is named
    assert (bento / "env" / "docker" / "Dockerfile").is_file()


def test_it_answers_from_a_clean_folder_without_network_as_the_checkout_does(
    bento: Path, tiny_bundles: dict[Kind, Path], tmp_path: Path
) -> None:
    place = tmp_path / "bento"
    shutil.copytree(bento, place)
    script = tmp_path / "apart.py"
    shutil.copy(Path(__file__).with_name("apart.py"), script)
    home = tmp_path / "home"
    home.mkdir()
    offline = alone()
    printed = run([*offline, sys.executable, "-I", script, place, home], cwd=home)
    answers = json.loads(printed)
    if offline:
        assert answers["network"] == ["lo"]
    assert [(each["kind"], each["error"]) for each in answers["models"]] == [
        (kind, None) for kind in KINDS
    ]
    for kind in ("spam", "toxicity"):
        _, digest = verify_bundle(tiny_bundles[kind] / "bundle")
        assert answers["moderate"][kind]["digest"] == digest
    assert answers["moderate"]["spam"]["flagged"] is True
    assert answers["parse"]["contact"]["name"] == "Jane Doe"
    assert {"Python", "SQL"} <= {skill["name"] for skill in answers["parse"]["skills"]}
    assert answers["code"] == 0


#: Imports all that serves, with what the lock does not pin out of reach.
GUARDED = r"""
import importlib, importlib.metadata, pkgutil, re, sys
def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()
lock = open("requirements-serve.lock").read()
pinned = {normal(name) for name in re.findall(r"(?m)^([\w.-]+)(?:\[.*\])?==", lock)}
owners = importlib.metadata.packages_distributions()
class Guard:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in owners and pinned.isdisjoint(map(normal, owners[top])):
            raise ModuleNotFoundError(f"{top} is not in requirements-serve.lock", name=top)
sys.meta_path.insert(0, Guard())
sys.modules["gradio"] = None  # the service asks whether it is there: as the lock has it, it is not
import models, serving
names = [
    found.name
    for package in (models, serving)
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    if "migrations" not in found.name
    and not found.name.endswith("__main__")
    and not found.name.startswith("serving.ui.")  # a program of its own, with a group of its own
]
for name in names:
    importlib.import_module(name)
assert "serving.ui.application" not in sys.modules
print(len(names))
"""


def test_serving_imports_nothing_that_its_lock_does_not_pin() -> None:
    assert int(run([sys.executable, "-c", GUARDED], cwd=ROOT)) > 100

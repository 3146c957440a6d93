"""The files of a Hugging Face Space: `make space` makes them of what is here."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.factories import ROOT

NEEDED = ("Makefile", "LICENSE", "requirements-page.lock", "deploy", "serving", "models")


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkout")
    for name in NEEDED:
        copy: Any = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    subprocess.run(["make", "space"], cwd=folder, check=True, capture_output=True)
    return folder / "space"


def pins(lock: str) -> set[str]:
    return set(re.findall(r"^[a-z0-9._-]+==[^ \n]+", lock, re.MULTILINE))


def test_a_space_has_what_its_page_and_service_import_and_nothing_else(space: Path) -> None:
    assert {path.name for path in space.iterdir()} == {
        *("README.md", "app.py", "requirements.txt", "LICENSE", "models", "serving"),
    }
    assert not list(space.rglob("__pycache__"))
    assert (space / "serving" / "ui" / "space.py").exists()


def test_its_packages_are_those_of_the_locks(space: Path) -> None:
    lines = (space / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.match(r"[a-z0-9._-]+==[^ ]+( ;|$| $)", line) for line in lines)
    page, serve, whole = (
        pins((ROOT / f"requirements{name}.lock").read_text(encoding="utf-8"))
        for name in ("-page", "-serve", "")
    )
    assert pins("\n".join(lines)) == page
    assert serve < page < whole


def test_it_asks_for_the_gradio_that_the_page_is_tested_with(space: Path) -> None:
    _, front, _ = (space / "README.md").read_text(encoding="utf-8").split("---\n")
    says = yaml.safe_load(front)
    assert (space / says["app_file"]).exists()
    assert f'"gradio=={says["sdk_version"]}"' in (ROOT / "pyproject.toml").read_text("utf-8")
    assert says["python_version"] == "3.11"

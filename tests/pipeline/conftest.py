"""A checkout of its own for the whole DAG: a git repository with DVC, a small sample, one venv."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.factories import ROOT

COPIED = (
    "models",
    "pipelines",
    "data/sources.yaml",
    "data/starter",
    "data/feedback/README.md",
    "data/behaviour",
    "data/expectations",
    "data/golden",
    "data/parsing",
    "data/retrieval",
    "data/taxonomy",
    "dvc.yaml",
    "params.yaml",
    "requirements.lock",
    ".dvcignore",
    ".gitignore",
)

Run = Callable[..., str]


class Checkout:
    """A folder with the project in it, and a way to run commands there."""

    def __init__(self, root: Path, **environment: str) -> None:
        self.root = root
        self.environment = environment

    def run(self, *command: str, fails: bool = False) -> str:
        """Run ``command`` and return what it printed; check whether it failed as told."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MLFLOW_", "CAREERLENS_", "DVC_", "GIT_"))
            and name != "DATA_MIRROR"
        }
        environment |= {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DVC_NO_ANALYTICS": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PYTHONWARNINGS": "default",
            "GIT_AUTHOR_NAME": "test",
            "GIT_AUTHOR_EMAIL": "test@localhost.invalid",
            "GIT_COMMITTER_NAME": "test",
            "GIT_COMMITTER_EMAIL": "test@localhost.invalid",
            **self.environment,
        }
        done = subprocess.run(
            command,
            cwd=self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == fails, f"{command} gave {done.returncode}:\n{done.stdout}"
        return done.stdout

    def dvc(self, *words: str, fails: bool = False) -> str:
        """Run DVC."""
        return self.run(sys.executable, "-m", "dvc", *words, fails=fails)

    def run_stages(self, *stages: str, fails: bool = False) -> str:
        """Run stages without DVC, all but ``track`` by default, in one process."""
        with_tests = Checkout(self.root, **self.environment, PYTHONPATH=str(ROOT))
        return with_tests.run(sys.executable, "-m", "tests.pipeline.stages", *stages, fails=fails)

    def change_params(self, **sections: dict[str, object]) -> None:
        """Set keys of params.yaml, section by section."""
        path = self.root / "params.yaml"
        params = yaml.safe_load(path.read_text())
        for section, values in sections.items():
            params[section] |= values
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    def commit(self) -> None:
        """Commit everything."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", "test")


def make_checkout(root: Path, **environment: str) -> Checkout:
    """Copy the project to ``root`` as a repository of its own, with a small sample in params."""
    root.mkdir(parents=True)
    for name in COPIED:
        source, target = ROOT / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    checkout = Checkout(root, **environment)
    checkout.run("git", "init", "--quiet", "--initial-branch", "main")
    checkout.dvc("init", "--quiet")
    checkout.change_params(data={"sample": 200}, evaluate={"bootstrap": 20})
    checkout.commit()
    return checkout


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which ``dvc repro`` has run on 200 rows of the starter corpus."""
    checkout = make_checkout(tmp_path_factory.mktemp("checkout") / "careerlens")
    checkout.dvc("repro")
    checkout.commit()
    return checkout

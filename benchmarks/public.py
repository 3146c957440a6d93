"""Train the text models on the public corpus, in a copy of the project of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]

#: What training reads; the copy is refreshed, and DVC runs the stages whose part has changed.
COPIED = (
    "models",
    "pipelines",
    "data/sources.yaml",
    "data/starter",
    "data/feedback",
    "data/expectations",
    "data/golden",
    "data/behaviour/limits.yaml",
    "dvc.yaml",
    "params.yaml",
    "requirements.lock",
    ".dvcignore",
)


def train_public(workspace: Path) -> None:
    """Make ``workspace`` hold the public data and both text models' bundles, as of this checkout.

    Raises
    ------
    subprocess.CalledProcessError
        If a stage fails; what it said stands on the terminal.
    """
    workspace.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        source, target = ROOT / name, workspace / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    choose_public(workspace)
    dvc = [sys.executable, "-m", "dvc"]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    if not (workspace / ".dvc").exists():
        subprocess.run(
            [*dvc, "init", "--no-scm", "--quiet"], cwd=workspace, env=environment, check=True
        )
    subprocess.run(
        [*dvc, "repro", "package@spam", "package@toxicity"],
        cwd=workspace,
        env=environment,
        check=True,
    )


def choose_public(workspace: Path) -> None:
    """Have ``workspace`` train on the public corpus."""
    path = workspace / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params["data"]["corpus"] = "public"
    path.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")

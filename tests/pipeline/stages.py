"""Run stages of dvc.yaml in one process: `dvc repro` starts one for each, which takes longer.

``python -m tests.pipeline.stages train_spam evaluate@spam`` runs these, in the project's folder;
without names it runs all of them but ``track``, in the order of the file.
"""

import runpy
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

import pipelines  # noqa: F401  pins the numeric kernels, as the stages do, before numpy is there


def commands(stages: dict[str, dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the words of every stage, a matrix stage by stage as DVC names them."""
    for name, stage in stages.items():
        for model in stage.get("matrix", {}).get("model", [""]):
            command = stage["cmd"].replace("${item.model}", model)
            yield f"{name}@{model}" if model else name, shlex.split(command)


def main() -> None:
    """Run the command."""
    known = dict(commands(yaml.safe_load(Path("dvc.yaml").read_text())["stages"]))
    for name in sys.argv[1:] or [name for name in known if name != "track"]:
        python, dash_m, module, *words = known[name]
        assert (python, dash_m) == ("python", "-m"), f"{name} is no module of Python"
        sys.argv = [module, *words]
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

"""The workflows: sound, of pinned actions and least rights, running commands that exist."""

import importlib.util
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.drift import ALARM
from pipelines.promote import REFUSED
from tests.factories import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(path.name for path in FOLDER.iterdir())
EVENTS = {"push", "pull_request", "schedule", "workflow_dispatch", "repository_dispatch"}


def read(name: str) -> Any:
    # YAML 1.1 has `on` for a truth value.
    content = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    content["on"] = content.pop(True)
    return content


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in read(name)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned_by_commit_and_rights_are_few(name: str) -> None:
    workflow = read(name)
    assert set(workflow["on"]) <= EVENTS
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"]
        assert set(job["permissions"]) == {"contents"}
    text = (FOLDER / name).read_text(encoding="utf-8")
    for used in re.findall(r"uses: (.*)$", text, re.MULTILINE):
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used


@pytest.mark.parametrize("name", WORKFLOWS)
def test_secrets_reach_commands_by_the_environment_of_one_step_and_are_not_shown(name: str) -> None:
    for step in steps(name):
        assert "secrets." not in step.get("run", "")
        assert "${{" not in step.get("run", "")  # what others may write never becomes code
        for secret in re.findall(r"^\s+(\w+): .*secrets\.", yaml.dump(step), re.MULTILINE):
            assert not re.search(rf"echo .*\${secret}", step["run"])
    for job in read(name)["jobs"].values():
        assert "secrets." not in str(job.get("env", ""))
    assert "secrets." not in str(read(name).get("env", ""))


@pytest.mark.parametrize("name", WORKFLOWS)
def test_the_commands_exist(name: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = 0
    for step in steps(name):
        run = step.get("run", "")
        for target in re.findall(r"\bmake (\w[\w-]*)", run):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
            found += 1
        for module in re.findall(r"python -m ([\w.]+)", run):
            assert importlib.util.find_spec(module), module
            found += 1
        for tool in re.findall(r"\.venv/bin/(\w+)", run):
            assert Path(ROOT, ".venv", "bin", tool).exists(), tool
        for stage in re.findall(r"--target (\w+)", run):
            assert f"AS {stage}\n" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert found


def test_drift_has_the_models_trained_anew() -> None:
    [decide] = [step for step in steps("retrain.yml") if step.get("id") == "decide"]
    assert f"{ALARM}) due=true ;;" in decide["run"]
    assert read("retrain.yml")["jobs"]["retrain"]["if"] == "needs.drift.outputs.due == 'true'"
    assert "--force" not in (FOLDER / "retrain.yml").read_text(encoding="utf-8")


def test_what_the_gate_refuses_is_a_notice_and_any_other_failure_fails(tmp_path: Path) -> None:
    runs = [step.get("run", "") for step in steps("retrain.yml")]
    [release] = [run for run in runs if "pipelines.promote" in run]
    bin_folder = tmp_path / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    python = (
        'echo "$2 $3"; case "$2 $3" in '
        f'"pipelines.promote spam") exit {REFUSED};; "pipelines.promote toxicity") exit 1;; esac'
    )
    commands = {bin_folder / "python": python, bin_folder / "make": "exit 0"}
    for path, does in commands.items():
        path.write_text(f"#!/bin/sh\n{does}\n")
        path.chmod(0o755)
    ran = subprocess.run(
        ["bash", "-e", "-c", release],  # as the runner does it
        cwd=tmp_path,
        env={
            "PATH": f"{bin_folder}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(tmp_path),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "::notice::spam keeps its champion" in ran.stdout
    assert "::error::toxicity could not be promoted" in ran.stdout
    assert ran.stdout.count("::") == 4
    assert "pipelines.promote matching" in (tmp_path / "summary").read_text()  # all were tried

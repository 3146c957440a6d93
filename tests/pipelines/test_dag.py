"""dvc.yaml tells the whole truth about what each stage reads."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.params import load_params
from pipelines.code import below, first_party_files
from tests.factories import ROOT

STAGES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]

IMPURE = re.compile(r"^\s*(import|from) (mlflow|time|datetime|requests|httpx)\b", re.M)

FITTING = (
    *("fit_tfidf", "train_spam", "train_toxicity", "build_skills", "build_job_index"),
    *("evaluate", "evaluate_skills", "evaluate_matching"),
    *("package", "package_skills", "package_matching"),
)

#: What a stage rests on beside its imports: the stages behind a packaged model, whose code the
#: digest covers, and what reads documents in a process of its own.
MADE_BY = {
    "evaluate_parsing": ["models.document_child"],
    "package": ["pipelines.fit_tfidf", "pipelines.train_spam", "pipelines.train_toxicity"],
    "package_skills": ["pipelines.build_skills"],
    "package_matching": ["pipelines.build_skills", "pipelines.build_job_index"],
}


def module_of(stage: str) -> str:
    found = re.match(r"python -m (pipelines\.\w+)", STAGES[stage]["cmd"])
    assert found
    return found[1]


def imports(*modules: str) -> set[str]:
    read = below(ROOT)
    return {path.as_posix() for name in modules for path in first_party_files(name, read)}


def outputs(stage: str) -> Iterator[str]:
    for group in ("outs", "metrics"):
        for entry in STAGES[stage].get(group, []):
            yield entry if isinstance(entry, str) else next(iter(entry))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_lists_every_module_of_ours_that_it_imports(stage: str) -> None:
    imported = imports(module_of(stage), *MADE_BY.get(stage, []))
    assert imported - set(STAGES[stage]["deps"]) == set()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_lists_no_module_that_it_does_not_import(stage: str) -> None:
    listed = {dep for dep in STAGES[stage]["deps"] if dep.endswith(".py")}
    imported = imports(module_of(stage), *MADE_BY.get(stage, []))
    assert listed - imported == set()


@pytest.mark.parametrize("stage", STAGES)
def test_every_path_on_the_command_line_is_a_dependency_or_an_output(stage: str) -> None:
    words = STAGES[stage]["cmd"].split()
    paths = {word for word in words if re.match(r"(data|artifacts)/", word)}
    declared = {*STAGES[stage]["deps"], *outputs(stage)}
    loose = {
        path
        for path in paths
        # The Data Docs carry times, so they are no output.
        if path not in declared
        and not path.startswith("data/docs/")
        and not any(path.startswith(f"{entry}/") for entry in declared)
    }
    assert loose == set()


@pytest.mark.parametrize("stage", STAGES)
def test_params_named_by_a_stage_exist(stage: str) -> None:
    params = load_params(ROOT / "params.yaml").model_dump()
    for entry in STAGES[stage].get("params", []):
        for model in ("spam", "toxicity"):
            section: Any = params
            for key in entry.replace("${item.model}", model).split("."):
                section = section[key]


@pytest.mark.parametrize("stage", [*FITTING, "clean", "clean_jobs", "split"])
def test_fitting_stages_are_pure(stage: str) -> None:
    """No clock, no network and no MLflow in what must give the same bytes."""
    for path in first_party_files(module_of(stage), below(ROOT)):
        source = (ROOT / path).read_text(encoding="utf-8")
        assert not IMPURE.search(source), path


def test_imports_are_followed_through_packages_and_from_imports(tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "models").mkdir()
    files = {
        "pipelines/__init__.py": "",
        "pipelines/stage.py": "from models import spam\nimport numpy\n",
        "models/__init__.py": "",
        "models/spam.py": "import models.text\n",
        "models/text.py": "",
        "models/other.py": "",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    found = {path.as_posix() for path in first_party_files("pipelines.stage", below(tmp_path))}
    assert found == set(files) - {"models/other.py"}


def expanded() -> dict[str, tuple[set[str], set[str]]]:
    """Return the dependencies and outputs of every stage, those of a matrix apart."""
    found = {}
    for stage, content in STAGES.items():
        for model in content.get("matrix", {}).get("model", [""]):
            name = f"{stage}@{model}" if model else stage
            deps = {dep.replace("${item.model}", model) for dep in content["deps"]}
            outs = {out.replace("${item.model}", model) for out in outputs(stage)}
            found[name] = (deps, outs)
    return found


def test_the_chains_that_make_train_runs_side_by_side_need_nothing_of_each_other() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    lists = re.findall(r"^STAGES_(\w+) := (.*)$", makefile, re.M)
    chains = {name: stages.split() for name, stages in lists}
    after = {"jobs": ["skills"], "resumes": ["skills"]}
    assert "\ntrain-jobs train-resumes: train-skills\n" in makefile
    stages = expanded()
    listed = {stage for chain in chains.values() for stage in chain}
    assert listed | {"ingest", "validate_raw", "report", "track"} == stages.keys()
    made = {out for _, outs in stages.values() for out in outs}
    for name, chain in chains.items():
        before = [
            "ingest",
            "validate_raw",
            *(s for each in after.get(name, []) for s in chains[each]),
        ]
        there = {out for stage in before for out in stages[stage][1]}
        for stage in chain:
            deps, outs = stages[stage]
            needed = {out for out in made if any(f"{dep}/".startswith(f"{out}/") for dep in deps)}
            assert needed <= there, stage
            there = there | outs

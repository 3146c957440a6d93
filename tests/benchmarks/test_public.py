"""The copy that quality is measured in holds everything its stages read."""

from pathlib import PurePath

import yaml

from benchmarks.public import COPIED
from tests.factories import ROOT

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]

#: What `package@spam` and `package@toxicity` run.
TEXT_STAGES = (
    *("ingest", "validate_raw", "clean", "validate_clean", "split", "fit_tfidf"),
    *("train_spam", "train_toxicity", "evaluate", "package"),
)


def test_every_file_that_a_text_stage_reads_is_copied() -> None:
    made = ["artifacts", *(out for stage in STAGES.values() for out in _names(stage, "outs"))]
    read = {
        dep for name in TEXT_STAGES for dep in _names(STAGES[name], "deps") if not _under(dep, made)
    }
    assert {"data/starter", "data/golden/spam.txt"} <= read
    assert {dep for dep in read if not _under(dep, COPIED)} == set()


def _names(stage: dict[str, list[str | dict[str, object]]], key: str) -> list[str]:
    entries = stage.get(key, [])
    names = [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]
    return [name.replace("${item.model}", "spam") for name in names]


def _under(name: str, folders: list[str] | tuple[str, ...]) -> bool:
    return any(PurePath(name).is_relative_to(folder) for folder in folders)

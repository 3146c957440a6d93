"""What the benchmark of the pipeline takes for a stage."""

import pytest

from benchmarks.pipeline import stage_of


@pytest.mark.parametrize(
    ("command", "stage"),
    [
        ("python -m pipelines.split --spam data/clean/spam.parquet", "split"),
        ("python -m pipelines.fit_tfidf --model spam --train data/t", "fit_tfidf@spam"),
        ("python -m pipelines.build_skills --model artifacts/skills/model", "build_skills"),
        ("/bin/bash -c dvc repro", None),
        ("", None),
    ],
)
def test_a_stage_is_known_by_its_command(command: str, stage: str | None) -> None:
    assert stage_of(command.split()) == stage

"""The stage writes an index that loads, with the same bytes each time."""

import sys
from pathlib import Path

import pytest

from models.matching import Posting, dump_postings, load_index
from models.skill_matcher import SkillMatcher
from models.skill_model import SkillModel, dump_skill_model
from models.taxonomy import parse_taxonomy
from pipelines.build_job_index import main
from pipelines.stage import read_contents, write_contents, write_lines
from tests.factories import ROOT

TAXONOMY = (
    b"name,aliases,weak,category,case,implies,related,family\nPython,,,tool,any,,,\n"
    b"Welding,,,hard,any,,,\n"
)
POSTINGS = [
    Posting(id="1", title="Python Developer", description="You write Python for the harbour."),
    Posting(id="2", title="Python Developer", description="You test Python for the railway."),
    Posting(id="3", title="Pipe Welder", description="Welding of pipes in the harbour."),
    Posting(id="4", title="Pipe Welder", description="Welding of pipes for the railway."),
]


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ROOT)
    model = SkillModel(SkillMatcher(parse_taxonomy(TAXONOMY, "test")))
    write_contents(dump_skill_model(model), tmp_path / "skills")
    (tmp_path / "postings.jsonl").write_bytes(dump_postings(POSTINGS))
    titles = [{"title": title, "source": "lists"} for title in ("Pipe Welder", "Astronaut")]
    write_lines(titles, tmp_path / "titles.jsonl")
    return tmp_path


def build(inputs: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    arguments = {
        "skills": inputs / "skills",
        "postings": inputs / "postings.jsonl",
        "titles": inputs / "titles.jsonl",
        "model": inputs / name,
    }
    words = [str(word) for key, path in arguments.items() for word in (f"--{key}", path)]
    monkeypatch.setattr(sys, "argv", ["build_job_index", *words])
    main()
    return read_contents(inputs / name)


def test_an_index_is_built_twice_with_the_same_bytes_and_answers(
    inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = build(inputs, "one", monkeypatch)
    assert contents == build(inputs, "two", monkeypatch)
    index = load_index(contents, "here")
    assert [job.posting.id for job in index.recommend("I weld pipes: welding", (), 1)] == ["3"]
    assert index.titles == ("Pipe Welder",)

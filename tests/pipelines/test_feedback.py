"""What `python -m serving.feedback export` writes is what the pipeline reads."""

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from models.licences import obstacle
from models.manifest import Manifest, Source
from models.params import load_params
from pipelines.chain import Link
from pipelines.history import Tree
from pipelines.ingest import ingest, own_sources
from pipelines.ingredients import code_link, source_links
from pipelines.lock import Lock
from pipelines.raw_files import read_raw
from pipelines.readers import CATEGORIES, read_feedback
from pipelines.sources import FEEDBACK, Catalogue, RawIndex, choose_sources, load_catalogue
from pipelines.validate_raw import check_raw
from serving.feedback.decisions import Decision, Standing
from serving.feedback.export import export
from serving.feedback.store import Entry
from tests.factories import ROOT
from tests.pipelines.test_ingest import make_catalogue, make_starter

PARAMS = load_params(ROOT / "params.yaml").clean
UNKNOWN = float("nan")


def entry(kind: str, text: str, label: bool, **categories: bool) -> Entry:
    standing = Standing("approved", label, categories)
    decisions: tuple[Decision, ...] = ()
    return Entry("ab" * 16, "0" * 64, text, kind, decisions, standing)  # type: ignore[arg-type]


ENTRIES = [
    entry("spam", "buy\r\nnow\u2028or \U0001f600 “never”", True),
    entry("spam", "good morning", False),
    entry("toxicity", "you fool", True, insult=True, threat=False),
    entry("toxicity", "you there", False),
]


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    export(ENTRIES, tmp_path / "feedback" / "feedback.jsonl")
    return tmp_path / "feedback"


def index() -> RawIndex:
    catalogue = load_catalogue(ROOT / "data" / "sources.yaml")
    source = catalogue.sources[FEEDBACK]
    facts = {"role": "train", "sha256": "0" * 64, "bytes": 1}
    brought = {
        "task": source.task,
        "licence": source.licence,
        "reader": source.reader,
        "files": {"feedback.jsonl": facts},
    }
    return RawIndex.model_validate(
        {
            "corpus": "starter",
            "order": [FEEDBACK],
            "sources": {FEEDBACK: brought},
            "left_out": {},
            "reserved": None,
        }
    )


def failing(folder: Path) -> set[str]:
    verdicts = check_raw(
        index(), folder.parent, ROOT / "data" / "expectations" / "raw", folder.parent / "docs"
    )
    return {failure.column for verdict in verdicts for failure in verdict.failures}


def test_every_row_is_read_as_it_was_decided(exported: Path) -> None:
    rows = read_feedback(read_raw("feedback", exported), PARAMS)
    assert rows[["text", "task", "label"]].values.tolist() == [
        [each.text, each.kind, int(bool(each.standing.label))] for each in ENTRIES
    ]
    toxic, clean = rows.iloc[2], rows.iloc[3]
    expected = pd.Series({"insult": 1.0, "threat": 0.0, "obscene": UNKNOWN})
    assert toxic[list(expected.index)].astype(float).equals(expected)
    assert clean[list(CATEGORIES)].tolist() == [0.0] * 4


def test_corrections_of_one_kind_alone_are_read_too(tmp_path: Path) -> None:
    export(ENTRIES[:2], tmp_path / "feedback.jsonl")
    rows = read_feedback(read_raw("feedback", tmp_path), PARAMS)
    assert rows["task"].tolist() == ["spam", "spam"]


def test_what_is_exported_meets_its_suite(exported: Path) -> None:
    assert failing(exported) == set()


@pytest.mark.parametrize(
    ("field", "value"),
    [("version", 2), ("kind", "skills"), ("label", 3), ("insult", 0.5), ("id", "7"), ("text", "")],
)
def test_what_is_not_as_this_release_writes_it_stops_the_pipeline_by_its_column(
    exported: Path, field: str, value: object
) -> None:
    file = exported / "feedback.jsonl"
    lines = [json.loads(line) for line in file.read_text().split("\n") if line]
    lines[0][field] = value
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert failing(exported) == {field}


def test_what_learnt_from_users_messages_may_not_be_published() -> None:
    licence = load_catalogue(ROOT / "data" / "sources.yaml").sources[FEEDBACK].licence
    assert obstacle(licence)


# How they are found


def own(folder: Path, *rows: str) -> Path:
    """Write what moderators decided into ``folder`` and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "feedback.jsonl").write_text("".join(f"{row}\n" for row in rows) or "\n")
    return folder


@pytest.fixture
def with_feedback() -> Catalogue:
    catalogue = make_catalogue("http://127.0.0.1:1")
    starter = catalogue.sources["starter"]
    [declared] = starter.files.values()
    mine = starter.model_copy(update={"corpus": "any", "files": {"feedback.jsonl": declared}})
    return catalogue.model_copy(update={"sources": {"feedback": mine, **catalogue.sources}})


def test_what_moderators_decided_is_a_source_of_every_corpus_where_there_is_any(
    with_feedback: Catalogue, tmp_path: Path
) -> None:
    make_starter(tmp_path)
    folder = own(tmp_path / "feedback", '{"text": "buy"}')
    present = own_sources(with_feedback, folder)
    for corpus in ("starter", "public"):
        choice = choose_sources(with_feedback, corpus, [], present)  # type: ignore[arg-type]
        assert next(iter(choice.sources)) == "feedback"
    choice = choose_sources(with_feedback, "starter", [], present)
    origins = {"starter": tmp_path / "starter", "any": folder}
    index = ingest(with_feedback, choice, origins, tmp_path / "raw", None)
    content = (folder / "feedback.jsonl").read_bytes()
    assert (tmp_path / "raw" / "feedback" / "feedback.jsonl").read_bytes() == content
    assert (
        index.sources["feedback"].files["feedback.jsonl"].sha256
        == hashlib.sha256(content).hexdigest()
    )
    left_out = choose_sources(with_feedback, "starter", ["no such licence"], set()).left_out
    assert "feedback" not in left_out


@pytest.mark.parametrize("rows", [None, ()])
def test_without_a_row_of_theirs_nothing_is_brought(
    with_feedback: Catalogue, tmp_path: Path, rows: tuple[str, ...] | None
) -> None:
    folder = tmp_path / "feedback" if rows is None else own(tmp_path / "feedback", *rows)
    assert own_sources(with_feedback, folder) == set()


# Where a version comes from

POINTER = "data/feedback/feedback.jsonl.dvc"


def trace(
    tmp_path: Path, learnt: bytes, versioned: bytes | None, *, is_cached: bool = True
) -> Link:
    """Return the link of a version that learnt from ``learnt`` to what git has of it."""
    files = {"data/sources.yaml": (ROOT / "data" / "sources.yaml").read_bytes()}
    (tmp_path / "cached").write_bytes(versioned or b"")
    if versioned is not None:
        md5 = hashlib.md5(versioned, usedforsecurity=False).hexdigest()
        files[POINTER] = f"outs:\n- md5: {md5}\n  path: feedback.jsonl\n".encode()
    source = Source(licence="own", files={"feedback.jsonl": hashlib.sha256(learnt).hexdigest()})
    [link] = source_links(
        Manifest.model_construct(sources={FEEDBACK: source}),
        Tree("commit 1234", files),
        lambda _: tmp_path / "cached" if is_cached else None,
    )
    return link


def test_corrections_are_traced_to_what_dvc_has_of_them(tmp_path: Path) -> None:
    assert trace(tmp_path, b"one", b"one").state == "ok"
    other = trace(tmp_path, b"one", b"two")
    assert (other.name, other.state) == ("source feedback", "MISMATCH")


def test_corrections_that_are_not_here_are_told_to_be_so(tmp_path: Path) -> None:
    unversioned = trace(tmp_path, b"one", None)
    assert unversioned.state == "not here"
    assert "`dvc add` makes it" in unversioned.text
    assert trace(tmp_path, b"one", b"one", is_cached=False).state == "not here"


def test_corrections_that_git_ignores_are_no_change_of_the_code() -> None:
    content = b"print(1)\n"
    made = {
        "deps": [
            {"path": "pipelines/a.py", "md5": hashlib.md5(content).hexdigest()},
            {"path": "data/feedback", "md5": "of what git has not.dir"},
        ],
        "outs": [{"path": "artifacts/spam/release", "md5": "0"}],
    }
    manifest = Manifest.model_construct(kind="spam")
    tree = Tree("commit 1234", {"pipelines/a.py": content, "data/feedback/README.md": b"read"})
    assert code_link(manifest, Lock({"package@spam": made}), tree).state == "ok"

"""Bundles of every kind: what goes in comes out, and what is not of the kind is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from models.bundle import load_bundle, save_bundle
from models.errors import BundleError, FormatError, GoldenMismatchError, MissingFileError
from models.kinds import FORMATS
from models.manifest import KINDS, Kind, Thresholds
from models.matching import MATCHING, JobIndex
from models.skill_model import SKILLS, SkillModel
from tests.factories import make_release, starter_skills
from tests.models.test_bundle import replace_file, rewrite_manifest

RESUME = "Backend developer: Python, Django, PostgreSQL, Docker. I go to the gym."


@pytest.fixture
def bundles(tiny_bundles: dict[Kind, Path], tmp_path: Path) -> dict[Kind, Path]:
    """Copies of good bundles, to be spoilt."""
    return {
        kind: Path(shutil.copytree(release / "bundle", tmp_path / kind))
        for kind, release in tiny_bundles.items()
    }


def test_there_is_a_format_for_every_kind() -> None:
    assert tuple(FORMATS) == KINDS
    assert all(form.kind == kind for kind, form in FORMATS.items())


def test_a_loaded_skills_model_finds_what_the_saved_one_did(bundles: dict[Kind, Path]) -> None:
    model: SkillModel = load_bundle(bundles["skills"], SKILLS).model
    found = model.extract(RESUME)
    assert found == starter_skills().extract(RESUME)
    assert {"Python", "Django", "PostgreSQL", "Docker"} <= {hit.name for hit in found if hit.stated}


def test_a_loaded_index_recommends_what_the_saved_one_did(bundles: dict[Kind, Path]) -> None:
    index: JobIndex = load_bundle(bundles["matching"], MATCHING).model
    [best, *_] = index.recommend(RESUME, starter_skills().extract(RESUME), 5)
    assert best.posting.title == "Backend Engineer"


@pytest.mark.parametrize("kind", KINDS)
def test_equal_models_of_a_kind_give_equal_digests(
    kind: Kind, tiny_bundles: dict[Kind, Path], tmp_path: Path
) -> None:
    again = make_release(tmp_path / "again", kind)
    assert again == load_bundle(tiny_bundles[kind] / "bundle", FORMATS[kind]).digest


@pytest.mark.parametrize("kind", KINDS)
def test_a_bundle_is_of_its_own_kind_alone(bundles: dict[Kind, Path], kind: Kind) -> None:
    for other in set(KINDS) - {kind}:
        with pytest.raises(FormatError, match=f"kind '{kind}', not '{other}'"):
            load_bundle(bundles[kind], FORMATS[other])


@pytest.mark.parametrize(
    ("kind", "name"),
    [("skills", "taxonomy.csv"), ("matching", "index.npz"), ("matching", "postings.jsonl")],
)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"PK\x03\x04"])
def test_a_file_of_another_form_is_refused_by_name(
    bundles: dict[Kind, Path], kind: Kind, name: str, content: bytes
) -> None:
    replace_file(bundles[kind], name, content)
    with pytest.raises(FormatError, match=str(bundles[kind])):
        load_bundle(bundles[kind], FORMATS[kind])


@pytest.mark.parametrize(("kind", "name"), [("skills", "taxonomy.csv"), ("matching", "index.npz")])
def test_a_manifest_without_a_file_of_the_kind_is_refused(
    bundles: dict[Kind, Path], kind: Kind, name: str
) -> None:
    (bundles[kind] / name).unlink()
    with pytest.raises(MissingFileError, match=name):
        load_bundle(bundles[kind], FORMATS[kind])
    rewrite_manifest(bundles[kind], lambda manifest: manifest["files"].pop(name))
    with pytest.raises(FormatError, match=name):
        load_bundle(bundles[kind], FORMATS[kind])


def test_a_taxonomy_that_finds_other_skills_is_refused(bundles: dict[Kind, Path]) -> None:
    table = (bundles["skills"] / "taxonomy.csv").read_text(encoding="utf-8")
    row = "Friday Office,at the office,,hard,any,,,\n"
    replace_file(bundles["skills"], "taxonomy.csv", (table + row).encode())
    with pytest.raises(GoldenMismatchError, match=r"golden\.jsonl row 1: .*Friday Office"):
        load_bundle(bundles["skills"], SKILLS)


def test_an_index_that_scores_otherwise_is_refused(bundles: dict[Kind, Path]) -> None:
    path = bundles["matching"] / "golden.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    name = next(iter(rows[0]["scores"]))
    rows[0]["scores"][name] += 0.01
    replace_file(path.parent, path.name, "\n".join(map(json.dumps, rows)).encode())
    with pytest.raises(GoldenMismatchError, match=name):
        load_bundle(bundles["matching"], MATCHING)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("skills", {"thresholds": {"review": 0.5, "block": 0.9}}),
        ("skills", {"normaliser": 1}),
        ("matching", {"labels": ["spam"]}),
        ("spam", {"thresholds": None}),
        ("spam", {"normaliser": None}),
    ],
)
def test_thresholds_labels_and_normaliser_go_with_text_models_alone(
    bundles: dict[Kind, Path], kind: Kind, change: dict[str, Any]
) -> None:
    rewrite_manifest(bundles[kind], lambda manifest: manifest.update(change))
    with pytest.raises(BundleError, match=str(bundles[kind])):
        load_bundle(bundles[kind], FORMATS[kind])


def test_saving_thresholds_with_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="text models"):
        save_bundle(
            tmp_path,
            SKILLS,
            model=starter_skills(),
            metrics={},
            golden=["x"],
            corpus="starter",
            sources={},
            data="",
            params="",
            code="",
            thresholds=Thresholds(review=0.5, block=0.9),
        )

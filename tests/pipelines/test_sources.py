from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.sources import (
    Catalogue,
    RawFile,
    RawIndex,
    RawSource,
    SourcesError,
    choose_sources,
    load_catalogue,
    read_index,
    read_reserved,
    write_index,
)
from tests.factories import ROOT

LISTED = ROOT.parent / "shared" / "datasets" / "datasets.yaml"
MODERATION_TASKS = ("spam", "toxicity", "toxicity (evaluation)")


@pytest.fixture
def declared() -> Catalogue:
    return load_catalogue(ROOT / "data" / "sources.yaml")


def edited(folder: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    """Write data/sources.yaml anew after ``edit`` changed its content."""
    content = yaml.safe_load((ROOT / "data" / "sources.yaml").read_text(encoding="utf-8"))
    edit(content)
    path = folder / "sources.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def test_the_starter_corpus_is_one_source_for_both_models(declared: Catalogue) -> None:
    chosen = choose_sources(declared, "starter", [])
    assert {name: source.task for name, source in chosen.sources.items()} == {
        "starter": "moderation"
    }
    assert chosen.left_out == {}


def test_public_sources_keep_their_order_of_precedence(declared: Catalogue) -> None:
    assert list(choose_sources(declared, "public", []).sources) == [
        "sms_spam_collection",
        "sms_phishing",
        "jigsaw_balanced",
        "wiki_context_toxicity",
        "toxic_spans",
        "tweeteval_offensive",
        "unintended_bias",
    ]


@pytest.mark.skipif(not LISTED.exists(), reason="the shared list of datasets is not here")
def test_every_listed_spam_and_toxicity_file_is_declared_as_listed(declared: Catalogue) -> None:
    listed = yaml.safe_load(LISTED.read_text(encoding="utf-8"))["datasets"]
    expected = {
        (name, file["name"], file["role"], file["url"], file["sha256"], file["bytes"])
        for name, dataset in listed.items()
        if dataset["task"] in MODERATION_TASKS
        for file in dataset["files"]
    }
    assert {
        (name, file, facts.role, facts.url, facts.sha256, facts.bytes)
        for name, source in choose_sources(declared, "public", []).sources.items()
        for file, facts in source.files.items()
    } == expected


def test_an_excluded_licence_leaves_its_sources_out_and_says_so(declared: Catalogue) -> None:
    chosen = choose_sources(declared, "public", ["RESEARCH use"])
    assert list(chosen.left_out) == ["tweeteval_offensive"]
    assert "research use" in chosen.left_out["tweeteval_offensive"]
    assert "tweeteval_offensive" not in chosen.sources
    assert "jigsaw_balanced" in chosen.sources


def test_excluding_all_there_is_to_learn_from_names_the_task_and_what_was_left_out(
    declared: Catalogue,
) -> None:
    with pytest.raises(SourcesError, match=r"train spam.*CC BY 4\.0.*sms_phishing"):
        choose_sources(declared, "public", ["CC BY 4.0"])


def test_evaluation_files_alone_are_nothing_to_learn_from(declared: Catalogue) -> None:
    licences = ["research use", "Apache-2.0", "CC0"]
    with pytest.raises(SourcesError, match="train toxicity"):
        choose_sources(declared, "public", licences)


def rename_a_key(content: dict[str, Any]) -> None:
    source = content["sources"]["sms_phishing"]
    source["license"] = source.pop("licence")


def lead_elsewhere(content: dict[str, Any]) -> None:
    files = content["sources"]["sms_phishing"]["files"]
    files["../../Dataset_5971.csv"] = files.pop("Dataset_5971.csv")


def unpin(content: dict[str, Any]) -> None:
    del content["sources"]["sms_phishing"]["files"]["Dataset_5971.csv"]["sha256"]


def shorten_a_digest(content: dict[str, Any]) -> None:
    content["reserved"]["sha256"] = "abc"


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (rename_a_key, "sms_phishing.license"),
        (lead_elsewhere, r"\.\./\.\./Dataset_5971\.csv"),
        (unpin, "Dataset_5971.csv needs url, sha256 and bytes"),
        (shorten_a_digest, "reserved.sha256"),
    ],
)
def test_a_wrong_declaration_is_named(
    tmp_path: Path, edit: Callable[[dict[str, Any]], None], named: str
) -> None:
    path = edited(tmp_path, edit)
    with pytest.raises(SourcesError, match=named) as caught:
        load_catalogue(path)
    assert str(path) in str(caught.value)


def test_an_absent_or_malformed_declaration_is_an_error_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    with pytest.raises(SourcesError, match=r"sources\.yaml cannot be read"):
        load_catalogue(path)
    path.write_text("sources: [", encoding="utf-8")
    with pytest.raises(SourcesError, match=r"sources\.yaml cannot be read"):
        load_catalogue(path)


def test_the_index_of_raw_files_is_read_as_it_was_written(tmp_path: Path) -> None:
    source = RawSource(
        task="spam",
        licence="CC0",
        reader="sms_phishing",
        files={"a.csv": RawFile(role="train", sha256="0" * 64, bytes=3)},
    )
    index = RawIndex(
        corpus="public",
        order=("z_first", "a_second"),
        sources={"z_first": source, "a_second": source},
        left_out={"other": "research use"},
        reserved=None,
    )
    write_index(index, tmp_path)
    assert read_index(tmp_path) == index


def test_without_an_index_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourcesError, match="dvc repro ingest"):
        read_index(tmp_path)


def test_the_head_of_the_reserved_list_is_no_hash(tmp_path: Path) -> None:
    (tmp_path / "reserved.txt").write_text("# Hashes.\n0001210a98b0cf14\n0002838c8e926d28\n")
    assert read_reserved(tmp_path / "reserved.txt") == {"0001210a98b0cf14", "0002838c8e926d28"}

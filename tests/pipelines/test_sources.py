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
    Task,
    choose_sources,
    load_catalogue,
    read_index,
    read_reserved,
    write_index,
)
from tests.factories import ROOT

LISTED = ROOT.parent / "shared" / "datasets" / "datasets.yaml"


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


def test_the_starter_corpus_is_one_source_for_messages_and_one_for_jobs(
    declared: Catalogue,
) -> None:
    chosen = choose_sources(declared, "starter", [])
    assert {name: source.task for name, source in chosen.sources.items()} == {
        "starter": "moderation",
        "starter_jobs": "jobs",
    }
    assert chosen.left_out == {}


def test_a_public_file_that_git_versions_needs_no_address(tmp_path: Path) -> None:
    def version(content: dict[str, Any]) -> None:
        content["sources"]["sms_phishing"]["files"] = {
            "messages.csv": {"role": "train", "versioned": True}
        }

    [file] = load_catalogue(edited(tmp_path, version)).sources["sms_phishing"].files.values()
    assert (file.versioned, file.url) == (True, None)


def test_public_sources_keep_their_order_of_precedence(declared: Catalogue) -> None:
    assert list(choose_sources(declared, "public", []).sources) == [
        "workplace",
        "sms_spam_collection",
        "sms_phishing",
        "jigsaw_balanced",
        "wiki_context_toxicity",
        "toxic_spans",
        "tweeteval_offensive",
        "unintended_bias",
        "skillspan",
        "onet",
        "esco",
        "esco_labels",
        "dice_jobs",
        "google_jobs",
        "glassdoor_jobs",
        "resume_categories",
    ]


@pytest.mark.skipif(not LISTED.exists(), reason="the shared list of datasets is not here")
def test_every_listed_file_is_declared_as_listed(declared: Catalogue) -> None:
    listed = yaml.safe_load(LISTED.read_text(encoding="utf-8"))["datasets"]
    expected = {
        (name, file["name"], file["role"], file["url"], file["sha256"], file["bytes"])
        for name, dataset in listed.items()
        for file in dataset["files"]
    }
    assert {
        (name, file, facts.role, facts.url, facts.sha256, facts.bytes)
        for name, source in choose_sources(declared, "public", []).sources.items()
        for file, facts in source.files.items()
        if not facts.versioned  # such a file is the project's own
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
        choose_sources(declared, "public", ["CC BY 4.0", "Apache-2.0"])


def test_evaluation_files_alone_are_nothing_to_learn_from(declared: Catalogue) -> None:
    licences = ["research use", "Apache-2.0", "CC0"]
    with pytest.raises(SourcesError, match="train toxicity"):
        choose_sources(declared, "public", licences)


def test_without_postings_there_is_nothing_to_learn_jobs_from(declared: Catalogue) -> None:
    with pytest.raises(SourcesError, match=r"train jobs.*'unstated'.*glassdoor_jobs"):
        choose_sources(declared, "public", ["unstated"])


def test_without_sources_of_skills_the_taxonomy_is_there_still(declared: Catalogue) -> None:
    licences = ["MIT", "O*NET", "European Commission"]
    chosen = choose_sources(declared, "public", licences)
    assert list(chosen.left_out) == ["skillspan", "onet", "esco", "esco_labels"]
    assert "dice_jobs" in chosen.sources


def test_messages_and_resumes_alone_are_nothing_to_learn_jobs_from(declared: Catalogue) -> None:
    resumes = {"resumes.yaml": declared.sources["starter_jobs"].files["resumes.yaml"]}
    scored = declared.sources["starter_jobs"].model_copy(update={"files": resumes})
    sources = declared.sources | {"starter_jobs": scored}
    with pytest.raises(SourcesError, match="train jobs"):
        choose_sources(declared.model_copy(update={"sources": sources}), "starter", [])


def rename_a_key(content: dict[str, Any]) -> None:
    source = content["sources"]["sms_phishing"]
    source["license"] = source.pop("licence")


def lead_elsewhere(content: dict[str, Any]) -> None:
    files = content["sources"]["sms_phishing"]["files"]
    files["../../Dataset_5971.csv"] = files.pop("Dataset_5971.csv")


def lead_elsewhere_by_folder(content: dict[str, Any]) -> None:
    content["sources"]["starter_jobs"]["files"]["resumes.yaml"]["folder"] = "../.."


def unpin(content: dict[str, Any]) -> None:
    del content["sources"]["sms_phishing"]["files"]["Dataset_5971.csv"]["sha256"]


def shorten_a_digest(content: dict[str, Any]) -> None:
    content["reserved"]["sha256"] = "abc"


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (rename_a_key, "sms_phishing.license"),
        (lead_elsewhere, r"\.\./\.\./Dataset_5971\.csv"),
        (lead_elsewhere_by_folder, r"resumes\.yaml\.folder"),
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


def make_index(**tasks: Task) -> RawIndex:
    files = {"a.csv": RawFile(role="train", sha256="0" * 64, bytes=3)}
    return RawIndex(
        corpus="public",
        order=tuple(tasks),
        sources={
            name: RawSource(task=task, licence="CC0", reader="sms_phishing", files=files)
            for name, task in tasks.items()
        },
        left_out={"other": "research use"},
        reserved=None,
    )


def test_the_index_of_raw_files_is_read_as_it_was_written(tmp_path: Path) -> None:
    index = make_index(z_first="spam", a_second="jobs")
    write_index(index, tmp_path)
    assert read_index(tmp_path) == index


def test_the_index_of_some_tasks_has_their_sources_in_the_same_order() -> None:
    index = make_index(z_first="spam", jobs="jobs", skills="skills", a_last="moderation")
    messages = index.of_tasks("spam", "toxicity", "moderation")
    assert (messages.order, set(messages.sources)) == (("z_first", "a_last"), {"z_first", "a_last"})
    assert index.of_tasks("jobs").left_out == index.left_out


def test_without_an_index_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourcesError, match="dvc repro ingest"):
        read_index(tmp_path)


def test_the_head_of_the_reserved_list_is_no_hash(tmp_path: Path) -> None:
    (tmp_path / "reserved.txt").write_text("# Hashes.\n0001210a98b0cf14\n0002838c8e926d28\n")
    assert read_reserved(tmp_path / "reserved.txt") == {"0001210a98b0cf14", "0002838c8e926d28"}

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.postings import Posting, load_postings
from models.text import group_key, reserved_key
from pipelines import clean_jobs as stage
from pipelines.clean_jobs import (
    TABLES,
    Row,
    clean,
    folded,
    phrase_rows,
    posting_rows,
    read_rows,
    report,
    resume_rows,
    sentence_rows,
    title_rows,
)
from pipelines.raw_files import RawReadError
from pipelines.sources import (
    RawFile,
    RawIndex,
    RawSource,
    read_reserved,
)
from pipelines.stage import read_lines
from tests.factories import ROOT
from tests.pipelines.stages import MIRROR, run_stage


def posted(*drafts: tuple[str, str], source: str = "one") -> list[Row]:
    """Return postings of titles and descriptions."""
    return list(
        posting_rows(source, ({"title": title, "description": text} for title, text in drafts))
    )


def only_posting(**draft: Any) -> Posting:
    [row] = posting_rows("one", [draft])
    assert isinstance(row.content, Posting)
    return row.content


def resume(text: str) -> list[Row]:
    fields = {"id": "r", "set": "scored", "category": "HR", "text": text, "years": None}
    return list(resume_rows("resumes", [fields]))


def sentences(name: str, *texts: str, posting: str = "1") -> list[Row]:
    return list(
        sentence_rows(
            "skillspan",
            (
                {"set": name, "posting": f"{name}-{posting}", "tokens": text.split()}
                for text in texts
            ),
        )
    )


def phrases(source: str, *names: str) -> list[Row]:
    return list(
        phrase_rows(source, ({"name": name, "aliases": [], "category": "hard"} for name in names))
    )


def cleaned(
    reserved: frozenset[str] = frozenset(), sample: int | None = None, **tables: list[Row]
) -> dict[str, list[str]]:
    """Return why each row of each table is dropped, "" for those that stay."""
    rows = {name: tables.get(name, []) for name in TABLES}
    clean(rows, reserved, sample)
    return {name: [row.dropped for row in rows[name]] for name in tables}


# Rows


def test_a_posting_has_its_source_and_its_place_in_it_as_id() -> None:
    [_, row] = posted(("", "x"), ("Cook", "Soups"), source="dice_jobs")
    assert (row.content.id, row.content.source) == ("dice_jobs-2", "dice_jobs")
    assert (row.part, row.text) == ("dice_jobs", "Cook\nSoups")


def test_a_posting_that_says_nothing_is_dropped_for_its_reason() -> None:
    drafts = [{"title": "", "description": "x"}, {"title": "Cook"}, {"title": "Cook", "skills": ()}]
    assert [row.dropped for row in posting_rows("one", drafts)] == [
        "no_title",
        "no_text",
        "no_text",
    ]


def test_addresses_and_phone_numbers_are_masked_wherever_a_posting_has_them() -> None:
    posting = only_posting(
        title="Cook jo@mail.example.org",
        description="Ring (212) 555-0187.",
        skills=("send to x@y.example",),
    )
    assert posting.title == "Cook someone@example.com"
    assert posting.description == "Ring 5550100."
    assert posting.skills == ("send to someone@example.com",)


def test_a_resume_is_masked() -> None:
    [row] = resume("Jo, jo@mail.example.org")
    assert row.content["text"] == "Jo, someone@example.com"


def test_a_posting_is_remote_if_it_says_so_and_as_the_source_says_if_it_does() -> None:
    assert only_posting(title="Editor (remote)", description="x").remote is True
    assert only_posting(title="Editor", description="x").remote is None
    assert only_posting(title="Editor", description="x", location="Remote").remote is True
    assert only_posting(title="Editor (remote)", description="x", remote=False).remote is False


def test_a_field_that_no_posting_has_is_refused_with_the_posting() -> None:
    with pytest.raises(RawReadError, match=r"one-1: \('salary',\)"):
        only_posting(title="Cook", description="x", salary="little")


# What is dropped


def test_one_text_is_one_posting_whatever_its_case_and_punctuation() -> None:
    first = posted(("Cook", "Soups, sauces."), ("Cook", "Cakes"))
    second = posted(("COOK", "soups - sauces"), source="two")
    assert cleaned(postings=[*first, *second])["postings"] == ["", "", "duplicate"]


def test_skills_that_differ_by_a_sign_are_two() -> None:
    rows = posted(("Developer", "C++"), ("Developer", "C#"), ("Developer", "C"))
    assert cleaned(postings=rows)["postings"] == ["", "", ""]


def test_a_text_that_is_scored_is_not_trained_on_nor_one_that_is_nearly_it() -> None:
    found = cleaned(
        postings=posted(("Cook", "I make SOUP!"), ("Cook", "I make s0up"), ("Cook", "I make pie")),
        resumes=[*resume("cook: i make soup"), *resume("Cook. I make s oup 12")],
        sentences=[*sentences("train", "We Bake .", "We fry"), *sentences("dev", "we bake")],
    )
    assert found["postings"] == ["in_evaluation", "", ""]
    assert found["resumes"] == ["", ""]
    assert found["sentences"] == ["in_evaluation", "", ""]
    near = cleaned(
        sentences=[*sentences("train", "bake 12 loaves"), *sentences("dev", "Bake loaves")]
    )
    assert near["sentences"] == ["near_evaluation", ""]


def test_a_reserved_text_is_not_trained_on_and_may_be_scored() -> None:
    reserved = frozenset({reserved_key("kept for later"), reserved_key("cook soups")})
    found = cleaned(
        reserved,
        postings=posted(("Cook", "Soups!"), ("Cook", "Pies")),
        sentences=[
            *sentences("train", "Kept for later .", "used"),
            *sentences("dev", "cook soups"),
        ],
    )
    assert found == {"postings": ["reserved", ""], "sentences": ["reserved", "", ""]}


def test_titles_are_kept_once_and_phrases_once_in_each_source() -> None:
    titles = [*title_rows("one", ["Cook", "COOK", ""]), *title_rows("two", ["cook", "Baker"])]
    names = [*phrases("one", "Java", "java", ""), *phrases("two", "JAVA", "C#", "C++")]
    found = cleaned(titles=titles, phrases=names)
    assert found["titles"] == ["", "duplicate", "no_title", "duplicate", ""]
    assert found["phrases"] == ["", "duplicate", "no_name", "", "", ""]


def test_repeated_sentences_stay_and_repeated_resumes_go() -> None:
    found = cleaned(
        resumes=[*resume("Cook"), *resume("COOK!")],
        sentences=sentences("train", "Benefits :", "Benefits :"),
    )
    assert found == {"resumes": ["", "duplicate"], "sentences": ["", ""]}


# Sampling


def test_a_sample_has_the_same_rows_whatever_their_order_and_grows_with_its_size() -> None:
    drafts = [(f"Cook {letter}", "x") for letter in "abcdefgh"]

    def chosen(order: list[tuple[str, str]], size: int) -> set[str]:
        rows = posted(*order)
        cleaned(postings=rows, sample=size)
        return {row.text for row in rows if not row.dropped}

    assert chosen(drafts, 3) == chosen(drafts[::-1], 3)
    assert len(chosen(drafts, 3)) == 3
    assert chosen(drafts, 3) < chosen(drafts, 5)


def test_every_part_of_every_table_is_sampled_for_itself() -> None:
    names = [f"name {letter}" for letter in "abcdefgh"]
    found = cleaned(
        sample=2,
        postings=[*posted(*((name, "x") for name in names)), *posted(("Cook", "x"), source="two")],
        titles=[*title_rows("one", names)],
        resumes=[row for name in names for row in resume(f"resume of {name}")],
        phrases=[*phrases("one", *names), *phrases("two", *names)],
        sentences=[*sentences("train", *names[:4]), *sentences("dev", *names[4:])],
    )
    kept = {name: [reason for reason in reasons if not reason] for name, reasons in found.items()}
    assert {name: len(rows) for name, rows in kept.items()} == {
        "postings": 3,
        "titles": 2,
        "resumes": 2,
        "phrases": 4,
        "sentences": 4,
    }


def test_sentences_are_sampled_by_posting_in_their_order() -> None:
    rows = [
        row
        for posting in "abcd"
        for row in sentences("train", "one", "two", "three", posting=posting)
    ]
    cleaned(sentences=rows, sample=7)
    kept = [row.content["posting"] for row in rows if not row.dropped]
    assert sorted(kept.count(posting) for posting in set(kept)) == [1, 3, 3]
    cut = [row.text for row in rows if not row.dropped and kept.count(row.content["posting"]) == 1]
    assert cut == ["one"]


# Report


def make_index(**readers: str) -> RawIndex:
    files = {"a.csv": RawFile(role="train", sha256="a" * 64, bytes=1)}
    sources = {
        name: RawSource(task="jobs", licence="CC0", reader=reader, files=files)
        for name, reader in readers.items()
    }
    return RawIndex(
        corpus="public",
        order=tuple(readers),
        sources=sources,
        left_out={"onet": "CC BY 4.0"},
        reserved=None,
    )


def test_the_report_counts_every_row_by_table_part_and_reason() -> None:
    rows: dict[str, list[Row]] = {name: [] for name in TABLES}
    rows["postings"] = [*posted(("Cook", "x"), ("cook", "X"), ("", "x")), *posted(source="two")]
    rows["phrases"] = phrases("one", "Java")
    clean(rows, frozenset(), None)
    found = report(rows, make_index(one="dice_jobs"))
    assert found["tables"] == {
        "postings": {
            "one": {"read": 3, "dropped": {"duplicate": 1, "no_title": 1}, "kept": 1, "labels": {}}
        },
        "phrases": {"one": {"read": 1, "dropped": {}, "kept": 1, "labels": {"hard": 1}}},
    }
    assert found["sources"]["one"]["files"] == {"a.csv": "a" * 64}
    assert found["left_out"] == {"onet": "CC BY 4.0"}


def test_a_source_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "google").mkdir()
    (tmp_path / "google" / "job_skills.csv").write_text("Company,Name\nGoogle,Cook\n")
    with pytest.raises(RawReadError, match=r"source google: job_skills\.csv: no column 'Title'"):
        read_rows(make_index(google="google_jobs"), tmp_path)


# The stage

FILES = {
    "postings": "postings.jsonl",
    "titles": "titles.jsonl",
    "resumes": "resumes.jsonl",
    "sentences": "skill_sentences.jsonl",
    "phrases": "skill_phrases.jsonl",
}


def add_up(counts: dict[str, Any]) -> Iterator[bool]:
    for table in counts.values():
        for part in table.values():
            yield part["read"] == part["kept"] + sum(part["dropped"].values())


def test_the_starter_corpus_comes_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = run_stage(stage.main, tmp_path, monkeypatch, "starter", FILES)
    assert found["tables"]["postings"]["starter_jobs"]["dropped"] == {}
    postings = load_postings(tmp_path / FILES["postings"])
    written = load_postings(ROOT / "data" / "starter" / "postings.jsonl")
    assert [posting.id for posting in postings] == [posting.id for posting in written]
    assert {posting.source for posting in postings} == {"starter_jobs"}
    resumes = read_lines(tmp_path / FILES["resumes"])
    assert len(resumes) == 20
    assert {resume["set"] for resume in resumes} == {"starter_resumes"}
    assert {posting.family for posting in postings} >= {resume["category"] for resume in resumes}
    assert all(resume["years"] >= 0 for resume in resumes)
    titles = [row["title"] for row in read_lines(tmp_path / FILES["titles"])]
    assert {"Python Developer", "Staff Nurse"} <= set(titles)
    for table in ("sentences", "phrases"):
        assert read_lines(tmp_path / FILES[table]) == []


def test_the_same_raw_files_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = []
    for name in ("first", "second"):
        run_stage(stage.main, tmp_path / name, monkeypatch, "starter", FILES, sample=50)
        files = (*FILES.values(), "counts.json")
        contents.append([(tmp_path / name / file).read_bytes() for file in files])
    assert contents[0] == contents[1]
    assert contents[0][0].count(b"\n") == 50


def test_without_a_posting_the_stage_ends_with_its_report_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "read_rows", lambda *_: {name: [] for name in TABLES})
    with pytest.raises(SystemExit, match=r"no posting is left; counts\.json counts"):
        run_stage(stage.main, tmp_path, monkeypatch, "starter", FILES)
    assert (tmp_path / "counts.json").exists()


@pytest.mark.skipif(not MIRROR.is_dir(), reason="the mirror of the public datasets is not here")
def test_no_public_row_to_learn_from_is_scored_or_reserved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run_stage(stage.main, tmp_path, monkeypatch, "public", FILES)
    assert all(add_up(found["tables"]))
    postings = load_postings(tmp_path / FILES["postings"])
    tables = {name: read_lines(tmp_path / file) for name, file in FILES.items()}
    assert set(found["sources"]) == {
        *("skillspan", "onet", "esco", "esco_labels", "dice_jobs", "google_jobs"),
        *("glassdoor_jobs", "resume_categories"),
    }
    texts = {"train": [posting.text for posting in postings], "dev": []}
    for sentence in tables["sentences"]:
        texts[sentence["set"]].append(" ".join(sentence["tokens"]))
    scored = [*texts["dev"], *(resume["text"] for resume in tables["resumes"])]
    assert len(tables["resumes"]) == 166
    assert len(texts["dev"]) == 3174
    assert not {folded(text) for text in scored} & {folded(text) for text in texts["train"]}
    assert not {group_key(text) for text in scored} & {group_key(text) for text in texts["train"]}
    reserved = read_reserved(tmp_path / "raw" / "reserved.txt")
    assert not reserved & {reserved_key(text) for text in texts["train"]}
    assert len({folded(posting.text) for posting in postings}) == len(postings) > 20_000
    glassdoor = [posting for posting in postings if posting.source == "glassdoor_jobs"]
    assert len(glassdoor) == 597
    assert not any("\n" in (posting.company or "") for posting in glassdoor)
    dice = [posting for posting in postings if posting.source == "dice_jobs"]
    assert {field for posting in dice for field in posting.model_dump(exclude_defaults=True)} == {
        *("id", "title", "skills", "years", "remote", "source")
    }

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.params import CleanParams, load_params
from models.text import group_key, normalise, reserved_key
from pipelines import clean as stage
from pipelines.clean import (
    CleanError,
    clean,
    evaluation_table,
    read_rows,
    report,
    training_table,
)
from pipelines.raw_files import RawReadError
from pipelines.readers import CATEGORIES, rows_of
from pipelines.sources import (
    RawFile,
    RawIndex,
    RawSource,
    read_reserved,
)
from pipelines.stage import read_table
from tests.factories import ROOT
from tests.pipelines.stages import MIRROR, run_stage

PARAMS = load_params(ROOT / "params.yaml").clean

UNKNOWN = float("nan")


def messages(*rows: tuple[str, int], source: str = "one", task: str = "spam") -> pd.DataFrame:
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    return rows_of(texts, labels, task=task).assign(source=source)


def scored(*texts: str) -> pd.DataFrame:
    rows = messages(*((text, 0) for text in texts), source="bias", task="toxicity")
    return rows.assign(set="identity_templates")


def cleaned(
    *parts: pd.DataFrame,
    params: CleanParams = PARAMS,
    reserved: frozenset[str] = frozenset(),
    sample: int | None = None,
) -> pd.DataFrame:
    return clean(pd.concat(parts, ignore_index=True), params, reserved, sample)


def reasons(rows: pd.DataFrame) -> list[str]:
    found: list[str] = rows["dropped"].tolist()
    return found


def decided(*rows: tuple[str, int], task: str = "spam") -> pd.DataFrame:
    return messages(*rows, source="feedback", task=task)


# What moderators say


def test_moderators_overrule_whatever_sources_say_of_a_text() -> None:
    rows = cleaned(
        decided(("Win now", 1)),
        messages(("win now", 0), ("WIN NOW", 0), ("other", 0)),
        messages(("win now", 1), source="two"),
    )
    assert reasons(rows) == ["", "overruled", "overruled", "", "duplicate"]


def test_what_moderators_say_of_one_model_leaves_the_other_alone() -> None:
    rows = cleaned(
        decided(("win now", 1)), messages(("win now", 0)), messages(("win now", 0), task="toxicity")
    )
    assert reasons(rows) == ["", "overruled", ""]


def test_corrections_that_masking_makes_one_text_settle_it_only_if_they_agree() -> None:
    rows = cleaned(
        decided(("write a@corp.example", 1), ("write b@corp.example", 0)),
        messages(("write c@corp.example", 0)),
    )
    assert reasons(rows) == ["outvoted", "", "duplicate"]


def test_a_text_that_is_scored_is_not_learnt_from_whoever_decided_on_it() -> None:
    rows = cleaned(decided(("i am here", 1)), scored("I am here"))
    assert reasons(rows) == ["in_evaluation", ""]


def test_categories_that_moderators_named_come_before_those_of_sources() -> None:
    said = decided(("you fool", 1), task="toxicity").assign(insult=0.0)
    source = messages(("you fool", 1), task="toxicity").assign(insult=1.0, threat=1.0)
    rows = cleaned(said, source)
    assert reasons(rows) == ["", "duplicate"]
    assert rows.loc[0, ["insult", "threat"]].tolist() == [0.0, 1.0]


def test_a_correction_stays_on_the_side_of_the_template_it_was_made_from() -> None:
    rows = cleaned(
        decided(("Room 7 is free", 1), ("of nobody's template", 1)),
        messages(("room 8 is free", 0), ("room nine is free", 0)).assign(group="0123456789abcdef"),
    )
    assert rows.loc[0, "group"] == "0123456789abcdef"
    assert rows.loc[1, "group"] == group_key("of nobody's template")


def test_personal_data_in_corrections_is_masked_as_anywhere() -> None:
    rows = cleaned(decided(("write to jane.doe@corp.example", 1)))
    assert "jane.doe" not in rows.loc[0, "text"]


# What is dropped


def test_a_row_whose_text_is_scored_or_nearly_is_not_trained_on() -> None:
    rows = cleaned(
        messages(("I AM  here", 0), ("i am here!", 0), ("I was there", 0)), scored("i am here")
    )
    assert reasons(rows) == ["in_evaluation", "near_evaluation", "", ""]


@pytest.mark.parametrize(
    ("listed", "published"),
    [
        ("fish &amp; chips", "fish &amp; chips"),
        ("fish & chips", "fish &amp; chips"),
        ("mail someone@example.com", "mail j.doe@corp.example.com"),
        ("MAIL, j.doe@corp.example.com", "mail j.doe@corp.example.com"),
    ],
)
def test_a_reserved_text_is_not_trained_on_in_any_stage_of_cleaning(
    listed: str, published: str
) -> None:
    rows = cleaned(
        messages((published, 1), ("another", 0)), reserved=frozenset({reserved_key(listed)})
    )
    assert reasons(rows) == ["reserved", ""]


def test_a_reserved_text_may_be_scored() -> None:
    rows = cleaned(scored("kept for later"), reserved=frozenset({reserved_key("kept for later")}))
    assert reasons(rows) == [""]


def test_length_is_counted_after_cleaning() -> None:
    params = PARAMS.model_copy(update={"min_chars": 2, "max_chars": 12})
    rows = cleaned(
        messages(("x", 0), ("\u200b \u200b", 0), ("a" * 13, 0), ("&lt;" * 12, 0)), params=params
    )
    assert reasons(rows) == ["too_short", "too_short", "too_long", ""]


def test_the_first_source_keeps_a_text_that_several_have() -> None:
    rows = cleaned(messages(("Hello", 0)), messages(("HELLO", 0), ("new", 0), source="two"))
    assert reasons(rows) == ["", "duplicate", ""]


def test_the_majority_settles_a_conflict_and_a_tie_drops_the_text() -> None:
    rows = cleaned(
        messages(("win", 0), ("draw", 0)),
        messages(("win", 1), ("WIN", 1), ("draw", 1), source="two"),
    )
    assert reasons(rows) == [
        "outvoted",
        "conflicting_labels",
        "",
        "duplicate",
        "conflicting_labels",
    ]
    assert rows.loc[2, "label"] == 1


def test_a_text_of_both_tasks_stays_in_both() -> None:
    rows = cleaned(messages(("same", 0)), messages(("same", 1), task="toxicity"))
    assert reasons(rows) == ["", ""]


def test_what_duplicates_know_of_categories_is_kept() -> None:
    first = messages(("foul", 1), task="toxicity")
    second = messages(("FOUL", 1), source="two", task="toxicity").assign(
        insult=1.0, threat=0.0, category="insult"
    )
    outvoted = messages(("foul", 0), source="three", task="toxicity")
    rows = cleaned(first, second, outvoted)
    assert reasons(rows) == ["", "duplicate", "outvoted"]
    assert rows.loc[0, ["insult", "threat", "category", "source"]].tolist() == [
        1.0,
        0.0,
        "insult",
        "one",
    ]
    assert rows.loc[0, ["obscene", "identity_attack"]].isna().all()


def test_rows_a_reader_dropped_settle_nothing() -> None:
    unused = messages(("foul", 0), ("foul", 0)).assign(dropped="raters_disagree")
    rows = cleaned(unused, messages(("foul", 1)))
    assert reasons(rows) == ["raters_disagree", "raters_disagree", ""]


# Sampling

words = st.lists(
    st.text(st.sampled_from("abcdefgh"), min_size=2, max_size=4), min_size=1, max_size=40
)


@settings(max_examples=25, deadline=None)
@given(words, st.integers(1, 10))
def test_a_sample_has_the_same_texts_whatever_the_order_and_grows_with_its_size(
    texts: list[str], size: int
) -> None:
    def chosen(order: list[str], size: int) -> set[str]:
        rows = cleaned(messages(*((text, 0) for text in order)), sample=size)
        return set(rows.loc[rows["dropped"] == "", "plain"])

    small = chosen(texts, size)
    assert small == chosen(texts[::-1], size)
    assert small <= chosen(texts, size + 1)
    assert len(small) == min(size, len({normalise(text) for text in texts}))


def test_each_source_and_each_evaluation_set_is_sampled_for_itself() -> None:
    many = [f"{first}{last} text" for first in "abcde" for last in "fghij"]
    rows = cleaned(
        messages(*((text, 0) for text in many)),
        messages(*((f"{text} two", 0) for text in many), source="two"),
        scored(*(f"{text} scored" for text in many)),
        sample=7,
    )
    used = rows[rows["dropped"] == ""]
    assert used.groupby(["source", "set"]).size().tolist() == [7, 7, 7]
    assert set(rows["dropped"]) == {"", "not_sampled"}


def test_a_row_is_held_against_evaluation_rows_outside_the_sample_too() -> None:
    texts = [f"sentence {letter}" for letter in "abcdefgh"]
    rows = cleaned(messages(*((text, 0) for text in texts)), scored(*texts), sample=1)
    assert reasons(rows)[: len(texts)] == ["in_evaluation"] * len(texts)


# Tables and report


def test_the_tables_have_the_columns_and_types_the_stages_agreed_on() -> None:
    rows = cleaned(
        messages(("spam here", 1), ("call 07700900123", 0)),
        messages(("foul", 1), ("fine", 0), task="toxicity"),
        scored("a phrase"),
    )
    spam, toxic = training_table(rows, "spam"), training_table(rows, "toxicity")
    columns = ["text", "label", "source", "category", "group", "weight"]
    assert list(spam.columns) == columns
    assert list(toxic.columns) == [*columns[:2], *CATEGORIES, *columns[2:]]
    assert (spam["label"].dtype, spam["weight"].dtype) == ("int8", "float32")
    assert {str(toxic[category].dtype) for category in CATEGORIES} == {"float32"}
    assert spam["text"].tolist() == ["spam here", "call 5550100"]
    assert spam["group"].tolist() == [group_key(text) for text in spam["text"]]
    assert (spam["weight"] == 1).all()
    assert list(evaluation_table(rows).columns) == ["text", "label", "set", "group"]
    assert evaluation_table(rows)["text"].tolist() == ["a phrase"]


def test_a_model_with_no_row_of_a_label_is_an_error_that_says_where_to_look() -> None:
    rows = cleaned(messages(("only ham", 0)))
    with pytest.raises(CleanError, match=r"label 1 is left for spam.*clean\.json"):
        training_table(rows, "spam")


def make_index(**readers: str) -> RawIndex:
    return RawIndex(
        corpus="public",
        order=tuple(readers),
        sources={
            name: RawSource(
                task="spam",
                licence="CC0",
                reader=reader,
                files={"a.csv": RawFile(role="train", sha256="a" * 64, bytes=1)},
            )
            for name, reader in readers.items()
        },
        left_out={"tweets": "research use"},
        reserved=None,
    )


def test_the_report_counts_every_row_by_table_source_and_reason() -> None:
    rows = cleaned(
        messages(("hello", 0), ("Hello", 0), ("win", 1)),
        messages(("hello", 0), source="two"),
        scored("a phrase", "another"),
        sample=1,
    )
    found = report(rows, make_index(one="starter", two="starter"))
    assert found["tables"]["spam"]["one"]["read"] == 3
    assert found["tables"]["spam"]["one"]["dropped"] == {"duplicate": 1, "not_sampled": 1}
    assert found["tables"]["spam"]["two"] == {
        "read": 1,
        "dropped": {"duplicate": 1},
        "kept": 0,
        "labels": {},
    }
    assert found["tables"]["evaluation"]["identity_templates"]["kept"] == 1
    assert found["sources"]["one"]["files"] == {"a.csv": "a" * 64}
    assert found["sources"]["one"]["licence"] == "CC0"
    assert found["left_out"] == {"tweets": "research use"}


def test_a_source_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "test.csv").write_text("hello,maybe\n")
    with pytest.raises(RawReadError, match=r"source letters: test\.csv.*'maybe'"):
        read_rows(make_index(letters="jigsaw_balanced"), tmp_path, PARAMS)


def add_up(counts: dict[str, Any]) -> Iterator[bool]:
    for table in counts.values():
        for source in table.values():
            yield source["read"] == source["kept"] + sum(source["dropped"].values())
            yield source["kept"] == sum(source["labels"].values())


TABLES = {table: f"{table}.parquet" for table in ("spam", "toxicity", "evaluation")}


def test_the_starter_corpus_comes_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = run_stage(stage.main, tmp_path, monkeypatch, "starter", TABLES)
    assert all(add_up(found["tables"]))
    spam, toxic = (read_table(tmp_path / f"{name}.parquet") for name in ("spam", "toxicity"))
    assert min(len(spam), len(toxic)) > 1_500
    assert spam["group"].nunique() > 500
    assert set(toxic.loc[toxic["label"] == 0, list(CATEGORIES)].stack()) == {0.0}
    assert all((toxic[category] == 1).sum() > 30 for category in CATEGORIES)
    assert len(read_table(tmp_path / "evaluation.parquet")) == 0


def test_the_same_raw_files_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        run_stage(stage.main, folder, monkeypatch, "starter", TABLES, sample=300)
        contents.append([(folder / file).read_bytes() for file in ("spam.parquet", "counts.json")])
    assert contents[0] == contents[1]


@pytest.mark.skipif(not MIRROR.is_dir(), reason="the mirror of the public datasets is not here")
def test_no_public_training_row_is_scored_or_reserved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run_stage(stage.main, tmp_path, monkeypatch, "public", TABLES)
    assert all(add_up(found["tables"]))
    evaluation = read_table(tmp_path / "evaluation.parquet")
    scored_texts = {normalise(text) for text in evaluation["text"]}
    reserved = read_reserved(tmp_path / "raw" / "reserved.txt")
    assert len(evaluation) > 70_000
    assert len(reserved) > 30_000
    for model in ("spam", "toxicity"):
        table = read_table(tmp_path / f"{model}.parquet")
        plain = table["text"].map(normalise)
        assert plain.is_unique
        assert not set(plain) & scored_texts
        assert not set(table["group"]) & set(evaluation["group"])
        assert not reserved & {reserved_key(text) for text in table["text"]}
    dropped = found["tables"]["toxicity"]["toxic_spans"]["dropped"]
    assert dropped["reserved"] > 1_000
    assert dropped["in_evaluation"] > 100

import json
from typing import Any

import pytest

from pipelines.raw_files import RawReadError, Tables
from pipelines.skill_readers import PHRASE_READERS, SENTENCE_READERS, TITLE_READERS
from tests.pipelines.tables import table

Sentence = tuple[list[str], list[str], list[str]]

BAKE: Sentence = (["You", "bake", "bread"], ["O", "B", "I"], ["O", "O", "B"])


def skillspan(train: Sentence, dev: Sentence = BAKE) -> list[dict[str, Any]]:
    columns = ("idx", "tokens", "tags_skill", "tags_knowledge", "source")
    tables = {
        f"{name}.json": table(*columns, rows=[("4", *map(json.dumps, lists), "tech")])
        for name, lists in (("train", train), ("dev", dev))
    }
    return list(SENTENCE_READERS["skillspan"](tables))


def test_sentences_keep_both_layers_and_postings_of_two_files_are_two() -> None:
    assert skillspan(BAKE) == [
        {
            "set": name,
            "posting": f"{name}-4",
            "tokens": ["You", "bake", "bread"],
            "skill": ["O", "B", "I"],
            "knowledge": ["O", "O", "B"],
        }
        for name in ("train", "dev")
    ]


def test_tokens_are_repaired_as_long_as_each_stays_one() -> None:
    tokens = ["\x95Solid", "world\x92s", "&nbsp;", "a\ufffdb"]
    [train, _] = skillspan((tokens, ["O"] * 4, ["O"] * 4))
    assert train["tokens"] == ["•Solid", "world’s", "&nbsp;", "a\ufffdb"]


@pytest.mark.parametrize(
    "tags", [["O", "I", "O"], ["B-X", "I", "O"], ["B", "I"], ["BI", "O", ""], ["I", "O", "O"]]
)
def test_tags_of_another_kind_or_number_are_refused_with_their_line(tags: list[str]) -> None:
    with pytest.raises(RawReadError, match=r"dev\.json, line 1 of 1: 3 tokens with the tags"):
        skillspan(BAKE, (BAKE[0], BAKE[1], tags))


@pytest.mark.parametrize("cell", ["[]", '["a", 1]', '{"a": 1}', "[", ""])
def test_a_cell_that_is_no_list_of_strings_is_refused(cell: str) -> None:
    columns = ("idx", "tokens", "tags_skill", "tags_knowledge")
    tables = {"train.json": table(*columns, rows=[("1", cell, cell, cell)])}
    with pytest.raises(RawReadError, match=r"train\.json, line 1"):
        list(SENTENCE_READERS["skillspan"](tables))


def esco() -> Tables:
    columns = ("preferredLabel", "altLabels")
    return {
        "digitalSkillsCollection_en.csv": table(
            *columns, rows=[("Scala", "scala | SCALA language; | Scala Language | "), ("ERP", "")]
        ),
        "transversalSkillsCollection_en.csv": table(*columns, rows=[("keep time", "be punctual")]),
        "languageSkillsCollection_en.csv": table(*columns, rows=[("read Maltese", "")]),
        "occupations_en.csv": table(*columns, rows=[("cook", "chef\nbeikoch"), ("baker", "")]),
    }


def test_collections_of_esco_are_categories_and_other_labels_are_aliases_once_each() -> None:
    assert list(PHRASE_READERS["esco"](esco())) == [
        {"name": "Scala", "aliases": ["SCALA language"], "category": "hard"},
        {"name": "ERP", "aliases": [], "category": "hard"},
        {"name": "keep time", "aliases": ["be punctual"], "category": "soft"},
        {"name": "read Maltese", "aliases": [], "category": "language"},
    ]


def test_technologies_are_tools_and_plain_labels_hard_skills() -> None:
    tools = table("Example", rows=[("Tradesman&apos;s  Estimator",)])
    assert list(PHRASE_READERS["onet"]({"Technology Skills.xlsx": tools})) == [
        {"name": "Tradesman's Estimator", "aliases": [], "category": "tool"}
    ]
    labels = table("label", rows=[(" procurement\u00a0legislation ",)])
    assert list(PHRASE_READERS["esco_labels"]({"skills_en_label.txt": labels})) == [
        {"name": "procurement legislation", "aliases": [], "category": "hard"}
    ]


def test_preferred_names_of_occupations_come_before_the_others() -> None:
    assert list(TITLE_READERS["esco"](esco())) == ["cook", "baker", "chef", "beikoch"]


@pytest.mark.parametrize(
    ("title", "short", "read"),
    [
        ("Chief Financial Officer (CFO)", "CFO", "Chief Financial Officer"),
        ("CEO (Chief Executive Officer)", "CEO", "CEO"),
        ("Singer (Burning)", "", "Singer (Burning)"),
        ("Cook", "", "Cook"),
    ],
)
def test_a_short_form_behind_a_title_is_left_out(title: str, short: str, read: str) -> None:
    titles = table("Alternate Title", "Short Title", rows=[(title, short)])
    assert list(TITLE_READERS["onet"]({"Alternate Titles.xlsx": titles})) == [read]


def test_the_starter_postings_name_occupations_without_their_rank() -> None:
    postings = table("id", "title", rows=[("a", "Senior  UX Designer"), ("b", "Head Chef")])
    read = TITLE_READERS["starter_jobs"]({"postings.jsonl": postings})
    assert list(read) == ["UX Designer", "Head Chef"]

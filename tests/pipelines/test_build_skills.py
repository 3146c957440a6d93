"""The taxonomy takes over from public lists what makes sense in running text, and no more."""

from typing import Any

import pytest

from models.params import SkillsParams
from models.skill_model import dump_skill_model, load_skill_model
from models.tagger import TaggedSentence, TaggerParams
from models.taxonomy import parse_taxonomy
from pipelines.build_skills import additions, build_skills

TAXONOMY = parse_taxonomy(
    b"name,aliases,weak,category,case,implies,related,family\n"
    b"Python,,,tool,any,,,\n"
    b"SQL,,,tool,any,,,\n"
    b"English,,,language,any,,,\n",
    "test",
)
PARAMS = SkillsParams(
    extend_with=("lists",),
    tagger=TaggerParams(passes=2, nets=1, units=4, net_passes=2, word_classes=()),
    floors={},
)
SENTENCE = TaggedSentence(
    posting="1",
    tokens=("Experience", "with", "Python", "and", "pivot", "tables"),
    skill=("O", "O", "O", "O", "O", "O"),
    knowledge=("O", "O", "B", "O", "B", "I"),
)


def phrase(name: str, *aliases: str, category: str = "tool", source: str = "lists") -> Any:
    return {"name": name, "aliases": list(aliases), "category": category, "source": source}


def found(text: str, *phrases: dict[str, Any]) -> list[str]:
    model = build_skills(TAXONOMY, phrases, [], [], PARAMS)
    return [hit.name for hit in model.extract(text)]


def test_phrases_of_the_chosen_sources_are_found_and_others_are_not() -> None:
    text = "Reports in Crystal Ball Studio and Amber Light Editor"
    phrases = phrase("Crystal Ball Studio"), phrase("Amber Light Editor", source="others")
    assert found(text, *phrases) == ["Crystal Ball Studio"]


@pytest.mark.parametrize("name", ["Square", "After the Deadline"])
def test_everyday_words_count_only_in_company(name: str) -> None:
    assert found(f"We met at the {name} today", phrase(name)) == []
    assert found(f"Skills: Python, {name}, SQL", phrase(name)) == ["Python", name, "SQL"]


def test_another_label_of_one_word_is_not_taken_over() -> None:
    extended = phrase("Data warehouse design", "warehouse", "warehouse modelling")
    assert found("Python, warehouse, SQL", extended) == ["Python", "SQL"]
    assert found("Knows warehouse modelling", extended) == ["Data warehouse design"]


def test_traits_and_deeds_with_a_language_are_left_out() -> None:
    phrases = [
        phrase("think creatively", "design", category="soft"),
        phrase("write English", category="language"),
        phrase("Ancient Greek", category="language"),
    ]
    assert [skill.name for skill in additions(phrases)] == ["Ancient Greek"]


def test_the_name_of_a_maker_is_no_skill_and_its_products_are() -> None:
    products = [phrase(f"Initech Product {number}") for number in range(11)]
    names = {skill.name for skill in additions([phrase("Initech"), *products])}
    assert names == {f"Initech Product {number}" for number in range(11)}


def test_what_a_list_explains_is_written_without_it() -> None:
    phrases = [phrase("Source (game engines)"), phrase("Blue Sky (game engines)")]
    assert [skill.name for skill in additions(phrases)] == ["Blue Sky"]


def test_labels_that_the_table_could_not_hold_are_left_out() -> None:
    (skill,) = additions([phrase("Blue Sky", "sky; blue", "...", "blue heaven kit")])
    assert skill.aliases == ("blue heaven kit",)


def test_without_sentences_there_is_no_tagger() -> None:
    assert build_skills(TAXONOMY, [], [], [], PARAMS).tagger is None


def test_the_same_inputs_give_the_same_bytes_and_load_again() -> None:
    phrases = [phrase("Crystal Ball Studio", "CBS studio"), phrase("Square")]
    files, again = (
        dump_skill_model(build_skills(TAXONOMY, phrases, [SENTENCE] * 8, [], PARAMS))
        for _ in range(2)
    )
    assert files == again
    model = load_skill_model(files, "here")
    assert model.tagger is not None
    assert [hit.name for hit in model.extract("Crystal Ball Studio")] == ["Crystal Ball Studio"]

"""The tagger learns which phrases speak of a skill, marks them in raw text, and loads as it was."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from models.errors import FormatError
from models.skill_matcher import SkillMatcher
from models.tagger import (
    NothingToLearnError,
    TaggedSentence,
    TaggedSpan,
    Tagger,
    TaggerParams,
    fit_tagger,
    named,
    tagged_texts,
)
from models.tagger_files import TAGGER_FILES, dump_tagger, load_tagger
from models.tagger_text import MAX_WORDS, split_sentences, tags
from models.taxonomy import parse_taxonomy

MATCHER = SkillMatcher(
    parse_taxonomy(
        b"name,aliases,weak,category,case,implies,related,family\n"
        b"Python,,,tool,any,,,\n"
        b"SQL,,,tool,any,,,\n"
        b"Communication,,,soft,any,,,\n",
        "test",
    )
)
PARAMS = TaggerParams(
    passes=40, nets=2, units=8, net_passes=20, min_freq=1, word_classes=(4, 8), threshold=0.3
)
DEEDS = ("design", "build", "test", "review", "document", "improve")
THINGS = ("services", "reports", "dashboards", "pipelines", "features", "releases")
TOOLS = ("Python", "SQL", "Kotlin", "Terraform", "GraphQL", "Kafka")


def marked(posting: str, sentence: str) -> TaggedSentence:
    """Return a sentence in which {} is around what somebody does and [] around what they know."""
    tokens, skill, knowledge = [], [], []
    deed = known = "O"
    for word in sentence.split():
        deed = "B" if word.startswith("{") else "I" if deed != "O" else "O"
        bare = word.lstrip("{")
        known = "B" if bare.startswith("[") else "I" if known != "O" else "O"
        tokens.append(bare.lstrip("[").rstrip("]}"))
        skill.append(deed)
        knowledge.append(known)
        deed = "O" if word.endswith("}") else deed
        known = "O" if word.rstrip("}").endswith("]") else known
    return TaggedSentence(posting, tuple(tokens), tuple(skill), tuple(knowledge))


def corpus() -> list[TaggedSentence]:
    """Return postings of one pattern, in which tools stand alone and within deeds."""
    return [
        marked(str(number), sentence)
        for number, (deed, thing) in enumerate((deed, thing) for deed in DEEDS for thing in THINGS)
        for tool in (TOOLS[number % len(TOOLS)],)
        for sentence in (
            f"You will {{{deed} {thing} in [{tool}]}} with our team .",
            f"Experience with [{tool}] is a plus .",
            f"Used daily ( [{tool} tooling] ) by all .",
            "We are a young company in the heart of the city .",
        )
    ]


@cache
def fitted() -> Tagger:
    return fit_tagger(corpus(), MATCHER, PARAMS)


def phrases(text: str) -> list[tuple[str, str]]:
    return [(span.label, text[span.start : span.end]) for span in fitted().tag(text)]


def test_phrases_are_marked_in_text_never_seen_and_may_nest() -> None:
    text = "We are a company. You will review schemas in Scala with our team."
    assert phrases(text) == [
        ("skill", "review schemas in Scala"),
        ("knowledge", "Scala"),
    ]


def test_offsets_are_code_points_of_the_raw_text() -> None:
    text = "Café 🚀\r\n\n • Experience with  Kotlin is a plus.\n"
    assert phrases(text) == [("knowledge", "Kotlin")]


def test_what_somebody_knows_ends_at_a_comma_and_has_no_marks_around_it() -> None:
    assert phrases("Used daily (Kafka tooling) by all.") == [("knowledge", "Kafka tooling")]
    found = phrases("Used daily (Kafka, tooling) by all.")
    assert found == [("knowledge", "Kafka"), ("knowledge", "tooling")]


def test_text_without_words_has_no_phrases() -> None:
    assert [fitted().tag(text) for text in ("", " \n\t ", ",,,", "\u2028")] == [[]] * 4


@pytest.mark.parametrize(
    "text",
    ["x" * 50_000, "(" * 50_000, "a-" * 25_000, "., " * 15_000, "Kotlin " * 7_000, "Go\n" * 15_000],
)
def test_hostile_text_is_cut_into_short_sentences_that_lose_no_place(text: str) -> None:
    sentences = list(split_sentences(text))
    assert max(len(sentence.words) for sentence in sentences) <= MAX_WORDS
    for sentence in sentences:
        assert [text[start:end] for start, end in sentence.places] == sentence.words
    for span in fitted().tag(text):
        assert 0 <= span.start < span.end <= len(text)


def test_a_long_text_is_tagged_to_its_end_as_its_beginning_is() -> None:
    lines = ["You will design services in Kafka with our team.", "Experience with SQL is a plus."]
    assert phrases("\n".join(lines * 400)) == phrases("\n".join(lines)) * 400 != []


def test_marked_sentences_become_one_text_for_each_posting() -> None:
    first, second = tagged_texts(
        [
            marked("a", "You {build [Kotlin] services}"),
            marked("b", "[SQL] [Python]"),
            marked("a", "{team player}"),
        ]
    )
    assert first.text == "You build Kotlin services\nteam player"
    assert [(first.text[start:end], label) for start, end, label in first.spans] == [
        ("build Kotlin services", "skill"),
        ("Kotlin", "knowledge"),
        ("team player", "skill"),
    ]
    assert second.places("knowledge") == [(0, 3), (4, 10)]


def test_words_are_tagged_by_the_spans_that_hold_part_of_them() -> None:
    (sentence,) = split_sentences("Kotlin Go (SQL) and Visual Basic")
    places = [(0, 6), (7, 9), (10, 14), (20, 32)]
    assert "".join(tags(sentence, places)) == "SSBEOOBE"
    assert "".join(tags(sentence, [(0, 14)])) == "BIIEOOOO"
    assert "".join(tags(sentence, [])) == "OOOOOOOO"


def test_the_same_sentences_give_the_same_bytes_in_every_process() -> None:
    program = (
        "import hashlib;from tests.models.test_tagger import *;"
        "params = PARAMS.model_copy(update={'net_passes': 3});"
        "files = dump_tagger(fit_tagger(corpus(), MATCHER, params, ['Kotlin and Scala']));"
        "print(hashlib.sha256(b''.join(files[name] for name in TAGGER_FILES)).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_a_tagger_loads_as_it_was() -> None:
    files = dump_tagger(fitted())
    assert tuple(files) == TAGGER_FILES
    loaded = load_tagger(files, MATCHER, "here")
    assert dump_tagger(loaded) == files
    text = corpus()[0]
    assert loaded.tag(" ".join(text.tokens)) == fitted().tag(" ".join(text.tokens)) != []


def _changed(change: Callable[[dict[str, object]], object]) -> dict[str, bytes]:
    files = dump_tagger(fitted())
    described = json.loads(files["tagger.json"])
    change(described)
    return files | {"tagger.json": json.dumps(described).encode()}


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda _: {}, id="no files"),
        pytest.param(lambda files: files | {"tagger.json": b"\xff"}, id="no JSON"),
        pytest.param(lambda files: files | {"tagger.json": b"[]"}, id="another JSON"),
        pytest.param(
            lambda files: files | {"tagger.weights": files["tagger.weights"][:-4]}, id="cut off"
        ),
        pytest.param(
            lambda files: files | {"tagger.weights": b"\xff" * len(files["tagger.weights"])},
            id="no numbers",
        ),
        pytest.param(lambda _: _changed(lambda it: it.update(format=1)), id="another format"),
        pytest.param(lambda _: _changed(lambda it: it.update(threshold=1.5)), id="threshold"),
        pytest.param(lambda _: _changed(lambda it: it.update(transitions=[])), id="transitions"),
        pytest.param(lambda _: _changed(lambda it: it.update(words=["a"])), id="words"),
        pytest.param(lambda _: _changed(lambda it: it.update(more=1)), id="unknown key"),
        pytest.param(
            lambda _: _changed(lambda it: it.update(own=["w=a"] * len(it["own"]))),
            id="one feature twice",
        ),
        pytest.param(
            lambda _: _changed(lambda it: it.update(words=["a"] * len(it["words"]))),
            id="one word twice",
        ),
        pytest.param(lambda _: _changed(lambda it: it.update(units=7)), id="fewer units"),
        pytest.param(lambda _: _changed(lambda it: it.update(units=-8)), id="units below none"),
    ],
)
def test_a_broken_tagger_is_refused(
    broken: Callable[[dict[str, bytes]], dict[str, bytes]],
) -> None:
    with pytest.raises(FormatError, match="there"):
        load_tagger(broken(dump_tagger(fitted())), MATCHER, "there")


def test_a_label_that_nobody_marked_is_never_found() -> None:
    plain = [
        TaggedSentence(each.posting, each.tokens, ("O",) * len(each.tokens), each.knowledge)
        for each in corpus()
    ]
    text = "You will design reports in Kafka with our team."
    found = fit_tagger(plain, MATCHER, PARAMS).tag(text)
    assert {span.label for span in found} == {"knowledge"}


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(NothingToLearnError):
        fit_tagger([TaggedSentence("1", (), (), ())], MATCHER, PARAMS)


@pytest.mark.parametrize(
    ("phrase", "name"),
    [
        ("Python", "Python"),
        ("strong knowledge of python", "Python"),
        ("excellent communication skills", "Communication"),
        ("SQL databases", "SQL"),
        ("Experience with Python programming.", "Python"),
        ("design reports in SQL", None),
        ("knowledge of", None),
        ("the skills", None),
        (" ".join(["strong"] * 200_000), None),
    ],
)
def test_a_phrase_has_the_name_of_its_core(phrase: str, name: str | None) -> None:
    text = f"We ask for {phrase}"
    span = TaggedSpan(len(text) - len(phrase), len(text), "knowledge")
    assert named([span], text, MATCHER) == [name]

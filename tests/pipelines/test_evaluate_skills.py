"""Spans are counted as people would, strictly and partially, for the model and its halves."""

from dataclasses import asdict
from pathlib import Path

import pytest

from models.matching import Posting
from models.params import EvaluateParams
from models.skill_matcher import SkillMatcher
from models.skill_model import SkillModel
from models.tagger import TaggedSentence, TaggedSpan, tagged_texts
from models.taxonomy import parse_taxonomy
from pipelines.evaluate_skills import (
    SkillsEvaluationError,
    evaluate_listed,
    evaluate_spans,
    write_plots,
)
from pipelines.sentences import read_sentences
from pipelines.skill_spans import layer_counts, layer_figures, markers
from pipelines.stage import write_lines

PARAMS = EvaluateParams(bootstrap=60, seed=1)
MODEL = SkillModel(
    SkillMatcher(
        parse_taxonomy(
            b"name,aliases,weak,category,case,implies,related,family\n"
            b"Python,,,tool,any,,,\n"
            b"Machine learning,,,hard,any,,,\n"
            b"Patience,,,soft,any,,,\n",
            "test",
        )
    )
)


def sentence(posting: str, words: str, skill: str, knowledge: str) -> TaggedSentence:
    return TaggedSentence(posting, tuple(words.split()), tuple(skill), tuple(knowledge))


ROWS = [
    sentence("a", "You know Python and machine learning theory", "OOOOOOO", "OOBOBII"),
    sentence("b", "Patience , please", "OOO", "OOO"),
    sentence("a", "Show patience daily", "OBI", "OOO"),
]


def test_only_sentences_of_the_wanted_set_are_read(tmp_path: Path) -> None:
    table = [
        {"set": name, "source": "x", **asdict(row)}
        for name, row in zip(("train", "dev", "train"), ROWS, strict=True)
    ]
    write_lines(table, tmp_path / "sentences.jsonl")
    assert read_sentences(tmp_path / "sentences.jsonl", "train") == [ROWS[0], ROWS[2]]


def test_the_taxonomy_alone_is_counted_for_both_kinds_of_spans_and_for_each() -> None:
    counts = layer_counts(tagged_texts(ROWS), markers(MODEL)["taxonomy_alone"])
    # gold, found, same, found touching gold, gold touched: of posting a, then of b.
    assert counts["both"].tolist() == [[3, 3, 1, 3, 3], [0, 1, 0, 0, 0]]
    assert counts["knowledge"].tolist() == [[2, 2, 1, 2, 2], [0, 0, 0, 0, 0]]
    assert counts["skill"].tolist() == [[1, 1, 0, 1, 1], [0, 1, 0, 0, 0]]


def test_precision_recall_and_f1_follow_from_the_counts() -> None:
    figures = layer_figures(tagged_texts(ROWS), markers(MODEL)["taxonomy_alone"], PARAMS)
    assert {name: each.value for name, each in figures["both"].items()} == pytest.approx(
        {
            "strict_precision": 1 / 4,
            "strict_recall": 1 / 3,
            "strict_f1": 2 / 7,
            "partial_precision": 3 / 4,
            "partial_recall": 1.0,
            "partial_f1": 6 / 7,
        }
    )


class Seer:
    """Marks what it is told to, as a tagger does."""

    def tag(self, text: str) -> list[TaggedSpan]:
        wanted = (("Python and", "knowledge"), ("theory", "knowledge"), ("daily", "skill"))
        return [
            TaggedSpan(text.index(words), text.index(words) + len(words), label)
            for words, label in wanted
            if words in text
        ]


def test_the_shipped_model_marks_what_its_tagger_does() -> None:
    model = SkillModel(MODEL.matcher, Seer())  # type: ignore[arg-type]
    (text, _) = tagged_texts(ROWS)
    marked = {
        name: [text.text[span.start : span.end] for span in mark(text.text)]
        for name, mark in markers(model).items()
    }
    assert marked["taxonomy_alone"] == ["Python", "machine learning", "patience"]
    assert marked["shipped"] == ["Python and", "theory", "daily"]


def test_headline_layers_and_baselines_of_a_model(tmp_path: Path) -> None:
    metrics = evaluate_spans(MODEL, tagged_texts(ROWS), PARAMS)
    assert metrics["rows"] == 2
    assert metrics["slices"]["layer/knowledge"]["rows"] == 2
    assert set(metrics["baselines"]) == {"taxonomy_alone"}
    # Without a tagger the model is its taxonomy.
    assert metrics["baselines"]["taxonomy_alone"]["strict_f1"] == metrics["headline"]["strict_f1"]
    assert "skill_partial_f1" in metrics["baselines"]["taxonomy_alone"]
    for folder in ("a", "b"):
        write_plots(metrics, tmp_path / folder)
    plots = [tmp_path / folder / "spans.png" for folder in ("a", "b")]
    assert plots[0].read_bytes() == plots[1].read_bytes()


def test_listed_skills_are_looked_for_in_the_description_alone(tmp_path: Path) -> None:
    postings = [
        Posting(id="1", title="Patience", description="Python", skills=("Python", "Patience")),
        Posting(id="2", title="x", description="patience!", skills=("Patience",), family="care"),
        Posting(id="3", title="x", skills=("Python",)),
    ]
    metrics = evaluate_listed(MODEL, postings, PARAMS)
    assert metrics["rows"] == 2
    assert metrics["headline"]["listed_recall"]["value"] == pytest.approx(2 / 3, abs=1e-5)
    assert metrics["slices"]["family/care"]["listed_recall"]["value"] == 1.0
    write_plots(metrics, tmp_path)
    assert (tmp_path / "listed.png").read_bytes().startswith(b"\x89PNG")


def test_postings_that_cannot_tell_anything_are_refused() -> None:
    with pytest.raises(SkillsEvaluationError, match="none of the 1 postings"):
        evaluate_listed(MODEL, [Posting(id="1", title="x", skills=("Python",))], PARAMS)

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.pipeline import Pipeline

from models.compiled import read_model
from models.explain import toxic_spans, word_contributions
from models.fast_scoring import FastScorer
from models.scoring import score_texts
from models.skops_file import dumps, loads
from models.span_head import SpanHead
from models.spans import MAX_SPANS
from tests.factories import tiny_pipeline

WORDS = ("you", "stupid", "idiot", "hello", "meeting", "free", "hurt")


def with_head(marked: tuple[str, ...], least: float = 0.0, gap: float = 10.0) -> Pipeline:
    """A tiny model whose span head saw each word ten times, and some of them always marked."""
    pipeline = tiny_pipeline("toxicity")
    head = SpanHead(C=10.0, least=least, gap=gap)
    often = np.array([10 * (word in marked) for word in WORDS])
    head.fit(pipeline[:-1].transform(list(WORDS)), often, np.full(len(WORDS), 10))
    pipeline[-1].span_head_ = head
    return pipeline


def shown(pipeline: Pipeline, text: str) -> list[str]:
    return [text[span.start : span.end] for span in toxic_spans(pipeline, text)]


def test_the_words_that_people_marked_are_shown_whatever_they_weigh() -> None:
    assert shown(with_head(("meeting", "free")), "idiot, free for a meeting?") == [
        "free",
        "meeting",
    ]
    assert shown(with_head(("idiot",)), "idiot, free for a meeting?") == ["idiot"]


def test_a_shown_words_weight_is_its_exact_part_of_the_main_score() -> None:
    pipeline = with_head(("idiot", "meeting"))
    text = "hello 😀 IDIOT!! the meeting is over"
    words, _ = word_contributions(pipeline, text)
    weights = {text[word.start : word.end]: word.weight for word in words}
    spans = {text[span.start : span.end]: span.weight for span in toxic_spans(pipeline, text)}
    assert spans == {"IDIOT": weights["IDIOT!!"], "meeting": weights["meeting"]}


def test_one_word_is_always_shown_and_others_only_close_behind_it() -> None:
    nobody = with_head(("idiot", "stupid"), least=1e6)
    assert len(shown(nobody, "hello you stupid idiot")) == 1
    assert shown(with_head(("idiot", "stupid"), gap=0.0), "stupid meeting") == ["stupid"]


def test_marks_that_spell_a_word_stay_and_marks_alone_are_shown_as_they_are() -> None:
    pipeline = with_head(("idiot",))
    assert shown(pipeline, 'he said "id!ot".') == ["id!ot"]
    assert shown(pipeline, "...") == ["..."]
    assert shown(pipeline, "\u200b") == []


def test_a_model_without_a_head_shows_the_words_that_carry_the_most() -> None:
    pipeline = tiny_pipeline("toxicity")
    assert pipeline[-1].span_head_ is None
    assert "idiot" in shown(pipeline, "hello you idiot")
    assert "hello" not in shown(pipeline, "hello you idiot")


def test_only_the_heaviest_of_many_words_are_shown() -> None:
    assert len(shown(with_head(("idiot",)), "idiot " * 70)) == MAX_SPANS


def test_a_word_seen_often_counts_as_often() -> None:
    features = csr_matrix(np.eye(3))
    marked, seen = np.array([3, 1, 0]), np.array([4, 1, 2])
    once = SpanHead().fit(features, marked, seen)
    places = np.repeat(np.arange(3), seen)
    hits = np.concatenate([np.arange(of) < hit for hit, of in zip(marked, seen, strict=True)])
    each = SpanHead().fit(features[places], hits.astype(int), np.ones(len(places), dtype=int))
    assert once.coef_ == pytest.approx(each.coef_, abs=1e-2)
    assert min(once.coef_[:2]) > once.coef_[2]


def test_a_stored_head_shows_the_same_words() -> None:
    pipeline = with_head(("idiot", "hurt"))
    stored = loads(dumps(pipeline), "model.skops")
    text = "you idiot will be hurt"
    assert toxic_spans(stored, text) == toxic_spans(pipeline, text)
    assert dumps(stored) == dumps(pipeline)


def test_compiled_code_shows_the_same_words_and_keeps_the_span_head_out_of_the_scores() -> None:
    other = tiny_pipeline("spam")
    texts = ("hello 😀 IDIOT!! free meeting", "", "stupid " * 60, "hurt", "nothing known: zzz")
    for marked in (("idiot", "meeting"), ("free",), ()):
        pipeline = with_head(marked) if marked else tiny_pipeline("toxicity")
        scorer = FastScorer([read_model(dumps(each), "model") for each in (other, pipeline)])
        for text in texts:
            wanted, found = toxic_spans(pipeline, text), scorer.shown(1, text)
            assert [(span.start, span.end) for span in found] == [
                (span.start, span.end) for span in wanted
            ]
            assert [span.weight for span in found] == pytest.approx(
                [span.weight for span in wanted], abs=1e-9
            )
        _, scores = scorer.scores(texts)
        assert scores == pytest.approx(score_texts(pipeline, texts), abs=1e-9)

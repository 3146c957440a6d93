"""Compiled scoring against scikit-learn: the same scores, verdicts and words."""

import csv
import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline

from benchmarks import attacks
from models import skops_file
from models.compiled import CompiledModel, read_model
from models.errors import NotCompilableError
from models.explain import word_contributions
from models.fast_scoring import FastScorer
from models.ngram_layout import CLASS_BITS, MARK, SPACE, WORD
from models.ngram_table import build_table
from models.params import NgramParams, TfidfParams, load_params
from models.scoring import score_texts
from models.spam import build_classifier
from models.text_scorers import PipelineScorer, open_scorer
from models.tfidf import fit_vectoriser
from models.traits import unknown_share
from tests.factories import MESSAGES, ROOT, tiny_pipeline

KINDS = ("spam", "toxicity")
TEXTS = [text for text, _, _ in MESSAGES]
SPAM = np.array([spam for _, spam, _ in MESSAGES])


def compiled(pipeline: Pipeline) -> CompiledModel:
    return read_model(skops_file.dumps(pipeline), "model.skops")


@cache
def pipelines() -> tuple[Pipeline, ...]:
    return tuple(tiny_pipeline(kind, tuple(rows()[:200])) for kind in KINDS)  # type: ignore[arg-type]


@cache
def scorer() -> FastScorer:
    return FastScorer([compiled(pipeline) for pipeline in pipelines()])


@cache
def rows() -> list[str]:
    with (ROOT / "data" / "starter" / "messages.csv").open(encoding="utf-8") as file:
        return [row["text"] for row in csv.DictReader(file)]


def disguised() -> list[str]:
    """Return some rows under each attack that is known."""
    some = rows()[::40]
    return [attacks.disguise(text, attack) for attack in attacks.ATTACKS for text in some]


def check(
    scored: FastScorer, references: Sequence[Pipeline], texts: Sequence[str], words: bool = True
) -> None:
    found = scored.scores(texts)
    for number, pipeline in enumerate(references):
        assert np.abs(found[number] - score_texts(pipeline, texts)).max(initial=0.0) < 1e-9
        for text in texts if words else ():
            wanted, intercept = word_contributions(pipeline, text)
            assert scored.intercept(number) == pytest.approx(intercept, abs=1e-9)
            parts = scored.words(number, text)
            assert [(part.start, part.end) for part in parts] == [
                (part.start, part.end) for part in wanted
            ]
            weights = [part.weight for part in wanted]
            assert [part.weight for part in parts] == pytest.approx(weights, abs=1e-9)


TEXT = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from([*TEXTS, "!!", "a", "é", "ﬁ", "😀 ", "x" * 30]), max_size=4).map(
        " ".join
    ),
    st.text(alphabet="aeinst !?'_-1234.@:/", max_size=80),
)


@settings(deadline=None, max_examples=100)
@given(st.lists(TEXT, min_size=1, max_size=3))
def test_any_text_is_scored_as_by_scikit_learn(texts: list[str]) -> None:
    check(scorer(), pipelines(), texts)


def test_real_messages_are_scored_as_by_scikit_learn() -> None:
    check(scorer(), pipelines(), rows()[::30])


def test_disguised_messages_are_scored_as_by_scikit_learn() -> None:
    check(scorer(), pipelines(), disguised(), words=False)


@pytest.mark.parametrize(
    "text", ["", " ", "a", "x" * 5_000, "you idiot " * 500, "é😀" * 700, "it's, you! " * 900]
)
def test_empty_short_and_long_texts_are_scored_alike(text: str) -> None:
    check(scorer(), pipelines(), [text])


def test_long_texts_in_which_words_come_again_are_scored_alike() -> None:
    chance = random.Random(5)
    some = " ".join([*rows()[::20], "☺a жa a☺ aж a☺ ☺a a, a. a,"]).split()
    for size in (99, 100, 101, 700, 3_000):
        check(scorer(), pipelines(), [" ".join(chance.choices(some, k=size))])
    check(scorer(), pipelines(), [" ".join(rows()[:300])], words=False)


def test_what_stands_beside_a_text_changes_nothing() -> None:
    texts = rows()[:50]
    together = scorer().scores(texts)
    for number, text in enumerate(texts):
        alone = scorer().scores([text])
        assert all(
            (one[0] == both[number]).all() for one, both in zip(alone, together, strict=True)
        )


def fitted(
    words: tuple[int, int],
    chars: tuple[int, int],
    *,
    sublinear: bool = True,
    family: str = "multinomial",
    texts: Sequence[str] = TEXTS,
) -> Pipeline:
    """Return a spam pipeline with other n-grams, fitted on ``texts``."""
    tfidf = TfidfParams(
        word=NgramParams(ngrams=words, min_df=1),
        char=NgramParams(ngrams=chars, min_df=1),
        sublinear_tf=sublinear,
    )
    vectoriser = fit_vectoriser(texts, load_params(ROOT / "params.yaml").spam.normalise, tfidf)
    params = load_params(ROOT / "params.yaml").spam.classifier
    classifier = build_classifier(params.model_copy(update={"family": family}))
    labels = np.arange(len(texts)) % 2 if texts is not TEXTS else SPAM
    classifier.fit(vectoriser.transform(texts), labels)
    return Pipeline([*vectoriser.steps, ("classifier", classifier)])


@pytest.mark.parametrize(
    ("words", "chars"),
    [((1, 1), (1, 1)), ((2, 3), (3, 5)), ((1, 4), (5, 7)), ((3, 3), (8, 8)), ((1, 2), (2, 3))],
)
@pytest.mark.parametrize("sublinear", [True, False])
def test_every_length_of_ngrams_is_followed(
    words: tuple[int, int], chars: tuple[int, int], sublinear: bool
) -> None:
    pipeline = fitted(words, chars, sublinear=sublinear, family="complement")
    check(
        FastScorer([compiled(pipeline)]), [pipeline], [*TEXTS, "a", "I am a a a a bcd", "go go go"]
    )


def test_models_of_different_lengths_share_one_pass() -> None:
    both = [fitted((1, 1), (2, 2)), fitted((2, 3), (5, 6))]
    check(
        FastScorer([compiled(each) for each in both]), both, [*TEXTS, "a ab abc abcd", *rows()[:50]]
    )


def test_many_characters_make_keys_hashes_and_scores_stay_the_same() -> None:
    chance = random.Random(7)
    letters = [chr(code) for code in range(0x4E00, 0x5E00)]
    texts = [" ".join("".join(chance.choices(letters, k=9)) for _ in range(9)) for _ in range(60)]
    pipeline = fitted((1, 2), (4, 6), texts=texts)
    model = compiled(pipeline)
    alphabet = len(set(model.chars.terms))
    assert alphabet**6 > 2**64
    check(FastScorer([model]), [pipeline], [*texts[:20], "".join(texts[0].split()), *TEXTS])


def test_words_and_marks_are_those_of_the_token_pattern() -> None:
    table = build_table([compiled(pipelines()[0])])
    text = "".join(map(chr, range(0x110000)))
    classes = np.full(len(text), SPACE)
    for match in re.finditer(r"\w", text):
        classes[match.start()] = WORD
    for match in re.finditer(r"[^\w\s]", text):
        classes[match.start()] = MARK
    assert (table.symbols & ((1 << CLASS_BITS) - 1) == classes).all()
    assert unicodedata.unidata_version  # the tables of this Python


def test_the_share_of_unknown_words_is_the_pipelines() -> None:
    for text in [*rows()[::40], "", "zzz yyy", "12345 £", "é"]:
        for number, pipeline in enumerate(pipelines()):
            assert scorer().unknown_share(number, text) == unknown_share(pipeline, text)


def test_models_that_count_terms_differently_are_scored_apart() -> None:
    both = [fitted((1, 2), (2, 4)), fitted((1, 2), (2, 4), sublinear=False)]
    models = [compiled(each) for each in both]
    with pytest.raises(NotCompilableError, match="different ways"):
        FastScorer(models)
    found = open_scorer(models).scores(TEXTS)
    for pipeline, scores in zip(both, found, strict=True):
        assert np.abs(scores - score_texts(pipeline, TEXTS)).max() < 1e-9


def test_a_compiled_model_and_a_pipeline_answer_side_by_side() -> None:
    mixed = open_scorer([compiled(pipelines()[0]), pipelines()[1]])
    alone = PipelineScorer(pipelines()[1])
    spam, toxicity = mixed.scores(TEXTS)
    assert np.abs(spam - score_texts(pipelines()[0], TEXTS)).max() < 1e-9
    assert (toxicity == alone.scores(TEXTS)[0]).all()
    assert mixed.words(1, "you idiot") == alone.words(0, "you idiot")
    assert mixed.unknown_share(1, "you zzz") == alone.unknown_share(0, "you zzz")


def _lowercasing(pipeline: Pipeline) -> None:
    pipeline["tfidf"].transformer_list[0][1].lowercase = True


def _unnormed(pipeline: Pipeline) -> None:
    pipeline["tfidf"].transformer_list[1][1].norm = None


def _weighted(pipeline: Pipeline) -> None:
    pipeline["tfidf"].transformer_weights = {"word": 2.0}


def _other_tokens(pipeline: Pipeline) -> None:
    pipeline["tfidf"].transformer_list[0][1].token_pattern = r"\w\w+"


def _other_analyser(pipeline: Pipeline) -> None:
    pipeline["tfidf"].transformer_list[1][1].analyzer = "char"


def _extra_step(pipeline: Pipeline) -> None:
    pipeline.steps.insert(1, ("again", pipeline["normalise"]))


def _three_classes(pipeline: Pipeline) -> None:
    features = pipeline[:-1].transform(TEXTS)
    pipeline.steps[-1] = ("classifier", MultinomialNB().fit(features, np.arange(len(TEXTS)) % 3))


def _calibrated(pipeline: Pipeline) -> None:
    pipeline.steps[-1] = ("classifier", tiny_pipeline("toxicity")[-1])
    pipeline[-1].slope_ = 2.0


def _new_setting(pipeline: Pipeline) -> None:
    pipeline["normalise"].extra = True


@pytest.mark.parametrize(
    "change",
    [
        *(_lowercasing, _unnormed, _weighted, _other_tokens, _other_analyser, _extra_step),
        *(_three_classes, _calibrated, _new_setting),
    ],
)
def test_what_is_not_known_is_refused(change: Callable[[Pipeline], None]) -> None:
    pipeline = tiny_pipeline("spam")
    compiled(pipeline)
    change(pipeline)
    with pytest.raises(NotCompilableError):
        compiled(pipeline)


def test_rules_of_normalising_are_the_models_own() -> None:
    params = load_params(ROOT / "params.yaml")
    spam, toxicity = map(compiled, pipelines())
    assert (spam.rules, toxicity.rules) == (params.spam.normalise, params.toxicity.normalise)
    assert spam.lexicon is None
    assert toxicity.lexicon is not None
    assert toxicity.lexicon.counts == pipelines()[1]["normalise"].lexicon_.counts
    texts = ["you 1d10t", "y o u   i d i o t", "gay men", "call 0800 123 4567 now", "s.t.u.p.i.d"]
    check(scorer(), pipelines(), texts)

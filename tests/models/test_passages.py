import numpy as np
import pytest
from scipy.special import logit

from models.explain import word_contributions
from models.passages import STEP, WORDS, cut
from models.scoring import head_logits, score_texts
from tests.factories import tiny_pipeline

INSULT = "you stupid idiot"
CLEAN = " ".join(["the team meets on Monday and talks about the salary"] * 6)


def test_every_word_of_a_long_message_is_in_a_passage_and_short_ones_have_none() -> None:
    long = [f"w{number}" for number in range(20)]
    found = cut(["a b c", " ".join(long), " ".join(long[:WORDS])])
    assert set(found.owners) == {1}
    assert {word for text in found.texts for word in text.split()} == set(long)
    for text, (first, last) in zip(found.texts, found.words, strict=True):
        assert text.split() == long[first:last]
    assert np.all(np.diff(found.words[:, 0]) == STEP)


@pytest.mark.parametrize("text", [f"{INSULT} {CLEAN}", f"{CLEAN} {INSULT} {CLEAN}"])
def test_a_bad_passage_lifts_a_long_message_to_the_level(text: str) -> None:
    pipeline = tiny_pipeline("toxicity")
    classifier = pipeline[-1]
    alone, around = head_logits(pipeline, [INSULT, CLEAN])[:, 0]
    classifier.level_ = classifier.lifted_ = around + (alone - around) / 4
    (whole,) = classifier.decision_function(pipeline[:-1].transform([text]))[:, 0]
    (pooled,) = head_logits(pipeline, pipeline["normalise"].transform([text]))[:, 0]
    assert whole < classifier.level_ <= pooled


@pytest.mark.parametrize("level", [-5.0, 0.0, 5.0])
def test_parts_of_a_long_message_add_up_to_its_logit(level: float) -> None:
    pipeline = tiny_pipeline("toxicity")
    pipeline[-1].level_ = level
    pipeline[-1].lifted_ = level + 1.0
    text = f"{CLEAN} {INSULT} {CLEAN}"
    spans, intercept = word_contributions(pipeline, text)
    total = sum(span.weight for span in spans) + intercept
    assert total == pytest.approx(logit(score_texts(pipeline, [text])[0, 0]), abs=1e-9)


def test_rescaling_moves_the_whole_score_along_a_line() -> None:
    pipeline = tiny_pipeline("toxicity")
    texts = [INSULT, CLEAN, f"{INSULT} {CLEAN}"]
    before = head_logits(pipeline, texts)
    pipeline[-1].rescale(0, 2.0, -1.0)
    after = head_logits(pipeline, texts)
    assert after[:, 0] == pytest.approx(2.0 * before[:, 0] - 1.0)
    assert after[:, 1:] == pytest.approx(before[:, 1:])

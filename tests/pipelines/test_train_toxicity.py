from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from models.explain import toxic_spans
from models.params import load_params
from models.scoring import score_texts
from models.tfidf import fit_vectoriser
from pipelines.clean_marks import SOURCE
from pipelines.split import side_of
from pipelines.train_toxicity import train_toxicity
from pipelines.training import head_labels
from tests.factories import MESSAGES, ROOT

CATEGORIES = ("insult", "threat", "obscene", "identity_attack")
# So few words are told apart only by a head that is sure of itself.
SHIPPED = load_params(ROOT / "params.yaml").toxicity
SURE = SHIPPED.marks.model_copy(update={"C": 100.0, "least": 0.0})
PARAMS = SHIPPED.model_copy(update={"marks": SURE})


def train_rows() -> pd.DataFrame:
    rows = pd.DataFrame(
        [(text, *heads) for text, _, heads in MESSAGES], columns=["text", "label", *CATEGORIES]
    )
    return rows.astype(dict.fromkeys(CATEGORIES, float)).assign(source="a", weight=1.0)


def group_on(side: str) -> str:
    return next(str(number) for number in range(100) if side_of(str(number)) == side)


def marked(text: str, word: str, side: str, **shares: float) -> dict[str, object]:
    start = text.index(word)
    row = {"text": text, "group": group_on(side), "starts": [start], "ends": [start + len(word)]}
    return row | dict.fromkeys(CATEGORIES, 0.0) | shares


MARKS = (
    marked("this clown again with his stories", "clown", "train", insult=1.0),
    marked("what a clown you are", "clown", "train", insult=1.0),
    marked("stories about nothing", "stories", "test", threat=1.0),
    marked("stories about trains", "stories", "validation", threat=1.0),
)


@cache
def fitted(rows: int) -> Pipeline:
    """The model of the messages and the first ``rows`` of the marks."""
    train = train_rows()
    ngrams = PARAMS.tfidf.word.model_copy(update={"min_df": 1})
    chars = PARAMS.tfidf.char.model_copy(update={"min_df": 1})
    tfidf = PARAMS.tfidf.model_copy(update={"word": ngrams, "char": chars})
    known = [*train["text"], *(str(row["text"]) for row in MARKS)]
    vectoriser = fit_vectoriser(known, PARAMS.normalise, tfidf)
    features = vectoriser.transform(train["text"].tolist())
    marks = pd.DataFrame(MARKS[:rows], columns=list(MARKS[0]))
    return train_toxicity(vectoriser, features, train, PARAMS, marks)


def test_marked_words_teach_what_to_show_and_what_category_it_is() -> None:
    text = "a clown with stories"
    model = fitted(2)
    assert [text[span.start : span.end] for span in toxic_spans(model, text)] == ["clown"]
    _, insult, threat, *_ = score_texts(model, [text])[0] - score_texts(fitted(0), [text])[0]
    assert insult > 0.1
    assert threat < 0.1


def test_marks_leave_the_main_score_as_it_is() -> None:
    texts = ["a clown with stories", "you idiot", "see you there"]
    assert np.array_equal(score_texts(fitted(2), texts)[:, 0], score_texts(fitted(0), texts)[:, 0])


def test_marks_of_other_sides_of_the_split_teach_nothing() -> None:
    assert np.array_equal(fitted(4)[-1].coef_, fitted(2)[-1].coef_)
    assert np.array_equal(fitted(4)[-1].span_head_.coef_, fitted(2)[-1].span_head_.coef_)


def test_without_marks_there_is_no_span_head() -> None:
    assert fitted(0)[-1].span_head_ is None


def test_categories_of_comments_that_were_marked_come_from_their_raters_alone() -> None:
    train = train_rows()
    vectoriser = fitted(2)[:-1]
    features = vectoriser.transform(train["text"].tolist())
    marks = pd.DataFrame(MARKS[:2])
    wrong = train.copy()
    wrong.loc[[0, 7], "source"] = SOURCE
    right = wrong.copy()
    wrong.loc[[0, 7], list(CATEGORIES)] = np.nan
    a, b = (
        train_toxicity(vectoriser, features, rows, PARAMS, marks)[-1] for rows in (wrong, right)
    )
    assert np.array_equal(a.coef_, b.coef_)


def test_heads_are_calibrated_on_the_rows_whose_labels_are_known() -> None:
    rows = train_rows()
    model = fitted(0)
    before = model[-1].coef_.copy()
    features = model[:-1].transform(rows["text"].tolist())
    unknown = rows.assign(**dict.fromkeys(CATEGORIES, np.nan))
    model[-1].calibrate(features, head_labels(unknown))
    assert np.array_equal(model[-1].coef_[1:], before[1:])
    model[-1].calibrate(features, head_labels(rows))
    found = score_texts(model, rows["text"].tolist())
    fitted.cache_clear()
    assert found[:, 0].mean() == pytest.approx(rows["label"].mean(), abs=0.01)
    assert found[:, 1].mean() == pytest.approx(rows["insult"].mean(), abs=0.01)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.pipeline import Pipeline

from models.explain import word_contributions
from models.params import load_params
from models.scoring import score_texts
from models.spam import build_classifier
from tests.factories import MESSAGES, ROOT, tiny_pipeline

PIPELINES = {kind: tiny_pipeline(kind) for kind in ("spam", "toxicity")}


@settings(deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from([text for text, _, _ in MESSAGES]), max_size=3).map(" ".join),
    ),
    st.sampled_from(sorted(PIPELINES)),
)
def test_parts_and_intercept_add_up_to_the_logit(text: str, kind: str) -> None:
    spans, intercept = word_contributions(PIPELINES[kind], text)
    score = score_texts(PIPELINES[kind], [text])[0, 0]
    logit = sum(span.weight for span in spans) + intercept
    assert expit(logit) == pytest.approx(score, abs=1e-12)


def test_complement_naive_bayes_adds_up_too() -> None:
    params = load_params(ROOT / "params.yaml").spam.classifier
    base = PIPELINES["spam"]
    texts = [text for text, _, _ in MESSAGES]
    classifier = build_classifier(params.model_copy(update={"family": "complement"}))
    classifier.fit(base[:-1].transform(texts), np.array([spam for _, spam, _ in MESSAGES]))
    pipeline = Pipeline([*base.steps[:-1], ("classifier", classifier)])
    spans, intercept = word_contributions(pipeline, "claim the prize")
    score = score_texts(pipeline, ["claim the prize"])[0, 0]
    logit = sum(span.weight for span in spans) + intercept
    assert expit(logit) == pytest.approx(score, abs=1e-12)


def test_the_insult_carries_the_most_and_is_found_in_the_raw_text() -> None:
    text = "well 😀  you ＩＤＩＯＴ indeed"
    spans, _ = word_contributions(PIPELINES["toxicity"], text)
    heaviest = max(spans, key=lambda span: span.weight)
    assert text[heaviest.start : heaviest.end] == "ＩＤＩＯＴ"

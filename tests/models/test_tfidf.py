import subprocess
import sys

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from models import skops_file
from models.params import NgramParams, NormaliseParams, TfidfParams
from models.tfidf import (
    EmptyVocabularyError,
    Normaliser,
    PackedTfidfVectorizer,
    fit_transform,
    fit_vectoriser,
)
from tests.factories import MESSAGES, ROOT, tiny_pipeline

TEXTS = [text for text, _, _ in MESSAGES]
RULES = NormaliseParams(tokens=True, respell=True, identity=True)
TFIDF = TfidfParams(
    word=NgramParams(ngrams=(1, 2), min_df=1),
    char=NgramParams(ngrams=(2, 4), min_df=1),
    sublinear_tf=True,
)


def test_packed_vocabulary_comes_back_as_it_was() -> None:
    vectoriser = fit_vectoriser(TEXTS, RULES, TFIDF)
    restored = skops_file.loads(skops_file.dumps(vectoriser), "vectoriser")
    for (_, before), (_, after) in zip(
        vectoriser["tfidf"].transformer_list, restored["tfidf"].transformer_list, strict=True
    ):
        assert after.vocabulary_ == before.vocabulary_
    difference = vectoriser.transform(TEXTS) - restored.transform(TEXTS)
    assert abs(difference).sum() == 0


def test_fitting_gives_the_features_that_transforming_gives() -> None:
    vectoriser, features = fit_transform(TEXTS, RULES, TFIDF)
    again = vectoriser.transform(TEXTS)
    assert np.array_equal(features.indptr, again.indptr)
    assert np.array_equal(features.indices, again.indices)
    np.testing.assert_allclose(features.data, again.data, rtol=1e-12)


def test_packing_changes_no_feature() -> None:
    plain = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4))
    packed = PackedTfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4))
    assert abs(plain.fit_transform(TEXTS) - packed.fit_transform(TEXTS)).sum() == 0


def test_no_term_left_is_a_clear_error() -> None:
    strict = TFIDF.model_copy(
        update={
            "word": NgramParams(ngrams=(1, 1), min_df=50),
            "char": NgramParams(ngrams=(2, 2), min_df=50),
        }
    )
    with pytest.raises((EmptyVocabularyError, ValueError), match=r"min_df|max_df"):
        fit_vectoriser(TEXTS, RULES, strict)
    with pytest.raises(EmptyVocabularyError, match="min_df"):
        fit_vectoriser(["\u200b", " "], RULES, TFIDF)


def test_two_processes_write_the_same_bytes() -> None:
    program = (
        "import pipelines, hashlib; from models import skops_file;"
        "from tests.factories import tiny_pipeline;"
        "print(hashlib.sha256(skops_file.dumps(tiny_pipeline({kind!r}))).hexdigest())"
    )
    for kind in ("spam", "toxicity"):
        digests = {
            subprocess.run(
                [sys.executable, "-c", program.format(kind=kind)],
                cwd=ROOT,
                env={"PYTHONHASHSEED": seed, "PATH": ""},
                check=True,
                capture_output=True,
                text=True,
            ).stdout.strip()
            for seed in ("1", "2")
        }
        assert len(digests) == 1


def test_scores_do_not_depend_on_the_company_of_a_text() -> None:
    pipeline = tiny_pipeline("toxicity")
    alone = np.vstack([pipeline.predict_proba([text]) for text in TEXTS])
    np.testing.assert_allclose(pipeline.predict_proba(TEXTS), alone, rtol=0, atol=1e-12)


def test_a_word_for_who_somebody_is_is_read_as_itself_however_others_are_misspelt() -> None:
    normaliser = Normaliser(respell=True, identity=True)
    normaliser.fit(["that queer quueer thing"] * 3)
    assert normaliser.transform(["she is queer"]) == normaliser.transform(["she is gay"])

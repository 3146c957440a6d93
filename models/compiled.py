"""The packaged text pipelines as numbers alone: what compiled code needs to score like them.

Read straight from a bundle's verified bytes, without scikit-learn and skops. A pipeline that has
anything unknown in it is refused, and scored by scikit-learn: never wrongly, only slower.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.errors import NotCompilableError
from models.params import NormaliseParams
from models.respell import Lexicon
from models.skops_values import Stored, read_values
from models.spans import SpanRule

#: The token pattern that the kernels follow; :mod:`models.tfidf` has it for scikit-learn.
TOKEN_PATTERN = r"(?u)\w+|[^\w\s]"

# What every vectoriser must be set to for the kernels to do as it does, and what does not matter
# once it is fitted.
_FIXED = {
    "binary": False,
    "dtype": "numpy.float64",
    "input": "content",
    "lowercase": False,
    "norm": "l2",
    "preprocessor": None,
    "stop_words": None,
    "strip_accents": None,
    "tokenizer": None,
    "use_idf": True,
}
_READ = {"_tfidf", "analyzer", "ngram_range", "packed_vocabulary", "sublinear_tf", "token_pattern"}
_OF_FITTING = {
    *("decode_error", "encoding", "fixed_vocabulary_", "max_df", "max_features", "min_df"),
    *("smooth_idf", "vocabulary", "_sklearn_version", "n_features_in_"),
}


@dataclass(frozen=True)
class Block:
    """One vectoriser's n-grams.

    Attributes
    ----------
    terms : str
        All of them, one a line.
    lengths : tuple of int
        The least and the greatest.
    idf : ndarray of float64, shape (n_terms,)
    weights : ndarray of float64, shape (n_heads, n_terms)
    """

    terms: str
    lengths: tuple[int, int]
    idf: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class CompiledModel:
    """A text model: TF-IDF over words and characters, and linear heads.

    Attributes
    ----------
    rules : NormaliseParams
    lexicon : Lexicon or None
        Of the cleaning that comes first; see :func:`models.text.normalise`.
    words, chars : Block
    sublinear : bool
        Whether a term counts by the logarithm of how often it is there.
    intercepts : ndarray of float64, shape (n_heads,)
    span_rule : SpanRule or None
        If there is one, the last head is for words alone.
    """

    rules: NormaliseParams
    lexicon: Lexicon | None
    words: Block
    chars: Block
    sublinear: bool
    intercepts: np.ndarray
    span_rule: SpanRule | None = None


def read_model(data: bytes, name: str) -> CompiledModel:
    """Return the model in a bundle's skops file.

    Parameters
    ----------
    data : bytes
        The content of the file.
    name : str
        What to call it in errors.

    Raises
    ------
    FormatError
        If it cannot be read.
    NotCompilableError
        If it has a part that is not known here.
    """
    try:
        return _model(read_values(data, name))
    except (LookupError, TypeError, ValueError) as error:
        raise NotCompilableError(f"{name} is not built as expected: {error}") from error


def _model(root: Any) -> CompiledModel:
    pipeline = _state(root, "sklearn.pipeline.Pipeline")
    (_, normaliser), (_, union), (_, classifier) = pipeline["steps"]
    rules, lexicon = _cleaning(_state(normaliser, "models.tfidf.Normaliser"))
    features = _state(union, "sklearn.pipeline.FeatureUnion")
    _require(features["transformer_weights"] is None, "the vectorisers are weighted")
    weights, intercepts, span_rule = _heads(classifier)
    blocks, sublinear, first = {}, set(), 0
    for _, vectoriser in features["transformer_list"]:
        state = _vectoriser(vectoriser)
        idf = state["_tfidf"].state["idf_"]
        last = first + len(idf)
        blocks[state["analyzer"]] = Block(
            terms=state["packed_vocabulary"].tobytes().decode("utf-8"),
            lengths=tuple(state["ngram_range"]),
            idf=idf,
            weights=weights[:, first:last],
        )
        sublinear.add(state["sublinear_tf"])
        first = last
    _require(blocks.keys() == {"word", "char_wb"}, f"the analysers are {sorted(blocks)}")
    _require(len(features["transformer_list"]) == 2, "there are more than two vectorisers")
    _require(len(sublinear) == 1, "the vectorisers count terms in different ways")
    _require(first == weights.shape[1], "the classifier has other features than the vectorisers")
    return CompiledModel(
        rules=rules,
        lexicon=lexicon,
        words=blocks["word"],
        chars=blocks["char_wb"],
        sublinear=sublinear.pop(),
        intercepts=intercepts,
        span_rule=span_rule,
    )


def _cleaning(normaliser: Mapping[str, Any]) -> tuple[NormaliseParams, Lexicon | None]:
    rules = dict(normaliser)
    packed, counts = (rules.pop(name, None) for name in ("packed_lexicon", "lexicon_counts"))
    if packed is None:
        return NormaliseParams(**rules), None
    words = packed.tobytes().decode("utf-8")
    known = zip(words.split("\n") if words else [], counts.tolist(), strict=True)
    return NormaliseParams(**rules), Lexicon(dict(known))


def _vectoriser(stored: Any) -> Mapping[str, Any]:
    state = _state(stored, "models.tfidf.PackedTfidfVectorizer")
    _require(
        state.keys() <= {*_FIXED, *_READ, *_OF_FITTING}, f"it has the settings {sorted(state)}"
    )
    _require_fixed(state, _FIXED)
    weighting = _state(state["_tfidf"], "sklearn.feature_extraction.text.TfidfTransformer")
    same = {name: state[name] for name in ("norm", "use_idf", "sublinear_tf")}
    _require_fixed(weighting, same)
    if state["analyzer"] == "word":
        _require_fixed(state, {"token_pattern": TOKEN_PATTERN})
    least, greatest = state["ngram_range"]
    _require(1 <= least <= greatest, f"the lengths are {least} to {greatest}")
    return state


def _heads(classifier: Stored) -> tuple[np.ndarray, np.ndarray, SpanRule | None]:
    """Return weights, intercepts and span rule: the heads' logits are linear in the features.

    As :func:`models.scoring.linear_weights` has it for scikit-learn's classifiers.
    """
    state = classifier.state
    _require(state["classes_"].tolist() == [0, 1], f"the classes are {state['classes_']}")
    if classifier.sort == "models.toxicity.ToxicityHeads":
        return _toxicity_heads(state)
    clean, spam = state["feature_log_prob_"]
    if classifier.sort == "sklearn.naive_bayes.MultinomialNB":
        before, after = state["class_log_prior_"]
        return (spam - clean)[np.newaxis], np.array([after - before]), None
    _require(classifier.sort == "sklearn.naive_bayes.ComplementNB", f"there is a {classifier.sort}")
    return (spam - clean)[np.newaxis], np.zeros(1), None


def _toxicity_heads(
    state: Mapping[str, Any],
) -> tuple[np.ndarray, np.ndarray, SpanRule | None]:
    needed = {"C", "class_weight", "classes_", "coef_", "heads", "intercept_"}
    known = needed | {"category_c", "scaling", "span_head_"}
    _require(needed <= state.keys() <= known, f"the heads have {sorted(state)}")
    if state.get("span_head_") is None:
        return state["coef_"], state["intercept_"], None
    head = _state(state["span_head_"], "models.span_head.SpanHead")
    return (
        np.vstack([state["coef_"], head["coef_"]]),
        np.append(state["intercept_"], head["intercept_"]),
        SpanRule(head["least"], head["gap"]),
    )


def _state(stored: Any, sort: str) -> Mapping[str, Any]:
    _require(isinstance(stored, Stored) and stored.sort == sort, f"it has no {sort} in its place")
    state: Mapping[str, Any] = stored.state
    return state


def _require_fixed(state: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
    for name, value in fixed.items():
        _require(state[name] == value, f"{name} is {state[name]!r}, and not {value!r}")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise NotCompilableError(f"compiled code does not know this pipeline: {otherwise}")

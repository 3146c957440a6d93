"""Toxicity: ranking, categories, spans, bias, attacks, dilution and calibration."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from benchmarks.attacks import ATTACKS, disguise
from benchmarks.quality_figures import (
    Flags,
    Line,
    Models,
    Scores,
    figures,
    resampled,
    share,
    shown,
)
from benchmarks.quality_rows import QualityRows, SpanRow, continued
from models.explain import toxic_spans
from models.metrics import Figure, ranking_metrics
from models.params import EvaluateParams
from models.scoring import score_texts
from models.toxicity import CATEGORIES
from pipelines.evidence_text import IDENTITY_TERMS, identity_terms

#: Words of clean text that follow a flagged message.
DILUTIONS = (7, 28, 100)

# A term in fewer templates says little of its false positives.
_TERM_ROWS = 50


def toxicity_lines(models: Models, rows: QualityRows, params: EvaluateParams) -> Iterator[Line]:
    """Yield the lines about toxicity."""
    test = rows.toxicity_test
    heads = score_texts(models.toxicity.model, test["text"].tolist())
    yield from _ranking(models, rows, heads[:, 0], params)
    yield from _categories(test, heads, params)
    yield _spans(models, rows.spans, params)
    yield from _templates(models, rows.templates, params)
    yield from _workplace(models, rows.workplace)
    yield from _attacks(models, rows.attacked, params)
    yield from _dilution(models, rows)
    yield from _calibration(test, heads, params)


def _ranking(
    models: Models, rows: QualityRows, scores: Scores, params: EvaluateParams
) -> Iterator[Line]:
    test = rows.toxicity_test
    chosen = (test["source"] == "jigsaw_balanced").to_numpy()
    labels = test["label"].to_numpy()
    found = figures(labels[chosen], scores[chosen], models.review, params)
    yield Line("jigsaw_balanced test rows: AUC", int(chosen.sum()), shown(found["auc"]), "≥ .970")
    found = figures(labels, scores, models.review, params)
    yield Line("all public test rows: AUC", len(test), shown(found["auc"]))
    never = rows.nonfuzzed
    found = figures(
        never["label"].to_numpy(), models.toxic(never["text"].tolist()), models.review, params
    )
    yield Line("unintended_bias nonfuzzed: AUC", len(never), shown(found["auc"]), "≥ .965")
    yield Line("unintended_bias nonfuzzed: F1", len(never), shown(found["f1"]), "≥ .82")


def _categories(test: pd.DataFrame, heads: Scores, params: EvaluateParams) -> Iterator[Line]:
    marked = (test["source"] == "toxic_spans").to_numpy()
    labels = test[list(CATEGORIES)].to_numpy(float)
    names = list(enumerate(CATEGORIES, start=1))

    def auc(drawn: np.ndarray, column: int) -> float:
        rows = drawn[~np.isnan(labels[drawn, column - 1])]
        scores = heads[rows, column]
        positive = labels[rows, column - 1] == 1
        ranks = pd.Series(scores).rank().to_numpy()
        wins = ranks[positive].sum() - positive.sum() * (positive.sum() + 1) / 2
        return float(wins / (positive.sum() * (~positive).sum()))

    where = np.flatnonzero(marked)
    macro = resampled(
        len(where),
        lambda drawn: float(np.mean([auc(where[drawn], column) for column, _ in names])),
        params,
    )
    each = ", ".join(f"{name} {auc(where, column):.3f}" for column, name in names)
    yield Line(
        f"categories, toxic_spans test rows: macro AUC ({each})", len(where), shown(macro), "≥ .85"
    )


def _spans(models: Models, rows: Sequence[SpanRow], params: EvaluateParams) -> Line:
    scores = np.array([_character_f1(models, row) for row in rows])
    f1 = resampled(len(scores), lambda drawn: float(scores[drawn].mean()), params)
    return Line("toxic spans, SemEval trial rows: character F1", len(rows), shown(f1), "≥ .63")


def _character_f1(models: Models, row: SpanRow) -> float:
    """Return F1 as the task defines it: 1 where nothing is marked and nothing found."""
    found = {
        place
        for span in toxic_spans(models.toxicity.model, row.text)
        for place in range(span.start, span.end)
    }
    if not row.marked or not found:
        return float(not row.marked and not found)
    return 2 * len(row.marked & found) / (len(row.marked) + len(found))


def _templates(models: Models, rows: pd.DataFrame, params: EvaluateParams) -> Iterator[Line]:
    labels = rows["label"].to_numpy()
    scores = models.toxic(rows["text"].tolist())
    found = figures(labels, scores, models.review, params)
    terms = identity_terms("data" / IDENTITY_TERMS)
    clean = rows.index[labels == 0]
    named = rows.loc[clean, "text"].str.lower().map(lambda text: set(terms.findall(text)))
    rates = {
        term: (len(of_term), share(scores[of_term] >= models.review))
        for term in sorted(set().union(*named))
        if len(of_term := clean[[term in names for names in named]]) >= _TERM_ROWS
    }
    worst = max(rates, key=lambda term: rates[term][1].value)
    count, rate = rates[worst]
    yield Line(
        f"identity templates: false-positive rate of the worst term ({worst})",
        count,
        shown(rate),
        "≤ .03",
    )
    all_clean = share(scores[labels == 0] >= models.review)
    yield Line("identity templates: false-positive rate of all terms", len(clean), shown(all_clean))
    yield Line("identity templates: AUC", len(rows), shown(found["auc"]), "≥ .97")


def _workplace(models: Models, texts: Sequence[str]) -> Iterator[Line]:
    toxic, spam = models.flagged(texts), models.spammy(texts)
    parts = f"toxic {toxic.sum()}, spam {spam.sum()}"
    yield Line(
        f"workplace hard negatives: flagged ({parts})",
        len(texts),
        shown(share(toxic | spam)),
        "≤ .01",
    )


def _attacks(models: Models, rows: pd.DataFrame, params: EvaluateParams) -> Iterator[Line]:
    labels = rows["label"].to_numpy()
    plain = models.flagged(rows["text"].tolist())
    toxic, clean = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    yield Line("attacks: plain recall", len(toxic), shown(share(plain[toxic])))
    yield Line("attacks: plain false-positive rate", len(clean), shown(share(plain[clean])))

    for name in ATTACKS:
        attacked = models.flagged([disguise(text, name) for text in rows["text"]])
        recall, false = (_ratio(attacked[of], plain[of], params) for of in (toxic, clean))
        reach = "≥ .85" if name == "dropped vowels" else "≥ .95"
        yield Line(f"{name}: recall ÷ plain recall", len(toxic), shown(recall), reach)
        yield Line(f"{name}: false positives ÷ plain", len(clean), shown(false), "≤ 1.5")


def _ratio(attacked: Flags, plain: Flags, params: EvaluateParams) -> Figure:
    return resampled(
        len(plain), lambda drawn: float(attacked[drawn].sum() / plain[drawn].sum()), params
    )


def _dilution(models: Models, rows: QualityRows) -> Iterator[Line]:
    test = rows.attacked
    toxic, clean = (test.loc[test["label"] == label, "text"].tolist() for label in (1, 0))
    found = models.flagged(toxic)
    seen = [text for text, flag in zip(toxic, found, strict=True) if flag]
    for words in DILUTIONS:
        still = models.flagged(continued(seen, clean, words))
        yield Line(
            f"flagged rows followed by {words} clean words: still flagged",
            len(seen),
            shown(share(still)),
            "≥ .95",
        )
    long = rows.long_clean["text"].tolist()
    yield Line(
        "clean test rows of 100 words or more: flagged",
        len(long),
        shown(share(models.flagged(long))),
        "unchanged",
    )


def _calibration(test: pd.DataFrame, heads: Scores, params: EvaluateParams) -> Iterator[Line]:
    for column, name in enumerate(("label", *CATEGORIES)):
        labels = test[name].to_numpy(float)
        known = ~np.isnan(labels)
        found = ranking_metrics(
            labels[known].astype(int),
            heads[known, column],
            resamples=params.bootstrap,
            seed=params.seed,
        )
        head = "toxic" if name == "label" else name
        yield Line(
            f"{head}, all public test rows: ECE", int(known.sum()), shown(found["ece"]), "≤ .03"
        )

"""Evaluate one text model on its test rows: figures with intervals, slices, curves and plots."""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from models.errors import CareerlensError
from models.labels import HEADS
from models.manifest import Thresholds
from models.metrics import binary_metrics, ranking_metrics
from models.params import EvaluateParams, load_params
from models.scoring import score_texts
from models.skops_file import load_model
from pipelines.entry import entry_point
from pipelines.intervals import plain
from pipelines.limits import read_limits, try_limits
from pipelines.plots import bundle_plots, write_curves, write_plots
from pipelines.stage import parse_args, read_json, read_table, write_json

#: Upper bounds of the length bands, in characters, with their names.
LENGTH_BANDS = ((50, "0-50"), (200, "51-200"), (1000, "201-1000"), (10**9, "over-1000"))

#: Slices of fewer rows say more about chance than about the model.
MIN_SLICE_ROWS = 20

#: The figures shown in ``dvc metrics`` and on the first lines of the report.
SUMMARY = (
    "auc",
    "average_precision",
    "f1",
    "mcc",
    "precision",
    "recall",
    "false_positive_rate",
    "brier",
    "ece",
)


#: The figures that the block threshold changes.
AT_BLOCK = ("precision", "recall", "false_positive_rate", "f1", "mcc", "flagged")


#: Shares of the clean rows for which it is shown where a threshold would let so many be flagged.
MOVES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)


class EvaluationError(CareerlensError):
    """The test rows cannot tell anything about the model."""


def evaluate(
    model: str,
    test: pd.DataFrame,
    scores: np.ndarray,
    thresholds: Thresholds,
    params: EvaluateParams,
) -> dict[str, Any]:
    """Return every figure on the test rows: all rows, slices, and heads of categories.

    Parameters
    ----------
    model : {"spam", "toxicity"}
    test : DataFrame
        Columns text, label, source, category, and one for each category head.
    scores : ndarray of float, shape (n_rows, n_heads)
    thresholds : Thresholds
        Threshold figures are at ``review``; ``at_block`` holds those at ``block``.

    Raises
    ------
    EvaluationError
        If the test rows are not of both labels.
    """
    labels = test["label"].to_numpy()
    if len(np.unique(labels)) < 2:
        raise EvaluationError(
            f"the {len(labels)} test rows of {model} are not of both labels; "
            "data/reports/split.json has the counts: raise data.sample in params.yaml"
        )
    bootstrap = {"resamples": params.bootstrap, "seed": params.seed}
    main = scores[:, 0]
    at_block = binary_metrics(labels, main, thresholds.block, **bootstrap)
    return {
        "rows": len(test),
        "positives": int(labels.sum()),
        "test_digest": rows_digest(test),
        "thresholds": thresholds.model_dump(),
        "headline": plain(binary_metrics(labels, main, thresholds.review, **bootstrap)),
        "at_block": plain({name: at_block[name] for name in AT_BLOCK}),
        "moved": moved_thresholds(labels, main, thresholds),
        "slices": {
            name: _slice_figures(labels[rows], main[rows], thresholds.review, bootstrap)
            for name, rows in _slices(test)
        },
        "heads": {
            head: _head_figures(test[head].to_numpy(float), scores[:, column], bootstrap)
            for column, head in enumerate(HEADS[model])
            if column > 0
        },
    }


def moved_thresholds(
    labels: np.ndarray, scores: np.ndarray, thresholds: Thresholds
) -> list[dict[str, Any]]:
    """Return what review and block thresholds in other places would do, lowest first.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,), both classes present
    scores : ndarray of float, shape (n_rows,)
    """
    clean = scores[labels == 0]
    places = {float(np.quantile(clean, 1 - share, method="higher")): "" for share in MOVES}
    places |= {threshold: name for name, threshold in thresholds.model_dump().items()}
    moved = []
    for threshold in sorted(places):
        flagged = scores >= threshold
        caught = int(labels[flagged].sum())
        moved.append(
            {
                "name": places[threshold],
                "threshold": threshold,
                "clean_flagged": float((clean >= threshold).mean()),
                "recall": caught / int(labels.sum()),
                "precision": caught / int(flagged.sum()) if flagged.any() else None,
            }
        )
    return moved


def _slice_figures(
    labels: np.ndarray, scores: np.ndarray, threshold: float, bootstrap: dict[str, int]
) -> dict[str, Any]:
    figures = binary_metrics(labels, scores, threshold, **bootstrap)
    return {"rows": len(labels), "positives": int(labels.sum()), **plain(figures)}


def _head_figures(
    labels: np.ndarray, scores: np.ndarray, bootstrap: dict[str, int]
) -> dict[str, Any]:
    known = ~np.isnan(labels)
    target = labels[known].astype(int)
    counts = {"rows": len(target), "positives": int(target.sum())}
    if len(target) == 0:
        return counts
    return {**counts, **plain(ranking_metrics(target, scores[known], **bootstrap))}


def _slices(test: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and row mask of each slice that is large enough."""
    lengths = test["text"].str.len().to_numpy()
    masks = {f"source/{name}": test["source"] == name for name in sorted(set(test["source"]))}
    lower = 0
    for upper, name in LENGTH_BANDS:
        masks[f"length/{name}"] = (lengths > lower) & (lengths <= upper)
        lower = upper
    for name in sorted(set(test["category"]) - {""}):
        masks[f"category/{name}"] = test["category"] == name
    for name, mask in masks.items():
        rows = np.asarray(mask)
        if rows.sum() >= MIN_SLICE_ROWS:
            yield name, rows


def rows_digest(test: pd.DataFrame) -> str:
    """Return the sha256 over labels and texts of the test rows."""
    rows = "\n".join(f"{row.label}\t{row.text}" for row in test[["label", "text"]].itertuples())
    return hashlib.sha256(rows.encode("utf-8")).hexdigest()


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(
        __doc__,
        inputs=["trained", "thresholds", "test", "evaluation", "limits"],
        outputs=["metrics", "summary", "curves", "plots"],
        per_model=True,
    )
    params = load_params()
    thresholds = Thresholds(**read_json(args.thresholds))
    trained = load_model(args.trained)
    test = read_table(args.test)
    scores = score_texts(trained, test["text"].tolist())
    metrics = evaluate(args.model, test, scores, thresholds, params.evaluate)

    evaluation = read_table(args.evaluation)
    # The evaluation sets are all about toxicity; the spam sources have none.
    sets = evaluation.groupby("set", sort=True) if args.model == "toxicity" else ()
    bootstrap = {"resamples": params.evaluate.bootstrap, "seed": params.evaluate.seed}
    metrics["evaluation"] = {
        name: _slice_figures(
            rows["label"].to_numpy(),
            score_texts(trained, rows["text"].tolist())[:, 0],
            thresholds.review,
            bootstrap,
        )
        for name, rows in sets
    }
    metrics |= {"model": args.model, "corpus": params.data.corpus}
    metrics |= bundle_plots(test["label"].to_numpy(), scores[:, 0], thresholds)
    limits = read_limits(args.limits, args.model)
    metrics["limits"] = try_limits(trained, thresholds.review, limits)
    summary = {name: metrics["headline"][name]["value"] for name in SUMMARY}
    summary |= {
        f"{name}_auc": part["auc"]["value"]
        for name, part in metrics["evaluation"].items()
        if "auc" in part
    }
    write_json(metrics, args.metrics)
    write_json(summary, args.summary)
    write_curves(test["label"].to_numpy(), scores[:, 0], args.curves)
    write_plots(args.model, test["label"].to_numpy(), scores[:, 0], thresholds, args.plots)
    print(
        f"{args.model}: {metrics['rows']:,} test rows, "
        + ", ".join(f"{name} {summary[name]:.4f}" for name in ("auc", "f1", "mcc"))
    )


if __name__ == "__main__":
    main()

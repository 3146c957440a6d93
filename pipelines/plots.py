"""Curves of one model's test scores, as JSON for ``dvc plots`` and as PNG with fixed bytes."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

from models.manifest import Thresholds
from pipelines.stage import write_json

#: Points kept of each curve: enough for the eye, small enough to commit to a run.
CURVE_POINTS = 200

#: Points of those that a bundle holds, to be drawn small.
BUNDLE_POINTS = 60

_BINS = 10

# Scores nearer to 0 or 1 than this are drawn there.
_EDGE = 1e-6


def bundle_plots(
    labels: np.ndarray, scores: np.ndarray, thresholds: Thresholds
) -> dict[str, dict[str, list[list[float]]]]:
    """Return what a bundle's ``metrics.json`` holds of the plots, for others to draw.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,), both classes present
    scores : ndarray of float, shape (n_rows,)

    Returns
    -------
    dict
        ``curves``: of each its points, x before y. ``confusion``: for each threshold the counts
        of rows, clean ones first, of each those that pass first.
    """
    return {
        "curves": {
            name: np.round(np.column_stack([xs, ys]), 4).tolist()
            for name, (_, xs, _, ys) in _curves(labels, scores, BUNDLE_POINTS).items()
        },
        "confusion": {
            name: _counts(labels, scores >= threshold).tolist()
            for name, threshold in thresholds.model_dump().items()
        },
    }


def write_curves(labels: np.ndarray, scores: np.ndarray, folder: Path) -> None:
    """Write ``roc.json``, ``precision_recall.json`` and ``reliability.json`` into ``folder``.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,), both classes present
    scores : ndarray of float, shape (n_rows,)
    """
    for name, (x_name, xs, y_name, ys) in _curves(labels, scores).items():
        points = [
            {x_name: round(float(x), 6), y_name: round(float(y), 6)}
            for x, y in zip(xs, ys, strict=True)
        ]
        write_json({name: points}, folder / f"{name}.json")


def write_plots(
    model: str, labels: np.ndarray, scores: np.ndarray, thresholds: Thresholds, folder: Path
) -> None:
    """Write the plots of curves, confusion and thresholds as PNG into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (x_name, xs, y_name, ys) in _curves(labels, scores).items():
        figure, axes = plt.subplots(figsize=(5, 5), layout="constrained")
        axes.plot(xs, ys, marker="o" if name == "reliability" else None)
        if name != "precision_recall":
            axes.plot([0, 1], [0, 1], linestyle=":", color="grey")
        axes.set(
            xlabel=x_name.replace("_", " "),
            ylabel=y_name.replace("_", " "),
            xlim=(-0.01, 1.01),
            ylim=(-0.01, 1.01),
            title=f"{model}: {name.replace('_', ' ')}",
        )
        save_figure(figure, folder / f"{name}.png")
    figure, panels = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
    for axes, (name, threshold) in zip(panels, thresholds.model_dump().items(), strict=True):
        _confusion(axes, labels, scores >= threshold, f"{model}: {name} from {threshold:.3f}")
    save_figure(figure, folder / "confusion.png")
    _plot_moves(model, labels, scores, thresholds, folder / "thresholds.png")


def _plot_moves(
    model: str, labels: np.ndarray, scores: np.ndarray, thresholds: Thresholds, path: Path
) -> None:
    """Draw what a threshold in any place would catch, and flag wrongly."""
    places = np.unique(np.clip(scores, _EDGE, 1 - _EDGE))
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for label, name in ((1, "caught"), (0, "flagged wrongly")):
        ordered = np.sort(scores[labels == label])
        share = 1 - np.searchsorted(ordered, places, side="left") / len(ordered)
        axes.plot(places, share, label=f"{name}, of {len(ordered):,}")
    for style, (name, threshold) in zip(("--", ":"), thresholds.model_dump().items(), strict=True):
        place = np.clip(threshold, _EDGE, 1 - _EDGE)
        axes.axvline(place, linestyle=style, color="grey", label=f"{name} from {threshold:.3f}")
    axes.set(
        xscale="logit",
        xlabel="threshold",
        ylabel="share of rows",
        ylim=(-0.01, 1.01),
        title=f"{model}: what moving a threshold does",
    )
    axes.legend()
    save_figure(figure, path)


def _curves(
    labels: np.ndarray, scores: np.ndarray, points: int = CURVE_POINTS
) -> dict[str, tuple[str, np.ndarray, str, np.ndarray]]:
    false_positive, true_positive, _ = roc_curve(labels, scores)
    precision, recall, _ = precision_recall_curve(labels, scores)
    observed, predicted = calibration_curve(labels, scores, n_bins=_BINS)
    return {
        "roc": (
            "false_positive_rate",
            _thin(false_positive, points),
            "true_positive_rate",
            _thin(true_positive, points),
        ),
        "precision_recall": (
            "recall",
            _thin(recall, points),
            "precision",
            _thin(precision, points),
        ),
        "reliability": ("predicted", predicted, "observed", observed),
    }


def _thin(values: np.ndarray, points: int) -> np.ndarray:
    chosen = np.unique(np.linspace(0, len(values) - 1, points).round().astype(int))
    thinned: np.ndarray = values[chosen]
    return thinned


def _counts(labels: np.ndarray, flagged: np.ndarray) -> np.ndarray:
    counts: np.ndarray = confusion_matrix(labels, flagged.astype(int), labels=[0, 1])
    return counts


def _confusion(axes: Axes, labels: np.ndarray, flagged: np.ndarray, title: str) -> None:
    counts = _counts(labels, flagged)
    axes.imshow(counts, cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        axes.text(
            column,
            row,
            f"{count:,}",
            ha="center",
            color="white" if count > counts.max() / 2 else "black",
        )
    axes.set(
        xticks=[0, 1],
        yticks=[0, 1],
        xticklabels=["passed", "flagged"],
        yticklabels=["negative", "positive"],
        title=title,
    )


def save_figure(figure: plt.Figure, path: Path) -> None:
    """Write ``figure`` as PNG and close it; same picture, same bytes."""
    # Without its "Software" entry the file depends on the picture alone.
    figure.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(figure)

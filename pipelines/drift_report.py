"""The report on drift: a page with plots for people, and the same as JSON for machines."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from models.manifest import Thresholds
from pipelines.drift_checks import ACTIONS, Check, Verdict, action_shares, worst
from pipelines.plots import save_figure
from pipelines.reference import FIGURES, Figure, Reference
from pipelines.stage import write_json

_TITLES = {
    "score": "score",
    "chars": "length in characters",
    "unknown": "share of unknown words",
    "other_script": "share of letters that are not Latin",
    "action": "actions",
}


@dataclass(frozen=True)
class Compared:
    """What was found of one kind.

    Attributes
    ----------
    origin : str
        Where the reference comes from.
    columns : dict of figure to ndarray, shape (n_messages,)
    first, last : datetime
        When the oldest and newest message was judged.
    of_others : int
        Messages that another version judged.
    """

    kind: str
    version: str
    digest: str
    origin: str
    reference: Reference
    columns: Mapping[Figure, np.ndarray]
    thresholds: Thresholds
    first: datetime
    last: datetime
    of_others: int
    unreadable: int
    checks: list[Check]

    @property
    def verdict(self) -> Verdict:
        """The worst of the checks."""
        return worst([check.verdict for check in self.checks])

    @property
    def rows(self) -> int:
        """Messages that were compared."""
        return len(self.columns["score"])

    def as_dict(self) -> dict[str, Any]:
        """Return the figures, without the messages'."""
        points = {figure: np.array(self.reference.points[figure]) for figure in FIGURES}
        return {
            "verdict": self.verdict,
            "version": self.version,
            "digest": self.digest,
            "reference": {"origin": self.origin, **_figures(points, self.thresholds)}
            | {"rows": self.reference.rows},
            "log": {
                "rows": self.rows,
                "first": self.first.isoformat(),
                "last": self.last.isoformat(),
                "of_other_versions": self.of_others,
                "unreadable_lines": self.unreadable,
                **_figures(self.columns, self.thresholds),
            },
            "thresholds": self.thresholds.model_dump(),
            "checks": [asdict(check) for check in self.checks],
        }


def write_report(found: list[Compared], log: Path, folder: Path) -> Verdict:
    """Write ``report.md``, ``report.json`` and a plot of each kind; return the worst verdict."""
    folder.mkdir(parents=True, exist_ok=True)
    verdict = worst([each.verdict for each in found])
    kinds = {each.kind: each.as_dict() for each in found}
    write_json({"verdict": verdict, "log": str(log), "kinds": kinds}, folder / "report.json")
    lines = [f"# Drift: {verdict}", ""]
    for each in found:
        _plot(each, folder / f"{each.kind}.png")
        lines += _section(each)
    (folder / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return verdict


def _figures(columns: Mapping[Figure, np.ndarray], thresholds: Thresholds) -> dict[str, Any]:
    shares = action_shares(columns["score"], thresholds)
    return {
        "median": {figure: float(np.median(columns[figure])) for figure in FIGURES},
        "mean": {figure: float(np.mean(columns[figure])) for figure in FIGURES},
        "actions": dict(zip(ACTIONS, map(float, shares), strict=True)),
    }


def _section(each: Compared) -> Iterator[str]:
    shown = each.as_dict()
    yield f"## {each.kind} {each.version}: {each.verdict}"
    yield ""
    yield (
        f"{each.rows:,} messages from {each.first:%Y-%m-%d %H:%M} to {each.last:%Y-%m-%d %H:%M} "
        f"UTC, against {each.reference.rows:,} of {each.origin}. Left out: {each.of_others:,} "
        f"judged by other versions, {each.unreadable:,} lines that cannot be read."
    )
    yield ""
    yield "| figure | reference, mean | log, mean | PSI | KS | chance alone | verdict |"
    yield "|---|---|---|---|---|---|---|"
    for figure in FIGURES:
        psi, ks = (check for check in each.checks if check.figure == figure)
        yield (
            f"| {_TITLES[figure]} | {shown['reference']['mean'][figure]:.3f} "
            f"| {shown['log']['mean'][figure]:.3f} | {psi.value:.3f} | {ks.value:.3f} "
            f"| {_chance(psi)}, {_chance(ks)} | {worst([psi.verdict, ks.verdict])} |"
        )
    [action] = (check for check in each.checks if check.figure == "action")
    before, after = (_rates(shown[side]["actions"]) for side in ("reference", "log"))
    yield (
        f"| allow, review, block | {before} | {after} | {action.value:.3f} | "
        f"| {_chance(action)} | {action.verdict} |"
    )
    yield ""
    yield f"![{each.kind}]({each.kind}.png)"
    yield ""


def _chance(check: Check) -> str:
    return "< 0.0001" if check.p_value < 0.0001 else f"{check.p_value:.4f}"


def _rates(actions: Mapping[str, float]) -> str:
    return ", ".join(f"{100 * share:.1f} %" for share in actions.values())


def _plot(each: Compared, path: Path) -> None:
    figure, panels = plt.subplots(1, 5, figsize=(20, 4), layout="constrained")
    for axes, name in zip(panels, FIGURES, strict=False):
        _distributions(axes, np.array(each.reference.points[name]), each.columns[name])
        axes.set(title=_TITLES[name], ylabel="share of messages at or below", ylim=(-0.02, 1.02))
        if name == "chars":
            axes.set_xscale("symlog", linthresh=10)
            axes.set_xlim(left=0)
    panels[0].legend(loc="lower right")
    places = np.arange(len(ACTIONS))
    points = np.array(each.reference.points["score"])
    for shift, scores in ((-0.2, points), (0.2, each.columns["score"])):
        panels[-1].bar(places + shift, action_shares(scores, each.thresholds), width=0.4)
    panels[-1].set(title=_TITLES["action"], xticks=places, xticklabels=ACTIONS, ylim=(0, 1.02))
    figure.suptitle(f"{each.kind} {each.version}: {each.verdict}")
    save_figure(figure, path)


def _distributions(axes: Axes, points: np.ndarray, values: np.ndarray) -> None:
    axes.ecdf(points, label="reference")
    axes.ecdf(values, label="log")

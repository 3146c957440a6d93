"""Two versions of one model side by side: as a document, as JSON and as pictures."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_curve

from models.gates import Decision
from pipelines.bars import write_bars
from pipelines.evidence import Hearing, Witness
from pipelines.shadow_log import shown
from pipelines.stage import MODELS, write_json

#: Rows of different answers that are shown, and characters of each text.
SHOWN_ROWS = 20
SHOWN_CHARS = 160

_SIDES = ("champion", "challenger")
_BINS = np.linspace(0.0, 1.0, 21)


def compared(
    hearing: Hearing,
    decision: Decision,
    params: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """Return all there is to say of challenger and champion, as JSON can hold it.

    Parameters
    ----------
    params : dict of {"champion", "challenger"} to dict of str to str
        What each was trained with.
    """
    both = _both(hearing)
    return {
        "kind": hearing.challenger.candidate.kind,
        "versions": {
            side: {
                "version": witness.candidate.name,
                "digest": witness.candidate.bundle.digest,
                "corpus": witness.candidate.bundle.manifest.corpus,
                "bytes": witness.evidence.size,
                "seconds": witness.evidence.seconds,
                "behaviour": list(witness.evidence.failures),
            }
            for side, witness in both.items()
        },
        "rows": {"digest": hearing.given.digest, "notes": list(hearing.given.notes)},
        "params": _different(params),
        "metrics": {
            name: {
                side: witness.answered.metrics["headline"].get(name)
                for side, witness in both.items()
            }
            for name in hearing.challenger.answered.metrics["headline"]
        },
        "slices": {
            name: {
                "rows": part.rows,
                **{side: witness.answered.slices[name].figure for side, witness in both.items()},
            }
            for name, part in hearing.challenger.answered.slices.items()
        },
        "decision": asdict(decision),
        "disagreements": _disagreements(hearing),
    }


def document(content: Mapping[str, Any]) -> str:
    """Return :func:`compared`'s content as Markdown."""
    shadow = f"\n{shown(content['shadow'])}" if "shadow" in content else ""
    return "\n".join(_lines(content)) + "\n" + shadow


def write_comparison(content: Mapping[str, Any], hearing: Hearing, folder: Path) -> None:
    """Write ``comparison.md``, ``comparison.json`` and ``plots`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(content, folder / "comparison.json")
    (folder / "comparison.md").write_text(document(content), encoding="utf-8")
    plots = folder / "plots"
    plots.mkdir(exist_ok=True)
    if content["kind"] in MODELS:
        _plot_scores(content, hearing, plots / "scores.png")
    else:
        _plot_slices(content, plots / "slices.png")


def _both(hearing: Hearing) -> dict[str, Witness]:
    assert hearing.champion is not None
    return {"champion": hearing.champion, "challenger": hearing.challenger}


def _different(params: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str | None]]:
    names = sorted({name for of_one in params.values() for name in of_one})
    rows = {name: {side: params[side].get(name) for side in _SIDES} for name in names}
    return {name: row for name, row in rows.items() if len(set(row.values())) > 1}


def _disagreements(hearing: Hearing) -> dict[str, Any]:
    """Return the rows answered better by one of the two, widest apart first."""
    champion, challenger = (_both(hearing)[side].answered for side in _SIDES)
    quality = challenger.quality - champion.quality
    apart = np.abs(quality) + np.abs(challenger.scores - champion.scores)
    rows = np.flatnonzero(quality)
    widest = rows[np.argsort(-apart[rows], kind="stable")][:SHOWN_ROWS]
    return {
        "better": int((quality > 0).sum()),
        "worse": int((quality < 0).sum()),
        "shown": [
            {
                "text": _shortened(hearing.given.texts[row]),
                "wanted": hearing.given.wanted[row],
                "champion": champion.said[row],
                "challenger": challenger.said[row],
                "change": "better" if quality[row] > 0 else "worse",
            }
            for row in widest
        ],
    }


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARS else f"{line[: SHOWN_CHARS - 1]}…"


def _lines(content: Mapping[str, Any]) -> Iterator[str]:
    versions, decision = content["versions"], content["decision"]
    champion, challenger = (versions[side] for side in _SIDES)
    yield f"# {content['kind']}: {champion['version']} and {challenger['version']}"
    yield ""
    for side in _SIDES:
        each = versions[side]
        yield f"- {side}: {each['version']}, digest {each['digest'][:12]}, corpus {each['corpus']}"
    yield from (f"- rows: {note}" for note in content["rows"]["notes"])
    yield from _section(
        "Params that differ",
        ["param", *_SIDES],
        ([name, *(row[side] or "" for side in _SIDES)] for name, row in content["params"].items()),
    )
    yield from _section(
        "Metrics",
        ["metric", *_SIDES],
        (
            [name, *(_interval(row[side]) for side in _SIDES)]
            for name, row in sorted(content["metrics"].items())
        ),
    )
    changed = {
        name: row
        for name, row in sorted(content["slices"].items())
        if row["champion"] != row["challenger"]
    }
    yield from _section(
        f"Slices ({len(content['slices']) - len(changed)} more are equal)",
        ["slice", "rows", *_SIDES, "change"],
        (
            [
                *(name, f"{row['rows']:,}", *(f"{row[side]:.4f}" for side in _SIDES)),
                f"{row['challenger'] - row['champion']:+.4f}",
            ]
            for name, row in changed.items()
        ),
    )
    yield from _section(
        "Size and latency",
        ["", *_SIDES],
        (
            ["bundle, bytes", *(f"{versions[side]['bytes']:,}" for side in _SIDES)],
            ["one answer, ms", *(f"{1000 * versions[side]['seconds']:.3f}" for side in _SIDES)],
            ["behaviour cases failed", *(str(len(versions[side]["behaviour"])) for side in _SIDES)],
        ),
    )
    yield from ("", "## Checks", "", *_checks(decision["checks"]), "")
    if decision["accepted"]:
        yield f"**{challenger['version']} may replace {champion['version']}.**"
    else:
        yield f"**{challenger['version']} may not replace {champion['version']}:**"
        yield ""
        yield from (f"- {reason}" for reason in decision["reasons"])
    found = content["disagreements"]
    yield from _section(
        f"Rows answered otherwise ({found['better']} better, {found['worse']} worse)",
        ["text", "right", *_SIDES, "change"],
        (
            [row["text"], row["wanted"], *(row[side] for side in _SIDES), row["change"]]
            for row in found["shown"]
        ),
    )


def _section(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    body = list(rows)
    yield from ("", f"## {title}", "")
    yield from _table(head, body) if body else ["None."]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _checks(checks: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    return _table(
        ["check", "figure", "bound", ""],
        (
            [
                check["name"],
                _number(check["figure"]),
                f"{'at least' if check['limit'] == 'floor' else 'at most'} "
                + _number(check["bound"]),
                "ok" if check["passed"] else "FAILED",
            ]
            for check in checks
        ),
    )


def _number(figure: float | None) -> str:
    if figure is None:
        return "missing"
    return f"{figure:,.0f}" if float(figure).is_integer() else f"{figure:.4f}"


def _interval(figure: Mapping[str, float] | None) -> str:
    if figure is None:
        return ""
    return f"{figure['value']:.4f} ({figure['low']:.4f} to {figure['high']:.4f})"


def _plot_scores(content: Mapping[str, Any], hearing: Hearing, path: Path) -> None:
    """Write where both models score right and wrong rows, and their ROC curves."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 5), layout="constrained")
    positive = np.array([wanted != "clean" for wanted in hearing.given.wanted])
    for color, (side, witness) in zip(("C0", "C1"), _both(hearing).items(), strict=True):
        scores = witness.answered.scores
        label = f"{side} {witness.candidate.name}"
        for rows, style, what in ((~positive, "--", "clean"), (positive, "-", "positive")):
            counts, _ = np.histogram(scores[rows], _BINS)
            left.stairs(counts, _BINS, color=color, linestyle=style, label=f"{label}, {what}")
        false_positive, true_positive, _ = roc_curve(positive, scores)
        right.plot(false_positive, true_positive, color=color, label=label)
    left.set(xlabel="score", ylabel="rows", yscale="symlog", title=f"{content['kind']}: scores")
    right.plot([0, 1], [0, 1], linestyle=":", color="grey")
    right.set(xlabel="false positive rate", ylabel="true positive rate", title="ROC")
    for axes in (left, right):
        axes.legend(fontsize="small")
    figure.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(figure)


def _plot_slices(content: Mapping[str, Any], path: Path) -> None:
    """Write the main figure of every slice for both models."""
    names = list(content["slices"])
    series = {
        f"{side} {content['versions'][side]['version']}": [
            dict.fromkeys(("value", "low", "high"), content["slices"][name][side]) for name in names
        ]
        for side in _SIDES
    }
    write_bars(path, f"{content['kind']}: by slice", "main figure", names, series)

"""What the log of candidates in shadow says of two versions."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from scipy.stats import binomtest

from models.errors import CareerlensError
from models.manifest import Kind

#: Bounds of the bands of the champion's score that shifts are shown by.
BANDS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


class ShadowLogError(CareerlensError):
    """The log cannot be read."""


class Side(BaseModel):
    """What one version said of a message."""

    model_config = ConfigDict(frozen=True, strict=True)

    digest: str
    score: float = Field(ge=0.0, le=1.0)
    flagged: bool


class Row(BaseModel):
    """One line of the log, as far as it is read."""

    model_config = ConfigDict(frozen=True, strict=True)

    kind: Literal["spam", "toxicity"]
    champion: Side
    challenger: Side
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


def summarise(log: Path, kind: Kind, champion: str, challenger: str) -> dict[str, Any]:
    """Return what the log says of two versions, each distinct text counted once.

    Parameters
    ----------
    log : Path
        As the service wrote it; the part before, ``<log>.1``, is read first if it is there.
    champion, challenger : str
        Digests of bundles; lines of others are skipped and counted.

    Raises
    ------
    ShadowLogError
        If there is no such file.
    """
    rows: dict[str, Row] = {}
    counts = {"repeated": 0, "of_others": 0, "unreadable": 0}
    for line in _lines(log):
        try:
            row = Row.model_validate_json(line)
        except ValidationError:
            counts["unreadable"] += 1
            continue
        if (row.kind, row.champion.digest, row.challenger.digest) != (kind, champion, challenger):
            counts["of_others"] += 1
        else:
            # The same versions say the same of the same text: a repeat tells nothing new.
            counts["repeated"] += row.sha256 in rows
            rows[row.sha256] = row
    return {"rows": len(rows), **counts, **(_figures(list(rows.values())) if rows else {})}


def _lines(log: Path) -> Iterator[bytes]:
    if not log.is_file():
        raise ShadowLogError(
            f"{log} is not there: name the file that CAREERLENS_SHADOW_LOG names for the service"
        )
    for part in (log.with_name(f"{log.name}.1"), log):
        if part.is_file():
            with part.open("rb") as file:
                yield from file


def _figures(rows: list[Row]) -> dict[str, Any]:
    agreeing = sum(row.champion.flagged == row.challenger.flagged for row in rows)
    interval = binomtest(agreeing, len(rows)).proportion_ci(method="wilson")
    before = np.array([row.champion.score for row in rows])
    change = np.array([row.challenger.score for row in rows]) - before
    bands = np.clip(np.digitize(before, BANDS) - 1, 0, len(BANDS) - 2)
    return {
        "agreement": {
            "value": agreeing / len(rows),
            "low": float(interval.low),
            "high": float(interval.high),
        },
        "shift": {
            "mean": float(np.abs(change).mean()),
            "p95": float(np.percentile(np.abs(change), 95)),
        },
        "newly_flagged": sum(r.challenger.flagged and not r.champion.flagged for r in rows),
        "newly_passed": sum(r.champion.flagged and not r.challenger.flagged for r in rows),
        "bands": [
            {
                "band": f"{low:.1f} to {high:.1f}",
                "rows": int((bands == number).sum()),
                "change": float(change[bands == number].mean()),
            }
            for number, (low, high) in enumerate(itertools.pairwise(BANDS))
            if (bands == number).any()
        ],
    }


def shadow_figures(summary: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the figures that are logged of a summary, by name."""
    yield "shadow/rows", summary["rows"]
    if summary["rows"]:
        yield "shadow/agreement", summary["agreement"]["value"]
        yield "shadow/shift_mean", summary["shift"]["mean"]
        yield "shadow/shift_p95", summary["shift"]["p95"]
        yield "shadow/newly_flagged", summary["newly_flagged"]
        yield "shadow/newly_passed", summary["newly_passed"]


def shown(summary: Mapping[str, Any]) -> str:
    """Return the summary as a section of a comparison."""
    lines = [
        "## In shadow",
        "",
        f"- {summary['rows']} distinct messages scored by both; skipped: {summary['repeated']} "
        f"repeats, {summary['of_others']} lines of other versions, {summary['unreadable']} "
        "that cannot be read",
    ]
    if summary["rows"]:
        agreement, shift = summary["agreement"], summary["shift"]
        lines += [
            f"- flagged alike: {agreement['value']:.4f} "
            f"({agreement['low']:.4f} to {agreement['high']:.4f})",
            f"- flagged by the challenger alone: {summary['newly_flagged']}, "
            f"by the champion alone: {summary['newly_passed']}",
            f"- distance of the scores: {shift['mean']:.4f} on average, "
            f"95 % within {shift['p95']:.4f}",
            "",
            "| champion's score | messages | change on average |",
            "|---|---|---|",
            *(
                f"| {band['band']} | {band['rows']} | {band['change']:+.4f} |"
                for band in summary["bands"]
            ),
        ]
    return "\n".join(lines) + "\n"

"""Decide whether a version is good enough; pure, figures in and reasons out."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """One figure held against its bound; ``figure`` is None when the metrics lack it."""

    name: str
    figure: float | None
    bound: float
    passed: bool


@dataclass(frozen=True)
class Decision:
    """Whether a version is accepted; ``reasons`` are those against it, for people to read."""

    accepted: bool
    checks: tuple[Check, ...]
    reasons: tuple[str, ...]


def check_floors(metrics: Mapping[str, float], floors: Mapping[str, float]) -> Decision:
    """Accept when every floor's metric is there and not below it.

    Parameters
    ----------
    metrics : mapping of str to float
        As :func:`flatten_metrics` names them.
    floors : mapping of str to float
        The least figure of each metric. Without any floor nothing vouches for a version, and it
        is refused.
    """
    checks = tuple(_check(name, metrics.get(name), bound) for name, bound in floors.items())
    reasons = tuple(_reason(check) for check in checks if not check.passed)
    if not checks:
        reasons = ("no floors are set, so nothing says what is good enough",)
    return Decision(accepted=not reasons, checks=checks, reasons=reasons)


def flatten_metrics(content: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures of a ``metrics.json`` by name, each interval as ``_low`` and ``_high``.

    Headline figures keep their names (``mcc``); those of a source or an evaluation set are
    ``<name>/mcc``; others say what they are of: ``length/<band>/mcc``, ``head/<category>/auc``,
    ``at_block/mcc``. What was not measured is left out.
    """
    flat = dict(_figures("", content.get("headline", {})))
    flat |= _figures("", {name: content.get(name) for name in ("rows", "positives")})
    flat |= _figures("threshold/", content.get("thresholds", {}))
    flat |= _figures("at_block/", content.get("at_block", {}))
    for head, figures in content.get("heads", {}).items():
        flat |= _figures(f"head/{head}/", figures)
    for name, figures in content.get("slices", {}).items():
        flat |= _figures(f"{name.removeprefix('source/')}/", figures)
    for name, figures in content.get("evaluation", {}).items():
        flat |= _figures(f"{name}/", figures)
    return flat


def _figures(prefix: str, figures: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, figure in figures.items():
        parts = figure if isinstance(figure, Mapping) else {"value": figure}
        for part, suffix in (("value", ""), ("low", "_low"), ("high", "_high")):
            number = parts.get(part)
            if isinstance(number, int | float) and math.isfinite(number):
                yield f"{prefix}{name}{suffix}", float(number)


def _check(name: str, figure: float | None, bound: float) -> Check:
    return Check(name, figure, bound, passed=figure is not None and figure >= bound)


def _reason(check: Check) -> str:
    if check.figure is None:
        return f"{check.name} was not measured, its floor is {check.bound:g}"
    return f"{check.name} is {check.figure:.4f}, its floor is {check.bound:g}"

"""Decide whether a version is good enough; pure, figures in and reasons out."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models import paired
from models.errors import OverrideError
from models.manifest import Kind
from models.params import GateParams, SliceParams

# Figures that differ by less are equal: 0.94 - 0.96 is a little below -0.02.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Check:
    """One figure held against its bound; ``figure`` is None when it was not measured.

    Attributes
    ----------
    limit : {"floor", "ceiling"}
        Whether the figure must not be below its bound, or not above it.
    """

    name: str
    figure: float | None
    bound: float
    passed: bool
    limit: Literal["floor", "ceiling"] = "floor"


@dataclass(frozen=True)
class Decision:
    """Whether a version is accepted; ``reasons`` are those against it, for people to read.

    Attributes
    ----------
    forced : str or None
        Why somebody accepted it against the reasons.
    rows : str or None
        Digest of the units it was judged on; None where its own metrics alone were looked at.
    """

    accepted: bool
    checks: tuple[Check, ...]
    reasons: tuple[str, ...]
    forced: str | None = None
    rows: str | None = None


@dataclass(frozen=True)
class Slice:
    """A part of the rows and the main figure, or the share decided right, in it."""

    rows: int
    figure: float


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one model showed on rows that it has not learnt from.

    Attributes
    ----------
    rows : str
        Digest of the units it was given; champion and challenger must have the same.
    own_rows : bool
        Whether these are the rows that its own metrics are of.
    figures : dict of str to float
        By the names of :func:`flatten_metrics`; floors are held against them.
    metric : str
        Name of the main metric, which a challenger must raise.
    main : callable
        The main metric as a statistic of the units.
    quality : ndarray of float, shape (n_units,)
        How well each unit was answered: a message decided right or not, the precision of a resume.
    strata : sequence of ndarray of int
        Unit numbers of each stratum, where the main metric has strata.
    slices : dict of str to Slice
        Named ``<family>/<value>``.
    ece : float or None
        Expected calibration error; None for models whose scores are no probabilities.
    seconds : float
        Median time of one answer, measured beside the other model's.
    size : int
        Bytes of the bundle.
    failures : sequence of str
        The behaviour cases it does not meet.
    golden : bool
        Whether it answers its golden rows as recorded.
    signed : bool or None
        Whether a trusted signature is there; None where none is required.
    """

    kind: Kind
    rows: str
    own_rows: bool
    figures: Mapping[str, float]
    metric: str
    main: paired.Statistic
    quality: NDArray[np.float64]
    slices: Mapping[str, Slice]
    ece: float | None
    seconds: float
    size: int
    failures: Sequence[str]
    golden: bool
    signed: bool | None = None
    strata: Sequence[NDArray[np.int_]] = ()


#: A check with the reason that it is against the challenger if it fails.
_Judged = tuple[Check, str]


def decide(
    challenger: Evidence,
    champion: Evidence | None,
    policy: GateParams,
    floors: Mapping[str, float],
) -> Decision:
    """Return whether ``challenger`` may replace ``champion``.

    Without a champion its floors, on rows of its own, its behaviour, its golden rows and, where one
    is required, its signature decide. With one it must also be better by more than a tie, and
    nowhere much worse.

    Parameters
    ----------
    floors : mapping of str to float
        The least figures of the challenger's kind and corpus.

    Raises
    ------
    ValueError
        If the two were not given the same rows, or are of two kinds.
    """
    floor = check_floors(challenger.figures, floors)
    judged = list(_alone(challenger))
    if champion is not None:
        if (challenger.kind, challenger.rows) != (champion.kind, champion.rows):
            raise ValueError("challenger and champion were not given the same rows")
        judged += _beside(challenger, champion, policy)
    return Decision(
        accepted=floor.accepted and all(check.passed for check, _ in judged),
        checks=(*floor.checks, *(check for check, _ in judged)),
        reasons=(*floor.reasons, *(reason for check, reason in judged if not check.passed)),
        rows=challenger.rows,
    )


def force(decision: Decision, reason: str) -> Decision:
    """Return ``decision`` accepted against its reasons, which stay in it beside ``reason``.

    A decision that needs no force is returned as it is.

    Raises
    ------
    OverrideError
        If no reason is given.
    """
    if not reason.strip():
        raise OverrideError("a refused version is promoted for a reason only: say --force REASON")
    if decision.accepted:
        return decision
    return replace(decision, accepted=True, forced=reason.strip())


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
    checks = tuple(_floor(name, metrics.get(name), bound) for name, bound in floors.items())
    reasons = tuple(_below_floor(check) for check in checks if not check.passed)
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


def _alone(challenger: Evidence) -> Iterator[_Judged]:
    """Yield what is asked of every version, beside its floors."""
    yield (
        _check("rows/own", float(challenger.own_rows), 1),
        "data/ holds other rows than its own metrics are of, so these figures are not its own: "
        "bring back what it was trained with, `git checkout COMMIT dvc.lock && dvc checkout`, by "
        "the commit that release.json names",
    )
    failures = challenger.failures
    yield (
        _check("behaviour", len(failures), 0, "ceiling"),
        f"{len(failures)} behaviour cases fail: {'; '.join(failures)}",
    )
    yield (
        _check("golden", float(challenger.golden), 1),
        "its golden rows are not answered as recorded",
    )
    if challenger.signed is not None:
        yield (
            _check("signature", float(challenger.signed), 1),
            "a signature is required, and no trusted one is there",
        )


def _beside(challenger: Evidence, champion: Evidence, policy: GateParams) -> Iterator[_Judged]:
    """Yield what is asked of a version beside the champion."""
    yield from _gain(challenger, champion, policy)
    yield _flips(challenger, champion, policy.flips)
    yield from _slices(challenger, champion, policy.slices)
    if challenger.ece is not None and champion.ece is not None:
        growth = challenger.ece - champion.ece
        yield (
            _check("calibration/ece", growth, policy.calibration, "ceiling"),
            f"the calibration error grows by {growth:.4f}, {policy.calibration:g} is allowed",
        )
    ratio, bound = challenger.seconds / champion.seconds, policy.latency_ratio
    yield (
        _check("latency/ratio", ratio, bound, "ceiling"),
        f"an answer takes {ratio:.2f} times as long as the champion's, {bound:g} is allowed",
    )
    allowed = max(policy.size_ratio * champion.size, policy.size_free)
    yield (
        _check("size/bytes", challenger.size, allowed, "ceiling"),
        f"its bundle has {challenger.size:,} bytes, {allowed:,.0f} are allowed",
    )


def _gain(challenger: Evidence, champion: Evidence, policy: GateParams) -> Iterator[_Judged]:
    metric, asked = challenger.metric, policy.gain[challenger.kind]
    gain = paired.gain(
        *(challenger.main, champion.main, len(challenger.quality)),
        resamples=policy.bootstrap,
        seed=policy.seed,
        strata=challenger.strata,
    )
    if abs(gain.value) < asked.min_gain - _ROUNDING:
        reason = (
            f"a tie: {metric} differs by {gain.value:+.4f}, less than {asked.min_gain:g} makes no "
            "difference, and ties do not promote"
        )
    else:
        reason = f"{metric} is {-gain.value:.4f} below the champion's"
    yield _check(f"gain/{metric}", gain.value, asked.min_gain), reason
    yield (
        _check(f"gain/{metric}_low", gain.low, -asked.tolerance),
        f"the gain in {metric} may be chance: its interval reaches down to {gain.low:.4f}, "
        f"{-asked.tolerance:g} is allowed",
    )


def _flips(challenger: Evidence, champion: Evidence, significance: float) -> _Judged:
    better = int((challenger.quality > champion.quality).sum())
    worse = int((challenger.quality < champion.quality).sum())
    chance = paired.chance_of_worse(better, worse)
    return (
        _check("flips/chance", chance, significance),
        f"of {better + worse} rows answered otherwise, {worse} are worse and {better} better; "
        f"chance alone does so in {chance:.2%}, {significance:g} is the bound",
    )


def _slices(
    challenger: Evidence, champion: Evidence, families: Mapping[str, SliceParams]
) -> Iterator[_Judged]:
    for name, ours in challenger.slices.items():
        asked = families.get(name.partition("/")[0])
        if asked is None or ours.rows < asked.min_rows:
            continue
        change = ours.figure - champion.slices[name].figure
        yield (
            _check(f"slice/{name}", change, -asked.margin),
            f"slice {name} ({ours.rows:,} rows) is {-change:.4f} worse, "
            f"{asked.margin:g} is allowed",
        )


def _figures(prefix: str, figures: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, figure in figures.items():
        parts = figure if isinstance(figure, Mapping) else {"value": figure}
        for part, suffix in (("value", ""), ("low", "_low"), ("high", "_high")):
            number = parts.get(part)
            if isinstance(number, int | float) and math.isfinite(number):
                yield f"{prefix}{name}{suffix}", float(number)


def _check(
    name: str, figure: float, bound: float, limit: Literal["floor", "ceiling"] = "floor"
) -> Check:
    if math.isnan(figure):
        return Check(name, None, bound, passed=False, limit=limit)
    passed = figure >= bound - _ROUNDING if limit == "floor" else figure <= bound + _ROUNDING
    return Check(name, figure, bound, passed=passed, limit=limit)


def _floor(name: str, figure: float | None, bound: float) -> Check:
    return Check(name, figure, bound, passed=figure is not None and figure >= bound)


def _below_floor(check: Check) -> str:
    if check.figure is None:
        return f"{check.name} was not measured, its floor is {check.bound:g}"
    return f"{check.name} is {check.figure:.4f}, its floor is {check.bound:g}"

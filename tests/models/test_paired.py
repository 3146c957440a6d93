"""Properties of the paired statistics, on data that hypothesis makes up."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, matthews_corrcoef, roc_auc_score

from models import paired
from models.metrics import Figure
from models.paired import Statistic, chance_of_worse

#: Few distinct values, so that ties are common.
scores = st.integers(0, 6).map(lambda step: step / 6)
rows = st.lists(st.tuples(st.integers(0, 1), scores, scores), min_size=6, max_size=40).filter(
    lambda some: 0 < sum(label for label, *_ in some) < len(some)
)
NAMES = ("auc", "mcc", "f1", "ratio", "mean")


def statistics(name: str, some: list[tuple[int, float, float]]) -> tuple[Statistic, Statistic]:
    """Return one statistic of each of the two models that scored the rows."""
    labels = np.array([label for label, *_ in some])
    both = [np.array([row[column] for row in some]) for column in (1, 2)]
    if name == "auc":
        return paired.auc(labels, both[0]), paired.auc(labels, both[1])
    first, second = (score >= 0.5 for score in both)
    if name == "mcc":
        return paired.mcc(labels, first), paired.mcc(labels, second)
    if name == "f1":
        ours, theirs = (
            paired.f1(flags & (labels == 1), flags, flags & (labels == 1), labels)
            for flags in (first, second)
        )
        return ours, theirs
    if name == "ratio":
        ones = np.ones(len(some))
        return paired.ratio(both[0], labels + ones), paired.ratio(both[1], labels + ones)
    return paired.mean(both[0]), paired.mean(both[1])


def gain(challenger: Statistic, champion: Statistic, n_units: int) -> Figure:
    return paired.gain(challenger, champion, n_units, resamples=60, seed=7)


@given(rows, st.sampled_from(NAMES))
@settings(max_examples=25, deadline=None)
def test_identical_models_gain_nothing(some: list[tuple[int, float, float]], name: str) -> None:
    first, _ = statistics(name, some)
    again, _ = statistics(name, some)
    assert gain(first, again, len(some)) == Figure(0.0, 0.0, 0.0)


@given(rows, st.sampled_from(NAMES))
@settings(max_examples=25, deadline=None)
def test_what_one_gains_the_other_loses(some: list[tuple[int, float, float]], name: str) -> None:
    first, second = statistics(name, some)
    forth, back = gain(first, second, len(some)), gain(second, first, len(some))
    assert forth.value == -back.value
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low), abs=1e-12)


@given(rows)
@settings(max_examples=25, deadline=None)
def test_figures_are_those_of_scikit_learn(some: list[tuple[int, float, float]]) -> None:
    labels = np.array([label for label, *_ in some])
    score = np.array([score for _, score, _ in some])
    flagged = score >= 0.5
    once = np.ones((1, len(some)))
    right = flagged & (labels == 1)
    assert paired.auc(labels, score)(once)[0] == pytest.approx(roc_auc_score(labels, score))
    assert paired.mcc(labels, flagged)(once)[0] == pytest.approx(matthews_corrcoef(labels, flagged))
    assert paired.f1(right, flagged, right, labels)(once)[0] == pytest.approx(
        f1_score(labels, flagged, zero_division=0)
    )


@given(rows, st.lists(st.integers(0, 3), min_size=40, max_size=40))
@settings(max_examples=25, deadline=None)
def test_a_weight_counts_as_so_many_copies(
    some: list[tuple[int, float, float]], draws: list[int]
) -> None:
    weights = np.array([draws[: len(some)]], dtype=float)
    copies = [row for row, times in zip(some, draws, strict=False) for _ in range(times)]
    if not copies:
        return
    for name in ("auc", "mcc", "f1"):
        weighted = statistics(name, some)[0](weights)[0]
        copied = statistics(name, copies)[0](np.ones((1, len(copies))))[0]
        assert weighted == pytest.approx(copied, nan_ok=True)


def test_a_real_gain_has_an_interval_above_nothing_and_around_its_value() -> None:
    random = np.random.default_rng(3)
    labels = np.arange(400) % 2
    good = labels + random.normal(0, 0.6, 400)
    poor = labels + random.normal(0, 2.0, 400)
    figure = paired.gain(
        paired.auc(labels, good), paired.auc(labels, poor), 400, resamples=500, seed=1
    )
    assert 0.0 < figure.low < figure.value < figure.high < 0.5


def test_pairing_is_narrower_than_two_intervals_apart() -> None:
    """Two models that fail on the same units differ little, however uncertain each of them is."""
    random = np.random.default_rng(3)
    shared = random.random(200)
    nearly = shared.copy()
    nearly[:4] += 0.1
    figure = paired.gain(paired.mean(nearly), paired.mean(shared), 200, resamples=500, seed=1)
    alone = paired.gain(paired.mean(shared), paired.mean(np.zeros(200)), 200, resamples=500, seed=1)
    assert figure.value == pytest.approx(0.002)
    assert figure.high - figure.low < 0.1 * (alone.high - alone.low)


def test_strata_count_alike_and_are_resampled_within_themselves() -> None:
    values = np.array([1.0] * 90 + [0.0] * 10)
    strata = [np.arange(90), np.arange(90, 100)]
    figure = paired.gain(
        *(paired.mean(values, strata), paired.mean(np.zeros(100), strata), 100),
        resamples=50,
        seed=1,
        strata=strata,
    )
    # Whichever units are drawn, each stratum is all ones or all zeros.
    assert (figure.value, figure.low, figure.high) == pytest.approx((0.5, 0.5, 0.5))


def test_what_no_resample_can_tell_is_not_a_number() -> None:
    labels = np.ones(5, dtype=int)
    same = paired.mcc(labels, np.ones(5, dtype=bool))
    figure = paired.gain(same, same, 5, resamples=10, seed=1)
    assert all(math.isnan(value) for value in (figure.value, figure.low, figure.high))


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_chance_of_worse_is_the_tail_of_a_fair_coin(better: int, worse: int) -> None:
    flips = better + worse
    tail = sum(math.comb(flips, count) for count in range(worse, flips + 1)) / 2**flips
    assert chance_of_worse(better, worse) == pytest.approx(tail)


def test_as_many_better_as_worse_is_chance_and_one_way_only_is_not() -> None:
    assert chance_of_worse(10, 10) > 0.5
    assert chance_of_worse(0, 5) == pytest.approx(1 / 32)
    assert chance_of_worse(5, 0) == 1.0

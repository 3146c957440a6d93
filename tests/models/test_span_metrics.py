"""Strict scores ask for the same ends, partial ones for a shared letter, from both sides."""

import random

import pytest

from models.span_metrics import SpanScores, span_figures, span_scores


def test_scores_count_as_they_say() -> None:
    gold = [{(0, 5), (10, 20), (30, 35), (40, 50)}]
    found = [{(0, 5), (12, 14), (15, 18), (60, 70)}]
    assert span_scores(gold, found) == SpanScores(
        strict_precision=1 / 4,
        strict_recall=1 / 4,
        strict_f1=1 / 4,
        partial_precision=3 / 4,
        partial_recall=2 / 4,
        partial_f1=0.6,
    )


def test_spans_that_only_meet_do_not_touch() -> None:
    assert span_scores([{(0, 5)}], [{(5, 9)}]).partial_f1 == 0.0


def test_a_span_over_the_whole_text_is_strictly_worthless() -> None:
    scores = span_scores([{(0, 5), (10, 20)}], [{(0, 100)}])
    assert (scores.partial_f1, scores.strict_f1) == (1.0, 0.0)


def test_a_place_counts_once_in_its_text_and_again_in_another() -> None:
    scores = span_scores([[(0, 5), (0, 5)], [(0, 5)]], [[(0, 5)], []])
    assert (scores.strict_precision, scores.strict_recall) == (1.0, 0.5)


def test_nested_spans_count_on_their_own() -> None:
    scores = span_scores([{(0, 30), (10, 15)}], [{(12, 14)}])
    assert (scores.partial_precision, scores.partial_recall) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("gold", "found"), [([], []), ([set()], [{(0, 1)}]), ([{(0, 1)}], [set()])]
)
def test_nothing_there_or_nothing_found_scores_0(
    gold: list[set[tuple[int, int]]], found: list[set[tuple[int, int]]]
) -> None:
    assert span_scores(gold, found).partial_f1 == 0.0


def test_touching_agrees_with_comparing_every_pair() -> None:
    draw = random.Random(5)

    def spans() -> set[tuple[int, int]]:
        starts = [draw.randrange(200) for _ in range(15)]
        return {(start, start + draw.randrange(1, 30)) for start in starts}

    for _ in range(50):
        gold, found = spans(), spans()
        touching = sum(any(a < d and c < b for c, d in gold) for a, b in found)
        assert span_scores([gold], [found]).partial_precision == touching / len(found)


def test_intervals_hold_the_value_and_are_the_same_each_time() -> None:
    gold = [{(0, 5), (10, 20)}, {(3, 4)}, {(7, 9)}, set()]
    found = [{(0, 5)}, {(3, 4), (8, 9)}, set(), {(1, 2)}]
    figures = span_figures(gold, found, resamples=200, seed=1)
    assert figures == span_figures(gold, found, resamples=200, seed=1)
    strict = figures["strict_f1"]
    assert strict.value == span_scores(gold, found).strict_f1
    assert strict.low < strict.value < strict.high

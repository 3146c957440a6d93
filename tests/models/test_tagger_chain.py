"""What chains believe is what counting every sequence gives; what is marked follows from it."""

import re
from itertools import product

import numpy as np
import pytest

from models.tagger_chain import (
    ALONE,
    BEGIN,
    END,
    INSIDE,
    NEVER,
    OUTSIDE,
    TAGS,
    Beliefs,
    believe,
    best_spans,
    expect,
)

START = len(TAGS)
TRANSITIONS = np.random.default_rng(3).normal(0, 0.7, size=(START + 1, START))


def spells_spans(tags: tuple[int, ...]) -> bool:
    """Return whether every span of ``tags`` begins, goes on and ends."""
    spelt = "".join(TAGS[tag] for tag in tags)
    return re.fullmatch("(O|S|BI*E)*", spelt) is not None


def counted(scores: np.ndarray, transitions: np.ndarray) -> Beliefs:
    """Return the beliefs by going through all sequences of tags."""
    size = len(scores)
    alone, begin, begun, inside, all_inside = np.zeros((5, size))
    total = 0.0
    for tags in filter(spells_spans, product(range(START), repeat=size)):
        steps = [
            transitions[before, tag] for before, tag in zip((START, *tags), tags, strict=False)
        ]
        weight = np.exp(sum(steps) + sum(scores[place, tag] for place, tag in enumerate(tags)))
        total += weight
        for place, tag in enumerate(tags):
            goes_on = place + 1 < size and tags[place + 1] == INSIDE
            alone[place] += weight * (tag == ALONE)
            begin[place] += weight * (tag == BEGIN)
            begun[place] += weight * (tag == BEGIN and goes_on)
            all_inside[place] += weight * (tag == INSIDE)
            inside[place] += weight * (tag == INSIDE and goes_on)
    # Where no span can go on, what follows is nothing that can be counted.
    return Beliefs(
        alone / total,
        begin / total,
        begun / np.maximum(begin, 1e-300),
        inside / np.maximum(all_inside, 1e-300),
    )


def test_beliefs_are_those_of_counting_every_sequence() -> None:
    random = np.random.default_rng(0)
    lengths = [1, 5, 3, 5]
    scores = random.normal(0, 2, size=(sum(lengths), 2, len(TAGS)))
    transitions = np.stack([TRANSITIONS, TRANSITIONS * 0.5])
    transitions[1, OUTSIDE, BEGIN] = NEVER
    transitions[1, START, BEGIN] = NEVER
    transitions[1, END, ALONE] = NEVER
    found = believe(scores, lengths, transitions)
    start = 0
    for length, chains in zip(lengths, found, strict=True):
        for chain, beliefs in enumerate(chains):
            expected = counted(scores[start : start + length, chain], transitions[chain])
            np.testing.assert_allclose(beliefs.alone, expected.alone, atol=1e-9)
            np.testing.assert_allclose(beliefs.begin, expected.begin, atol=1e-9)
            # Whatever is open at the last word but one ends with the last.
            np.testing.assert_allclose(beliefs.begun[:-1], expected.begun[:-1], atol=1e-9)
            np.testing.assert_allclose(beliefs.inside[1:-1], expected.inside[1:-1], atol=1e-9)
        start += length


def test_what_is_expected_is_that_of_counting_every_sequence() -> None:
    random = np.random.default_rng(4)
    lengths = [4, 1, 3]
    scores = random.normal(0, 2, size=(sum(lengths), 2, START))
    transitions = np.stack([TRANSITIONS, TRANSITIONS * 0.5])
    tags, follow = expect(scores, lengths, transitions)
    counted_tags, counted_follow = np.zeros_like(tags), np.zeros_like(follow)
    for chain in range(2):
        start = 0
        for size in lengths:
            found = list(filter(spells_spans, product(range(START), repeat=size)))
            weights = np.exp(
                [
                    sum(
                        scores[start + place, chain, tag] + transitions[chain, before, tag]
                        for place, (before, tag) in enumerate(
                            zip((START, *each), each, strict=False)
                        )
                    )
                    for each in found
                ]
            )
            for each, share in zip(found, weights / weights.sum(), strict=True):
                for place, (before, tag) in enumerate(zip((START, *each), each, strict=False)):
                    counted_tags[start + place, chain, tag] += share
                    counted_follow[chain, before, tag] += share
            start += size
    np.testing.assert_allclose(tags, counted_tags, atol=1e-9)
    np.testing.assert_allclose(follow, counted_follow, atol=1e-9)


def test_extreme_weights_give_probabilities_all_the_same() -> None:
    scores = np.random.default_rng(1).choice([-1e4, 0.0, 1e4], size=(300, 1, len(TAGS)))
    (beliefs,) = believe(scores, [300], TRANSITIONS[None])[0]
    for values in beliefs:
        assert np.isfinite(values).all()
        assert ((values >= 0.0) & (values <= 1.0 + 1e-9)).all()


def test_many_sentences_are_believed_as_each_alone() -> None:
    random = np.random.default_rng(2)
    lengths = random.integers(1, 20, size=700).tolist()
    scores = random.normal(size=(sum(lengths), 1, len(TAGS)))
    together = believe(scores, lengths, TRANSITIONS[None])
    start = 0
    for length, (beliefs,) in zip(lengths, together, strict=True):
        ((alone,),) = believe(scores[start : start + length], [length], TRANSITIONS[None])
        np.testing.assert_allclose(beliefs.begin, alone.begin)
        start += length


def beliefs(
    alone: list[float], begin: list[float], begun: list[float], inside: list[float]
) -> Beliefs:
    return Beliefs(*map(np.array, (alone, begin, begun, inside)))


@pytest.mark.parametrize(
    ("given", "spans"),
    [
        # One word or two: the likelier.
        (beliefs([0.5, 0.1], [0.4, 0.0], [0.0, 0.0], [0.0, 0.0]), [(0, 1)]),
        (beliefs([0.4, 0.1], [0.5, 0.0], [0.0, 0.0], [0.0, 0.0]), [(0, 2)]),
        # Two words or three.
        (beliefs([0, 0, 0], [0.9, 0, 0], [0.4, 0, 0], [0, 0, 0]), [(0, 2)]),
        (beliefs([0, 0, 0], [0.9, 0, 0], [0.6, 0, 0], [0, 0, 0]), [(0, 3)]),
        # A long span gives way to two that are worth more together.
        (beliefs([0.45, 0, 0.5], [0.5, 0, 0], [1, 0, 0], [0, 0, 0]), [(0, 1), (2, 3)]),
        # Nothing is likely enough, although a span is likelier than none in all.
        (beliefs([0.3, 0.0], [0.3, 0.0], [0.0, 0.0], [0.0, 0.0]), []),
    ],
)
def test_spans_are_marked_for_what_they_are_worth(
    given: Beliefs, spans: list[tuple[int, int]]
) -> None:
    assert best_spans(given, 0.35) == spans

"""What chains believe is what counting every sequence gives; what is marked follows from it."""

from itertools import product

import numpy as np
import pytest

from models.tagger_chain import NEVER, Beliefs, believe, best_spans

# From O, B, I and the start of a sentence; I neither begins a sentence nor follows O.
TRANSITIONS = np.array([[0.4, -0.3, NEVER], [0.1, -0.6, 0.9], [0.3, -0.2, 0.5], [0.0, 0.0, NEVER]])


def counted(scores: np.ndarray, transitions: np.ndarray) -> Beliefs:
    """Return the beliefs by going through all sequences of tags."""
    size = len(scores)
    begin, begun, inside = np.zeros((3, size))
    of_tag = np.zeros((size, 3))
    total = 0.0
    for tags in product(range(3), repeat=size):
        steps = [transitions[before, tag] for before, tag in zip((3, *tags), tags, strict=False)]
        weight = np.exp(sum(steps) + sum(scores[place, tag] for place, tag in enumerate(tags)))
        total += weight
        for place, tag in enumerate(tags):
            of_tag[place, tag] += weight
            if place + 1 < size and tags[place + 1] == 2:
                begun[place] += weight * (tag == 1)
                inside[place] += weight * (tag == 2)
    begin = of_tag[:, 1] / total
    # No I begins a sentence, so that what follows one is nothing that can be counted.
    known = np.maximum(of_tag, 1e-300)
    return Beliefs(begin, begun / known[:, 1], inside / known[:, 2])


def test_beliefs_are_those_of_counting_every_sequence() -> None:
    random = np.random.default_rng(0)
    lengths = [1, 5, 3, 5]
    scores = random.normal(0, 2, size=(sum(lengths), 2, 3))
    transitions = np.stack([TRANSITIONS, TRANSITIONS[:, [0, 1, 2]] * 0.5])
    transitions[1, [0, 3], 2] = NEVER
    found = believe(scores, lengths, transitions)
    start = 0
    for length, chains in zip(lengths, found, strict=True):
        for chain, beliefs in enumerate(chains):
            expected = counted(scores[start : start + length, chain], transitions[chain])
            np.testing.assert_allclose(beliefs.begin, expected.begin, atol=1e-9)
            np.testing.assert_allclose(beliefs.begun, expected.begun, atol=1e-9)
            np.testing.assert_allclose(beliefs.inside[1:], expected.inside[1:], atol=1e-9)
        start += length


def test_extreme_weights_give_probabilities_all_the_same() -> None:
    scores = np.random.default_rng(1).choice([-1e4, 0.0, 1e4], size=(300, 1, 3))
    (beliefs,) = believe(scores, [300], TRANSITIONS[None])[0]
    for values in beliefs:
        assert np.isfinite(values).all()
        assert ((values >= 0.0) & (values <= 1.0 + 1e-9)).all()


def test_many_sentences_are_believed_as_each_alone() -> None:
    random = np.random.default_rng(2)
    lengths = random.integers(1, 20, size=700).tolist()
    scores = random.normal(size=(sum(lengths), 1, 3))
    together = believe(scores, lengths, TRANSITIONS[None])
    start = 0
    for length, (beliefs,) in zip(lengths, together, strict=True):
        ((alone,),) = believe(scores[start : start + length], [length], TRANSITIONS[None])
        np.testing.assert_allclose(beliefs.begin, alone.begin)
        start += length


def beliefs(begin: list[float], begun: list[float], inside: list[float]) -> Beliefs:
    return Beliefs(np.array(begin), np.array(begun), np.array(inside))


@pytest.mark.parametrize(
    ("given", "spans"),
    [
        # One word or two: the likelier.
        (beliefs([0.9, 0.1], [0.4, 0.0], [0.0, 0.0]), [(0, 1)]),
        (beliefs([0.9, 0.1], [0.7, 0.0], [0.0, 0.0]), [(0, 2)]),
        # A long span gives way to two that are worth more together.
        (beliefs([0.9, 0.0, 0.5], [0.5, 0, 0], [0, 0.9, 0]), [(0, 1), (2, 3)]),
        # Nothing is likely enough, although a span is likelier than none in all.
        (beliefs([0.6, 0.0], [0.5, 0.0], [0.0, 0.0]), []),
    ],
)
def test_spans_are_marked_for_what_they_are_worth(
    given: Beliefs, spans: list[tuple[int, int]]
) -> None:
    assert best_spans(given, 0.35) == spans

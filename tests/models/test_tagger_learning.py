"""Weights learn words, hidden layers learn what words are like and what the lines around say."""

import numpy as np
import pytest
from scipy.sparse import vstack

from models.tagger_chain import ALONE, NEVER, OUTSIDE, TAGS, believe
from models.tagger_features import ReadSentence
from models.tagger_learning import learn
from models.tagger_net import Learnt, Seen, see
from models.tagger_params import TaggerParams
from models.tagger_text import LABELS, Sentence

PARAMS = TaggerParams(passes=30, nets=1, units=8, net_passes=30)

# Tools are alike, and so are all other words; nobody ever marked Kotlin.
ROWS = {"python": 1, "sql": 2, "kotlin": 3, "the": 4, "for": 5, "we": 6, "they": 7}
VECTORS = np.array([[0, 0], [1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0.5, 1], [-0.5, 1]])
OWN = ["bias", *ROWS]
MARKED = ("python", "sql")


def read(lines: list[str], *left_out: str) -> Seen:
    """Return the sentences of a text whose words are their only feature, except for some words."""
    sentences = [
        ReadSentence(
            Sentence(words, [(0, 0)] * len(words)),
            [[0, *([OWN.index(word)] if word not in left_out else [])] for word in words],
            [[] for _ in words],
        )
        for words in map(str.split, lines)
    ]
    return see(sentences, (len(OWN), 0), ROWS, VECTORS.astype(np.float32))


def alone(lines: list[str], words: tuple[str, ...]) -> np.ndarray:
    """Return the tags of lines in which some words are each a span of the first label."""
    tags = [ALONE if word in words else OUTSIDE for line in lines for word in line.split()]
    return np.stack([tags, np.full(len(tags), OUTSIDE)], axis=1)


def chances(learnt: Learnt, seen: Seen) -> list[float]:
    """Return how likely each word is a span of the first label alone."""
    found = believe(learnt.scores(seen), seen.lengths.tolist(), learnt.transitions)
    return [float(chance) for of_labels in found for chance in of_labels[0].alone]


LINES = ["the python for we", "sql the", "for the sql", "we the python", "they for the"] * 12


def test_what_was_marked_is_likely_and_all_else_is_not() -> None:
    learnt = learn(read(LINES), alone(LINES, MARKED), PARAMS)
    python, the, sql = chances(learnt, read(["python the sql"]))
    assert min(python, sql) > 0.6 > 0.1 > the


def test_a_word_that_nobody_marked_is_known_by_its_vector() -> None:
    learnt = learn(read(LINES), alone(LINES, MARKED), PARAMS)
    kotlin, the = chances(learnt, read(["kotlin the"], "kotlin", "the"))
    assert kotlin > 0.6 > 0.2 > the


def test_the_lines_around_tell_one_word_from_the_same_word() -> None:
    lines = ["we we", "the python"]
    others = ["they they", "the python"]
    texts = [read(lines), read(others)] * 40
    seen = Seen(
        vstack([text.own for text in texts], format="csr"),
        vstack([text.company for text in texts], format="csr"),
        *(np.concatenate([text[part] for text in texts]) for part in (2, 3, 4)),
    )
    tags = np.concatenate([alone(lines, MARKED), alone(others, ())] * 40)
    learnt = learn(seen, tags, PARAMS.model_copy(update={"net_share": 0.9}))
    assert chances(learnt, read(lines))[-1] > 0.6 > 0.4 > chances(learnt, read(others))[-1]


def test_a_label_that_nobody_marked_is_impossible() -> None:
    learnt = learn(read(LINES), alone(LINES, MARKED), PARAMS)
    assert (learnt.transitions[1, :, 1:3] == NEVER).all()
    assert (learnt.transitions[:, :, OUTSIDE] > NEVER).all()
    assert learnt.transitions.shape == (len(LABELS), len(TAGS) + 1, len(TAGS))


@pytest.mark.parametrize("nets", [1, 3])
def test_hidden_layers_lie_side_by_side(nets: int) -> None:
    params = TaggerParams(passes=1, nets=nets, units=4, net_passes=1)
    learnt = learn(read(LINES), alone(LINES, MARKED), params)
    assert learnt.output.shape == (nets * 4, len(LABELS) * len(TAGS))
    assert learnt.features.shape == (len(OWN), nets * 4)

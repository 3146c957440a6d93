"""A text is seen as what its words are like, with those beside them and the lines around."""

import numpy as np

from models.tagger_features import ReadSentence
from models.tagger_net import REACH, matrix, see, window
from models.tagger_text import Sentence

ROWS = {"go": 1, "rust": 2}
VECTORS = np.array([[0, 0], [1, 0], [0, 1]], dtype=np.float32)


def sentence(*words: str) -> ReadSentence:
    return ReadSentence(
        Sentence(list(words), [(0, 0)] * len(words)), [[0]] * len(words), [[]] * len(words)
    )


def test_words_are_known_by_their_vectors_and_others_by_nothing() -> None:
    seen = see([sentence("GO", "zig"), sentence("rust")], (1, 0), ROWS, VECTORS)
    assert seen.vectors.tolist() == [[1, 0], [0, 0], [0, 1]]
    assert seen.lengths.tolist() == [2, 1]


def test_a_window_ends_with_the_sentence() -> None:
    seen = see([sentence("go"), sentence("rust", "go"), sentence("go")], (1, 0), ROWS, VECTORS)
    around = window(seen).reshape(4, 2 * REACH + 1, 2)
    assert around[0].tolist() == [[0, 0], [0, 0], [1, 0], [0, 0], [0, 0]]
    assert around[1].tolist() == [[0, 0], [0, 0], [0, 1], [1, 0], [0, 0]]
    assert around[2].tolist() == [[0, 0], [0, 1], [1, 0], [0, 0], [0, 0]]


def test_a_line_is_the_mean_of_its_words_beside_those_of_its_neighbours() -> None:
    seen = see([sentence("go", "rust"), sentence("go"), sentence("zig")], (1, 0), ROWS, VECTORS)
    own, before, after = np.moveaxis(seen.lines.reshape(3, 3, 2), 1, 0)
    assert (own[0] == own[1][0] / 2).all()
    assert (before == [[0, 0], own[0], own[1]]).all()
    assert (after == [own[1], own[2], [0, 0]]).all()
    assert own[1].any()
    assert not own[2].any()


def test_a_matrix_has_a_row_for_each_word_even_without_features() -> None:
    assert matrix([[2, 0], [], [1]], 3).toarray().tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    assert matrix([[], []], 0).shape == (2, 0)

"""What words are like by the company they keep, learnt from plain text: "deliver" as "design".

It tells the tagger of words that its few marked texts do not have.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

#: Classes of one word: for each kind of company, from the coarsest partition to the finest.
Classes = tuple[int, ...]

# Which neighbours are a word's company: those beside it tell its part of speech, those of a whole
# phrase what it is about. Each sorts words in another way.
_COMPANIES = ((-1, 1), (-3, -2, -1, 1, 2, 3))
_CONTEXT_WORDS = 3000
_DIMENSIONS = 100
_PASSES = 50
# Rare neighbours say more than chance makes them say; this power of their frequency damps them.
_SMOOTHING = 0.75

_EDGE = ""


@dataclass(frozen=True)
class Company:
    """What plain text tells of words.

    Attributes
    ----------
    classes : dict of str to tuple of int
        The classes of each word, one of every partition.
    vectors : ndarray of float16, shape (n_words, n_dimensions)
        The words in the order of ``classes``; those of like company lie in like directions.
    """

    classes: Mapping[str, Classes]
    vectors: np.ndarray


def learn_company(
    sentences: Iterable[Sequence[str]], sizes: Sequence[int], min_count: int
) -> Company:
    """Return what the words are like that ``sentences`` have at least ``min_count`` times.

    Parameters
    ----------
    sentences : iterable of sequence of str
        Folded words.
    sizes : sequence of int
        How many classes the partitions by each kind of company have; fewer where there are not so
        many distinct words.
    min_count : int

    References
    ----------
    Levy, Goldberg and Dagan 2015, "Improving distributional similarity with lessons learned from
    word embeddings": singular vectors of positive pointwise mutual information, which are then
    clustered by k-means.
    """
    from sklearn.cluster import KMeans  # a second to import, and only who learns needs it

    gap = [_EDGE] * max(max(company) for company in _COMPANIES)
    stream = list(gap)
    for sentence in sentences:
        stream += [*sentence, *gap]
    counts = Counter(stream)
    del counts[_EDGE]
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    words = [word for word in ranked if counts[word] >= min_count]
    views: list[np.ndarray] = []
    partitions: list[list[int]] = []
    for company in _COMPANIES:
        vectors = _vectors(stream, words, ranked[:_CONTEXT_WORDS], company)
        if vectors is None:
            return Company({}, np.zeros((0, 0), dtype=np.float16))
        views.append(vectors)
        distinct = len(np.unique(vectors, axis=0))
        partitions += (
            KMeans(min(size, distinct), n_init=1, random_state=0, max_iter=_PASSES)
            .fit(vectors)
            .labels_.tolist()
            for size in sizes
        )
    classes = zip(*partitions, strict=True) if partitions else ((),) * len(words)
    return Company(
        dict(zip(words, classes, strict=True)),
        np.concatenate(views, axis=1).astype(np.float16),
    )


def _vectors(
    stream: Sequence[str], words: Sequence[str], contexts: Sequence[str], steps: Sequence[int]
) -> np.ndarray | None:
    """Return one unit vector for each word, shape (n_words, n_dimensions), if there is enough."""
    from sklearn.decomposition import TruncatedSVD  # as above

    information = _information(_company(stream, words, contexts, steps))
    dimensions = min(_DIMENSIONS, *(size - 1 for size in information.shape))
    if dimensions < 2 or not information.nnz:
        return None
    vectors = TruncatedSVD(dimensions, random_state=0).fit_transform(information)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    # Rounded, so that words of the same company are one point to the last bit.
    return np.asarray(np.round(vectors / np.maximum(norms, 1e-9), 6))


def _company(
    stream: Sequence[str], words: Sequence[str], contexts: Sequence[str], steps: Sequence[int]
) -> csr_matrix:
    """Return how often each word has each neighbour at each of ``steps``, and a sentence's edge.

    Returns
    -------
    csr_matrix of float, shape (n_words, n_steps * (n_contexts + 1))
    """
    rows = {word: row for row, word in enumerate(words)}
    columns = {word: column for column, word in enumerate((*contexts, _EDGE))}
    row_of = np.array([rows.get(word, -1) for word in stream])
    column_of = np.array([columns.get(word, -1) for word in stream])
    pairs: list[np.ndarray] = []
    margin = max(steps)
    inner = slice(margin, len(stream) - margin)
    for block, step in enumerate(steps):
        beside = column_of[margin + step : len(stream) - margin + step]
        seen = (row_of[inner] >= 0) & (beside >= 0)
        pairs.append(np.stack([row_of[inner][seen], block * len(columns) + beside[seen]]))
    row, column = np.concatenate(pairs, axis=1)
    shape = (len(words), len(steps) * len(columns))
    return coo_matrix((np.ones(len(row)), (row, column)), shape=shape).tocsr()


def _information(company: csr_matrix) -> csr_matrix:
    """Return the positive pointwise mutual information of words and neighbours."""
    cells = company.tocoo()
    of_word = np.asarray(company.sum(axis=1)).ravel()
    of_column = np.asarray(company.sum(axis=0)).ravel()
    total = of_word.sum()
    chance = of_column**_SMOOTHING * total ** (1 - _SMOOTHING)
    values = np.log(cells.data * total / (of_word[cells.row] * chance[cells.col]))
    information = csr_matrix((np.maximum(values, 0.0), (cells.row, cells.col)), company.shape)
    information.eliminate_zeros()
    return information

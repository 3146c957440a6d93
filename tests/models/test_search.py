import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix, random_array

from models.ranking import best
from models.search import Search
from models.search_build import build_search
from models.search_kernels import BLOCK, CHUNK

N_FEATURES = 60


def postings(n_rows, seed, levels=0):
    """Return rows of few terms out of many of very different frequency, as texts have them.

    With ``levels`` the weights are so few different ones that many scores are equal.
    """
    rng = np.random.default_rng(seed)
    frequencies = np.geomspace(0.9, 2 / n_rows, N_FEATURES)
    columns = [np.flatnonzero(rng.random(n_rows) < share) for share in frequencies]
    rows = np.concatenate(columns)
    terms = np.repeat(np.arange(N_FEATURES), [len(column) for column in columns])
    weights = rng.random(len(rows)) + 0.01
    if levels:
        weights = np.ceil(weights * levels) / levels
    return csr_matrix((weights.astype(np.float32), (rows, terms)), shape=(n_rows, N_FEATURES))


def query_of(weights):
    query = csr_matrix(np.asarray([weights], dtype=np.float32))
    query.eliminate_zeros()
    return query


def check(search: Search, query, top_k, allowed=None):
    """Check that the search finds what multiplying and sorting everything finds."""
    scores = (query @ search.rows.T.tocsr()).toarray().ravel()
    expected = best(scores, top_k, allowed)
    indices, found = search.top(query, top_k, allowed)
    assert indices.tolist() == expected.tolist()
    assert found.tolist() == scores[expected].tolist()


SEARCHES = {
    n_rows: build_search(postings(n_rows, seed, levels))
    for n_rows, seed, levels in ((1, 1, 0), (900, 2, 3), (5 * BLOCK + 7, 3, 0), (8 * BLOCK, 4, 2))
}

weights = st.lists(
    st.one_of(st.just(0.0), st.sampled_from([0.25, 0.5]), st.floats(0.001, 1.0)),
    min_size=N_FEATURES,
    max_size=N_FEATURES,
)


@given(st.sampled_from(sorted(SEARCHES)), weights, st.integers(0, 50))
@settings(deadline=None)
def test_what_is_found_is_what_multiplying_everything_finds(n_rows, query, top_k):
    check(SEARCHES[n_rows], query_of(query), top_k)


@given(
    st.sampled_from(sorted(SEARCHES)),
    weights,
    st.integers(1, 20),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.001, 0.3, 0.9, 1.0]),
)
@settings(deadline=None)
def test_so_it_is_among_those_that_are_allowed(n_rows, query, top_k, seed, share):
    allowed = np.random.default_rng(seed).random(n_rows) < share
    search = SEARCHES[n_rows]
    check(search, query_of(query), top_k, allowed)
    # Not one by one, however few they are.
    if allowed.any() and query_of(query).nnz:
        rows, scores, _ = search.counted(query_of(query), min(top_k, n_rows), allowed)
        assert [rows.tolist(), scores.tolist()] == [
            part.tolist() for part in search.top(query_of(query), top_k, allowed)
        ]


def test_so_it_is_across_chunks():
    search = build_search(postings(CHUNK + 3 * BLOCK + 5, 5))
    rng = np.random.default_rng(6)
    for size in (1, 5, N_FEATURES):
        query = np.zeros(N_FEATURES)
        query[rng.choice(N_FEATURES, size, replace=False)] = rng.random(size)
        check(search, query_of(query), 10)
        check(search, query_of(query), 10, rng.random(len(search.order)) < 0.2)


def test_a_query_of_more_terms_than_whole_numbers_have_room_for_is_answered():
    rows = csr_matrix(random_array((3_000, 2_500), density=0.02, rng=7, dtype=np.float32))
    check(build_search(rows), query_of(np.ones(2_500)), 10)


def test_most_blocks_are_not_looked_at_where_like_stands_beside_like():
    rng = np.random.default_rng(8)
    topic = rng.permutation(np.repeat(np.arange(20), BLOCK))
    columns = np.stack([topic, 20 + rng.integers(0, 40, len(topic))], axis=1)
    data = np.full(columns.size, 0.7, dtype=np.float32)
    pointers = np.arange(0, columns.size + 1, 2)
    rows = csr_matrix((data, columns.ravel(), pointers), shape=(len(topic), N_FEATURES))
    query = np.zeros(N_FEATURES)
    query[[3, 25]] = 0.6
    indices, _, counted = build_search(rows).counted(query_of(query), 10)
    assert set(topic[indices]) == {3}
    assert counted[0] <= 4


@pytest.mark.parametrize("top_k", [0, -1])
def test_nothing_is_asked_nothing_is_found(top_k):
    indices, scores = SEARCHES[900].top(query_of(np.ones(N_FEATURES)), top_k)
    assert len(indices) == len(scores) == 0

"""Searches that processes share are those that each would have made."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from models import search_store
from models.search import Search
from models.search_build import build_search
from models.search_store import KEPT, shared_search
from tests.models.test_search import postings


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where searches are kept."""
    monkeypatch.setattr(search_store, "folder", lambda: tmp_path)
    return tmp_path / "searches"


def kept(place: Path) -> set[Path]:
    return {path for path in place.iterdir() if path.is_dir()}


def check_equal(found: Search, expected: Search) -> None:
    assert (found.rows != expected.rows).nnz == 0
    for field in fields(Search):
        if field.name != "rows":
            got, wanted = getattr(found, field.name), getattr(expected, field.name)
            assert got.dtype == wanted.dtype, field.name
            np.testing.assert_array_equal(got, wanted, field.name)


def test_what_is_kept_is_what_would_be_built(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = postings(3_000, 1)
    check_equal(shared_search(rows), build_search(rows))
    [made] = kept(place)
    monkeypatch.delattr(search_store, "build_search")  # from here on nothing can be built
    check_equal(shared_search(rows.copy()), build_search(rows))
    assert kept(place) == {made}


def test_the_kernel_takes_what_is_mapped_as_it_was_compiled(place: Path) -> None:
    rows = postings(500, 2)
    query = rows[[7]]
    before = len(search_kernel().signatures)
    found, scores, _ = shared_search(rows).counted(query, 5)
    own_found, own_scores, _ = build_search(rows).counted(query, 5)
    assert (found.tolist(), scores.tolist()) == (own_found.tolist(), own_scores.tolist())
    assert len(search_kernel().signatures) <= max(before, 1)
    assert kept(place)


def search_kernel():
    from models.search_kernels import search

    return search


def test_other_weights_are_another_search(place: Path) -> None:
    rows = postings(100, 3)
    other = csr_matrix((rows.data * np.float32(0.5), rows.indices, rows.indptr), rows.shape)
    check_equal(shared_search(rows), build_search(rows))
    check_equal(shared_search(other), build_search(other))
    assert len(kept(place)) == 2


def test_the_last_used_stay(place: Path) -> None:
    for seed in range(KEPT + 2):
        shared_search(postings(50, seed))
    assert len(kept(place)) == KEPT


def test_where_nothing_can_be_kept_it_is_built(place: Path) -> None:
    place.write_text("in the way")
    rows = postings(50, 4)
    check_equal(shared_search(rows), build_search(rows))
    assert place.read_text() == "in the way"


_SHARE = """
import json, sys, numpy as np, psutil
from pathlib import Path
from models import search_store
search_store.folder = lambda: Path(sys.argv[1])
from tests.models.test_search import postings
search = search_store.shared_search(postings(3_000, 1))
total = int(search.levels.sum()) + float(search.rows.data.sum())
maps = {Path(each.path).name: each.anonymous for each in psutil.Process().memory_maps()}
print(json.dumps({name: maps[name] for name in ("data.npy", "levels.npy")}))
"""


def test_what_is_mapped_is_no_process_own(place: Path) -> None:
    shared_search(postings(3_000, 1))
    answer = subprocess.run(
        [sys.executable, "-c", _SHARE, str(place.parent)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert json.loads(answer.stdout) == {"data.npy": 0, "levels.npy": 0}

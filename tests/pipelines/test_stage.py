from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix, random_array

from pipelines.stage import read_sparse, write_sparse


@pytest.mark.parametrize("density", [0.2, 0.0])
def test_a_matrix_comes_back_as_it_was(tmp_path: Path, density: float) -> None:
    matrix = csr_matrix(random_array((30, 50), density=density, rng=np.random.default_rng(1)))
    write_sparse(matrix, tmp_path / "a.matrix")
    found = read_sparse(tmp_path / "a.matrix")
    assert found.shape == matrix.shape
    assert found.dtype == matrix.dtype
    assert np.array_equal(found.toarray(), matrix.toarray())


def test_whoever_changes_a_matrix_changes_no_file(tmp_path: Path) -> None:
    matrix = csr_matrix(np.eye(4))
    write_sparse(matrix, tmp_path / "a.matrix")
    before = (tmp_path / "a.matrix").read_bytes()
    found = read_sparse(tmp_path / "a.matrix")
    found.data *= 2
    assert found.sum() == 8
    assert (tmp_path / "a.matrix").read_bytes() == before

"""Searches kept beside the kernels: built once, and mapped into all processes that use them.

What is kept is trusted like the kernels: it is named after the postings and the code it was made
of, and nothing else is checked.
"""

import hashlib
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
from filelock import FileLock
from scipy.sparse import csr_matrix

from models.native_cache import folder
from models.search import Search
from models.search_build import build_search

#: How many searches stay: of what answers, of what did before, and of a candidate.
KEPT = 3

_CODE = ("search.py", "search_build.py", "search_store.py")

# Of ``rows``; the other columns of a search are the same numbers.
_OF_ROWS = ("data", "indices", "indptr")
_ARRAYS = tuple(
    field.name for field in fields(Search) if field.name not in {"rows", "columns", "pointers"}
)


def shared_search(rows: csr_matrix) -> Search:
    """Return ``rows`` ready to be searched, mapped from what this or another process kept.

    Where nothing can be kept, on a disk that is full or read-only, they are this process's own.

    Parameters
    ----------
    rows : csr_matrix of float32, shape (n_postings, n_features)
        As :func:`models.search_build.build_search` takes them.
    """
    place = folder() / "searches" / _name(rows)
    with suppress(OSError):
        if not place.is_dir():
            place.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(place.parent / ".lock"):  # others wait for the first
                if not place.is_dir():
                    _keep(build_search(rows), place)
        found = _mapped(place, rows.shape)
        with suppress(OSError):
            os.utime(place)
        return found
    return build_search(rows)


def _name(rows: csr_matrix) -> str:
    digest = hashlib.sha256(_code())
    for name in _OF_ROWS:
        digest.update(np.ascontiguousarray(getattr(rows, name)).data)
    return digest.hexdigest()[:32]


@cache
def _code() -> bytes:
    here = Path(__file__).parent
    return b"".join((here / name).read_bytes() for name in _CODE)


def _keep(search: Search, place: Path) -> None:
    """Write a search aside, move it into its place, and drop those that nobody used lately."""
    aside = Path(tempfile.mkdtemp(prefix="aside-", dir=place.parent))
    try:
        arrays = {name: getattr(search, name) for name in _ARRAYS}
        arrays |= {name: getattr(search.rows, name) for name in _OF_ROWS}
        for name, values in arrays.items():
            np.save(aside / f"{name}.npy", values)
        aside.rename(place)
    except OSError:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    others = [path for path in place.parent.iterdir() if path.is_dir()]
    for path in sorted(others, key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(path, ignore_errors=True)  # who has it mapped keeps it


def _mapped(place: Path, shape: tuple[int, int]) -> Search:
    def array(name: str) -> np.ndarray:
        # Kernels are compiled for arrays that may be written; nobody does, so nothing is copied.
        return np.asarray(np.load(place / f"{name}.npy", mmap_mode="c"))

    rows = csr_matrix(tuple(array(name) for name in _OF_ROWS), shape=shape, copy=False)
    return Search(
        rows=rows,
        pointers=rows.indptr.astype(np.int64),
        columns=rows.indices.astype(np.int32, copy=False).view(np.uint32),
        **{name: array(name) for name in _ARRAYS},
    )

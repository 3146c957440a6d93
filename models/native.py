"""Numba as this project uses it: compiled once for every CPU of an architecture, and kept.

Compiling takes many seconds, loading what was compiled a few hundredths of one. Nothing compiles
where requests are answered: ``python -m models.compiling`` does, in a process of its own.
"""

import mmap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numba
import numba.core.caching
import numba.np.linalg
import numpy as np
from numba.core import cgutils

from models.native_cache import folder

#: A number, of the type that the compiler finds: Python's own have no place in kernels.
Number = Any

F = TypeVar("F", bound=Callable[..., Any])


class KeptLocator(numba.core.caching.UserProvidedCacheLocator):  # type: ignore[misc]
    """Keeps everything in :func:`folder` itself, which may be read-only: an image's.

    Numba's own keeps a folder for each place that the code lies in. The mark that all is compiled
    counts for the content: the same code elsewhere would be compiled where requests are answered.
    """

    def get_cache_path(self) -> str:
        """Return the one folder."""
        return str(folder())

    def ensure_cache_path(self) -> None:
        """Make the folder, unless it is there."""
        Path(self.get_cache_path()).mkdir(parents=True, exist_ok=True)


# One code for all CPUs: it is compiled where an image is made and runs anywhere, and gives the
# same digits everywhere.
numba.config.CPU_NAME = "generic"
numba.config.CPU_FEATURES = ""
numba.config.CACHE_DIR = str(folder())
numba.config.CACHE_LOCATOR_CLASSES = f"models.native.{KeptLocator.__name__}"


def _no_blas() -> None:
    raise ImportError


# Kernels multiply no matrices. Numba would look for SciPy's BLAS as soon as the first of them is
# loaded, and that takes longer than to load them all.
_ensure_blas, numba.np.linalg.ensure_blas = numba.np.linalg.ensure_blas, _no_blas
import numba.np.arraymath  # noqa: E402

numba.np.linalg.ensure_blas = _ensure_blas


def kernel(function: F) -> F:
    """Return ``function`` compiled at its first call, or as it was compiled before.

    It lets other threads run meanwhile.
    """
    compiled: F = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    return compiled


def brief_kernel(function: F) -> F:
    """Return ``function`` compiled as a :func:`kernel` that keeps the interpreter meanwhile.

    For what takes microseconds on most messages: who lets go of the interpreter has to wait for it
    again, and among busy threads that takes longer than the work itself.
    """
    compiled: F = numba.njit(cache=True, error_model="numpy")(function)
    return compiled


def leaf(function: F) -> F:
    """Return ``function`` compiled as a :func:`kernel`, for one that makes no arrays.

    It need not count who holds those that it is given, which takes longer than what many do.
    """
    compiled: F = numba.njit(
        nogil=True, cache=True, error_model="numpy", _nrt=False, forceinline=True
    )(function)
    return compiled


def opener(function: F) -> F:
    """Return ``function`` compiled for kernels to find arrays by :func:`places_of`."""
    compiled: F = numba.njit(nogil=True, cache=True, error_model="numpy", forceinline=True)(
        function
    )
    return compiled


def room_of(shape: int | tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return an array that takes memory only where it is written to, however large it is.

    Numpy would have large ones made of large pages, which are taken, and made 0, as a whole.
    """
    count = int(np.prod(shape))
    size = max(1, count * np.dtype(dtype).itemsize)
    memory = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # a fork has its own
    return np.frombuffer(memory, dtype, count).reshape(shape)


#: The arrays of one group in :func:`places_of`, at most.
GROUP = 32


def places_of(*groups: Any) -> np.ndarray:
    """Return where the arrays of some named tuples are, for kernels to find them there.

    A kernel takes a sixth of a microsecond for each array that it is given, and this is one. It
    keeps the arrays. They are C-contiguous, and all that is in a tuple within is counted in its
    place.

    Returns
    -------
    ndarray of int64, shape (n_groups, GROUP, 4)
        Address and shape of each array.
    """
    places = np.zeros((len(groups), GROUP, 4), np.int64)
    for number, group in enumerate(groups):
        for at, array in enumerate(_arrays(group)):
            assert array.flags.c_contiguous  # what kernels take for granted
            places[number, at, : 1 + array.ndim] = array.ctypes.data, *array.shape
    return np.asarray(_Owner(places, groups))


class _Owner:
    """What an array is a view of: it and what it tells of live as long as that does."""

    def __init__(self, places: np.ndarray, groups: tuple[Any, ...]) -> None:
        self.__array_interface__ = places.__array_interface__
        self._kept = places, groups


def _arrays(group: Any) -> Iterator[np.ndarray]:
    if isinstance(group, np.ndarray):
        yield group
    else:
        for part in group:
            yield from _arrays(part)


@numba.extending.intrinsic  # type: ignore[untyped-decorator]
def _pointer(_: Any, __: Any) -> Any:
    """Return an address as a pointer."""

    def code(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return numba.types.voidptr(numba.types.int64), code


@opener
def line_at(places: np.ndarray, at: Number, dtype: Any) -> np.ndarray:
    """Return the array with one dimension of which ``places[at]`` tells."""
    array: np.ndarray = numba.carray(_pointer(places[at, 0]), (places[at, 1],), dtype)
    return array


@opener
def grid_at(places: np.ndarray, at: Number, dtype: Any) -> np.ndarray:
    """Return the array with two dimensions of which ``places[at]`` tells."""
    array: np.ndarray = numba.carray(_pointer(places[at, 0]), (places[at, 1], places[at, 2]), dtype)
    return array


@opener
def cube_at(places: np.ndarray, at: Number, dtype: Any) -> np.ndarray:
    """Return the array with three dimensions of which ``places[at]`` tells."""
    shape = (places[at, 1], places[at, 2], places[at, 3])
    array: np.ndarray = numba.carray(_pointer(places[at, 0]), shape, dtype)
    return array

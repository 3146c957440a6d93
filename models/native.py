"""Numba as this project uses it: compiled once for every CPU of an architecture, and kept.

Compiling takes many seconds, loading what was compiled a few hundredths of one. Nothing compiles
where requests are answered: ``python -m models.compiling`` does, in a process of its own.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
import numba.core.caching

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

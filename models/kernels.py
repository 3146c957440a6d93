"""Fix threads and numeric kernels: the same bytes from fitting and scores from serving everywhere.

numpy's SIMD level and OpenBLAS's kernel change fitted coefficients in the 8th digit between
CPUs of one architecture; the environment variables below take the choice away from them.
"""

import os
import platform

_EVERYWHERE = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}
_X86_64 = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
}


def pin_kernels() -> None:
    """Set the variables in this process; numpy reads them when it is first imported."""
    os.environ.update(_EVERYWHERE)
    if platform.machine() in ("x86_64", "AMD64"):
        os.environ.update(_X86_64)

"""Where compiled kernels are kept, told without importing the compiler."""

import hashlib
import os
import platform
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

#: Numba's own name for the folder. It holds machine code, and is trusted like the code beside it.
FOLDER_VARIABLE = "NUMBA_CACHE_DIR"

#: The modules with kernels or constants of theirs, which are kept under one digest.
KERNEL_MODULES = (
    *("ngram_layout.py", "ngram_finding.py", "ngram_scoring.py", "ngram_building.py"),
    "ngram_repeats.py",
    *("cleaning_layout.py", "cleaning_runs.py", "cleaning_respell.py", "cleaning_tokens.py"),
    *("cleaning_kernels.py", "respell.py", "search_kernels.py", "skill_kernels.py"),
    *("skill_guards.py", "skill_judging.py", "language_kernels.py"),
)

#: The file that is there once every kernel was compiled.
COMPLETE = "complete"


@cache
def folder() -> Path:
    """Return where the kernels of this code are kept, for this Python and numba."""
    here = Path(__file__).parent
    made_by = (version("numba"), sys.version_info[:2], platform.machine())
    digest = hashlib.sha256(repr(made_by).encode())
    for name in ("native.py", *KERNEL_MODULES):
        digest.update((here / name).read_bytes())
    default = Path.home() / ".cache" / "careerlens" / "native"
    return Path(os.environ.get(FOLDER_VARIABLE) or default).absolute() / digest.hexdigest()[:16]


def is_compiled() -> bool:
    """Return whether every kernel was compiled, so that the first call of one takes no time."""
    return (folder() / COMPLETE).exists()

"""Kernels are compiled once for their content, wherever the code lies."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import models
from models.native_cache import KERNEL_MODULES

SOURCES = Path(models.__file__).parent

_CALL = """
import numpy as np
from models.ngram_finding import hash_symbols
hash_symbols(np.zeros(1, np.uint32), 0, 1)
"""


def kept_after_a_call(code: Path, cache: Path) -> dict[str, int]:
    """Call a kernel of the code in a folder, and return what is kept with the times of writing."""
    subprocess.run(
        [sys.executable, "-c", _CALL],
        cwd=code,
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
        check=True,
        timeout=120,
    )
    return {
        str(path.relative_to(cache)): path.stat().st_mtime_ns
        for path in cache.rglob("*")
        if path.suffix in {".nbc", ".nbi"}
    }


def test_the_same_code_elsewhere_compiles_nothing_again(tmp_path: Path) -> None:
    for place in ("one", "two"):
        shutil.copytree(SOURCES, tmp_path / place / "models", ignore=lambda *_: ["__pycache__"])
    first = kept_after_a_call(tmp_path / "one", tmp_path / "cache")
    assert first
    assert kept_after_a_call(tmp_path / "two", tmp_path / "cache") == first


def test_every_module_with_kernels_counts_for_what_is_kept() -> None:
    with_kernels = {
        path.name
        for path in SOURCES.glob("*.py")
        if any(line in {"@kernel", "@leaf"} for line in path.read_text().splitlines())
    }
    assert with_kernels
    assert with_kernels <= set(KERNEL_MODULES)

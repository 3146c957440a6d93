"""Which of our own modules a module imports, and a digest of their bytes."""

import ast
import hashlib
from pathlib import Path

PACKAGES = ("models", "pipelines", "serving")


def first_party_files(module: str, root: Path = Path()) -> list[Path]:
    """Return the files of ``module`` and of every module of ours it imports, sorted.

    Parameters
    ----------
    module : str
        Such as ``pipelines.clean``.
    root : Path
        The folder that holds the packages.
    """
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        for path in _files_of(waiting.pop(), root):
            if path not in found:
                found.add(path)
                waiting += _imports(root / path)
    return sorted(found)


def code_digest(modules: list[str], root: Path = Path()) -> str:
    """Return the sha256 over names and bytes of the files behind ``modules``."""
    files = sorted({path for module in modules for path in first_party_files(module, root)})
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.as_posix()}\0".encode())
        digest.update(hashlib.sha256((root / path).read_bytes()).digest())
    return digest.hexdigest()


def _files_of(module: str, root: Path) -> list[Path]:
    """Return the file of ``module`` and the ``__init__`` of each package above it."""
    parts = module.split(".")
    if parts[0] not in PACKAGES:
        return []
    candidates = [Path(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    candidates.append(Path(*parts).with_suffix(".py"))
    return [path for path in candidates if (root / path).is_file()]


def _imports(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            # The name may be a module of the package or something inside the module.
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names

"""Which of our own modules a module imports, and a digest of their bytes."""

import ast
import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

PACKAGES = ("models", "pipelines", "serving")

#: Returns the content of the file at a path of the project, None if there is none.
Read = Callable[[Path], bytes | None]


def below(root: Path) -> Read:
    """Return what reads the project that lies at ``root``."""
    return lambda path: (root / path).read_bytes() if (root / path).is_file() else None


def first_party_files(module: str, read: Read) -> dict[Path, bytes]:
    """Return the files of ``module`` and of every module of ours it imports, with their content.

    Parameters
    ----------
    module : str
        Such as ``pipelines.clean``.
    read : callable
        Has the packages: of a folder, or of a commit.
    """
    found: dict[Path, bytes] = {}
    waiting = [module]
    while waiting:
        for path in _files_of(waiting.pop()):
            if path not in found and (content := read(path)) is not None:
                found[path] = content
                waiting += _imports(content)
    return found


def code_digest(modules: Iterable[str], read: Read) -> str:
    """Return the sha256 over names and bytes of the files behind ``modules``."""
    files: dict[Path, bytes] = {}
    for module in modules:
        files |= first_party_files(module, read)
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.as_posix()}\0".encode())
        digest.update(hashlib.sha256(files[path]).digest())
    return digest.hexdigest()


def _files_of(module: str) -> list[Path]:
    """Return where ``module`` may be, and the ``__init__`` of each package above it."""
    parts = module.split(".")
    if parts[0] not in PACKAGES:
        return []
    candidates = [Path(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    return [*candidates, Path(*parts).with_suffix(".py")]


def _imports(content: bytes) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            # The name may be a module of the package or something inside the module.
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names

"""A log of JSON lines that all workers append to, bounded in size."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

#: Size at which the log becomes ``<name>.1``.
MAX_BYTES = 50 * 1024 * 1024


class LineFile:
    """Appends rows as whole lines, whichever process they come from.

    Parameters
    ----------
    path : Path
        ``<path>.1`` is the part before, and ``<path>.lock`` is held while a process writes.
    max_bytes : int
        Most bytes of each part.
    parts : int
        Most parts that are kept beside the one being written; the oldest gives way.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, parts: int = 1) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._parts = parts
        self._lock = FileLock(path.with_name(f"{path.name}.lock"))

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append one line for each row.

        Raises
        ------
        OSError
            If the folder is missing, or the disk is full.
        """
        lines = "".join(f"{json.dumps(row, separators=(',', ':'))}\n" for row in rows).encode()
        # Without the lock, a process could rotate what another one has just rotated.
        with self._lock:
            file = self._open()
            size = os.fstat(file).st_size
            if size and size + len(lines) > self._max_bytes:
                os.close(file)
                self._rotate()
                file = self._open()
            with os.fdopen(file, "ab", buffering=0) as log:
                log.write(lines)

    def _rotate(self) -> None:
        names = [self._path, *(self._part(number) for number in range(1, self._parts + 1))]
        for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
            if newer.exists():
                newer.replace(older)

    def _part(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

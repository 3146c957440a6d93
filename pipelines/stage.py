"""What every stage shares: its command line, and reading and writing tables, matrices and JSON."""

import argparse
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

MODELS = ("spam", "toxicity")


def parse_args(
    description: str | None,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    *,
    per_model: bool = False,
    argv: Sequence[str] | None = None,
) -> argparse.Namespace:
    """Parse a stage's command line: one required ``--name PATH`` for each input and output.

    Parents of outputs are created. With ``per_model``, ``--model`` is required too.
    """
    parser = argparse.ArgumentParser(description=description)
    if per_model:
        parser.add_argument("--model", required=True, choices=MODELS)
    for name in (*inputs, *outputs):
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path, required=True, dest=name)
    args = parser.parse_args(argv)
    for name in outputs:
        getattr(args, name).parent.mkdir(parents=True, exist_ok=True)
    return args


def read_table(path: Path) -> pd.DataFrame:
    """Return the table stored at ``path`` (Parquet)."""
    return pd.read_parquet(path)


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Store ``frame`` at ``path`` as Parquet, without its index; same rows, same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path, index=False)


def read_json(path: Path) -> Any:
    """Return the content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(content: Any, path: Path) -> None:
    """Write ``content`` as indented JSON with sorted keys, NaN refused."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def write_sparse(matrix: csr_matrix, path: Path) -> None:
    """Store ``matrix`` at ``path`` uncompressed, as its three arrays side by side.

    Not ``scipy.sparse.save_npz``: a zip carries the time it was written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for array in (np.array(matrix.shape), matrix.indptr, matrix.indices, matrix.data):
            np.save(file, array, allow_pickle=False)


def read_sparse(path: Path) -> csr_matrix:
    """Return the matrix stored by :func:`write_sparse`, its arrays mapped and read when touched.

    Who writes into them changes a copy in memory.
    """
    with path.open("rb") as file:
        shape, indptr, indices, data = (_mapped(file, path) for _ in range(4))
    return csr_matrix((data, indices, indptr), shape=tuple(shape.tolist()))


def _mapped(file: IO[bytes], path: Path) -> np.ndarray:
    """Return the array at the position of ``file``, which is moved behind it."""
    np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    array = np.memmap(path, dtype, "c", file.tell(), shape)
    file.seek(array.nbytes, os.SEEK_CUR)
    return array


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def write_lines(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write ``rows`` as JSON lines, keys as they come, NaN refused.

    No rows are a blank line: DVC warns of every empty file at every stage.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
    path.write_text("".join(lines) or "\n", encoding="utf-8")


def read_contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def write_contents(contents: Mapping[str, bytes], folder: Path) -> None:
    """Make ``folder`` hold exactly the files ``contents``."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)

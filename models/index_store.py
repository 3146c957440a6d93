"""The job index as files of a bundle: equal bytes for equal indexes, and nothing executable.

``index.npz`` holds the arrays, uncompressed and dated 1980 like the model files; ``space.json``
what is small; ``postings.jsonl`` one posting a line, in the order of the rows.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from scipy.sparse import csr_matrix

from models.bundle import ModelFormat
from models.errors import FormatError
from models.job_index import Entry, JobIndex
from models.job_space import JobSpace
from models.job_terms import RoleHeads
from models.params import IndexParams
from models.postings import Posting

ARRAYS_FILE = "index.npz"
SPACE_FILE = "space.json"
POSTINGS_FILE = "postings.jsonl"
INDEX_FILES = (ARRAYS_FILE, SPACE_FILE, POSTINGS_FILE)

#: Postings of each golden answer.
ANSWERED = 5

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MATRICES = ("matrix", "title_matrix")
_NAMES = ("terms", "skills", "roles", "titles")


class _Space(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    params: IndexParams
    heads: tuple[str, ...]
    heads_alone: tuple[str, ...]
    surfaces: dict[str, str]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    posting: Posting
    asked: tuple[tuple[str, float], ...] = ()
    copies: tuple[str, ...] = ()


def dump_index(index: JobIndex) -> dict[str, bytes]:
    """Return the files of ``index`` by name."""
    space = index.space
    arrays: dict[str, np.ndarray] = {
        "weights": space.weights,
        "sentence_weights": space.sentence_weights,
        "own": index.own,
    }
    for name in _MATRICES:
        matrix: csr_matrix = getattr(index, name)
        arrays[f"{name}.data"] = matrix.data
        arrays[f"{name}.indices"] = matrix.indices.astype(np.int32)
        arrays[f"{name}.indptr"] = matrix.indptr.astype(np.int64)
    for name in _NAMES:
        names = index.titles if name == "titles" else getattr(space, name)
        packed = json.dumps(names, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        arrays[name] = np.frombuffer(packed, dtype=np.uint8)
    described = _Space(
        params=space.params,
        heads=tuple(sorted(space.heads.words)),
        heads_alone=tuple(sorted(space.heads.alone)),
        surfaces=dict(sorted(space.surfaces.items())),
    )
    lines = (
        _Line(posting=entry.posting, asked=entry.asked, copies=entry.copies)
        for entry in index.entries
    )
    return {
        ARRAYS_FILE: _dump_arrays(arrays),
        SPACE_FILE: f"{_json(described)}\n".encode(),
        POSTINGS_FILE: "".join(f"{_json(line)}\n" for line in lines).encode(),
    }


def load_index(contents: Mapping[str, bytes], place: str) -> JobIndex:
    """Return the index in ``contents``, the files that :func:`dump_index` returned.

    Parameters
    ----------
    place : str
        Where the files were read, for errors.

    Raises
    ------
    FormatError
        If a file is missing or unreadable, or the files do not belong together.
    """
    try:
        arrays = _load_arrays(contents[ARRAYS_FILE])
        described = _Space.model_validate_json(contents[SPACE_FILE])
        lines = [
            _Line.model_validate_json(line) for line in contents[POSTINGS_FILE].split(b"\n") if line
        ]
        names = {name: tuple(json.loads(arrays[name].tobytes())) for name in _NAMES}
        n_features = len(arrays["weights"])
        matrices = {
            name: _matrix(arrays, name, n_rows, n_features)
            for name, n_rows in zip(_MATRICES, (len(lines), len(names["titles"])), strict=True)
        }
        own = arrays["own"]
        if n_features != sum(len(names[name]) for name in ("terms", "skills", "roles")):
            raise ValueError("names and weights differ in number")
        if arrays["sentence_weights"].shape != (len(names["terms"]),):
            raise ValueError("terms and their weights differ in number")
        if own.dtype != np.bool_ or own.shape != matrices["matrix"].data.shape:
            raise ValueError("the flags do not fit the matrix")
    except (KeyError, ValueError, ValidationError, zipfile.BadZipFile, EOFError) as error:
        raise FormatError(f"{place} holds no job index that can be read: {error}") from error
    return JobIndex(
        space=JobSpace(
            terms=names["terms"],
            skills=names["skills"],
            roles=names["roles"],
            weights=arrays["weights"],
            sentence_weights=arrays["sentence_weights"],
            heads=RoleHeads(frozenset(described.heads), frozenset(described.heads_alone)),
            surfaces=described.surfaces,
            params=described.params,
        ),
        matrix=matrices["matrix"],
        own=own,
        entries=tuple(Entry(line.posting, line.asked, line.copies) for line in lines),
        titles=names["titles"],
        title_matrix=matrices["title_matrix"],
    )


def golden_answer(index: JobIndex, text: str) -> dict[str, float]:
    """Return the ids of the best postings for ``text`` with their scores, for golden rows.

    Skills are left out: they come from another bundle, whose versions change on their own.
    """
    found, scores = index.top(index.space.encode(text, ()), ANSWERED)
    return {
        index.entries[row].posting.id: float(score)
        for row, score in zip(found, scores, strict=True)
    }


def _answer(index: JobIndex, texts: Sequence[str]) -> list[dict[str, float]]:
    return [golden_answer(index, text) for text in texts]


MATCHING = ModelFormat(
    kind="matching",
    dump=dump_index,
    load=load_index,
    answer=_answer,
    files=INDEX_FILES,
)


def _matrix(arrays: Mapping[str, np.ndarray], name: str, n_rows: int, n_columns: int) -> csr_matrix:
    parts = tuple(arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr"))
    if parts[0].dtype != np.float32 or not np.isfinite(parts[0]).all():
        raise ValueError(f"{name} holds other values than finite float32")
    matrix = csr_matrix(parts, shape=(n_rows, n_columns))
    matrix.check_format(full_check=True)
    return matrix


def _dump_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), entry.getvalue())
    return target.getvalue()


def _load_arrays(content: bytes) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {
            name.removesuffix(".npy"): np.lib.format.read_array(
                io.BytesIO(archive.read(name)), allow_pickle=False
            )
            for name in archive.namelist()
        }


def _json(content: BaseModel) -> str:
    dumped: Any = content.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(dumped, ensure_ascii=False, sort_keys=True, allow_nan=False)

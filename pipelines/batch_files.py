"""The files of a batch: their formats, and the parts in which the output grows until it is whole.

A job's parts lie in ``OUTPUT.parts/``: ``job.json`` says what the job is, and each partition that
is done has one ``part-<number>-<digest of its rows>-<rows>-<faults>``. Whatever is written is
written aside and moved into place, so that a part is there as a whole or not at all.
"""

import csv
import gzip
import io
import json
import posixpath
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.core import url_to_fs

from models.errors import CareerlensError

Format = Literal["csv", "jsonl", "parquet"]

_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".parquet": "parquet",
}

_PART = re.compile(r"part-(\d{8})-([0-9a-f]{16})-(\d+)-(\d+)")
_JOB_FILE = "job.json"


class BatchError(CareerlensError):
    """A batch cannot be read or written, or is not the one that was begun."""


def format_of(address: str) -> Format:
    """Return the format that a file's name has as its suffix.

    Raises
    ------
    BatchError
        If it is none of ours.
    """
    for suffix, form in _SUFFIXES.items():
        if address.lower().endswith(suffix):
            return form
    raise BatchError(f"{address} is of no format known here: {', '.join(_SUFFIXES)}")


def is_gzip(address: str) -> bool:
    """Whether a file of this name is compressed."""
    return address.lower().endswith(".gz")


def write_table(
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, pa.DataType],
    form: Format,
    compressed: bool,
) -> bytes:
    """Return rows as a part of a file: of a CSV without its header; the same rows, the same bytes.

    A CSV has lists as JSON.
    """
    if form == "parquet":
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows, pa.schema(columns)), sink)
        return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]
    if form == "jsonl":
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    else:
        text = _csv_lines([_cell(row.get(name)) for name in columns] for row in rows)
    content = text.encode()
    return gzip.compress(content, mtime=0) if compressed else content


def _csv_lines(records: Iterable[Sequence[Any]]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(records)
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else value


class Part(NamedTuple):
    """A partition that is done: the digest of its rows in the input, and what became of them."""

    number: int
    digest: str
    rows: int
    faults: int

    @property
    def name(self) -> str:
        """Name of the file with what goes into the output."""
        return f"part-{self.number:08}-{self.digest}-{self.rows}-{self.faults}"

    @property
    def errors(self) -> str:
        """Name of the file with its faults, where there are any."""
        return f"errors-{self.number:08}-{self.digest}"


class Output:
    """A file that is whole only when all its parts are there.

    Parameters
    ----------
    address : str
        Where it shall be, here or wherever fsspec reaches. Faults go into a file beside it.

    Raises
    ------
    BatchError
        If nothing can be written there.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.errors = f"{address}.errors.jsonl"
        self.form = format_of(address)
        self.compressed = is_gzip(address)
        try:
            self._fs, self._path = url_to_fs(address)
        except (ImportError, ValueError) as error:
            raise BatchError(f"{address} cannot be written: {error}") from error
        self._folder = f"{self._path}.parts"
        self._fs.invalidate_cache()

    def exists(self) -> bool:
        """Whether the file is there."""
        return bool(self._fs.exists(self._path))

    def begun(self) -> dict[str, Any] | None:
        """Return what :meth:`begin` was told, if a job was begun and did not come to its end."""
        try:
            record: dict[str, Any] = json.loads(self._fs.cat_file(self._inside(_JOB_FILE)))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise BatchError(f"{self.address}.parts/{_JOB_FILE} cannot be read: {error}") from error
        return record

    def begin(self, record: Mapping[str, Any]) -> None:
        """Write down what the job is, in an empty folder."""
        if self._fs.exists(self._folder):
            self._fs.rm(self._folder, recursive=True)
        self._fs.makedirs(self._folder, exist_ok=True)
        self._put(_JOB_FILE, json.dumps(record, indent=2).encode())

    def parts(self) -> dict[int, Part]:
        """Return the partitions that are done, by number."""
        names = (posixpath.basename(path) for path in self._fs.ls(self._folder, detail=False))
        found = (_PART.fullmatch(name) for name in names)
        parts = (
            Part(int(match[1]), match[2], int(match[3]), int(match[4])) for match in found if match
        )
        return {part.number: part for part in parts}

    def add(self, part: Part, content: bytes, errors: bytes) -> None:
        """Keep what a partition came to; it is done when its part is in place, the last of all."""
        if part.faults:
            self._put(part.errors, errors)
        self._put(part.name, content)

    def finish(self, parts: Sequence[Part], columns: Mapping[str, pa.DataType]) -> None:
        """Put the parts together, move the whole into its place, and remove them."""
        with self._aside(self._path) as file:
            if self.form == "parquet":
                with pq.ParquetWriter(file, pa.schema(columns)) as writer:
                    for part in parts:
                        with self._fs.open(self._inside(part.name), "rb") as source:
                            writer.write_table(pq.read_table(source))
            else:
                if self.form == "csv":
                    header = _csv_lines([list(columns)]).encode()
                    file.write(gzip.compress(header, mtime=0) if self.compressed else header)
                self._join([part.name for part in parts], file)
        faulty = [part.errors for part in parts if part.faults]
        errors = f"{self._path}.errors.jsonl"
        if faulty:
            with self._aside(errors) as file:
                self._join(faulty, file)
        elif self._fs.exists(errors):  # of an earlier output
            self._fs.rm(errors)
        self._fs.rm(self._folder, recursive=True)

    def _inside(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _put(self, name: str, content: bytes) -> None:
        with self._aside(self._inside(name)) as file:
            file.write(content)

    def _join(self, names: Iterable[str], file: IO[bytes]) -> None:
        for name in names:
            with self._fs.open(self._inside(name), "rb") as source:
                shutil.copyfileobj(source, file)

    @contextmanager
    def _aside(self, path: str) -> Iterator[IO[bytes]]:
        """Open a file that comes to its place when all of it is written."""
        aside = self._inside(f"aside-{uuid.uuid4().hex}")
        with self._fs.open(aside, "wb") as file:
            yield file
        self._fs.mv(aside, path)

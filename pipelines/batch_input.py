"""What a batch is read from: CSV, JSON lines or Parquet, cut into partitions of whole rows.

The command cuts, which must be quick; its workers read the rows of each partition.
"""

import csv
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.core import url_to_fs

from pipelines.batch_files import BatchError, Format, format_of, is_gzip

#: A partition of text ends after so many bytes, however few rows it has by then.
PARTITION_BYTES = 4 * 1024 * 1024

#: A line ends there, whatever it holds: memory is for so much of it. So does a field of a CSV.
LINE_BYTES = 16 * 1024 * 1024

_BUFFER_BYTES = 1024 * 1024
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Layout:
    """Where in the rows the text is.

    Attributes
    ----------
    form : {"csv", "jsonl", "parquet"}
    text, key : str, str or None
        The column with the text, and the one that goes into the output beside the scores.
    header : tuple of str
        All columns of a CSV.
    """

    form: Format
    text: str
    key: str | None
    header: tuple[str, ...] = ()


@dataclass(frozen=True)
class Partition:
    """Some rows, as the input has them.

    Attributes
    ----------
    number, first : int
        Its place among the partitions, and that of its first row in the input; both from 0.
    rows : int
    content : bytes
        Lines, or an Arrow stream.
    width : int
        How much of the input's size it is.
    """

    number: int
    first: int
    rows: int
    content: bytes
    width: int

    @property
    def digest(self) -> str:
        """What tells these rows from any others."""
        return hashlib.sha256(self.content).hexdigest()[:16]


@dataclass(frozen=True)
class Row:
    """One row; with a ``fault`` it is none, and that says why."""

    text: Any = None
    key: Any = None
    fault: str | None = None


@dataclass(frozen=True)
class Batch:
    """An open input.

    Attributes
    ----------
    layout : Layout
    size : int
        The file's bytes, or the rows of Parquet.
    partitions : iterator of Partition
        Read as it is gone through.
    """

    layout: Layout
    size: int
    partitions: Iterator[Partition]


@contextmanager
def open_batch(address: str, text: str, key: str | None, rows: int) -> Iterator[Batch]:
    """Open an input for the time of a ``with`` block.

    Parameters
    ----------
    address : str
        A file, here or wherever fsspec reaches.
    text, key : str, str or None
        As in :class:`Layout`.
    rows : int
        Most rows of a partition.

    Raises
    ------
    BatchError
        If it cannot be read, or has no such column; later too, from the partitions.
    """
    form = format_of(address)
    with _readable(address):
        fs, path = url_to_fs(address)
        raw = fs.open(path, "rb")
    with raw:
        with _readable(address):
            if form == "parquet":
                table = pq.ParquetFile(raw)
                columns, size = tuple(table.schema_arrow.names), table.metadata.num_rows
                partitions = _batches(table, text, key, rows)
            else:
                file = _open_text(raw, is_gzip(address))
                columns, size = _header(file) if form == "csv" else (), fs.size(path)
                partitions = _cut(file, raw, form, rows)
        for column in (text, key):
            if form != "jsonl" and column is not None and column not in columns:
                there = ", ".join(columns) or "none"
                raise BatchError(f"{address} has no column {column!r}; it has {there}")
        layout = Layout(form, text, key, columns)
        yield Batch(layout, size, _told(address, partitions))


def rows_of(partition: Partition, layout: Layout) -> Iterator[Row]:
    """Yield the rows of a partition, among them those that cannot be read."""
    if layout.form == "parquet":
        yield from _arrow_rows(partition.content, layout)
        return
    lines = _lines(io.BytesIO(partition.content))
    if layout.form == "jsonl":
        yield from (_json_row(line, layout) for line in lines if line.strip())
    else:
        yield from (_csv_row(record, layout) for record in _records(lines) if record)


@contextmanager
def _readable(address: str) -> Iterator[None]:
    """Say of a file that cannot be read which one it is."""
    try:
        yield
    # What fsspec raises for an address it does not know or has no driver for is among them.
    except (OSError, EOFError, zlib.error, pa.ArrowException, ImportError, ValueError) as error:
        raise BatchError(f"{address} cannot be read: {error}") from error


def _told(address: str, partitions: Iterator[Partition]) -> Iterator[Partition]:
    with _readable(address):
        yield from partitions


def _open_text(raw: Any, compressed: bool) -> io.BufferedReader:
    file = io.BufferedReader(gzip.GzipFile(fileobj=raw) if compressed else raw, _BUFFER_BYTES)
    if file.peek(len(_BOM)).startswith(_BOM):
        file.read(len(_BOM))
    return file


def _header(file: IO[bytes]) -> tuple[str, ...]:
    for record in _records(_lines(file)):
        if isinstance(record, csv.Error):
            raise record
        if record:
            return tuple(record)
    return ()


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(LINE_BYTES):
        yield line


def _records(lines: Iterable[bytes]) -> Iterator[list[str] | csv.Error]:
    """Yield the records of a CSV: what is wrong in the place of a malformed one, [] for a blank.

    Bytes that are no UTF-8 become lone surrogates, which no text may have.
    """
    csv.field_size_limit(LINE_BYTES)
    reader = csv.reader((line.decode("utf-8", "surrogateescape") for line in lines), strict=True)
    while True:
        try:
            yield from reader
        except csv.Error as error:
            yield error
        else:
            return


def _cut(file: IO[bytes], raw: IO[bytes], form: Format, rows: int) -> Iterator[Partition]:
    """Yield the partitions of a file of text.

    Parameters
    ----------
    raw : file
        What ``file`` is read from: its position tells how far that is.
    """
    taken: list[bytes] = []
    size = 0

    def lines() -> Iterator[bytes]:
        nonlocal size
        for line in _lines(file):
            taken.append(line)
            size += len(line)
            yield line

    def partition() -> Partition:
        return Partition(number, first, count, b"".join(taken), raw.tell() - start)

    entries: Iterator[Any] = map(bytes.strip, lines()) if form == "jsonl" else _records(lines())
    number = first = count = start = 0
    for entry in entries:
        count += bool(entry)  # a blank line is no row
        if count == rows or size >= PARTITION_BYTES:
            yield partition()
            taken.clear()
            number, first, count, size, start = number + 1, first + count, 0, 0, raw.tell()
    if taken:
        yield partition()


def _batches(table: pq.ParquetFile, text: str, key: str | None, rows: int) -> Iterator[Partition]:
    """Yield the partitions of a Parquet file: text and key alone, as Arrow streams."""
    columns = list(dict.fromkeys(column for column in (text, key) if column is not None))
    first = 0
    for number, batch in enumerate(table.iter_batches(rows, columns=columns)):
        stream = pa.BufferOutputStream()
        with pa.ipc.new_stream(stream, batch.schema) as writer:
            writer.write_batch(batch)
        content = stream.getvalue().to_pybytes()
        yield Partition(number, first, batch.num_rows, content, batch.num_rows)
        first += batch.num_rows


def _csv_row(record: list[str] | csv.Error, layout: Layout) -> Row:
    if isinstance(record, csv.Error):
        return Row(fault=f"is no CSV: {record}")
    if len(record) != len(layout.header):
        return Row(fault=f"has {len(record)} fields where the header has {len(layout.header)}")
    place = layout.header.index
    key = None if layout.key is None else record[place(layout.key)]
    return Row(record[place(layout.text)], key)


def _json_row(line: bytes, layout: Layout) -> Row:
    try:
        entry = json.loads(line.decode())
    except UnicodeDecodeError:
        return Row(fault="is not UTF-8")
    except (ValueError, RecursionError):
        return Row(fault="is not JSON")
    if not isinstance(entry, dict):
        return Row(fault="is no JSON object")
    key = None if layout.key is None else entry.get(layout.key)
    if layout.text not in entry:
        return Row(key=key, fault=f"has no {layout.text!r}")
    return Row(entry[layout.text], key)


def _arrow_rows(content: bytes, layout: Layout) -> Iterator[Row]:
    with pa.ipc.open_stream(content) as reader:
        table = reader.read_all()
    texts = _values(table.column(layout.text))
    keys = texts if layout.key is None else _values(table.column(layout.key))
    for text, key in zip(texts, keys, strict=True):
        yield Row(text, None if layout.key is None else key)


def _values(column: pa.ChunkedArray) -> list[Any]:
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except UnicodeDecodeError:  # Parquet does not check what it calls strings
        raw = column.cast(pa.binary()).to_pylist()
        return [value and value.decode("utf-8", "surrogateescape") for value in raw]

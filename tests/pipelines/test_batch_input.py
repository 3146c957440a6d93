import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import batch_input
from pipelines.batch_files import BatchError
from pipelines.batch_input import Row, open_batch, rows_of

AWKWARD = ["plain", "two\nlines, and a comma", 'a "quoted" word', "שלום 😀", "  spaces  "]


def read(path: Path | str, key: str | None = None, rows: int = 2) -> list[Row]:
    """Return all rows of a batch, after a check of how its partitions count them."""
    with open_batch(str(path), "text", key, rows) as batch:
        partitions = list(batch.partitions)
    found = [list(rows_of(partition, batch.layout)) for partition in partitions]
    assert [partition.number for partition in partitions] == list(range(len(partitions)))
    assert [partition.rows for partition in partitions] == [len(part) for part in found]
    assert [partition.first for partition in partitions] == [
        sum(len(part) for part in found[:number]) for number in range(len(found))
    ]
    assert all(partition.rows <= rows for partition in partitions)
    assert sum(partition.width for partition in partitions) <= batch.size
    return [row for part in found for row in part]


def write_csv(path: Path, texts: list[str]) -> Path:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "text"), *enumerate(texts)])
    return path


def write_lines(path: Path, texts: list[str]) -> Path:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(texts))
    return path


def write_parquet(path: Path, texts: list[str]) -> Path:
    pq.write_table(pa.table({"id": range(len(texts)), "text": texts}), path, row_group_size=3)
    return path


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("m.csv", write_csv),
        ("m.csv.gz", write_csv),
        ("m.jsonl", write_lines),
        ("m.jsonl.gz", write_lines),
        ("m.parquet", write_parquet),
    ],
)
def test_every_format_gives_the_same_rows_whole(
    tmp_path: Path, name: str, write: Callable[[Path, list[str]], Path]
) -> None:
    rows = read(write(tmp_path / name, AWKWARD), key="id")
    assert [row.text for row in rows] == AWKWARD
    assert [str(row.key) for row in rows] == ["0", "1", "2", "3", "4"]


def test_any_address_that_fsspec_reaches_can_be_read() -> None:
    with fsspec.open("memory://batch/m.jsonl", "wb") as file:
        file.write(b'{"text": "far away"}\n')
    assert read("memory://batch/m.jsonl") == [Row("far away")]


def test_a_malformed_row_of_a_csv_costs_no_other_row(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(
        b'\xef\xbb\xbftext,id\n\ngood,1\nonly one field\n"a"b,2\nna\xefve,3\none,two,three\nlast,4'
    )
    assert read(path, key="id", rows=1) == [
        Row("good", "1"),
        Row(fault="has 1 fields where the header has 2"),
        Row(fault="is no CSV: ',' expected after '\"'"),
        Row("na\udcefve", "3"),
        Row(fault="has 3 fields where the header has 2"),
        Row("last", "4"),
    ]


def test_a_quote_that_is_never_closed_is_told_at_the_end_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text('text\ngood\n"open\nnever closed\n')
    assert read(path) == [Row("good"), Row(fault="is no CSV: unexpected end of data")]


def test_a_malformed_line_of_json_costs_no_other_line(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    lines = [
        b'{"text": "good", "id": 1}',
        b"{not json",
        b"",
        b'["text"]',
        b'{"id": 7}',
        b'{"text": "\xff"}',
        b"[" * 100_000,
        b'{"text": "last", "id": 2}',
    ]
    path.write_bytes(b"\n".join(lines))
    assert read(path, key="id") == [
        Row("good", 1),
        Row(fault="is not JSON"),
        Row(fault="is no JSON object"),
        Row(key=7, fault="has no 'text'"),
        Row(fault="is not UTF-8"),
        Row(fault="is not JSON"),
        Row("last", 2),
    ]


def test_a_string_of_parquet_that_is_not_utf8_costs_no_other_string(tmp_path: Path) -> None:
    raw = pa.array([b"good", b"\xff", None], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": raw}), tmp_path / "m.parquet")
    assert read(tmp_path / "m.parquet", rows=9) == [Row("good"), Row("\udcff"), Row(None)]


def test_a_line_without_end_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_input, "LINE_BYTES", 100)
    monkeypatch.setattr(batch_input, "PARTITION_BYTES", 50)
    path = tmp_path / "m.jsonl"
    path.write_bytes(b"x" * 250 + b'\n{"text": "after it"}\n')
    assert read(path) == [*[Row(fault="is not JSON")] * 3, Row("after it")]


def test_long_texts_make_partitions_of_fewer_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_input, "PARTITION_BYTES", 1_000)
    path = write_csv(tmp_path / "m.csv", ["x" * 300] * 10)
    with open_batch(str(path), "text", None, 1_000) as batch:
        assert [partition.rows for partition in batch.partitions] == [4, 4, 2]


def test_equal_rows_have_equal_digests_and_others_do_not(tmp_path: Path) -> None:
    digests = {}
    for name, texts in {"a": ["one", "two"], "b": ["one", "two"], "c": ["one", "three"]}.items():
        with open_batch(str(write_csv(tmp_path / f"{name}.csv", texts)), "text", None, 1) as batch:
            digests[name] = [partition.digest for partition in batch.partitions]
    assert digests["a"] == digests["b"]
    assert digests["a"][0] == digests["c"][0]
    assert digests["a"][1] != digests["c"][1]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("m.txt", b"", "is of no format known here"),
        ("m.csv", b"id,message\n1,hello\n", "has no column 'text'; it has id, message"),
        ("m.csv", b"", "has no column 'text'; it has none"),
        ("m.csv.gz", b"text\nnot compressed\n", "cannot be read"),
        ("m.parquet", b"no parquet", "cannot be read"),
    ],
)
def test_an_input_that_cannot_be_read_is_told(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BatchError, match=sentence):
        read(tmp_path / name)


def test_a_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    whole = write_lines(tmp_path / "m.jsonl.gz", [f"message {number}" for number in range(9_000)])
    whole.write_bytes(whole.read_bytes()[:-2_000])
    with pytest.raises(BatchError, match="cannot be read"):
        read(whole, rows=100)


@pytest.mark.parametrize("address", ["nowhere.csv", "nosuch://place/m.csv"])
def test_an_input_that_is_not_there_is_told(address: str) -> None:
    with pytest.raises(BatchError, match=f"{address} cannot be read"):
        read(address)

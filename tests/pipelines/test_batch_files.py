import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.batch_files import BatchError, Output, Part, write_table

COLUMNS = {"row": pa.int64(), "flagged": pa.bool_(), "skills": pa.list_(pa.string())}
ROWS: list[dict[str, Any]] = [
    {"row": 0, "flagged": True, "skills": ["C, and C++", 'the "rest"']},
    {"row": 1, "flagged": False, "skills": []},
    {"row": 2, "flagged": False, "skills": ["Köln"]},
]
PARTS = [Part(0, "a" * 16, 2, 0), Part(1, "b" * 16, 1, 1)]


def fill(output: Output) -> None:
    for part, rows in zip(PARTS, (ROWS[:2], ROWS[2:]), strict=True):
        content = write_table(rows, COLUMNS, output.form, output.compressed)
        output.add(part, content, b'{"row": 3}\n')


def read(path: Path) -> list[dict[str, Any]]:
    content = path.read_bytes()
    if path.suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    if ".jsonl" in path.name:
        return [json.loads(line) for line in text.splitlines()]
    return [
        {name: json.loads(value) for name, value in row.items()}
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]


@pytest.mark.parametrize("name", ["s.csv", "s.csv.gz", "s.jsonl", "s.jsonl.gz", "s.parquet"])
def test_parts_become_one_file_in_order_and_go(tmp_path: Path, name: str) -> None:
    output = Output(str(tmp_path / name))
    output.begin({})
    fill(output)
    output.finish(PARTS, COLUMNS)
    assert read(tmp_path / name) == ROWS
    assert (tmp_path / f"{name}.errors.jsonl").read_text() == '{"row": 3}\n'
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, f"{name}.errors.jsonl"]


def test_the_same_parts_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.csv.gz", "b.csv.gz"):
        output = Output(str(tmp_path / name))
        output.begin({})
        fill(output)
        output.finish(PARTS, COLUMNS)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


def test_a_part_is_there_as_a_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = Output(str(tmp_path / "s.csv"))
    output.begin({"rows": 2})
    output.add(PARTS[0], b"0,true,[]\n", b"")

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(output._fs), "mv", full)
        with pytest.raises(OSError, match="no space left"):
            output.add(PARTS[1], b"2,false,[]\n", b"")
    again = Output(str(tmp_path / "s.csv"))
    assert again.begun() == {"rows": 2}
    assert again.parts() == {0: PARTS[0]}
    assert not again.exists()


def test_a_new_job_takes_no_part_of_another(tmp_path: Path) -> None:
    output = Output(str(tmp_path / "s.csv"))
    output.begin({})
    fill(output)
    output.begin({})
    assert output.parts() == {}


def test_faults_of_an_earlier_output_do_not_stay(tmp_path: Path) -> None:
    (tmp_path / "s.csv.errors.jsonl").write_text('{"row": 9}\n')
    output = Output(str(tmp_path / "s.csv"))
    output.begin({})
    output.finish([], COLUMNS)
    assert [path.name for path in tmp_path.iterdir()] == ["s.csv"]
    assert (tmp_path / "s.csv").read_text() == "row,flagged,skills\n"


def test_the_output_may_be_at_any_address_that_fsspec_reaches() -> None:
    output = Output("memory://scored/s.jsonl")
    output.begin({})
    fill(output)
    output.finish(PARTS, COLUMNS)
    with fsspec.open("memory://scored/s.jsonl", "rt") as file:
        assert [json.loads(line) for line in file] == ROWS


@pytest.mark.parametrize("address", ["s.txt", "nosuch://place/s.csv"])
def test_an_output_that_cannot_be_is_told(address: str) -> None:
    with pytest.raises(BatchError, match=address):
        Output(address)

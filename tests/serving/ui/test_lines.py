"""Many messages from lines and files, and the file of their verdicts."""

import base64
import csv
import io
from pathlib import Path
from typing import Any

import pytest

from serving.ui.lines import MAX_LINES, LinesError, read_lines, verdict_file


def written(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def test_lines_that_were_pasted_are_messages_but_for_empty_ones() -> None:
    assert read_lines("one\n\n  \ntwo, three\n", None) == ["one", "two, three"]


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (b'id,Text\n1,one\n2,"two\nlines, here"\n', ["one", "two\nlines, here"]),
        ("\ufeffmessage\none é\n".encode(), ["one é"]),
        (b"one,1\ntwo,2\n", ["one", "two"]),
        (b"id,text\n1\n2,two\n", ["two"]),
    ],
)
def test_a_sheet_has_messages_in_its_column_or_its_first(
    tmp_path: Path, content: bytes, texts: list[str]
) -> None:
    assert read_lines("ignored", written(tmp_path, "a.csv", content)) == texts


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"\xff\xfe", "UTF-8"),
        ("a.csv", b'"open', "not valid CSV"),
        ("a.csv", b"text\n", "no message"),
        ("a.csv", b"", "no message"),
        ("a.txt", b"line\n" * (MAX_LINES + 1), "more than"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    with pytest.raises(LinesError, match=said):
        read_lines("", written(tmp_path, name, content))


def test_the_file_of_verdicts_holds_no_formula() -> None:
    verdict: dict[str, Any] = {
        "action": "allow",
        "spam": {"score": 0.25},
        "toxicity": {"score": 0.5, "categories": {"insult": 0.125}},
    }
    address = verdict_file(["=1+1", "a, b"], [verdict, verdict])
    content = base64.b64decode(address.removeprefix("data:text/csv;base64,")).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(content))) == [
        ["text", "action", "spam", "toxicity", "insult"],
        ["'=1+1", "allow", "0.25", "0.5", "0.125"],
        ["a, b", "allow", "0.25", "0.5", "0.125"],
    ]

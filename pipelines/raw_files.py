"""Read the raw files of each source as tables of strings, whatever their columns are called."""

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml

from models.errors import CareerlensError
from pipelines.xlsx import read_sheet

Tables = dict[str, pd.DataFrame]
Layout = Literal["CSV", "lines", "JSON lines", "YAML", "XLSX"]

# The longest text of the public corpus is far below; the module's own limit is lower.
csv.field_size_limit(10_000_000)


class RawReadError(CareerlensError):
    """A raw file is absent, of another encoding or shape, or has a value nobody declared."""


def decode_utf8(content: bytes) -> str:
    """Return ``content`` as UTF-8 text."""
    return content.decode("utf-8")


# Letters whose last byte had no place in Mac Roman and became "_"; which they were is known from
# the same messages in sms_phishing.
_LOST_BYTES = {"Ã_": "Ã¼", "â€_": "â€¦", "â”_": "â”¾"}


def decode_sms_spam_collection(content: bytes) -> str:
    """Return the text of spam.csv: UTF-8 that was read as cp1252 and saved as Mac Roman.

    Often taken for cp1252, under which a pound sign reads as two letters. Undoing both steps is
    strict: bytes that did not come about this way are refused.
    """
    text = content.decode("mac_roman")
    for damaged, whole in _LOST_BYTES.items():
        text = text.replace(damaged, whole)

    def undo(match: re.Match[str]) -> str:
        try:
            return match.group().encode("cp1252").decode("utf-8")
        except UnicodeError as error:
            raise UnicodeDecodeError(
                "mac_roman", content, *match.span(), "unknown sequence"
            ) from error

    return re.sub(r"[^\x00-\x7f]+", undo, text)


@dataclass(frozen=True)
class RawFormat:
    """How one raw file is written.

    Attributes
    ----------
    layout : str
        ``CSV``; ``lines``, one text each, divided at line feeds alone; ``JSON lines`` or ``YAML``,
        a list of objects; ``XLSX``, a workbook of one sheet.
    columns : tuple of str or None
        Column names of a file without a header row.
    """

    layout: Layout = "CSV"
    columns: tuple[str, ...] | None = None
    encoding: str = "utf-8"
    decode: Callable[[bytes], str] = decode_utf8


_CSV = RawFormat()
_JSON_LINES = RawFormat("JSON lines")
_XLSX = RawFormat("XLSX")
_TEXTS = RawFormat("lines", columns=("text",))
_LABELS = RawFormat("lines", columns=("label",))

RAW_FORMATS: dict[str, dict[str, RawFormat]] = {
    "starter": {"messages.csv": _CSV},
    "workplace": {"messages.csv": _CSV},
    "feedback": {"feedback.jsonl": _JSON_LINES},
    "starter_jobs": {"postings.jsonl": _JSON_LINES, "resumes.yaml": RawFormat("YAML")},
    "sms_spam_collection": {
        "spam.csv": RawFormat(
            encoding="Mac Roman over cp1252 over UTF-8", decode=decode_sms_spam_collection
        )
    },
    "sms_phishing": {"Dataset_5971.csv": _CSV},
    "jigsaw_balanced": {"test.csv": RawFormat(columns=("text", "label"))},
    "wiki_context_toxicity": {"gc.csv": _CSV, "gn.csv": _CSV},
    "toxic_spans": dict.fromkeys(
        ("comments.csv", "annotations.csv", "spans.csv", "tsd_train.csv", "tsd_trial.csv"), _CSV
    ),
    "tweeteval_offensive": {
        **dict.fromkeys(("train_text.txt", "val_text.txt"), _TEXTS),
        **dict.fromkeys(("train_labels.txt", "val_labels.txt"), _LABELS),
    },
    "unintended_bias": {
        "toxicity_nonfuzzed_testset.csv": _CSV,
        "en_sentence_templates.csv": _CSV,
    },
    "skillspan": {"train.json": _JSON_LINES, "dev.json": _JSON_LINES},
    "onet": {"Technology Skills.xlsx": _XLSX, "Alternate Titles.xlsx": _XLSX},
    "esco": dict.fromkeys(
        (
            "digitalSkillsCollection_en.csv",
            "transversalSkillsCollection_en.csv",
            "occupations_en.csv",
            "languageSkillsCollection_en.csv",
        ),
        _CSV,
    ),
    "esco_labels": {"skills_en_label.txt": _LABELS},
    "dice_jobs": {"dice_com-job_us_sample.csv": _CSV},
    "google_jobs": {"job_skills.csv": _CSV},
    "glassdoor_jobs": {"glassdoor_jobs.csv": _CSV},
    "resume_categories": {"UpdatedResumeDataSet.csv": _CSV},
}


def read_raw(reader: str, folder: Path) -> Tables:
    """Return every file of one source as a table of strings, whatever its columns are called.

    What is no string in JSON or YAML stands as JSON in its cell; what is null or absent is "".

    Parameters
    ----------
    reader : str
        The reader that data/sources.yaml names for the source.
    folder : Path
        ``data/raw/<source>``.

    Raises
    ------
    RawReadError
        If a file is absent, cannot be decoded, or is not the table its format says.
    """
    if reader not in RAW_FORMATS:
        raise RawReadError(
            f"source {folder.name}: no reader {reader!r}; data/sources.yaml may name "
            + ", ".join(RAW_FORMATS)
        )
    return {
        name: _read_table(folder / name, raw_format)
        for name, raw_format in RAW_FORMATS[reader].items()
    }


def column_of(tables: Tables, file: str, column: str) -> pd.Series:
    """Return a column that a reader needs.

    Raises
    ------
    RawReadError
        If the file has none of that name.
    """
    table = tables[file]
    if column not in table.columns:
        raise RawReadError(
            f"{file}: no column {column!r}, only {', '.join(table.columns)}; restore the file "
            "(`dvc repro --force ingest`) or adapt its reader in pipelines"
        )
    return table[column]


def grid_of(objects: Any) -> list[list[str]]:
    """Return objects as rows of cells below the names of their keys, as these appear.

    What is no string stands as JSON in its cell; what is null or absent is "".

    Raises
    ------
    ValueError
        If ``objects`` is no list of objects.
    """
    if not isinstance(objects, list):
        raise ValueError("no list of objects")
    for number, one in enumerate(objects, start=1):
        if not isinstance(one, dict):
            raise ValueError(f"record {number} is no object")
    columns = list(dict.fromkeys(str(key) for one in objects for key in one))
    return [columns, *([_cell(one.get(column)) for column in columns] for one in objects)]


def _read_table(path: Path, raw_format: RawFormat) -> pd.DataFrame:
    where = f"source {path.parent.name}, file {path}"
    try:
        rows = _grid(path.read_bytes(), raw_format)
    except OSError as error:
        raise RawReadError(f"{where}: {error.strerror}; run `dvc repro ingest`") from error
    except UnicodeDecodeError as error:
        raise RawReadError(
            f"{where}: not {raw_format.encoding}: {error.reason} at byte {error.start}; "
            "restore the original file (`dvc repro --force ingest`), or declare its new encoding "
            "in pipelines/raw_files.py"
        ) from error
    except (csv.Error, yaml.YAMLError, ValueError) as error:
        raise RawReadError(
            f"{where}: malformed {raw_format.layout} ({error}); is the file cut off?"
        ) from error
    if not rows:
        raise RawReadError(f"{where}: the file is empty; run `dvc repro --force ingest`")
    columns = raw_format.columns or _named(rows.pop(0))
    for number, row in enumerate(rows, start=1):
        if len(row) != len(columns):
            raise RawReadError(
                f"{where}: record {number} has {len(row)} fields where {len(columns)} are expected"
            )
    return pd.DataFrame(rows, columns=list(columns), dtype=str)


def _grid(content: bytes, raw_format: RawFormat) -> list[list[str]]:
    """Return the rows of ``content``, the names of columns first where the layout has them."""
    layout = raw_format.layout
    if layout == "XLSX":
        return read_sheet(content)
    text = raw_format.decode(content)
    if layout == "CSV":
        return list(csv.reader(io.StringIO(text, newline=""), strict=True))
    if layout == "lines":
        return [[line] for line in text.removesuffix("\n").split("\n")]
    if layout == "YAML":
        return grid_of(yaml.safe_load(text))
    return grid_of(_json_lines(text))


def _named(header: Sequence[str]) -> list[str]:
    """Name nameless columns, and those of a name that was there before, as pandas does."""
    names: list[str] = []
    for position, written in enumerate(header):
        name = written or f"Unnamed: {position}"
        repeated = header[:position].count(written) if written else 0
        names.append(f"{name}.{repeated}" if repeated else name)
    return names


def _json_lines(text: str) -> list[Any]:
    objects = []
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        try:
            objects.append(json.loads(line))
        except json.JSONDecodeError as error:
            raise ValueError(f"line {number}: {error}") from error
    return objects


def _cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)

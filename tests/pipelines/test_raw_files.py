import json
from pathlib import Path

import pandas as pd
import pytest

from pipelines.job_readers import POSTING_READERS, RESUME_READERS
from pipelines.raw_files import RAW_FORMATS, RawReadError, column_of, read_raw
from pipelines.readers import READERS
from pipelines.skill_readers import PHRASE_READERS, SENTENCE_READERS, TITLE_READERS
from pipelines.sources import JOB_TASKS, TEXT_TASKS, load_catalogue
from tests.factories import ROOT
from tests.pipelines.tables import table, workbook


def written(folder: Path, name: str, content: bytes) -> Path:
    """Write one raw file below ``folder``/<source> and return the source's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder


def read_one(folder: Path, reader: str, name: str, content: bytes) -> pd.DataFrame:
    return read_raw(reader, written(folder / reader, name, content))[name]


def damaged(text: str) -> bytes:
    """Return ``text`` as spam.csv has it, for characters that survived."""
    return text.encode("utf-8").decode("cp1252").encode("mac_roman")


def test_every_declared_source_has_a_reader_for_its_files() -> None:
    sources = load_catalogue(ROOT / "data" / "sources.yaml").sources.values()
    assert {source.reader: set(source.files) for source in sources} == {
        reader: set(files) for reader, files in RAW_FORMATS.items()
    }


def test_every_declared_source_has_a_reader_for_its_task() -> None:
    jobs = {*POSTING_READERS, *RESUME_READERS, *SENTENCE_READERS, *PHRASE_READERS, *TITLE_READERS}
    for source in load_catalogue(ROOT / "data" / "sources.yaml").sources.values():
        assert (source.reader in READERS) == (source.task in TEXT_TASKS)
        assert (source.reader in jobs) == (source.task in JOB_TASKS)


def test_a_renamed_column_is_still_read_for_the_validation_to_name(tmp_path: Path) -> None:
    raw = read_one(
        tmp_path, "sms_phishing", "Dataset_5971.csv", b'KIND,TEXT\nham,"a, b\nc"\nspam,\n'
    )
    assert list(raw.columns) == ["KIND", "TEXT"]
    assert raw.to_numpy().tolist() == [["ham", "a, b\nc"], ["spam", ""]]


def test_columns_of_a_file_without_header_get_names_and_the_first_row_stays(
    tmp_path: Path,
) -> None:
    raw = read_one(tmp_path, "jigsaw_balanced", "test.csv", b"hello,0\nbye,1\n")
    assert raw.to_dict("list") == {"text": ["hello", "bye"], "label": ["0", "1"]}


def test_lines_are_divided_at_line_feeds_alone(tmp_path: Path) -> None:
    folder = tmp_path / "tweeteval_offensive"
    odd = "one\u2028still one\x85and\x0b\rthis \n\ntwo\n"
    for name, content in {
        "train_text.txt": odd,
        "val_text.txt": "x",
        "train_labels.txt": "0\n1\n0\n",
        "val_labels.txt": "1\n",
    }.items():
        written(folder, name, content.encode())
    raw = read_raw("tweeteval_offensive", folder)
    assert raw["train_text.txt"]["text"].tolist() == [
        "one\u2028still one\x85and\x0b\rthis ",
        "",
        "two",
    ]
    assert raw["val_text.txt"]["text"].tolist() == ["x"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"LABEL,TEXT\nham,caf\xe9 at nine\n", r"not utf-8: .* at byte 18"),
        ("LABEL,TEXT\nham,hi\n".encode("utf-16"), "not utf-8: .* at byte 0"),
        (b'LABEL,TEXT\nham,"cut off', "malformed CSV"),
        (b"LABEL,TEXT\nham,a,b\n", "record 1 has 3 fields where 2 are expected"),
        (b"", "empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(
    tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(RawReadError, match=said) as caught:
        read_one(tmp_path, "sms_phishing", "Dataset_5971.csv", content)
    assert "source sms_phishing, file" in str(caught.value)
    assert "Dataset_5971.csv" in str(caught.value)


def test_an_absent_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(RawReadError, match=r"test\.csv: No such file.*dvc repro ingest"):
        read_raw("jigsaw_balanced", tmp_path / "jigsaw_balanced")


def test_an_unknown_reader_is_named(tmp_path: Path) -> None:
    with pytest.raises(RawReadError, match="no reader 'other'"):
        read_raw("other", tmp_path)


# sms_spam_collection


def test_text_read_as_cp1252_and_saved_as_mac_roman_is_recovered(tmp_path: Path) -> None:
    text = 'v1,v2\nham,"£5 – you’ll say Ü ‘no’ at the café"\n'
    raw = read_one(tmp_path, "sms_spam_collection", "spam.csv", damaged(text))
    assert raw["v2"].tolist() == ["£5 – you’ll say Ü ‘no’ at the café"]


def test_letters_whose_last_byte_was_lost_are_put_back(tmp_path: Path) -> None:
    content = b"v1,v2\nham," + "So Ã_ say_ â€_ ok_".encode("mac_roman") + b"\n"
    raw = read_one(tmp_path, "sms_spam_collection", "spam.csv", content)
    assert raw["v2"].tolist() == ["So ü say_ … ok_"]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_spam_csv_in_any_other_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(RawReadError, match=r"spam\.csv: not Mac Roman over cp1252 .* at byte"):
        read_one(tmp_path, "sms_spam_collection", "spam.csv", "v1,v2\nham,£5\n".encode(encoding))


# Jobs and skills


def test_columns_of_one_name_are_told_apart_as_pandas_does(tmp_path: Path) -> None:
    content = b"Job_Id,Exp,Exp,,Exp\n1,2 yrs,,x,y\n"
    raw = read_one(tmp_path, "dice_jobs", "dice_com-job_us_sample.csv", content)
    assert list(raw.columns) == ["Job_Id", "Exp", "Exp.1", "Unnamed: 3", "Exp.2"]


def skillspan(folder: Path, train: str) -> pd.DataFrame:
    written(folder / "skillspan", "dev.json", b'{"idx": 1}\n')
    return read_one(folder, "skillspan", "train.json", train.encode())


def test_json_lines_are_a_table_whose_lists_stay_json(tmp_path: Path) -> None:
    lines = [{"idx": 1, "tokens": ["Señor", "a\u2028b"]}, {"idx": None, "more": False}]
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    assert skillspan(tmp_path, content).to_dict("list") == {
        "idx": ["1", ""],
        "tokens": ['["Señor", "a\u2028b"]', ""],
        "more": ["", "false"],
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"idx": 1}\n{"idx": 2, "tok', r"malformed JSON lines \(line 2: .*is the file cut off"),
        ('{"idx": 1}\n[2]\n', r"malformed JSON lines \(record 2 is no object\)"),
        ("", "malformed JSON lines"),
    ],
)
def test_what_is_no_json_line_is_named_with_its_number(
    tmp_path: Path, content: str, said: str
) -> None:
    with pytest.raises(RawReadError, match=said) as caught:
        skillspan(tmp_path, content)
    assert "source skillspan, file" in str(caught.value)
    assert "train.json" in str(caught.value)


def test_yaml_is_a_list_of_objects(tmp_path: Path) -> None:
    written(tmp_path / "starter_jobs", "postings.jsonl", b'{"id": "a"}\n')
    content = b"- {id: one, years: 6}\n- {id: two, since: 2020-01-01}\n"
    raw = read_one(tmp_path, "starter_jobs", "resumes.yaml", content)
    assert raw.to_dict("list") == {
        "id": ["one", "two"],
        "years": ["6", ""],
        "since": ["", '"2020-01-01"'],
    }
    for wrong in (b"- {id: one", b"id: one\n"):
        with pytest.raises(RawReadError, match=r"resumes\.yaml: malformed YAML"):
            read_one(tmp_path, "starter_jobs", "resumes.yaml", wrong)


def test_a_workbook_is_read_and_one_that_is_none_is_named(tmp_path: Path) -> None:
    rows = [("Example", "Commodity Code"), ("Adobe Acrobat", 43232202)]
    written(tmp_path / "onet", "Alternate Titles.xlsx", workbook(rows))
    raw = read_one(tmp_path, "onet", "Technology Skills.xlsx", workbook(rows))
    assert raw.to_dict("list") == {"Example": ["Adobe Acrobat"], "Commodity Code": ["43232202"]}
    spoilt = workbook(rows).decode("latin-1").encode("utf-16")
    with pytest.raises(RawReadError, match=r"onet, file .*Skills\.xlsx: malformed XLSX"):
        read_one(tmp_path, "onet", "Technology Skills.xlsx", spoilt)


def test_a_column_that_a_reader_needs_is_named_with_those_there_are() -> None:
    tables = {"a.csv": table("one", "two", rows=[])}
    with pytest.raises(RawReadError, match=r"a\.csv: no column 'three', only one, two"):
        column_of(tables, "a.csv", "three")

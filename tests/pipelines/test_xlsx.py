import io
import zipfile

import pytest

from pipelines import xlsx
from pipelines.xlsx import WorkbookError, read_sheet
from tests.pipelines.tables import MAIN, workbook

ROWS = [("name", "note", "count"), ("a & b", "", 3), ("last", "", "")]


def sheet(cells: str) -> bytes:
    """Return a workbook whose only row has ``cells``."""
    content = f'<worksheet xmlns="{MAIN}"><sheetData><row>{cells}</row></sheetData></worksheet>'
    return workbook([("zero", "one")], sheet=content)


def test_cells_left_out_are_empty_and_rows_as_wide_as_the_header() -> None:
    assert read_sheet(workbook(ROWS)) == [
        ["name", "note", "count"],
        ["a & b", "", "3"],
        ["last", "", ""],
    ]


def test_a_row_may_be_wider_than_the_header_for_the_reader_to_name() -> None:
    assert read_sheet(workbook([("name",), ("a", "b")])) == [["name"], ["a", "b"]]


def test_columns_go_on_after_z() -> None:
    [row] = read_sheet(sheet('<c r="Z1" t="s"><v>0</v></c><c r="AB1" t="s"><v>1</v></c>'))
    assert (row[25], row[26], row[27], len(row)) == ("zero", "", "one", 28)


def test_runs_of_one_string_are_joined_without_hints_of_pronunciation() -> None:
    item = "<si><r><t>two</t></r><r><t> runs</t></r><rPh><t>hint</t></rPh></si>"
    content = workbook([("x",)], strings=f'<sst xmlns="{MAIN}">{item}</sst>')
    assert read_sheet(content) == [["two runs"]]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ('<c r="A1"><f>SUM(B1:B2)</f><v>3</v></c>', "cell A1 holds a formula"),
        ('<c r="A1" t="e"><v>#REF!</v></c>', "cell A1 is of type 'e'"),
        ('<c r="A1" t="s"><v>2</v></c>', "cell A1 names string '2' of 2"),
        ('<c r="A1" t="s"><v>-1</v></c>', "cell A1 names string '-1'"),
        ('<c r="B1"><v>1</v></c><c r="A1"><v>2</v></c>', "cell A1 stands behind a later one"),
        ("<c><v>1</v></c>", "reference ''"),
    ],
)
def test_a_cell_of_another_kind_is_refused_by_its_reference(cells: str, said: str) -> None:
    with pytest.raises(WorkbookError, match=said):
        read_sheet(sheet(cells))


def test_entities_are_refused_in_whatever_encoding() -> None:
    entity = f'<!DOCTYPE x [<!ENTITY e "boom">]><worksheet xmlns="{MAIN}"/>'
    with pytest.raises(WorkbookError, match=r"sheet1\.xml declares a document type"):
        read_sheet(workbook(ROWS, sheet=entity))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as book:
        book.writestr("xl/worksheets/sheet1.xml", entity.encode("utf-16-le"))
        book.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}"/>')
    with pytest.raises(WorkbookError, match=r"sheet1\.xml is not UTF-8"):
        read_sheet(content.getvalue())


def test_a_part_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "_MAX_BYTES", 1_000)
    with pytest.raises(WorkbookError, match=r"sharedStrings\.xml unpacks to more than 1000"):
        read_sheet(workbook([("x" * 1_000,)]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no XLSX archive"),
        (b"name,note\n", "no XLSX archive"),
        (workbook(ROWS)[:-300], "no XLSX archive"),
        (workbook(ROWS, sheet="<worksheet><row>"), "no element found"),
        (workbook(ROWS, sheet="caf\udce9".encode("utf-8", "surrogateescape")), "can't decode byte"),
        (workbook(ROWS, other="xl/worksheets/sheet2.xml"), "2 sheets where one is expected"),
    ],
)
def test_what_is_no_workbook_of_one_sheet_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(WorkbookError, match=said):
        read_sheet(content)


def test_a_workbook_without_strings_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as book:
        book.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    with pytest.raises(WorkbookError, match=r"sharedStrings\.xml"):
        read_sheet(content.getvalue())

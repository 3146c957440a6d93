import pytest

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


def test_numbers_are_written_as_short_as_they_are() -> None:
    [row] = read_sheet(sheet('<c r="A1"><v>13201700</v></c><c r="B1"><v>0.1</v></c>'))
    assert row == ["13201700", "0.1"]


def test_a_row_may_be_wider_than_the_header_for_the_reader_to_name() -> None:
    assert read_sheet(workbook([("name",), ("a", "b")])) == [["name"], ["a", "b"]]


def test_columns_go_on_after_z() -> None:
    [row] = read_sheet(sheet('<c r="Z1" t="s"><v>0</v></c><c r="AB1" t="s"><v>1</v></c>'))
    assert (row[25], row[26], row[27], len(row)) == ("zero", "", "one", 28)


def test_runs_of_one_string_are_joined_without_hints_of_pronunciation() -> None:
    second = '<t xml:space="preserve"> runs</t>'
    item = f"<si><r><t>two</t></r><r>{second}</r><rPh><t>hint</t></rPh></si>"
    content = workbook([("x",)], strings=f'<sst xmlns="{MAIN}">{item}</sst>')
    assert read_sheet(content) == [["two runs"]]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ('<c r="B1" t="b"><v>1</v></c>', "row 1, column 2 is of type bool"),
        ('<c r="A1" t="s"><v>2</v></c>', "string index not found"),
    ],
)
def test_a_cell_that_is_neither_text_nor_number_is_refused(cells: str, said: str) -> None:
    with pytest.raises(WorkbookError, match=said):
        read_sheet(sheet(cells))


def test_entities_define_nothing() -> None:
    entity = (
        f'<!DOCTYPE x [<!ENTITY e "boom">]><worksheet xmlns="{MAIN}"><sheetData><row>'
        '<c r="A1" t="inlineStr"><is><t>&e;</t></is></c></row></sheetData></worksheet>'
    )
    with pytest.raises(WorkbookError, match="unrecognized entity"):
        read_sheet(workbook(ROWS, sheet=entity))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Cannot detect file format"),
        (b"name,note\n", "Cannot detect file format"),
        (workbook(ROWS)[:-300], "Cannot detect file format"),
        (workbook(ROWS, sheet="caf\udce9".encode("utf-8", "surrogateescape")), "UTF-8"),
        (workbook(ROWS, "Other"), "2 sheets where one is expected"),
    ],
)
def test_what_is_no_workbook_of_one_sheet_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(WorkbookError, match=said):
        read_sheet(content)

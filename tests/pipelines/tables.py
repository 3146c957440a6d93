"""Small tables and workbooks for tests of what reads them."""

import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

import pandas as pd

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def table(*columns: str, rows: list[tuple[str, ...]]) -> pd.DataFrame:
    """Return a table of strings."""
    return pd.DataFrame(rows, columns=list(columns), dtype=str)


def workbook(rows: Sequence[Sequence[str | int]], *more: str, **parts: str | bytes) -> bytes:
    """Return a workbook of one sheet; empty cells are left out, ``parts`` replace what it holds.

    Parameters
    ----------
    rows : sequence of rows of at most 26 cells
    more : names of further sheets, which are empty
    parts : ``sheet`` and ``strings``, the XML of a part
    """
    cells = (cell for row in rows for cell in row if isinstance(cell, str))
    strings = {string: place for place, string in enumerate(dict.fromkeys(cells))}
    sheet = "".join(
        "<row>"
        + "".join(
            f'<c r="{chr(65 + place)}{number}" t="s"><v>{strings[cell]}</v></c>'
            if isinstance(cell, str)
            else f'<c r="{chr(65 + place)}{number}"><v>{cell}</v></c>'
            for place, cell in enumerate(row)
            if cell != ""
        )
        + "</row>"
        for number, row in enumerate(rows, start=1)
    )
    items = "".join(f"<si><t>{escape(string)}</t></si>" for string in strings)
    default_sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{sheet}</sheetData></worksheet>'
    sheets = list(enumerate(("Sheet", *more), start=1))
    named = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>' for number, name in sheets
    )
    placed = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATED}/worksheet"'
        f' Target="worksheets/sheet{number}.xml"/>'
        for number, _ in sheets
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1"'
            f' Type="{_RELATED}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{_RELATED}"><sheets>{named}</sheets></workbook>',
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}">{placed}</Relationships>',
        )
        book.writestr("xl/worksheets/sheet1.xml", parts.get("sheet", default_sheet))
        book.writestr(
            "xl/sharedStrings.xml", parts.get("strings", f'<sst xmlns="{MAIN}">{items}</sst>')
        )
        for number, _ in sheets[1:]:
            book.writestr(f"xl/worksheets/sheet{number}.xml", f'<worksheet xmlns="{MAIN}"/>')
    return content.getvalue()

"""Read the only sheet of an Excel workbook as strings; formulas, dates and styles are not read."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

_NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_SHEET = "xl/worksheets/sheet1.xml"
_STRINGS = "xl/sharedStrings.xml"
_MAX_BYTES = 100_000_000  # of one part; the largest sheet we read has 11 million
_CHUNK = 1 << 14
_LETTERS = re.compile(r"([A-Z]{1,3})[1-9]\d*")


class WorkbookError(ValueError):
    """The bytes are no workbook, or one with more in it than strings and numbers on one sheet."""


def read_sheet(content: bytes) -> list[list[str]]:
    """Return the rows of the workbook's only sheet, the first of them its header.

    Empty cells are "". Every row is as wide as the header at least; numbers stay as they are
    written in the file.

    Raises
    ------
    WorkbookError
        Naming the part or the cell that is not as expected.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
            if sheets != [_SHEET]:
                raise WorkbookError(f"{len(sheets)} sheets where one is expected")
            strings = [_text(item) for item in _elements(book, _STRINGS, "si")]
            rows = [_cells(row, strings) for row in _elements(book, _SHEET, "row")]
    # zipfile has no other name for a password or a compression it does not know.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise WorkbookError(f"no XLSX archive: {error}") from error
    except (KeyError, UnicodeDecodeError, ElementTree.ParseError) as error:
        raise WorkbookError(str(error)) from error
    width = len(rows[0]) if rows else 0
    return [row + [""] * (width - len(row)) for row in rows]


def _elements(book: zipfile.ZipFile, part: str, tag: str) -> Iterator[ElementTree.Element]:
    """Yield the elements ``tag`` of one part; each is emptied when the next is asked for."""
    if book.getinfo(part).file_size > _MAX_BYTES:
        raise WorkbookError(f"{part} unpacks to more than {_MAX_BYTES} bytes")
    text = book.read(part).decode("utf-8")
    if "<!DOCTYPE" in text:
        raise WorkbookError(f"{part} declares a document type, which may define entities")
    if "\0" in text:  # UTF-16, in which the line above sees nothing
        raise WorkbookError(f"{part} is not UTF-8")
    parser: ElementTree.XMLPullParser[ElementTree.Element] = ElementTree.XMLPullParser(["end"])
    for start in range(0, len(text), _CHUNK):
        parser.feed(text[start : start + _CHUNK])
        for event in parser.read_events():
            element = event[-1]
            if isinstance(element, ElementTree.Element) and element.tag == _NAMESPACE + tag:
                yield element
                element.clear()
    parser.close()


def _cells(row: ElementTree.Element, strings: Sequence[str]) -> list[str]:
    """Return the cells of a row, each in the place its reference names."""
    cells: list[str] = []
    for cell in row:
        reference = cell.get("r", "")
        found = _LETTERS.fullmatch(reference)
        if not found:
            raise WorkbookError(f"a cell has the reference {reference!r}")
        missing = _position(found[1]) - len(cells)
        if missing < 0:
            raise WorkbookError(f"cell {reference} stands behind a later one")
        cells += [""] * missing
        cells.append(_value(cell, reference, strings))
    return cells


def _value(cell: ElementTree.Element, reference: str, strings: Sequence[str]) -> str:
    kind = cell.get("t", "n")
    if cell.find(f"{_NAMESPACE}f") is not None:
        raise WorkbookError(f"cell {reference} holds a formula")
    value = cell.findtext(f"{_NAMESPACE}v") or ""
    if kind == "n":
        return value
    if kind != "s":
        raise WorkbookError(f"cell {reference} is of type {kind!r}, which is not read")
    if not value.isdecimal() or int(value) >= len(strings):
        raise WorkbookError(f"cell {reference} names string {value!r} of {len(strings)}")
    return strings[int(value)]


def _text(item: ElementTree.Element) -> str:
    """Return a shared string, whole or in runs of one style; hints of pronunciation are no part."""
    runs = [*item.findall(f"{_NAMESPACE}t"), *item.findall(f"{_NAMESPACE}r/{_NAMESPACE}t")]
    return "".join(run.text or "" for run in runs)


def _position(letters: str) -> int:
    """Return the position of a column: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1

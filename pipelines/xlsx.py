"""Read the only sheet of an Excel workbook as strings."""

import io

from python_calamine import CalamineError, CalamineWorkbook


class WorkbookError(ValueError):
    """The bytes are no workbook, or one with more in it than strings and numbers on one sheet."""


def read_sheet(content: bytes) -> list[list[str]]:
    """Return the rows of the workbook's only sheet, the first of them its header.

    Empty cells are "". Every row is as wide as the header, or wider where it has more cells.

    Raises
    ------
    WorkbookError
        Saying what is not as expected, and in which cell.
    """
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            if len(book.sheet_names) != 1:
                raise WorkbookError(f"{len(book.sheet_names)} sheets where one is expected")
            grid = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise WorkbookError(str(error)) from error
    rows = [
        [_cell(value, row, column) for column, value in enumerate(values, start=1)]
        for row, values in enumerate(grid, start=1)
    ]
    # All rows of the grid are as wide as its widest one.
    width = _filled(rows[0]) if rows else 0
    return [row[: max(width, _filled(row))] for row in rows]


def _cell(value: object, row: int, column: int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.15g}"  # as many digits as Excel keeps; 3, where a float would say 3.0
    raise WorkbookError(f"row {row}, column {column} is of type {type(value).__name__}")


def _filled(row: list[str]) -> int:
    """Return how many cells of ``row`` there are up to the last that is not empty."""
    return max((place for place, cell in enumerate(row, start=1) if cell), default=0)

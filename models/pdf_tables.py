"""Find the tables of a page that are drawn with lines, and read them row by row.

A cell whose text is wrapped has more lines than its neighbours: nothing but the lines drawn around
it tell which of them belong together.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from models.pdf_lines import Word, group_rows, paragraphs

_SAME = 2.0  # points by which the ends and places of lines may differ that are one
_LINE = 3.0  # points; what is thicker is a box
_MAX_SHAPES = 2_000  # a page of more is a drawing
_MAX_CELL_LINES = 6  # a longer cell is a column of its own

Box = tuple[float, float, float, float]
Rule = tuple[float, float, float]  # where it lies, and from where to where it runs


@dataclass(frozen=True)
class Table:
    """A grid: its vertical lines from left to right, its horizontal ones from top to bottom."""

    columns: tuple[float, ...]
    rows: tuple[float, ...]

    def is_beside(self, word: Word) -> bool:
        """Tell whether ``word`` is as high on the page as the table, and not in it."""
        in_rows = self.rows[0] < word.baseline <= self.rows[-1]
        return in_rows and not self.columns[0] < _middle(word) <= self.columns[-1]

    def cells(self, words: Sequence[Word]) -> list[list[list[Word]]]:
        """Return the words of each cell, row by row."""
        return [
            [
                [
                    word
                    for word in words
                    if top < word.baseline <= bottom and left < _middle(word) <= right
                ]
                for left, right in itertools.pairwise(self.columns)
            ]
            for top, bottom in itertools.pairwise(self.rows)
        ]


def find_tables(boxes: Sequence[Box]) -> list[Table]:
    """Return the tables among the shapes of a page, from top to bottom.

    They have two rows and two columns at least. Programs draw their lines one by one, or a box
    around each cell.

    Parameters
    ----------
    boxes : sequence of Box
        Left, top, right and bottom, with y growing downwards.
    """
    if len(boxes) > _MAX_SHAPES:
        return []
    across = _joined([(y, box[0], box[2]) for box in boxes for y in _places(box[1], box[3])])
    down = _joined([(x, box[1], box[3]) for box in boxes for x in _places(box[0], box[2])])
    tables: list[Table] = []
    while down:
        _, top, bottom = down[0]
        sides = [rule for rule in down if _is_same(rule[1:], (top, bottom))]
        down = [rule for rule in down if rule not in sides]
        columns = tuple(rule[0] for rule in sides)
        if len(columns) < 3:  # most shapes are no tables, and what follows takes its time
            continue
        width = (columns[0], columns[-1])
        rows = tuple(
            y for y, *ends in across if top - _SAME <= y <= bottom + _SAME and _is_same(ends, width)
        )
        if len(rows) > 2:
            tables.append(Table(columns, rows))
    return sorted(tables, key=lambda table: table.rows[0])


def row_line(cells: Sequence[list[Word]]) -> str | None:
    """Return a row as one line, its cells parted by tabs; None if a cell is too long for that."""
    read = [paragraphs(group_rows(cell), ()) for cell in cells]
    if any(len(lines) > _MAX_CELL_LINES for lines in read):
        return None
    return "\t".join(" ".join(filter(None, lines)) for lines in read).strip("\t")


def _places(start: float, end: float) -> list[float]:
    """Return both edges of a shape, or the middle of one that is a line."""
    return [start, end] if end - start > _LINE else [(start + end) / 2]


def _joined(rules: Sequence[Rule]) -> list[Rule]:
    """Join what is drawn cell by cell: lines in one place that touch each other."""
    joined: list[Rule] = []
    groups: list[list[Rule]] = []
    for rule in sorted(rules):
        if groups and rule[0] - groups[-1][0][0] <= _SAME:
            groups[-1].append(rule)
        else:
            groups.append([rule])
    for group in groups:
        runs: list[Rule] = []
        for place, start, end in sorted(group, key=lambda rule: rule[1:]):
            if runs and start <= runs[-1][2] + _SAME:
                runs[-1] = (runs[-1][0], runs[-1][1], max(end, runs[-1][2]))
            else:
                runs.append((place, start, end))
        joined += runs
    return joined


def _is_same(ends: Sequence[float], others: Sequence[float]) -> bool:
    return all(abs(a - b) <= 2 * _SAME for a, b in zip(ends, others, strict=True))


def _middle(word: Word) -> float:
    return (word.left + word.right) / 2

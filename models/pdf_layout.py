"""Put the words of a page into the order in which people read them.

Pure geometry on boxes, in points, with y growing downwards. A page is cut along its *gutters*,
strips empty of words with text on both sides, and each column is read before the next one. A
strip that parts labels from what they label (dates left of a job, places right of a school) is
none: there the rows are read, and a tab stands between the cells.
"""

import itertools
import math
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from models.pdf_lines import Gap, Row, Word, group_rows, line_text, paragraphs
from models.pdf_tables import Box, Table, find_tables, row_line

_MIN_GUTTER = 0.5  # in font sizes; as little parts dates from what happened then
_MIN_COLUMN_GUTTER = 0.9
_WIDE_GUTTER = 3.0  # wider than this is no better a gutter
_GOES_ON = 0.6  # of the score, which a longer strip keeps though it is narrower
_LARGE = 1.5  # times the body's size
_MAX_ROWS = 250  # a page of more is not a page to look for columns in
_MAX_DEPTH = 12

_BULLET = re.compile(r"[•◦▪▫●○■□◆◇►▶➢➤✓✔–—*·-]|\(?\w{1,2}[.)]")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}[/.]\d{2,4}\b")
_OPEN_END = {"present", "now", "current", "today", "ongoing", "heute", "présent", "actual", "oggi"}
_UNFINISHED = re.compile(r"(?:[-–—]|\b(?:to|until|bis|à|a))$", re.IGNORECASE)
_HEADING = re.compile(
    r"\b(?:about|awards|achievements|certifications|certificates|contact|courses|details|education"
    r"|employment|experience|expertise|history|honors|interests|hobbies|languages|links|objective"
    r"|profile|projects|publications|qualifications|references|skills|strengths|summary|training"
    r"|volunteering|work)\b"
)


@dataclass(frozen=True, slots=True)
class _Gutter:
    """An empty strip between ``gap`` over the rows ``first`` to ``last`` (excluded)."""

    first: int
    last: int
    gap: Gap
    score: float

    def overlaps(self, other: "_Gutter") -> bool:
        rows = min(self.last, other.last) - max(self.first, other.first)
        width = min(self.gap[1], other.gap[1]) - max(self.gap[0], other.gap[0])
        return rows > 0 and width > 0


def reading_order(words: Sequence[Word], shapes: Sequence[Box] = ()) -> list[str]:
    """Return the lines of a page as they are read.

    Parameters
    ----------
    words : sequence of Word
        All words that people can see.
    shapes : sequence of Box
        What is drawn on the page, which may be the lines of tables.

    Returns
    -------
    list of str
        One entry for each line; cells of a line are parted by a tab, paragraphs by an empty entry.
    """
    lines: list[str] = []
    for block in _parts(list(words), shapes):
        if lines:
            lines.append("")
        lines += block
    return lines


def _parts(words: list[Word], shapes: Sequence[Box]) -> Iterator[list[str]]:
    """Yield the lines of each part of a page: ruled tables, and what stands between them."""
    for table in find_tables(shapes):
        # With anything beside it, a table is part of a column.
        if any(map(table.is_beside, words)):
            continue
        yield from _blocks([word for word in words if word.baseline <= table.rows[0]], depth=0)
        yield from _table_blocks(table, words)
        words = [word for word in words if word.baseline > table.rows[-1]]
    yield from _blocks(words, depth=0)


def _table_blocks(table: Table, words: Sequence[Word]) -> Iterator[list[str]]:
    """Yield the rows of a table; long cells are columns, to be read one after the other."""
    lines: list[str] = []
    for cells in table.cells(words):
        line = row_line(cells)
        if line:
            lines.append(line)
        elif line is None:
            if lines:
                yield lines
                lines = []
            for cell in cells:
                yield from _blocks(cell, depth=0)
    if lines:
        yield lines


def _blocks(words: list[Word], depth: int) -> Iterator[list[str]]:
    """Yield the lines of each part of a region, cut along the best gutter."""
    if not words:
        return
    rows = group_rows(words)
    rejected: list[_Gutter] = []
    if depth < _MAX_DEPTH and len(rows) <= _MAX_ROWS:
        for gutter in _gutters(rows):
            if any(gutter.overlaps(other) for other in rejected):
                continue
            head = _letterhead(rows, gutter)
            if head is not None or _is_columns(rows, gutter):
                yield from _cut(rows, head or gutter, depth)
                return
            rejected.append(gutter)
    labelled = [gutter for gutter in rejected if _has_dates(rows, gutter)]
    for gutter in labelled:
        rows = _join_labels(rows, gutter)
    yield paragraphs(rows, [gutter.gap for gutter in labelled])


def _cut(rows: list[Row], gutter: _Gutter, depth: int) -> Iterator[list[str]]:
    first, last = _trimmed(rows, gutter)
    left, right = _sides(rows[first:last], gutter.gap)
    for part in (_flat(rows[:first]), left, right, _flat(rows[last:])):
        yield from _blocks(part, depth + 1)


def _flat(rows: Sequence[Row]) -> list[Word]:
    return [word for row in rows for word in row]


def _sides(rows: Sequence[Row], gap: Gap) -> tuple[list[Word], list[Word]]:
    words = _flat(rows)
    middle = (gap[0] + gap[1]) / 2
    left = [word for word in words if word.left < middle]
    return left, [word for word in words if word.left >= middle]


def _free(row: Row, least: float) -> list[Gap]:
    """Return the gaps of a row that are wide enough, the margins included."""
    gaps: list[Gap] = [(-math.inf, row[0].left)]
    edge, size = row[0].left, 0.0
    starts, is_bullet = True, True
    for word in row:
        # The spaces of large print are wide, too.
        wide = max(least, _MIN_GUTTER * min(word.size, size))
        starts = starts or word.left - edge >= wide
        if starts and not is_bullet:
            gaps.append((edge, word.left))
        is_bullet = starts and _BULLET.fullmatch(word.text) is not None
        starts = False
        edge, size = max(edge, word.right), word.size
    return [*gaps, (edge, math.inf)]


def _gutters(rows: list[Row]) -> list[_Gutter]:
    """Return the empty strips with at least two lines on each side of them, best first."""
    size = _body_size(rows)
    least = _MIN_GUTTER * size
    free = [_free(row, least) for row in rows]
    found = []
    for first in range(len(rows) - 1):
        # A strip that goes on upwards was found from there.
        above = free[first - 1] if first else []
        gaps = [gap for gap in free[first] if not _is_within(gap, above)]
        for last in range(first + 1, len(rows) + 1):
            narrowed = _common(gaps, free[last], least) if last < len(rows) else []
            for gap in gaps:
                if last - first >= 2 and gap not in narrowed and not _is_within(gap, above):
                    score = _score(rows[first:last], gap, size)
                    found.append(_Gutter(first, last, gap, score))
            gaps = narrowed
            if not gaps:
                break
    found = sorted((g for g in found if g.score > 0.0), key=lambda gutter: -gutter.score)
    return list(dict.fromkeys(_longest(gutter, found) for gutter in found))


def _longest(gutter: _Gutter, others: list[_Gutter]) -> _Gutter:
    """Return the strip that goes on where ``gutter`` ends because a line is a little longer."""
    for other in others:
        spans = other.first <= gutter.first and other.last >= gutter.last and other != gutter
        if spans and other.overlaps(gutter) and other.score > _GOES_ON * gutter.score:
            gutter = other
    return gutter


def _is_within(gap: Gap, others: list[Gap]) -> bool:
    return any(start <= gap[0] and gap[1] <= end for start, end in others)


def _common(gaps: list[Gap], others: list[Gap], least: float) -> list[Gap]:
    pairs = ((max(a, c), min(b, d)) for a, b in gaps for c, d in others)
    return [(start, end) for start, end in pairs if end - start >= least]


def _score(rows: Sequence[Row], gap: Gap, size: float) -> float:
    """Return the area of a strip, as far as there are lines on both sides of it."""
    if math.isinf(gap[0]) or math.isinf(gap[1]):
        return 0.0
    lefts = [row[0] for row in rows if row[0].left < gap[1]]
    rights = [row[-1] for row in rows if row[-1].right > gap[0]]
    sides = (lefts, rights)
    if min(map(len, sides)) < 1 or max(map(len, sides)) < 2:
        return 0.0
    top = max(side[0].baseline - side[0].size / 2 for side in sides)
    bottom = min(side[-1].baseline + side[-1].size / 2 for side in sides)
    for side in sides:
        beside = sum(top <= word.baseline <= bottom for word in side)
        if beside < (1 if _is_title(side, size) else 2):
            return 0.0
    return (bottom - top) * min(gap[1] - gap[0], _WIDE_GUTTER * size)


def _is_title(side: Sequence[Word], size: float) -> bool:
    """Tell whether all there is on one side is a line in large print, as a name is."""
    return len(side) == 1 and side[0].size >= _LARGE * size


def _body_size(rows: Sequence[Row]) -> float:
    return statistics.median(word.size for row in rows for word in row)


def _is_columns(rows: list[Row], gutter: _Gutter) -> bool:
    """Tell columns, to be read one after the other, from labels and tables, to be read by row."""
    words = _sides(rows[gutter.first : gutter.last], gutter.gap)
    left, right = (group_rows(side) for side in words)
    if _has_dates(rows, gutter):
        return False
    size = _body_size(rows)
    if any(_is_title([row[0] for row in side], size) for side in (left, right)):
        return True
    if gutter.gap[1] - gutter.gap[0] < _MIN_COLUMN_GUTTER * size:
        return False
    fewer, more = sorted((left, right), key=len)
    baselines = [row[0].baseline for row in more]
    paired = sum(any(abs(row[0].baseline - y) < 0.15 * size for y in baselines) for row in fewer)
    if paired < 0.6 * len(fewer):
        return True
    if len(fewer) < 3:
        return False
    stream = sorted([(w.order, 0) for w in words[0]] + [(w.order, 1) for w in words[1]])
    switches = sum(a[1] != b[1] for a, b in itertools.pairwise(stream))
    if switches <= max(2, 0.25 * paired):
        return True
    # The page was drawn row by row, as tables are; a few programs draw columns like that too.
    return all(map(_has_heading, (left, right))) or all(map(_is_prose, (left, right)))


def _has_dates(rows: list[Row], gutter: _Gutter) -> bool:
    """Tell whether the lines on one side of a gutter are mostly dates."""
    sides = (group_rows(s) for s in _sides(rows[gutter.first : gutter.last], gutter.gap))
    return any(sum(_is_date(line_text(row)) for row in s) >= 0.5 * len(s) for s in sides)


def _is_date(text: str) -> bool:
    words = re.findall(r"[^\W\d_]+", text.casefold())
    if _YEAR.search(text):
        return len(words) <= 3
    return 0 < len(words) <= 2 and words[-1] in _OPEN_END


def _letterhead(rows: list[Row], gutter: _Gutter) -> _Gutter | None:
    """Return the part of a strip that parts a name in large print from the address beside it."""
    size = _LARGE * _body_size(rows)
    for side in (0, 1):
        last = gutter.first
        while last < gutter.last:
            words = _sides(rows[last : last + 1], gutter.gap)[side]
            if any(word.size < size for word in words):
                break
            last += 1
        title, words = _sides(rows[gutter.first : last], gutter.gap)[:: -1 if side else 1]
        address = group_rows(words)
        if not title or len(address) < 2 or last == gutter.last:
            continue
        rest = _sides(rows[last : gutter.last], gutter.gap)[1 - side]
        ends_at = address[-1][0].baseline + 2.0 * address[-1][0].size
        part = replace(gutter, last=last)
        if all(word.baseline > ends_at for word in rest) and not _has_dates(rows, part):
            return part
    return None


def _has_heading(rows: list[Row]) -> bool:
    for row in rows:
        text = line_text(row).casefold()
        if len(text.split()) <= 3 and _HEADING.search(text):
            return True
    return False


def _is_prose(rows: list[Row]) -> bool:
    """Tell whether most lines run to the edge of their column."""
    left, right = min(row[0].left for row in rows), max(row[-1].right for row in rows)
    full = sum(row[-1].right - row[0].left > 0.8 * (right - left) for row in rows)
    return len(rows) >= 4 and full >= 0.5 * len(rows)


def _trimmed(rows: list[Row], gutter: _Gutter) -> tuple[int, int]:
    """Return the rows of the columns without a title above and a heading below them.

    A short line need not cross the gutter to belong to the full-width text next to it.
    """
    first, last = gutter.first, gutter.last
    size = _body_size(rows)

    def step(row: int) -> float:
        return rows[row + 1][0].baseline - rows[row][0].baseline

    def is_right_only(row: int) -> bool:
        return rows[row][0].left >= gutter.gap[1]

    def is_one_sided(row: int) -> bool:
        return is_right_only(row) or rows[row][-1].right <= gutter.gap[0]

    for row in range(first, min(first + 3, last - 2)):
        if not is_right_only(row):
            break
        if step(row) > 2.0 * size and rows[row][0].size > 1.2 * size:
            first = row + 1
    if last < len(rows):
        for row in range(last - 1, max(last - 3, first + 1), -1):
            if not is_one_sided(row):
                break
            if step(row) < step(row - 1):
                last = row
    return first, last


def _join_labels(rows: list[Row], gutter: _Gutter) -> list[Row]:
    """Put the later lines of a label ("June 2020 –", "Present") behind its first one."""
    inside = rows[gutter.first : gutter.last]
    sides = _sides(inside, gutter.gap)
    labels, content = sorted(
        sides, key=lambda side: max(w.right for w in side) - min(w.left for w in side)
    )
    orders = [word.order for word in content]
    baselines = sorted(word.baseline for word in content)
    moved: dict[int, Word] = {}
    head: Row = []
    before: Row = []
    beside = [row for row in group_rows(labels) if row[0].baseline > baselines[0] - row[0].size]
    for row in beside:
        alone = all(abs(row[0].baseline - y) > 0.35 * row[0].size for y in baselines)
        if before and _continues(before, row, orders if alone else None):
            edge = head[-1].right
            for word in row:
                new = replace(word, left=edge, right=edge, baseline=head[0].baseline)
                moved[word.order] = new
        else:
            head = row
        before = row
    if not moved:
        return rows
    return group_rows([moved.get(word.order, word) for word in _flat(rows)])


def _continues(before: Row, row: Row, content: list[int] | None) -> bool:
    """Tell whether a line of a label goes on with the line before it.

    ``content`` is the order of the words beside the labels if none is on this very line.
    """
    if row[0].baseline - before[0].baseline > 1.8 * row[0].size:
        return False
    if _UNFINISHED.search(line_text(before)):
        return True
    start, end = before[-1].order, row[0].order
    if content is None or start > end or any(start < order < end for order in content):
        return False
    return not (_is_date(line_text(before)) and _is_date(line_text(row)))

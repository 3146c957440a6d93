"""Turn the words of a page into lines of text."""

import itertools
import math
import re
import statistics
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

_CELL_GAP = 1.8  # in font sizes; a wider gap within a line parts two cells

# First halves of compounds: their hyphen stays when a line breaks behind it.
_COMPOUND_START = re.compile(
    r"back|co|cross|data|decision|detail|e|end|fast|front|full|hands|high|in|large|long|low|multi"
    r"|non|object|off|on|one|open|part|problem|re|real|result|self|server|short|small|state|team"
    r"|test|third|two|user|well|world",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its place: edges and baseline in points, ``order`` in the page's own stream."""

    text: str
    left: float
    right: float
    baseline: float
    size: float
    order: int
    hyphenated: bool = False


Row = list[Word]  # the words on one baseline, from left to right
Gap = tuple[float, float]


def group_rows(words: Sequence[Word]) -> list[Row]:
    """Group words that share a baseline; rows from top to bottom."""
    rows: list[Row] = []
    for word in sorted(words, key=lambda word: (word.baseline, word.left)):
        if rows:
            last = rows[-1][-1]
            if word.baseline - last.baseline <= 0.35 * min(word.size, last.size):
                rows[-1].append(word)
                continue
        rows.append([word])
    return [sorted(row, key=lambda word: (word.left, word.order)) for row in rows]


def paragraphs(rows: list[Row], gutters: Sequence[Gap]) -> list[str]:
    """Return the rows as lines, words mended that were broken at a line's end."""
    steps = [b[0].baseline - a[0].baseline for a, b in itertools.pairwise(rows)]
    usual = statistics.median(steps) if steps else 0.0
    lines: list[str] = []
    mended = False
    for index, row in enumerate(rows):
        if index and steps[index - 1] > max(1.35 * usual, 1.7 * row[0].size):
            lines.append("")
        text = line_text(row[1:] if mended else row, gutters)
        mended = False
        if row[-1].hyphenated and index + 1 < len(rows):
            rest = rows[index + 1][0].text
            if rest[:1].islower():
                text = _mend(text, rest)
                mended = True
        if text:
            lines.append(text)
    return lines


def _mend(text: str, rest: str) -> str:
    start = re.split(r"[\s(/]", text[:-1])[-1]
    keep = "-" in start or _COMPOUND_START.fullmatch(start) is not None
    return (text if keep else text[:-1]) + rest


def line_text(row: Sequence[Word], gutters: Sequence[Gap] = ()) -> str:
    """Return the text of a row: cells parted by tabs, words by spaces."""
    cells: list[Row] = []
    edge, size = -math.inf, 0.0
    for word in _without_spaced_letters(row):
        crosses = any(edge < gap[0] + 1 and word.left > gap[1] - 1 for gap in gutters)
        if crosses or word.left - edge > _CELL_GAP * max(word.size, size):
            cells.append([])
        cells[-1].append(word)
        edge, size = max(edge, word.right), word.size
    if sum(_is_right_to_left(word) for word in row) * 2 > len(row):
        cells.reverse()
    return "\t".join(" ".join(_logical(cell)) for cell in cells)


def _logical(cell: Row) -> list[str]:
    """Return the words of a cell in the order of speech: what runs from right to left reversed."""
    flags = [_is_right_to_left(word) for word in cell]
    runs = [
        [word.text for _, word in group][:: -1 if backwards else 1]
        for backwards, group in itertools.groupby(
            zip(flags, cell, strict=True), key=lambda pair: pair[0]
        )
    ]
    if 2 * sum(flags) > len(flags):
        runs.reverse()
    return [text for run in runs for text in run]


def _is_right_to_left(word: Word) -> bool:
    if word.text.isascii():
        return False
    return any(unicodedata.bidirectional(char) in {"R", "AL"} for char in word.text)


def _without_spaced_letters(row: Sequence[Word]) -> Row:
    """Close up letter-spaced headings: "E X P E R I E N C E" is one word."""
    words: Row = []
    for single, group in itertools.groupby(row, key=lambda word: len(word.text) == 1):
        run = list(group)
        if not single or len(run) < 4 or not all(word.text.isalpha() for word in run):
            words += run
            continue
        gaps = [b.left - a.right for a, b in itertools.pairwise(run)]
        widest = 1.6 * statistics.median(gaps) + 0.1 * run[0].size
        spelt = run[0]
        for gap, letter in zip(gaps, run[1:], strict=True):
            if gap > widest:
                words.append(spelt)
                spelt = letter
            else:
                spelt = replace(spelt, text=spelt.text + letter.text, right=letter.right)
        words.append(spelt)
    return words

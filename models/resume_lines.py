"""The lines of a resume, with their places in the text, and pieces of them."""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from operator import itemgetter

from models.resume_fields import Found

_GLYPHS = "•‣▪▫■□●○◦∙·⁃➢➤►▸▶✓✔✦◆◇❖»\uf0b7\uf0a7\uf0d8"
_BULLET = re.compile(rf"(?:[{_GLYPHS}]+\s*|[-–—*+>]\s+|o\s+(?=[A-Z])|\(?[0-9]{{1,2}}[.)]\s+)")
_MARKDOWN = re.compile(r"(#{1,6})\s+(?=\S)")
_RULE = re.compile(r"[\s\-=_~*·.•─━═—–#]{3,}")
_LAST_DIGIT = 0x1FBF9  # no script has digits beyond
_MAX_MERGED = 3  # a line that ends with a comma goes on, but not for ever
_MAX_MERGED_CHARS = 200

_ABBREVIATED = re.compile(r"(?:\b(?:inc|ltd|corp|co|llc|jr|sr|st|dept|univ|[a-z])\.)$", re.I)
_VERB_START = re.compile(
    r"(?:[A-Za-z-]{2,20}(?:ed|ing)|led|built|ran|wrote|won|made|grew|cut|drove|set up|took|taught"
    r"|designs?|develops?|maintains?|manages?|responsible for|oversaw|i)\s",
    re.IGNORECASE,
)

_COLUMN = re.compile(
    r"(?:(?:(?:job|main|key|name of(?: the)?)\s)?(?:from|to|until|dates?|period|years?|duration"
    r"|time|employers?|company|organi[sz]ation|firm|client|position|title|role|designation|post|location"
    r"|place|city|country|duties|tasks|responsibilities|description|achievements|activities|degree"
    r"|qualification|course|subjects?|institut(?:e|ion)|school|college|university|board|marks|grade"
    r"|percentage|result|score|c?gpa)\b\W*(?:and\s|held|of\spassing)?)+",
    re.IGNORECASE,
)

Span = tuple[int, int]


@dataclass(frozen=True)
class Line:
    """A line without its margins.

    Attributes
    ----------
    start, end : int
        Where its text stands, without margins and without the bullet.
    text : str
        What stands there.
    bullet : bool
        It began with a bullet, a dash or a number.
    after_blank : bool
        An empty line, or a rule, stands before it.
    level : int
        Signs # before it, as Markdown marks headings.
    """

    start: int
    end: int
    text: str
    bullet: bool
    after_blank: bool
    level: int = 0


@cache
def _readable() -> dict[int, str]:
    """Map digits of every script, full-width letters and odd spaces to ASCII, one for one."""
    table = {0x2007: " "}
    for code in range(0x80, _LAST_DIGIT + 1):
        letter = chr(code)
        category = unicodedata.category(letter)
        if category == "Nd":
            table[code] = str(unicodedata.digit(letter))
        elif category == "Zs":
            table[code] = " "
        elif 0xFF01 <= code <= 0xFF5E:
            table[code] = chr(code - 0xFEE0)
    return table


def reading_copy(text: str) -> str:
    """Return ``text`` with digits and spaces of every script as ASCII; same length, same places."""
    return text if text.isascii() else text.translate(_readable())


def split_lines(text: str) -> list[Line]:
    """Return the lines of ``text`` that say anything."""
    lines: list[Line] = []
    offset, after_blank = 0, True
    for raw in text.splitlines(keepends=True):
        line = make_line(text, offset, offset + len(raw), after_blank)
        offset += len(raw)
        if line.text and not _RULE.fullmatch(line.text):
            lines.append(line)
            after_blank = False
        else:
            after_blank = True
    return lines


def make_line(text: str, start: int, end: int, after_blank: bool) -> Line:
    """Return ``text[start:end]`` as a line."""
    start, end = trim(text, start, end)
    marks = _MARKDOWN.match(text, start, end)
    start = marks.end() if marks else start
    level = len(marks[1]) if marks else 0
    bullet = _BULLET.match(text, start, end)
    if bullet and bullet.end() < end:
        start, _ = trim(text, bullet.end(), end)
    return Line(start, end, text[start:end], bullet is not None, after_blank, level)


def trim(text: str, start: int, end: int, also: str = "") -> Span:
    """Return the span without white space, and without characters of ``also``, at either end."""
    while start < end and (text[start].isspace() or text[start] in also):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in also):
        end -= 1
    return start, end


def merge_wrapped(text: str, lines: Sequence[Line]) -> list[Line]:
    """Return ``lines`` with those that end in a comma joined to the next."""
    joined: list[Line] = []
    count = 0
    for line in lines:
        last = joined[-1] if joined else None
        if (
            last
            and last.text.endswith(",")
            and not line.bullet
            and not line.after_blank
            and count < _MAX_MERGED
            and line.end - last.start <= _MAX_MERGED_CHARS
        ):
            whole = text[last.start : line.end]
            joined[-1] = replace(last, end=line.end, text=whole)
            count += 1
        else:
            joined.append(line)
            count = 0
    return joined


def pieces(text: str, start: int, end: int, separator: re.Pattern[str]) -> list[Span]:
    """Return the spans between matches of ``separator`` in ``text[start:end]``, trimmed."""
    spans = []
    for match in separator.finditer(text, start, end):
        spans.append(trim(text, start, match.start(), ",;:|"))
        start = match.end()
    spans.append(trim(text, start, end, ",;:|"))
    return [(first, last) for first, last in spans if first < last]


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return ``spans`` in order, those that overlap made one."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start < result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def overlaps(spans: Sequence[Span], start: int, end: int) -> bool:
    """Return whether one of ``spans``, as ``merged`` gives them, has a part in [start, end)."""
    index = bisect_left(spans, end, key=itemgetter(0)) - 1
    return index >= 0 and spans[index][1] > start


def found(text: str, start: int, end: int) -> Found[str]:
    """Return ``text[start:end]`` with its white space tidied."""
    return Found(" ".join(text[start:end].split()), start, end)


def paragraphs(text: str, lines: Sequence[Line]) -> Iterator[Found[str]]:
    """Yield each bullet with its wrapped lines, and each paragraph of prose."""
    start = end = -1
    bulleted = False
    for line in lines:
        goes_on = (
            start >= 0
            and not line.bullet
            and not (line.after_blank and (bulleted or text[end - 1] in ".!?:"))
        )
        if not goes_on:
            if start >= 0:
                yield found(text, start, end)
            start, bulleted = line.start, line.bullet
        end = line.end
    if start >= 0:
        yield found(text, start, end)


def is_table_head(line: Line) -> bool:
    """Return whether ``line`` names the columns of a table: "Period", "Employer", "Position"."""
    cells = line.text.split("\t")
    return len(cells) > 1 and all(_COLUMN.fullmatch(cell.strip()) for cell in cells)


def is_header_like(line: Line) -> bool:
    """Return whether ``line`` could name a position or an employer, and is no sentence."""
    text = line.text
    if line.bullet or len(text) > 120 or len(text.split()) > 16 or text[0].islower():
        return False
    if text[-1] in ".;!?" and not _ABBREVIATED.search(text):
        return False
    return not _VERB_START.match(text)

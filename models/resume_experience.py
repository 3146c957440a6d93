"""The work history: entries with title, organisation, period and what was done."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from models.resume_dates import Period, interval
from models.resume_fields import Position
from models.resume_headline import Headline, read_headline
from models.resume_lines import Line, Span, found, is_header_like, is_table_head, paragraphs, trim
from models.resume_words import title_words

_MAX_ABOVE = 3
_MAX_BELOW = 2
_FULL_LINE = 60  # a shorter line was not wrapped
_MAX_SINGLE_WORDS = 10
_MAX_REST = 130  # of a line that is more than a heading with a date
_ADDRESS = re.compile(
    r"(?:https?://|www\.)\S+|\S+@\S+\.\S+|(?:[a-z]+\.)?(?:linkedin|github)\.com/\S+", re.IGNORECASE
)
_LONGEST_ADDRESS = 300
_LABEL_WORDS = 4
_EDGE = "|,;:·•()[]-–—\t"


@dataclass(frozen=True)
class _Anchor:
    """The line, or two, where the period of an entry stands."""

    first: int
    last: int
    period: Period | None


@dataclass(frozen=True)
class _Entry:
    anchor: _Anchor
    headline: Headline
    body: tuple[Line, ...]
    group: bool  # its organisation stands on a line of its own, and holds for those after it


def read_experience(
    text: str, lines: Sequence[Line], periods: Sequence[Period], today: date
) -> list[tuple[Position, tuple[int, int] | None]]:
    """Return the entries of a section with the months they cover (see ``interval``).

    Parameters
    ----------
    lines : sequence of Line
        Of one section, without its heading.
    periods : sequence of Period
        Those of the whole text, in order.
    """
    lines = [line for line in lines if not (_is_address(line) or is_table_head(line))]
    anchors = _anchors(text, lines, periods)
    if not anchors:
        return []
    entries = _entries(text, lines, anchors, title_first=True)
    votes = [e.headline.title_first for e in entries if e.headline.sure and e.headline.title]
    if votes and sum(votes) * 2 < len(votes):
        entries = _entries(text, lines, anchors, title_first=False)
    positions = []
    for entry in _share_organisations(entries):
        period = entry.anchor.period
        covered = interval(period, today) if period else None
        positions.append((_position(text, entry, covered), covered))
    return positions


def _is_label(written: str) -> bool:
    """Return whether it is "Achievements:" or the like, and says nothing itself."""
    return written.endswith(":") and len(written.split()) <= _LABEL_WORDS


def _is_address(line: Line) -> bool:
    return len(line.text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(line.text) is not None


def _position(text: str, entry: _Entry, covered: tuple[int, int] | None) -> Position:
    period, headline = entry.anchor.period, entry.headline
    return Position(
        title=found(text, *headline.title) if headline.title else None,
        organisation=found(text, *headline.organisation) if headline.organisation else None,
        start=period.first() if period else None,
        end=period.last() if period else None,
        months=covered[1] - covered[0] if covered else None,
        bullets=tuple(p for p in paragraphs(text, entry.body) if not _is_label(p.value)),
    )


def _anchors(text: str, lines: Sequence[Line], periods: Sequence[Period]) -> list[_Anchor]:
    """Return where entries have their dates; without any dates, where titles stand."""
    dated: list[_Anchor] = []
    cursor = 0
    for index, line in enumerate(lines):
        while cursor < len(periods) and periods[cursor].where[0] < line.start:
            cursor += 1
        at = cursor
        here: list[Period] = []
        while at < len(periods) and periods[at].where[0] < line.end:
            here.append(periods[at])
            at += 1
        here = [p for p in here if _stands_at_edge(text, line, p)]
        if not here:
            continue
        period = next((p for p in here if p.is_range), here[0])
        last = index
        while last + 1 < len(lines) and lines[last].end < period.where[1]:
            last += 1
        dated.append(_Anchor(index, last, period))
    ranges = [a for a in dated if a.period and (a.period.is_range or a.period.is_season)]
    chosen = ranges or dated
    unmarked = [anchor for anchor in chosen if not lines[anchor.first].bullet]
    if unmarked:
        taken = {anchor.first for anchor in unmarked}
        single = [a for a in dated if a.first not in taken and _is_single(text, lines, a)]
        return sorted([*unmarked, *single], key=lambda anchor: anchor.first)
    if chosen:
        return chosen
    return [
        _Anchor(index, index, None)
        for index, line in enumerate(lines)
        if not line.bullet
        and (line.after_blank or index == 0 or lines[index - 1].bullet)
        and is_header_like(line)
        and title_words(line.text)
    ]


def _is_single(text: str, lines: Sequence[Line], anchor: _Anchor) -> bool:
    """Return whether a single date opens an entry among others that have two."""
    line = lines[anchor.first]
    rest = _rest_of(text, line, anchor.period)
    if line.bullet or not is_header_like(line):
        return False
    if not rest and anchor.first > 0 and not line.after_blank:
        line = lines[anchor.first - 1]  # the date has a line of its own, under the title
    words = sum(len(text[slice(*span)].split()) for span in rest)
    return line.after_blank and is_header_like(line) and words <= _MAX_SINGLE_WORDS


def _stands_at_edge(text: str, line: Line, period: Period) -> bool:
    """Return whether the date opens or closes its line, and the rest is no sentence."""
    start, end = period.where
    before, after = text[line.start : start], text[end : max(end, line.end)]
    if len(before) + len(after) > _MAX_REST:
        return False
    after, before = after.strip(), before.rstrip()
    closes = not after.strip(" .,;:|)]") or after[0] in ")|,·•;" or len(after) <= 3
    opens = not before.strip(" .,;:|([")
    marked = (
        before[-1:] in "|(,·•–—-;:[" or text[start - 1] == "\t" or text[start - 2 : start] == "  "
    )
    if period.is_range:
        return (opens or closes or marked) and not (after.endswith(".") and len(after) > 60)
    is_lone_year = period.start.first is None
    return (opens and (not after or not is_lone_year)) or (closes and (marked or not is_lone_year))


def _rest_of(text: str, line: Line, period: Period | None) -> list[Span]:
    if period is None:
        return [(line.start, line.end)]
    spans = [
        trim(text, line.start, max(line.start, min(line.end, period.where[0])), _EDGE),
        trim(text, min(line.end, max(line.start, period.where[1])), line.end, _EDGE),
    ]
    # "(Jan 2019 - Mar 2021, 2 years)" leaves no brackets behind.
    return [_shut(text, *span) for span in spans if span[0] < span[1]]


def _shut(text: str, start: int, end: int) -> Span:
    """Give a bracket back that was trimmed from the end of "Acme (Europe)"."""
    closed = text[start:end].count("(") > text[start:end].count(")")
    return (start, end + 1) if closed and text[end : end + 1] == ")" else (start, end)


def _entries(
    text: str, lines: Sequence[Line], anchors: Sequence[_Anchor], *, title_first: bool
) -> list[_Entry]:
    above = _lines_above(lines, anchors)
    entries = []
    for number, anchor in enumerate(anchors):
        end = len(lines)
        if number + 1 < len(anchors):
            end = anchors[number + 1].first - above[number + 1]
        tops = lines[anchor.first - above[number] : anchor.first]
        header = [(line.start, line.end) for line in tops]
        for line in lines[anchor.first : anchor.last + 1]:
            header += _rest_of(text, line, anchor.period)
        headline = read_headline(text, header, title_first)
        body = anchor.last + 1
        while body < end and body - anchor.last <= _MAX_BELOW:
            extended = _with_line_below(text, header, headline, lines[body], title_first)
            if extended is None:
                break
            header.append((lines[body].start, lines[body].end))
            headline = extended
            body += 1
        organisation = headline.organisation
        dates = range(lines[anchor.first].start, lines[anchor.last].end)
        alone = organisation is not None and organisation[0] not in dates
        entries.append(_Entry(anchor, headline, tuple(lines[body:end]), group=alone))
    return entries


def _with_line_below(
    text: str, header: Sequence[Span], headline: Headline, line: Line, title_first: bool
) -> Headline | None:
    """Return the headline with ``line`` if it says what is missing, else None."""
    complete = headline.title is not None and headline.organisation is not None
    if complete or not is_header_like(line) or (line.after_blank and header):
        return None
    if headline.title is not None and len(line.text.split()) > 9:
        return None
    extended = read_headline(text, [*header, (line.start, line.end)], title_first)
    if headline.title and not extended.organisation:
        return None
    if headline.organisation and not extended.title:
        return None
    if headline.organisation and not title_words(text[slice(*extended.title or (0, 0))]):
        return None
    return extended


def _lines_above(lines: Sequence[Line], anchors: Sequence[_Anchor]) -> list[int]:
    """Return how many lines above each anchor belong to its entry.

    The first entry shows the layout: as many lines as stand above its dates may stand above the
    dates of the others, where no empty line says how many they are.
    """
    counts: list[int] = []
    layout = 0
    for number, anchor in enumerate(anchors):
        floor = anchors[number - 1].last + 1 if number else 0
        count, delimited = 0, number == 0
        while count < _MAX_ABOVE and anchor.first - count > floor:
            below, line = lines[anchor.first - count], lines[anchor.first - count - 1]
            if below.after_blank and not (count == 0 and layout and anchor.period):
                delimited = True
                break
            if not is_header_like(line) or _goes_on(lines, anchor.first - count - 1, floor):
                break
            count += 1
        if number == 0:
            layout = count
        elif not delimited:
            if floor == anchor.first - count and floor > 0 and not layout:
                count = 0  # what follows the dates of the entry before is its own
            count = min(count, layout)
        counts.append(count)
    return counts


def _goes_on(lines: Sequence[Line], index: int, floor: int) -> bool:
    """Return whether the line reads on from a long one before it that no full stop ends."""
    if index <= floor or lines[index].after_blank:
        return False
    before = lines[index - 1].text
    return len(before) > _FULL_LINE and before[-1] not in ".;!?"


def _share_organisations(entries: Sequence[_Entry]) -> list[_Entry]:
    """Give several positions under one employer its name.

    An employer with a period of its own and nothing else, right before the positions, is their
    heading and no position.
    """
    shared: list[_Entry] = []
    current: Span | None = None
    for number, entry in enumerate(entries):
        headline = entry.headline
        later = entries[number + 1].headline if number + 1 < len(entries) else None
        if (
            headline.title is None
            and not entry.body
            and later
            and later.title
            and later.organisation is None
        ):
            current = headline.organisation
            continue
        if headline.organisation is None and headline.title is not None:
            headline = replace(headline, organisation=current)
        else:
            current = headline.organisation if entry.group else None
        shared.append(replace(entry, headline=headline))
    return shared

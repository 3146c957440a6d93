"""Dates and periods as resumes write them, and how long they last."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from models.resume_fields import Found
from models.resume_lines import trim

# English, German, French, Spanish, Italian and Portuguese; shorter forms of one name after longer.
_MONTH_NAMES = (
    "january|januar|jänner|janvier|janv|janeiro|gennaio|enero|ene|jan|gen",
    "february|februar|février|fevrier|févr|fév|fevereiro|febbraio|febrero|feb",
    "march|märz|maerz|mrz|mars|março|marzo|mär|mar",
    "april|avril|avr|abril|abr|aprile|apr",
    "may|mai|mayo|maio|maggio",
    "june|juni|juin|junio|junho|giugno|jun",
    "july|juli|juillet|juil|julio|julho|luglio|jul",
    "august|août|aout|agosto|ago|aug",
    "september|septembre|septiembre|setembro|settembre|sept|sep",
    "october|oktober|octobre|octubre|outubro|ottobre|oct|okt",
    "november|novembre|noviembre|novembro|nov",
    "december|dezember|décembre|decembre|diciembre|dezembro|dicembre|déc|dec|dez|dic",
)
_MONTHS = {name: n for n, names in enumerate(_MONTH_NAMES, 1) for name in names.split("|")}

# First and last month, in the northern hemisphere; winter as universities count it.
_SEASONS = {
    "spring": (3, 5), "frühling": (3, 5), "frühjahr": (3, 5), "printemps": (3, 5),
    "primavera": (3, 5), "summer": (6, 8), "sommer": (6, 8), "été": (6, 8), "verano": (6, 8),
    "autumn": (9, 11), "fall": (9, 11), "herbst": (9, 11), "automne": (9, 11), "otoño": (9, 11),
    "winter": (1, 3), "hiver": (1, 3), "invierno": (1, 3),
    "q1": (1, 3), "q2": (4, 6), "q3": (7, 9), "q4": (10, 12),
}  # fmt: skip

_ANY_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR = r"(?:19[3-9][0-9]|20[0-9]{2})"
_DASH = r"(?:-{1,3}|->|[–—‒―−~→])"
_POINT = re.compile(
    rf"""(?<![\w$€£\#/])(?:
      (?P<span>(?P<y1>{_YEAR})(?P<joint>[-–/])(?P<y2>[0-9]{{2}})(?!\w|[-–./]\w))
    | (?:(?:[0-3]?[0-9])(?:st|nd|rd|th|\.)?\ )?(?P<month>{_ANY_MONTH})\b\.?
        (?: (?:,?\ ?|\ ?[/–-]\ ?|\ de\ |\ of\ |\ [0-3]?[0-9](?:st|nd|rd|th)?,?\ )(?P<my>{_YEAR})
          | [ ,]{{0,2}}['’‘´`](?P<quoted>[0-9]{{2}})
          | [ /-](?P<short>[0-9]{{2}})
          | (?P<bare>(?=\ ?{_DASH}\ ?(?:{_ANY_MONTH})\b|\ to\ (?:{_ANY_MONTH})\b)) )
    | (?P<season>{"|".join(_SEASONS)})\ ?(?:of\ |'|term\ )?(?P<sy>{_YEAR})
    | (?P<iy>{_YEAR})[-./](?P<im>1[0-2]|0[1-9])(?:[-./][0-3][0-9])?
    | (?P<a>[0-3]?[0-9])(?P<mark>[./-])(?P<b>[0-3]?[0-9])(?P=mark)(?P<dy>{_YEAR})
    | (?P<nm>1[0-2]|0?[1-9])\ ?[./-]\ ?(?P<ny>{_YEAR})
    | (?P<sm>1[0-2]|0[1-9])/(?P<syy>[0-9]{{2}})
    | (?P<year>{_YEAR})
    )(?(bare)|(?!\w|[.,][0-9]))""",
    re.VERBOSE | re.IGNORECASE,
)
_JOINT = re.compile(
    rf"[ \t]{{0,4}}{_DASH}\s{{0,4}}"
    r"|\s{1,2}(?:to|until|till|til|through|thru|bis|à|au|jusqu'à|a|al|hasta|up to|até)\s{1,2}"
    r"(?:the )?",
    re.IGNORECASE,
)
_PRESENT = re.compile(
    r"(?:present|now|current(?:ly)?|ongoing|(?:to|till|until|up to) ?(?:date|now|today|present)"
    r"|date|today|in progress|heute|aktuell|laufend|jetzt|présent|aujourd['’]hui|ce jour|en cours"
    r"|(?:la )?actualidad|actual(?:mente)?|presente|oggi|hoy|atual)(?!\w)",
    re.IGNORECASE,
)
_SINCE = re.compile(r"(?<!\w)(?:since|seit|depuis|desde)\s{1,2}(?:dem |el )?$", re.IGNORECASE)
_FROM = re.compile(
    r"(?<!\w)(?:from|since|von|vom|seit|du|depuis|desde|dal)\s{1,2}(?:dem |el )?$", re.IGNORECASE
)
_TO_DATE = re.compile(r"\s{1,2}(?:to date|till date|to present|till now)(?!\w)", re.IGNORECASE)
_LONGEST_SINCE = 12
_YEARS_AHEAD = 10
_YEAR_GROUPS = ("y1", "my", "sy", "iy", "dy", "ny", "year")


@dataclass(frozen=True)
class Moment:
    """A month, or a season, or a year of which no month is known (both months None)."""

    year: int
    first: int | None
    last: int | None
    start: int
    end: int

    def written(self, month: int | None) -> Found[str]:
        """Return it as ``2019`` or, with a month, ``2019-01``."""
        value = str(self.year) if month is None else f"{self.year}-{month:02}"
        return Found(value, self.start, self.end)


@dataclass(frozen=True)
class Period:
    """From ``start`` to ``end``; of a single date both are the same.

    Attributes
    ----------
    start : Moment
    end : Moment or None
    present : (int, int) or None
        Where "present" or "since" stands, when the period has no end yet.
    where : (int, int)
        Everything that says it.
    """

    start: Moment
    end: Moment | None
    present: tuple[int, int] | None
    where: tuple[int, int]

    @property
    def is_range(self) -> bool:
        """Whether two ends are written."""
        return self.present is not None or self.end is not self.start

    @property
    def is_season(self) -> bool:
        """Whether it is one date that lasts for months: "Summer 2024", "Q3 2019"."""
        return not self.is_range and self.start.first != self.start.last

    def first(self) -> Found[str]:
        """Return its beginning."""
        return self.start.written(self.start.first)

    def last(self) -> Found[str] | None:
        """Return its end, or ``present``."""
        if self.present is not None:
            return Found("present", *self.present)
        return self.end.written(self.end.last) if self.end else None


@dataclass(frozen=True)
class _Reading:
    """One date as matched; ``months`` are its first and last, where they are certain."""

    year: int
    months: tuple[int, int] | None
    where: tuple[int, int]
    kind: Literal["plain", "yearless", "two-digit"] = "plain"
    numbers: tuple[int, int] | None = None  # of 03/04/2019: one is the month, the other the day
    day_first: bool | None = None

    def moment(self, day_first: bool | None = None) -> Moment:
        """Return the moment; ``day_first`` settles what the date itself leaves open."""
        first, last = self.months or (None, None)
        order = day_first if self.day_first is None else self.day_first
        if self.numbers and order is not None:
            first = last = self.numbers[1] if order else self.numbers[0]
            if not 1 <= first <= 12:
                first = last = None
        return Moment(self.year, first, last, *self.where)


def find_periods(text: str, today: date, start: int = 0, end: int | None = None) -> list[Period]:
    """Return the dates and periods of ``text[start:end]``, in order.

    Years later than ten years after ``today`` are no dates. Where day and month could be swapped
    (03/04/2019) the other end of the period decides, and else the year alone is read.
    """
    end = len(text) if end is None else end
    periods: list[Period] = []
    while match := _POINT.search(text, start, end):
        period, start = _period(text, match, today, end)
        if period:
            periods.append(period)
    return periods


def interval(period: Period, today: date) -> tuple[int, int] | None:
    """Return first month and the month after the last, counted from year 0.

    A year alone begins in January, and ends before it as an end: 2015 - 2017 are 24 months.
    Nothing lasts beyond ``today``; a single year, or an end before the beginning, is None.
    """
    first = period.start.year * 12 + (period.start.first or 1) - 1
    now = today.year * 12 + today.month
    if period.end is None:
        return (first, now) if first < now else None
    after = min(now, period.end.year * 12 + (period.end.last or 0))
    return (first, after) if first < after else None


def months_in(intervals: Iterable[tuple[int, int]]) -> int:
    """Return the number of months that lie in any of ``intervals``, each counted once."""
    total, reached = 0, 0
    for first, after in sorted(intervals):
        total += max(0, after - max(first, reached))
        reached = max(reached, after)
    return total


def _period(text: str, match: re.Match[str], today: date, limit: int) -> tuple[Period | None, int]:
    """Return the period that begins with the date ``match``, and where to read on."""
    start, end = match.span()
    joint = _JOINT.match(text, end, limit)
    other = _POINT.match(text, joint.end(), limit) if joint else None
    if match["span"] and not other and (years := _year_span(match, today)):
        return years, end
    reading = _reading(match, today)
    if reading is None:
        return None, end
    present = (
        _PRESENT.match(text, joint.end(), limit) if joint else _TO_DATE.match(text, end, limit)
    )
    if present:
        place = trim(text, *present.span())
        return Period(reading.moment(), None, place, (start, place[1])), place[1]
    second = _reading(other, today) if other else None
    if other and second and _are_two_ends(reading, second):
        first = reading.moment(second.day_first)
        last = second.moment(reading.day_first)
        if reading.kind == "yearless":
            first = replace(first, year=last.year - ((first.first or 0) > (last.last or 12)))
        # "from" belongs to the period; left behind, it would pass for an employer.
        opening = _FROM.search(text, max(0, start - _LONGEST_SINCE), start)
        start = opening.start() if opening else start
        return Period(first, last, None, (start, other.end())), other.end()
    if reading.kind != "plain":
        return None, end
    moment = reading.moment()
    since = _SINCE.search(text, max(0, start - _LONGEST_SINCE), start)
    if since:
        place = trim(text, *since.span())
        return Period(moment, None, place, (place[0], end)), end
    return Period(moment, moment, None, (start, end)), end


def _are_two_ends(first: _Reading, second: _Reading) -> bool:
    if first.kind == "yearless":
        return second.kind == "plain" and second.months is not None
    return second.kind != "yearless" and (first.kind == second.kind or second.months is None)


def _year_span(match: re.Match[str], today: date) -> Period | None:
    """Return the period of ``2015-19`` or ``2019/20``; 2010-12 is a month of 2010."""
    first, short = int(match["y1"]), int(match["y2"])
    last = first - first % 100 + short
    successive = match["joint"] == "/" and last == first + 1
    if 1 <= short <= 12 and match["joint"] != "–" and not successive:
        return None
    if not first < last <= today.year + _YEARS_AHEAD:
        return None
    begin = Moment(first, None, None, *match.span("y1"))
    return Period(begin, Moment(last, None, None, *match.span("y2")), None, match.span())


def _reading(match: re.Match[str], today: date) -> _Reading | None:
    """Return what ``match`` says, or None if it is no date."""
    group = match.groupdict()
    where = match.span()
    short = group["quoted"] or group["short"] or group["syy"]
    written = next((group[name] for name in _YEAR_GROUPS if group[name]), None)
    if written:
        year = int(written)
    elif short:
        year = 2000 + int(short)
        year -= 100 * (year > today.year + _YEARS_AHEAD)
    else:
        year = today.year  # until the other end gives it
    if year > today.year + _YEARS_AHEAD:
        return None
    if group["season"]:
        return _Reading(year, _SEASONS[group["season"].lower()], where)
    if group["a"]:
        numbers = int(group["a"]), int(group["b"])
        if min(numbers) < 1 or min(numbers) > 12 or max(numbers) > 31:
            return None
        certain = group["mark"] == "." or max(numbers) > 12 or numbers[0] == numbers[1]
        day_first = (numbers[1] <= 12) if certain else None
        return _Reading(year, None, where, numbers=numbers, day_first=day_first)
    if group["month"]:
        month = _MONTHS[group["month"].lower()]
        kind: Literal["plain", "yearless", "two-digit"] = (
            "two-digit" if group["short"] else "plain" if short or written else "yearless"
        )
        return _Reading(year, (month, month), where, kind)
    number = next((group[name] for name in ("y2", "im", "nm", "sm") if group[name]), None)
    if number is None:
        return _Reading(year, None, where)
    if not 1 <= int(number) <= 12:
        return None
    months = (int(number), int(number))
    return _Reading(year, months, where, "two-digit" if group["sm"] else "plain")

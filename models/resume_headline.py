"""Who did what where: title and organisation from the lines that open an entry."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.resume_lines import Span, pieces, trim
from models.resume_places import is_known_place, place_at_end
from models.resume_words import (
    is_department,
    is_legal_form,
    organisation_words,
    title_words,
)

_STRONG = re.compile(r"\t+| {2,}|\s*[|•·▪●■◦]\s*|\s*[‖¦]\s*|;\s")
_AT = re.compile(r"\s+(?:at|bei|chez|presso|@)\s+|\s*@\s+", re.IGNORECASE)
_EN = re.compile(r"\s+en\s+(?=\S)")
_DASH = re.compile(r"\s+(?:-{1,2}|[–—―‒])\s+|\s*—\s*|:\s+| / ")
_COMMA = re.compile(r",\s*")
_LABEL = re.compile(
    r"(?:(?P<title>job title|title|position|role|designation|funktion|poste|puesto|cargo)"
    r"|(?P<organisation>company(?: name)?|employer|organi[sz]ation|client|firma|arbeitgeber"
    r"|entreprise|employeur|empresa)|duration|period|dates?|location|zeitraum|place)"
    r"\s*(?::|\s-\s|-(?=\s))\s*",
    re.IGNORECASE,
)
_TERMS = re.compile(
    r"full[- ]?time|part[- ]?time|contract(?:or)?|permanent|temporary|temp|freelance|internship"
    r"|self[- ]employed|remote|hybrid|on-?site|seasonal|apprenticeship|vollzeit|teilzeit|cdi|cdd"
    r"|[0-9]+ ?(?:years?|yrs?|months?|mos?)(?:,? [0-9]+ ?(?:months?|mos?))?"
    r"|fixed[- ]term|casual|summers?|winters?|volunteer(?:ing)?|minijob|festanstellung"
    r"|jornada completa",
    re.IGNORECASE,
)
_TAIL = re.compile(r"\s*[(\[][^()\[\]]{0,40}[)\]]\s*$")
_EDGES = ",;:|-–—―·•*_()[]~/@"
_MAX_TITLE_WORDS = 14
# "Service Electrician. Lifts of eighty buildings": no title goes on after a full stop, unless the
# word before it is shortened.
_FULL_STOP = re.compile(r"(?<=[^\W\d_]{5})\.\s+(?=[A-Z])")


@dataclass(frozen=True)
class Headline:
    """Title and organisation of an entry, as spans of the text.

    Attributes
    ----------
    title, organisation : (int, int) or None
    sure : bool
        Words of the text told them apart, and not their order alone.
    """

    title: Span | None
    organisation: Span | None
    sure: bool = True

    @property
    def title_first(self) -> bool:
        """Whether the title stands before the organisation; meaningful when both are there."""
        return bool(self.title and self.organisation and self.title < self.organisation)


def read_headline(text: str, spans: Sequence[Span], title_first: bool = True) -> Headline:
    """Return what ``spans`` say, parts of lines with the dates left out.

    Parameters
    ----------
    title_first : bool
        The order to assume where no word tells a title from an organisation.
    """
    title: Span | None = None
    organisation: Span | None = None
    items: list[Span] = []
    for span in spans:
        for item in pieces(text, *span, _STRONG):
            label = _LABEL.match(text, *item)
            start, end = clean(text, label.end() if label else item[0], item[1])
            if start == end or (label and not (label["title"] or label["organisation"])):
                continue
            if label and label["title"]:
                title = title or (start, end)
            elif label:
                organisation = organisation or without_place(text, (start, end))
            elif not _is_aside(text, start, end):
                items.append((start, end))
    if title or organisation:
        rest = _choose(text, items, title_first) if items else Headline(None, None)
        return Headline(title or rest.title, organisation or rest.organisation)
    return _choose(text, items, title_first)


def clean(text: str, start: int, end: int) -> Span:
    """Return the span without marks and notes such as "(full-time)" at its ends."""
    start, end = trim(text, start, end, ",;:|-–—―·•*_~/@")
    while tail := _TAIL.search(text, max(start, end - 60), end):
        inside = text[tail.start() : end].strip(" ()[]")
        note = _TERMS.fullmatch(inside) or is_known_place(inside.rpartition(",")[2]) or not inside
        if not note or tail.start() <= start:
            break
        start, end = trim(text, start, tail.start(), ",;:|-–—―·•*_~/@")
    if text[start:end].count("(") != text[start:end].count(")"):
        start, end = trim(text, start, end, _EDGES)
    return start, end


def without_place(text: str, span: Span) -> Span:
    """Return the name of an organisation without the place after it."""
    spans = pieces(text, *span, _COMMA)
    parts = [text[slice(*part)] for part in spans]
    if len(parts) > 1:
        keep = 1 + (is_legal_form(parts[1]))
        size = place_at_end(parts, keep)
        spans = spans[: len(spans) - size]
        while len(spans) > 2 and not organisation_words(text[slice(*spans[-1])]):
            spans.pop()  # an address before the place
    if not spans:
        return span
    end = spans[-1][1]
    # The dot of "Inc." was no separator, the dash before a place was one.
    start, end = spans[0][0], end + (text[end : end + 1] == "." and end < span[1])
    dashed = pieces(text, start, end, _DASH)
    if len(dashed) == 2 and is_known_place(text[slice(*dashed[1])].rpartition(",")[2].strip()):
        end = dashed[0][1]
    return clean(text, start, end)


def _is_aside(text: str, start: int, end: int) -> bool:
    """Return whether the item is a place or a kind of contract."""
    item = text[start:end]
    if _TERMS.fullmatch(item) or is_known_place(item):
        return True
    parts = [text[slice(*part)] for part in pieces(text, start, end, _COMMA)]
    return len(parts) > 1 and place_at_end(parts, 0) == len(parts) and not title_words(item)


def _choose(text: str, items: list[Span], title_first: bool) -> Headline:
    if not items:
        return Headline(None, None)
    if len(items) == 1:
        return _divide(text, items[0], title_first)
    by_title = sorted(items, key=lambda item: -_title_score(text, item))
    title = by_title[0]
    if _title_score(text, title) > 0:
        # "Engineer at Acme | Berlin" or "Engineer, Acme" beside a remark.
        inner = _divide(text, title, title_first)
        others = [item for item in items if item != title]
        named = [item for item in others if organisation_words(text[slice(*item)])]
        if inner.organisation and inner.sure and not named and _AT.search(text, *title):
            return inner
        organisation = (named or others)[0]
        # "Acme — Senior Engineer" leaves the remark to others.
        if inner.title and inner.organisation and _is_remark(text, organisation):
            return inner
        return Headline(_only_title(text, title), without_place(text, organisation))
    by_name = [item for item in items if organisation_words(text[slice(*item)])]
    if by_name:
        rest = [
            item for item in items if item != by_name[0] and not is_department(text[slice(*item)])
        ]
        title_span = clean(text, *rest[0]) if rest else None
        return Headline(title_span, without_place(text, by_name[0]), sure=False)
    first, second = items[0], items[1]
    if not title_first:
        first, second = second, first
    return Headline(clean(text, *first), without_place(text, second), sure=False)


def _divide(text: str, item: Span, title_first: bool) -> Headline:
    """Return title and organisation of one item that may hold both."""
    # Spanish "en" joins a title to its subject as well: the legal form decides.
    en = _EN.search(text, *item)
    if en and is_legal_form(text[en.end() : item[1]].split()[-1]):
        return Headline(clean(text, item[0], en.start()), without_place(text, (en.end(), item[1])))
    at = _AT.search(text, *item)
    if at and (title_words(text[item[0] : at.start()]) or " at " in at[0].casefold()):
        organisation = without_place(text, (at.end(), item[1]))
        return Headline(clean(text, item[0], at.start()), organisation)
    dashed = [clean(text, *part) for part in pieces(text, *item, _DASH)]
    dashed = [part for part in dashed if part[0] < part[1] and not _is_aside(text, *part)]
    if len(dashed) > 1:
        titles = [part for part in dashed if _title_score(text, part) > 0]
        others = [part for part in dashed if part not in titles]
        if titles and others and (len(dashed) == 2 or _names_one(text, others)):
            chosen = next((o for o in others if organisation_words(text[slice(*o)])), others[0])
            if not (len(dashed) == 2 and is_department(text[slice(*chosen)])):
                return Headline(_only_title(text, titles[0]), without_place(text, chosen))
        elif titles and others:
            return Headline(_only_title(text, titles[0]), without_place(text, others[-1]))
        elif not titles:
            return _choose(text, dashed[:2], title_first)
        elif len(titles) > 1:
            named = [part for part in titles if organisation_words(text[slice(*part)])]
            if named and named[0] != titles[0]:
                return Headline(_only_title(text, titles[0]), without_place(text, named[0]))
            return Headline(clean(text, *titles[0]), without_place(text, titles[1]), sure=False)
    return _divide_at_commas(text, item)


def _divide_at_commas(text: str, item: Span) -> Headline:
    spans = pieces(text, *item, _COMMA)
    parts = [text[slice(*part)] for part in spans]
    scores = [_title_score(text, part) for part in spans]
    at = next((index for index, score in enumerate(scores) if score > 0), None)
    if at is None:
        return Headline(None, without_place(text, item))
    if at > 0:
        return Headline(clean(text, *spans[at]), without_place(text, (item[0], spans[at - 1][1])))
    last = 0
    while last + 2 < len(parts) and is_department(parts[last + 1]):
        last += 1
    rest = parts[last + 1 :]
    if len(rest) == 1 and is_department(rest[0]):
        last, rest = last + 1, []
    title = clean(text, item[0], spans[last][1])
    # "Engineer, London, UK" names a place and no employer.
    if all(is_known_place(part) for part in rest):
        return Headline(title, None)
    return Headline(title, without_place(text, (spans[last + 1][0], item[1])))


def _only_title(text: str, span: Span) -> Span:
    """Return a title without the place after it."""
    spans = pieces(text, *span, _COMMA)
    while len(spans) > 1 and is_known_place(text[slice(*spans[-1])]):
        spans.pop()
    if not spans:
        return span
    stop = _FULL_STOP.search(text, spans[0][0], spans[-1][1])
    return clean(text, spans[0][0], stop.start() if stop else spans[-1][1])


def _title_score(text: str, span: Span) -> float:
    """Return how much the item reads like a title: its words, less those of organisations."""
    item = text[slice(*span)]
    if len(item.split()) > _MAX_TITLE_WORDS:
        return 0.0
    hits = title_words(item)
    return hits - 0.6 * organisation_words(item) if hits else 0.0


def _names_one(text: str, items: list[Span]) -> bool:
    return any(organisation_words(text[slice(*item)]) for item in items)


def _is_remark(text: str, span: Span) -> bool:
    item = text[slice(*span)]
    return is_department(item) and not organisation_words(item)

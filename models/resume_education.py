"""Education: degree, field, institution, dates and grade of each entry."""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from models.resume_dates import Period
from models.resume_fields import Found, Study
from models.resume_headline import clean
from models.resume_lines import Line, Span, found, is_header_like, is_table_head, pieces
from models.resume_places import is_known_place, place_at_end

_FACULTIES = (
    "science|arts|engineering|technology|business administration|commerce|laws?|education|fine arts"
    "|architecture|philosophy|medicine|surgery|nursing|music|social work|public health"
    "|public administration|business|computer applications|pharmacy|applied science|design"
    "|professional studies|research|theology|divinity|veterinary medicine|applied arts"
).replace(" ", r"\s")
_DEGREE = re.compile(
    rf"""(?:
      (?P<long>(?:(?:integrated|executive|honou?rs|double|dual)\s)?
        (?:bachelors?|masters?|doctor(?:ate)?|associates?|bachelor['’]s|master['’]s|associate['’]s|magister)
        (?:\s(?:degree|diploma))?(?:\s(?:of|in)\s(?:applied\s)?(?:{_FACULTIES})(?!\w))?)
    | ph\.?\s?d\.?|d\.?phil\.?|doctoral(?:\sdegree)?|dr\.\s?(?:rer|phil|ing|med)\.?(?:\snat\.)?
    | m\.?b\.?a\.?|(?:b|m)\.?(?:sc|eng|tech|com|ed|phil|arch|pharm|ba|ca|fa|des)\.?(?=\W|$)
    | ll\.?[bm]\.?|m\.?d\.?|j\.?d\.?|ed\.?d\.?|d\.?d\.?s\.?|m\.?p\.?h\.?|b\.?b\.?a\.?|m\.?s\.?w\.?
    | mres
    | b\.?[aes]\.?|m\.?[aes]\.?|a\.?a\.?s?\.?|b\.?s\.?n\.?|m\.?s\.?n\.?
    | post[- ]?graduate\s(?:diploma|certificate|degree)
    | graduate\s(?:diploma|certificate)|pg\s?diploma|pgce|pgdm
    | (?:advanced|higher)\sdiploma|(?:trade|craft|vocational)\scertificate
    | higher\snational\s(?:diploma|certificate)|hn[dc]|foundation\sdegree
    | national\sdiploma
    | high[\s-]school\sdiploma|high\sschool|secondary\sschool(?:\scertificate)?
    | ged|a[- ]levels?|gcses?|as[- ]levels?
    | international\sbaccalaureate|(?:ib\s)?diploma(?=\W|$)|btec(?:\slevel\s\d)?|apprenticeship
    | [hs]\.?s\.?c\.?|leaving\scertificate|matriculation|intermediate(?=\W|$)
    | diplom(?:-[a-zäöü]+)?(?:\s\((?:fh|uni)\))?|abitur|fachabitur|fachhochschulreife|staatsexamen
    | (?:berufs)?ausbildung\s(?:zum|zur|als)|promotion|mittlere\sreife|realschulabschluss
    | licence(?:\sprofessionnelle)?|baccalauréat|bac(?:\s[sl]|\ses)?|diplôme(?:\sd['’]ingénieur)?
    | dut|bts|maîtrise|doctorat
    | licenciatura|licenciad[oa]|grado|máster|ingeniería|bachillerato|doctorado
    | diplomatura|técnico\ssuperior
    | laurea(?:\smagistrale|\striennale)?
    | in[żz]ynier|in[žz]en[ýy]r|licencjat|bakalář|bakalár
    )(?![\w])""",
    re.VERBOSE | re.IGNORECASE,
)
_SHORT = re.compile(r"[A-Za-z](?:\.?[A-Za-z]){1,2}\.?")
_FIELD = re.compile(
    r"\s*(?:[,:–—-]\s*|\b(?:degree )?(?:in|of|im fach|der|des|en|de|d['’]|em)\s+)?(?:the )?",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"\s*(?:\((?:(?i:hons?\.?|honou?rs)|[A-Z]\.?[A-Z]?[a-z]{0,2}\.?(?:[A-Z]\.?)?)\)"
    r"|(?i:hons\b|with honou?rs))"
)
_SUBJECTS = re.compile(r"a[- ]?level|as[- ]level|gcse|abitur|high|secondary", re.IGNORECASE)
_MAJOR = re.compile(
    r"(?:major(?:ed)?(?: in)?|specialization(?: in)?|specialisation(?: in)?|field of study"
    r"|concentration(?: in)?|studienrichtung|schwerpunkt|fachrichtung)\s*[:\s]\s*([^\n,;|]{2,80})",
    re.IGNORECASE,
)
_SCHOOL = re.compile(
    r"(?<!\w)(?:universit\w*|university|college|institut\w*|school|academy|akademie|polytechnic\w*|hochschule"
    r"|fachhochschule|école|ecole|escuela|instituto|universidad|università|uniwersytet|gymnasium|lyc[ée]e|liceo"
    r"|colegio|faculty|fakultät|campus|conservatory|seminary|tu|fh|eth|rwth|uc|mit|caltech|iit|nit|ucl|lse"
    r"|insead|hec|universidade|facultad|berufsschule|realschule|berufskolleg|bootcamp|\w+schule|vidyalaya|sixth\sform)(?!\w)",
    re.IGNORECASE,
)
_GRADE = re.compile(
    r"""(?:(?:c?gpa|grade(?:\spoint\saverage)?|final\sgrade|marks|score|percentage|note|abschlussnote|mention|result)
          \s*(?:of|:|-|–|=)?\s*
          (?P<mark>[0-9]{1,3}(?:[.,][0-9]{1,2})?\s?(?:%|(?:/|out\sof)\s?[0-9]{1,3}(?:[.,][0-9])?)?
            |[A-F][+-]?(?![a-z])|(?:very\sgood|excellent|distinction|merit|sehr\sgut|gut|très\sbien|bien)(?!\w)))
      | (?P<class>(?:first|(?:upper\s|lower\s)?second|third)[-\s]class
          (?:\shonou?rs)?(?:\s\([12]:[12]\))?
        |(?<![\w:])[12]:[12](?![\w:])|(?<=,\s)2\.[12](?=\s*(?:,|$))|(?:summa|magna)\scum\slaude|cum\slaude
        |with\s(?:distinction|merit|high\shonou?rs)
        |(?<![\w.])[0-9]\.[0-9]{1,2}\s?/\s?(?:4|5|10)(?:\.0{1,2})?(?![\w.])|(?<![\w.])[0-9]{2,3}(?:\.[0-9]{1,2})?\s?%)""",
    re.VERBOSE | re.IGNORECASE,
)
_ITEMS = re.compile(r"\t+| {2,}|\s*[|•·▪;]\s*|\s+(?:-{1,2}|[–—―])\s+|\s*—\s*")
_AT = re.compile(r"\s+(?:at|from|an der|am|à l['’])\s+(?=\S)")
_COMMA = re.compile(r",\s*")
_NOISE = re.compile(
    r"(?:relevant |key )?(?:coursework|modules|courses|thesis|dissertation|activities|honou?rs"
    r"|awards|subjects|minor|abschlussarbeit|masterarbeit|bachelorarbeit|mémoire)\b.{0,3}",
    re.IGNORECASE,
)


@dataclass
class _Draft:
    """An entry while its lines are read."""

    degree: Span | None = None
    field: Span | None = None
    institution: Span | None = None
    period: Period | None = None
    grade: Span | None = None
    spare: list[Span] = dataclasses.field(default_factory=list)

    def clashes(self, other: "_Draft", after_blank: bool) -> bool:
        """Return whether a line that says ``other`` opens a new entry."""
        if other.degree and self.degree:
            return True
        if other.institution and self.institution:
            return True
        if other.period and self.period:
            return True
        full = self.degree is not None and self.institution is not None
        return after_blank and full and (other.degree or other.institution) is not None

    def heads_others(self) -> bool:
        """Return whether the institution stands before the degree, as over a list of them."""
        return bool(self.institution and self.degree and self.institution < self.degree)

    def absorb(self, other: "_Draft") -> None:
        """Take over what ``other`` says."""
        self.degree = self.degree or other.degree
        self.field = self.field or other.field
        self.institution = self.institution or other.institution
        self.period = self.period or other.period
        self.grade = self.grade or other.grade
        self.spare += other.spare


def read_education(
    text: str, lines: Sequence[Line], periods: Sequence[Period]
) -> tuple[Study, ...]:
    """Return the entries of a section; ``periods`` are those of the whole text, in order."""
    drafts: list[_Draft] = []
    lines = [line for line in lines if not is_table_head(line)]
    for line, here in _with_periods(lines, periods):
        read = _read_line(text, line, here)
        if read is None:
            continue
        if not drafts or drafts[-1].clashes(read, line.after_blank):
            drafts.append(read)
        else:
            drafts[-1].absorb(read)
    for before, draft in pairwise(drafts):
        # Two degrees under the name of one school.
        if draft.degree and not draft.institution and not draft.spare and before.heads_others():
            draft.institution = before.institution
    return tuple(_study(text, draft) for draft in drafts if draft.degree or draft.institution)


def find_degree(text: str, start: int, end: int) -> Span | None:
    """Return where a degree is named at the start of ``text[start:end]``."""
    match = _DEGREE.match(text, start, end)
    if match is None:
        return None
    written = match[0]
    if _SHORT.fullmatch(written) and not written[0].isupper():
        return None
    if len(written.rstrip(".")) == 2 and not written.isupper():
        return None  # "As", "Be", "Me" are words
    return match.span()


def _with_periods(
    lines: Sequence[Line], periods: Sequence[Period]
) -> Iterator[tuple[Line, Period | None]]:
    cursor = 0
    for line in lines:
        while cursor < len(periods) and periods[cursor].where[0] < line.start:
            cursor += 1
        here = []
        while cursor < len(periods) and periods[cursor].where[0] < line.end:
            here.append(periods[cursor])
            cursor += 1
        yield line, next((p for p in here if p.is_range), here[-1] if here else None)


def _read_line(text: str, line: Line, period: Period | None) -> _Draft | None:
    """Return what one line says, or None for prose."""
    if len(line.text) > 250 or _NOISE.match(line.text):
        return None
    draft = _Draft(period=period)
    spans = [(line.start, line.end)]
    if period:
        first, last = period.where
        spans = [(line.start, max(line.start, first)), (min(line.end, last), line.end)]
    grade = _GRADE.search(text, line.start, line.end)
    if grade:
        draft.grade = grade.span("mark") if grade["mark"] else grade.span("class")
        spans = [part for span in spans for part in _without(span, grade.span())]
    for span in spans:
        for item in pieces(text, *span, _ITEMS):
            for part in _at_school(text, item):
                _read_item(text, clean(text, *part), draft)
    major = _MAJOR.search(text, line.start, line.end)
    if major and draft.field is None:
        draft.field = clean(text, *major.span(1))
    if not (draft.degree or draft.institution or draft.grade or period) and (
        not is_header_like(line) or not draft.spare
    ):
        return None
    return draft


def _at_school(text: str, item: Span) -> list[Span]:
    """Split "Physics at Leeds University", but not "University of Texas at Austin"."""
    at = _AT.search(text, *item)
    if at is None or _SCHOOL.search(text, item[0], at.start()):
        return [item]
    return [(item[0], at.start()), (at.end(), item[1])]


def _without(span: Span, hole: Span) -> list[Span]:
    if hole[1] <= span[0] or span[1] <= hole[0]:
        return [span]
    return [(span[0], max(span[0], hole[0])), (min(span[1], hole[1]), span[1])]


def _read_item(text: str, item: Span, draft: _Draft) -> None:
    """Add what ``item`` names, a part of a line, to ``draft``."""
    if item[0] >= item[1]:
        return
    spans = [part for part in pieces(text, *item, _COMMA) if part[0] < part[1]]
    if not spans:
        return
    begin = next((i for i, span in enumerate(spans) if find_degree(text, *span)), None)
    if begin is not None and draft.degree is None:
        used = _read_degree(text, spans[begin:], draft)
        spans = spans[:begin] + spans[begin + used :]
    if spans:
        institution = _institution(text, spans)
        if institution and draft.institution is None:
            draft.institution = institution
        elif not institution:
            parts = [text[slice(*span)] for span in spans]
            kept = spans[: len(spans) - place_at_end(parts, 1 if draft.degree else 0)]
            if kept and not is_known_place(text[slice(*kept[0])]):
                draft.spare.append((kept[0][0], kept[-1][1]))


def _read_degree(text: str, spans: Sequence[Span], draft: _Draft) -> int:
    """Read degree and field from the first of ``spans``; return how many were used."""
    start, end = spans[0]
    degree = find_degree(text, start, end)
    if degree is None:
        return 0
    draft.degree = degree
    aside = _ASIDE.match(text, degree[1], end)  # "Bachelor of Arts (B.A.)", "BA (Hons)"
    joint = _FIELD.match(text, aside.end() if aside else degree[1], end)
    subject = clean(text, joint.end() if joint else degree[1], end)
    if text[subject[0] : subject[0] + 1] == "(" and text[subject[1] - 1] == ")":
        subject = clean(text, subject[0] + 1, subject[1] - 1)
    if subject[0] < subject[1]:
        if not _SCHOOL.search(text, *subject) or "school" in text[slice(*degree)].casefold():
            _set_field(text, degree, joint, subject, draft)
        elif draft.institution is None:
            draft.institution = subject
        return 1
    follows = spans[1] if len(spans) > 1 else None
    if follows and not _SCHOOL.search(text, *follows) and len(spans) > 2:
        candidate = text[slice(*follows)]
        if not is_known_place(candidate) and _any_school(text, spans[2:]):
            draft.field = follows
            return 2
    elif follows and len(spans) == 2 and not _SCHOOL.search(text, *follows):
        draft.spare.append(follows)
        return 2
    return 1


def _set_field(
    text: str, degree: Span, joint: re.Match[str] | None, subject: Span, draft: _Draft
) -> None:
    """Set the field; "Bachelor of Computer Science" is the degree and names the field as well."""
    word = text[joint.start() : joint.end()].strip().casefold() if joint else ""
    draft.field = subject
    if word == "of":
        draft.degree = (degree[0], subject[1])


def _any_school(text: str, spans: Sequence[Span]) -> bool:
    return any(_SCHOOL.search(text, *span) for span in spans)


def _institution(text: str, spans: Sequence[Span]) -> Span | None:
    """Return the name of a school among ``spans``, with its campus and without its place."""
    at = next((i for i, span in enumerate(spans) if _SCHOOL.search(text, *span)), None)
    if at is None:
        return None
    parts = [text[slice(*span)] for span in spans[at:]]
    last = len(parts) - place_at_end(parts, 1)
    # "University of California, Berkeley": what is left before the place is the campus.
    name = spans[at : at + last]
    if len(name) > 2 or (len(name) == 2 and len(parts[1].split()) > 4):
        name = name[:1]
    return (name[0][0], name[-1][1])


def _could_be_school(text: str, span: Span, degree: Span | None) -> bool:
    """Return whether a name beside a degree, with no word of a school in it, is a school's."""
    name = text[slice(*span)]
    at_school = degree is not None and _SUBJECTS.match(text, *degree)
    return not at_school and len(name.split()) <= 6 and not re.search(r"[()\d:]", name)


def _study(text: str, draft: _Draft) -> Study:
    """Return the entry; the first spare item is the missing institution, or else the field."""
    spare = [span for span in draft.spare if span[0] < span[1]]
    institution, subject = draft.institution, draft.field
    if institution is None and spare and _could_be_school(text, spare[0], draft.degree):
        institution = spare.pop(0)
    if subject is None and spare and draft.degree:
        near = min(spare, key=lambda span: abs(span[0] - draft.degree[1]) if draft.degree else 0)
        subject = near if near[1] - near[0] <= 80 else None
    period = draft.period
    start: Found[str] | None = None
    end: Found[str] | None = None
    if period:
        start = period.first() if period.is_range else None
        end = period.last()
    return Study(
        degree=found(text, *draft.degree) if draft.degree else None,
        field=found(text, *subject) if subject else None,
        institution=found(text, *institution) if institution else None,
        start=start,
        end=end,
        grade=found(text, *draft.grade) if draft.grade else None,
    )

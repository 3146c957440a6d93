"""Languages with levels, certifications, and skills as a resume lists them."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from models.resume_dates import Period
from models.resume_fields import Certification, Found, LanguageSkill, ResumeSkill
from models.resume_headline import clean
from models.resume_lines import Line, Span, found, merged, overlaps, pieces, trim
from models.resume_words import plain, word_set

if TYPE_CHECKING:
    from models.skills import SkillHit

# English names first, then German, French, Spanish and the languages' own.
_LANGUAGES = word_set(
    """afrikaans albanian amharic arabic armenian azerbaijani basque belarusian bengali bosnian
    bulgarian burmese cantonese catalan cebuano chinese croatian czech danish dari dutch
    english esperanto estonian farsi filipino finnish flemish french galician georgian german
    greek gujarati hausa hebrew hindi hungarian icelandic igbo indonesian irish italian
    japanese javanese kannada kazakh khmer kinyarwanda korean kurdish lao latin latvian
    lithuanian luxembourgish macedonian malay malayalam maltese mandarin marathi mongolian
    nepali norwegian oromo pashto persian polish portuguese punjabi romanian russian serbian
    shona sinhala slovak slovenian somali spanish sundanese swahili swedish swiss~german tagalog
    tamil telugu thai tibetan tigrinya turkish twi ukrainian urdu uyghur uzbek vietnamese
    welsh wolof xhosa yiddish yoruba zulu american~sign~language
    british~sign~language latein deutsch
    englisch französisch spanisch italienisch portugiesisch russisch polnisch niederländisch
    türkisch arabisch chinesisch japanisch griechisch schwedisch dänisch tschechisch ungarisch
    rumänisch ukrainisch kroatisch serbisch koreanisch hebräisch persisch français anglais
    allemand espagnol italien portugais russe chinois arabe japonais néerlandais polonais turc
    grec coréen roumain hébreu español inglés alemán francés italiano portugués ruso chino
    árabe japonés catalán euskera gallego neerlandés coreano polaco português inglês svenska
    norsk dansk suomi polski čeština türkçe nederlands magyar română hrvatski srpski русский
    українська ελληνικά 中文 日本語 한국어 العربية हिन्दी"""
)
_ANY_LANGUAGE = "|".join(sorted(_LANGUAGES, key=len, reverse=True))
_LANGUAGE = re.compile(rf"(?<!\w)(?:{_ANY_LANGUAGE})(?!\w)", re.IGNORECASE)
_LEVEL = re.compile(
    r"""(?<!\w)(?:
      [abc][12]\+?(?:\s?[-–/]\s?[abc][12])?(?:\s(?:level|niveau))?
    | native(?:\sor\sbilingual)?(?:\s(?:speaker|proficiency|fluency|level))?
    | near[- ]native|mother\s?tongue
    | first\slanguage|bilingual(?:\sproficiency)?
    | (?:full\s)?professional(?:\s(?:working\s)?proficiency)?|limited\sworking(?:\sproficiency)?
    | (?:professional\s)?working(?:\s(?:proficiency|knowledge))|elementary(?:\sproficiency)?
    | business\s(?:fluent|level)
    | fluent(?:\sin)?|fluency|proficient|conversational|(?:upper[- ]|pre[- ])?intermediate
    | advanced|basics?(?:\sknowledge)?|beginner|good|very\sgood|excellent|limited
    | reading\sknowledge|full\sproficiency
    | muttersprach(?:e|lich|ler)|verhandlungssicher|fließend|fliessend|sehr\sgut|gut
    | grundkenntnisse|gute\skenntnisse
    | langue\smaternelle|courant|bilingue|natif|native|notions|intermédiaire|avancé
    | débutant|scolaire|maternelle
    | lengua\smaterna|nativ[oa]|fluido|avanzado|intermedio|básico|alto|medio|bajo
    | jlpt\sn[1-5]|hsk\s?[1-6]
    )(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)
_PREFIXED = re.compile(
    r"(?:fluent|proficient|native|bilingual|conversational|fließend|courant)\s(?:in|en)\s", re.I
)
# "Japanese (N3)", "English (IELTS 7.5)": "_level" leaves the brackets out.
_IN_BRACKETS = re.compile(r"\s?\((?P<level>[^()]{1,30})\)")
_LANGUAGE_ITEMS = re.compile(r"\t+| {2,}|\s*[|•·▪;]\s*|,\s*(?![^()]*\))|\s+(?:and|und|et|y)\s+")
_ITEMS = re.compile(r"\t+| {2,}|\s*[|•·▪●;]\s*")
_COMMA = re.compile(r",\s*(?![^()\n]{0,80}\))")
_LABEL = re.compile(r"[^:,;|\n]{2,40}:\s+")
_AND = re.compile(r"^(?:and|und|et|y|&)\s+", re.IGNORECASE)
_FULL_LINE = 60  # a shorter line was not wrapped
_MAX_LISTED = 5
_MAX_LIST_ITEMS = 200
_MAX_CERTIFICATE = 160
# Before a date: "valid until 2027" says nothing of when it was earned.
_LIMIT = re.compile(
    r"[\s,;(–-]*(?:(?P<until>valid (?:un)?til?l?|valid through|expir\w+(?: on| in)?|until)"
    r"|renewed|issued|obtained|earned|awarded|passed|since)(?: on| in)?[\s:]*$",
    re.IGNORECASE,
)


def find_language_names(text: str, lines: Iterable[Line]) -> bool:
    """Return whether a section under "Languages" names any that people speak."""
    return any(_LANGUAGE.search(text, line.start, line.end) for line in lines)


def read_languages(text: str, lines: Sequence[Line]) -> tuple[LanguageSkill, ...]:
    """Return the languages of a section, with the level beside or right under each."""
    read: dict[str, LanguageSkill] = {}
    waiting: str | None = None
    unknown: Span | None = None
    for line in lines:
        prefix = _PREFIXED.search(text, line.start, line.end)
        shared = _LEVEL.match(text, prefix.start()) if prefix else None
        for item in pieces(text, line.start, line.end, _LANGUAGE_ITEMS):
            language = _LANGUAGE.search(text, *item)
            level = _LEVEL.search(text, language.end() if language else item[0], item[1])
            if language is None:
                if level and waiting and item[1] - item[0] <= 60:
                    read[waiting] = LanguageSkill(read[waiting].language, _level(text, level))
                named = _unlisted(text, item[0], level.start() if level else item[1]) or unknown
                if level and named and not waiting:
                    place = found(text, *named)
                    read.setdefault(plain(place.value), LanguageSkill(place, _level(text, level)))
                unknown = None if level else named
                waiting = None
                continue
            unknown = None
            level = level or _LEVEL.search(text, item[0], language.start()) or shared
            level = level or _IN_BRACKETS.match(text, language.end(), item[1])
            name = plain(language[0])
            if name not in read:
                place = found(text, *language.span())
                read[name] = LanguageSkill(place, _level(text, level) if level else None)
                waiting = None if level else name
    return tuple(read.values())


def _unlisted(text: str, start: int, end: int) -> Span | None:
    """Return where a language stands that we have no name of: one word with a capital."""
    start, end = trim(text, start, end, ",:;–—-(")
    word = text[start:end]
    return (start, end) if word.isalpha() and not word.islower() and len(word) > 2 else None


def read_certifications(
    text: str, lines: Sequence[Line], periods: Sequence[Period]
) -> tuple[Certification, ...]:
    """Return one certificate a line or item; ``periods`` are those of the whole text."""
    read: list[Certification] = []
    cursor = 0
    for line in _with_brackets(text, lines):
        while cursor < len(periods) and periods[cursor].where[0] < line.start:
            cursor += 1
        here: list[Period] = []
        while cursor < len(periods) and periods[cursor].where[1] <= line.end:
            here.append(periods[cursor])
            cursor += 1
        if len(line.text) > _MAX_CERTIFICATE:
            continue
        items = pieces(text, line.start, line.end, _ITEMS)
        if len(here) > 1 and len(items) == 1:
            items = pieces(text, line.start, line.end, _COMMA)
        if len(items) == 2 and len(here) == 1 and here[0].where[0] >= items[1][0]:
            items = [(line.start, line.end)]  # the name and, at the end of its line, the date
        for item in items:
            certificate = _certificate(text, item, here)
            if sum(map(str.isalpha, certificate.name.value)) >= 2:
                read.append(certificate)
    return tuple(read)


def _certificate(text: str, item: Span, periods: Sequence[Period]) -> Certification:
    start, end = item
    period = next((p for p in periods if start <= p.where[0] < end), None)
    if period is None:
        return Certification(found(text, *clean(text, start, end)), None)
    limit = _LIMIT.search(text, start, period.where[0])
    before = clean(text, start, limit.start() if limit else period.where[0])
    after = clean(text, period.where[1], end)
    name = before if before[1] - before[0] >= after[1] - after[0] else after
    earned = period.first() if period.present else period.last()
    return Certification(found(text, *name), None if limit and limit["until"] else earned)


def _with_brackets(text: str, lines: Sequence[Line]) -> list[Line]:
    """Return ``lines``, with those in brackets joined to the one a narrow column cut them from."""
    joined: list[Line] = []
    for line in lines:
        if joined and line.text[0] == "(" and not line.bullet and not line.after_blank:
            last = joined.pop()
            line = replace(last, end=line.end, text=text[last.start : line.end])
        joined.append(line)
    return joined


def read_skills(
    text: str,
    lines: Sequence[Line],
    matcher: "Callable[[str], Sequence[SkillHit]] | None",
) -> tuple[ResumeSkill, ...]:
    """Return the skills ``matcher`` finds in ``text``, then what else ``lines`` list."""
    hits = list(matcher(text)) if matcher else []
    read = {
        hit.name.casefold(): ResumeSkill(hit.name, hit.category, hit.stated, tuple(hit.spans))
        for hit in hits
    }
    covered = merged(span for hit in hits for span in hit.spans)
    for item in _listed(text, lines):
        if not overlaps(covered, item.start, item.end):
            skill = ResumeSkill(item.value, None, True, ((item.start, item.end),))
            read.setdefault(item.value.casefold(), skill)
    return tuple(read.values())


def _listed(text: str, lines: Sequence[Line]) -> list[Found[str]]:
    """Return the items of a section that lists skills; not its sentences."""
    listed: list[Found[str]] = []
    for block_start, block_end in _blocks(text, lines):
        label = _LABEL.match(text, block_start, block_end)
        begin = label.end() if label else block_start
        for part in pieces(text, begin, block_end, _ITEMS):
            for start, end in pieces(text, *part, _COMMA):
                joint = _AND.match(text[start:end])
                start, end = trim(text, start + (joint.end() if joint else 0), end, ".,;:-–—*")
                item = found(text, start, end)
                if 0 < len(item.value.split()) <= _MAX_LISTED and any(map(str.isalpha, item.value)):
                    listed.append(item)
    return listed[:_MAX_LIST_ITEMS]


def _blocks(text: str, lines: Sequence[Line]) -> list[Span]:
    """Return the lines, those joined that a comma list runs across."""
    blocks: list[Span] = []
    last_length = 0
    for line in lines:
        wrapped = (
            last_length >= _FULL_LINE
            and not line.bullet
            and not line.after_blank
            and "," in text[slice(*blocks[-1])]
            and not _LABEL.match(line.text)
            and line.end - blocks[-1][0] < 2_000
        )
        if wrapped and "\t" not in line.text:
            blocks[-1] = (blocks[-1][0], line.end)
        else:
            blocks.append((line.start, line.end))
        last_length = len(line.text.rpartition("\n")[2])
    return blocks


def _level(text: str, match: re.Match[str]) -> Found[str]:
    start, end = match.span("level") if "level" in match.re.groupindex else match.span()
    if text[start:end].casefold().endswith((" in", " en")):
        end -= 3
    return found(text, start, end)

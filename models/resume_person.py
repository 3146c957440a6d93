"""The name of a candidate and where they live, from the lines at the top."""

import re
from collections.abc import Sequence

from models.resume_fields import Found
from models.resume_lines import Line, Span, found, pieces, trim
from models.resume_places import (
    could_be_city,
    is_known_place,
    is_postcode_and_city,
    place_at_end,
    region_of,
)
from models.resume_words import never_in_names, plain

_ITEMS = re.compile(r"\t+| {2,}|\s*[|•·▪●■◆♦✉☎📍🏠;]\s*|\s+[-–—/]\s+|\s*~\s*")
_COMMA = re.compile(r",")
_PLACE_PARTS = re.compile(r",|\s(?=\()")  # "Valencia (Spain)"
_SIGNS = "★☆*#_=-–—:.,()[]<>📍📞✉☎\uf0e0\uf095"
_PARTICLE = re.compile(
    r"(?:v[ao]n|der|den|de|del|della|di|d[aou]s?|la|le|el|al|ibn|bin|bint|ben|abu|y|e|i|und|zum?|zur"
    r"|ter|ten|op|a[fv]|ma?c|san|santa|st)$|[do]['’]|al-",
    re.IGNORECASE,
)
_HONORIFIC = re.compile(
    r"(?:dr|prof|mr|mrs|ms|miss|mx|sir|dame|rev|ing|herr|frau|mme|mlle|monsieur|madame|sr|sra|don"
    r"|doña|dipl\.-ing|engr|er|shri|smt|capt|col|lt|maj|sgt)\.?\s+(?=\S)",
    re.IGNORECASE,
)
_CREDENTIAL = re.compile(
    r"(?:ph\.?\s?d|m\.?d|m\.?b\.?a|m\.?sc|b\.?sc|m\.?a|b\.?a|m\.?s|b\.?s|r\.?n|b\.?s\.?n|m\.?s\.?n|pmp|cpa"
    r"|cfa|c\.?eng|p\.?e|esq|j\.?d|ll\.?[bm]|m\.?eng|b\.?eng|mph|phr|sphr|shrm-?c?p?|cissp|pe|do|dds"
    r"|dvm|np|lcsw|acca|fca|csm|cma|pa|ii|iii|iv|jr|sr|b\.?tech|m\.?tech|m\.?ed|ed\.?d|mrcp|frcs)\.?",
    re.IGNORECASE,
)
# Pronouns, a nickname, the name in another script.
_ASIDE = re.compile(r"\s*\([^()\d]{1,40}(?:\)\s*)?$")
_NAME_LABEL = re.compile(
    r"(?:full name|name|vor- und nachname|vorname und name|nom|nombre|candidate(?: name)?)"
    r"\s*[:\t]\s*",
    re.IGNORECASE,
)
_NAME_WORD = re.compile(r"[^\W\d_]+(?:[.'’\-][^\W\d_]*)*")
_PLACE_LABEL = re.compile(
    r"(?:address|location|current location|residence|city|based in|lives? in|home|adresse"
    r"|wohnort|anschrift|domicile|lieu|dirección|domicilio|ubicación|ciudad|residencia)"
    r"(?:\s*:\s*|\t+)|(?:based in|living in)\s+",
    re.IGNORECASE,
)
_MAX_LINES = 25
_MAX_LABELLED = 80
_NOT_A_PLACE = re.compile(r"[@]|https?:|www\.|\+[0-9]|[0-9]{7}")

# Without an address that confirms it, a name is among the first few items.
_UNCONFIRMED_ITEMS = 3


def find_name(
    text: str, lines: Sequence[Line], handles: Sequence[str], others: Sequence[Line] = ()
) -> Found[str] | None:
    """Return the name of the candidate.

    Parameters
    ----------
    lines : sequence of Line
        The top of the resume.
    handles : sequence of str
        E-mail names and profile names, which often hold parts of the name.
    others : sequence of Line
        Lines further down, where only a name that ``handles`` confirm counts.
    """
    best: tuple[float, Span] | None = None
    rank = 0
    for number, line in enumerate([*lines[:_MAX_LINES], *others]):
        label = _NAME_LABEL.match(text, line.start, line.end)
        begin = label.end() if label else line.start
        for item in pieces(text, begin, line.end, _ITEMS)[:4]:
            rank += 1
            span = _as_name(text, *item, labelled=label is not None, handles=handles)
            if span is None:
                continue
            confirmed = _is_confirmed(text[slice(*span)], handles)
            top = number < len(lines) and rank <= _UNCONFIRMED_ITEMS
            if not (confirmed or label or (top and text[span[0]].isalpha())):
                continue
            score = 20.0 * (label is not None) + 12.0 * confirmed - min(rank, 30) * 0.3
            if best is None or score > best[0]:
                best = (score, span)
    return found(text, *best[1]) if best else None


def find_location(
    text: str, lines: Sequence[Line], taken: Sequence[Span]
) -> tuple[Found[str] | None, str | None]:
    """Return the place where the candidate lives, and the country if it is written.

    Parameters
    ----------
    taken : sequence of (int, int)
        Where the name stands.
    """
    lone: Found[str] | None = None
    for line in lines[:_MAX_LINES]:
        for start, end in pieces(text, line.start, line.end, _ITEMS):
            if any(first < end and start < last for first, last in taken):
                continue
            label = _PLACE_LABEL.match(text, start, end)
            begin = trim(text, label.end() if label else start, end, _SIGNS)[0]
            spans = pieces(text, begin, end, _PLACE_PARTS)
            parts = [text[slice(*span)] for span in spans]
            first = _first_of_place(parts)
            region = region_of(parts[-1]) if parts else None
            if first == 1 and len(parts) == 3 and _is_city_and_region(parts):
                first = 0
            if first is not None and (region or label):
                return found(text, spans[first][0], spans[-1][1]), region
            if label and parts and _is_labelled_place(parts):
                city = next((i for i, part in enumerate(parts) if is_postcode_and_city(part)), 0)
                return found(text, spans[city][0], spans[-1][1]), None
            if lone is None and _is_lone_place(parts):
                lone = found(text, spans[0][0], spans[-1][1])
            elif lone is None and len(parts) > 1 and _is_lone_place(parts[-1:]):
                lone = found(text, *spans[-1])
    return lone, region_of(lone.value) if lone else None


def _first_of_place(parts: list[str]) -> int | None:
    """Return the index of the city in "12 High Street, Leeds LS1 4AP, UK"; None if no place."""
    if not 2 <= len(parts) <= 7:
        return None
    size = place_at_end(parts, 0)
    if size < 2 or region_of(parts[-1]) is None:
        return None
    first = len(parts) - size
    return first if could_be_city(parts[first]) or region_of(parts[first]) else None


def _is_city_and_region(parts: list[str]) -> bool:
    """Return whether the parts are like "Kochi, Kerala, India", and no street before a town."""
    numbered = any(map(str.isdigit, "".join(parts)))
    return not numbered and could_be_city(parts[0])


def _is_lone_place(parts: list[str]) -> bool:
    return len(parts) == 1 and (is_known_place(parts[0]) or is_postcode_and_city(parts[0]))


def _is_labelled_place(parts: list[str]) -> bool:
    written = ", ".join(parts)
    return len(written) <= _MAX_LABELLED and not _NOT_A_PLACE.search(written)


def _as_name(
    text: str, start: int, end: int, *, labelled: bool, handles: Sequence[str]
) -> Span | None:
    """Return the span of the name if ``text[start:end]`` is one, without titles and degrees."""
    if end - start > 80:
        return None
    start, end = trim(text, start, end, _SIGNS)
    aside = _ASIDE.search(text, start, end)
    end = aside.start() if aside else end
    while honorific := _HONORIFIC.match(text, start, end):
        start = honorific.end()
    parts = pieces(text, start, end, _COMMA)
    if not parts:
        return None
    if len(parts) > 1 and not all(
        _CREDENTIAL.fullmatch(word) for span in parts[1:] for word in text[slice(*span)].split()
    ):
        surname_first = _is_surname_first(text, parts, labelled, handles)
        return (parts[0][0], parts[1][1]) if surname_first else None
    start, end = parts[0]
    words = text[start:end].split()
    while len(words) > 2 and _CREDENTIAL.fullmatch(words[-1]) and len(words[-1]) > 2:
        end = start + text[start:end].rindex(words[-1])
        start, end = trim(text, start, end, ",")
        words = words[:-1]
    return (start, end) if _is_name(words, labelled, handles) else None


def _is_surname_first(
    text: str, parts: Sequence[Span], labelled: bool, handles: Sequence[str]
) -> bool:
    """Return whether the parts are like "Nowak, Anna": so are "Leeds, Kent" and two skills.

    An address or a label must therefore say that they are a name.
    """
    if len(parts) != 2:
        return False
    written = " ".join(text[slice(*part)] for part in parts)
    sure = labelled or _is_confirmed(written, handles)
    return sure and _is_name(written.split(), labelled, handles)


def _is_name(words: list[str], labelled: bool, handles: Sequence[str]) -> bool:
    written = " ".join(words)
    if not all(_NAME_WORD.fullmatch(word) for word in words) or len(words) > 6:
        return False
    if never_in_names(written) or is_known_place(written):
        return False
    if words[0].isascii() is False and not any(c.isupper() or c.islower() for c in written):
        return 2 <= sum(map(len, words)) <= 30  # Chinese, Arabic, Hindi: no capitals, few spaces
    if len(words) < 2:
        return labelled
    capitals = all(word[0].isupper() or _PARTICLE.match(word) for word in words)
    long_enough = any(len(word) > 2 for word in words)
    return long_enough and (capitals or labelled or _is_confirmed(written, handles))


def _is_confirmed(name: str, handles: Sequence[str]) -> bool:
    """Return whether an e-mail name or profile holds a word of ``name``."""
    parts = [part for part in re.split(r"[\s.'’-]+", plain(name)) if len(part) > 2]
    return any(part in plain(handle) for part in parts for handle in handles)

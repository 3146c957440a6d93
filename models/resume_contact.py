"""How to reach a candidate: e-mail addresses, phone numbers and links."""

import re
from collections.abc import Iterable, Sequence

import phonenumbers

from models.extract import Link
from models.resume_fields import Found, Phone, WebLink
from models.resume_lines import Line, Span, merged, overlaps, trim

_EMAIL = re.compile(
    r"(?<![\w.+%/-])[a-z0-9][\w.+%-]{0,62}@(?:[a-z0-9][a-z0-9-]{0,62}\.){1,4}[a-z]{2,24}(?![\w@-])",
    re.IGNORECASE,
)
_URL = re.compile(
    r"(?<![\w@.])(?:https?://|www\.)[^\s<>()\[\]{}|\"'“”,;•·]{3,300}"
    r"|(?<![\w@./-])(?:[a-z]{2,3}\.)?(?:linkedin|github|gitlab|bitbucket|stackoverflow|kaggle"
    r"|medium|behance|dribbble|twitter|x|leetcode|huggingface|orcid|xing|researchgate)"
    r"\.(?:com|org|io|net|co)/[^\s<>()\[\]{}|\"'“”,;•·]{1,200}",
    re.IGNORECASE,
)
_BARE_DOMAIN = re.compile(
    r"(?<![\w@./-])(?:[a-z0-9][a-z0-9-]{0,40}\.){1,3}"
    r"(?:com|org|net|io|dev|me|co|app|ai|tech|design|info|eu|de|fr|es|it|nl|ch|at|uk|us|ca|in|page"
    r"|site|online|blog|xyz|art|studio)(?![\w.@-])(?:/[^\s<>()|,;•·]{0,150})?"
)
_LABEL_BEFORE = re.compile(
    r"(?:^|[|•·,;\t]|\s)(?:web ?site|web|portfolio|blog|home ?page|site|url)\s*:?\s*$", re.I
)
_KINDS = {
    "linkedin.com": "linkedin", "github.com": "github", "gitlab.com": "gitlab", "xing.com": "xing",
    "bitbucket.org": "bitbucket", "stackoverflow.com": "stackoverflow", "kaggle.com": "kaggle",
    "twitter.com": "twitter", "x.com": "twitter", "orcid.org": "orcid", "github.io": "portfolio",
    "behance.net": "portfolio", "dribbble.com": "portfolio", "medium.com": "blog",
}  # fmt: skip

_PHONE = re.compile(
    r"(?<![\w+/.,:@=-])(?P<number>(?:\+ ?|00)?\(?[0-9](?:[ ().\-/\u2010-\u2015]{0,3}[0-9]){6,15})"
    r"(?![\w@])(?!\.[0-9])"
)
_PHONE_LABEL = re.compile(
    r"(?:phone|mobile|mob|cell|tel|telephone|telefon|handy|mobil|téléphone|portable|teléfono|móvil"
    r"|whatsapp|contact(?: no| number)?|ph|call|[tmpch])\s?(?:no|number|nr)?\s?[.:)]{0,2}\s?$",
    re.IGNORECASE,
)
_LABEL_LENGTH = 24
_UNLABELLED_DIGITS = 9  # fewer may be anything
_MOST_DIGITS = 15  # of E.164; more are an account, or an ORCID
_MAX_OF_EACH = 20


def find_emails(
    text: str, excluded: Sequence[Span], links: Sequence[Link]
) -> tuple[Found[str], ...]:
    """Return the e-mail addresses, each once, outside of ``excluded``."""
    addresses = [
        Found(match[0], *match.span())
        for match in _EMAIL.finditer(text)
        if not overlaps(excluded, *match.span())
    ]
    for link, place in zip(links, _places(text, links), strict=True):
        address = link.target.partition(":")[2].partition("?")[0]
        if link.target.lower().startswith("mailto:") and _EMAIL.fullmatch(address):
            addresses.append(Found(address, *place))
    once: dict[str, Found[str]] = {}
    for found in addresses:
        once.setdefault(found.value.casefold(), found)
    return tuple(once.values())[:_MAX_OF_EACH]


def find_links(
    text: str, lines: Sequence[Line], excluded: Sequence[Span], links: Sequence[Link]
) -> tuple[Found[WebLink], ...]:
    """Return the links of the whole text, each once.

    Parameters
    ----------
    lines : sequence of Line
        Those about the candidate: a bare domain counts there alone, on its own or after a label.
    excluded : sequence of (int, int)
        Where nothing is about the candidate, and where there are e-mail addresses.
    links : sequence of Link
        Hyperlinks, whose targets are not in the text.
    """
    places = [match.span() for match in _URL.finditer(text)]
    for line in lines:
        places += [
            match.span()
            for match in _BARE_DOMAIN.finditer(text, line.start, line.end)
            if _stands_alone(text, line, match)
        ]
    read = [
        _web_link(text[start:end], _trim_url(text, start, end), lines)
        for start, end in merged(places)
        if not overlaps(excluded, start, end)
    ]
    read += [
        _web_link(link.target, place, lines)
        for link, place in zip(links, _places(text, links), strict=True)
        if link.target.lower().startswith("http")
    ]
    once: dict[str, Found[WebLink]] = {}
    for found in read:
        once.setdefault(_same(found.value.url), found)
    return tuple(once.values())[:_MAX_OF_EACH]


def find_phones(
    text: str,
    lines: Sequence[Line],
    dates: Sequence[Span],
    region: str | None,
    links: Sequence[Link],
) -> tuple[Found[Phone], ...]:
    """Return the phone numbers in ``lines``, each once.

    Parameters
    ----------
    dates : sequence of (int, int)
        Where dates stand, which are no numbers.
    region : str or None
        The country (ISO 3166) of numbers without a country code, when it is known.
    """
    read: dict[str, Found[Phone]] = {}
    for line in lines:
        for match in _PHONE.finditer(text, line.start, line.end):
            start, end = match.span("number")
            raw = match["number"]
            digits = sum(map(str.isdigit, raw))
            labelled = _PHONE_LABEL.search(text, max(line.start, start - _LABEL_LENGTH), start)
            if overlaps(dates, start, end) or digits > _MOST_DIGITS:
                continue
            if labelled or raw[0] == "+" or digits >= _UNLABELLED_DIGITS:
                phone = _phone(raw, region)
                read.setdefault(phone.e164 or _digits(raw), Found(phone, start, end))
    for link, place in zip(links, _places(text, links), strict=True):
        number = link.target.partition(":")[2]
        if link.target.lower().startswith("tel:") and _PHONE.fullmatch(number):
            known = any(_digits(number).endswith(_digits(p.value.raw)[-7:]) for p in read.values())
            if not known:
                read[number] = Found(_phone(number, region), *place)
    return tuple(read.values())[:_MAX_OF_EACH]


def _phone(raw: str, region: str | None) -> Phone:
    number = "+" + raw[2:] if raw.startswith("00") else raw
    try:
        parsed = phonenumbers.parse(number, None if number[0] == "+" else region)
    except phonenumbers.NumberParseException:
        return Phone(raw, None, valid=False)
    if not phonenumbers.is_possible_number(parsed):
        return Phone(raw, None, valid=False)
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return Phone(raw, e164, phonenumbers.is_valid_number(parsed))


def _digits(raw: str) -> str:
    return "".join(filter(str.isdigit, raw))


def _stands_alone(text: str, line: Line, match: re.Match[str]) -> bool:
    """Return whether the domain is an item of its line, or comes after "Website:"."""
    before, after = text[line.start : match.start()].rstrip(), text[match.end() : line.end].lstrip()
    return bool(_LABEL_BEFORE.search(before[-20:] + " ")) or (
        (
            before[-1:] in ("", "|", "•", "·", ",", ";", "-", "–", "—", "/")
            or before.endswith("\t")
            or text[match.start() - 1] == "\t"
            or _EMAIL.search(before[-80:]) is not None
        )
        and (after[:1] in ("", "|", "•", "·", ",", ";", "-", "–", "—"))
    )


def _trim_url(text: str, start: int, end: int) -> Span:
    return trim(text, start, end, also=".:!?*_")


def _web_link(written: str, place: Span, lines: Iterable[Line]) -> Found[WebLink]:
    url = written.rstrip(".:!?*_ ")
    host = url.partition("://")[2] or url
    host = host.partition("/")[0].casefold().removeprefix("www.")
    kind = next(
        (k for name, k in _KINDS.items() if host == name or host.endswith("." + name)), None
    )
    if kind is None:
        about = any(line.start <= place[0] < line.end for line in lines)
        kind = "portfolio" if about else "other"
    return Found(WebLink(kind, url if "://" in url else f"https://{url}"), *place)


def _same(url: str) -> str:
    return url.casefold().partition("://")[2].removeprefix("www.").rstrip("/")


def _places(text: str, links: Sequence[Link]) -> list[Span]:
    """Return where the label of each hyperlink stands in ``text``, or (-1, -1).

    The same label twice stands at its first and at its second place.
    """
    places: list[Span] = []
    reached: dict[str, int] = {}
    for link in links:
        label = link.text.strip()
        whole = re.compile(rf"(?<![\w@./]){re.escape(label)}(?![\w@])")
        match = whole.search(text, reached.get(label, 0)) if label else None
        places.append(match.span() if match else (-1, -1))
        if match:
            reached[label] = match.end()
    return places

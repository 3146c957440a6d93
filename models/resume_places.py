"""Cities, states and countries as resumes write them."""

import importlib.util
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import phonenumbers

from models.resume_words import organisation_words, plain, title_words, word_set

_STATES = word_set(
    """AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ
    NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC"""
)
_STATE_NAMES = word_set(
    """alabama alaska arizona arkansas california colorado connecticut delaware florida hawaii
    idaho illinois indiana iowa kansas kentucky louisiana maine maryland massachusetts
    michigan minnesota mississippi missouri montana nebraska nevada new~hampshire new~jersey
    new~mexico new~york north~carolina north~dakota ohio oklahoma oregon pennsylvania
    rhode~island south~carolina south~dakota tennessee texas utah vermont virginia washington
    west~virginia wisconsin wyoming"""
)
_PROVINCES = word_set("ON QC BC AB MB SK NS NB NL PE YT NT NU")
_OTHER_NAMES = {
    "usa": "US", "u.s.a.": "US", "us": "US", "u.s.": "US", "america": "US", "the usa": "US",
    "uk": "GB", "u.k.": "GB", "great britain": "GB", "england": "GB", "scotland": "GB",
    "wales": "GB", "northern ireland": "GB", "uae": "AE", "u.a.e.": "AE", "korea": "KR",
    "south korea": "KR", "russia": "RU", "vietnam": "VN", "czech republic": "CZ", "czechia": "CZ",
    "turkey": "TR", "türkiye": "TR", "turkiye": "TR", "the netherlands": "NL", "holland": "NL",
    "hong kong": "HK", "taiwan": "TW", "ivory coast": "CI", "tanzania": "TZ", "iran": "IR",
    "syria": "SY", "bolivia": "BO", "venezuela": "VE", "moldova": "MD", "macedonia": "MK",
}  # fmt: skip
_LANGUAGES = ("en", "de", "fr", "es", "it", "pt")

# Cities known well enough to be a place with no country beside them.
_CITIES = word_set(
    """amsterdam ankara athens atlanta auckland austin bangalore bengaluru bangkok barcelona
    beijing belgrade berlin bogotá boston brisbane brussels bucharest budapest buenos~aires
    cairo cape~town casablanca chennai chicago cologne copenhagen dallas delhi denver detroit
    dubai dublin düsseldorf edinburgh frankfurt geneva glasgow hamburg hanoi helsinki houston
    hyderabad istanbul jakarta johannesburg karachi kolkata kraków kuala~lumpur kyiv köln
    lagos lahore leeds leipzig lille lima lisbon lisboa london los~angeles lyon madrid
    manchester manila marseille medellín melbourne mexico~city miami milan milano montreal
    montréal moscow mumbai munich münchen nairobi new~delhi new~york new~york~city nyc oslo
    ottawa paris philadelphia phoenix porto prague pune riga rio~de~janeiro rome rotterdam
    san~diego san~francisco san~jose santiago seattle seoul shanghai singapore sofia stockholm
    stuttgart sydney são~paulo tallinn tel~aviv tokyo toronto toulouse turin utrecht valencia
    vancouver vienna vilnius warsaw washington wien zagreb zurich zürich"""
)
_REMOTE = frozenset({"remote", "hybrid", "on-site", "onsite", "home office", "remoto"})

_POSTCODE = re.compile(r"\b(?:[0-9]{4,6}(?:-[0-9]{4})?|[0-9]{3} [0-9]{2}"
                       r"|[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}"
                       r"|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9])\b")  # fmt: skip
_POSTCODE_AND_CITY = re.compile(
    r"(?:[A-Z]{1,2}-)?(?:[0-9]{4,5}|[0-9]{3} [0-9]{2})"
    r" [^\W\d_][^\W\d_ .'’-]*(?: [^\W\d_.'’-]+){0,3}"
)
_CITY = re.compile(r"[^\W\d_][\w .'’()-]*")


def _locales() -> Mapping[str, Mapping[str, str]]:
    """Return what phonenumbers knows of the names of countries, by region and language.

    The file alone: its package imports the places of all numbers of the world, which are 98 MB.
    """
    file = Path(phonenumbers.__file__).parent / "geodata" / "locale.py"
    spec = importlib.util.spec_from_file_location("phonenumbers.geodata.locale", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    locales: Mapping[str, Mapping[str, str]] = module.LOCALE_DATA
    return locales


_LOCALES = _locales()


@cache
def _countries() -> dict[str, str]:
    names = dict[str, str]()
    for region, translations in _LOCALES.items():
        for language in _LANGUAGES:
            name = translations.get(language, "")
            while name.startswith("*"):
                name = translations.get(name[1:], "")
            if name:
                names.setdefault(plain(name), region)
    return {**names, **_OTHER_NAMES}


def region_of(part: str) -> str | None:
    """Return the ISO code of the country that ``part`` (Austria, TX, Ontario, USA) lies in."""
    part = _POSTCODE.sub("", part).strip(" .,()") or part
    if part in _STATES:
        return "US"
    if part in _PROVINCES:
        return "CA"
    name = plain(part)
    return _countries().get(name) or ("US" if name in _STATE_NAMES else None)


def is_known_place(part: str) -> bool:
    """Return whether ``part`` is a country, a state, a big city, or says that work was remote."""
    bare = _POSTCODE.sub("", part).strip(" .,()")
    return plain(bare) in _known_cities() or plain(bare) in _REMOTE or region_of(bare) is not None


def could_be_city(part: str) -> bool:
    """Return whether ``part`` is one to four capitalised words that name nothing else."""
    bare = _POSTCODE.sub("", part).strip(" .,()")
    return (
        _CITY.fullmatch(bare) is not None
        and not bare[0].islower()
        and len(bare.split()) <= 4
        and (bare.endswith(" City") or not (title_words(bare) or organisation_words(bare)))
    )


def is_postcode_and_city(part: str) -> bool:
    """Return whether ``part`` is like "10115 Berlin"."""
    return _POSTCODE_AND_CITY.fullmatch(part) is not None


def place_at_end(parts: list[str], keep: int) -> int:
    """Return how many of ``parts``, split at commas, the place at their end takes.

    The first ``keep`` parts are never a place. "Mountain View, CA, USA" are three.
    """
    count = 0
    while count < len(parts) - keep and region_of(parts[-1 - count]) and count < 2:
        count += 1
    left = len(parts) - count
    if left > keep and (could_be_city(parts[left - 1]) or is_known_place(parts[left - 1])):
        count += 1
    return count


@cache
def _known_cities() -> frozenset[str]:
    return frozenset(plain(city) for city in _CITIES)

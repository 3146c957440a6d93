"""What the readers of PDF, DOCX and plain text hand over, and the limits they keep."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt

from models.errors import UnsupportedTypeError

MEBIBYTE = 1024 * 1024

Kind = Literal["pdf", "docx", "text"]

_MAX_TARGET = 500
_MAX_LINKS = 100
_LINK_SCHEME = re.compile(r"(?:https?://|mailto:|tel:)[^\s<>]+", re.IGNORECASE)

# What no reader sees but a program reads: controls, zero-width spaces, direction overrides, tags.
# The joiners U+200C and U+200D stay: Persian and Indic names need them.
_DROPPED = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_TAGS = re.compile("[\U000e0000-\U000e0fff]")
_LIGATURES = str.maketrans(
    {c: unicodedata.normalize("NFKC", chr(c)) for c in range(0xFB00, 0xFB07)}
)
_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile("[ \xa0\u2000-\u200a\u202f\u205f\u3000]+")
_TRAILING = re.compile(r"[ \t]+$|(?<=^)[ ]+", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{3,}")


class Limits(BaseModel):
    """How much of everything one document may take.

    Attributes
    ----------
    max_bytes, max_pages : int
        Size of the upload, pages of a PDF.
    max_chars : int
        Longer text is cut there, with a warning.
    seconds : float
        Wall-clock time for one document; the child is killed after it.
    memory_bytes : int
        The whole address space (RLIMIT_AS) of a child; an idle one takes about 150 MB of it.
    max_entries, max_unpacked_bytes : int
        Files in a DOCX; bytes that a DOCX, or the streams of a PDF without its pictures, unpack to.
    documents_per_child : int
        After so many documents a child is replaced by a fresh one.
    queue_seconds : float
        How long a request waits for a free child.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_bytes: PositiveInt = 5 * MEBIBYTE
    max_pages: PositiveInt = 30
    max_chars: PositiveInt = 200_000
    seconds: PositiveFloat = 10.0
    memory_bytes: PositiveInt = 1024 * MEBIBYTE
    max_entries: PositiveInt = 1_000
    max_unpacked_bytes: PositiveInt = 64 * MEBIBYTE
    documents_per_child: PositiveInt = 200
    queue_seconds: PositiveFloat = 30.0


@dataclass(frozen=True)
class Link:
    """A hyperlink: the text people click on, empty for an icon, and where it leads."""

    text: str
    target: str


@dataclass(frozen=True)
class Document:
    """The text of a document as people see it.

    Attributes
    ----------
    text : str
        One line for each line or paragraph, an empty one between blocks; cells of a row are
        parted by a tab, items of a list begin with a bullet.
    kind : {"pdf", "docx", "text"}
        By content.
    pages : int or None
        Known for a PDF alone.
    links : tuple of Link
        Targets are no visible text, so they are not in ``text``.
    invisible_chars : int
        Letters and digits left out of ``text`` because nobody can see them.
    warnings : tuple of str
        What a person should know about the reading; nothing of the content.
    """

    text: str
    kind: Kind
    pages: int | None = None
    links: tuple[Link, ...] = ()
    invisible_chars: int = 0
    warnings: tuple[str, ...] = ()


def usable_links(links: list[Link]) -> tuple[Link, ...]:
    """Return the links that lead to the web, a mailbox or a phone, each once."""
    found = dict.fromkeys(
        Link(tidy(link.text)[:_MAX_TARGET].strip(), link.target)
        for link in links
        if len(link.target) <= _MAX_TARGET and _LINK_SCHEME.fullmatch(link.target)
    )
    return tuple(found)[:_MAX_LINKS]


def tidy(text: str) -> str:
    """Return ``text`` with one kind of line break and space, and nothing that cannot be seen."""
    text = unicodedata.normalize("NFC", text.translate(_LIGATURES))
    text = _LINE_BREAKS.sub("\n", text)
    text = _SPACES.sub(" ", _DROPPED.sub("", text))
    text = _TRAILING.sub("", text)
    return _BLANK_LINES.sub("\n\n", text).strip("\n")


def count_tags(text: str) -> int:
    """Return how many of Unicode's invisible tag characters hide in ``text``."""
    return len(_TAGS.findall(text))


def count_letters(text: str) -> int:
    """Return the number of letters and digits."""
    return sum(map(str.isalnum, text))


def refuse_type(
    what: str, advice: str = "Send it as PDF, DOCX or plain text."
) -> UnsupportedTypeError:
    """Return the error for a content that is not read here."""
    return UnsupportedTypeError(f"The file is {what}. {advice}")

"""Read the words that people can see on one page of a PDF, with their places."""

import ctypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pypdfium2.raw as raw  # type: ignore[import-untyped]

from models.extract import count_letters
from models.pdf_lines import Word
from models.pdf_visibility import Box, Objects, Renderings, Style, objects_of, style_of, text_object

_ICON_FONT = re.compile(r"awesome|icon|marvosym|fontello|symbols?(?:outlined|rounded|sharp)")
_BULLET_FONT = re.compile(r"wingdings|webdings|dingbats")
_SOFT_BREAK = 0x02  # how pdfium hands over a hyphen at the end of a line
_HYPHENS = ("\x02", "\ufffe")
_PRIVATE = re.compile("[\ue000-\uf8ff]")  # where fonts keep their own bullets and icons
_BULLET = "•"
_UPRIGHT = 10.0  # degrees
_SCANNED = 0.5  # share of the page; only a larger picture can be its scan
_OCR_SHARE = 0.8  # of the recognised letters with ink behind them


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters of one text object with no space between them, and where they are displayed.

    ``first`` and ``last`` are indices in pdfium's list of characters, which has the spaces too.
    """

    text: str
    style: Style
    box: Box
    baseline: float
    first: int
    last: int
    is_upright: bool


@dataclass(frozen=True)
class Frame:
    """The visible part of a page in user space, and how often it is turned clockwise."""

    left: float
    bottom: float
    right: float
    top: float
    quarter_turns: int

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point is seen, measured from the upper left corner."""
        if self.quarter_turns == 0:
            return x - self.left, self.top - y
        turned = {
            1: (y - self.bottom, x - self.left),
            2: (self.right - x, y - self.bottom),
            3: (self.top - y, self.right - x),
        }
        return turned[self.quarter_turns]

    def box(self, left: float, bottom: float, right: float, top: float) -> Box:
        """Return where a rectangle is seen."""
        (x1, y1), (x2, y2) = self.point(left, bottom), self.point(right, top)
        return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)

    def contains(self, box: Box) -> bool:
        """Tell whether the middle of a seen rectangle is on the page."""
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        right, bottom = max(self.right - self.left, 0.0), max(self.top - self.bottom, 0.0)
        if self.quarter_turns % 2:
            right, bottom = bottom, right
        return 0 <= x <= right and 0 <= y <= bottom


@dataclass(frozen=True)
class PageWords:
    """The words of a page that people can see.

    Attributes
    ----------
    upright, turned : list of Word
        ``turned`` is written in another direction than the page.
    shapes : list of Box
        What is drawn beside the text, such as the lines of a table.
    letters, invisible : int
        Letters and digits in the words, and those left out because nobody can see them.
    is_blank : bool
        Nothing at all is drawn.
    has_scan : bool
        A picture covers most of the page.
    is_recognised : bool
        The words are those that a program recognised in the picture.
    """

    upright: list[Word]
    turned: list[Word]
    shapes: list[Box]
    letters: int
    invisible: int
    is_blank: bool
    has_scan: bool
    is_recognised: bool


def frame_of(page: pdfium.PdfPage) -> Frame:
    """Return the frame of ``page``."""
    left, bottom, right, top = page.get_bbox()
    return Frame(left, bottom, right, top, page.get_rotation() // 90)


def visible_words(page: pdfium.PdfPage, frame: Frame, max_chars: int) -> PageWords:
    """Return the words of ``page``; of a page with more than ``max_chars`` the first ones."""
    objects = objects_of(page)
    textpage = page.get_textpage()
    try:
        pieces = list(_pieces(textpage, frame, objects, max_chars))
        seen, is_recognised = _seen(page, frame, pieces, objects)
    finally:
        textpage.close()
    letters = _letters(seen)
    return PageWords(
        upright=list(_words([piece for piece in seen if piece.is_upright])),
        turned=list(_words([piece for piece in seen if not piece.is_upright])),
        shapes=[frame.box(*shape) for shape in (*objects.rules, *objects.shapes)],
        letters=letters,
        invisible=_letters(pieces) - letters,
        is_blank=not objects.top_level,
        has_scan=_has_scan(frame, objects),
        is_recognised=is_recognised,
    )


def _letters(pieces: Sequence[Piece]) -> int:
    return sum(count_letters(piece.text) for piece in pieces)


def _pieces(
    textpage: pdfium.PdfTextPage, frame: Frame, objects: Objects, max_chars: int
) -> Iterator[Piece]:
    """Yield the pieces of a page in the order of its stream, without icons."""
    handle = textpage.raw
    styles: dict[int, Style] = {}
    start, owner, text = 0, 0, ""
    count = min(raw.FPDFText_CountChars(handle), max_chars)
    # Two calls for each character are most of the time a page takes: keep them bare.
    for index in range(count + 1):
        code = raw.FPDFText_GetUnicode(handle, index) if index < count else 0
        char = chr(code) if 32 < code <= 0x10FFFF or code == _SOFT_BREAK else " "
        item = 0 if char.isspace() else text_object(handle, index) or 0
        if item == owner and text and text[-1] not in _HYPHENS:
            text += char if item else ""
            continue
        if owner and text:
            if owner not in styles:
                styles[owner] = style_of(handle, start, owner, objects)
            piece = _piece(handle, frame, styles[owner], text, start, index - 1)
            if piece.text:
                yield piece
        start, owner, text = index, item, char if item else ""


def _piece(handle: object, frame: Frame, style: Style, text: str, first: int, last: int) -> Piece:
    start, end = raw.FS_RECTF(), raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(handle, first, start)
    raw.FPDFText_GetLooseCharBox(handle, last, end)
    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(handle, first, x, y)
    turn = (style.angle - 90 * frame.quarter_turns + 180) % 360 - 180
    return Piece(
        text=_shown(text, style.font),
        style=style,
        box=frame.box(
            min(start.left, end.left),
            min(start.bottom, end.bottom),
            max(start.right, end.right),
            max(start.top, end.top),
        ),
        baseline=frame.point(x.value, y.value)[1],
        first=first,
        last=last,
        is_upright=abs(turn) <= _UPRIGHT,
    )


def _shown(text: str, font: str) -> str:
    """Return what characters stand for: nothing for icons, a bullet for an ornament."""
    if _ICON_FONT.search(font):
        return ""
    if _BULLET_FONT.search(font):
        return _BULLET
    return text if text.isascii() else _PRIVATE.sub(_BULLET, text)


def _seen(
    page: pdfium.PdfPage, frame: Frame, pieces: Sequence[Piece], objects: Objects
) -> tuple[list[Piece], bool]:
    """Return the pieces that people can see, and whether a program recognised them in a scan."""
    on_page = [piece for piece in pieces if frame.contains(piece.box)]
    drawn = [piece for piece in on_page if not piece.style.hidden]
    doubtful = {piece.style.item for piece in drawn if piece.style.doubtful}
    recognised = [piece for piece in on_page if piece.style.drawn_invisibly]
    if not drawn and recognised and _has_scan(frame, objects):
        renderings = Renderings(page, ())
        inked = sum(renderings.has_ink(piece.box) for piece in recognised)
        return (recognised, True) if inked >= _OCR_SHARE * len(recognised) else ([], False)
    if doubtful:
        # pdfium lists text that is drawn twice only once; both have to go to see the difference.
        unlisted = objects.texts - {piece.style.item for piece in pieces}
        renderings = Renderings(page, doubtful | unlisted)
        drawn = [
            piece for piece in drawn if not piece.style.doubtful or renderings.shows(piece.box)
        ]
    return drawn, False


def _has_scan(frame: Frame, objects: Objects) -> bool:
    area = (frame.right - frame.left) * (frame.top - frame.bottom)
    return objects.largest_picture > _SCANNED * area


def _words(pieces: Sequence[Piece]) -> Iterator[Word]:
    """Join pieces that follow one another, on the page as in the stream."""
    run: list[Piece] = []
    for piece in pieces:
        if run and (run[-1].text[-1] in _HYPHENS or _is_apart(run[-1], piece)):
            yield _word(run)
            run = []
        run.append(piece)
    if run:
        yield _word(run)


def _is_apart(last: Piece, piece: Piece) -> bool:
    size = max(last.style.size, piece.style.size)
    space = max(piece.box[0] - last.box[2], last.box[0] - piece.box[2])
    shift = abs(piece.baseline - last.baseline)
    return piece.first != last.last + 1 or (piece.is_upright and (space > size or shift > size))


def _word(run: Sequence[Piece]) -> Word:
    text = "".join(piece.text for piece in run)
    hyphenated = text[-1] in _HYPHENS
    largest = max(run, key=lambda piece: piece.style.size)
    return Word(
        text=f"{text[:-1]}-" if hyphenated else text,
        left=min(piece.box[0] for piece in run),
        right=max(piece.box[2] for piece in run),
        baseline=largest.baseline,
        size=largest.style.size,
        order=run[0].first,
        hyphenated=hyphenated,
    )

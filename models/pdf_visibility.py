"""Find the text of a PDF page that nobody can see.

Some of it shows in its own properties: drawn in invisible mode, transparent, tiny, off the page.
The rest depends on what lies behind and above it, so a page with any doubt is rendered twice,
with and without the text in doubt: a character under which no pixel changes is not seen.
"""

import ctypes
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pypdfium2.raw as raw  # type: ignore[import-untyped]

from models.errors import TooLargeError

_SMALLEST = 3.0  # points; resumes use 6 and more
_LIGHT = 128  # of 255; a brighter colour may be lost on white
_HAIRLINE = 3.0  # points; thinner shapes are rules and underlines
_MAX_OBJECTS = 100_000  # a page of text has some hundred
_MAX_SHAPES = 1_000
_MAX_DEPTH = 8

_PIXELS = 1_400  # the longer side of a rendering
_LEAST_CHANGE = 24  # of 255; less is not seen on a screen
_INK = 60  # the contrast of a scanned letter and its paper

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Style:
    """How one text object is drawn.

    Attributes
    ----------
    item : int
        Its address, which tells it from others while the page is open.
    size : float
        Height of the font on the page in points.
    angle : float
        Direction of writing in degrees, anticlockwise.
    hidden : bool
        It cannot be seen, whatever surrounds it.
    drawn_invisibly : bool
        It has the invisible mode of text recognition (and of keyword stuffing).
    doubtful : bool
        Only a rendering tells whether it can be seen.
    """

    item: int
    size: float
    angle: float
    font: str
    hidden: bool
    drawn_invisibly: bool
    doubtful: bool


@dataclass(frozen=True)
class Objects:
    """Everything that is drawn on a page.

    Attributes
    ----------
    shapes : list of Box
        Left, bottom, right and top of what is not text, in user space.
    rules : list of Box
        The same of what is too thin to be a shape.
    largest_picture : float
        In square points.
    texts, top_level : frozenset of int
        Addresses of all text objects, and of all objects that are not within a form.
    """

    shapes: list[Box]
    rules: list[Box]
    largest_picture: float
    texts: frozenset[int]
    top_level: frozenset[int]


# pdfium's own objects are told apart by their addresses, so those are what it returns here.
_Getter = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
_FormGetter = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong)
text_object = ctypes.cast(raw.FPDFText_GetTextObject, _Getter)
_page_object = ctypes.cast(raw.FPDFPage_GetObject, _Getter)
_form_object = ctypes.cast(raw.FPDFFormObj_GetObject, _FormGetter)


def _pointer(item: int) -> object:
    return ctypes.cast(item, raw.FPDF_PAGEOBJECT)


def objects_of(page: pdfium.PdfPage) -> Objects:
    """Return what is drawn on a page.

    Raises
    ------
    TooLargeError
        If it is more than anybody draws.
    """
    shapes: list[Box] = []
    rules: list[Box] = []
    picture = 0.0
    texts: set[int] = set()
    top_level = set()
    for count, (item, outermost) in enumerate(_walk(page)):
        if count >= _MAX_OBJECTS:
            raise TooLargeError(
                f"A page of the PDF is drawn with more than {_MAX_OBJECTS} objects."
                " Export it again, or send it as plain text."
            )
        pointer = _pointer(item)
        kind = raw.FPDFPageObj_GetType(pointer)
        if item == outermost:
            top_level.add(item)
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            texts.add(item)
            continue
        # Boxes within a form are in its own space: only those of the form itself tell anything.
        box = _bounds(_pointer(outermost))
        if box is None:
            continue
        width, height = box[2] - box[0], box[3] - box[1]
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            picture = max(picture, width * height)
        if item == outermost:
            (rules if min(width, height) < _HAIRLINE else shapes).append(box)
    return Objects(shapes, rules, picture, frozenset(texts), frozenset(top_level))


def _walk(page: pdfium.PdfPage) -> Iterator[tuple[int, int]]:
    """Yield the address of every object, and of the one on the page itself that holds it."""
    for index in range(raw.FPDFPage_CountObjects(page)):
        item = _page_object(page.raw, index)
        yield item, item
        yield from ((inner, item) for inner in _descendants(item, depth=0))


def _descendants(item: int, depth: int) -> Iterator[int]:
    pointer = _pointer(item)
    if depth > _MAX_DEPTH or raw.FPDFPageObj_GetType(pointer) != raw.FPDF_PAGEOBJ_FORM:
        return
    for index in range(max(raw.FPDFFormObj_CountObjects(pointer), 0)):
        inner = _form_object(item, index)
        if inner:
            yield inner
            yield from _descendants(inner, depth + 1)


def style_of(textpage: object, index: int, address: int, objects: Objects) -> Style:
    """Return how the text object at ``address``, met at character ``index``, is drawn."""
    item = _pointer(address)
    matrix = raw.FS_MATRIX()
    raw.FPDFText_GetMatrix(textpage, index, matrix)
    scale = min(math.hypot(matrix.a, matrix.b), math.hypot(matrix.c, matrix.d))
    size = abs(raw.FPDFText_GetFontSize(textpage, index)) * scale
    mode = raw.FPDFTextObj_GetTextRenderMode(item)
    drawn_invisibly = mode in (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)
    colour = _colour(item, stroked=mode == raw.FPDF_TEXTRENDERMODE_STROKE)
    transparent = colour is not None and colour[3] < _LEAST_CHANGE
    box = _bounds(item)
    return Style(
        item=address,
        size=size,
        angle=math.degrees(math.atan2(matrix.b, matrix.a)),
        font=_font_name(item),
        hidden=drawn_invisibly or transparent or size < _SMALLEST,
        drawn_invisibly=drawn_invisibly,
        doubtful=(
            address not in objects.top_level
            or colour is None
            or _is_light(colour)
            or _is_optional(item)
            or box is None
            or _meets_a_shape(box, objects)
            or _is_clipped(item, box)
        ),
    )


def _is_light(colour: tuple[int, int, int, int]) -> bool:
    red, green, blue, opacity = colour
    return 0.3 * red + 0.59 * green + 0.11 * blue >= _LIGHT or opacity < _LIGHT


def _colour(item: object, stroked: bool) -> tuple[int, int, int, int] | None:
    """Return red, green, blue and opacity, or None for a pattern."""
    read = raw.FPDFPageObj_GetStrokeColor if stroked else raw.FPDFPageObj_GetFillColor
    parts = [ctypes.c_uint() for _ in range(4)]
    if not read(item, *parts):
        return None
    red, green, blue, opacity = (part.value for part in parts)
    return red, green, blue, opacity


def _font_name(item: object) -> str:
    buffer = ctypes.create_string_buffer(128)
    raw.FPDFFont_GetBaseFontName(raw.FPDFTextObj_GetFont(item), buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace").casefold()


def _is_optional(item: object) -> bool:
    """Tell whether the object belongs to a layer, which may be switched off."""
    buffer = (ctypes.c_ushort * 8)()
    length = ctypes.c_ulong()
    for index in range(raw.FPDFPageObj_CountMarks(item)):
        mark = raw.FPDFPageObj_GetMark(item, index)
        raw.FPDFPageObjMark_GetName(mark, buffer, ctypes.sizeof(buffer), length)
        if length.value == 6 and bytes(buffer)[:4] == "OC".encode("utf-16-le"):
            return True
    return False


def _meets_a_shape(box: Box, objects: Objects) -> bool:
    if len(objects.shapes) > _MAX_SHAPES:
        return True
    return any(
        left < box[2] and right > box[0] and bottom < box[3] and top > box[1]
        for left, bottom, right, top in objects.shapes
    )


def _is_clipped(item: object, box: Box) -> bool:
    """Tell whether part of the object lies outside the frame it is clipped to."""
    clip = raw.FPDFPageObj_GetClipPath(item)
    for path in range(raw.FPDFClipPath_CountPaths(clip)):
        points = list(_points(clip, path))
        if not points:
            return True
        xs, ys = zip(*points, strict=True)
        if min(xs) > box[0] or min(ys) > box[1] or max(xs) < box[2] or max(ys) < box[3]:
            return True
    return False


def _points(clip: object, path: int) -> Iterator[tuple[float, float]]:
    x, y = ctypes.c_float(), ctypes.c_float()
    for index in range(raw.FPDFClipPath_CountPathSegments(clip, path)):
        segment = raw.FPDFClipPath_GetPathSegment(clip, path, index)
        if raw.FPDFPathSegment_GetPoint(segment, x, y):
            yield x.value, y.value


def _bounds(item: object) -> Box | None:
    edges = [ctypes.c_float() for _ in range(4)]
    if not raw.FPDFPageObj_GetBounds(item, *edges):
        return None
    left, bottom, right, top = (edge.value for edge in edges)
    return left, bottom, right, top


class Renderings:
    """A page with and without some of its text, in grey.

    Parameters
    ----------
    page : PdfPage
    items : iterable of int
        Addresses of text objects, switched off for the second rendering, and on again after it.
    """

    def __init__(self, page: pdfium.PdfPage, items: Iterable[int]) -> None:
        width, height = page.get_size()
        self._scale = _PIXELS / max(width, height, 1.0)
        self._with = self._render(page, width, height).astype(np.int16)
        pointers = [_pointer(item) for item in items]
        for item in pointers:
            raw.FPDFPageObj_SetIsActive(item, False)
        self._without = self._render(page, width, height).astype(np.int16)
        for item in pointers:
            raw.FPDFPageObj_SetIsActive(item, True)

    def _render(self, page: pdfium.PdfPage, width: float, height: float) -> np.ndarray:
        columns = max(1, math.ceil(width * self._scale))
        rows = max(1, math.ceil(height * self._scale))
        pixels = np.full((rows, columns), 255, dtype=np.uint8)
        bitmap = raw.FPDFBitmap_CreateEx(
            columns, rows, raw.FPDFBitmap_Gray, pixels.ctypes.data_as(ctypes.c_void_p), columns
        )
        raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, columns, rows, 0, 0)
        raw.FPDFBitmap_Destroy(bitmap)
        return pixels

    def shows(self, box: Box) -> bool:
        """Tell whether the text in doubt changes a pixel of ``box``."""
        area = self._area(box)
        change = np.abs(self._with[area] - self._without[area])
        return bool(change.size) and int(change.max()) >= _LEAST_CHANGE

    def has_ink(self, box: Box) -> bool:
        """Tell whether there is a letter, or anything like it, behind the text in doubt."""
        pixels = self._without[self._area(box)]
        return bool(pixels.size) and int(pixels.max() - pixels.min()) >= _INK

    def _area(self, box: Box) -> tuple[slice, slice]:
        left, top, right, bottom = (edge * self._scale for edge in box)
        columns = slice(max(0, math.floor(left)), max(0, math.ceil(right)))
        return slice(max(0, math.floor(top)), max(0, math.ceil(bottom))), columns

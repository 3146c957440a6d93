"""What a run of a DOCX looks like: its properties through styles, and whether anybody sees it."""

import functools
from collections.abc import Iterator
from typing import cast

from docx.oxml.ns import nsmap, qn
from docx.oxml.xmlchemy import BaseOxmlElement as Element

_OFF = {"0", "false", "off", "none"}
_WHITE = (255, 255, 255)
_LEAST_DIFFERENCE = 24  # of 255 in any channel; less is not seen
_SMALLEST = 6  # half-points
_HIGHLIGHTS = {"black": (0, 0, 0), "white": _WHITE}
_FILLS = tuple(
    f"{{{nsmap['a']}}}{name}" for name in ("solidFill", "gradFill", "blipFill", "pattFill")
)
_WORD_SHAPE = "{http://schemas.microsoft.com/office/word/2010/wordprocessingShape}wsp"
_VML = "{urn:schemas-microsoft-com:vml}"

Colour = tuple[int, int, int]


class Styles:
    """The styles of one document.

    Parameters
    ----------
    root : element w:styles
    """

    def __init__(self, root: Element) -> None:
        self._by_id = {style.get(qn("w:styleId")): style for style in root.findall(qn("w:style"))}
        self._defaults = root.find(_path("w:docDefaults", "w:rPrDefault", "w:rPr"))
        self._found: dict[tuple[str | None, ...], Element | None] = {}
        self._normal = next(
            (
                style.get(qn("w:styleId"))
                for style in root.findall(qn("w:style"))
                if style.get(qn("w:type")) == "paragraph" and style.get(qn("w:default")) == "1"
            ),
            None,
        )

    def is_heading(self, paragraph: Element) -> bool:
        """Tell whether the paragraph's style has a place in the outline."""
        return self._of_style(self._style_id(paragraph), "w:pPr", "w:outlineLvl") is not None

    def is_list_item(self, paragraph: Element) -> bool:
        """Tell whether a paragraph has a bullet or a number before it."""
        numbering = paragraph.find(_path("w:pPr", "w:numPr"))
        if numbering is None:
            numbering = self._of_style(self._style_id(paragraph), "w:pPr", "w:numPr")
        if numbering is None or self.is_heading(paragraph):
            return False
        return _value(numbering.find(qn("w:numId"))) not in (None, "0")

    def is_hidden(self, run: Element, paragraph: Element, sees_white: bool) -> bool:
        """Tell whether nobody sees a run: hidden, tiny, or of the colour of what is behind it.

        ``sees_white`` says that something dark may lie behind the text of this part.
        """
        vanish = self._property(run, paragraph, "w:vanish")
        if vanish is not None and (_value(vanish) or "1") not in _OFF:
            return True
        size = _value(self._property(run, paragraph, "w:sz"))
        if size is not None and size.isdigit() and int(size) < _SMALLEST:
            return True
        colour = _colour(self._property(run, paragraph, "w:color"))
        if colour is None:
            return False
        behind = self._background(run, paragraph)
        if behind == _WHITE and sees_white:
            return False
        return behind is not None and all(
            abs(a - b) < _LEAST_DIFFERENCE for a, b in zip(colour, behind, strict=True)
        )

    def _style_id(self, paragraph: Element) -> str | None:
        return _value(paragraph.find(_path("w:pPr", "w:pStyle"))) or self._normal

    def _chain(self, style_id: str | None) -> Iterator[Element]:
        """Yield a style and those it is based on."""
        seen = set()
        while style_id in self._by_id and style_id not in seen:
            seen.add(style_id)
            style = self._by_id[style_id]
            yield style
            style_id = _value(style.find(qn("w:basedOn")))

    def _of_style(self, style_id: str | None, *path: str) -> Element | None:
        """Return the element at ``path`` in a style, or in the nearest it is based on."""
        key = (style_id, *path)
        if key not in self._found:
            hits = (style.find(_path(*path)) for style in self._chain(style_id))
            self._found[key] = next((hit for hit in hits if hit is not None), None)
        return self._found[key]

    def _property(self, run: Element, paragraph: Element, name: str) -> Element | None:
        """Return the nearest element ``name`` of the run: its own, its styles', the default."""
        own = run.find(qn("w:rPr"))
        if own is not None:
            found = own.find(qn(name))
            if found is None:
                found = self._of_style(_value(own.find(qn("w:rStyle"))), "w:rPr", name)
            if found is not None:
                return cast("Element", found)
        found = self._of_style(self._style_id(paragraph), "w:rPr", name)
        if found is None and self._defaults is not None:
            return cast("Element | None", self._defaults.find(qn(name)))
        return found

    def _background(self, run: Element, paragraph: Element) -> Colour | None:
        """Return the colour behind a run, None when only a rendering would tell."""
        highlight = _value(self._property(run, paragraph, "w:highlight"))
        if highlight and highlight != "none":
            return _HIGHLIGHTS.get(highlight)
        for shade in self._shades(run, paragraph):
            if shade is not None and shade.get(qn("w:fill"), "auto") != "auto":
                return _rgb(shade.get(qn("w:fill")))
        in_colour = any(
            self._has_coloured_style(parent) or _is_filled_shape(parent)
            for parent in paragraph.iterancestors()
        )
        return None if in_colour else _WHITE

    def _shades(self, run: Element, paragraph: Element) -> Iterator[Element | None]:
        """Yield the shadings that may lie behind a run, the nearest first."""
        yield self._property(run, paragraph, "w:shd")
        yield paragraph.find(_path("w:pPr", "w:shd"))
        yield self._of_style(self._style_id(paragraph), "w:pPr", "w:shd")
        for parent in paragraph.iterancestors(qn("w:tc"), qn("w:tbl")):
            yield parent.find(f"{parent.tag}Pr/{qn('w:shd')}")

    def _has_coloured_style(self, table: Element) -> bool:
        if table.tag != qn("w:tbl"):
            return False
        styles = self._chain(_value(table.find(_path("w:tblPr", "w:tblStyle"))))
        shades = (shade for style in styles for shade in style.iter(qn("w:shd")))
        return any(shade.get(qn("w:fill"), "auto") != "auto" for shade in shades)


@functools.cache
def _path(*names: str) -> str:
    return "/".join(map(qn, names))


def _value(element: Element | None) -> str | None:
    return None if element is None else element.get(qn("w:val"))


def _colour(element: Element | None) -> Colour | None:
    """Return the colour of ``w:color``, or None for the automatic or an unknown one."""
    if element is None:
        return None
    if element.get(qn("w:themeColor")) in {"background1", "light1"}:
        return _WHITE
    return _rgb(element.get(qn("w:val")))


def _is_filled_shape(element: Element) -> bool:
    if element.tag != _WORD_SHAPE and not str(element.tag).startswith(_VML):
        return False
    return next(element.iter(*_FILLS), None) is not None or element.get("fillcolor") is not None


def _rgb(digits: str | None) -> Colour | None:
    try:
        red, green, blue = bytes.fromhex(digits or "")
    except ValueError:
        return None
    return red, green, blue

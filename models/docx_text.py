"""Read what people can see in a DOCX: headers, paragraphs, tables and text boxes in order."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import docx
from docx.document import Document as WordDocument
from docx.opc.exceptions import PackageNotFoundError
from docx.opc.part import XmlPart
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement as Element

from models.docx_package import check_package
from models.docx_styles import Styles
from models.errors import CorruptError, EmptyDocumentError, NoTextError
from models.extract import Document, Limits, Link, count_letters, usable_links

_BULLET = "• "
_XML_NO_MEMORY = 2  # libxml2's code for it, which lxml hands on as a syntax error
_ALTERNATE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_ANCHOR = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}anchor"
_FIELD_LINK = re.compile(r'HYPERLINK\s+"([^"]+)"')
_FOLIO = re.compile(r"(?:\w{1,6}\.? )?\d{1,2}(?: ?(?:/|of|von|de) ?\d{1,2})?")

# Passed through to what is in them; everything unknown, and what was deleted, is left out.
_WRAPPERS = {
    qn(f"w:{name}")
    for name in ("sdt", "sdtContent", "smartTag", "customXml", "ins", "moveTo", "fldSimple")
}
_CHARACTERS = {
    qn("w:tab"): "\t",
    qn("w:ptab"): "\t",
    qn("w:br"): "\n",
    qn("w:cr"): "\n",
    qn("w:noBreakHyphen"): "-",
    qn("w:sym"): " ",
}


def read_docx(data: bytes, limits: Limits) -> Document:
    """Return what people can read in a DOCX.

    Raises
    ------
    UnsupportedTypeError, EncryptedError, CorruptError, TooLargeError, EmptyDocumentError
    NoTextError
    """
    check_package(data, limits)
    try:
        document = docx.Document(io.BytesIO(data))
    except (PackageNotFoundError, SyntaxError, KeyError, ValueError) as error:
        if getattr(error, "code", None) == _XML_NO_MEMORY:
            raise MemoryError from error
        raise CorruptError("The DOCX is damaged. Save it again and send the new file.") from error
    styles = Styles(document.styles.element)
    readers = [
        _PartReader(part, styles)
        for part in (*_headers(document), document.part, *_footers(document))
    ]
    for reader in readers:
        reader.read(2 * limits.max_chars)
    lines = [line for reader in readers for line in reader.lines]
    invisible = sum(reader.invisible for reader in readers)
    if not count_letters("".join(lines)):
        if invisible:
            raise NoTextError(
                "Nobody can see the text of this DOCX: it is hidden, tiny or of the colour of"
                " the paper. Send one with visible text."
            )
        if any(
            next(reader.part.element.iter(qn("a:blip")), None) is not None for reader in readers
        ):
            raise NoTextError(
                "The DOCX holds pictures but no text: it looks like a scan."
                " Send one with text, or run text recognition on it."
            )
        raise EmptyDocumentError("The DOCX holds no text. Send the one that does.")
    return Document(
        text="\n".join(lines),
        kind="docx",
        links=usable_links([link for reader in readers for link in reader.links]),
        invisible_chars=invisible,
    )


def _headers(document: WordDocument) -> Iterator[XmlPart]:
    for section in document.sections:
        kinds = [section.first_page_header] if section.different_first_page_header_footer else []
        for header in (*kinds, section.header):
            if not header.is_linked_to_previous:
                yield header.part


def _footers(document: WordDocument) -> Iterator[XmlPart]:
    for section in document.sections:
        kinds = [section.first_page_footer] if section.different_first_page_header_footer else []
        for footer in (*kinds, section.footer):
            if not footer.is_linked_to_previous:
                yield footer.part


@dataclass
class _PartReader:
    """Reads one part: the body, a header or a footer."""

    part: XmlPart
    styles: Styles
    lines: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    invisible: int = 0
    sees_white: bool = False

    def read(self, max_chars: int) -> None:
        """Fill ``lines``, ``links`` and ``invisible``; stop behind ``max_chars`` of text."""
        root = self.part.element
        is_body = root.tag == qn("w:document")
        # White text may stand on a dark shape that lies behind it; headers are behind it all.
        self.sees_white = any(
            not is_body or anchor.get("behindDoc") == "1" for anchor in root.iter(_ANCHOR)
        )
        body = root.find(qn("w:body")) if is_body else root
        for line in self._blocks(body if body is not None else root):
            if is_body or not _FOLIO.fullmatch(line):
                self.lines.append(line)
            max_chars -= len(line) + 1
            if max_chars < 0:
                return

    def _blocks(self, parent: Element) -> Iterator[str]:
        """Yield the lines of paragraphs and tables."""
        for child in _children(parent):
            if child.tag == qn("w:p"):
                yield from self._paragraph(child)
            elif child.tag == qn("w:tbl"):
                yield ""
                for row in _descend(child, qn("w:tr")):
                    cells = [list(self._blocks(cell)) for cell in _descend(row, qn("w:tc"))]
                    yield from _row_lines([_stripped(cell) for cell in cells])
                yield ""

    def _paragraph(self, paragraph: Element) -> Iterator[str]:
        """Yield the lines of a paragraph, and of the text boxes before or after its text."""
        text = "".join(self._inline(paragraph, paragraph))
        before: list[str] = []
        after: list[str] = []
        written = False
        for run in _runs(paragraph):
            for box in _text_boxes(run):
                (after if written else before).extend(["", *self._blocks(box), ""])
            written = written or bool(_plain_text(run).strip())
        yield from before
        if self.styles.is_heading(paragraph):
            yield ""
        elif text.strip() and self.styles.is_list_item(paragraph):
            text = _BULLET + text.lstrip()
        yield from text.split("\n")
        yield from after

    def _inline(self, parent: Element, paragraph: Element) -> Iterator[str]:
        """Yield the visible text of runs and hyperlinks."""
        for child in _children(parent):
            if child.tag == qn("w:r"):
                yield self._run(child, paragraph)
            elif child.tag == qn("w:hyperlink"):
                text = "".join(self._inline(child, paragraph))
                relation = self.part.rels.get(child.get(qn("r:id"), ""))
                if relation is not None and relation.is_external:
                    self.links.append(Link(text, relation.target_ref))
                yield text

    def _run(self, run: Element, paragraph: Element) -> str:
        for instruction in run.iterchildren(qn("w:instrText")):
            target = _FIELD_LINK.search(instruction.text or "")
            if target:
                self.links.append(Link("", target[1]))
        text = _plain_text(run)
        if text.strip() and self.styles.is_hidden(run, paragraph, self.sees_white):
            self.invisible += count_letters(text)
            return ""
        return text


def _children(parent: Element) -> Iterator[Element]:
    """Yield the children of an element, and those of the wrappers among them."""
    for child in parent.iterchildren():
        if child.tag in _WRAPPERS:
            yield from _children(child)
        elif child.tag == f"{_ALTERNATE}AlternateContent":
            yield from _children(_choice(child))
        else:
            yield child


def _descend(parent: Element, tag: str) -> Iterator[Element]:
    return (child for child in _children(parent) if child.tag == tag)


def _choice(alternate: Element) -> Element:
    """Return one of the forms in which the same content is written for old and new programs."""
    choice = alternate.find(f"{_ALTERNATE}Choice")
    fallback = alternate.find(f"{_ALTERNATE}Fallback")
    found = choice if choice is not None else fallback
    return alternate if found is None else found


def _runs(parent: Element) -> Iterator[Element]:
    for child in _children(parent):
        if child.tag == qn("w:r"):
            yield child
        elif child.tag == qn("w:hyperlink"):
            yield from _runs(child)


def _plain_text(run: Element) -> str:
    return "".join(
        (child.text or "") if child.tag == qn("w:t") else _CHARACTERS.get(child.tag, "")
        for child in _children(run)
    )


def _text_boxes(element: Element) -> Iterator[Element]:
    """Yield the text boxes drawn in an element, not those within a box."""
    for child in _children(element):
        if child.tag == qn("w:txbxContent"):
            yield child
        else:
            yield from _text_boxes(child)


def _stripped(lines: Sequence[str]) -> list[str]:
    return "\n".join(lines).strip("\n").split("\n")


def _row_lines(cells: Sequence[list[str]]) -> Iterator[str]:
    """Yield the lines of a table's row.

    Short cells stand side by side. A single long one follows the first lines of them all; where
    several are long, the table is there for the layout, and its cells are columns.
    """
    cells = [cell for cell in cells if any(cell)]
    long = [cell for cell in cells if len(cell) > 1]
    if len(long) <= 1:
        yield "\t".join(cell[0] for cell in cells)
        for cell in long:
            yield from cell[1:]
        return
    for cell in cells:
        yield from cell
        yield ""

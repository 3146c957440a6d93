"""Resume files with known content: PDF and DOCX made of the parts that a description names."""

import copy
import io
import re
from collections.abc import Iterator, Sequence
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Protocol, Self

import docx
import yaml
from docx.document import Document as WordDocument
from docx.enum.text import WD_TAB_ALIGNMENT
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.oxml.parser import OxmlElement
from docx.shared import Pt
from docx.text.paragraph import Paragraph
from fpdf import FPDF
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.errors import CareerlensError

_MARGIN = 54.0
_LEADING = 1.35
_COLUMN_GAP = 24.0
_SIZES = {"name": 18.0, "heading": 12.0, "bullet": 9.5, "plain": 9.5}
_RIGHT_EDGE = Pt(450)

_MARKS = (("= ", "name"), ("## ", "heading"), ("- ", "bullet"))
_RIGHT = " >> "
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_STYLES = {"name": "Title", "heading": "Heading 1", "bullet": "List Bullet", "plain": "Normal"}
_HYPERLINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"


class ResumeFilesError(CareerlensError):
    """The descriptions of resume files cannot be read."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KnownPosition(_Section):
    """An entry of the work history; dates as the parser gives them."""

    title: str | None = None
    organisation: str | None = None
    start: str | None = None
    end: str | None = None


class KnownStudy(_Section):
    """An entry of the education."""

    degree: str | None = None
    field: str | None = None
    institution: str | None = None
    start: str | None = None
    end: str | None = None
    grade: str | None = None


class KnownLanguage(_Section):
    """A language and how well it is spoken."""

    language: str
    level: str | None = None


class KnownCertification(_Section):
    """A certificate and its date."""

    name: str
    date: str | None = None


class Known(_Section):
    """What a resume says; ``years`` of work with overlaps counted once."""

    name: str
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    links: tuple[str, ...]
    location: str | None
    experience: tuple[KnownPosition, ...]
    education: tuple[KnownStudy, ...]
    skills: tuple[str, ...]
    languages: tuple[KnownLanguage, ...]
    certifications: tuple[KnownCertification, ...]
    years: float


class Part(_Section):
    """One part of a page; exactly one of its fields is given."""

    text: str | None = None
    columns: tuple[str, str] | None = None
    table: tuple[tuple[str, ...], ...] | None = None
    box: str | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("a part is one of text, columns, table and box")
        return self


class ResumeFile(_Section):
    """A resume: how its file is laid out, and what is to be read from it."""

    id: str
    format: Literal["pdf", "docx"]
    page_header: str = ""
    page_footer: str = ""
    parts: tuple[Part, ...]
    known: Known


class ResumeFiles(_Section):
    """Resumes, and the day until which "present" lasts in them."""

    today: date
    resumes: Annotated[tuple[ResumeFile, ...], Field(min_length=1)]


def read_resume_files(path: Path) -> ResumeFiles:
    """Return what the YAML file at ``path`` describes; its head says how.

    Raises
    ------
    ResumeFilesError
        If the file cannot be read, or a description lacks something.
    """
    try:
        return ResumeFiles.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ResumeFilesError(f"{path} cannot be read: {error}") from error


def build_file(resume: ResumeFile) -> bytes:
    """Return the file of ``resume``."""
    return _build_pdf(resume) if resume.format == "pdf" else _build_docx(resume)


def font_file(name: str = "DejaVuSans") -> Path:
    """Return a font of matplotlib's, with Latin, Cyrillic, Greek, Hebrew and Arabic letters."""
    found = find_spec("matplotlib")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / f"{name}.ttf"


class _Line(NamedTuple):
    """A line of a text, its mark taken off; ``right`` stands at the right margin."""

    kind: str
    left: str
    right: str


def _lines(text: str) -> Iterator[_Line]:
    for written in text.splitlines():
        kind = next((kind for mark, kind in _MARKS if written.startswith(mark)), "plain")
        content = written if kind == "plain" else written.partition(" ")[2]
        left, _, right = content.partition(_RIGHT)
        yield _Line(kind, left, right)


class _Pdf(FPDF):
    """Pages of A4 in points, with the header and footer of ``resume`` on each."""

    def __init__(self, resume: ResumeFile) -> None:
        super().__init__(unit="pt")
        self._resume = resume
        self.set_auto_page_break(False)
        self.add_font("body", fname=font_file())
        self.add_font("body", style="B", fname=font_file("DejaVuSans-Bold"))
        self.y_next = 0.0
        self.new_page()

    def new_page(self) -> None:
        """Begin a page with what stands on every one."""
        self.add_page()
        self.set_font("body", size=_SIZES["plain"])
        if self._resume.page_header:
            self.text(_MARGIN, _MARGIN / 2, self._resume.page_header.strip())
        if self._resume.page_footer:
            self.text(
                _MARGIN, self.h - _MARGIN / 2, f"{self._resume.page_footer.strip()} {self.page}"
            )
        self.y_next = _MARGIN * 1.2

    @property
    def width(self) -> float:
        """Width between the margins."""
        return float(self.w) - 2 * _MARGIN

    def write_text(self, text: str, x: float, width: float) -> None:
        """Draw a text below what is there."""
        for line in _lines(text):
            size = _SIZES[line.kind]
            self.set_font("body", style="B" if line.kind in ("name", "heading") else "", size=size)
            if self.y_next > self.h - _MARGIN:
                self.new_page()
                self.set_font("body", size=size)
            if line.right:
                room = self.get_string_width(line.right)
                self.text(x + width - room, self.y_next, line.right)
            indent = 10.0 if line.kind == "bullet" else 0.0
            if indent:
                self.text(x, self.y_next, "•")
            for row in self._wrapped(line.left, width - indent):
                self._write_row(row, x + indent)
                self.y_next += size * _LEADING

    def _wrapped(self, text: str, width: float) -> list[str]:
        """Return ``text`` in rows no wider than ``width``; the label of a link stays in one row."""
        rows = [""]
        for word in re.findall(r"\[[^\]]*\]\(\S+\)|\S+\s*|\s+", text):
            if rows[-1] and self.get_string_width(_LINK.sub(r"\1", rows[-1] + word)) > width:
                rows.append("")
            rows[-1] += word
        return rows

    def _write_row(self, row: str, x: float) -> None:
        end = 0
        for match in [*_LINK.finditer(row), None]:
            before = row[end : match.start() if match else len(row)]
            self.text(x, self.y_next, before)
            x += self.get_string_width(before)
            if match:
                end = match.end()
                room = self.get_string_width(match[1])
                self.text(x, self.y_next, match[1])
                self.link(x, self.y_next - 9, room, 12, match[2])
                x += room

    def write_columns(self, columns: Sequence[str]) -> None:
        """Draw texts side by side, one after the other; the longest gets most of the room."""
        longest = max(columns, key=len)
        room = self.width - _COLUMN_GAP
        top, x, ends = self.y_next, _MARGIN, []
        for column in columns:
            width = room * (2 / 3 if column is longest else 1 / 3)
            self.y_next = top
            self.write_text(column, x, width)
            ends.append(self.y_next)
            x += width + _COLUMN_GAP
        self.y_next = max(ends)

    def write_table(self, rows: Sequence[Sequence[str]]) -> None:
        """Draw a table with lines, row by row."""
        for row in rows:
            top, width = self.y_next, self.width / len(row)
            ends = []
            for number, cell in enumerate(row):
                self.y_next = top
                self.write_text(cell, _MARGIN + number * width + 3, width - 6)
                ends.append(self.y_next)
            self.y_next = max(ends)
            for number in range(len(row)):
                self.rect(_MARGIN + number * width, top - 11, width, self.y_next - top + 2)
            self.y_next += 4


def _build_pdf(resume: ResumeFile) -> bytes:
    pages = _Pdf(resume)
    for part in resume.parts:
        if part.columns:
            pages.write_columns(part.columns)
        elif part.table:
            pages.write_table(part.table)
        else:
            pages.write_text(part.text or part.box or "", _MARGIN, pages.width)
        pages.y_next += 8
    return bytes(pages.output())


class _Container(Protocol):
    """What paragraphs can be added to: a document, a cell, a page header."""

    def add_paragraph(self, text: str = "", style: Any = None) -> Paragraph: ...


def _build_docx(resume: ResumeFile) -> bytes:
    document = docx.Document()
    section = document.sections[0]
    if resume.page_header:
        _write_paragraphs(section.header, resume.page_header)
    if resume.page_footer:
        _write_paragraphs(section.footer, resume.page_footer)
    for part in resume.parts:
        if part.columns:
            _write_table(document, [part.columns], style=None)
        elif part.table:
            _write_table(document, part.table, style="Table Grid")
        elif part.box:
            add_text_box(document, part.box)
        else:
            _write_paragraphs(document, part.text or "")
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _write_table(document: WordDocument, rows: Sequence[Sequence[str]], style: str | None) -> None:
    table = document.add_table(len(rows), len(rows[0]), style=style)
    for row, cells in zip(rows, table.rows, strict=True):
        for text, cell in zip(row, cells.cells, strict=True):
            _write_paragraphs(cell, text)
            first = cell.paragraphs[0]._p
            first.getparent().remove(first)  # every new cell has an empty one


def _write_paragraphs(container: _Container, text: str) -> None:
    for line in _lines(text):
        paragraph = container.add_paragraph(style=_STYLES[line.kind])
        end = 0
        for match in _LINK.finditer(line.left):
            paragraph.add_run(line.left[end : match.start()])
            add_link(paragraph, match[1], match[2])
            end = match.end()
        paragraph.add_run(line.left[end:])
        if line.right:
            stops = paragraph.paragraph_format.tab_stops
            stops.add_tab_stop(_RIGHT_EDGE, WD_TAB_ALIGNMENT.RIGHT)
            paragraph.add_run(f"\t{line.right}")


def add_link(paragraph: Paragraph, label: str, target: str) -> None:
    """Append a hyperlink to ``paragraph``."""
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), paragraph.part.relate_to(target, _HYPERLINK, is_external=True))
    run = OxmlElement("w:r")
    run.text = label
    link.append(run)
    paragraph._p.append(link)


def add_text_box(document: WordDocument, text: str, fill: str = "") -> None:
    """Append a text box as Word writes it: once for itself, once for programs of old.

    Parameters
    ----------
    fill : str
        DrawingML of its background.
    """
    before = len(document.paragraphs)
    _write_paragraphs(document, text)
    content = [paragraph._p for paragraph in document.paragraphs[before:]]
    frame = parse_xml(
        f'<w:r {nsdecls("w", "a", "wp")} xmlns:v="urn:schemas-microsoft-com:vml"'
        ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
        ' xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape">'
        '<mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:inline><a:graphic>'
        f"<a:graphicData><wps:wsp><wps:spPr>{fill}</wps:spPr><wps:txbx><w:txbxContent/>"
        "</wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing></mc:Choice>"
        "<mc:Fallback><w:pict><v:textbox><w:txbxContent/></v:textbox></w:pict></mc:Fallback>"
        "</mc:AlternateContent></w:r>"
    )
    for place in frame.iter(qn("w:txbxContent")):
        place.extend(copy.deepcopy(content))
    for paragraph in content:
        paragraph.getparent().remove(paragraph)
    document.add_paragraph()._p.append(frame)

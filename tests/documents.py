"""Builders of documents: good ones in many layouts, and hostile ones, all made on the spot."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence

import docx
from docx.document import Document as WordDocument
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from fpdf import FPDF

from pipelines.resume_files import font_file

MEGABYTE = 1_000_000
CONTENT_TYPES = "[Content_Types].xml"


def pdf(draw: Callable[[FPDF], object], pages: int = 1, **encryption: str) -> bytes:
    """Return a PDF, A4 in points, on each page of which ``draw`` draws."""
    page = FPDF(unit="pt")
    page.set_auto_page_break(False)
    page.add_font("dejavu", fname=font_file())
    if encryption:
        page.set_encryption(**encryption)  # type: ignore[arg-type]
    for _ in range(pages):
        page.add_page()
        page.set_font("helvetica", size=10)
        draw(page)
    return bytes(page.output())


def lines(page: FPDF, x: float, y: float, texts: Iterable[str], leading: float = 13) -> float:
    """Draw ``texts`` below one another and return where the next one would stand."""
    for text in texts:
        page.text(x, y, text)
        y += leading
    return y


def simple_pdf(texts: Sequence[str], pages: int = 1) -> bytes:
    """Return a PDF of one column."""
    return pdf(lambda page: lines(page, 72, 72, texts), pages)


def columns_pdf(
    left: Sequence[str],
    right: Sequence[str],
    above: Sequence[str] = (),
    below: Sequence[str] = (),
    *,
    at: tuple[float, float] = (50, 230),
    by_row: bool = False,
    right_leading: float = 13,
) -> bytes:
    """Return a PDF of two columns, drawn one after the other or row by row."""

    def draw(page: FPDF) -> None:
        page.set_font("helvetica", size=16)
        y = lines(page, 50, 60, above, leading=22)
        page.set_font("helvetica", size=10)
        y += 10
        cells = [(at[0], y + 13 * i, text) for i, text in enumerate(left)]
        cells += [(at[1], y + right_leading * i, text) for i, text in enumerate(right)]
        if by_row:
            cells.sort(key=lambda cell: (cell[1], cell[0]))
        for x, at_y, text in cells:
            page.text(x, at_y, text)
        lines(page, 50, max(at_y for _, at_y, _ in cells) + 30, below)

    return pdf(draw)


def raw_pdf(
    content: bytes,
    *,
    filters: bytes = b"",
    pages: int = 1,
    resources: bytes = b"",
    objects: Sequence[bytes] = (),
    box: bytes = b"0 0 595 842",
) -> bytes:
    """Return a PDF written by hand, whose pages share one content stream.

    ``objects`` are numbered from 10; the content stream is object 4.
    """
    kids = b" ".join(b"%d 0 R" % (100 + number) for number in range(pages))
    font = b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"
    numbered = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages),
        4: b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), filters, content),
    }
    numbered |= {10 + index: item for index, item in enumerate(objects)}
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R/Resources<<%s%s>>>>"
    numbered |= {100 + i: page % (box, font, resources) for i in range(pages)}
    body, places = b"%PDF-1.7\n", {}
    for number, item in numbered.items():
        places[number] = len(body)
        body += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = b"".join(b"%d 1\n%010d 00000 n \n" % place for place in places.items())
    size = max(places) + 1
    trailer = b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return body + b"xref\n0 1\n0000000000 65535 f \n" + table + trailer


def text_content(*shows: bytes) -> bytes:
    """Return a content stream: each item is operators around ``(text) Tj``."""
    return b"\n".join(b"q BT /F 11 Tf " + show + b" ET Q" for show in shows)


def deflated(unit: bytes, times: int) -> bytes:
    """Return ``unit`` about ``times`` times over, deflated, without ever packing it all."""
    block = unit * (MEGABYTE // len(unit))
    blocks = len(unit) * times // len(block)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 1
    for _ in range(blocks):
        checksum = zlib.adler32(block, checksum)
    end = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS).flush()
    return b"\x78\xda" + packed * blocks + end + struct.pack(">I", checksum)


def bomb_pdf(megabytes: int = 300, layers: int = 1) -> bytes:
    """Return a small PDF whose content unpacks to ``megabytes``, within ``layers`` of deflate."""
    content = deflated(b" ", megabytes * MEGABYTE)
    for _ in range(layers - 1):
        content = zlib.compress(content, 9)
    return raw_pdf(content, filters=b"/Filter[" + b"/FlateDecode" * layers + b"]")


def operators_pdf(millions: int = 4) -> bytes:
    """Return a small PDF that draws millions of strokes."""
    content = deflated(b"0 0 m 9 9 l S\n", millions * MEGABYTE // 3)
    return raw_pdf(content, filters=b"/Filter/FlateDecode")


def picture_pdf(hidden_text: bytes = b"", pixels: bytes = b"\xc0" * 100, side: int = 10) -> bytes:
    """Return a page that is a picture, with text behind it in invisible mode if any."""
    picture = (
        b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray"
        b"/BitsPerComponent 8/Length %d>>stream\n%s\nendstream"
    ) % (side, side, len(pixels), pixels)
    content = b"q 595 0 0 842 0 0 cm /I Do Q " + hidden_text
    return raw_pdf(content, resources=b"/XObject<</I 10 0 R>>", objects=[picture])


def word(build: Callable[[WordDocument], object]) -> bytes:
    """Return a DOCX in which ``build`` has written."""
    document = docx.Document()
    build(document)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def repacked(package: bytes, changes: dict[str, bytes | None]) -> bytes:
    """Return a ZIP with entries replaced, added, or with None taken out."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(package)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            if name not in changes:
                new.writestr(name, old.read(name))
        for name, content in changes.items():
            if content is not None:
                new.writestr(name, content)
    return file.getvalue()


def archive(entries: dict[str, bytes]) -> bytes:
    """Return a ZIP."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in entries.items():
            new.writestr(name, content)
    return file.getvalue()


def with_flag(package: bytes, flag: int) -> bytes:
    """Return a ZIP with ``flag`` set on its first entry."""
    at = package.index(b"PK\x01\x02") + 8
    (flags,) = struct.unpack_from("<H", package, at)
    return package[:at] + struct.pack("<H", flags | flag) + package[at + 2 :]


def with_declared_size(package: bytes, name: str, size: int) -> bytes:
    """Return a ZIP whose index gives a wrong size for one entry."""
    end = package.rindex(name.encode())
    return package[: end - 22] + struct.pack("<I", size) + package[end - 18 :]


def add_tracked_changes(document: WordDocument, inserted: str, deleted: str) -> None:
    """Append a paragraph with a change that nobody has accepted yet."""
    run = "<w:r><w:{tag}>{text}</w:{tag}></w:r>"
    document.element.body.insert(
        0,
        parse_xml(
            f"<w:p {nsdecls('w')}>"
            f'<w:del w:id="1" w:author="x">{run.format(tag="delText", text=deleted)}</w:del>'
            f'<w:ins w:id="2" w:author="x">{run.format(tag="t", text=inserted)}</w:ins></w:p>'
        ),
    )


def forms_pdf(levels: int = 8, width: int = 10) -> bytes:
    """Return a tiny PDF that draws one word ``width ** levels`` times: forms within forms."""
    forms = []
    for level in range(levels):
        is_last = level == levels - 1
        content = text_content(b"1 0 0 1 9 9 Tm (x) Tj") if is_last else b"/X Do " * width
        font = b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"
        resources = font if is_last else b"/XObject<</X %d 0 R>>" % (11 + level)
        forms.append(
            b"<</Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<<%s>>/Length %d>>"
            b"stream\n%s\nendstream" % (resources, len(content), content)
        )
    return raw_pdf(b"/X Do " * width, resources=b"/XObject<</X 10 0 R>>", objects=forms)

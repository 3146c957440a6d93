"""Good documents: what people see is what is read, in the order in which they read it."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from docx.document import Document as WordDocument
from docx.shared import Pt, RGBColor
from fpdf import FPDF

from models.document_child import read_document
from models.errors import NoTextError
from models.extract import Document, Limits
from pipelines.resume_files import add_link, add_text_box
from tests import documents as build

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "samples"
NAMES = ["Łukasz Żółć", "Ольга Петрова", "Γιώργος Παπαδόπουλος", "José Ñandú", "Nguyễn Thị Ánh"]
WHITE = RGBColor(255, 255, 255)


def read(data: bytes, limits: Limits | None = None) -> Document:
    return read_document(data, limits or Limits())


# PDF


def test_lines_of_one_column_keep_their_order_and_blocks_their_distance() -> None:
    text = read(build.simple_pdf(["Jane Doe", "Engineer", "", "Skills", "Python"])).text
    assert text == "Jane Doe\nEngineer\n\nSkills\nPython"


LEFT = [
    "CONTACT",
    "jane@example.com",
    "",
    "SKILLS",
    "Python",
    "PostgreSQL",
    "",
    "LANGUAGES",
    "German",
]
RIGHT = [
    *("EXPERIENCE", "Senior Engineer, Initech", "Jan 2019 - Present", "Built the billing service"),
    *("and kept it running.", "", "EDUCATION", "BSc Computer Science, MIT", "2011 - 2015"),
]


@pytest.mark.parametrize("by_row", [False, True], ids=["by column", "by row"])
@pytest.mark.parametrize("right_leading", [13, 14.5], ids=["same lines", "other lines"])
def test_two_columns_are_read_one_after_the_other_however_they_are_drawn(
    by_row: bool, right_leading: float
) -> None:
    below = "References are available on request from every employer that is named above here."
    data = build.columns_pdf(
        LEFT, RIGHT, ["Jane Doe"], [below], by_row=by_row, right_leading=right_leading
    )
    expected = ["Jane Doe", *LEFT, *RIGHT, below]
    assert [line for line in read(data).text.split("\n") if line] == [t for t in expected if t]


def test_a_side_bar_on_the_right_does_not_break_the_longer_main_column() -> None:
    main = ["PROFILE", *(f"Sentence number {i} of a long profile" for i in range(20))]
    data = build.columns_pdf(main, LEFT, at=(50, 380), by_row=True)
    assert read(data).text.split("\n")[: len(main)] == main


def test_dates_in_a_column_of_their_own_stay_with_what_happened_then() -> None:
    dates = ["June 2020 -", "Present", "", "", "2015 - 2018", ""]
    jobs = ["Engineer, Initech", "Built services.", "Led a team.", "", "Clerk, Globex", "Filed."]
    text = read(build.columns_pdf(dates, jobs, at=(50, 120))).text
    assert "June 2020 - Present\tEngineer, Initech\nBuilt services.\nLed a team." in text
    assert "2015 - 2018\tClerk, Globex\nFiled." in text


def test_dates_at_the_right_margin_stay_on_their_line() -> None:
    def draw(page: FPDF) -> None:
        y = 72.0
        for title, dates in [("Engineer", "2019 - Present"), ("Clerk", "2015 - 2018")]:
            page.text(450, y, dates)
            y = build.lines(page, 72, y, [title, "Did many things", "and then some more"])

    assert read(build.pdf(draw)).text.split("\n") == [
        *("Engineer\t2019 - Present", "Did many things", "and then some more"),
        *("Clerk\t2015 - 2018", "Did many things", "and then some more"),
    ]


def test_an_address_beside_a_large_name_is_read_after_it() -> None:
    def draw(page: FPDF) -> None:
        build.lines(page, 400, 50, ["jane@example.com", "+1 555 0100", "Berlin"])
        page.set_font_size(20)
        page.text(72, 61, "Jane Doe")
        page.set_font_size(10)
        y = 110.0
        for title, dates in [("Engineer", "2019 - Present"), ("Clerk", "2015 - 2018")]:
            page.text(450, y, dates)
            y = build.lines(page, 72, y, [title, "Short"])

    lines = [line for line in read(build.pdf(draw)).text.split("\n") if line]
    assert lines[:4] == ["Jane Doe", "jane@example.com", "+1 555 0100", "Berlin"]
    assert lines[4:] == ["Engineer\t2019 - Present", "Short", "Clerk\t2015 - 2018", "Short"]


def test_justified_prose_is_not_taken_for_columns() -> None:
    def draw(page: FPDF) -> None:
        page.set_font("times", size=11)
        for number in range(1, 9):
            words = ("letters"[: 1 + number * word % 7] for word in range(3, 70))
            page.set_x(72)
            page.multi_cell(300, 13, " ".join(words), align="J", new_x="LMARGIN", new_y="NEXT")

    text = read(build.pdf(draw)).text
    assert "\t" not in text
    assert "\n\n" not in text


def test_cells_of_a_table_are_read_by_row() -> None:
    data = build.columns_pdf(
        ["Languages", "Databases", "Tools"],
        ["Python, Java", "PostgreSQL", "Docker"],
        at=(50, 150),
        by_row=True,
    )
    assert read(data).text == "Languages\tPython, Java\nDatabases\tPostgreSQL\nTools\tDocker"


def bordered_pdf(rows: Sequence[tuple[str, ...]]) -> bytes:
    """Return a PDF of a table with wrapped cells between two lines of text."""

    def draw(page: FPDF) -> None:
        page.write(14, "Above the table\n\n")
        with page.table(first_row_as_headings=False) as table:
            for row in rows:
                table.row(row)
        page.write(14, "\nBelow the table")

    return build.pdf(draw)


DUTIES = "Built the billing service and kept it running through three moves of its data centre"


def test_wrapped_cells_between_drawn_lines_are_read_by_row() -> None:
    rows = [("Employer", "Role", "Duties"), ("Acme Corp", "Engineer", DUTIES)]
    rows.append(("Globex", "Clerk", DUTIES))
    lines = read(bordered_pdf(rows)).text.split("\n")
    assert lines == ["Above the table", "", *map("\t".join, rows), "", "Below the table"]


def test_long_cells_between_drawn_lines_are_columns() -> None:
    left, right = " ".join(["left"] * 120), " ".join(["right"] * 140)
    text = read(bordered_pdf([("Contact", "Work"), (left, right)])).text
    assert text.rindex("left") < text.index("right")


def test_lines_above_a_table_with_dates_stay_apart() -> None:
    def draw(page: FPDF) -> None:
        build.lines(page, 50, 60, ["Jane Doe", "jane@example.com"])
        rows = [("Acme Corp", "Engineer", "2019 - 2022"), ("Globex", "Clerk", "2016 - 2019")]
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                page.text(50 + 150 * column, 110 + 20 * number, cell)

    assert read(build.pdf(draw)).text.split("\n") == [
        *("Jane Doe", "jane@example.com", ""),
        *("Acme Corp\tEngineer\t2019 - 2022", "Globex\tClerk\t2016 - 2019"),
    ]


def test_names_in_many_scripts_survive() -> None:
    backwards = ["דנה כהן", "علي حسن"]

    def draw(page: FPDF) -> None:
        page.set_font("dejavu", size=11)
        # A PDF holds the letters of these scripts as they stand, from left to right.
        build.lines(page, 72, 72, [*NAMES, *(name[::-1] for name in backwards)], leading=16)

    assert read(build.pdf(draw)).text.split("\n") == [*NAMES, *backwards]


def test_letter_spaced_headings_are_words_again() -> None:
    assert read(build.simple_pdf(["W O R K   H I S T O R Y"])).text == "WORK HISTORY"


def test_a_word_broken_at_the_end_of_a_line_is_mended_and_a_compound_keeps_its_hyphen() -> None:
    lines = ["Built services for many thousands of cus-", "tomers and a high-", "performance store"]
    text = read(build.simple_pdf(lines)).text
    assert text == ("Built services for many thousands of customers\nand a high-performance\nstore")


def test_page_numbers_are_dropped_and_years_are_not() -> None:
    number = iter("12")

    def draw(page: FPDF) -> None:
        build.lines(page, 72, 72, ["Jane Doe", "2019"])
        page.text(280, 800, f"Page {next(number)} of 2")

    document = read(build.pdf(draw, pages=2))
    assert (document.text, document.pages) == ("Jane Doe\n2019\nJane Doe\n2019", 2)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_page_is_read_as_it_is_displayed(turn: int) -> None:
    matrix = {90: "0 1 -1 0 %d 100", 180: "-1 0 0 -1 500 %d", 270: "0 -1 1 0 %d 700"}[turn]
    places = {90: (300, 320), 180: (300, 320), 270: (320, 300)}[turn]
    shows = [
        f"{matrix % place} Tm ({text}) Tj".encode()
        for place, text in zip(places, ("First", "Second"), strict=True)
    ]
    data = build.raw_pdf(build.text_content(*shows)).replace(
        b"/MediaBox", b"/Rotate %d/MediaBox" % turn
    )
    assert read(data).text == "First\nSecond"


def test_links_come_with_the_words_that_carry_them_and_not_in_the_text() -> None:
    def draw(page: FPDF) -> None:
        page.text(72, 72, "Jane Doe")
        page.text(72, 90, "LinkedIn")
        page.link(72, 80, 50, 14, "https://www.linkedin.com/in/jane")
        page.link(300, 80, 50, 14, "javascript:alert(1)")

    document = read(build.pdf(draw))
    assert [(link.text, link.target) for link in document.links] == [
        ("LinkedIn", "https://www.linkedin.com/in/jane")
    ]
    assert document.text == "Jane Doe\nLinkedIn"


SEEN = b"1 0 0 1 72 750 Tm (Jane Doe) Tj"
UNSEEN = {
    "invisible mode": b"3 Tr 1 0 0 1 72 700 Tm (stuffing) Tj",
    "white on white": b"1 g 1 0 0 1 72 700 Tm (stuffing) Tj",
    "nearly white": b"0.97 g 1 0 0 1 72 700 Tm (stuffing) Tj",
    "tiny": b"/F 1 Tf 1 0 0 1 72 700 Tm (stuffing) Tj",
    "scaled down": b"0.1 0 0 0.1 72 700 Tm (stuffing) Tj",
    "off the page": b"1 0 0 1 -300 700 Tm (stuffing) Tj",
    "transparent": b"/T gs 1 0 0 1 72 700 Tm (stuffing) Tj",
    "clipped": b"ET 0 0 9 9 re W n BT 1 0 0 1 72 700 Tm (stuffing) Tj",
    "covered": b"1 0 0 1 72 700 Tm (stuffing) Tj ET 1 g 60 690 200 30 re f BT",
    "dark on dark": b"ET 0 0 .4 rg 60 690 200 30 re f BT 1 0 0 1 72 700 Tm (stuffing) Tj",
    "of a hidden layer": b"/OC /L BDC 1 0 0 1 72 700 Tm (stuffing) Tj EMC",
}


@pytest.mark.parametrize("how", UNSEEN)
def test_invisible_text_is_left_out_and_reported(how: str) -> None:
    data = build.raw_pdf(
        build.text_content(SEEN, UNSEEN[how]),
        resources=b"/ExtGState<</T<</ca 0>>>>/Properties<</L 10 0 R>>",
        objects=[b"<</Type/OCG/Name(L)>>"],
    ).replace(b"/Pages 2", b"/OCProperties<</OCGs[10 0 R]/D<</OFF[10 0 R]>>>>/Pages 2")
    document = read(data)
    assert (document.text, document.invisible_chars) == ("Jane Doe", 8)
    assert document.warnings == ("Invisible text of 8 letters was left out.",)


def test_white_text_on_a_dark_band_is_visible() -> None:
    content = b"0 0 .4 rg 0 700 595 142 re f 0 g\n" + build.text_content(
        b"1 g " + SEEN, UNSEEN["tiny"]
    )
    assert read(build.raw_pdf(content)).text == "Jane Doe"


def test_text_drawn_twice_for_weight_is_visible_and_read_once() -> None:
    content = b"0 0 .4 rg 0 700 595 142 re f\n" + build.text_content(b"1 g " + SEEN, b"1 g " + SEEN)
    document = read(build.raw_pdf(content))
    assert (document.text, document.invisible_chars) == ("Jane Doe", 0)


def test_recognised_text_counts_where_the_scan_has_ink() -> None:
    shown = b" BT 3 Tr /F 40 Tf 1 0 0 1 100 400 Tm (Scanned) Tj ET"
    checkered = build.picture_pdf(shown, bytes([0, 255] * 5_000), side=100)
    document = read(checkered)
    assert document.text == "Scanned"
    assert "recognised" in document.warnings[0]
    with pytest.raises(NoTextError, match="scan"):
        read(build.picture_pdf(shown))


# DOCX


def test_a_docx_is_read_in_order_with_headers_tables_boxes_and_links() -> None:
    def write(document: WordDocument) -> None:
        document.sections[0].header.paragraphs[0].text = "Jane Doe"
        document.sections[0].footer.paragraphs[0].text = "Page 1 of 2"
        document.add_heading("Experience", 1)
        document.add_paragraph("Engineer, Initech\t2019 - Present")
        document.add_paragraph("Built services", style="List Bullet")
        table = document.add_table(2, 2)
        for row, cells in enumerate([("Languages", "Python"), ("Tools", "Docker")]):
            for column, text in enumerate(cells):
                table.cell(row, column).text = text
        add_text_box(document, "In a box")
        add_link(document.add_paragraph("See "), "my page", "https://example.com/jane")

    document = read(build.word(write))
    assert [line for line in document.text.split("\n") if line] == [
        *("Jane Doe", "Experience", "Engineer, Initech\t2019 - Present", "• Built services"),
        *("Languages\tPython", "Tools\tDocker", "In a box", "See my page"),
    ]
    assert [(link.text, link.target) for link in document.links] == [
        ("my page", "https://example.com/jane")
    ]


def test_cells_of_a_layout_table_are_columns() -> None:
    def write(document: WordDocument) -> None:
        table = document.add_table(1, 2)
        for column, lines in enumerate([LEFT, RIGHT]):
            for line in lines:
                table.cell(0, column).add_paragraph(line)

    text = read(build.word(write)).text
    assert [line for line in text.split("\n") if line] == [t for t in LEFT + RIGHT if t]


def test_a_date_cell_stays_with_the_job_in_the_next_cell() -> None:
    def write(document: WordDocument) -> None:
        table = document.add_table(1, 2)
        table.cell(0, 0).text = "2019 - 2021"
        table.cell(0, 1).text = "Engineer, Initech"
        table.cell(0, 1).add_paragraph("Built services")

    assert read(build.word(write)).text == "2019 - 2021\tEngineer, Initech\nBuilt services"


def test_hidden_white_and_tiny_runs_are_left_out_and_reported() -> None:
    def write(document: WordDocument) -> None:
        paragraph = document.add_paragraph("Seen ")
        paragraph.add_run("white").font.color.rgb = WHITE
        paragraph.add_run("tiny").font.size = Pt(1)
        paragraph.add_run("gone").font.hidden = True
        style = document.styles["Caption"]
        style.font.color.rgb = WHITE
        document.add_paragraph("styled", style="Caption")

    document = read(build.word(write))
    assert (document.text, document.invisible_chars) == ("Seen", 19)
    assert document.warnings == ("Invisible text of 19 letters was left out.",)


def test_white_text_in_a_filled_cell_or_box_is_visible() -> None:
    def write(document: WordDocument) -> None:
        table = document.add_table(1, 1, style="Medium Shading 1 Accent 1")
        run = table.cell(0, 0).paragraphs[0].add_run("In a dark cell")
        run.font.color.rgb = WHITE
        fill = '<a:solidFill><a:srgbClr val="000080"/></a:solidFill>'
        add_text_box(document, "In a dark box", fill)

    assert read(build.word(write)).text == "In a dark cell\n\nIn a dark box"


def test_deleted_text_is_not_read() -> None:
    def write(document: WordDocument) -> None:
        build.add_tracked_changes(document, inserted="new", deleted="old")

    assert read(build.word(write)).text == "new"


# Plain text

RUSSIAN = "Резюме: инженер-программист. Опыт работы десять лет, город Москва. " * 5


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Jane Doe\nPython – café", "utf-8"),
        ("Jane Doe\nPython – café", "utf-8-sig"),
        ("Jane Doe\nPython – café", "utf-16"),
        ("Jane Doe worked for Café Zürich for a long while.\n" * 5, "cp1252"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
    ],
)
def test_text_is_read_in_its_encoding_and_a_guess_is_reported(text: str, encoding: str) -> None:
    document = read(text.encode(encoding))
    assert document.text == text.strip()
    assert bool(document.warnings) == (not encoding.startswith("utf"))


def test_controls_and_tags_are_stripped_and_long_text_is_cut_with_a_warning() -> None:
    tags = "".join(chr(0xE0000 + ord(char)) for char in "spam")
    document = read(f"Jane\u202e\u200b{tags} Doe\r\n{'x' * 300}".encode(), Limits(max_chars=100))
    assert document.text == "Jane Doe\n" + "x" * 91
    assert document.invisible_chars == 4
    assert document.warnings[1] == "The text was cut after 100 characters."


# The samples


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared samples are not here")
def test_the_sample_resumes_are_read_with_their_dates_and_links() -> None:
    document = read((SAMPLES / "bruce_wayne_fullstack.pdf").read_bytes())
    assert document.text.startswith("Bruce Wayne\nMERN Stack Developer\n")
    for line in (
        "June 2020 – Present\tMERN Stack Developer, OpenAI, San Francisco, USA",
        "June 2012 – June 2015\tSoftware Developer, Facebook, Menlo Park, USA",
        "2003 – 2007\tBachelor of Science in Computer Science, UC San Diego, San Diego, USA",
        "bwayne@email.com",
    ):
        assert f"\n{line}\n" in document.text
    assert "https://www.linkedin.com/in/bwayne" in {link.target for link in document.links}
    assert document.warnings == ()

"""Pieces of HTML: what was typed is text in them, in one line."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.ui import draw

HOSTILE = "</p><script>alert(1)</script>\n\n\"'<img src=x onerror=alert(1)>&lt; *a* [b](http://c)"


class Reader(HTMLParser):
    """Reads the tags and the text of a piece, as a browser would."""

    def __init__(self, piece: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(piece)
        self.close()

    def handle_starttag(self, tag: str, *_: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(alphabet="<>&\"'\n\r/= aé😀;#*_[]$`"), st.data())
def test_a_message_is_the_text_that_it_was(message: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(message)))
    end = data.draw(st.integers(start, len(message)))
    piece = draw.highlighted(message, [{"start": start, "end": end, "weight": 1.5}])
    read = Reader(piece)
    assert read.tags == ["p", "mark"]
    assert read.text == message.replace("\r", "")
    assert "\n" not in piece


@pytest.mark.parametrize(
    "piece",
    [
        draw.paragraph(HOSTILE),
        draw.failure(HOSTILE),
        draw.bar(HOSTILE, 0.5, HOSTILE),
        draw.chips([HOSTILE], ""),
        draw.points([HOSTILE]),
        draw.table(HOSTILE, [HOSTILE], [[HOSTILE]]),
        draw.link("https://a.example/?" + HOSTILE, HOSTILE),
        draw.card(draw.text(HOSTILE)),
    ],
)
def test_no_piece_takes_markup_from_what_it_is_given(piece: str) -> None:
    read = Reader(piece)
    assert not {"script", "img"} & set(read.tags)
    assert HOSTILE in read.text
    assert "\n" not in piece


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,a", "//a.example", ""])
def test_a_link_leads_to_the_web_or_nowhere(address: str) -> None:
    assert draw.link(address, "Title") == "Title"


def test_words_that_weigh_more_are_marked_stronger() -> None:
    spans = [{"start": 4, "end": 5, "weight": 0.5}, {"start": 0, "end": 3, "weight": 2.0}]
    piece = draw.highlighted("bad a", spans)
    assert piece.index("cl-shade-4") < piece.index("cl-shade-1")


def test_words_read_from_one_place_are_marked_once() -> None:
    spans = [
        {"start": 0, "end": 3, "weight": 2.0},
        {"start": 0, "end": 3, "weight": 1.0},
        {"start": 2, "end": 5, "weight": -1.0},
    ]
    piece = draw.highlighted("abcdef", spans)
    assert Reader(piece).text == "abcdef"
    assert re.findall(r"<mark class=.([a-z0-9-]+).[^>]*>([a-z]+)", piece) == [
        ("cl-shade-4", "abc"),
        ("cl-against-2", "de"),
    ]

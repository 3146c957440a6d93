"""Pieces of HTML: whatever was typed, uploaded or answered is text in them, never markup.

Gradio shows them as a block of HTML within Markdown, which ends at the first empty line: each piece
is one line, and the line breaks of texts are written as references.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

#: The shades of a highlight, from the faintest.
SHADES = 4


def text(said: object) -> str:
    """Return ``said`` as text in HTML."""
    return escape(str(said)).replace("\r", "").replace("\n", "&#10;")


def block(*pieces: str, kind: str = "") -> str:
    """Return pieces as one block of HTML."""
    return f'<div class="cl-block {kind}">{"".join(pieces)}</div>'


def card(title: str, *pieces: str) -> str:
    """Return pieces in a frame, under a title that is HTML already."""
    return f'<div class="cl-card"><h3>{title}</h3>{"".join(pieces)}</div>'


def fold(title: str, *pieces: str, is_open: bool = False) -> str:
    """Return pieces under a title that shows and hides them."""
    return (
        f'<details class="cl-card"{" open" if is_open else ""}><summary>{text(title)}</summary>'
        f"{''.join(pieces)}</details>"
    )


def side_by_side(pieces: Sequence[str]) -> str:
    """Return pieces beside each other as far as there is room, nothing if there are none."""
    return f'<div class="cl-beside">{"".join(pieces)}</div>' if pieces else ""


def heading(said: str) -> str:
    """Return the heading of a part."""
    return f"<h3>{text(said)}</h3>"


def paragraph(said: object) -> str:
    """Return a paragraph."""
    return f"<p>{text(said)}</p>"


def status(said: object) -> str:
    """Return what was done."""
    return block(f'<p role="status">{text(said)}</p>')


def failure(sentence: object) -> str:
    """Return why there is nothing else to show."""
    return block(f'<p role="alert">{text(sentence)}</p>', kind="cl-failure")


def bar(name: str, share: float, said: str, mark: float | None = None, kind: str = "") -> str:
    """Return a bar with its name and what it says in words.

    Parameters
    ----------
    share : float
        How much of it is filled, from 0 to 1.
    mark : float, optional
        Where a threshold lies.
    """
    line = "" if mark is None else f'<span class="cl-mark" style="left:{_percent(mark)}"></span>'
    return (
        f'<div class="cl-row"><span class="cl-name">{text(name)}</span>'
        f'<span class="cl-bar" aria-hidden="true">'
        f'<span class="cl-fill {kind}" style="width:{_percent(share)}"></span>{line}</span>'
        f'<span class="cl-said">{text(said)}</span></div>'
    )


def highlighted(message: str, spans: Iterable[Mapping[str, Any]]) -> str:
    """Return a message with stretches of it marked, the stronger the more they weigh.

    Parameters
    ----------
    spans : iterable of mapping
        With ``start`` and ``end`` in code points, and ``weight``: above 0 for, below against.
    """
    placed = sorted(spans, key=lambda span: int(span["start"]))
    most = max((abs(span["weight"]) for span in placed), default=0.0) or 1.0
    pieces, end = [], 0
    for span in placed:
        if end and span["end"] <= end:  # words that were read from one place share it
            continue
        start = max(span["start"], end)
        shade = max(1, round(SHADES * abs(span["weight"]) / most))
        side = "shade" if span["weight"] >= 0 else "against"
        pieces.append(text(message[end:start]))
        pieces.append(
            f'<mark class="cl-{side}-{shade}" title="weight {span["weight"]:+.2f}">'
            f"{text(message[start : span['end']])}</mark>"
        )
        end = span["end"]
    return f'<p class="cl-message">{"".join(pieces)}{text(message[end:])}</p>'


def chips(names: Sequence[str], nothing: str) -> str:
    """Return short names as a list, or a sentence where there are none."""
    if not names:
        return paragraph(nothing)
    return f'<ul class="cl-chips">{"".join(f"<li>{text(name)}</li>" for name in names)}</ul>'


def points(sentences: Sequence[str]) -> str:
    """Return sentences as a list."""
    return f"<ul>{''.join(f'<li>{text(sentence)}</li>' for sentence in sentences)}</ul>"


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, wraps: bool = False
) -> str:
    """Return a table, which can be scrolled where the screen is narrow.

    Parameters
    ----------
    wraps : bool
        Whether its last column holds sentences.
    """
    kind = "cl-table cl-wraps" if wraps else "cl-table"
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="{kind}" tabindex="0" role="region" aria-label="{text(caption)}"><table>'
        f"<caption>{text(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
        "</table></div>"
    )


def link(address: str, said: str) -> str:
    """Return a link to another site, or its words alone where the address is none of the web's."""
    if not address.lower().startswith(("https://", "http://")):
        return text(said)
    return (
        f'<a href="{text(address)}" target="_blank" rel="noopener noreferrer nofollow">'
        f"{text(said)}</a>"
    )


def _percent(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.1f}%"

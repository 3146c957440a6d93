"""Charts as SVG within the page: nothing is loaded for them, and they take the page's colours."""

from collections.abc import Mapping, Sequence

from serving.ui.draw import text

Points = Sequence[Sequence[float]]

# The plot is a square of this side, with room for its labels around it.
_SIDE, _LEFT, _TOP, _RIGHT, _BOTTOM = 200, 40, 8, 10, 36
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def curves(title: str, axes: tuple[str, str], lines: Mapping[str, Points], said: str) -> str:
    """Return a chart of lines between 0 and 1, with its title and what it shows in words.

    Parameters
    ----------
    axes : tuple of str
        What lies along x, and along y.
    lines : mapping of str to sequence of pairs
        By name, the points; each is drawn in a way of its own, which its legend shows.
    said : str
        For whoever does not see it.
    """
    width, height = _LEFT + _SIDE + _RIGHT, _TOP + _SIDE + _BOTTOM
    drawn = "".join(_line(number, points) for number, points in enumerate(lines.values()))
    legend = "".join(
        f'<li><span class="cl-key cl-line-{number}"></span>{text(name)}</li>'
        for number, name in enumerate(lines)
    )
    return (
        f'<figure class="cl-chart"><figcaption>{text(title)}</figcaption>'
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{text(said)}">'
        f"{_grid(*axes)}{drawn}</svg><ul>{legend}</ul></figure>"
    )


def interval(name: str, value: float, low: float, high: float) -> str:
    """Return a bar of a figure between 0 and 1 with a whisker over its interval."""
    left, right = sorted((_share(low), _share(high)))
    return (
        f'<div class="cl-row"><span class="cl-name">{text(name)}</span>'
        '<span class="cl-bar" aria-hidden="true">'
        f'<span class="cl-fill" style="width:{100 * _share(value):.1f}%"></span>'
        f'<span class="cl-whisker" style="left:{100 * left:.1f}%;'
        f'width:{100 * (right - left):.1f}%"></span></span>'
        f'<span class="cl-said">{figure(value, low, high)}</span></div>'
    )


def figure(value: float, low: float, high: float) -> str:
    """Return a figure with its interval in words."""
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _grid(x_name: str, y_name: str) -> str:
    bottom, middle = _TOP + _SIDE, _SIDE / 2
    pieces = [
        f'<path class="cl-grid" d="M{_x(tick)} {_TOP}v{_SIDE}M{_LEFT} {_y(tick)}h{_SIDE}"/>'
        for tick in _TICKS
    ]
    pieces += [
        f'<text x="{_x(tick)}" y="{bottom + 13}" text-anchor="middle">{tick:g}</text>'
        f'<text x="{_LEFT - 5}" y="{_y(tick) + 3}" text-anchor="end">{tick:g}</text>'
        for tick in _TICKS[::2]
    ]
    pieces += [
        f'<text x="{_LEFT + middle}" y="{bottom + 29}" text-anchor="middle">{text(x_name)}</text>',
        f'<text transform="translate(10 {_TOP + middle}) rotate(-90)" text-anchor="middle">'
        f"{text(y_name)}</text>",
    ]
    return "".join(pieces)


def _line(number: int, points: Points) -> str:
    places = " ".join(f"{_x(x)},{_y(y)}" for x, y in points)
    return f'<polyline class="cl-line-{number}" points="{places}"/>'


def _x(share: float) -> float:
    return round(_LEFT + _SIDE * _share(share), 1)


def _y(share: float) -> float:
    return round(_TOP + _SIDE * (1 - _share(share)), 1)


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)

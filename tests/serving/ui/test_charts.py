"""Charts: what is drawn lies where the figures say."""

import re

import pytest

from serving.ui import charts


def test_a_line_goes_from_corner_to_corner_and_never_out_of_its_square() -> None:
    drawn = charts.curves("ROC", ("x", "y"), {"v1": [(0, 0), (0.5, 2.0), (1, 1)]}, "ROC: v1")
    [points] = re.findall(r'points="([^"]+)"', drawn)
    first, middle, last = ([float(part) for part in pair.split(",")] for pair in points.split())
    assert first[0] < middle[0] < last[0]
    assert first[1] > last[1] == middle[1]
    assert 'role="img" aria-label="ROC: v1"' in drawn


def test_every_version_has_a_line_and_a_key_of_its_own() -> None:
    lines = {"champion v1": [(0, 0), (1, 1)], "challenger v2": [(0, 1), (1, 1)]}
    drawn = charts.curves("ROC", ("x", "y"), lines, "both")
    for number, name in enumerate(lines):
        assert f'<polyline class="cl-line-{number}"' in drawn
        assert f'cl-key cl-line-{number}"></span>{name}' in drawn


@pytest.mark.parametrize(("low", "high"), [(0.2, 0.6), (0.6, 0.2)])
def test_a_whisker_lies_over_the_interval(low: float, high: float) -> None:
    drawn = charts.interval("short", 0.5, low, high)
    assert 'style="width:50.0%"' in drawn
    assert 'style="left:20.0%;width:40.0%"' in drawn
    assert f"0.500 [{low:.3f}, {high:.3f}]" in drawn

"""The places of many chains on a wall: readable, in columns of one neuron, and all there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import QRect

from ldam_studio.gui.chain_table import columns_of, crisp
from ldam_studio.gui.wall.arrangement import Metrics, arrange
from ldam_studio.gui.wall.layout import divide, place

METRICS = Metrics(margin=8, gap=4, apart=6, line=18, smallest=28, labelled=44)


def laid_out(area, columns, image=(28, 28), count=1, zoom=1.0):
    longest = max(map(len, columns))
    sections = divide(area, len(columns), longest, image, METRICS, count, heading=18)
    return sections, place(sections, columns, image, METRICS, area, zoom)


def classes(chains, count=10):
    return columns_of([chain % count for chain in range(chains)])


def singles(chains):
    return tuple((chain,) for chain in range(chains))


def test_chains_of_one_neuron_form_a_column():
    assert columns_of("abcabc") == ((0, 3), (1, 4), (2, 5))
    assert columns_of("aabbcc") == ((0, 1), (2, 3), (4, 5))
    assert columns_of("abcab") == ((0, 3), (1, 4), (2,))
    for loose in ("abc", "aaa", "aaab", "a"):
        assert columns_of(loose) == ()
    assert columns_of([n // 2 for n in range(1000)]) == ()


def test_a_hundred_chains_of_ten_classes_are_ten_columns():
    sections, layout = laid_out((720, 510), classes(100))
    assert (sections.arrangement.beside, sections.arrangement.rows) == (10, 10)
    assert [column for _, column in layout.labels] == list(range(10))
    for column, chains in enumerate(classes(100)):
        lefts = layout.corners[0, list(chains), 0]
        assert len(set(lefts.tolist())) == 1
        assert layout.labels[column][0].center().x() == pytest.approx(lefts[0] + 22, abs=3)
    assert layout.thumb == (44, 44)
    assert layout.size[0] <= 720 and layout.size[1] <= 510


def test_thumbnails_grow_with_the_room():
    sizes = [laid_out((w, w), classes(100))[1].thumb[0] for w in (400, 700, 1000, 1500)]
    assert sizes == sorted(sizes) and sizes[-1] > 3 * sizes[0]
    assert laid_out((2000, 1400), classes(100), (224, 224))[1].thumb[0] > 120


def test_a_thousand_chains_can_be_read_and_scroll():
    for columns in (classes(1000), singles(1000), columns_of([n % 200 for n in range(1000)])):
        _, layout = laid_out((720, 510), columns)
        assert layout.thumb == (28, 28)
        assert layout.size[0] <= 720 < layout.size[1]
    sections, layout = laid_out((720, 510), classes(1000))
    assert sections.arrangement.wide == 2 and len(layout.labels) == 10
    assert len(laid_out((720, 510), singles(1000))[1].labels) == 0


def test_all_of_a_thousand_chains_fit_where_they_may_be_small():
    for columns in (classes(1000), singles(1000)):
        asked = len(columns), max(map(len, columns)), (28, 28), METRICS
        sections = divide((720, 510), *asked, all_fit=True)
        layout = place(sections, columns, (28, 28), METRICS, (720, 510))
        assert layout.size[0] <= 720 and layout.size[1] <= 510
        assert layout.thumb[0] >= 12
        assert layout.size[0] > 600  # the whole width is used


def test_few_chains_are_large_and_have_their_own_labels():
    sections, layout = laid_out((720, 510), singles(6))
    assert len(layout.labels) == 6 and layout.thumb[0] >= 196
    assert (sections.arrangement.beside, sections.arrangement.bands) == (3, 2)


@given(
    st.integers(100, 1600),
    st.integers(80, 1200),
    st.integers(1, 150),
    st.integers(1, 12),
    st.sampled_from([(28, 28), (224, 224), (300, 30), (1, 1000)]),
    st.integers(1, 3),
    st.floats(0.3, 4),
)
def test_chains_never_overlap_and_lie_inside(width, height, chains, neurons, image, count, zoom):
    columns = classes(chains, neurons) or singles(chains)
    _, layout = laid_out((width, height), columns, image, count, zoom)
    assert layout.corners.shape == (count, chains, 2)
    corners = layout.corners.reshape(-1, 2)
    assert (corners >= 0).all()
    for axis in (0, 1):
        room = max(layout.size[axis], (width, height)[axis])
        assert (corners[:, axis] + layout.thumb[axis] <= room).all()
    apart = np.abs(corners[:, None] - corners[None]) >= np.array(layout.thumb)
    assert (apart.any(-1) | np.eye(len(corners), dtype=bool)).all()
    assert len({tuple(cell) for cell in layout.cells.tolist()}) == chains


def test_pixels_are_whole_where_that_costs_little():
    assert crisp(60, 28) == 56 and crisp(47, 28) == 47 and crisp(30, 28) == 28
    assert crisp(20, 28) == 20 and crisp(0.2, 28) == 1


def test_networks_side_by_side_have_sections_of_one_size():
    sections, layout = laid_out((900, 500), classes(50), count=2)
    assert sections.beside and len(layout.headings) == 2
    shift = layout.corners[1] - layout.corners[0]
    assert (shift == shift[0]).all() and shift[0, 1] == 0


def test_points_rectangles_and_neighbours():
    _, layout = laid_out((720, 510), classes(100))
    for chain in (0, 37, 99):
        centre = layout.thumb_of(chain).center()
        assert layout.at(centre.x(), centre.y()) == chain
    assert layout.at(1, 1) is None
    part = layout.thumb_of(11).united(layout.thumb_of(23)).adjusted(3, 3, -3, -3)
    assert layout.within(part) == [11, 12, 13, 21, 22, 23] == layout.between(13, 21)
    assert layout.within(QRect(0, 0, 3, 3)) == []
    assert [layout.neighbour(55, *by) for by in ((1, 0), (-1, 0), (0, 1), (0, -1))] == [
        *(56, 54, 65, 45)
    ]
    assert layout.neighbour(99, 1, 0) == 99 and layout.neighbour(0, 0, -1) == 0
    ragged = laid_out((720, 510), classes(25))[1]
    assert ragged.neighbour(19, 0, 1) == 19 and ragged.neighbour(24, 1, 0) == 24


def test_an_area_without_room_gives_the_smallest_size():
    assert arrange((1, 1), 3, 1, (28, 28), METRICS).size == 28
    assert arrange((1, 1), 10, 7, (224, 224), METRICS).size == 28

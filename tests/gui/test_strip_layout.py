from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ldam_studio.gui.canvas.strip_layout import StripMetrics, lay_out

METRICS = StripMetrics(margin=8, gap=8, line=16, heading=0, smallest=28, largest=96)


@given(st.integers(1, 60), st.integers(100, 2000), st.integers(60, 500))
def test_thumbnails_never_overlap_and_are_whole_multiples(chains, width, height):
    layout = lay_out((width, height), chains, (28, 28), 0, METRICS)
    assert len(layout.thumbs) == chains
    assert layout.thumbs[0].width() % 28 == 0
    for i, one in enumerate(layout.thumbs):
        assert one.left() >= 0 and one.top() >= 0
        for other in layout.thumbs[i + 1 :]:
            assert not one.intersects(other)


def test_all_fit_where_there_is_room():
    layout = lay_out((760, 96), 10, (28, 28), 0, METRICS)
    assert layout.columns == 10
    assert layout.thumbs[0].width() == 56
    assert max(t.right() for t in layout.thumbs) < 760


def test_a_table_has_its_rows():
    layout = lay_out((760, 400), 50, (28, 28), 5, METRICS)
    assert layout.columns == 10
    assert len(layout.headings) == 5
    assert layout.thumbs[10].left() == layout.thumbs[0].left()
    assert layout.headings[1].top() == layout.thumbs[10].top()


def test_images_larger_than_the_largest_thumbnail_are_shrunk():
    layout = lay_out((760, 120), 4, (224, 112), 0, METRICS)
    assert max(layout.thumbs[0].width(), layout.thumbs[0].height()) <= 96


def test_photographs_use_the_height_that_there_is():
    layout = lay_out((760, 96), 4, (75, 75), 0, METRICS)
    assert layout.thumbs[0].width() == 60
    assert layout.labels[0].top() - layout.thumbs[0].bottom() == 5
    assert layout.labels[0].bottom() < 96
    assert lay_out((760, 124), 4, (75, 75), 0, METRICS).thumbs[0].width() == 75


def test_odd_shapes_stay_visible():
    thumb = lay_out((760, 96), 2, (96, 1), 0, METRICS).thumbs[0]
    assert (thumb.width(), thumb.height()) == (96, 1)


def test_a_single_line_moves_apart_for_long_labels():
    wide = replace(METRICS, label=120)
    layout = lay_out((760, 96), 4, (28, 28), 0, wide)
    assert [label.width() for label in layout.labels] == [128] * 4
    for thumb, label in zip(layout.thumbs, layout.labels, strict=True):
        assert abs(thumb.center().x() - label.center().x()) <= 1
        assert label.left() >= 0 and label.right() < 760
    # As far as there is room; and several lines stay as close as they are.
    narrow = lay_out((400, 96), 4, (28, 28), 0, wide)
    assert narrow.labels[-1].right() < 400
    many = lay_out((200, 300), 40, (28, 28), 0, wide)
    assert many.labels[0].width() < 120


def test_neighbours():
    layout = lay_out((760, 400), 50, (28, 28), 5, METRICS)
    assert layout.neighbour(0, 0, 1) == 10
    assert layout.neighbour(3, 0, -1) == 3
    assert layout.neighbour(49, 1, 0) == 49
    centre = layout.thumbs[23].center()
    assert layout.at(centre.x(), centre.y()) == 23
    assert layout.at(0, 0) is None

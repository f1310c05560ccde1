from hypothesis import given
from hypothesis import strategies as st

from ldam_studio.gui.strip_layout import StripMetrics, lay_out

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


def test_neighbours():
    layout = lay_out((760, 400), 50, (28, 28), 5, METRICS)
    assert layout.neighbour(0, 0, 1) == 10
    assert layout.neighbour(3, 0, -1) == 3
    assert layout.neighbour(49, 1, 0) == 49
    centre = layout.thumbs[23].center()
    assert layout.at(centre.x(), centre.y()) == 23
    assert layout.at(0, 0) is None

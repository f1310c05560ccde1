from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ldam_studio.gui.canvas.strip_layout import (
    StripMetrics,
    fits_columns,
    lay_out,
    lay_out_columns,
)
from ldam_studio.gui.chain_table import columns_of

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


def test_chains_of_one_neuron_share_a_column():
    columns = columns_of([chain % 10 for chain in range(100)])
    layout = lay_out_columns((720, 400), columns, (28, 28), METRICS)
    assert layout.columns == 10 and layout.size[0] <= 720 and layout.size[1] <= 400
    for column, chains in enumerate(columns):
        assert {layout.thumbs[chain].left() for chain in chains} == {layout.thumbs[column].left()}
        assert layout.labels[column].contains(layout.thumbs[column].center().x(), 20)
        assert all(layout.labels[chain].isNull() for chain in chains[1:])
    assert layout.neighbour(0, 0, 1) == 10 and layout.neighbour(9, 1, 0) == 9
    centre = layout.thumbs[47].center()
    assert layout.at(centre.x(), centre.y()) == 47


def test_columns_grow_with_the_room_and_scroll_where_it_is_low():
    columns = columns_of([chain % 10 for chain in range(40)])
    sizes = [
        lay_out_columns((720, height), columns, (28, 28), METRICS).thumbs[0].width()
        for height in (60, 200, 260, 420)
    ]
    assert sizes[0] == METRICS.smallest and sizes == sorted(sizes) and sizes[-1] > 50
    assert lay_out_columns((720, 60), columns, (28, 28), METRICS).size[1] > 60
    assert lay_out_columns((720, 420), columns, (224, 112), METRICS).thumbs[0].height() == 31
    assert fits_columns(720, 10, METRICS) and not fits_columns(720, 40, METRICS)


def test_neighbours():
    layout = lay_out((760, 400), 50, (28, 28), 5, METRICS)
    assert layout.neighbour(0, 0, 1) == 10
    assert layout.neighbour(3, 0, -1) == 3
    assert layout.neighbour(49, 1, 0) == 49
    centre = layout.thumbs[23].center()
    assert layout.at(centre.x(), centre.y()) == 23
    assert layout.at(0, 0) is None

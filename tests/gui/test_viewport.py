from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldam_studio.gui.canvas.layout import Metrics, arrange, unfitted
from ldam_studio.gui.canvas.viewport import (
    CRISP,
    LARGEST,
    Viewport,
    extent,
    fit_part,
    fit_scale,
    keep_visible,
    neighbour,
    pixel_at,
    zoom,
)

SIZES = st.tuples(st.integers(1, 300), st.integers(1, 300))


@given(SIZES, st.tuples(st.integers(1, 2000), st.integers(1, 2000)))
def test_a_fitted_image_is_whole_fits_and_uses_its_room(image, pane):
    scale = fit_scale(image, pane)
    if scale == Fraction(1, 8):
        return
    width, height = extent(image, scale)
    assert width <= pane[0] and height <= pane[1]
    if scale >= CRISP:
        assert scale.denominator == 1
        # The pane is used: the next whole number would not fit.
        fits = image[0] * (scale + 1) <= pane[0] and image[1] * (scale + 1) <= pane[1]
        assert scale == LARGEST or not fits
    else:
        assert width == pane[0] or height == pane[1]


def test_digits_are_crisp_and_photographs_use_their_room():
    assert fit_scale((28, 28), (354, 380)) == 12
    assert extent((224, 224), fit_scale((224, 224), (354, 380))) == (354, 354)
    assert extent((224, 224), fit_scale((224, 224), (500, 430))) == (430, 430)
    assert fit_scale((224, 224), (708, 760)) == 3
    assert extent((224, 224), fit_scale((224, 224), (200, 380))) == (200, 200)


@given(
    st.tuples(*(st.integers(0, 200),) * 2),
    st.tuples(*(st.integers(1, 60),) * 2),
    st.tuples(*(st.integers(60, 900),) * 2),
)
def test_a_part_fills_the_view_and_lies_in_its_middle(corner, size, pane):
    part = (*corner, corner[0] + size[0], corner[1] + size[1])
    view = fit_part(part, pane)
    top, left, bottom, right = (float(edge * view.scale) for edge in part)
    assert -1 <= view.left + left and view.left + right <= pane[0] + 1
    assert -1 <= view.top + top and view.top + bottom <= pane[1] + 1
    assert view.left + (left + right) / 2 == pytest.approx(pane[0] / 2, abs=1)
    assert view.top + (top + bottom) / 2 == pytest.approx(pane[1] / 2, abs=1)


@given(SIZES, st.tuples(st.integers(40, 900), st.integers(40, 900)), st.data())
def test_the_pixel_under_the_pointer_is_the_one_that_is_painted_there(image, pane, data):
    scale = fit_scale(image, pane)
    view = Viewport(scale, 3, 5)
    x, y = (data.draw(st.integers(0, size - 1)) for size in image)
    at = 3 + float((x + Fraction(1, 2)) * scale), 5 + float((y + Fraction(1, 2)) * scale)
    assert pixel_at(view, image, at) == (x, y)


def test_zooming_from_a_shrunken_fit_goes_through_whole_scales():
    fitted = fit_scale((224, 224), (200, 380))
    assert neighbour(fitted, 1) == 1
    assert neighbour(fitted, 2) == 2
    assert neighbour(fitted, -1) == Fraction(1, 2)
    assert neighbour(Fraction(1, 3), 1) == Fraction(1, 2)
    assert neighbour(Fraction(1, 3), -1) == Fraction(1, 4)
    assert neighbour(Fraction(354, 224), 1) == 2
    assert neighbour(Fraction(354, 224), -1) == 1
    assert neighbour(Fraction(5, 2), -1) == 2


@given(st.integers(1, 90), st.integers(1, 6))
def test_zooming_in_and_out_goes_through_whole_scales(scale, notches):
    larger = neighbour(Fraction(scale), notches)
    assert larger.denominator == 1 and larger > scale
    assert neighbour(Fraction(scale), -notches) < scale


def test_zoom_keeps_the_point_under_the_pointer():
    view = Viewport(Fraction(8), 10, 20)
    at = (10 + 8 * 5.5, 20 + 8 * 7.25)
    after = zoom(view, 3, at)
    assert (at[0] - after.left) / float(after.scale) == pytest.approx(5.5, abs=0.05)
    assert (at[1] - after.top) / float(after.scale) == pytest.approx(7.25, abs=0.05)
    assert not after.fitted


def test_pixel_at_the_edges():
    view = Viewport(Fraction(10), 5, 5)
    assert pixel_at(view, (28, 28), (5, 5)) == (0, 0)
    assert pixel_at(view, (28, 28), (284.9, 284.9)) == (27, 27)
    assert pixel_at(view, (28, 28), (4.9, 100)) is None
    assert pixel_at(view, (28, 28), (285, 100)) is None


@given(st.integers(-5000, 5000), st.integers(-5000, 5000))
def test_an_image_cannot_be_lost(left, top):
    view = keep_visible(Viewport(Fraction(4), left, top, fitted=False), (28, 28), (300, 200))
    # Smaller than half of the pane, it lies in the pane; else it covers the pane's middle.
    assert 0 <= view.left <= 300 - 112
    assert 100 - 112 <= view.top <= 100
    view = keep_visible(Viewport(Fraction(20), left, top, fitted=False), (28, 28), (300, 200))
    assert 150 - 560 <= view.left <= 150
    assert 100 - 560 <= view.top <= 100


@pytest.mark.parametrize(
    ("size", "stacked"), [((1200, 500), False), ((800, 1300), True), ((420, 900), True)]
)
def test_two_panes_are_stacked_where_the_images_are_larger_then(size, stacked):
    image, metrics = (224, 224), Metrics(16, 20, 30, 180)
    layout = arrange(size, image, Viewport(), metrics)
    first, second = layout.panes
    assert (second.top() > first.bottom()) is stacked
    assert (second.left() > first.right()) is not stacked
    # Neither way would leave room for a larger image.
    for columns, rows in ((2, 1), (1, 2)):
        width = (size[0] - 2 * 16 - (columns - 1) * 20) // columns
        height = (size[1] - 16 - 30) // rows - 30
        assert layout.view.scale >= fit_scale(image, (width, height))
    # A zoomed view has the same panes side by side or stacked, and the image does not jump.
    free = unfitted(size, layout, first, metrics)
    again = arrange(size, image, free, metrics)
    assert again.image_in(again.panes[0]) == layout.image_in(first)

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldam_studio.gui.viewport import (
    Viewport,
    extent,
    fit_scale,
    keep_visible,
    neighbour,
    pixel_at,
    zoom,
)

SIZES = st.tuples(st.integers(1, 300), st.integers(1, 300))


@given(SIZES, st.tuples(st.integers(1, 2000), st.integers(1, 2000)))
def test_a_fitted_image_is_whole_and_fits(image, pane):
    scale = fit_scale(image, pane)
    assert scale.denominator == 1 or scale < 1
    if scale > Fraction(1, 8):
        width, height = extent(image, scale)
        assert width <= pane[0] and height <= pane[1]
        # The pane is used: the next whole number, or any more than this, would not fit.
        more = scale + 1 if scale >= 1 else scale * Fraction(102, 100) + Fraction(2, min(image))
        if scale < 96:
            assert image[0] * more > pane[0] or image[1] * more > pane[1]


def test_photographs_are_shown_pixel_by_pixel_where_there_is_room():
    assert fit_scale((224, 224), (354, 380)) == 1
    assert fit_scale((224, 224), (708, 760)) == 3
    assert extent((224, 224), fit_scale((224, 224), (200, 380))) == (200, 200)


def test_zooming_from_a_shrunken_fit_goes_through_whole_scales():
    fitted = fit_scale((224, 224), (200, 380))
    assert neighbour(fitted, 1) == 1
    assert neighbour(fitted, 2) == 2
    assert neighbour(fitted, -1) == Fraction(1, 2)
    assert neighbour(Fraction(1, 3), 1) == Fraction(1, 2)
    assert neighbour(Fraction(1, 3), -1) == Fraction(1, 4)


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
    assert -112 < view.left < 300 and -112 < view.top < 200

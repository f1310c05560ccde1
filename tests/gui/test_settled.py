"""How settled an average is, on the canvas and in the View menu."""

import numpy as np
import pytest
from PyQt6.QtCore import QPointF

from gui.windows import open_in, small_opening, until
from ldam_studio.engine.settled import CHAINS, SIGN, TIME, Settled
from ldam_studio.gui.canvas.settled import ALONE, LOOSE, over_average, settled_words
from ldam_studio.gui.session.model import IMAGE, SIGNED, Display
from ldam_studio.networks.pixels import PixelSpec

GREY = PixelSpec(1, 2, 2, (0.0,), (1.0,))
AVERAGE = np.array([[[0.0, 0.2], [0.4, 1.0]]], np.float32)


def shown(by, values, chains=4, mode=IMAGE):
    return over_average(AVERAGE, Settled(by, values, chains), GREY, Display(mode), 1.0)


def test_a_pixel_that_is_not_settled_gets_the_colour():
    picture, legend = shown(TIME, np.array([[[0.0, 0.0], [0.0, 0.2]]], np.float32))
    assert picture[0, 0].tolist() == [0, 0, 0]
    assert picture[0, 1].tolist() == [51, 51, 51]
    assert np.abs(picture[1, 1] - np.array(LOOSE)).max() <= 26
    assert (legend.words, legend.scale) == ("std over time", 0.2)


def test_a_sign_that_is_not_settled_fades_to_the_rest_colour():
    picture, legend = shown(SIGN, np.array([[[1, 1], [1, 0]]], np.float32), mode=SIGNED)
    assert picture[1, 1].tolist() == picture[0, 0].tolist()
    assert picture[1, 0, 0] > picture[0, 1, 0] > picture[0, 0, 0]
    assert legend.words == "faded: sign unsure, 4 chains"


def test_what_cannot_be_compared_is_said():
    picture, legend = shown(CHAINS, None, chains=1)
    assert picture[1, 1].tolist() == [255, 255, 255]
    assert legend.words == ALONE


def test_one_pixel_in_words():
    values = np.array([[[0.5, 0.0], [0.0, 0.25]]], np.float32)
    assert settled_words(Settled(CHAINS, values, 2), GREY, 0, 0) == "std 0.500"
    assert settled_words(Settled(SIGN, values, 2), GREY, 1, 1) == "sign 25 % settled"
    assert settled_words(Settled(CHAINS, None, 1), GREY, 0, 0) == ""
    assert settled_words(None, GREY, 0, 0) == ""


@pytest.fixture
def window(make_window, qtbot):
    return open_in(make_window(), qtbot, small_opening(burn_in=1))


def test_one_key_goes_through_all_ways(window, qtbot):
    action = window.places.actions()["settled"]
    seen = []
    for by in (TIME, CHAINS, SIGN, ""):
        action.trigger()
        assert window.model.display.settled == by
        until(
            qtbot,
            lambda by=by: (
                (found := window.last_frame.lanes[0].settled) is None
                if not by
                else (found := window.last_frame.lanes[0].settled) is not None and found.by == by
            ),
        )
        window.grab()
        seen.append(window.canvas._shown.legends)
    assert all(legends[1] is not None for legends in seen[:3])
    assert seen[3] == ()


def test_the_value_under_the_pointer_is_read_out(window, qtbot):
    window.places.actions()["settled"].trigger()
    until(qtbot, lambda: bool(window.canvas._shown.legends and window.canvas._shown.legends[1]))
    window.canvas._cursor = QPointF(window.canvas._panes.layout.panes[1].center())
    until(qtbot, lambda: "std" in window.canvas.readout())


def test_the_other_choices_of_the_display_leave_it(window):
    window.places.actions()["settled"].trigger()
    display = window.features["display"]
    display._set_mode(SIGNED)
    display._set_scale(0.5)
    assert window.model.display == Display(SIGNED, 0.5, TIME)

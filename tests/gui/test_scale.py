import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldam_studio.gui.session.undo import Undo
from ldam_studio.gui.settings.scale import STEPS, Scale
from ldam_studio.sampler.settings import SETTINGS

NUMBERS = ("linear", "log", "count")
SLIDERS = [s for s in SETTINGS.values() if s.scale in NUMBERS and s.maximum < 1e9]


@pytest.mark.parametrize("setting", SLIDERS, ids=lambda s: s.name)
def test_every_position_is_an_acceptable_value(setting):
    scale = Scale.of(setting)
    values = [scale.value(position) for position in range(STEPS + 1)]
    assert values == sorted(values)
    assert values[0] == (0 if setting.zero else setting.slider[0])
    assert values[-1] == pytest.approx(setting.slider[1])
    for value in values[::50]:
        assert setting.check(value) == value


@pytest.mark.parametrize("setting", SLIDERS, ids=lambda s: s.name)
def test_a_value_finds_its_position_again(setting):
    scale = Scale.of(setting)
    for position in range(0, STEPS + 1, 7):
        value = scale.value(position)
        assert scale.value(scale.position(value)) == pytest.approx(value, rel=0.01)


def test_values_beyond_the_slider_lie_at_its_end():
    scale = Scale.of(SETTINGS["temperature"])
    assert scale.position(500.0) == STEPS
    assert scale.position(0.0) == 0
    assert scale.position(1e-9) == 1


@given(st.floats(1e-4, 10))
def test_the_wheel_turns_logarithmic_values_by_a_ratio(value):
    scale = Scale.of(SETTINGS["temperature"])
    up = scale.turned(value, 1)
    assert up == pytest.approx(min(value * 1.12, 10), rel=0.01)


def test_the_wheel_reaches_zero_and_leaves_it():
    scale = Scale.of(SETTINGS["temperature"])
    assert scale.turned(1e-4, -1) == 0
    assert scale.turned(0, -1) == 0
    assert scale.turned(0, 1) == 1e-4


def test_the_wheel_turns_whole_numbers_by_whole_steps():
    scale = Scale.of(SETTINGS["thin"])
    assert scale.turned(1, 1) == 2
    assert scale.turned(1, -1) == 1


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def note(undo, name, before, after):
    undo.note({name: before}, {name: after})


def test_undo_holds_a_drag_together():
    clock = Clock()
    undo = Undo(clock)
    note(undo, "l2", 0.0, 1.0)
    clock.now = 10
    undo.drag("temperature", True)
    for step in range(5):
        clock.now += 2
        note(undo, "temperature", step, step + 1)
    undo.drag("temperature", False)
    assert undo.undo() == {"temperature": 0}
    assert undo.undo() == {"l2": 0.0}
    assert undo.undo() is None
    assert undo.redo() == {"l2": 1.0}
    assert undo.redo() == {"temperature": 5}
    assert undo.redo() is None


def test_undo_separates_changes_by_time_and_by_name():
    clock = Clock()
    undo = Undo(clock)
    note(undo, "l2", 0, 1)
    clock.now = 0.5
    note(undo, "l2", 1, 2)
    clock.now = 5
    note(undo, "l2", 2, 3)
    note(undo, "thin", 1, 2)
    assert undo.undo() == {"thin": 1}
    assert undo.undo() == {"l2": 2}
    assert undo.undo() == {"l2": 0}


def test_settings_changed_together_are_taken_back_together():
    undo = Undo(Clock())
    undo.note({"l2": 0, "clamp": False}, {"l2": 1, "clamp": True})
    undo.note({"l2": 1, "clamp": True}, {"l2": 2, "clamp": False})
    note(undo, "l2", 2, 3)
    assert undo.undo() == {"l2": 2}
    assert undo.undo() == {"l2": 1, "clamp": True}
    assert undo.undo() == {"l2": 0, "clamp": False}
    assert undo.redo() == {"l2": 1, "clamp": True}


def click(undo, before, after=None):
    undo.drag("l2", True)
    if after is not None:
        note(undo, "l2", before, after)
    undo.drag("l2", False)


def test_a_double_click_is_one_change_and_none_where_it_ends_as_it_began():
    undo = Undo(Clock())
    note(undo, "thin", 1, 2)
    # Beside the handle: the first click moves it, the second resets.
    click(undo, 4, 5)
    undo.resume("l2")
    note(undo, "l2", 5, 3)
    undo.drag("l2", False)
    assert undo.undo() == {"l2": 4}
    click(undo, 3, 5)
    undo.resume("l2")
    note(undo, "l2", 5, 3)
    undo.drag("l2", False)
    assert undo.undo() == {"thin": 1}


def test_a_double_click_on_the_handle_leaves_the_drag_before_it_alone():
    undo = Undo(Clock())
    click(undo, 3, 5)
    click(undo, 5)
    undo.resume("l2")
    note(undo, "l2", 5, 3)
    undo.drag("l2", False)
    assert undo.undo() == {"l2": 5}
    assert undo.undo() == {"l2": 3}

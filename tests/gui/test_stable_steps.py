"""Step sizes and pulls that steps could not follow are limited in the window, with a sentence."""

from gui.windows import controls, until
from ldam_studio.engine.changes.change import Change


def test_a_slider_stops_at_the_largest_stable_value(studio, qtbot):
    heard = []
    studio.controller.set_values({"l2": 0.5, "smoothness": 0.0, "step_size": 0.1})
    studio.controller.limited.connect(heard.append)
    row = controls(studio).rows["smoothness"]
    row.chosen.emit("smoothness", 5.0)
    assert studio.model.value("smoothness") == 0.48
    assert row.field.text() == "0.48"
    assert len(heard) == 1 and "Smoothness is limited to 0.48" in heard[0]
    # Once more, from the limit: nothing changes, and the slider is back.
    row.chosen.emit("smoothness", 9.0)
    assert studio.model.value("smoothness") == 0.48 and row.field.text() == "0.48"
    assert row.slider.value() == row.scale.position(0.48)
    studio.actions_by_name["undo"].trigger()
    until(qtbot, lambda: studio.model.value("smoothness") == 0.0)


def test_a_limit_is_told_as_long_as_it_is_the_last_word(studio):
    def told():
        return [text for text in studio.banner.texts() if "is limited to" in text]

    studio.controller.set_values({"l2": 0.5, "smoothness": 0.0, "step_size": 0.1})
    studio.controller.set_value("smoothness", 5.0)
    assert len(told()) == 1
    studio.controller.set_value("l2", 500.0)
    assert len(told()) == 1 and "L2 weight" in told()[0]
    studio.controller.set_value("l2", 0.1)
    assert not told()
    studio.controller.set_value("smoothness", 5.0)
    assert told()
    studio.controller.undo()
    assert not told()


def test_a_session_with_larger_steps_goes_on_as_it_was(studio, qtbot):
    """What a recipe or a saved session says is not limited."""
    studio.controller._post(Change("step_size", 5.0), Change("l2", 3.0))
    until(qtbot, lambda: studio.model.value("l2") == 3.0)
    studio.controller.set_value("temperature", 0.3)
    assert studio.model.value("step_size") == 5.0
    studio.controller.set_value("step_size", 4.0)
    assert studio.model.value("step_size") == 0.66

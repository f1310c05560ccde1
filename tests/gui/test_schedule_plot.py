"""The plot of a schedule: what it shows, and how points are drawn with mouse and keyboard."""

import pytest
from PyQt6.QtCore import QPoint, Qt

from ldam_studio.gui.settings.schedule_axes import Axes, path, steps_shown
from ldam_studio.gui.settings.schedule_panel import SchedulePanel
from ldam_studio.gui.settings.schedule_plot import SchedulePlot
from ldam_studio.sampler.curve import MOST_POINTS, points_of
from ldam_studio.sampler.settings import Settings

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
KEYS = Qt.Key
ONCE = Settings.of(schedule=100, step_size=0.02, step_size_start=0.2)
DRAWN = Settings.of(schedule_shape="curves", step_size_curve="0:0.5, 40:0.2, 100:0.01")


class Drawing:
    """A plot whose drawing is put into settings, as a session does."""

    def __init__(self, qtbot, settings=DRAWN, name="step_size"):
        self.plot, self.settings, self.name = SchedulePlot(), settings, name
        qtbot.addWidget(self.plot)
        self.plot.resize(260, 130)
        self.plot.show()
        self.plot.drawn.connect(self._take)
        self.plot.show_schedule(settings, name, 0)
        self.gestures = []
        self.plot.gesture.connect(lambda _name, begins: self.gestures.append(begins))

    def _take(self, name, text):
        self.settings = self.settings.change(name, text)
        self.plot.show_schedule(self.settings, self.name, 0)

    @property
    def points(self):
        return points_of(getattr(self.settings, f"{self.name}_curve"))

    def place(self, number):
        return self.plot.place_of(self.points[number]).toPoint()


@pytest.fixture
def drawing(qtbot):
    return Drawing(qtbot)


def test_a_point_is_dragged_and_stays_between_its_neighbours(drawing, qtbot):
    start = drawing.place(1)
    qtbot.mousePress(drawing.plot, LEFT, pos=start)
    qtbot.mouseMove(drawing.plot, start + QPoint(20, 15))
    moved = drawing.points[1]
    assert 40 < moved.step < 100 and moved.value < 0.2
    qtbot.mouseMove(drawing.plot, QPoint(259, 500))
    assert drawing.points[1] == (99, 0.001)
    qtbot.mouseRelease(drawing.plot, LEFT)
    assert drawing.gestures == [True, False] and len(drawing.points) == 3


def test_a_double_click_adds_a_point_and_a_right_click_removes_it(drawing, qtbot):
    where = (drawing.place(1) + drawing.place(2)) / 2 + QPoint(0, -30)
    qtbot.mouseDClick(drawing.plot, LEFT, pos=where)
    assert len(drawing.points) == 4 and drawing.plot.selected == 2
    assert drawing.place(2) == where or (drawing.place(2) - where).manhattanLength() < 3
    qtbot.mouseClick(drawing.plot, RIGHT, pos=drawing.place(2))
    assert drawing.points == points_of(DRAWN.step_size_curve)
    qtbot.mouseClick(drawing.plot, RIGHT, pos=QPoint(5, 5))
    assert len(drawing.points) == 3


def test_the_first_point_that_is_added_leaves_the_value_at_the_start(qtbot):
    drawing = Drawing(qtbot, Settings.of(schedule_shape="curves", step_size=0.1))
    qtbot.mouseDClick(drawing.plot, LEFT, pos=QPoint(130, 20))
    (first, then) = drawing.points
    assert first == (0, 0.1) and then.step == pytest.approx(50, abs=3) and then.value > 0.1


def test_a_curve_is_drawn_with_the_keyboard_alone(qtbot):
    drawing = Drawing(qtbot, Settings.of(schedule_shape="curves", step_size=0.1))
    press = lambda key, modifier=Qt.KeyboardModifier.NoModifier: qtbot.keyClick(  # noqa: E731
        drawing.plot, key, modifier
    )
    press(KEYS.Key_Insert)
    assert drawing.points == ((0, 0.1),)
    press(KEYS.Key_Insert)
    assert [point.step for point in drawing.points] == [0, 10]
    press(KEYS.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    press(KEYS.Key_Right)
    press(KEYS.Key_Up)
    assert drawing.points[1].step == 21 and drawing.points[1].value == pytest.approx(0.107)
    press(KEYS.Key_PageUp)
    press(KEYS.Key_Down)
    assert drawing.points[0].value == pytest.approx(0.1 / 1.07, rel=0.01)
    press(KEYS.Key_Insert)
    assert [point.step for point in drawing.points] == [0, 10, 21]
    assert "point 2 of 3: step 10" in drawing.plot.accessibleDescription()
    for _ in range(5):
        press(KEYS.Key_Delete)
    assert drawing.points == ()


def test_no_more_points_are_added_than_a_curve_may_have(qtbot):
    most = ", ".join(f"{3 * n}:1" for n in range(MOST_POINTS))
    drawing = Drawing(qtbot, DRAWN.change("step_size_curve", most))
    qtbot.keyClick(drawing.plot, KEYS.Key_Insert)
    assert len(drawing.points) == MOST_POINTS


def test_only_curves_are_edited(qtbot):
    drawing = Drawing(qtbot, ONCE)
    qtbot.mouseDClick(drawing.plot, LEFT, pos=QPoint(100, 50))
    qtbot.keyClick(drawing.plot, KEYS.Key_Insert)
    assert drawing.settings == ONCE and not drawing.plot.is_editable


@pytest.mark.parametrize("name", ["temperature", "discriminator_weight", "resolution"])
def test_every_setting_has_its_own_scale(qtbot, name):
    drawing = Drawing(qtbot, Settings.of(schedule_shape="curves"), name)
    for x in (60, 120, 180):
        qtbot.mouseDClick(drawing.plot, LEFT, pos=QPoint(x, 110))
        qtbot.keyClick(drawing.plot, KEYS.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert len(drawing.points) == 4 and drawing.points[-1].value == 0


def test_the_line_is_that_of_the_schedule():
    axes = Axes.of(ONCE, "step_size", 0)
    line = path(ONCE, "step_size", axes, 0)
    assert line[0] == (0, axes.up(0.2)) and line[-1] == (1, axes.up(0.02))
    middle = min(line, key=lambda share: abs(share[0] - axes.across(50)))
    assert middle[1] == pytest.approx(axes.up((0.2 * 0.02) ** 0.5), abs=0.01)
    each = ONCE.change("step_size", (0.02, 0.4))
    assert path(each, "step_size", axes, 1)[-1][1] == axes.up(0.4)


def test_cycles_are_shown_around_the_present_one():
    cycles = ONCE.with_values({"schedule_shape": "cycles", "cycle_growth": 2})
    assert steps_shown(cycles, 50) == (0, 700) and steps_shown(cycles, 800) == (300, 3_100)
    axes = Axes.of(cycles, "step_size", 50)
    heights = [up for _, up in path(cycles, "step_size", axes, 0)]
    assert heights.count(axes.up(0.2)) == 4  # at each begin, also that of the next cycle
    assert steps_shown(Settings(), 0)[1] > 0
    assert Settings.of(schedule_shape="cycles") and steps_shown(
        Settings.of(schedule_shape="cycles"), 9
    )


def test_values_beyond_the_slider_stretch_the_axis(drawing):
    wide = DRAWN.change("step_size_curve", "0:10, 9:0.00001")
    scale = Axes.of(wide, "step_size", 0).scale
    assert (scale.minimum, scale.maximum) == (0.00001, 10)


def test_the_panel_says_what_to_do(qtbot):
    panel = SchedulePanel()
    qtbot.addWidget(panel)
    panel.show_settings(Settings(), 0)
    assert "number of steps" in panel.words.text() and not panel.start.isEnabled()
    panel.show_settings(Settings.of(schedule=10), 0)
    assert "does not change" in panel.words.text()
    panel.show_settings(Settings.of(schedule_shape="curves"), 0)
    assert "Double-click" in panel.words.text()
    panel.show_settings(Settings.of(schedule=10, temperature_start=1), 0)
    assert panel.name == "temperature" and panel.start.isEnabled()
    panel.show_present(4, {"temperature": 0.3}, held=False)
    assert panel.words.text() == "Step 4: 0.3" and panel.stop.isEnabled()
    panel.show_present(4, {"temperature": 0.3}, held=True)
    assert panel.words.text() == "Stopped at step 4: 0.3" and panel.stop.text() == "Continue"
    panel.show_present(40, {}, held=False)
    assert not panel.stop.isEnabled()

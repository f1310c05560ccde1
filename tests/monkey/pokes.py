"""Does something random to a random part of a window or dialog, as a hand could."""

from __future__ import annotations

from random import Random

from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QListView,
    QTableView,
    QTreeView,
    QWidget,
)

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
KINDS = (
    QAbstractSlider,
    QAbstractSpinBox,
    QLineEdit,
    QComboBox,
    QAbstractButton,
    QListView,
    QTableView,
    QTreeView,
)
TEXTS = (
    *("", " ", "0", "1", "3", "10", "0.5", "-1", "1e-9", "1e9", "nan", "inf", "0,5", "1/2", "٣"),
    *("fc3:0", "fc3:0-3", "conv1", "fc2:84", "fc3:99", "conv2@mean", "seven", "7", "<b>x</b>"),
    *("no such layer", "\N{SNOWMAN}" * 30, "a" * 3000, "%s {} \\", "../../etc", "~nobody/x"),
)
MOST = 24  # the largest number typed into the field of the number of chains, whose steps get slow


def poke(root: QWidget, random: Random) -> None:
    """Use a random slider, field, list or button inside a widget, or click anywhere in it."""
    found = [child for child in root.findChildren(QWidget) if isinstance(child, KINDS)]
    usable = [
        child
        for child in found
        if child.isVisible() and child.isEnabled() and child.window() is root.window()
    ]
    if not usable or random.random() < 0.15:
        click_anywhere(root, random)
        return
    use(random.choice(usable), random)


def use(widget: QWidget, random: Random) -> None:
    """Do what its kind is for."""
    match widget:
        case QAbstractSlider():
            _slide(widget, random)
        case QAbstractSpinBox() | QLineEdit():
            _type(widget, random)
        case QComboBox():
            if widget.count():
                index = random.randrange(widget.count())
                widget.setCurrentIndex(index)
                widget.activated.emit(index)
        case QListView() | QTreeView() | QTableView():
            _choose(widget, random)
        case QAbstractButton():
            if not isinstance(widget.window(), QDialog) or random.random() < 0.7:
                widget.click()


def click_anywhere(root: QWidget, random: Random) -> None:
    """Click, drag or turn the wheel at a random place."""
    place = QPoint(random.randrange(max(root.width(), 1)), random.randrange(max(root.height(), 1)))
    target = root.childAt(place) or root
    inside = target.mapFrom(root, place)
    match random.randrange(5):
        case 0:
            QTest.mouseDClick(target, LEFT, NONE, inside)
        case 1:
            QTest.mouseClick(target, RIGHT, NONE, inside)
        case 2:
            turn(target, inside, random)
        case 3:
            QTest.mousePress(target, LEFT, NONE, inside)
            for _ in range(3):
                inside = inside + QPoint(random.randint(-40, 40), random.randint(-40, 40))
                QTest.mouseMove(target, inside)
            QTest.mouseRelease(target, LEFT, NONE, inside)
        case _:
            QTest.mouseClick(target, LEFT, random.choice((NONE, SHIFT, CONTROL)), inside)


def turn(widget: QWidget, at: QPoint, random: Random) -> None:
    """Turn the wheel by some notches."""
    by = QPoint(0, random.choice((-240, -120, 120, 240)))
    event = QWheelEvent(
        QPointF(at),
        QPointF(widget.mapToGlobal(at)),
        QPoint(),
        by,
        Qt.MouseButton.NoButton,
        random.choice((NONE, NONE, CONTROL)),
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def _slide(slider: QAbstractSlider, random: Random) -> None:
    low, high = slider.minimum(), slider.maximum()
    match random.randrange(3):
        case 0:
            slider.setValue(random.randint(low, high))
        case 1:
            slider.setSliderDown(True)
            for _ in range(random.randint(1, 8)):
                slider.setSliderPosition(random.randint(low, high))
                QApplication.processEvents()
            slider.setSliderDown(False)
        case _:
            slider.setFocus()
            for _ in range(3):
                keys = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_PageUp, Qt.Key.Key_Home)
                QTest.keyClick(slider, random.choice(keys))


def _type(field: QWidget, random: Random) -> None:
    text = random.choice(TEXTS)
    if "hain" in field.accessibleName() and text.strip().isdigit():
        text = str(min(int(text), MOST))
    field.setFocus()
    line = field if isinstance(field, QLineEdit) else field.findChild(QLineEdit)
    if line is None:
        return
    line.selectAll()
    if len(text) > 10 or not text.isascii():  # QTest has no keys for other letters
        line.insert(text)
        line.textEdited.emit(line.text())
    else:
        QTest.keyClicks(line, text)
    keys = (Qt.Key.Key_Return, Qt.Key.Key_Tab, Qt.Key.Key_Escape, Qt.Key.Key_Down)
    QTest.keyClick(line, random.choice(keys))


def _choose(view: QListView | QTreeView | QTableView, random: Random) -> None:
    model = view.model()
    if model is None:
        return
    index = view.rootIndex()
    for _ in range(random.randint(1, 4)):
        rows = model.rowCount(index)
        if not rows:
            break
        index = model.index(random.randrange(rows), 0, index)
    if not index.isValid():
        return
    view.scrollTo(index)
    place = view.visualRect(index).center()
    target = view.viewport() or view
    if random.random() < 0.3:
        QTest.mouseDClick(target, LEFT, NONE, place)
    else:
        QTest.mouseClick(target, LEFT, random.choice((NONE, NONE, SHIFT, CONTROL)), place)
    QTest.keyClick(view, random.choice((Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Up)))

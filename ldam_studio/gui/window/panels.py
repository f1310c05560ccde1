"""Divides the window: neurons on the left, images in the middle, settings on the right.

The features add the panels.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import get_args

from PyQt6.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QSplitter, QTabWidget, QVBoxLayout, QWidget

from ldam_studio.gui.canvas.canvas import Canvas
from ldam_studio.gui.canvas.strip_area import StripArea
from ldam_studio.gui.qt import present
from ldam_studio.gui.studio import Side
from ldam_studio.gui.window.banner import Banner
from ldam_studio.gui.window.panel_handle import PanelHandle
from ldam_studio.gui.window.side_column import SideColumn

SIDES: tuple[Side, ...] = get_args(Side)
NARROW = 1000  # the neurons are hidden in a window narrower than this, in logical pixels
LOW = 620  # the traces are hidden in a window lower than this
WIDTHS = (336, 660, 284)
HEIGHTS = (460, 96, 150)
ROOMY = 560  # smallest comfortable height of two rows of images
NARROW_TABS = 200
LOW_TRACES = 126  # smallest height at which curves can be read
STRIP_SHARE = 8  # the strip takes this part of the height, within the limits below
STRIP = (HEIGHTS[1], 150)
STRIP_PRESENTED = (HEIGHTS[1], 260)
LOW_STRIP = 62  # height of the strip while two rows of images need the space


class Panels(QWidget):
    """The central widget of the window. A hidden panel leaves a handle that shows it again."""

    changed = pyqtSignal()  # a panel was shown or hidden

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = Canvas()
        self._over = QVBoxLayout(self.canvas)
        self.banner = Banner(self.canvas)
        self.strip = StripArea()
        # The sides that the user wants to see; there may not be room for all of them.
        self.wanted: dict[Side, bool] = dict.fromkeys(SIDES, True)
        # The sides that stay although there is no room, because the user asked for them.
        self._insisted: set[Side] = set()
        self.presenting = False
        self._filling: QWidget | None = None  # what lies in the place of images and strip
        self._unfilled: list[int] = []  # the heights before that
        self.canvas.installEventFilter(self)
        # With two rows of images: the heights of strip and traces with one row.
        self._spared: list[int] | None = None
        self.strip_is_own = False  # whether the user has chosen the strip's height
        self._roomy = True  # whether the window is high enough for those and for two rows

        self.left, self.right, self.bottom = QFrame(), QFrame(), QFrame()
        # The canvas, with the bars above and below it.
        self.stage = QFrame()
        self._layouts = {
            holder: _column(holder) for holder in (self.left, self.right, self.bottom, self.stage)
        }
        self.column = SideColumn()
        self._layouts[self.right].addWidget(self.column)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setTabBarAutoHide(True)
        self.tabs.setMinimumWidth(NARROW_TABS)  # panels must not widen the window
        present(self.tabs.tabBar()).setProperty("compact", True)
        self._ranks: list[int] = []  # of the tabs, in their order
        self._preferred = ""  # title of the tab to choose once it is there
        self._layouts[self.bottom].addWidget(self.tabs)
        self._layouts[self.stage].addWidget(self.canvas, 1)
        self.left.setMinimumWidth(180)
        self.bottom.setMinimumHeight(LOW_TRACES)
        self.middle = _splitter(Qt.Orientation.Vertical, self.stage, self.strip, self.bottom)
        self.middle.setSizes(list(HEIGHTS))
        self.middle.setStretchFactor(0, 1)
        self.middle.splitterMoved.connect(self._on_moved)
        self.middle.resized.connect(self._follow)
        self.across = _splitter(Qt.Orientation.Horizontal, self.left, self.middle, self.right)
        self.across.setSizes(list(WIDTHS))
        self.across.setStretchFactor(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        row = QHBoxLayout()
        row.setSpacing(0)
        column.addLayout(row, 1)
        self.handles: dict[Side, PanelHandle] = {
            "neurons": PanelHandle("Neurons", Qt.Edge.LeftEdge),
            "controls": PanelHandle("Settings", Qt.Edge.RightEdge),
            "traces": PanelHandle("Traces", Qt.Edge.BottomEdge),
        }
        row.addWidget(self.handles["neurons"])
        row.addWidget(self.across, 1)
        row.addWidget(self.handles["controls"])
        column.addWidget(self.handles["traces"])
        self._column = column
        for side, handle in self.handles.items():
            handle.clicked.connect(lambda _on, side=side: self.show_panel(side, True))
            handle.hide()

    def add_panel(self, side: Side, panel: QWidget, *, first: bool = False) -> None:
        """Add a panel to one side; the settings' panels scroll, others share the height."""
        if side == "controls":
            self.column.add(panel, first=first)
            return
        layout = self._layouts[self._holders()[side]]
        # The first panel of a side stretches; the others keep their own height.
        layout.insertWidget(0 if first else layout.count(), panel, 0 if layout.count() else 1)

    def add_tab(self, title: str, panel: QWidget, rank: int) -> None:
        """Add a panel below the images as a tab, after all tabs of the same or a lower rank."""
        at = bisect_right(self._ranks, rank)
        self._ranks.insert(at, rank)
        self.tabs.insertTab(at, panel, title)
        self.prefer_tab(self._preferred)

    @property
    def tab(self) -> str:
        """The title of the tab in front; empty without tabs."""
        return self.tabs.tabText(self.tabs.currentIndex())

    def prefer_tab(self, title: str) -> None:
        """Choose the tab with this title now, or as soon as it is there; unknown ones never are."""
        self._preferred = title
        for at in range(self.tabs.count()):
            if self.tabs.tabText(at) == title:
                self._preferred = ""
                self.tabs.setCurrentIndex(at)

    def show_tab(self, panel: QWidget) -> None:
        """Choose the tab of a panel, and show the tabs if they are hidden."""
        self.show_panel("traces", True)
        self.tabs.setCurrentWidget(panel)

    def cover(self, widget: QWidget | None) -> None:
        """Lay a widget over the images; None takes away what lies there."""
        # First of all, so that the focus does not wander on from what disappears.
        self.canvas.setFocus()
        while (item := self._over.takeAt(0)) is not None:
            present(item.widget()).hide()
            present(item.widget()).deleteLater()
        if widget is not None:
            self._over.addWidget(widget)
            widget.show()
            widget.setFocus()
            self.banner.raise_()

    def fill(self, widget: QWidget | None) -> None:
        """Put a widget in the place of images and strip; None shows these again.

        It covers the images and is part of them, so that messages are shown above it.
        """
        before, self._filling = self._filling, widget
        if before is widget:
            return
        if before is None:
            self._unfilled = self.middle.sizes()
        else:
            before.hide()
        self.strip.setVisible(widget is None)
        self.canvas.setFocusProxy(widget)
        if widget is not None:
            widget.setParent(self.canvas)
            self._cover_canvas()
            widget.show()
            widget.lower()
        else:
            self.middle.setSizes(self._unfilled)
            self._follow()
        self.canvas.setFocus()

    def _cover_canvas(self) -> None:
        if self._filling is not None:
            self._filling.setGeometry(self.canvas.rect())

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Give what fills the place of the images their new size."""
        if watched is self.canvas and present(event).type() == QEvent.Type.Resize:
            self._cover_canvas()
        return super().eventFilter(watched, event)

    def add_below(self, bar: QWidget) -> None:
        """Add a bar below everything else."""
        self._column.addWidget(bar)

    def add_bar(self, bar: QWidget, *, above: bool) -> None:
        """Add a bar directly above or below the images."""
        column = self._layouts[self.stage]
        column.insertWidget(column.indexOf(self.canvas) if above else column.count(), bar)

    def show_panel(self, name: Side, on: bool) -> None:
        """Show or hide the panels of one side because the user asked for it."""
        self.wanted[name] = on
        if on:
            self._insisted.add(name)
        else:
            self._insisted.discard(name)
        self.make_room()

    def shows(self, name: Side) -> bool:
        """Return whether the panels of one side are shown."""
        return not self._holders()[name].isHidden()

    def make_room(self) -> None:
        """Hide panels if the window is too small, except those that the user asked for."""
        size = present(self.window()).size()
        room: dict[Side, bool] = {
            "neurons": size.width() >= NARROW,
            "controls": True,
            "traces": size.height() >= (LOW if self._spared is None else LOW + self._bars()),
        }
        changed = False
        for name, holder in self._holders().items():
            if room[name]:
                self._insisted.discard(name)
            fits = room[name] or name in self._insisted
            on = self.wanted[name] and fits and not self.presenting
            if holder.isHidden() == on:
                holder.setVisible(on)
                changed = True
            self.handles[name].setVisible(not on and not self.presenting)
        self._share()
        if changed:
            self.changed.emit()

    def show_two_rows(self, on: bool) -> None:
        """Make strip and traces lower for a second row of images, or restore their heights."""
        if on == (self._spared is not None):
            return
        heights = self.heights()
        heights[2] = heights[2] or HEIGHTS[2]  # the traces may be hidden now and shown later
        self._spared, self._roomy = (heights[1:] if on else None), True
        if not on:
            self.middle.setSizes(heights)
        self.make_room()

    def _share(self) -> None:
        """Divide the height between two rows of images, the strip and the traces.

        Sizes that the user drags are kept until the available height crosses `ROOMY`.
        """
        if self._spared is None or self._filling is not None:
            return
        whole = sum(self.middle.sizes())
        strip, traces = self._spared[0], self._spared[1] if self.shows("traces") else 0
        # During a resize, the new height of this widget is known before those of its children.
        roomy = self.height() - self._bars() - strip - traces >= ROOMY
        if roomy == self._roomy:
            return
        self._roomy = roomy
        if not roomy:
            strip = self.strip.strip.table_height or LOW_STRIP
            traces = min(traces, self.bottom.minimumHeight())
        self.middle.setSizes([max(whole - strip - traces, 1), strip, traces])

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Divide the new height."""
        super().resizeEvent(event)
        self._share()

    def _follow(self) -> None:
        """Give the strip its usual height in a window of another size."""
        if self._spared is None and not self.strip_is_own:
            self.give_strip(0)

    def _on_moved(self) -> None:
        self.strip_is_own = True

    def restore_heights(self, heights: list[int]) -> None:
        """Set the heights of images, strip and traces to those of an earlier start."""
        self.strip_is_own = heights[1] != HEIGHTS[1]
        self.middle.setSizes(heights)

    def heights(self) -> list[int]:
        """Return the heights of images, strip and traces for a single row of images."""
        sizes = self.middle.sizes() if self._filling is None else self._unfilled
        if self._spared is None:
            return sizes
        return [max(sum(sizes) - sum(self._spared), 1), *self._spared]

    def _bars(self) -> int:
        """Return the total height of the bars above and below the images."""
        column = self._layouts[self.stage]
        bars = (present(present(column.itemAt(at)).widget()) for at in range(column.count()))
        return sum(b.sizeHint().height() for b in bars if b is not self.canvas and b.isVisible())

    def give_strip(self, height: int) -> None:
        """Set the height of the strip, within limits; 0 sets its usual height.

        A table of chains never gets lower than it needs.
        """
        if self._filling is not None:
            return
        sizes = self.middle.sizes()
        least = self.strip.strip.table_height or self._usual_strip()
        height = min(max(height, least), sum(sizes) // 2)
        taken = height - sizes[1]
        self.middle.setSizes([max(sizes[0] - taken, 1), height, sizes[2]])

    def _usual_strip(self) -> int:
        """Return the height of the strip at which its thumbnails use the room there is."""
        least, most = STRIP_PRESENTED if self.presenting else STRIP
        return min(max(self.height() // STRIP_SHARE, least), most)

    def _holders(self) -> dict[Side, QFrame]:
        return {"neurons": self.left, "controls": self.right, "traces": self.bottom}


def _column(holder: QFrame) -> QVBoxLayout:
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    return layout


def _splitter(orientation: Qt.Orientation, *widgets: QWidget) -> _Divided:
    splitter = _Divided(orientation)
    splitter.setHandleWidth(1)
    splitter.setChildrenCollapsible(False)
    for widget in widgets:
        splitter.addWidget(widget)
    return splitter


class _Divided(QSplitter):
    """A splitter that tells when it has divided another size."""

    resized = pyqtSignal()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Divide the new size, then tell."""
        super().resizeEvent(event)
        self.resized.emit()

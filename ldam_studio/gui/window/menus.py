"""The menu bar and the toolbar of the window."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QActionGroup
from PyQt6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QSizePolicy,
    QToolBar,
    QWidget,
)

from ldam_studio.gui.session.model import IMAGE, SIGNED, Display
from ldam_studio.gui.window.actions import TOOLBAR

if TYPE_CHECKING:
    from ldam_studio.gui.session.model import Model
    from ldam_studio.networks.sources.request import NetworkRequest

MODES = (("As &Image", IMAGE), ("&Signed", SIGNED))
FIXED_SCALES = (0.25, 0.5, 1.0, 2.0)
THEMES = (("&Follow the System", "system"), ("&Dark", "dark"), ("&Light", "light"))


def build_toolbar(window: QMainWindow, actions: dict[str, QAction]) -> QToolBar:
    """Add the toolbar: icons with short words beside them."""
    bar = QToolBar("Tools", window)
    bar.setObjectName("toolbar")
    bar.setMovable(False)
    bar.setIconSize(QSize(18, 18))
    bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
    for number, group in enumerate(TOOLBAR):
        if number:
            bar.addSeparator()
        for name in group:
            bar.addAction(actions[name])
    window.addToolBar(bar)
    return bar


class DisplayBox(QWidget):
    """At the right end of the toolbar: how pixels become colours."""

    chosen = pyqtSignal(str)

    def __init__(self, bar: QToolBar) -> None:
        super().__init__(bar)
        self.combo = QComboBox()
        for text, mode in MODES:
            self.combo.addItem(text.replace("&", ""), mode)
        self.combo.setAccessibleName("Display")
        self.combo.setToolTip(
            "As image: black and white are the ends of the valid range. Signed: mid-grey is the "
            "rest colour, and what lies above or below it is lighter or darker."
        )
        self.combo.activated.connect(lambda index: self.chosen.emit(self.combo.itemData(index)))
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 6, 0)
        row.addStretch(1)
        row.addWidget(self.combo)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(self)

    def show_mode(self, mode: str) -> None:
        """Show "image" or "signed"."""
        self.combo.setCurrentIndex(self.combo.findData(mode))


class Choice:
    """A group of menu entries of which one is ticked."""

    def __init__(
        self,
        menu: QMenu,
        entries: tuple[tuple[str, Any], ...],
        chosen: Callable[[Any], object],
    ) -> None:
        self._group = QActionGroup(menu)
        self._actions: list[tuple[QAction, Any]] = []
        for text, value in entries:
            action = QAction(text, menu)
            action.setCheckable(True)
            action.triggered.connect(lambda _on, value=value: chosen(value))
            self._group.addAction(action)
            menu.addAction(action)
            self._actions.append((action, value))

    def show(self, value: Any) -> None:
        """Tick the entry of a value."""
        for action, own in self._actions:
            action.setChecked(own == value)

    def enable(self, on: bool) -> None:
        """Let the entries be chosen or not."""
        self._group.setEnabled(on)


class Menus:
    """The menu bar; `chosen_*` are called with what a person picks."""

    def __init__(
        self,
        window: QMainWindow,
        toolbar: QToolBar,
        actions: dict[str, QAction],
        examples: tuple[str, ...],
        *,
        recent: Callable[[], tuple[NetworkRequest, ...]],
        chosen_recent: Callable[[NetworkRequest], object],
        chosen_example: Callable[[int], object],
        chosen_display: Callable[[Display], object],
        chosen_theme: Callable[[str], object],
    ) -> None:
        bar = window.menuBar()
        assert bar is not None
        file = bar.addMenu("&File")
        file.addAction(actions["open_network"])
        self.recent = file.addMenu("&Recent Networks")
        # Read when it is wanted: the start of the window does not wait for it.
        file.aboutToShow.connect(lambda: self._show_recent(recent(), chosen_recent))
        for name in ("open_weights", "open_discriminator", "open_picture"):
            file.addAction(actions[name])
        menu = file.addMenu("E&xamples")
        for number, title in enumerate(examples):
            menu.addAction(title).triggered.connect(
                lambda _on, number=number: chosen_example(number)
            )
        file.addAction(actions["start"])
        file.addSeparator()
        for name in ("watch", "watch_mnist"):
            file.addAction(actions[name])
        file.addSeparator()
        file.addAction(actions["export"])
        file.addSeparator()
        file.addAction(actions["quit"])

        edit = bar.addMenu("&Edit")
        for name in ("undo", "redo"):
            edit.addAction(actions[name])

        run = bar.addMenu("&Run")
        for name in ("play", "step", "melt", "restart", "new_seed", "reset_average"):
            run.addAction(actions[name])

        self.presets = bar.addMenu("&Presets")

        neuron = bar.addMenu("&Neuron")
        for name in ("find_neuron", "next_neuron", "previous_neuron", "random_neuron"):
            neuron.addAction(actions[name])
        neuron.addSeparator()
        for name in ("star_neuron", "list_neurons", "list_feeding", "list_starred", "list_recent"):
            neuron.addAction(actions[name])

        compare = bar.addMenu("&Compare")
        for name in ("compare", "compare_settings"):
            compare.addAction(actions[name])
        compare.addSeparator()
        for name in ("act_on_both", "act_on_a", "act_on_b"):
            compare.addAction(actions[name])
        compare.addSeparator()
        compare.addAction(actions["strip_both"])
        compare.addSeparator()
        compare.addAction(actions["end_comparison"])

        view = bar.addMenu("&View")
        self._display = Display()
        self.box = DisplayBox(toolbar)
        self.box.chosen.connect(lambda mode: chosen_display(Display(mode, self._display.scale)))
        self.mode = Choice(
            view,
            MODES,
            lambda mode: chosen_display(Display(mode, self._display.scale)),
        )
        scale = view.addMenu("S&cale When Signed")
        scales = (
            ("&Each Image Its Own", None),
            *((f"Fixed: &{n}  ±{value:g}", value) for n, value in enumerate(FIXED_SCALES, 1)),
        )
        self.scale = Choice(
            scale, scales, lambda value: chosen_display(Display(self._display.mode, value))
        )
        view.addSeparator()
        for name in ("fit", "zoom_field", "zoom_in", "zoom_out", "focus_canvas"):
            view.addAction(actions[name])
        view.addSeparator()
        for name in ("show_neurons", "show_controls", "show_traces", "presentation"):
            view.addAction(actions[name])
        view.addSeparator()
        self.theme = Choice(view.addMenu("&Theme"), THEMES, chosen_theme)

        help_menu = bar.addMenu("&Help")
        help_menu.addAction(actions["help"])

    def _show_recent(
        self,
        requests: tuple[NetworkRequest, ...],
        chosen: Callable[[NetworkRequest], object],
    ) -> None:
        self.recent.clear()
        self.recent.setToolTipsVisible(True)
        for number, request in enumerate(requests, 1):
            # What a person named may have ampersands, which are marks of mnemonics here.
            action = self.recent.addAction(f"&{number}  {request.title.replace('&', '&&')}")
            action.setToolTip("\n".join(str(t) for t in (request.name, request.weights) if t))
            action.triggered.connect(lambda _on, request=request: chosen(request))
        self.recent.setEnabled(bool(requests))

    def follow(self, model: Model) -> None:
        """Tick what the model says."""
        self._display = model.display
        self.mode.show(model.display.mode)
        self.box.show_mode(model.display.mode)
        self.scale.show(model.display.scale)
        self.scale.enable(model.display.mode == SIGNED)

"""Icons in the colours of the current theme."""

from __future__ import annotations

from functools import cache

from PyQt6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PyQt6.QtSvg import QSvgRenderer

from ldam_studio.assets import asset
from ldam_studio.gui.qt import present
from ldam_studio.gui.theme.theme import current

ICONS = (
    "play",
    "pause",
    "step",
    "melt",
    "restart",
    "new-seed",
    "reset-average",
    "export",
    "fit",
    "presentation",
    "help",
    "search",
    "next",
    "previous",
    "random",
    "all",
    "folder",
    "save",
    "revert",
    "close",
    "info",
    "warning",
    "theme",
    "expanded",
    "collapsed",
    "star",
    "starred",
    "pin",
    "record",
    "stop",
)


def icon(name: str) -> QIcon:
    """Return one of `ICONS`; it is painted in the colours of the current theme.

    Raises
    ------
    KeyError
        If there is no such icon.
    """
    if name not in ICONS:
        raise KeyError(name)
    return QIcon(_ThemedSvg(name))


def app_icon() -> QIcon:
    """Return the program's own icon, in its own colours."""
    return QIcon(str(asset("resources", "icons", "ldam-studio.svg")))


@cache
def _source(name: str) -> str:
    return asset("resources", "icons", f"{name}.svg").read_text(encoding="utf-8")


class _ThemedSvg(QIconEngine):
    """Paints an SVG, sharp at any scale; ``currentColor`` in it is the theme's text colour."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def clone(self) -> QIconEngine:
        """Return a copy, as Qt asks when an icon is shared."""
        return _ThemedSvg(self._name)

    def paint(
        self, painter: QPainter | None, rect: QRect, mode: QIcon.Mode, state: QIcon.State
    ) -> None:
        """Paint into ``rect``; fainter if disabled, on the accent if selected."""
        painter, theme = present(painter), current()
        token = "on_accent" if mode == QIcon.Mode.Selected else "text"
        svg = _source(self._name).replace("currentColor", getattr(theme, token))
        svg = svg.replace("accentColor", theme.accent if token == "text" else theme.on_accent)
        painter.save()
        if mode == QIcon.Mode.Disabled:
            painter.setOpacity(0.4)
        QSvgRenderer(svg.encode()).render(painter, QRectF(rect))
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Return the icon at ``size`` device pixels on a transparent background."""
        if size.isEmpty():
            return QPixmap()  # a button squeezed to nothing; an empty pixmap cannot be painted on
        made = QPixmap(size)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return made

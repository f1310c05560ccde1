"""Colours, type and icons of the window, dark and light.

Every colour in the window is a *token* of one :class:`Theme`, so that contrast can be tested in
one place and a widget that paints by hand looks the same as one that Qt paints. Calling
:func:`apply` again changes a running window: Qt sends ``PaletteChange`` to every widget, and those
that paint by hand read :func:`current` then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QPoint, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PyQt6.QtSvg import QSvgRenderer

from ldam_studio.assets import asset
from ldam_studio.gui.theme.stylesheet import stylesheet

if TYPE_CHECKING:
    from PyQt6.QtWidgets import QApplication

CHOICES = ("system", "dark", "light")

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
)


@dataclass(frozen=True)
class Theme:
    """The named colours of one look, as ``#rrggbb``, and the scale of its type.

    ``outline`` separates areas and carries no meaning; ``control`` outlines what can be operated
    and therefore has a contrast of at least 3 to 1 (WCAG 2.2, 1.4.11). Texts have at least 4.5 to
    1 (1.4.3).
    """

    dark: bool
    background: str  # the window
    surface: str  # lists, fields, plots
    raised: str  # buttons, banners
    outline: str
    control: str
    text: str
    muted: str
    accent: str
    on_accent: str
    warning: str
    danger: str
    success: str
    second: str  # the second of two networks that are compared; the first one's is the accent
    canvas: str  # around the images: neutral grey, so that it does not tint what is judged
    scale: float = 1.0

    def colour(self, token: str, alpha: int = 255) -> QColor:
        """Return a token as a colour that Qt paints with, ``alpha`` from 0 to 255."""
        colour = QColor(getattr(self, token))
        colour.setAlpha(alpha)
        return colour


DARK = Theme(
    dark=True,
    background="#1c1e22",
    surface="#24272c",
    raised="#2f3339",
    outline="#3a3f47",
    control="#7d8590",
    text="#e7e9ec",
    muted="#aab1bb",
    accent="#6cb6ff",
    on_accent="#0b1a29",
    warning="#e8b450",
    danger="#ff8f87",
    success="#74c69d",
    second="#f08fc0",
    canvas="#161616",
)

LIGHT = Theme(
    dark=False,
    background="#f3f4f6",
    surface="#ffffff",
    raised="#fafbfc",
    outline="#d3d7dd",
    control="#7c848f",
    text="#1b1f24",
    muted="#555d68",
    accent="#0a63b8",
    on_accent="#ffffff",
    warning="#875400",
    danger="#b42318",
    success="#1a7045",
    second="#a8216b",
    canvas="#e2e2e2",
)

_current = DARK


def current() -> Theme:
    """Return the look that was applied last."""
    return _current


def system_is_dark(app: QApplication) -> bool:
    """Return whether the system asks for a dark look; if it does not say, its palette does."""
    hints = app.styleHints()
    scheme = hints.colorScheme() if hints is not None else Qt.ColorScheme.Unknown
    if scheme == Qt.ColorScheme.Unknown:
        return app.style().standardPalette().color(QPalette.ColorRole.Window).lightness() < 128
    return scheme == Qt.ColorScheme.Dark


def apply(app: QApplication, choice: str = "system", scale: float = 1.0) -> Theme:
    """Give the whole application a look and return it.

    Parameters
    ----------
    app
        The application; its style becomes Fusion, the only style that honours a palette everywhere.
    choice
        ``"system"`` (also follows a later change of the system's), ``"dark"`` or ``"light"``.
    scale
        Size of the type against the system's: 1 for work, about 1.5 in front of a class.

    Raises
    ------
    ValueError
        If ``choice`` is none of the three.
    """
    if choice not in CHOICES:
        raise ValueError(f"theme must be one of {', '.join(CHOICES)}, not {choice!r}")
    follower = app.findChild(_Follower, "theme-follower") or _Follower(app)
    follower.choice, follower.scale = choice, scale
    return follower.refresh()


class _Follower(QObject):
    """Remembers what was chosen and answers when the system turns dark or light."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self.setObjectName("theme-follower")
        self.choice, self.scale = "system", 1.0
        self._app = app
        self._applying = False
        app.setStyle("Fusion")
        # What the desktop set, before any scale: scaling again must not compound.
        self._size = app.font().pointSizeF()
        hints = app.styleHints()
        if hints is not None:
            hints.colorSchemeChanged.connect(self._system_changed)

    def _system_changed(self) -> None:
        if self.choice == "system" and not self._applying:
            self.refresh()

    def refresh(self) -> Theme:
        """Apply the remembered choice."""
        global _current
        self._applying = True
        try:
            self._tell_platform()
            dark = system_is_dark(self._app) if self.choice == "system" else self.choice == "dark"
            base = DARK if dark else LIGHT
            theme = Theme(**{**base.__dict__, "scale": self.scale})
            _current = theme
            font = QFont(self._app.font())
            font.setPointSizeF(self._size * theme.scale)
            self._app.setFont(font)
            self._app.setPalette(palette(theme))
            self._app.setStyleSheet(stylesheet(theme))
        finally:
            self._applying = False
        return theme

    def _tell_platform(self) -> None:
        # Title bars and native dialogs are drawn by the platform, which must know the choice too
        # (Qt 6.8 on).
        hints = self._app.styleHints()
        if hints is None or not hasattr(hints, "setColorScheme"):
            return
        scheme = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light}.get(self.choice)
        if scheme is None:
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(scheme)


def palette(theme: Theme) -> QPalette:
    """Return Qt's palette for a look."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    colours = {
        role.Window: theme.background,
        role.WindowText: theme.text,
        role.Base: theme.surface,
        role.AlternateBase: theme.background,
        role.Text: theme.text,
        role.PlaceholderText: theme.muted,
        role.Button: theme.raised,
        role.ButtonText: theme.text,
        role.BrightText: theme.danger,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.Accent: theme.accent,
        role.Light: theme.outline,
        role.Midlight: theme.outline,
        role.Mid: theme.outline,
        role.Dark: theme.control,
        role.Shadow: theme.outline,
    }
    made = QPalette()
    for name, value in colours.items():
        made.setColor(name, QColor(value))
    faint = theme.colour("muted", 140)
    for name in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(group.Disabled, name, faint)
    made.setColor(group.Disabled, role.Highlight, QColor(theme.outline))
    made.setColor(group.Disabled, role.HighlightedText, faint)
    return made


def contrast(first: str, second: str) -> float:
    """Return the contrast of two ``#rrggbb`` colours, from 1 to 21 (WCAG 2.2)."""

    def luminance(text: str) -> float:
        parts = [int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def icon(name: str) -> QIcon:
    """Return one of :data:`ICONS`; it takes the colours of the look in which it is painted.

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


_sources: dict[str, str] = {}


def _source(name: str) -> str:
    if name not in _sources:
        _sources[name] = asset("resources", "icons", f"{name}.svg").read_text(encoding="utf-8")
    return _sources[name]


class _ThemedSvg(QIconEngine):
    """Paints an SVG whose ``currentColor`` is the text colour of the look, sharp at any scale."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def clone(self) -> QIconEngine:
        """Return a copy, as Qt asks when an icon is shared."""
        return _ThemedSvg(self._name)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Paint into ``rect``; fainter if disabled, on the accent if selected."""
        theme = current()
        token = "on_accent" if mode == QIcon.Mode.Selected else "text"
        svg = _source(self._name).replace("currentColor", getattr(theme, token))
        svg = svg.replace("accentColor", theme.accent if token == "text" else theme.on_accent)
        painter.save()
        if mode == QIcon.Mode.Disabled:
            painter.setOpacity(0.4)
        QSvgRenderer(svg.encode()).render(painter, QRectF(rect))
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Return the icon at ``size`` device pixels on a transparent ground."""
        if size.isEmpty():
            return QPixmap()  # of what is squeezed to nothing, which cannot be painted on
        made = QPixmap(size)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return made

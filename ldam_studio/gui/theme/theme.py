"""Applies a theme to the application: colours, palette, style sheet and size of the text.

Calling `apply` again changes a running window: Qt sends ``PaletteChange`` to every widget, and
widgets that paint themselves then read `current`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QColor, QFont, QPalette

from ldam_studio.gui.qt import present
from ldam_studio.gui.theme.colours import DARK, LIGHT, Theme
from ldam_studio.gui.theme.stylesheet import stylesheet

if TYPE_CHECKING:
    from PyQt6.QtWidgets import QApplication

CHOICES = ("system", "dark", "light")

_current = DARK


def current() -> Theme:
    """Return the theme that was applied last."""
    return _current


def system_is_dark(app: QApplication) -> bool:
    """Return whether the system prefers a dark theme; if it does not say, its palette decides."""
    hints = app.styleHints()
    scheme = hints.colorScheme() if hints is not None else Qt.ColorScheme.Unknown
    if scheme == Qt.ColorScheme.Unknown:
        return (
            present(app.style()).standardPalette().color(QPalette.ColorRole.Window).lightness()
            < 128
        )
    return scheme == Qt.ColorScheme.Dark


def apply(app: QApplication, choice: str = "system", scale: float = 1.0) -> Theme:
    """Apply a theme to the whole application and return it.

    Parameters
    ----------
    app
        The application; its style becomes Fusion, the only style that uses a palette everywhere.
    choice
        ``"system"`` (follows the system, also later changes), ``"dark"`` or ``"light"``.
    scale
        Size of the text relative to the system's: 1 normally, about 1.5 in front of a class.

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
    """Remembers the chosen theme, and applies it again when the system turns dark or light."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self.setObjectName("theme-follower")
        self.choice, self.scale = "system", 1.0
        self._app = app
        self._applying = False
        app.setStyle("Fusion")
        # The desktop's own size, so that scaling twice does not multiply the scales.
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
            theme = replace(base, scale=self.scale)
            _current = theme
            font = QFont(self._app.font())
            font.setPointSizeF(self._size * theme.scale)
            self._app.setFont(font)
            self._remove_sheet()
            self._app.setPalette(palette(theme))
            self._app.setStyleSheet(stylesheet(theme))
        finally:
            self._applying = False
        return theme

    def _remove_sheet(self) -> None:
        """Remove the style sheet, without widgets being told, because another one follows at once.

        Qt applies a sheet that replaces another to each widget once for each widget around it, and
        a sheet that replaces none only once. If widgets were told, they would be laid out without a
        sheet, and lists would lose the place to which they are scrolled.
        """
        deaf = _DeafToStyle()
        self._app.installEventFilter(deaf)
        self._app.setStyleSheet("")
        self._app.removeEventFilter(deaf)

    def _tell_platform(self) -> None:
        # The platform draws title bars and native dialogs, so it must know the choice too. Qt can
        # tell it from version 6.8 on.
        hints = self._app.styleHints()
        if hints is None or not hasattr(hints, "setColorScheme"):
            return
        scheme = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light}.get(self.choice)
        if scheme is None:
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(scheme)


class _DeafToStyle(QObject):
    """Keeps changes of the style from widgets."""

    def eventFilter(self, _to: QObject | None, event: QEvent | None) -> bool:
        """Stop the event if it tells that the style has changed."""
        return present(event).type() == QEvent.Type.StyleChange


def palette(theme: Theme) -> QPalette:
    """Return Qt's palette for a theme."""
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

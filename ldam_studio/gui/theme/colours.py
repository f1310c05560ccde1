"""The colours of the two themes, dark and light.

Every colour in the window is a *token*: a named colour of the current `Theme`. Contrast can
therefore be tested in one place, and widgets that paint themselves look like those of Qt.
"""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtGui import QColor


@dataclass(frozen=True)
class Theme:
    """The colours of one theme, as ``#rrggbb``, and the scale of its text.

    ``outline`` separates areas and carries no meaning. ``control`` outlines what the user can
    operate, and therefore has a contrast of at least 3 to 1 (WCAG 2.2, 1.4.11). Texts have a
    contrast of at least 4.5 to 1 (1.4.3).
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
    recording: str  # the dot that is shown while a recording runs
    comparison: str  # the second of two compared networks; the first one has the accent
    canvas: str  # around the images; a neutral grey, which does not affect how colours look
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
    recording="#f0524a",
    comparison="#f08fc0",
    canvas="#2e2e2e",  # black images stand out from it
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
    recording="#d42a20",
    comparison="#a8216b",
    canvas="#e2e2e2",
)


def mix(first: str, second: str, share: float) -> QColor:
    """Return a colour between two ``#rrggbb`` colours, with a ``share`` of the second."""
    one, two = QColor(first).getRgb(), QColor(second).getRgb()
    return QColor(*(round(a + share * (b - a)) for a, b in zip(one[:3], two[:3], strict=True)))


def contrast(first: str, second: str) -> float:
    """Return the contrast of two ``#rrggbb`` colours, from 1 to 21 (WCAG 2.2)."""

    def luminance(text: str) -> float:
        parts = [int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)

"""Paints one pane of the canvas: the image, the outlines in it, and the title above it."""

from __future__ import annotations

from PyQt6.QtCore import QRect, Qt
from PyQt6.QtGui import QImage, QPainter

from ldam_studio.gui.canvas.layout import Layout
from ldam_studio.gui.canvas.viewport import Box
from ldam_studio.gui.theme.paint import LEFT, RIGHT, Badge, Pencil

SPOT = 4  # device pixels; the image pixel under the pointer is outlined from this size on


def paint_pane(
    pencil: Pencil,
    layout: Layout,
    pane: QRect,
    image: QImage,
    field: Box | None,
    spot: tuple[int, int] | None,
) -> None:
    """Paint an image into a pane, and outline the receptive field and the pixel under the pointer.

    Parameters
    ----------
    image
        An image of any resolution; it takes the place of one of the layout's size.
    field
        The neuron's receptive field; None if it is the whole image.
    spot
        The image pixel (x, y) under the pointer; None if there is none.
    """
    target, scale = layout.image_in(pane), layout.view.scale
    whole = target.width() % image.width() == 0 and target.height() % image.height() == 0
    if target.width() < image.width():
        smooth = Qt.TransformationMode.SmoothTransformation
        image = image.scaled(target.size(), Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
    hint = QPainter.RenderHint.SmoothPixmapTransform
    pencil.painter.setRenderHint(hint, layout.view.smooth or not whole)
    pencil.painter.drawImage(target, image)
    pencil.painter.setRenderHint(hint, False)
    if field is not None:
        top, left, bottom, right = (round(edge * scale) for edge in field)
        outline = QRect(left, top, right - left, bottom - top)
        pencil.outline(outline.translated(target.topLeft()), "accent")
    if spot is not None and scale >= SPOT:
        corner = QRect(round(spot[0] * scale), round(spot[1] * scale), int(scale), int(scale))
        pencil.outline(corner.translated(target.topLeft()), "warning")


def paint_title(
    pencil: Pencil,
    part: QRect,
    titles: tuple[str, ...],
    badges: tuple[Badge, ...],
    words: str,
    shorter: tuple[str, ...] = (),
) -> None:
    """Paint a title, then some words, then badges.

    Of `titles`, and of `words` and their `shorter` forms, the first that fits is painted. Badges
    for which the shortest title leaves no room are left out, the first ones first.
    """
    room = QRect(part)
    flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
    bold = pencil.font(bold=True)
    gap, least = round(6 * pencil.ratio), pencil.width(titles[-1], bold)
    for badge in reversed(badges):
        if pencil.badge_width(badge) + gap + least > room.width():
            break
        room.setRight(pencil.badge(room, badge) - gap)
    fitting = (title for title in titles if pencil.width(title, bold) <= room.width())
    title = next(fitting, titles[-1])
    used = pencil.text(room, title, "text", flags=flags, font=bold)
    room.setLeft(room.left() + round(used + 10 * pencil.ratio))
    for text in (words, *shorter):
        if pencil.width(text) <= room.width():
            pencil.text(room, text, "muted", flags=flags)
            return
    # A number that is cut off would be misleading; a shortened address is not.
    if shorter and room.width() > pencil.width("…") * 4:
        elide = LEFT if ":" in shorter[-1] else RIGHT
        pencil.text(room, shorter[-1], "muted", flags=flags, elide=elide)

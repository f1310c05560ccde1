"""Paints all chains as a wall: thumbnails, labels, and what is said of each chain."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QRect, Qt
from PyQt6.QtGui import QColor, QHelpEvent, QImage, QPainter, QPaintEvent
from PyQt6.QtWidgets import QToolTip, QWidget

from ldam_studio.gui.frame_words import NUMBER
from ldam_studio.gui.qt import present
from ldam_studio.gui.theme import theme
from ldam_studio.gui.theme.paint import MIDDLE, RIGHT, Pencil, qimage
from ldam_studio.gui.wall.layout import Columns
from ldam_studio.gui.wall.scroller import Scroller

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame, LaneFrame

MARKED = 20  # smallest thumbnail with marks of its state, in logical pixels
PAINT_SHARE = 0.3  # largest part of the time in which a wall of many chains is painted


class WallView(Scroller):
    """Shows the thumbnails of a frame; chains that are in front, chosen, held or hot are marked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("wall")
        viewport = present(self.viewport())
        viewport.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Wall of chains")
        self._labels: tuple[str, ...] = ()  # of columns
        self._tips: tuple[str, ...] = ()
        self._lanes: tuple[LaneFrame, ...] = ()
        self._atlases: list[QImage] = []  # thumbnails one below the other, for each network
        self._averages = False
        self._empty = ""
        self._held: frozenset[int] = frozenset()
        self._hot: frozenset[int] = frozenset()
        self._front = 0
        self._band: QRect | None = None  # the rectangle that is being drawn, on the wall
        self._due = 0.0

    # What is shown

    @property
    def chains(self) -> int:
        """The number of chains of each network."""
        return len(self._layout.cells)

    @property
    def chosen(self) -> Collection[int]:
        """The chains that are chosen."""
        return ()

    def set_chains(
        self,
        columns: Columns,
        labels: tuple[str, ...],
        tips: tuple[str, ...],
        image: tuple[int, int],
        titles: tuple[str, ...] = (),
    ) -> None:
        """Set the chains of each column, its label, and each chain's tool tip.

        Parameters
        ----------
        image
            Width and height of the network's images.
        titles
            Of the networks that are compared; empty for one.
        """
        self._tips, self._labels = tips, labels
        if (columns, image, titles) != (self._columns, self._image, self._titles):
            self._columns, self._image, self._titles = columns, image, titles
            self._lanes, self._atlases, self._zoom = (), [], 1.0
            self.relayout()
        present(self.viewport()).update()

    def show_frame(self, frame: Frame, *, averages: bool) -> None:
        """Show the thumbnails of a frame; one of other chains is ignored."""
        lanes = frame.lanes[: max(1, len(self._titles))]
        if any(len(lane.thumbnails) != self.chains for lane in lanes):
            return
        now = time.monotonic()
        if now < self._due and self._lanes:
            return
        self._lanes, self._averages = lanes, averages
        self._atlases = [_atlas(lane) for lane in lanes]
        present(self.viewport()).update()

    def set_empty(self, words: str) -> None:
        """Set what stands in place of the chains while there is no frame."""
        if words != self._empty:
            self._empty = words
            present(self.viewport()).update()

    def clear(self) -> None:
        """Show no chain, because another session opens."""
        self._lanes, self._atlases = (), []
        present(self.viewport()).update()

    @property
    def states(self) -> tuple[frozenset[int], frozenset[int]]:
        """The chains that are marked as held, and as heated."""
        return self._held, self._hot

    def set_states(self, held: frozenset[int], hot: frozenset[int]) -> None:
        """Mark chains that are held, and chains that are heated."""
        if (held, hot) != (self._held, self._hot):
            self._held, self._hot = held, hot
            present(self.viewport()).update()

    def set_front(self, chain: int) -> None:
        """Mark the chain in front, and scroll to it."""
        if chain != self._front:
            self._front = chain
            self._show_chain(chain)
            present(self.viewport()).update()

    def state_words(self, chain: int) -> str:
        """Return what is said of one chain: its neuron, activation and state."""
        words = [self._tips[chain]] if chain < len(self._tips) else []
        if chain in self._held:
            words.append("held")
        if chain in self._hot:
            words.append("melting")
        lane = self._lanes[0] if self._lanes else None
        if lane is not None and chain < len(lane.burned_in):
            if lane.dead[chain]:
                words.append("no gradient")
            elif not lane.burned_in[chain]:
                words.append("burning in")
            elif lane.settling[chain]:
                words.append("settling")
            if lane.activation is not None:
                words.append(f"activation {lane.activation[chain]:.4g}")
        return ", ".join(words)

    def viewportEvent(self, event: QEvent | None) -> bool:
        """Show what is said of a chain as a tool tip."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            chain = self._chain_at(event.pos().toPointF())
            words = "" if chain is None else self.state_words(chain)
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().viewportEvent(event)

    # Painting

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Paint what is visible."""
        started = time.monotonic()
        viewport = present(self.viewport())
        pencil = Pencil(viewport)
        ratio, (left, top) = self._ratio, self._offset
        room = QRect(
            left, top, int(viewport.width() * ratio) + 2, int(viewport.height() * ratio) + 2
        )
        pencil.painter.translate(-left, -top)
        pencil.fill(room, "canvas")
        if not self._atlases:
            pencil.paragraph(room, self._empty, "muted")
        else:
            chains = self._layout.within(room)
            for section, atlas in enumerate(self._atlases):
                self._paint_thumbnails(pencil, section, atlas, chains)
            self._paint_labels(pencil, room)
            self._paint_titles(pencil)
        if self._band is not None:
            pencil.painter.fillRect(self._band, theme.current().colour("accent", 40))
            pencil.outline(self._band, "accent", 1)
        if self.hasFocus():
            pencil.outline(room.adjusted(0, 0, -2, -2), "accent", 1)
        pencil.painter.end()
        spent = time.monotonic() - started
        self._due = started + spent / PAINT_SHARE if spent > 0.01 else 0.0

    def _paint_thumbnails(
        self, pencil: Pencil, section: int, atlas: QImage, chains: Sequence[int]
    ) -> None:
        lane, layout = self._lanes[section], self._layout
        height, width = lane.thumbnails.shape[1:3]
        thumb = layout.thumb
        pencil.painter.setRenderHint(
            QPainter.RenderHint.SmoothPixmapTransform, thumb[0] % width > 0 or thumb[0] < width
        )
        corners = layout.corners[section][chains].tolist()
        places = [QRect(x, y, *thumb) for x, y in corners]
        draw, chosen = pencil.painter.drawImage, self.chosen
        if self._averages and not lane.samples.all():
            empty = [place for n, place in zip(chains, places, strict=True) if not lane.samples[n]]
            _fill(pencil, empty, theme.current().colour("surface"))
            shown = [n for n in range(len(chains)) if lane.samples[chains[n]]]
        else:
            shown = list(range(len(chains)))
        for n in shown:
            draw(places[n], atlas, QRect(0, chains[n] * height, width, height))
        tinted = [place for n, place in zip(chains, places, strict=True) if n in chosen]
        _fill(pencil, tinted, theme.current().colour("accent", 80))
        for place in tinted:
            pencil.outline(place.adjusted(-1, -1, 1, 1), "accent", 1)
        if thumb[0] >= MARKED * self._ratio:
            self._paint_states(pencil, lane, dict(zip(chains, places, strict=True)))
        if self._front < self.chains:
            around = max(1, round(2 * self._ratio))
            ring = layout.thumb_of(self._front, section)
            pencil.outline(ring.adjusted(-around, -around, around, around), "accent", 2)

    def _paint_states(self, pencil: Pencil, lane: LaneFrame, places: dict[int, QRect]) -> None:
        """Paint bars in the corner of held chains, and a line below chains that are not settled."""
        thick, colour = max(1, round(2 * self._ratio)), theme.current().colour
        lines: dict[str, list[QRect]] = {"danger": [], "warning": [], "muted": []}
        burning, settling = (~lane.burned_in).tolist(), lane.settling.tolist()
        for chain, at in places.items():
            if chain in self._hot:
                token = "danger"
            elif burning[chain]:
                token = "warning"
            elif settling[chain]:
                token = "muted"
            else:
                continue
            lines[token].append(QRect(at.left(), at.bottom() + 1, at.width(), thick))
        for token, rects in lines.items():
            _fill(pencil, rects, colour(token))
        held = [at for chain, at in places.items() if chain in self._held]
        side = round(4 * self._ratio)
        _fill(
            pencil,
            [QRect(at.left(), at.top(), 3 * side, 3 * side) for at in held],
            colour("raised"),
        )
        bars = [
            QRect(
                at.left() + side // 2 + n * (side + side // 4), at.top() + side // 2, wide, 2 * side
            )
            for at in held
            for n, wide in ((0, side * 3 // 4), (1, side * 3 // 4))
        ]
        _fill(pencil, bars, colour("text"))

    def _paint_labels(self, pencil: Pencil, room: QRect) -> None:
        """Paint labels, as many as there is room for; those of a table stay at the top."""
        labels = self._layout.labels
        if not labels:
            return
        table = self._sections.arrangement.is_table
        texts, front = self._labels, self._column_of(self._front)
        widest = max(pencil.width(text) for text in texts) + 4 * self._ratio
        # The part behind the colon tells neurons of one layer apart.
        if widest > labels[0][0].width():
            texts = tuple(text.rpartition(":")[2] for text in texts)
            widest = max(pencil.width(text) for text in texts) + 4 * self._ratio
        every = max(1, min(8, -(-int(widest) // max(labels[0][0].width(), 1)))) if table else 1
        for place, column in labels:
            if table and self._sections.arrangement.bands == 1 and not self._titles:
                hidden = room.top() - place.top()
                if hidden > 0:
                    place = place.translated(0, hidden)
                    pencil.fill(place, "canvas")
            if not place.intersects(room) or (column % every and column != front):
                continue
            token = "text" if column == front else "muted"
            wide = place.adjusted(0, 0, (every - 1) * place.width(), 0) if every > 1 else place
            elide = MIDDLE if NUMBER in texts[column] else RIGHT
            flags = Qt.AlignmentFlag.AlignVCenter | (
                Qt.AlignmentFlag.AlignLeft if every > 1 else Qt.AlignmentFlag.AlignHCenter
            )
            pencil.text(wide, texts[column], token, flags=flags, elide=elide)

    def _paint_titles(self, pencil: Pencil) -> None:
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for place, title in zip(self._layout.headings, self._titles, strict=False):
            pencil.text(place, title, "muted", flags=flags)

    def _column_of(self, chain: int) -> int:
        return next((n for n, column in enumerate(self._columns) if chain in column), 0)


def _fill(pencil: Pencil, places: Sequence[QRect], colour: QColor) -> None:
    """Fill rectangles in one call, since there may be a thousand."""
    if places:
        pencil.painter.setPen(Qt.PenStyle.NoPen)
        pencil.painter.setBrush(colour)
        pencil.painter.drawRects(*places)


def _atlas(lane: LaneFrame) -> QImage:
    count, height, width = lane.thumbnails.shape[:3]
    return qimage(lane.thumbnails.reshape(count * height, width, 3))

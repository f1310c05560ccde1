"""Traces of a run: activation, discriminator score and change of the average, over steps."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QEvent, QSize, Qt, QTimer
from PyQt6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PyQt6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.gui.frame_words import thousands
from ldam_studio.gui.theme import theme
from ldam_studio.gui.traces.history import Recent, View, Whole
from ldam_studio.gui.traces.plot import TracePlot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ldam_studio.engine.frame import Frame, Trace

REDRAW_MS = 250  # as fast as the eye reads a curve; drawing takes the interpreter from the sampler
RECENT = 1000  # steps
STRETCHES = 1024
MARKS = 500
STACKED = 110  # pixels of height that a plot needs below another one
ACTIVATION, SCORE, CHANGE = range(3)
HELP = (
    "How strongly the neuron responds to each chain's image, in the neuron's own units.",
    "How real the discriminator finds each chain's image: 0 is made up, 1 is real.\n"
    "Green, and the second number: what it says of real images while it learns.",
    "How far one more sample moves the average: root mean square over its pixels, in pixel units.\n"
    "It falls as the average settles.",
)
LEGEND = (
    "Bright: the front chain, line its mean, band its range. Grey: the other chains.\n"
    "Vertical lines: burn-in and changes of settings; point at one to read it.\n"
    "Where two networks are compared, the second one's front chain has a colour of its own."
)
NO_STEPS = "No steps yet. Space starts the chains."


class Traces(QWidget):
    """Three linked plots that remember the whole run in bounded memory.

    Frames may come as fast as they like: they are remembered at once and drawn at most ten times
    a second, and not at all while the traces are hidden.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._front = 0
        self._chains = 0
        self._last = -1
        self._labels: tuple[str, ...] = ()
        self._marks: deque[tuple[int, str]] = deque(maxlen=MARKS)
        self._hover: float | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REDRAW_MS)
        self._timer.timeout.connect(self.redraw)
        self._build()
        self.reset()

    def _build(self) -> None:
        self._plots = (
            TracePlot("Activation"),
            TracePlot("Discriminator score", limits=(-0.03, 1.03)),
            TracePlot("Change of average", logarithmic=True),
        )
        for plot, text in zip(self._plots, HELP, strict=True):
            plot.hovered.connect(self._hovered)
            plot.setToolTip(f"{text}\n{LEGEND}")
        self._range = QComboBox()
        self._range.addItem(f"Last {RECENT:,} steps")
        self._range.addItem("Whole run")
        self._range.setAccessibleName("Steps shown in the traces")
        self._range.setToolTip("Which steps the traces show")
        self._range.currentIndexChanged.connect(self.redraw)
        self._legend = QLabel()
        self._legend.hide()
        self._readout = QLabel()
        self._readout.setProperty("role", "muted")
        self._readout.setTextFormat(Qt.TextFormat.PlainText)
        self._readout.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        top = QHBoxLayout()
        top.setSpacing(10)
        top.addWidget(self._range)
        top.addWidget(self._legend)
        top.addWidget(self._readout, 1)

        plots = QWidget()
        self._flow = QBoxLayout(QBoxLayout.Direction.LeftToRight, plots)
        self._flow.setContentsMargins(0, 0, 0, 0)
        self._flow.setSpacing(10)
        for plot in self._plots:
            self._flow.addWidget(plot, 1)
        self._empty = QLabel(NO_STEPS)
        self._empty.setProperty("role", "empty")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedLayout()
        self._pages.addWidget(self._empty)
        self._pages.addWidget(plots)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addLayout(self._pages, 1)
        self.setAccessibleName("Traces")

    def sizeHint(self) -> QSize:
        """Return a height at which the curves can be read."""
        return QSize(640, 160)

    # -- what the window tells --------------------------------------------------------------------

    def set_empty(self, text: str = NO_STEPS) -> None:
        """Say what stands in the place of curves while there are none."""
        self._empty.setText(text)

    def reset(self) -> None:
        """Forget everything; a change in the number of chains does so, too."""
        shape = (3, self._chains)
        self._histories = (Recent(shape, RECENT), Whole(shape, STRETCHES))
        self._forget_second()
        self._real = (Recent((1,), RECENT), Whole((1,), STRETCHES))
        self._marks.clear()
        self._last = -1
        self._soon()

    def _go_back(self, step: int) -> None:
        """Forget what was taken back: this step and what came after it."""
        for history in (*self._histories, *self._second, *self._real):
            history.forget_from(step)
        self._marks = deque((mark for mark in self._marks if mark[0] < step), maxlen=MARKS)

    def _forget_second(self) -> None:
        shape = (3, self._chains)
        self._second = (Recent(shape, RECENT), Whole(shape, STRETCHES))
        self._compares = False

    def set_front(self, chain: int) -> None:
        """Emphasise this chain."""
        if chain != self._front:
            self._front = chain
            self._soon()

    def add(self, frame: Frame) -> None:
        """Remember what happened since the last frame."""
        trace = frame.trace
        steps = np.asarray(trace.steps, np.int64)
        chains = len(frame.neurons)
        goes_back = len(steps) > 0 and steps[0] <= self._last
        if chains != self._chains or (goes_back and steps[0] <= 1):
            self._chains = chains
            self.reset()
        elif goes_back:
            self._go_back(int(steps[0]))
        self._labels = tuple(frame.labels)
        for mark in frame.marks:
            self._mark(*mark)
        if len(steps):
            for history in self._histories:
                history.add(steps, _rows(trace, len(steps), chains))
            self._last = int(steps[-1])
            lesson = getattr(frame, "lesson", None)
            real = np.nan if lesson is None else lesson.real_probability
            for history in self._real:
                history.add(steps[-1:], np.array([[real]], np.float32))
        self._add_second(frame)
        self._soon()

    def _add_second(self, frame: Frame) -> None:
        """Remember what the second network's chains did, while there is one."""
        if frame.second is None:
            if self._compares:
                self._forget_second()
        else:
            trace = frame.second.trace
            self._compares = True
            if len(trace.steps):
                rows = _rows(trace, len(trace.steps), self._chains)
                for history in self._second:
                    history.add(np.asarray(trace.steps, np.int64), rows)
        if self._compares == self._legend.isHidden():
            self._legend.setVisible(self._compares)
            self._write_legend()

    def _write_legend(self) -> None:
        look = theme.current()
        lanes = (("A", look.accent), ("B", look.second))
        self._legend.setText(
            " &nbsp; ".join(f'<span style="color:{c}">━</span> {name}' for name, c in lanes)
        )

    def _mark(self, step: int, text: str) -> None:
        # A dragged slider changes at every step: one mark, with the value at which it ended.
        if self._marks:
            before, said = self._marks[-1]
            same = said.rpartition(" ")[0] == text.rpartition(" ")[0] != ""
            if same and step - before <= RECENT // 20:
                self._marks.pop()
        self._marks.append((step, text))

    def marks(self) -> tuple[tuple[int, str], ...]:
        """Return the marks that are remembered, a dragged slider's as one."""
        return tuple(self._marks)

    # -- drawing ----------------------------------------------------------------------------------

    def _soon(self) -> None:
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def redraw(self) -> None:
        """Draw what is remembered; the timer does this."""
        whole = self._range.currentIndex()
        kept = self._histories[whole].view()
        steps = kept.steps
        self._pages.setCurrentIndex(1 if len(steps) else 0)
        if not len(steps):
            return
        front = min(self._front, self._chains - 1)
        first, last = self._visible(int(steps[0]), self._last, bool(whole))
        shown = self._marks_between(first, last)
        views = (kept, self._second[whole].view())
        scored = any(bool(np.isfinite(view.high[:, SCORE]).any()) for view in views)
        self._plots[SCORE].setVisible(scored)
        for which, plot in enumerate(self._plots):
            if which == SCORE and not scored:
                continue
            most = plot.stretches()
            real = self._real[whole].view().of(0).thinned(most) if which == SCORE else None
            plot.show_range(first, last)
            second = self._second[whole].view() if self._compares else None
            beside = _one(second, which, front, most)
            plot.show_lines(kept.of(which).thinned(most), front, real, beside)
            plot.show_marks([step for step, _ in shown])
            newest = float(kept.high[-1, which, front])
            value = f"{newest:.3g}" if np.isfinite(newest) else ""
            if beside is not None and np.isfinite(last_of := float(second.high[-1, which, front])):
                value = f"A {newest:.2g}" if value else "A –"
                value += f"  B {last_of:.2g}"
            if real is not None and len(real.mean) and np.isfinite(real.mean[-1]):
                value += f", real {real.mean[-1]:.2f}"
            plot.set_value(value)
        self._read()

    def _visible(self, first: int, last: int, whole: bool) -> tuple[float, float]:
        # The axes move in jumps: that is calmer to look at, and drawing ticks is what costs.
        if whole:
            jump = max(100, 10 ** (len(str(last - first)) - 1) // 2)
            return float(first), float(first + -(-max(1, last - first) // jump) * jump)
        jump = RECENT // 5
        end = -(-(last + 1) // jump) * jump
        return float(max(first - 1, end - RECENT)), float(end)

    def _marks_between(self, first: float, last: float) -> list[tuple[int, str]]:
        return [mark for mark in self._marks if first <= mark[0] <= last]

    # -- pointer ----------------------------------------------------------------------------------

    def _hovered(self, step: float | None) -> None:
        self._hover = step
        for plot in self._plots:
            plot.show_cursor(step)
        self._read()

    def _read(self) -> None:
        text = self._at(self._hover) if self._hover is not None else self._newest_mark()
        if text != self._readout.text():
            self._readout.setText(text)
            self._readout.setToolTip(text)

    def _newest_mark(self) -> str:
        if not self._marks:
            return ""
        step, text = self._marks[-1]
        return f"step {thousands(step)}: {text}"

    def _at(self, step: float) -> str:
        """Return what the front chain did at a step, and the marks nearest to it."""
        steps, low, _, high = self._histories[self._range.currentIndex()].view()
        if not len(steps):
            return ""
        at = int(np.clip(np.searchsorted(steps, step, side="right") - 1, 0, len(steps) - 1))
        front = min(self._front, self._chains - 1)
        words = [f"step {thousands(int(steps[at]))}"]
        names = ("activation", "real_probability", "change")
        for which, name in enumerate(names):
            lowest, highest = float(low[at, which, front]), float(high[at, which, front])
            if np.isfinite(highest):
                same = f"{lowest:.3g}" == f"{highest:.3g}"
                words.append(
                    f"{name} {highest:.3g}" if same else f"{name} {lowest:.3g} to {highest:.3g}"
                )
        first, last = self._visible(int(steps[0]), self._last, bool(self._range.currentIndex()))
        near = (last - first) * 0.015
        marks = [
            f"{text} (step {thousands(at)})" for at, text in self._marks if abs(at - step) <= near
        ]
        return "  ·  ".join(words + marks[-3:])

    # -- Qt ---------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the plots side by side, unless each has height enough below the one before it."""
        super().resizeEvent(event)
        wide = self.width() > 1.6 * self.height() and self.width() > 420
        wide |= self.height() < len(self._plots) * STACKED
        direction = QBoxLayout.Direction
        self._flow.setDirection(direction.LeftToRight if wide else direction.TopToBottom)
        self._soon()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what came while the traces were hidden."""
        super().showEvent(event)
        self._soon()

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest while nobody looks."""
        super().hideEvent(event)
        self._timer.stop()

    def changeEvent(self, event: QEvent) -> None:
        """Draw again in the colours of a new look."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._write_legend()
            self._soon()


def _rows(trace: Trace, steps: int, chains: int) -> NDArray[np.float32]:
    """Return a trace's quantities as rows (steps, 3, chains)."""
    none = np.full((steps, chains), np.nan, np.float32)
    real_probability = none if trace.real_probability is None else trace.real_probability
    change = np.broadcast_to(np.reshape(trace.change, (steps, -1)), none.shape)
    return np.stack((trace.activation, real_probability, change), axis=1)


def _one(view: View | None, which: int, chain: int, most: int) -> View | None:
    """Return one quantity of one chain, arrays (n,), in at most about `most` stretches."""
    if view is None or not len(view.steps):
        return None
    found = view.of(which).thinned(most)
    return View(found.steps, *(values[:, chain] for values in found[1:]))

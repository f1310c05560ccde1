"""Traces of a run over its steps: activation, probability real, change, acceptance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QEvent, QSize, Qt, QTimer
from PyQt6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PyQt6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.gui.frame_words import thousands
from ldam_studio.gui.qt import present
from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.gui.theme import theme
from ldam_studio.gui.tips import as_tip
from ldam_studio.gui.traces.axis import brief
from ldam_studio.gui.traces.history import View
from ldam_studio.gui.traces.plot import TracePlot
from ldam_studio.gui.traces.run import ACCEPTANCE, ACTIVATION, PROBABILITY, RECENT, Run

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame
    from ldam_studio.engine.outline import Outline
    from ldam_studio.export.trace_table import Table

REDRAW_MS = 250  # drawing more often would slow the sampler, which shares the interpreter
STACKED = 110  # height in pixels that a plot needs if plots are stacked
MOST_MARKS = 3  # marks that are named at the pointer
HELP = (
    "How strongly the neuron responds to each chain's image, in the neuron's own units.\n"
    "With another objective than the activation, the value of that objective.",
    "The discriminator's probability that a chain's image is real.\n"
    "Green, and the second number: its probability for real images while it learns.",
    "How far one more sample moves the average: root mean square over its pixels, in pixel units.\n"
    "It falls as the average settles.",
    "The share of proposals that the kernel mala accepted in the last 50 steps, from 0 to 1.\n"
    "A little more than one half is good; smaller steps are accepted more often.",
)
NAMES = ("activation", "P(real)", "change", "acceptance")
LEGEND = (
    "Bright: the front chain; the line is its mean and the band its range. Grey: other chains.\n"
    "Vertical lines: burn-in and changes of settings; point at one to read it.\n"
    "If two networks are compared, the front chain of the second one has its own colour."
)
MIXED = ("mix",)  # objectives whose names mean nothing alone
SOMETIMES = (PROBABILITY, ACCEPTANCE)
"""Quantities that are not always measured; their plots are hidden while they are not."""
NO_STEPS = "No steps yet. Space starts the chains."


class Traces(QWidget):
    """Plots of four quantities over the steps of a run, with a common horizontal axis.

    Frames may arrive at any rate: their values are kept at once, but drawn at most four times per
    second, and only while the traces are visible.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._front = 0
        self._run = Run()
        self._hover: float | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REDRAW_MS)
        self._timer.timeout.connect(self.redraw)
        self._build()

    def _build(self) -> None:
        self._plots = (
            TracePlot("Activation"),
            TracePlot("P(real)", limits=(-0.03, 1.03)),
            TracePlot("Change of average", "Change", logarithmic=True),
            TracePlot("Acceptance", limits=(-0.03, 1.03)),
        )
        for plot, text in zip(self._plots, HELP, strict=True):
            plot.hovered.connect(self._hovered)
            plot.setToolTip(f"{text}\n{LEGEND}")
        self._range = QuietCombo()
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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addLayout(self._pages, 1)
        # Only now: a page without a parent would open a window of its own.
        self._pages.addWidget(self._empty)
        self._pages.addWidget(plots)
        self.setAccessibleName("Traces")

    def sizeHint(self) -> QSize:
        """Return a size at which the curves can be read."""
        return QSize(640, 160)

    # -- what is shown ----------------------------------------------------------------------------

    def set_empty(self, text: str = NO_STEPS) -> None:
        """Set the text that is shown while there are no curves."""
        self._empty.setText(text)

    def reset(self) -> None:
        """Forget the whole run."""
        self._run.reset()
        self._soon()

    def set_front(self, chain: int) -> None:
        """Set the chain that is emphasised."""
        if chain != self._front:
            self._front = chain
            self._soon()

    def add(self, frame: Frame) -> None:
        """Add the steps since the last frame."""
        self._run.add(frame)
        if self._compares == self._legend.isHidden():
            self._legend.setVisible(self._compares)
            self._write_legend()
        self._soon()

    @property
    def _compares(self) -> bool:
        return len(self._run.lanes) > 1

    def _write_legend(self) -> None:
        look = theme.current()
        lanes = (("A", look.accent), ("B", look.comparison))
        self._legend.setText(
            " &nbsp; ".join(f'<span style="color:{c}">━</span> {name}' for name, c in lanes)
        )

    def marks(self) -> tuple[tuple[int, str], ...]:
        """Return the marks of changes; see `Run.marks`."""
        return self._run.marks()

    def table(self, outline: Outline) -> Table:
        """Return a copy of the values of the steps that are shown, for a file."""
        from ldam_studio.gui.traces.table import table_of

        return table_of(self._run, outline, whole=bool(self._range.currentIndex()))

    # -- drawing ----------------------------------------------------------------------------------

    def _soon(self) -> None:
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def redraw(self) -> None:
        """Draw all curves and marks; the timer calls this."""
        whole = bool(self._range.currentIndex())
        lanes = self._run.views(whole)
        steps = lanes[0].steps
        self._pages.setCurrentIndex(1 if len(steps) else 0)
        if not len(steps):
            return
        first, last = self._visible(int(steps[0]), whole)
        marked = [float(step) for step, _ in self._run.marks() if first <= step <= last]
        self._plots[ACTIVATION].set_title(self._objective())
        for which, plot in enumerate(self._plots):
            known = which not in SOMETIMES or any(view.measures(which) for view in lanes)
            plot.setVisible(known)
            if not known:
                continue
            plot.show_range(first, last)
            self._draw(plot, which, lanes, whole)
            plot.show_marks(marked)
        self._arrange()
        self._read()

    def _draw(self, plot: TracePlot, which: int, lanes: Sequence[View], whole: bool) -> None:
        """Draw one quantity of all lanes, and write its newest values into the plot's title."""
        most, front = plot.stretches(), self._front_chain()
        real = self._run.real.view(whole).of(0).thinned(most) if which == PROBABILITY else None
        beside = lanes[1].of_chain(which, front, most) if self._compares else None
        plot.show_lines(lanes[0].of(which).thinned(most), front, real, beside)
        newest = [view.newest(which, front) for view in lanes]
        value = "" if newest[0] is None else brief(newest[0], 3)
        if self._compares and newest[1] is not None:
            first = "–" if newest[0] is None else brief(newest[0], 2)
            value = f"A {first}  B {brief(newest[1], 2)}"
        if real is not None and len(real.mean) and np.isfinite(real.mean[-1]):
            value += f", real {real.mean[-1]:.2f}"
        plot.set_value(value)

    def _objective(self) -> str:
        """Return the name of what the chains make large, as a title."""
        found = set(self._run.objectives)
        name = found.pop() if len(found) == 1 else ""
        return f"Objective ({name})" if name in MIXED else name.capitalize() or "Objective"

    def _front_chain(self) -> int:
        return min(self._front, self._run.chains - 1)

    def _visible(self, first: int, whole: bool) -> tuple[float, float]:
        """Return the ends of the axis of steps."""
        # The axis moves in jumps, because drawing its ticks is slow and jumps are less restless.
        last = self._run.last
        if whole:
            jump = max(100, 10 ** (len(str(last - first)) - 1) // 2)
            return float(first), float(first + -(-max(1, last - first) // jump) * jump)
        jump = RECENT // 5
        end = -(-(last + 1) // jump) * jump
        return float(max(first - 1, end - RECENT)), float(end)

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
            self._readout.setToolTip(as_tip(text))

    def _newest_mark(self) -> str:
        if not self.marks():
            return ""
        step, text = self.marks()[-1]
        return f"step {thousands(step)}: {text}"

    def _at(self, step: float) -> str:
        """Return a text with the front chain's values at a step, and the marks near it."""
        whole = bool(self._range.currentIndex())
        steps, low, _, high = self._run.views(whole)[0]
        if not len(steps):
            return ""
        at = int(np.clip(np.searchsorted(steps, step, side="right") - 1, 0, len(steps) - 1))
        front = self._front_chain()
        words = [f"step {thousands(int(steps[at]))}"]
        objective = self._objective()
        for which, name in enumerate((objective[0].lower() + objective[1:], *NAMES[1:])):
            lowest, highest = float(low[at, which, front]), float(high[at, which, front])
            if np.isfinite(highest):
                same = f"{lowest:.3g}" == f"{highest:.3g}"
                words.append(
                    f"{name} {highest:.3g}" if same else f"{name} {lowest:.3g} to {highest:.3g}"
                )
        first, last = self._visible(int(steps[0]), whole)
        near = (last - first) * 0.015
        marks = [
            f"{text} (step {thousands(at)})" for at, text in self.marks() if abs(at - step) <= near
        ]
        return "  ·  ".join(words + marks[-MOST_MARKS:])

    # -- Qt ---------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Put the plots side by side, or one below the other if there is enough height."""
        super().resizeEvent(event)
        self._arrange()
        self._soon()

    def _arrange(self) -> None:
        shown = sum(not plot.isHidden() for plot in self._plots)
        wide = self.width() > 1.6 * self.height() and self.width() > 420
        wide |= self.height() < max(3, shown) * STACKED
        direction = QBoxLayout.Direction
        self._flow.setDirection(direction.LeftToRight if wide else direction.TopToBottom)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Draw the steps that were added while the traces were hidden."""
        super().showEvent(event)
        self._soon()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Stop drawing while the traces are hidden."""
        super().hideEvent(event)
        self._timer.stop()

    def changeEvent(self, event: QEvent | None) -> None:
        """Draw again when the theme changes."""
        super().changeEvent(event)
        if present(event).type() == QEvent.Type.PaletteChange:
            self._write_legend()
            self._soon()

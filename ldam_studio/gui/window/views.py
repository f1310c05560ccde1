"""Shows the model and the frames in the images, the strip and the status bar."""

from __future__ import annotations

import time
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.engine.comparison import lane_name
from ldam_studio.gui.chain_table import columns_of
from ldam_studio.gui.frame_words import (
    average_badges,
    average_words,
    chain_name,
    dead_badges,
    device_words,
    group_badges,
    raw_badges,
    rungs_of,
    short_label,
    told_apart,
    with_rungs,
    with_rungs_said,
)
from ldam_studio.gui.session.lanes import weights_words

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame, LaneFrame
    from ldam_studio.engine.outline import LaneOutline
    from ldam_studio.engine.picture import Bytes
    from ldam_studio.gui.session.frames import Frames
    from ldam_studio.gui.session.model import Model
    from ldam_studio.gui.studio import Kind
    from ldam_studio.gui.theme.paint import Badge
    from ldam_studio.gui.window.panels import Panels
    from ldam_studio.gui.window.status_bar import StatusBar

STRIP_EVERY = 2  # frames between updates of the strip, whose motion need not be as smooth


class Views(QObject):
    """Keeps images, strip and status bar up to date with the model and the frames."""

    first_frame = pyqtSignal()

    def __init__(
        self, model: Model, frames: Frames, panels: Panels, status: StatusBar, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._model, self._frames = model, frames
        self._panels, self._status = panels, status
        self._silence = self._doubt = ""
        self._rungs: tuple[int, ...] = ()  # of the first lane's chains; empty without ladders
        self._counted = (0, time.monotonic())
        self._frame_rate = 0.0
        self._all_in_strip = False
        model.session_changed.connect(self.show_session)
        model.weights_changed.connect(self._show_weights_file)
        model.neurons_changed.connect(self._show_neurons)
        model.value_changed.connect(self._show_value)
        model.comparison_changed.connect(frames.hurry)
        model.acting_changed.connect(frames.hurry)
        model.front_changed.connect(self._show_front)
        model.display_changed.connect(self._show_display)
        model.run_state_changed.connect(self._show_badges)
        frames.read.connect(self._show_words)
        # The note about an example holds for its own neurons only.
        model.neurons_changed.connect(partial(panels.banner.dismiss, "note"))
        model.neurons_changed.connect(self._forget_silence)

    # The model

    def show_nothing(self, title: str) -> None:
        """Show that a session is being opened."""
        canvas = self._panels.canvas
        self._frames.clear()
        self._counted, self._frame_rate = (self._frames.count, time.monotonic()), 0.0
        canvas.clear()
        canvas.set_badges((), ())
        canvas.set_details("", "")
        canvas.set_empty(f"Opening “{title}” …", "No sample has been averaged yet.")
        self._status.show_nothing(f"opening “{title}”")

    def show_session(self) -> None:
        """Show another session, or another network in it."""
        self._show_device()
        self._show_weights_file()
        self._panels.canvas.fit()
        self._show_neurons()
        self._show_front(self._model.front)

    def _show_device(self) -> None:
        self._status.show_device(device_words(self._model.outline.device))

    def _show_neurons(self) -> None:
        lanes, panels = self._model.outline.lanes, self._panels
        rows, own = self._model.rows, lanes[0]
        columns = () if rows or self._strip_has_all() else columns_of(own.neurons)
        labels, tips = _names_of_chains(own, apart=not rows and not columns)
        labels, tips = with_rungs(labels, self._rungs), with_rungs_said(tips, self._rungs)
        if self._strip_has_all():
            # The columns of a table share one label, that of the first network's neuron.
            rows = tuple(map(lane_name, range(len(lanes))))
            named = zip(rows, lanes, strict=True)
            tips = tuple(f"{a}, {tip}" for a, lane in named for tip in _names_of_chains(lane)[1])
            labels *= len(lanes)
        was_table = panels.strip.strip.has_rows
        pixels = own.network.pixels
        panels.strip.strip.set_chains(labels, tips, rows, columns, (pixels.width, pixels.height))
        if panels.strip.strip.has_rows != was_table:
            panels.give_strip(0)

    def show_both_in_strip(self, on: bool) -> None:
        """Show the chains of all networks in the strip, or only those of the first."""
        self._all_in_strip = on
        self._show_neurons()

    def _strip_has_all(self) -> bool:
        """Return whether the strip has one row for each network.

        It has not if the chains already form a table of their own.
        """
        return self._all_in_strip and self._model.is_comparing and not self._model.rows

    def _thumbnails(self, frame: Frame) -> Bytes:
        lanes = frame.lanes if self._strip_has_all() else frame.lanes[:1]
        return np.concatenate([lane.thumbnails for lane in lanes])

    def _show_weights_file(self) -> None:
        network = self._model.outline.lane.network
        self._status.show_weights(weights_words(network), str(network.weights or ""))

    def _show_value(self, name: str) -> None:
        if name == "clamp" and self._model.acted.settings.clamp:
            self._panels.banner.dismiss("clamp")
        elif name == "device":
            self._show_device()

    def _show_front(self, index: int) -> None:
        self._panels.strip.set_front(index)
        self._frames.hurry()

    def _show_display(self) -> None:
        frame, model = self._frames.last, self._model
        if frame is not None:
            self._panels.canvas.show_frame(frame, model.display, model.outline.lane.network.pixels)

    # Frames

    def show_frame(self, frame: Frame) -> None:
        """Show a frame; it is ignored if its image size belongs to an earlier session."""
        shown, panels = self._model.outline.lane, self._panels
        if frame.outline.lane.network.pixels.shape != shown.network.pixels.shape:
            return
        first = self._frames.last is None
        panels.canvas.show_frame(frame, self._model.display, shown.network.pixels)
        if first or self._frames.count % STRIP_EVERY:
            panels.strip.strip.show_thumbnails(self._thumbnails(frame))
        lane = frame.lanes[0]
        if (rungs := rungs_of(lane)) != self._rungs:
            self._rungs = rungs
            self._show_neurons()
        if lane.silence != self._silence and lane.neurons == shown.neurons:
            self._show_silence(lane)
        if lane.doubt != self._doubt:
            self._show_doubt(lane.doubt)
        self._frames.show(frame)
        self._show_badges()
        if first:
            self.first_frame.emit()

    def _show_silence(self, frame: LaneFrame) -> None:
        """Show or close the message about neurons that gave no gradient at their start."""
        self._silence = frame.silence
        if frame.silence:
            kind: Kind = "warning" if frame.dead.any() else "info"
            self._panels.banner.say(frame.silence, kind, key="silence")
        else:  # the chains have another start, or other weights
            self._panels.banner.dismiss("silence")

    def _show_doubt(self, doubt: str) -> None:
        """Show or close the message about a receptive field that was wrong."""
        self._doubt = doubt
        if doubt:
            self._panels.banner.say(doubt, "warning", key="field")
        else:
            self._panels.banner.dismiss("field")

    def _forget_silence(self) -> None:
        self._silence = ""
        self._panels.banner.dismiss("silence")

    def _show_words(self, frame: Frame) -> None:
        now = time.monotonic()
        shown, since = self._counted
        if now - since >= 1.0:
            self._frame_rate = (self._frames.count - shown) / (now - since)
            self._counted = (self._frames.count, now)
        self._status.show_frame(frame, self._frame_rate)
        self._panels.canvas.set_details(*self._details(frame))

    def _details(self, frame: Frame) -> tuple[str, ...]:
        """Return the text beside the title of each pane."""
        first, *others = frame.lanes
        words: tuple[str, ...] = (chain_name(first), average_words(first, self._window(0)))
        scale = self._panels.canvas.difference_scale
        if not others:
            return words if scale is None else (*words, f"±{scale:g}")
        apart = "" if scale is None else f"of averages, ±{scale:g}"
        return (
            *words,
            chain_name(others[0]),
            average_words(others[0], self._window(1)),
            apart,
        )

    def _window(self, lane: int) -> int:
        """Return how many samples a lane's average over time covers; 0 for all."""
        lanes = self._model.outline.lanes
        # A frame may still have a lane that the outline no longer has.
        settings = lanes[lane if lane < len(lanes) else 0].settings
        return settings.window if settings.average_over == "time" else 0

    def _show_badges(self, _state: object = None) -> None:
        frame = self._frames.last
        raw = [raw_badges(frame, self._model.run_state)]
        averages: list[tuple[Badge, ...]] = [()]
        if frame is not None:
            raw += map(dead_badges, frame.lanes[1:])
            lanes = zip(frame.outline.lanes, frame.lanes, strict=True)
            averages = [group_badges(o, lane) + average_badges(lane) for o, lane in lanes]
        self._panels.canvas.set_badges(*chain(*zip(raw, averages, strict=True)))


def _names_of_chains(
    lane: LaneOutline, *, apart: bool = False
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the chains' labels and tool tips; with `apart`, equal labels get numbers."""
    labels = tuple(short_label(lane.network.label(neuron)) for neuron in lane.neurons)
    tips = tuple(f"chain {i + 1}: {n}" for i, n in enumerate(lane.neurons))
    return told_apart(labels) if apart else labels, tips

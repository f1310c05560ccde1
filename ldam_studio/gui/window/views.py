"""Shows the model and the frames: from values to widgets, never back."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.engine.changes.apply import LANES
from ldam_studio.engine.runner import RunState
from ldam_studio.gui.frame_words import (
    average_badges,
    average_words,
    chain_name,
    dead_badges,
    device_words,
    raw_badges,
    short_label,
    told_apart,
)
from ldam_studio.gui.session.lanes import SECOND, weights_words
from ldam_studio.gui.window.actions import show_running
from ldam_studio.sampler.prepare import mode_of

if TYPE_CHECKING:
    from PyQt6.QtGui import QAction

    from ldam_studio.engine.frame import Frame
    from ldam_studio.engine.picture import Bytes
    from ldam_studio.gui.session.model import Model, SessionView
    from ldam_studio.gui.window.menus import Menus
    from ldam_studio.gui.window.panels import Panels
    from ldam_studio.gui.window.status_bar import StatusBar

STRIP_EVERY = 2  # frames: small pictures need not move as smoothly as the large ones
WORDS_S = 0.2  # numbers that change faster cannot be read


class Views(QObject):
    """Keeps the widgets of a window in step with its model."""

    first_frame = pyqtSignal()

    def __init__(
        self,
        model: Model,
        panels: Panels,
        status: StatusBar,
        menus: Menus,
        play: QAction,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._model, self._panels, self._status = model, panels, status
        self._menus, self._play = menus, play
        self.last_frame: Frame | None = None
        self.frames_shown = 0
        self._words_due = 0.0
        self._silence = ""
        self._opening = ""  # the title of what is being opened
        self._counted = (0, time.monotonic())
        self._frame_rate = 0.0
        model.session_changed.connect(self.show_session)
        model.weights_changed.connect(self._show_weights)
        model.neurons_changed.connect(self._show_neurons)
        model.value_changed.connect(self._show_values)
        model.comparison_changed.connect(self._show_acted)
        self._both_in_strip = False
        model.acting_changed.connect(self._show_acted)
        model.front_changed.connect(self._show_front)
        model.display_changed.connect(self._show_display)
        model.run_state_changed.connect(self._show_run_state)
        # What a note says of an example's neurons is not true of others.
        model.neurons_changed.connect(partial(self._panels.banner.dismiss, "note"))
        model.neurons_changed.connect(self._forget_silence)

    # The model

    def show_nothing(self, title: str) -> None:
        """Show that a session opens."""
        canvas = self._panels.canvas
        self.last_frame = None
        canvas.clear()
        canvas.set_badges((), ())
        canvas.set_details("", "")
        canvas.set_empty(f"Opening “{title}” …", "No sample has been averaged yet.")
        self._status.show_nothing(f"opening “{title}”")
        self._opening = title
        self.show_no_curves()

    def show_no_curves(self) -> None:
        """Say in the place of curves that a session opens: nothing can start its chains yet."""
        traces = self._panels.traces
        if traces is not None and self._opening:
            traces.set_empty(f"Opening “{self._opening}” …")
            traces.reset()

    def show_session(self) -> None:
        """Show what belongs to the session as a whole."""
        session, panels = self._model.session, self._panels
        if session is None:
            return
        self._status.show_device(device_words(session.device))
        self._show_weights_file()
        panels.canvas.fit()
        if panels.picker is not None:
            self._show_network()
            panels.learner.set_available(
                session.has_discriminator, "This session has no discriminator."
            )
            panels.learner.set_source(session.source_of_real_images)
            panels.controls.set_home(session.values())
            panels.controls.rows["discriminator_weight"].setEnabled(session.has_discriminator)
            panels.traces.set_empty()
            panels.traces.reset()
        self._show_neurons()
        self._show_values()
        self._show_front(self._model.front)

    def _show_neurons(self) -> None:
        session, panels = self._model.session, self._panels
        labels, tips = _names_of_chains(session, apart=not self._model.rows)
        rows = self._model.rows
        if self._strip_has_both():
            # The columns of a table share their labels, which are the first network's.
            _, others = _names_of_chains(session.seen_from(SECOND))
            tips = (*(f"A, {tip}" for tip in tips), *(f"B, {tip}" for tip in others))
            labels, rows = labels * 2, LANES
        was_table = panels.strip.strip.has_rows
        panels.strip.strip.set_chains(labels, tips, rows)
        if panels.strip.strip.has_rows != was_table:
            panels.give_strip(0)
        if panels.picker is not None:
            panels.picker.set_neurons(self._model.acted.neurons)

    def show_both_in_strip(self, on: bool) -> None:
        """Show the chains of both networks in the strip, or those of the first alone."""
        self._both_in_strip = on
        if self._model.session is not None:
            self._show_neurons()

    def _strip_has_both(self) -> bool:
        """Whether the strip has a row for each network; chains that form a table have none left."""
        session = self._model.session
        return (
            self._both_in_strip
            and session is not None
            and session.second is not None
            and not self._model.rows
        )

    def _thumbnails(self, frame: Frame) -> Bytes:
        if not self._strip_has_both() or frame.second is None:
            return frame.thumbnails
        return np.concatenate((frame.thumbnails, frame.second.thumbnails))

    def _show_network(self) -> None:
        """Let the lists of neurons be those of the network that is acted on."""
        network, panels = self._model.acted.network, self._panels
        panels.picker.set_network(network)
        panels.filter.set_network(network)

    def _show_acted(self) -> None:
        """Show the neurons and the settings of the lane that is acted on."""
        panels, acted = self._panels, self._model.acted
        if acted is None or panels.picker is None:
            return
        if panels.picker.network is not acted.network:
            self._show_network()
        panels.picker.set_neurons(acted.neurons)
        self._show_values()
        self._words_due = 0.0

    def _show_weights_file(self) -> None:
        network = self._model.session.network
        self._status.show_weights(weights_words(network), str(network.weights or ""))

    def _show_weights(self) -> None:
        self._show_weights_file()
        panels = self._panels
        if panels.picker is not None:
            panels.picker.set_weights(self._model.acted.network)
            panels.filter.set_weights(self._model.acted.network)

    def _show_values(self, name: str = "") -> None:
        session, panels = self._model.session, self._panels
        if name == "clamp" and self._model.acted.settings.clamp:
            panels.banner.dismiss("clamp")
        if panels.controls is None:
            return
        values = self._model.shown_values()
        panels.controls.show_values({name: values[name]} if name in values else values)
        if not name:
            panels.controls.show_acting(self._model.acting, session.second is not None)
        if name in ("", "learn_every"):
            panels.learner.set_learn_every(session.learn_every)

    def _show_front(self, index: int) -> None:
        self._panels.strip.set_front(index)
        if self._panels.traces is not None:
            self._panels.traces.set_front(index)
        self._words_due = 0.0

    def _show_display(self) -> None:
        self._menus.follow(self._model)
        if self.last_frame is not None and self._model.session is not None:
            self._panels.canvas.show_frame(
                self.last_frame, self._model.display, self._model.session.network.pixels
            )

    def _show_run_state(self, state: RunState) -> None:
        show_running(self._play, state is RunState.RUNNING)
        self._show_badges()

    # Frames

    def show_frame(self, frame: Frame) -> None:
        """Show a frame; one that is of other pixels than the session's comes from before it."""
        session, panels = self._model.session, self._panels
        if session is None or frame.raw.shape != session.network.pixels.shape:
            return
        first = self.last_frame is None
        self.last_frame = frame
        self.frames_shown += 1
        panels.canvas.show_frame(frame, self._model.display, session.network.pixels)
        if first or self.frames_shown % STRIP_EVERY == 0:
            panels.strip.strip.show_thumbnails(self._thumbnails(frame))
        self._show_badges()
        if panels.traces is not None:
            panels.traces.add(frame)
        for sentence in frame.notices:
            panels.banner.say(sentence, "warning")
        if frame.silence != self._silence and frame.neurons == session.neurons:
            self._show_silence(frame)
        now = time.monotonic()
        if now >= self._words_due:
            self._words_due = now + WORDS_S
            self._show_words(frame, session, now)
        if first:
            self.first_frame.emit()

    def _show_silence(self, frame: Frame) -> None:
        """Say what became of neurons that gave no gradient at their start, while that is so."""
        self._silence = frame.silence
        if frame.silence:
            kind = "warning" if frame.dead.any() else "info"
            self._panels.banner.say(frame.silence, kind, key="silence")
        else:  # begun anew, with another start or other weights
            self._panels.banner.dismiss("silence")

    def _forget_silence(self) -> None:
        self._silence = ""
        self._panels.banner.dismiss("silence")

    def _show_words(self, frame: Frame, session: Any, now: float) -> None:
        shown, since = self._counted
        if now - since >= 1.0:
            self._frame_rate = (self.frames_shown - shown) / (now - since)
            self._counted = (self.frames_shown, now)
        panels = self._panels
        self._status.show_frame(frame, self._frame_rate)
        panels.canvas.set_details(*self._details(frame))
        if panels.controls is not None:
            settings = self._model.acted.settings
            acted = frame.second if self._model.acting == SECOND and frame.second else frame
            panels.controls.show_frame(acted, mode_of(settings), settings.temperature)
            panels.filter.show_frame(acted)
            panels.learner.show_frame(frame)

    def _details(self, frame: Frame) -> tuple[str, ...]:
        """Return what stands beside the title of each pane."""
        words: tuple[str, ...] = (chain_name(frame), average_words(frame, self._window(None)))
        if frame.second is None:
            return words
        scale = self._panels.canvas.difference_scale
        apart = "" if scale is None else f"of averages, ±{scale:g}"
        second = average_words(frame.second, self._window(SECOND))
        return (*words, chain_name(frame.second), second, apart)

    def _window(self, lane: int | None) -> int:
        """Return how many samples a lane's average over time remembers; 0 for all."""
        settings = self._model.session.seen_from(lane).settings
        return settings.window if settings.average_over == "time" else 0

    def _show_badges(self) -> None:
        frame = self.last_frame
        badges = raw_badges(frame, self._model.run_state), average_badges(frame)
        if frame is not None and frame.second is not None:
            badges += dead_badges(frame.second), average_badges(frame.second)
        self._panels.canvas.set_badges(*badges)


def _names_of_chains(
    session: SessionView, *, apart: bool = False
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the chains' labels, told `apart` where they are alike, and their tips."""
    network = session.network
    labels = tuple(short_label(network.label(neuron)) for neuron in session.neurons)
    tips = tuple(f"chain {i + 1}: {n}" for i, n in enumerate(session.neurons))
    return told_apart(labels) if apart else labels, tips

"""Connects the panel of parallel tempering to the session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.tempering.panel import NO_SESSION, TemperingPanel
from ldam_studio.gui.tempering.words import ladder_of
from ldam_studio.sampler.exact import exact_values, first_of, moving_temperature
from ldam_studio.sampler.presets import is_large
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame, LaneFrame
    from ldam_studio.sampler.settings import Settings

TEMPERING = Entry(
    "tempering",
    "Parallel Tempering",
    "",
    "The ladder of temperatures: chains that exchange images, so that none stays with one kind",
    needs_session=True,
)
RUNGS, RUNGS_OF_SMALL = 8, 16  # of a ladder that is made here
TEXT = "Parallel Tempering"
WITHOUT_DENSITY = ("photo_statistics", "denoiser_weight")
"""Settings of terms that have no density; a ladder needs them to be 0."""


class Tempering(Feature):
    """Adds the tab of parallel tempering below the images."""

    entries = (TEMPERING,)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self.panel = TemperingPanel()
        self.panel.asked.connect(self.begin)
        self.panel.stopped.connect(self.stop)
        self.panel.rungs_chosen.connect(self.choose_rungs)
        self.panel.view.chosen.connect(studio.controller.set_front)
        self.panel.seen.connect(self._show_last)
        studio.model.front_changed.connect(self._show_last)
        studio.model.session_changed.connect(self._show_last)
        studio.frames.read.connect(self._show)
        studio.places.add_tab("Tempering", self.panel)
        action = studio.places.action(TEMPERING, lambda: studio.places.show_tab(self.panel))
        studio.places.add_to_menu("Explore", action)
        self.panel.show_nothing(NO_SESSION, possible=False)

    def begin(self) -> None:
        """Let chains of the front chain's neuron form a ladder; one undo takes it back."""
        model = self.studio.model
        if not model.is_open:
            return
        lane, frame = model.acted, self.studio.frames.last
        front = min(model.front, model.chains - 1)
        settings, neuron = lane.settings.of_chains([front]), lane.neurons[front]
        rungs, count = (
            RUNGS if is_large(lane.network.pixels.shape) else RUNGS_OF_SMALL,
            model.chains,
        )
        if not model.is_comparing and (set(lane.neurons) != {neuron} or count < rungs):
            count = rungs
        values: dict[str, Any] = {"neurons": (neuron,) * count, "tempering": min(rungs, count)}
        if settings.kernel == "bidmach":
            values["kernel"] = "langevin"
        values |= {name: 0.0 for name in WITHOUT_DENSITY if getattr(settings, name)}
        values |= exact_values(settings, 0.0)
        if frame is not None and front < len(frame.lanes[0].neurons):
            values |= _suited(settings, model.acted_frame(frame), lane.network.pixels.rest)
        if not values.get("temperature", settings.temperature):
            values["temperature"] = SETTINGS["temperature"].default
        self.studio.controller.set_values(values, text=TEXT)
        self.studio.controller.set_front(0)

    def stop(self) -> None:
        """Give all chains the same temperature again."""
        self.studio.controller.set_values({"tempering": 0}, text=TEXT)

    def choose_rungs(self, rungs: int) -> None:
        """Change the number of rungs; chains join where ladders need them, and none is lost."""
        model = self.studio.model
        values: dict[str, Any] = {"tempering": rungs}
        before = model.acted.settings.tempering
        if len(set(model.acted.neurons)) == 1 and before > 1:
            ladders = max(1, model.chains // before)
            wanted = max(model.chains, ladders * rungs)
            values["chains"] = min(wanted, round(SETTINGS["chains"].maximum))
        self.studio.controller.set_values(values, text=TEXT)

    def _show_last(self, _what: object = None) -> None:
        if self.studio.frames.last is None:
            self.panel.show_nothing(NO_SESSION, possible=self.studio.model.is_open)
        else:
            self._show(self.studio.frames.last)

    def _show(self, frame: Frame) -> None:
        if not self.panel.isVisible():
            return
        model = self.studio.model
        acted = model.acted_frame(frame)
        front = min(model.front, len(acted.neurons) - 1)
        if acted.ladders is None:
            self.panel.show_nothing(acted.notes.get("tempering", ""))
            return
        rungs = model.acted.settings.tempering
        self.panel.show_ladder(ladder_of(acted.ladders, front), front, rungs)


def _suited(settings: Settings, frame: LaneFrame, rest: float) -> dict[str, Any]:
    """Return values with which a ladder's chains draw the present picture, and can leave it."""
    size = 0.0 if frame.gradient_rms is None else float(frame.gradient_rms[frame.front])
    if settings.kernel == "mala":
        size = 0.0  # gradients are the true ones already
    values = exact_values(settings, size)
    weight = values.get("l2", first_of(settings.l2))
    moving = moving_temperature(weight, float(np.square(frame.raw - rest).mean()))
    if moving > values.get("temperature", first_of(settings.temperature)):
        values["temperature"] = moving
    return values

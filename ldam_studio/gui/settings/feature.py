"""Connects the panel of settings and the menu of presets to the session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ldam_studio.gui.settings.acceptance import Acceptance
from ldam_studio.gui.settings.controls import Controls
from ldam_studio.gui.settings.measuring import Measuring
from ldam_studio.gui.settings.presets_menu import PresetsMenu
from ldam_studio.gui.settings.scheduling import START, STOP, Scheduling
from ldam_studio.gui.settings.slider_bar import SliderBar
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.networks.denoisers import denoiser_for
from ldam_studio.sampler.prepare import mode_of
from ldam_studio.sampler.settings import is_of_chains
from ldam_studio.user_presets import UserPresets

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.settings.number_row import NumberRow

EDIT_PRESETS = Entry(
    "edit_presets",
    "Save or Edit Presets…",
    "Ctrl+Shift+P",
    "Save the current settings under a name; rename and delete saved presets",
    needs_session=True,
)

NAME, PHOTOGRAPHS = "settings", "photographs"  # in `Opening.remembered`
DENOISER_SETTINGS = (
    "denoiser_weight",
    "denoiser_noise",
    "denoiser_noise_start",
    "denoiser_noise_curve",
    "denoiser_every",
)
DISCRIMINATOR_SETTINGS = (
    "discriminator_weight",
    "discriminator_weight_start",
    "discriminator_weight_curve",
)


class SettingsPanel(Feature):
    """Adds the panel of settings at the right, and fills the menu Presets."""

    entries = (START, STOP, EDIT_PRESETS)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        places, controller, model = studio.places, studio.controller, studio.model
        self.controls, self.slider_bar = Controls(), SliderBar()
        sources: tuple[Controls | NumberRow, ...] = self.controls, *self.slider_bar.rows.values()
        for source in sources:
            source.chosen.connect(controller.set_value)
            source.gesture.connect(controller.undo_stack.drag)
            source.gesture_resumed.connect(controller.undo_stack.resume)
        self.scheduling = Scheduling(studio, self.controls, self.slider_bar)
        self.measuring, self._acceptance = Measuring(studio), Acceptance()
        self._kernel_note = ""
        self.controls.offer_taken.connect(self._take_offer)
        self.controls.filled.connect(self._show_new_rows)
        controller.opened.connect(self._recall)
        if controller.current is not None:
            self._recall(controller.current)
        self.user_presets = UserPresets(studio.folder)
        self.presets = PresetsMenu(
            model,
            self.user_presets,
            controller.apply_preset,
            (places.action(EDIT_PRESETS, self.edit_presets),),
            lambda text: studio.notices.say(text, "warning"),
            places.root,
        )
        self.menu = places.menu("Presets")
        self.presets.attach(self.menu)
        self.controls.presets.setMenu(self.menu)
        model.value_changed.connect(self._show_values)
        model.comparison_changed.connect(self._show_values)
        model.acting_changed.connect(self._show_values)
        studio.frames.read.connect(self._show_frame)
        model.on_session(self._show_session)
        places.add_panel("controls", self.controls)
        places.add_to_presentation(self.slider_bar)

    def remember(self) -> Mapping[str, Any]:
        """Remember the photographs that were measured last."""
        return {PHOTOGRAPHS: self.measuring.place}

    def leave(self) -> None:
        """Abandon a measurement on photographs."""
        self.measuring.leave()

    def _recall(self, opening: Opening) -> None:
        known = opening.remembered.get(NAME, {})
        self.measuring.place = str(known.get(PHOTOGRAPHS, self.measuring.place))

    def edit_presets(self) -> None:
        """Show the dialog that saves the current settings as a preset, and edits presets."""
        from ldam_studio.gui.settings.presets_dialog import ask_about_presets

        values = self.studio.model.values()
        chosen = {name: value for name, value in values.items() if is_of_chains(name)}
        ask_about_presets(self.studio.places.root, self.user_presets, chosen)

    def _show_session(self) -> None:
        values = self.studio.model.values()
        self.controls.set_home(values)
        for name, row in self.slider_bar.rows.items():
            row.home = values[name]
        self._show_priors()
        self._show_values()

    def _show_priors(self) -> None:
        """Enable the settings of discriminator and denoiser where the session has these."""
        outline = self.studio.model.outline
        made = self.controls.rows.made
        judged = [made[name] for name in DISCRIMINATOR_SETTINGS if name in made]
        for row in (*judged, self.slider_bar.rows["discriminator_weight"]):
            row.setEnabled(outline.discriminator is not None)
        denoises = any(denoiser_for(lane.network.pixels) for lane in outline.lanes)
        for name in DENOISER_SETTINGS:
            if name in made:
                made[name].setEnabled(denoises)

    def _show_values(self, name: str = "") -> None:
        model = self.studio.model
        values = model.shown_values()
        told = {name: values[name]} if name in values else values
        self.controls.show_values(told)
        self.slider_bar.show_values(told)
        self.scheduling.show_values()
        if not name:
            self.controls.show_acting(model.acting, model.is_comparing)
        if name in ("", "discriminator"):
            self._show_priors()

    def _show_frame(self, frame: Frame) -> None:
        model = self.studio.model
        acted = model.acted_frame(frame)
        self._kernel_note = self._acceptance.words(acted, model.acted.settings)
        self._show_notes(frame)
        self.measuring.show_frame(acted)

    def _show_notes(self, frame: Frame) -> None:
        model, settings = self.studio.model, self.studio.model.acted.settings
        acted = model.acted_frame(frame)
        self.controls.show_frame(acted, mode_of(settings), settings.temperature)
        if "kernel" in self.controls.rows.made:
            self.controls.rows["kernel"].set_note(self._kernel_note)
        self.scheduling.show_frame(frame)

    def _show_new_rows(self) -> None:
        """Show in rows that were only made now what the others show."""
        if self.studio.model.is_open:
            self._show_priors()
            self._show_values()
        if self.studio.frames.last is not None:
            self._show_notes(self.studio.frames.last)

    def _take_offer(self, name: str) -> None:
        if name == "photo_statistics":
            self.measuring.ask()
        else:
            self.studio.controller.follow_schedule(name)
